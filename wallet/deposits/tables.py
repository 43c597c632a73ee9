"""Lists of deposits and payment methods."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from clients.vocabulary import CLIENT
from crm.i18n.formats import ago
from crm.ui.conditions import sentence_of
from crm.ui.filters import WhenFilter
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    Empty,
    MoneyColumn,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
    YesNoColumn,
)
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import failure_words
from wallet.core import queries
from wallet.models import Deposit, PaymentMethod
from wallet.movements.previews import DEPOSIT_PEEK
from wallet.movements.tables import MovementTable, psps_of, reference_of


class DepositFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=DepositState.choices, label=_("State"))
    psp = django_filters.ModelChoiceFilter(queryset=psps_of, label=_("PSP"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    is_first = django_filters.BooleanFilter(label=_("First deposit"))
    created = django_filters.DateFromToRangeFilter(field_name="created_at", label=_("Started between"))
    started = WhenFilter(field_name="created_at", label=_("Started"))
    settled = django_filters.DateFromToRangeFilter(field_name="settled_at", label=_("Settled between"))

    class Meta:
        model = Deposit
        fields: list[str] = []


class DepositTable(MovementTable):
    name, title, permission = "deposits", _("Deposits"), "wallet.view_deposit"
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True, total=True),
        MoneyColumn("received_minor", _("Received"), minor=True, hidden=True),
        Column("psp", _("PSP"), value="psp.name"),
        Column("instrument", _("Payment instrument"), hidden=True),
        YesNoColumn("is_first", _("FTD")),
        AgoColumn("created_at", _("Started"), place="when"),
        TimeColumn("settled_at", _("Settled")),
        Column("failure", _("Note"), value=lambda row: failure_words(row.failure), css="clip muted"),
    ]
    filterset = DepositFilter
    quick_filters: ClassVar[Sequence[QuickFilter]] = [
        QuickFilter(_("Started today"), {"started": "today"}),
        QuickFilter(_("First deposits"), {"is_first": "true"}),
        QuickFilter(_("Held for review"), {"state": DepositState.HELD}),
        QuickFilter(_("Failed"), {"state": DepositState.FAILED}),
        QuickFilter(_("Charged back"), {"state": DepositState.CHARGED_BACK}),
    ]
    peek = DEPOSIT_PEEK
    row_url_name = "wallet:deposit"
    empty = Empty(_("No deposits yet"), _("Client deposits appear here as soon as they are started."), "wallet")

    def queryset(self) -> QuerySet[Deposit]:
        return queries.deposits_visible_to(self.user).select_related("client", "psp").defer("client__search_text")


HELD_WARNING, HELD_LATE = dt.timedelta(hours=24), dt.timedelta(hours=72)


def _held_for(row: Deposit, table: Table) -> str:
    assert row.held_at is not None
    age = table.now - row.held_at
    tone = "danger" if age >= HELD_LATE else "warning" if age >= HELD_WARNING else "neutral"
    return format_html('<span class="k-badge tone-{}">{}</span>', tone, ago(row.held_at, table.now))


class HeldTable(DepositTable):
    """Held deposits, longest first."""

    name, title, permission = "held_deposits", _("Held deposits"), "wallet.view_deposit"
    subtitle = _("Longest held first. The funds stay at the PSP and in suspense until they are released or refunded.")
    default_order = "held_at"
    quick_filters = ()
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        Column("hold_reasons", _("Reason"), value=lambda row: "; ".join(row.hold_words), css="clip", place="state"),
        MoneyColumn("amount_minor", _("Expected"), minor=True, total=True, place="rest"),
        MoneyColumn("received_minor", _("Received"), minor=True, currency="received_currency"),
        Column("payer_name", _("Payer")),
        Column("psp", _("PSP"), value="psp.name"),
        Column(
            "held_at",
            _("Waiting"),
            render=lambda row, table: _held_for(row, table),
            sort=True,
            css="nowrap",
            export=False,
            place="when",
        ),
    ]
    empty = Empty(_("No held deposits"), _("Deposits that need a review appear here with the reason."), "wallet")

    def queryset(self) -> QuerySet[Deposit]:
        return super().queryset().filter(state=DepositState.HELD)


class MethodTable(Table):
    name, title, permission = "payment_methods", _("Payment methods"), "wallet.view_psp"
    subtitle = _("What each brand offers, in order. If a PSP is down, the next method in its group takes over.")
    columns = [
        Column("label", _("Method"), link=True),
        Column("brand", _("Brand"), value="psp.brand.name"),
        Column("psp", _("PSP"), value="psp.name"),
        Column("kind", _("Kind"), value="get_kind_display"),
        Column("currencies", _("Currencies"), value=lambda row: ", ".join(row.currencies), css="clip"),
        Column("condition", _("Offered to"), value=lambda row: sentence_of(row.condition, CLIENT), css="clip"),
        Column("fee", _("Deposit fee"), value=lambda row: _fee(row), css="end nowrap"),
        Column("fallback_group", _("Fallback group")),
        Column("position", _("Order"), css="end"),
        YesNoColumn("is_enabled", _("Enabled")),
    ]
    row_permission = "wallet.manage_psp"
    empty = Empty(
        _("No payment methods yet"), _("Payment methods come with each PSP. Choose here who can use them."), "plug"
    )
    default_order = "position"

    def queryset(self) -> QuerySet[PaymentMethod]:
        rows = PaymentMethod.objects.filter(psp__in=queries.psps_visible_to(self.user))
        return rows.select_related("psp__brand").defer("psp__sealed_credentials")

    def row_url(self, row: PaymentMethod) -> str:
        return reverse("wallet:psp_method", kwargs={"pk": row.psp_id, "method_id": row.pk})


def _fee(row: PaymentMethod) -> str:
    parts = [f"{row.deposit_fee_basis_points / 100:g} %"] if row.deposit_fee_basis_points else []
    if row.deposit_fee_fixed_minor:
        parts.append(f"{row.deposit_fee_fixed_minor / 100:.2f}")
    return " + ".join(parts) or "–"
