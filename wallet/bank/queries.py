"""Reads of the bank accounts, as far as a user may see them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from crm.models import User
from crm.money.amounts import from_minor
from crm.security.scope import reach_of
from wallet.choices.bank import OrderState
from wallet.deposits.verbs import OPEN_STATES
from wallet.models import BankBatch, BankEntry, BankOrder, Deposit, Psp, TableMapping, WaitingTable

CANDIDATES_MAX = 8


def bank_accounts_visible_to(user: User) -> QuerySet[Psp]:
    """Select the bank accounts of brands that the user reaches as a whole."""
    return Psp.objects.filter(adapter="bank_wire", brand_id__in=reach_of(user).whole_brands)


def bank_entries_visible_to(user: User) -> QuerySet[BankEntry]:
    """Select the statement entries of brands that the user reaches as a whole."""
    return BankEntry.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def waiting_tables_visible_to(user: User) -> QuerySet[WaitingTable]:
    """Select the tables that wait for their mapping, of brands that the user reaches as a whole."""
    return WaitingTable.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def usual_currency(psp_id: int) -> str:
    """Return the currency of the account's last entry; empty where there is none yet."""
    return BankEntry.objects.filter(psp_id=psp_id).order_by("-id").values_list("currency", flat=True).first() or ""


def table_mappings_visible_to(user: User) -> QuerySet[TableMapping]:
    """Select the remembered column mappings of brands that the user reaches as a whole."""
    return TableMapping.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def bank_batches_visible_to(user: User) -> QuerySet[BankBatch]:
    """Select the payment files of brands that the user reaches as a whole."""
    return BankBatch.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Orders of one account and currency that no payment file has yet."""

    psp_id: int
    psp_name: str
    currency: str
    count: int
    total: Decimal


def waiting_orders(user: User) -> list[Waiting]:
    """Sum the orders that no payment file has yet, per account and currency."""
    rows = (
        BankOrder.objects.filter(state=OrderState.WAITING, psp__brand_id__in=reach_of(user).whole_brands)
        .values("psp_id", "psp__name", "currency")
        .annotate(count=Count("pk"), total=Sum("amount_minor"))
        .order_by("psp__name", "currency")
    )
    return [
        Waiting(
            row["psp_id"], row["psp__name"], row["currency"], row["count"], from_minor(row["total"], row["currency"])
        )
        for row in rows
    ]


def candidates_for(entry: BankEntry) -> list[Deposit]:
    """List open deposits at this account with exactly this amount.

    Suggestions for a person, never booked automatically.
    """
    return list(
        Deposit.objects.filter(
            psp_id=entry.psp_id,
            amount_minor=entry.amount_minor,
            currency=entry.currency,
            state__in=[*OPEN_STATES, "expired"],
        )
        .select_related("client")
        .order_by("-id")[:CANDIDATES_MAX]
    )
