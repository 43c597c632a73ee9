"""Lists of imports and of the logins that they found."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import django_filters
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.ui.tables import AgoColumn, BadgeColumn, Column, EmailColumn, Empty, MoneyColumn, NumberColumn, Table
from trading.choices import StagedState, Verdict
from trading.imports import matching
from trading.models import AccountImport, StagedLogin

IMPORTS = "trading.import_accounts"


class ImportTable(Table):
    """Readings of servers, the newest first."""

    name, title, permission = "account_imports", _("Account imports"), IMPORTS
    subtitle = _("Existing accounts on a platform: read, matched with clients and confirmed by a person.")
    columns = (
        AgoColumn("created_at", _("Read"), sort="id"),
        Column("server", _("Server"), link=True),
        Column("mask", _("Groups"), css="mono"),
        NumberColumn("read", _("Logins"), digits=0),
        NumberColumn("proposed", _("Awaiting second approval"), digits=0),
        BadgeColumn("state", _("State")),
        Column("owner", _("By")),
    )
    is_searchable = False
    default_order = "-id"
    empty = Empty(
        _("No imports yet"),
        _("Read a server's logins to see which client each one matches before you import."),
        icon="download",
        action=_("Import accounts"),
        url_name="trading_import_new",
        permission=IMPORTS,
    )

    def queryset(self) -> QuerySet[AccountImport]:
        proposed = StagedLogin.objects.filter(batch=OuterRef("pk"), state=StagedState.PROPOSED).order_by()
        counted = proposed.values("batch").annotate(n=Count("pk")).values("n")
        return AccountImport.objects.select_related("server", "owner").annotate(proposed=Coalesce(Subquery(counted), 0))


class StagedFilter(django_filters.FilterSet):
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices, label=_("Match result"))
    state = django_filters.ChoiceFilter(choices=StagedState.choices, label=_("State"))
    group = django_filters.CharFilter(lookup_expr="icontains", label=_("Group"))

    class Meta:
        model = StagedLogin
        fields: ClassVar[list[str]] = ["verdict", "state", "group"]


def _fits(row: StagedLogin, table: StagedTable) -> str:
    """Write client and why, or why not: `Clara Weber: same mailbox`; `Clara Weber, Óscar Núñez` where several fit."""
    names = [str(table.clients[r["client"]]) for r in row.reasons if r["client"] in table.clients]
    if row.state == StagedState.ATTACHED and row.client_id:
        return str(table.clients.get(row.client_id, f"#{row.client_id}"))
    if row.note or row.problem:
        return ". ".join(filter(None, [*names[:1], row.note, row.problem]))
    if row.verdict == Verdict.SEVERAL:
        return ", ".join(names[:3])
    return f"{names[0]}: {matching.words_of(row.reasons[0]['codes'])}" if names else ""


class StagedTable(Table):
    """The logins of one import: `scope={"import_id": …}`."""

    name, title, permission = "staged_logins", _("Logins"), IMPORTS
    columns = (
        Column("login", _("Login"), link=True, css="mono"),
        Column("name", _("Name on the platform"), css="clip"),
        EmailColumn("email", _("E-mail on the platform"), hidden=True),
        Column("group", _("Group"), css="mono nowrap"),
        MoneyColumn("balance", _("Balance"), currency="currency"),
        Column("leverage", _("Leverage"), value=lambda row: f"1:{row.leverage}", css="end", hidden=True),
        BadgeColumn("verdict", _("Match result")),
        Column("fits", _("Client match"), render=_fits, css="words"),
        BadgeColumn("state", _("State")),
    )
    filterset = StagedFilter
    search_fields: ClassVar[list[str]] = ["login", "name", "email"]
    search_hint = _("Login, name or e-mail")
    default_order = "id"
    row_url_name = "trading_staged"
    empty = Empty(
        _("No logins"),
        _("The server listed no logins in these groups, or the import ended before the first one."),
        icon="inbox",
    )

    def queryset(self) -> QuerySet[StagedLogin]:
        return StagedLogin.objects.filter(batch_id=self.scope["import_id"])

    @cached_property
    def clients(self) -> dict[int, Client]:
        """Clients that the rows of this page name, in one query."""
        rows: list[Any] = list(self.page.rows)
        return matching.clients_of(rows, self.user)
