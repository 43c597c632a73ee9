"""Lists of withdrawals."""

from __future__ import annotations

import django_filters
from django.db.models import Case, F, Q, QuerySet, When
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.i18n.formats import ago
from crm.ui.filters import WhenFilter
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    Empty,
    MoneyColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
    YesNoColumn,
)
from wallet.choices.withdrawals import (
    WITHDRAWAL_OPEN,
    WITHDRAWAL_UNDECIDED,
    CheckResult,
    Purpose,
    WithdrawalRoute,
    WithdrawalState,
)
from wallet.core import queries
from wallet.core.limits import limit
from wallet.models import Withdrawal
from wallet.movements.previews import WITHDRAWAL_PEEK
from wallet.movements.tables import MovementTable, psps_of, reference_of


class WithdrawalFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=WithdrawalState.choices, label=_("State"))
    psp = django_filters.ModelChoiceFilter(queryset=psps_of, label=_("PSP"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    purpose = django_filters.ChoiceFilter(choices=Purpose.choices, label=_("Reason"))
    way = django_filters.ChoiceFilter(choices=WithdrawalRoute.choices, label=_("Route"))
    needs_second = django_filters.BooleanFilter(label=_("Second approval"))
    requested = django_filters.DateFromToRangeFilter(field_name="requested_at", label=_("Requested between"))
    waiting = WhenFilter(field_name="requested_at", label=_("Requested"))

    class Meta:
        model = Withdrawal
        fields: list[str] = []


def _checks(row: Withdrawal, _table: Table) -> str:
    """Show the checks' worst outcome as one badge."""
    if not row.checks.all():
        return ""
    findings = [check for check in row.checks.all() if check.outcome != CheckResult.PASS]
    if not findings:
        return format_html('<span class="k-badge tone-success">{}</span>', _("All passed"))
    return format_html(
        '<span class="k-badge tone-warning" title="{}">{}</span>',
        " · ".join(check.reason for check in findings),
        _("%(count)s to review") % {"count": len(findings)},
    )


class WithdrawalTable(MovementTable):
    name, title, permission = "withdrawals", _("All withdrawals"), "wallet.view_withdrawal"
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True, total=True),
        Column("checks", _("Checks"), render=_checks, export=False),
        YesNoColumn("needs_second", _("Second approval")),
        Column("psp", _("PSP"), value="psp.name"),
        Column("destination_label", _("To"), css="nowrap"),
        AgoColumn("requested_at", _("Requested")),
        Column("reviewed_by", _("First approval"), hidden=True),
        Column("approved_by", _("Approved by"), hidden=True),
        TimeColumn("finished_at", _("Finished")),
        Column("reason", _("Reason"), css="clip muted", hidden=True),
    ]
    filterset = WithdrawalFilter
    quick_filters = [
        QuickFilter(_("Requested today"), {"waiting": "today"}),
        QuickFilter(_("Paid"), {"state": WithdrawalState.SETTLED}),
        QuickFilter(_("Rejected"), {"state": WithdrawalState.REJECTED}),
        QuickFilter(_("Failed or returned"), {"state": [WithdrawalState.FAILED, WithdrawalState.CAME_BACK]}),
    ]
    peek = WITHDRAWAL_PEEK
    row_url_name = "wallet:withdrawal"
    empty = Empty(_("No withdrawals"), _("Client withdrawal requests appear here, oldest first."), "hand-coins")

    def queryset(self) -> QuerySet[Withdrawal]:
        return (
            queries.withdrawals_visible_to(self.user)
            .select_related("client", "psp", "reviewed_by", "approved_by")
            .defer("client__search_text", "sealed_destination")
            .prefetch_related("checks")
        )


IN_FLIGHT = [state for state in WITHDRAWAL_OPEN if state not in WITHDRAWAL_UNDECIDED]


def _whole(row: Withdrawal) -> int:
    """Return the amount to show: the whole request's while it is undecided, afterwards the part's own."""
    return row.request_minor if row.state in WITHDRAWAL_UNDECIDED else row.amount_minor


WHOLE = Case(When(state__in=WITHDRAWAL_UNDECIDED, then=F("request_minor")), default=F("amount_minor"))


def _where(row: Withdrawal, _table: Table) -> str:
    if row.request_minor == row.amount_minor:
        return row.destination_label
    return format_html('{} <span class="faint">{}</span>', row.destination_label, _("and others"))


class WithdrawalQueue(WithdrawalTable):
    """What waits for a decision or an answer, oldest first: one line per request; after its release one per part."""

    name, title, permission = "withdrawal_queue", _("Pending withdrawals"), "wallet.view_withdrawal"
    subtitle = _("Oldest first. Amounts above the brand's limit need a second approval.")
    default_order = "id"
    quick_filters = [
        QuickFilter(_("Pending approval"), {"state": WithdrawalState.REQUESTED}),
        QuickFilter(_("Awaiting second approval"), {"state": WithdrawalState.AWAITING_SECOND_APPROVAL}),
        QuickFilter(_("Waiting > 24 h"), {"waiting": "over24h"}),
        QuickFilter(_("At the PSP"), {"state": [WithdrawalState.SENDING, WithdrawalState.SENT]}),
        QuickFilter(_("Status unknown"), {"state": WithdrawalState.UNKNOWN}),
    ]
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True, value=_whole, total=WHOLE),
        Column("checks", _("Checks"), render=_checks, export=False),
        YesNoColumn("needs_second", _("Second approval")),
        Column("psp", _("PSP"), value="psp.name"),
        Column("destination_label", _("To"), render=_where, css="nowrap"),
        Column(
            "age", _("Waiting"), render=lambda row, table: _age(row, table), css="nowrap", export=False, place="when"
        ),
    ]

    bulk_actions = [
        BulkAction("approve", _("Approve…"), "wallet:withdrawal_batch", "wallet.approve_withdrawal", icon="list-checks")
    ]

    def queryset(self) -> QuerySet[Withdrawal]:
        rows = super().queryset().select_related("client", "psp", "reviewed_by", "approved_by", "brand")
        return rows.filter(Q(state__in=WITHDRAWAL_UNDECIDED, part=1) | Q(state__in=IN_FLIGHT))


def _age(row: Withdrawal, table: Table) -> str:
    """Show how long a request waits, beside the hours that the brand promises."""
    hours, promised = (table.now - row.requested_at).total_seconds() / 3600, limit(row.brand, "withdrawal_sla_hours")
    tone = "danger" if hours >= promised else "warning" if hours * 2 >= promised else "neutral"
    return format_html('<span class="k-badge tone-{}">{}</span>', tone, ago(row.requested_at, table.now))
