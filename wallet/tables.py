"""Finance's lists. Each starts from what the user may see."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.ui.formats import ago, day
from crm.ui.tables import AgoColumn, BadgeColumn, BulkAction, Column, Empty, MoneyColumn, Table, TimeColumn, YesNoColumn
from wallet import queries
from wallet.choices import (
    WITHDRAWAL_OPEN,
    WITHDRAWAL_UNDECIDED,
    DepositState,
    Direction,
    InboxState,
    Outcome,
    Purpose,
    TransferState,
    Verdict,
    Way,
    WithdrawalState,
    failure_words,
)
from wallet.limits import limit
from wallet.models import Deposit, Psp, SettlementImport, Transfer, WebhookMessage, Withdrawal


def _psps(request: Any) -> Any:
    return queries.psps_visible_to(request.user) if request else Psp.objects.none()


def _reference(row: Any, _table: Table) -> str:
    return format_html('<span class="mono">{}</span>', row.reference) if row.reference else ""


class DepositFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DepositState.choices, label=_("State"))
    psp = django_filters.ModelChoiceFilter(queryset=_psps, label=_("PSP"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    is_first = django_filters.BooleanFilter(label=_("First deposit"))
    created = django_filters.DateFromToRangeFilter(field_name="created_at", label=_("Started"))

    class Meta:
        model = Deposit
        fields: list[str] = []


class _Movements(Table):
    """What deposits, withdrawals and transfers have in common: found by reference or client."""

    search_hint = _("Reference, PSP reference or client")
    export_permission = "wallet.export_money"

    def search(self, queryset: Any, words: str) -> Any:
        if words.upper()[:2] in ("D-", "W-", "T-", "X-"):
            return queryset.filter(reference__istartswith=words)
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset


class DepositTable(_Movements):
    name, title, permission = "deposits", _("Deposits"), "wallet.view_deposit"
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True),
        MoneyColumn("received_minor", _("Received"), minor=True, hidden=True),
        Column("psp", _("PSP"), value="psp.name"),
        Column("instrument", _("Paid with"), hidden=True),
        YesNoColumn("is_first", _("First")),
        AgoColumn("created_at", _("Started")),
        TimeColumn("settled_at", _("Settled")),
        Column("failure", _("Note"), value=lambda row: failure_words(row.failure), css="clip muted"),
    ]
    filterset = DepositFilter
    row_url_name = "wallet:deposit"
    empty = Empty(
        _("No deposits yet"), _("Money that clients pay in shows up here, from the click to the wallet."), "wallet"
    )

    def queryset(self) -> Any:
        return queries.deposits_visible_to(self.user).select_related("client", "psp").defer("client__search_text")


class WithdrawalFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=WithdrawalState.choices, label=_("State"))
    psp = django_filters.ModelChoiceFilter(queryset=_psps, label=_("PSP"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    purpose = django_filters.ChoiceFilter(choices=Purpose.choices, label=_("Why"))
    way = django_filters.ChoiceFilter(choices=Way.choices, label=_("Way"))
    needs_second = django_filters.BooleanFilter(label=_("Two people approve"))
    requested = django_filters.DateFromToRangeFilter(field_name="requested_at", label=_("Requested"))

    class Meta:
        model = Withdrawal
        fields: list[str] = []


def _checks(row: Withdrawal, _table: Table) -> str:
    """How the checks went, in one badge: the worst outcome counts."""
    if not row.checks.all():
        return ""
    found = [one for one in row.checks.all() if one.outcome != Outcome.PASS]
    if not found:
        return format_html('<span class="k-badge tone-success">{}</span>', _("All passed"))
    return format_html(
        '<span class="k-badge tone-warning" title="{}">{}</span>',
        " · ".join(one.reason for one in found),
        _("%(count)s to look at") % {"count": len(found)},
    )


class WithdrawalTable(_Movements):
    name, title, permission = "withdrawals", _("Withdrawals"), "wallet.view_withdrawal"
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True),
        Column("checks", _("Checks"), render=_checks, export=False),
        YesNoColumn("needs_second", _("Four eyes")),
        Column("psp", _("PSP"), value="psp.name"),
        Column("destination_label", _("To"), css="nowrap"),
        AgoColumn("requested_at", _("Requested")),
        Column("reviewed_by", _("First approval"), hidden=True),
        Column("approved_by", _("Approved by"), hidden=True),
        TimeColumn("finished_at", _("Finished")),
        Column("reason", _("Reason"), css="clip muted", hidden=True),
    ]
    filterset = WithdrawalFilter
    row_url_name = "wallet:withdrawal"
    empty = Empty(_("Nothing here"), _("Requests of clients for their money show up here, oldest first."), "hand-coins")

    def queryset(self) -> Any:
        return (
            queries.withdrawals_visible_to(self.user)
            .select_related("client", "psp", "reviewed_by", "approved_by")
            .defer("client__search_text", "sealed_destination")
            .prefetch_related("checks")
        )


IN_FLIGHT = [state for state in WITHDRAWAL_OPEN if state not in WITHDRAWAL_UNDECIDED]


def _whole(row: Withdrawal) -> int:
    """A request is decided as a whole; afterwards each part is on its own."""
    return row.request_minor if row.state in WITHDRAWAL_UNDECIDED else row.amount_minor


def _where(row: Withdrawal, _table: Table) -> str:
    if row.request_minor == row.amount_minor:
        return row.destination_label
    return format_html('{} <span class="faint">{}</span>', row.destination_label, _("and others"))


class WithdrawalQueue(WithdrawalTable):
    """What waits for a decision or an answer, oldest first: one line per request, once it is released one per part."""

    name, title, permission = "withdrawal_queue", _("Withdrawals to decide"), "wallet.view_withdrawal"
    subtitle = _("Oldest first. Above the brand's limit two people approve.")
    default_order = "id"
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True, value=_whole),
        Column("checks", _("Checks"), render=_checks, export=False),
        YesNoColumn("needs_second", _("Four eyes")),
        Column("psp", _("PSP"), value="psp.name"),
        Column("destination_label", _("To"), render=_where, css="nowrap"),
        Column("age", _("Waiting"), render=lambda row, table: _age(row, table), css="nowrap", export=False),
    ]

    bulk_actions = [
        BulkAction("approve", _("Approve…"), "wallet:withdrawal_batch", "wallet.approve_withdrawal", icon="list-checks")
    ]

    def queryset(self) -> Any:
        rows = super().queryset().select_related("client", "psp", "reviewed_by", "approved_by", "brand")
        return rows.filter(Q(state__in=WITHDRAWAL_UNDECIDED, part=1) | Q(state__in=IN_FLIGHT))


def _age(row: Withdrawal, table: Table) -> str:
    """How long it waits, against the hours that the brand promises itself."""
    hours, promised = (table.now - row.requested_at).total_seconds() / 3600, limit(row.brand, "withdrawal_sla_hours")
    tone = "danger" if hours >= promised else "warning" if hours * 2 >= promised else "neutral"
    return format_html('<span class="k-badge tone-{}">{}</span>', tone, ago(row.requested_at, table.now))


class TransferFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=TransferState.choices, label=_("State"))
    direction = django_filters.ChoiceFilter(choices=Direction.choices, label=_("Direction"))

    class Meta:
        model = Transfer
        fields: list[str] = []


class TransferTable(_Movements):
    name, title, permission = "transfers", _("Transfers"), "wallet.view_transfer"
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True),
        Column("direction", _("Direction"), value="get_direction_display"),
        Column("trading_account_label", _("Trading account")),
        AgoColumn("created_at", _("Started")),
        TimeColumn("finished_at", _("Finished")),
    ]
    filterset = TransferFilter
    row_url_name = "wallet:transfer"
    empty = Empty(
        _("No transfers yet"), _("Money between wallets and trading accounts shows up here."), "arrow-left-right"
    )

    def queryset(self) -> Any:
        return queries.transfers_visible_to(self.user).select_related("client").defer("client__search_text")


class ExchangeTable(_Movements):
    name, title, permission = "exchanges", _("Exchanges"), "wallet.view_transfer"
    subtitle = _("Between wallets of one client, each at the rate that was quoted.")
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        MoneyColumn("amount_minor", _("Given"), minor=True),
        MoneyColumn("got_minor", _("Got"), minor=True, currency="got_currency"),
        Column("rate", _("Rate"), value=lambda row: f"{row.quote.rate:.6f}", css="end num"),
        Column("rate_on", _("Rate of"), value="quote.rate_on", css="nowrap"),
        Column("markup", _("Markup"), value=lambda row: f"{row.quote.markup_basis_points / 100:.2f} %", css="end num"),
        AgoColumn("created_at", _("Booked")),
    ]
    row_url_name = "wallet:exchange"
    empty = Empty(
        _("No exchanges yet"), _("When clients change money between their wallets, it shows up here."), "repeat"
    )

    def queryset(self) -> Any:
        return queries.exchanges_visible_to(self.user).select_related("client", "quote").defer("client__search_text")


class WebhookFilter(django_filters.FilterSet):
    verdict = django_filters.MultipleChoiceFilter(choices=Verdict.choices, label=_("Verdict"))
    state = django_filters.MultipleChoiceFilter(choices=InboxState.choices, label=_("State"))
    psp = django_filters.ModelChoiceFilter(queryset=_psps, label=_("PSP"))

    class Meta:
        model = WebhookMessage
        fields: list[str] = []


class WebhookTable(Table):
    name, title, permission = "webhooks", _("Webhook inbox"), "wallet.view_webhookmessage"
    subtitle = _(
        "Every message of a PSP as it came, with the verdict on its raw bytes. Only accepted ones are acted on."
    )
    columns = [
        TimeColumn("received_at", _("Received"), seconds=True, link=True),
        Column("psp", _("PSP"), value="psp.name"),
        Column("event_type", _("Event"), css="nowrap"),
        Column("reference", _("Reference"), render=_reference, css="nowrap"),
        BadgeColumn("verdict", _("Verdict")),
        BadgeColumn("state", _("State")),
        Column("outcome", _("What was done"), css="clip muted"),
    ]
    filterset = WebhookFilter
    row_url_name = "wallet:webhook"
    search_hint = _("Reference")
    empty = Empty(
        _("No webhooks yet"), _("The PSPs report payments here. Each has its own address and signing secret."), "inbox"
    )

    def search(self, queryset: Any, words: str) -> Any:
        return queryset.filter(reference=words.upper())

    def queryset(self) -> Any:
        return queries.webhooks_visible_to(self.user).select_related("psp").defer("body", "headers")


class ImportTable(Table):
    name, title, permission = "settlements", _("Reconciliation"), "wallet.view_settlementimport"
    subtitle = _("Settlement reports of the PSPs, held against our books.")
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
        _("No report imported yet"),
        _("Upload a PSP's settlement report, or fetch it: every movement is matched, and each difference gets a name."),
        "scale",
    )

    def queryset(self) -> Any:
        return queries.imports_visible_to(self.user).select_related("psp", "imported_by").defer("totals")


def _break_count(row: SettlementImport) -> str:
    if not row.breaks_found:
        return format_html('<span class="pos">{}</span>', 0)
    return format_html('<span class="neg">{}</span>', row.breaks_found)
