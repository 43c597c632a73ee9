"""Lists of the ledger."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.i18n.formats import ago
from crm.money.amounts import Money
from crm.ui.tables import BadgeColumn, Column, DateColumn, Empty, Table, TimeColumn
from wallet.core import queries
from wallet.models import ManualJournal

AGE_WARNING_HOURS, AGE_LATE_HOURS = 24, 72


class ManualJournalFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=ApprovalState.choices, label=_("State"), distinct=False)
    business = django_filters.DateFromToRangeFilter(field_name="business_on", label=_("Business day"))

    class Meta:
        model = ManualJournal
        fields: list[str] = []


def _reference(row: ManualJournal, _table: Table) -> str:
    return format_html('<span class="mono">{}</span>', row.reference)


def turnover(row: ManualJournal) -> str:
    """Show what a manual journal moves: its credits, per currency."""
    sums: dict[str, int] = {}
    for line in row.lines.all():
        if line.amount_minor > 0:
            sums[line.account.currency] = sums.get(line.account.currency, 0) + line.amount_minor
    return " · ".join(str(Money.of_minor(minor, currency)) for currency, minor in sorted(sums.items()))


def _age(row: ManualJournal, table: Table) -> str:
    if row.state != ApprovalState.PENDING:
        return ""
    hours = (table.now - row.requested_at).total_seconds() / 3600
    tone = "danger" if hours >= AGE_LATE_HOURS else "warning" if hours >= AGE_WARNING_HOURS else "neutral"
    return format_html('<span class="k-badge tone-{}">{}</span>', tone, ago(row.requested_at, table.now))


class ManualJournalTable(Table):
    name, title, permission = "manual_journals", _("Manual journals"), "wallet.view_manualjournal"
    subtitle = _("Entered by one person, posted by another.")
    export_permission = "wallet.export_money"
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        BadgeColumn("state", _("State")),
        Column("brand", _("Brand"), value="brand.name"),
        DateColumn("business_on", _("Business day")),
        Column("turnover", _("Amount"), value=turnover, css="end num nowrap"),
        Column("reason", _("Reason"), css="clip"),
        Column("requested_by", _("Created by"), css="nowrap"),
        Column("age", _("Waiting"), render=_age, css="nowrap", export=False),
        Column("decided_by", _("Decided by"), css="nowrap"),
        TimeColumn("decided_at", _("Decided")),
    ]
    filterset = ManualJournalFilter
    row_url_name = "wallet:manual_journal"
    search_hint = _("Reference")
    empty = Empty(
        _("No manual journals"),
        _("Corrections, bank fees and write-offs entered by staff appear here."),
        "pencil",
        _("Create journal"),
        "wallet:manual_journal_new",
        "wallet.write_journal",
    )

    def queryset(self) -> QuerySet[ManualJournal]:
        return (
            queries.manual_journals_visible_to(self.user)
            .select_related("brand", "requested_by", "decided_by")
            .prefetch_related("lines__account")
        )

    def search(self, queryset: QuerySet[ManualJournal], words: str) -> QuerySet[ManualJournal]:
        return queryset.filter(reference__istartswith=words.strip())
