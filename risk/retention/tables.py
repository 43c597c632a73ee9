"""The retention queue as a list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from clients.filters import brands_in_reach
from crm.i18n import formats
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    QuickFilter,
    Table,
)
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from risk.retention.choices import CaseState, FlagKind
from risk.retention.kind import SEES, awake, cases_visible_to
from risk.retention.models import RetentionCase, RetentionFlag
from risk.retention.queries import flags_of_cases


class CaseFilter(WorkFilter):
    state = django_filters.ChoiceFilter(
        choices=[choice for choice in CaseState.choices if choice[0] != CaseState.HELD_BACK], label=_("State")
    )
    flag = django_filters.ChoiceFilter(choices=FlagKind.choices, label=_("Flag"), method="by_flag")
    snoozed = django_filters.ChoiceFilter(
        choices=[("no", _("Not snoozed")), ("yes", _("Snoozed"))], label=_("Snoozed"), method="by_snooze"
    )
    brand = django_filters.ModelChoiceFilter(queryset=brands_in_reach, label=_("Brand"))

    class Meta:
        model = RetentionCase
        fields: list[str] = []

    def by_flag(self, rows: QuerySet[RetentionCase], _name: str, value: str) -> QuerySet[RetentionCase]:
        return rows.filter(
            Exists(RetentionFlag.objects.filter(client=OuterRef("client_id"), kind=value, ended_at__isnull=True))
        )

    def by_snooze(self, rows: QuerySet[RetentionCase], _name: str, value: str) -> QuerySet[RetentionCase]:
        return rows.filter(awake()) if value == "no" else rows.exclude(awake())


def flags_cell(row: RetentionCase, table: CaseTable) -> Any:
    """Name a client's open flags; they are read for the whole page."""
    flags = table.flags.get(row.client_id, [])
    return format_html(
        '<span class="cluster">{}</span>',
        format_html_join(
            "", '<span class="k-badge tone-warning">{}</span>', ((flag.get_kind_display(),) for flag in flags)
        ),
    )


def probability_cell(row: RetentionCase) -> str:
    """Write the probability that the client stops trading; a dash without a score."""
    outlook = getattr(row.client, "outlook", None)
    return f"{formats.number(round(100 * outlook.probability))} %" if outlook is not None else "–"


def value_at_risk(row: RetentionCase) -> Any:
    """Return what is at risk; nothing is known of a client without a score, which isn't the same as zero."""
    return row.value_at_risk or (row.value_at_risk if hasattr(row.client, "outlook") else None)


class CaseTable(Table):
    """Open cases, those with the most at risk first; decided ones by filter."""

    name, title, permission = "risk.retention", _("Client retention"), SEES
    subtitle = _("Clients who may leave, and why")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True, place="name"),
        Column("flags", _("Flags"), render=flags_cell, export=False),
        MoneyColumn(
            "value_at_risk", _("Revenue at risk"), value=value_at_risk, currency="brand.base_currency", sort=True
        ),
        Column("probability", _("Probability"), render=lambda row, table: probability_cell(row), export=False),
        NumberColumn("weight", _("Weight"), sort=True),
        BadgeColumn("state", _("State")),
        AgoColumn("last_contact", _("Last contact"), value="client.last_contact_at"),
        AgoColumn("last_trade", _("Last trade"), value="client.last_trade_at"),
        *work_columns(),
        AgoColumn("snoozed_until", _("Snoozed until"), hidden=True),
        AgoColumn("opened_at", _("Opened"), place="rest"),
        Column("owner", _("Agent"), value="client.owner", hidden=True),
    ]
    filterset, default_order, search_fields = CaseFilter, "-value_at_risk", ["client__search_text"]
    quick_filters = [QuickFilter(_("Not snoozed"), {"snoozed": "no"}), *WORK_QUICK_FILTERS]
    bulk_actions = (assign_action("risk_retention_assign"),)
    export_permission = None
    empty = Empty(_("No clients at risk"), _("Clients with flags that weigh enough appear here."), "trending-down")

    def queryset(self) -> QuerySet[RetentionCase]:
        rows = cases_visible_to(self.user).select_related(
            "brand", "client__brand", "client__owner", "client__outlook", "work__claimed_by", "work__assigned_to"
        )
        return rows if self.params.get("state") else rows.filter(state=CaseState.OPEN)

    @cached_property
    def flags(self) -> dict[int, list[RetentionFlag]]:
        return flags_of_cases(cast(Sequence[RetentionCase], self.page.rows))
