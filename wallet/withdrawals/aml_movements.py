"""Withdrawals as AML monitoring sees them: from the request on, so that an alert comes before the money leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from compliance.aml.choices import MovementKind, MovementMethod
from compliance.aml.stream import Movement, bank_country_of
from wallet.choices.withdrawals import Purpose, WithdrawalRoute
from wallet.deposits.aml_movements import instrument_mark
from wallet.deposits.aml_movements import method_of as method_of_deposit
from wallet.models import Withdrawal
from wallet.withdrawals.checks.conduct import CAME_BACK

READ_AT_ONCE: Final = 2_000
NEEDED: Final = ("client", "psp", "method", "source_deposit__psp", "source_deposit__payment_method")


def method_of(withdrawal: Withdrawal) -> MovementMethod:
    """Say how a withdrawal is paid: as the deposit that it returns, else by its payout method or provider."""
    if withdrawal.source_deposit is not None:
        return method_of_deposit(withdrawal.source_deposit)
    return MovementMethod(withdrawal.method.kind if withdrawal.method else withdrawal.psp.kind)


def movements_of(withdrawals: Iterable[Withdrawal]) -> Iterator[Movement]:
    """Write withdrawals, and what came back of them, as movements; they are read with `NEEDED`."""
    for withdrawal in withdrawals:
        is_return = withdrawal.way == WithdrawalRoute.REFUND
        source = withdrawal.source_deposit
        asked = Movement(
            source=f"withdrawal:{withdrawal.pk}",
            client_id=withdrawal.client_id,
            brand_id=withdrawal.brand_id,
            kind=MovementKind.WITHDRAWAL,
            at=withdrawal.requested_at,
            method=method_of(withdrawal),
            instrument=withdrawal.destination_label,
            instrument_mark=instrument_mark(source) if source is not None else withdrawal.destination_hash,
            is_return=is_return,
            currency=withdrawal.currency,
            amount=withdrawal.amount,
            base_amount=withdrawal.base_amount,
            country=withdrawal.client.country,
            bank_country=bank_country_of(withdrawal.destination_label),
            card_country=source.card_country if source is not None else "",
        )
        yield asked
        if withdrawal.state in CAME_BACK and withdrawal.finished_at is not None and not is_return:
            yield replace(
                asked,
                source=f"withdrawal-back:{withdrawal.pk}",
                kind=MovementKind.WITHDRAWAL_BACK,
                at=withdrawal.finished_at,
            )


def requested() -> Iterator[Movement]:
    """Yield all withdrawals that clients ever requested, with those that came back."""
    rows = Withdrawal.objects.filter(purpose=Purpose.WITHDRAWAL).select_related(*NEEDED).defer("sealed_destination")
    yield from movements_of(rows.order_by("pk").iterator(READ_AT_ONCE))


def parts_requested(request_reference: str) -> Iterator[Movement]:
    """Yield the parts of one request."""
    rows = Withdrawal.objects.filter(purpose=Purpose.WITHDRAWAL, request_reference=request_reference)
    yield from movements_of(rows.select_related(*NEEDED).defer("sealed_destination").order_by("pk"))
