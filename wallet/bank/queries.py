"""What somebody may see of the bank accounts."""

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
    return Psp.objects.filter(adapter="bank_wire", brand_id__in=reach_of(user).whole_brands)


def bank_entries_visible_to(user: User) -> QuerySet[BankEntry]:
    return BankEntry.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def waiting_tables_visible_to(user: User) -> QuerySet[WaitingTable]:
    return WaitingTable.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def usual_currency(psp_id: int) -> str:
    """Of the account's last entry; empty where there is none yet."""
    return BankEntry.objects.filter(psp_id=psp_id).order_by("-id").values_list("currency", flat=True).first() or ""


def table_mappings_visible_to(user: User) -> QuerySet[TableMapping]:
    return TableMapping.objects.filter(psp__brand_id__in=reach_of(user).whole_brands)


def bank_batches_visible_to(user: User) -> QuerySet[BankBatch]:
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
    """Open deposits at this account that were meant to be just this much: a guess for a person, never taken by itself."""
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
