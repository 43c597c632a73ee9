"""What each deposit brought, what of it went back already, and how the rest can: the base of return to source."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from django.db.models import Sum
from django.utils import timezone

from clients.models import Client
from wallet.choices.deposits import DepositState
from wallet.choices.psp import PspKind
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, WithdrawalRoute, WithdrawalState
from wallet.models import Deposit, Psp, Withdrawal
from wallet.psp import adapter_of
from wallet.psp.values import Capability
from wallet.withdrawals.payout_methods import kind_of_payment

REFUNDABLE_DAYS = 365  # card schemes take a refund back for about a year
DEPOSITS_MAX = 2_000
KEPT = (DepositState.SETTLED, DepositState.CHARGEBACK_REVERSED)
IN_BOOKS = (*WITHDRAWAL_OPEN, WithdrawalState.SETTLED)


@dataclass(frozen=True, slots=True)
class Source:
    """A deposit of which something can still go back, in minor units."""

    deposit: Deposit
    left_minor: int
    kind: PspKind
    is_refundable: bool

    @property
    def label(self) -> str:
        """The card or account that it came from, for staff; else the PSP."""
        return self.deposit.instrument or str(self.deposit.psp)

    @property
    def client_label(self) -> str:
        """The card or account that it came from, for the client; else how it was paid."""
        return self.deposit.instrument or str(self.deposit.psp.client_name(self.deposit.currency))


def sources_of(client: Client, currency: str) -> list[Source]:
    """Deposits into a client's wallet of a currency with something left to give back, oldest first.

    What arrived in another currency counts as what the wallet got for it, and can't be refunded by itself. A refund counts
    against its deposit; a payout against its PSP's deposits, oldest first, as far as it was meant to return them. What was
    charged back has gone back.
    """
    deposits = (
        Deposit.objects.filter(client=client, wallet__currency=currency, settled_at__isnull=False)
        .select_related("psp", "payment_method")
        .order_by("settled_at", "id")[:DEPOSITS_MAX]
    )
    held_back, paid_back = _open_refunds(client, currency), _returned_by_payouts(client, currency)
    can_refund: dict[int, bool] = {}
    since = timezone.now() - dt.timedelta(days=REFUNDABLE_DAYS)
    sources = []
    for deposit in deposits:
        same = deposit.received_currency == currency
        left = _kept(deposit, same=same) - held_back.get(deposit.pk, 0)
        absorbed = min(max(left, 0), paid_back[deposit.psp_id])
        paid_back[deposit.psp_id] -= absorbed
        left -= absorbed
        if left <= 0 or deposit.state not in KEPT:
            continue
        if deposit.psp_id not in can_refund:
            can_refund[deposit.psp_id] = takes_refunds(deposit.psp)
        refundable = (
            same
            and can_refund[deposit.psp_id]
            and bool(deposit.psp_reference)
            and since <= (deposit.settled_at or since)
        )
        sources.append(Source(deposit, left, kind_of_payment(deposit), refundable))
    return sources


def _kept(deposit: Deposit, *, same: bool) -> int:
    """Compute what of a deposit hasn't gone back, in minor units of the wallet's currency."""
    if same:
        return deposit.kept_minor
    received = deposit.received_minor or 0
    return (deposit.credited_minor or 0) * deposit.kept_minor // received if received else 0


def takes_refunds(psp: Psp) -> bool:
    """Tell whether the PSP is enabled and can refund its payments."""
    return psp.is_enabled and Capability.REFUND in adapter_of(psp).capabilities


def _open_refunds(client: Client, currency: str) -> dict[int, int]:
    rows = (
        Withdrawal.objects.filter(
            client=client, currency=currency, way=WithdrawalRoute.REFUND, state__in=WITHDRAWAL_OPEN
        )
        .order_by()
        .values_list("source_deposit")
        .annotate(total=Sum("amount_minor"))
    )
    return {deposit: int(total) for deposit, total in rows}


def _returned_by_payouts(client: Client, currency: str) -> defaultdict[int, int]:
    rows = (
        Withdrawal.objects.filter(
            client=client, currency=currency, way=WithdrawalRoute.PAYOUT, state__in=IN_BOOKS, return_minor__gt=0
        )
        .order_by()
        .values_list("psp")
        .annotate(total=Sum("return_minor"))
    )
    return defaultdict(int, {psp: int(total) for psp, total in rows})


def left_of(deposit: Deposit) -> int:
    """Compute what of one deposit can still be refunded: what we kept of it, less refunds on their way; minor units."""
    on_the_way = Withdrawal.objects.filter(source_deposit=deposit, state__in=WITHDRAWAL_OPEN).aggregate(
        total=Sum("amount_minor")
    )
    return deposit.kept_minor - int(on_the_way["total"] or 0)
