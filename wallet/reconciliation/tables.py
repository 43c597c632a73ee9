"""Lists of the reconciliation: breaks, suggestions."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.i18n.formats import day
from crm.i18n.formats import money as shown
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    DateColumn,
    Empty,
    MoneyColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
)
from crm.web.requests import UserRequest
from wallet.choices.reconciliation import BreakKind, BreakState, Leg, SuggestionRule, SuggestionState
from wallet.core import queries
from wallet.models import Break, Psp, ReserveItem, SettlementImport, Suggestion
from wallet.reconciliation import queries as queries_recon


def _psps(request: UserRequest) -> QuerySet[Psp]:
    return queries.psps_visible_to(request.user).defer("sealed_credentials")


class BreakFilter(django_filters.FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=BreakKind.choices, label=_("Kind"), distinct=False)
    state = django_filters.ChoiceFilter(choices=BreakState.choices, label=_("State"))
    leg = django_filters.MultipleChoiceFilter(choices=Leg.choices, label=_("Between"), distinct=False)
    psp = django_filters.ModelChoiceFilter(queryset=_psps, label=_("PSP"))
    mine = django_filters.BooleanFilter(method="filter_mine", label=_("Assigned to me"))

    class Meta:
        model = Break
        fields: list[str] = []

    def filter_mine(self, rows: QuerySet[Break], _name: str, value: bool) -> QuerySet[Break]:
        return rows.filter(owner=self.request.user) if value else rows.exclude(owner=self.request.user)


def _age(row: Break, _table: Table) -> str:
    days = row.age_days
    return format_html('<span class="{}">{}</span>', "neg" if days > 30 else "", days)


class BreakTable(Table):
    name, title, permission = "breaks", _("Breaks"), "wallet.view_settlementimport"
    subtitle = _(
        "Differences between external sources and the ledger. A break that a later file explains closes automatically."
    )
    columns = [
        Column("explanation", _("Break"), link=True),
        BadgeColumn("kind", _("Kind")),
        MoneyColumn("difference_minor", _("Difference"), minor=True, signed=True, total=True),
        Column("psp", _("PSP"), value=lambda row: row.psp.name if row.psp else row.get_leg_display(), css="nowrap"),
        Column("age", _("Days"), render=_age, css="end num"),
        PersonColumn("owner", _("Owner")),
        BadgeColumn("state", _("State")),
        Column(
            "report", _("Report"), value=lambda row: row.report.file_name if row.report else "", css="clip", hidden=True
        ),
        Column("resolution", _("Resolution"), value="how_resolved", css="clip muted", hidden=True),
    ]
    filterset = BreakFilter
    quick_filters = [
        QuickFilter(_("Mine"), {"mine": "true"}),
        QuickFilter(_("Open"), {"state": BreakState.OPEN}),
        QuickFilter(_("Missing in ledger"), {"kind": BreakKind.MISSING_HERE}),
        QuickFilter(_("Missing in report"), {"kind": BreakKind.MISSING_THERE}),
        QuickFilter(_("Amount mismatch"), {"kind": BreakKind.AMOUNT}),
    ]
    row_url_name = "wallet:break"
    bulk_actions = [
        BulkAction(
            "give",
            _("Assign"),
            "wallet:breaks_give",
            "wallet.run_reconciliation",
            icon="user-check",
            fields="wallet/ledger/_owner_choice.html",
        )
    ]
    empty = Empty(
        _("No breaks"),
        _("A report line that is missing in the ledger, or differs from it, waits here until finance explains it."),
        "scale",
    )

    def queryset(self) -> QuerySet[Break]:
        return queries_recon.break_rows(self.user)

    @property
    def owners(self) -> list[Any]:
        return queries_recon.owners_for(self.user)


class ReserveFilter(django_filters.FilterSet):
    held = django_filters.BooleanFilter(method="of_held", label=_("Held by the PSP"))
    psp = django_filters.ModelChoiceFilter(queryset=_psps, label=_("PSP"))

    class Meta:
        model = ReserveItem
        fields: list[str] = []

    def of_held(self, rows: QuerySet[Any], _name: str, value: bool) -> QuerySet[Any]:
        return rows.filter(open_of_pair__lt=0) if value else rows.filter(open_of_pair__gte=0)


class ReserveTable(Table):
    name, title, permission = "reserves", _("Rolling reserves"), "wallet.view_settlementimport"
    subtitle = _(
        "Reserves held and released by PSPs. They are booked automatically; a late or different release is a break."
    )
    columns = [
        TimeColumn("at", _("Booked"), link=True),
        MoneyColumn("amount_minor", _("Amount"), minor=True, signed=True),
        DateColumn("due_on", _("Due on")),
        BadgeColumn("state", _("State")),
        MoneyColumn("open_minor", _("Open after releases"), minor=True, signed=True),
        Column("psp", _("PSP"), value="psp.name", css="nowrap"),
        Column("reference", _("PSP reference"), value="row.psp_reference", css="clip mono"),
    ]
    filterset = ReserveFilter
    empty = Empty(_("No reserves held"), _("Reserves in PSP reports appear here."), "scale")

    def queryset(self) -> QuerySet[ReserveItem]:
        rows = queries_recon.reserves_visible_to(self.user).select_related("psp", "row")
        return rows.defer("psp__sealed_credentials")

    def row_url(self, row: Any) -> str:
        return reverse("wallet:settlement", args=[row.row.report_id])


class SuggestionFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=SuggestionState.choices, label=_("State"))
    rule = django_filters.MultipleChoiceFilter(choices=SuggestionRule.choices, label=_("Reason"), distinct=False)
    psp = django_filters.ModelChoiceFilter(queryset=_psps, label=_("PSP"))

    class Meta:
        model = Suggestion
        fields: list[str] = []


def _in_report(row: Suggestion, _table: Table) -> str:
    report_row = row.row
    return format_html(
        '{} <span class="faint mono nowrap">{}</span>',
        shown(report_row.gross, report_row.currency),
        report_row.merchant_reference or report_row.psp_reference,
    )


def _in_books(row: Suggestion, _table: Table) -> str:
    movement = row.movement
    return format_html(
        '{} <span class="faint mono nowrap">{}</span>',
        shown(movement.money.amount, movement.currency),
        movement.reference,
    )


class SuggestionTable(Table):
    name, title, permission = "suggestions", _("Suggestions"), "wallet.view_settlementimport"
    subtitle = _("Possible matches that no rule accepts automatically. Decide them on the break.")
    columns = [
        Column("there", _("In the report"), render=_in_report, link=True),
        Column("here", _("In the ledger"), render=_in_books),
        Column("rule", _("Reason"), value=lambda row: row.get_rule_display(), css="nowrap"),
        Column("psp", _("PSP"), value="psp.name", css="nowrap"),
        BadgeColumn("state", _("State")),
        AgoColumn("made_at", _("Found")),
    ]
    filterset = SuggestionFilter
    empty = Empty(_("Nothing to decide"), _("Every row is matched or has no likely match."), "scale")

    def queryset(self) -> QuerySet[Suggestion]:
        return (
            queries_recon.suggestions_visible_to(self.user)
            .select_related("psp", "row", "movement")
            .prefetch_related("row__breaks")
            .defer("psp__sealed_credentials")
        )

    def row_url(self, row: Any) -> str:
        breaks = [break_.pk for break_ in row.row.breaks.all() if break_.leg == Leg.PSP]
        if breaks:
            return reverse("wallet:break", args=[breaks[-1]])
        return reverse("wallet:settlement", args=[row.row.report_id])


class ImportTable(Table):
    name, title, permission = "settlements", _("Reconciliation"), "wallet.view_settlementimport"
    subtitle = _("PSP settlement reports, compared with the ledger.")
    columns = [
        Column("file_name", _("Report"), link=True),
        Column("psp", _("PSP"), value="psp.name"),
        Column("period", _("Period"), value=lambda row: f"{day(row.first_day)} – {day(row.last_day)}", css="nowrap"),
        Column("row_count", _("Rows"), css="end"),
        Column("matched", _("Matched"), css="end"),
        Column("breaks", _("Breaks"), render=lambda row, _table: _break_count(row), css="end"),
        Column("imported_by", _("Imported by")),
        AgoColumn("imported_at", _("Imported")),
    ]
    row_url_name = "wallet:settlement"
    empty = Empty(
        _("No reports imported yet"),
        _("Upload or fetch a PSP's settlement report. Each movement is matched and each difference explained."),
        "scale",
    )

    def queryset(self) -> QuerySet[SettlementImport]:
        return queries.imports_visible_to(self.user).select_related("psp", "imported_by").defer("totals")


def _break_count(row: SettlementImport) -> str:
    if not row.breaks_found:
        return format_html('<span class="pos">{}</span>', 0)
    return format_html('<span class="neg">{}</span>', row.breaks_found)
