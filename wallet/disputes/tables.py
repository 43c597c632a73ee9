"""The list of disputes."""

from __future__ import annotations

import datetime as dt

import django_filters
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, PersonColumn, Table
from wallet.choices.disputes import DISPUTE_OPEN, DisputeState
from wallet.core import queries
from wallet.models import Dispute
from wallet.movements.tables import MovementTable

DUE_WARNING = dt.timedelta(days=5)


class DisputeFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DisputeState.choices, label=_("State"), distinct=False)
    opened = django_filters.DateFromToRangeFilter(field_name="opened_at", label=_("Opened"))

    class Meta:
        model = Dispute
        fields: list[str] = []


def _due(row: Dispute, table: Table) -> str:
    if row.evidence_due_at is None or row.state not in DISPUTE_OPEN:
        return ""
    left = row.evidence_due_at - table.now
    waits = row.state != DisputeState.SUBMITTED
    tone = (
        "danger" if waits and left < dt.timedelta(days=1) else "warning" if waits and left < DUE_WARNING else "neutral"
    )
    return format_html('<span class="k-badge tone-{}">{}</span>', tone, f"{row.evidence_due_at:%Y-%m-%d}")


class DisputeTable(MovementTable):
    name, title, permission = "disputes", _("Disputes"), "wallet.view_dispute"
    subtitle = _("Inquiries and chargebacks from payers' banks.")
    columns = [
        Column("psp_dispute_id", _("Dispute"), link=True, css="nowrap mono"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True, total=True),
        MoneyColumn("taken_minor", _("Charged back"), minor=True, total=True),
        Column("reason", _("Reason"), css="clip"),
        Column("deposit", _("Deposit"), value="deposit.reference", css="mono nowrap"),
        Column("psp", _("PSP"), value="psp.name"),
        Column("evidence_due_at", _("Response due"), render=lambda row, table: _due(row, table), css="nowrap"),
        AgoColumn("opened_at", _("Opened")),
    ]
    filterset = DisputeFilter
    row_url_name = "wallet:dispute"
    empty = Empty(_("No disputes"), _("Chargebacks and inquiries appear here with their response deadline."), "gavel")

    def search(self, queryset: QuerySet[Dispute], words: str) -> QuerySet[Dispute]:
        if words.upper().startswith("D-"):
            return queryset.filter(deposit__reference__istartswith=words)
        rows: QuerySet[Dispute] = super().search(queryset, words)
        return rows

    def queryset(self) -> QuerySet[Dispute]:
        rows = queries.disputes_visible_to(self.user).select_related("client", "psp", "deposit")
        return rows.defer("client__search_text", "evidence_text")
