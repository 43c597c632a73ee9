"""Lists of replays and of their lines."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.ui.tables import (
    BadgeColumn,
    Column,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
    YesNoColumn,
)
from ib.choices import OF_SALES, DifferenceCause, Reason, ReplayState
from ib.models import Partner, Replay, ReplayLine
from ib.queries import replays_visible_to
from ib.tables import EXPORT, client_link


class ReplayFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=ReplayState.choices, label=_("State"))
    closed = django_filters.DateFromToRangeFilter(field_name="from_at", label=_("Deals from"))

    class Meta:
        model = Replay
        fields = ["state", "closed"]


def scope_text(row: Replay) -> str:
    """Say whose deals a replay covers."""
    if row.client_id is not None:
        return _now("Client #%(client)s") % {"client": row.client_id}
    return row.partner.name if row.partner is not None else _now("All partners")


class ReplayTable(Table):
    name, title, permission = "ib.replays", _("Commission replays"), "ib.view_accrual"
    subtitle = _(
        "Past commissions calculated again, line by line. Differences are applied when a second person approves them"
    )
    columns = [
        TimeColumn("asked_at", _("Started"), link=True),
        BadgeColumn("state", _("State")),
        Column("brand", _("Brand"), value="brand.name"),
        TimeColumn("from_at", _("Deals from")),
        TimeColumn("to_at", pgettext_lazy("day", "To")),
        Column("scope", _("Deals of"), value=scope_text),
        NumberColumn("lines_count", _("Differences")),
        Column("reason", _("Reason"), css="clip"),
        Column("asked_by", _("By")),
    ]
    filterset = ReplayFilter
    quick_filters = [QuickFilter(_("Differences found"), {"state": ReplayState.READY})]
    is_searchable = False
    row_url_name = "ib_replay"
    empty = Empty(
        _("No replays yet"),
        _("A replay shows what past commissions would be today, and why."),
        "rotate-ccw",
        _("New replay"),
        "ib_replay_new",
        "ib.run_commissions",
    )

    def queryset(self) -> QuerySet[Replay]:
        return replays_visible_to(self.user).select_related("brand", "partner", "asked_by")


class LineFilter(django_filters.FilterSet):
    cause = django_filters.MultipleChoiceFilter(choices=DifferenceCause.choices, label=_("Cause"))
    partner = django_filters.CharFilter(field_name="partner__code", label=_("Partner code"))
    client = django_filters.NumberFilter(field_name="client_id", label=_("Client number"))
    deal = django_filters.NumberFilter(field_name="ticket", label=_("Deal"))
    is_settled = django_filters.BooleanFilter(label=_("Period settled"))

    class Meta:
        model = ReplayLine
        fields = ["cause", "partner", "client", "deal", "is_settled"]


def reason_text(code: str) -> str:
    """Name why a line pays nothing; empty where it's paid."""
    if code == "none":
        return _now("Not calculated yet")
    return str(Reason(code).label) if code else ""


def _deal(row: ReplayLine, table: Table) -> str:
    """Show the number of the deal or challenge; a client's month has its name in place of a symbol."""
    return f"#{row.ticket}" if row.deal_id > 0 or row.component in OF_SALES else row.symbol


class ReplayLineTable(Table):
    """The lines of one replay; `scope` names it."""

    name, title, permission, export_permission = "ib.replay_lines", _("Differences by line"), "ib.view_accrual", EXPORT
    columns = [
        TimeColumn("closed_at", _("Closed")),
        Column("ticket", _("Deal"), render=_deal, css="mono"),
        PersonColumn("partner", _("Partner"), value="partner.name"),
        NumberColumn("level", _("Level")),
        Column("client", _("Client"), render=lambda row, table: client_link(row.client_id), hidden=True),
        Column("symbol", _("Symbol"), hidden=True),
        Column("component", _("Component"), value=lambda row: row.get_component_display()),
        Column("cause", _("Cause"), value=lambda row: row.get_cause_display(), css="clip"),
        MoneyColumn("before", _("Before"), place="rest"),
        MoneyColumn("after", _("After")),
        MoneyColumn("difference", _("Difference"), signed=True, total=True, place="figure"),
        Column("reason_before", _("Not paid before"), value=lambda row: reason_text(row.reason_before), hidden=True),
        Column("reason_after", _("Not paid after"), value=lambda row: reason_text(row.reason_after), hidden=True),
        YesNoColumn("is_settled", _("Period settled")),
    ]
    filterset = LineFilter
    is_searchable = False
    empty = Empty(_("No differences"), icon="circle-check")

    def queryset(self) -> QuerySet[ReplayLine]:
        replays = replays_visible_to(self.user).filter(pk=self.scope["replay_id"])
        return ReplayLine.objects.filter(replay__in=replays).select_related("partner")


def partners_of(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the partners into sums by partner: one query."""
    partners = Partner.objects.in_bulk({row["partner_id"] for row in rows})
    return [{**row, "partner": partners[row["partner_id"]]} for row in rows]
