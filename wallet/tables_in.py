"""Lists of money in: what is held, disputes, ways to pay, bonuses."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.ui.formats import ago
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, Table, TimeColumn, YesNoColumn
from wallet import bonus_disputes, queries
from wallet.bonus_choices import BonusState
from wallet.choices import DISPUTE_OPEN, DepositState, DisputeState
from wallet.models import BonusGrant, Deposit, Dispute, PaymentMethod
from wallet.tables import DepositTable, _Movements, _reference

HELD_WARNING, HELD_LATE = dt.timedelta(hours=24), dt.timedelta(hours=72)
DUE_WARNING = dt.timedelta(days=5)


def _held_for(row: Deposit, table: Table) -> str:
    assert row.held_at is not None
    age = table.now - row.held_at
    tone = "danger" if age >= HELD_LATE else "warning" if age >= HELD_WARNING else "neutral"
    return format_html('<span class="k-badge tone-{}">{}</span>', tone, ago(row.held_at, table.now))


class HeldTable(DepositTable):
    """Money that waits for a person, longest first."""

    name, title, permission = "held_deposits", _("Held deposits"), "wallet.view_deposit"
    subtitle = _(
        "Longest first. What arrived is at the PSP and in suspense until someone releases it or gives it back."
    )
    default_order = "held_at"
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        Column("hold_reasons", _("Why"), value=lambda row: "; ".join(row.hold_words), css="clip"),
        MoneyColumn("amount_minor", _("Meant"), minor=True),
        MoneyColumn("received_minor", _("Received"), minor=True, currency="received_currency"),
        Column("payer_name", _("Payer")),
        Column("psp", _("PSP"), value="psp.name"),
        Column("held_at", _("Waiting"), render=lambda row, table: _held_for(row, table), sort=True, css="nowrap", export=False),
    ]  # fmt: skip
    empty = Empty(
        _("Nothing is held"), _("Deposits that are not as they should be wait here, with the reason."), "wallet"
    )

    def queryset(self) -> Any:
        return super().queryset().filter(state=DepositState.HELD)


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


class DisputeTable(_Movements):
    name, title, permission = "disputes", _("Disputes"), "wallet.view_dispute"
    subtitle = _("What payers' banks ask about, or have taken back.")
    columns = [
        Column("psp_dispute_id", _("Dispute"), link=True, css="nowrap mono"),
        Column("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True),
        MoneyColumn("taken_minor", _("Taken"), minor=True),
        Column("reason", _("Reason"), css="clip"),
        Column("deposit", _("Deposit"), value="deposit.reference", css="mono nowrap"),
        Column("psp", _("PSP"), value="psp.name"),
        Column("evidence_due_at", _("Answer due"), render=lambda row, table: _due(row, table), css="nowrap"),
        AgoColumn("opened_at", _("Opened")),
    ]
    filterset = DisputeFilter
    row_url_name = "wallet:dispute"
    empty = Empty(
        _("No disputes"), _("When a payer's bank takes a payment back, it shows up here with its last day."), "gavel"
    )

    def search(self, queryset: Any, words: str) -> Any:
        if words.upper().startswith("D-"):
            return queryset.filter(deposit__reference__istartswith=words)
        return super().search(queryset, words)

    def queryset(self) -> Any:
        rows = queries.disputes_visible_to(self.user).select_related("client", "psp", "deposit")
        return rows.defer("client__search_text", "evidence_text")


class BonusFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=BonusState.choices, label=_("State"), distinct=False)
    returns = django_filters.ChoiceFilter(
        choices=[("undecided", _("Won, to be decided"))], label=_("Lost by a chargeback"),
        method="filter_returns",
    )  # fmt: skip

    def filter_returns(self, rows: Any, _name: str, _value: str) -> Any:
        return bonus_disputes.undecided_in(rows)

    class Meta:
        model = BonusGrant
        fields: list[str] = []


class BonusTable(_Movements):
    name, title, permission = "bonuses", _("Bonuses"), "wallet.view_bonusgrant"
    subtitle = _("Credit that clients hold apart from their wallets.")
    columns = [
        Column("reference", _("Reference"), render=_reference, link=True, css="nowrap"),
        Column("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        Column("rule", _("Plan"), value="rule.plan.name"),
        MoneyColumn("amount_minor", _("Amount"), minor=True),
        MoneyColumn("held_minor", _("Held"), minor=True, sort=False),
        MoneyColumn("released_minor", _("Released"), minor=True),
        MoneyColumn("burned_minor", _("Lost"), minor=True),
        TimeColumn("expires_at", _("Expires")),
        AgoColumn("created_at", _("Given")),
    ]
    filterset = BonusFilter
    row_url_name = "wallet:bonus"
    empty = Empty(_("No bonuses yet"), _("What staff and campaigns give clients shows up here."), "coins")

    def search(self, queryset: Any, words: str) -> Any:
        if words.upper().startswith("B-"):
            return queryset.filter(reference__istartswith=words)
        return super().search(queryset, words)

    def queryset(self) -> Any:
        return queries.bonuses_visible_to(self.user).select_related("client", "rule__plan").defer("client__search_text")


class MethodTable(Table):
    name, title, permission = "payment_methods", _("Payment methods"), "wallet.view_psp"
    subtitle = _("What each brand offers, in order. While a PSP is down the next one of the same group stands in.")
    columns = [
        Column("label", _("Method"), link=True),
        Column("brand", _("Brand"), value="psp.brand.name"),
        Column("psp", _("PSP"), value="psp.name"),
        Column("kind", _("Kind"), value="get_kind_display"),
        Column("currencies", _("Currencies"), value=lambda row: ", ".join(row.currencies), css="clip"),
        Column("countries", _("Countries"), value=lambda row: _countries(row), css="clip"),
        Column("kyc_level_min", _("Level"), css="end"),
        Column("fee", _("Fee in"), value=lambda row: _fee(row), css="end nowrap"),
        Column("fallback_group", _("Group")),
        Column("position", _("Order"), css="end"),
        YesNoColumn("is_enabled", _("On")),
    ]
    row_permission = "wallet.manage_psp"
    empty = Empty(
        _("No methods yet"), _("Each PSP brings its ways to pay; choose here to whom they are offered."), "plug"
    )
    default_order = "position"

    def queryset(self) -> Any:
        rows = PaymentMethod.objects.filter(psp__in=queries.psps_visible_to(self.user))
        return rows.select_related("psp__brand").defer("psp__sealed_credentials")

    def row_url(self, row: PaymentMethod) -> str:
        return reverse("wallet:psp_method", kwargs={"pk": row.psp_id, "method_id": row.pk})


def _countries(row: PaymentMethod) -> str:
    listed = ", ".join(row.countries) or str(_("all"))
    return f"{listed} − {', '.join(row.excluded_countries)}" if row.excluded_countries else listed


def _fee(row: PaymentMethod) -> str:
    parts = [f"{row.deposit_fee_basis_points / 100:g} %"] if row.deposit_fee_basis_points else []
    if row.deposit_fee_fixed_minor:
        parts.append(f"{row.deposit_fee_fixed_minor / 100:.2f}")
    return " + ".join(parts) or "–"
