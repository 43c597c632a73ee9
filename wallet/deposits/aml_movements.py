"""Deposits as AML monitoring sees them: who paid, by what, and how much in the brand's base currency."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final

from compliance.aml.choices import MovementKind, MovementMethod
from compliance.aml.stream import Movement, bank_country_of
from crm.security.crypto import lasting_key
from wallet.choices.deposits import DEPOSIT_ARRIVED
from wallet.choices.reconciliation import MovementKind as Booked
from wallet.deposits.payer_match import is_payer
from wallet.models import Deposit, PspMovement

READ_AT_ONCE: Final = 2_000
NEEDED: Final = ("client", "psp", "payment_method", "wallet")
TAKEN_BACK: Final = {Booked.CHARGEBACK: MovementKind.CHARGEBACK, Booked.REFUND: MovementKind.REFUND}


def method_of(deposit: Deposit) -> MovementMethod:
    """Say how a deposit was paid: by its payment method, else as its provider works."""
    return MovementMethod(deposit.payment_method.kind if deposit.payment_method else deposit.psp.kind)


def instrument_mark(deposit: Deposit) -> str:
    """Hash the card or account that was paid with; empty where the provider names none."""
    if not deposit.instrument:
        return ""
    text = f"instrument:{method_of(deposit).value}:{deposit.instrument}"
    return hashlib.blake2b(text.encode(), key=lasting_key("destination-mark"), digest_size=16).hexdigest()


def movements_of(deposits: Iterable[Deposit]) -> Iterator[Movement]:
    """Write settled deposits as movements; they are read with `NEEDED`."""
    for deposit in deposits:
        assert deposit.settled_at is not None
        client = deposit.client
        yield Movement(
            source=f"deposit:{deposit.pk}",
            client_id=client.pk,
            brand_id=deposit.brand_id,
            kind=MovementKind.DEPOSIT,
            at=deposit.settled_at,
            method=method_of(deposit),
            instrument=deposit.instrument,
            instrument_mark=instrument_mark(deposit),
            is_third_party=not is_payer(client.first_name, client.last_name, deposit.payer_name),
            currency=deposit.wallet.currency,
            amount=deposit.credited.amount,
            base_amount=deposit.base_amount,
            country=client.country,
            bank_country=bank_country_of(deposit.instrument),
            card_country=deposit.card_country,
        )


def settled() -> Iterator[Movement]:
    """Yield all deposits that ever arrived."""
    rows = Deposit.objects.filter(state__in=DEPOSIT_ARRIVED).select_related(*NEEDED).order_by("pk")
    yield from movements_of(rows.iterator(READ_AT_ONCE))


def taken_back(reference: str = "") -> Iterator[Movement]:
    """Yield chargebacks and refunds, of one deposit or of all: each part at the deposit's own rate."""
    booked = PspMovement.objects.filter(kind__in=TAKEN_BACK).order_by("pk")
    if reference:
        booked = booked.filter(reference=reference)
    batch: list[PspMovement] = []
    for row in booked.iterator(READ_AT_ONCE):
        batch.append(row)
        if len(batch) == READ_AT_ONCE:
            yield from _taken_back(batch)
            batch = []
    yield from _taken_back(batch)


def _taken_back(rows: list[PspMovement]) -> Iterator[Movement]:
    found = Deposit.objects.filter(reference__in=[row.reference for row in rows]).select_related(*NEEDED)
    deposits = {deposit.reference: deposit for deposit in found}
    for row in rows:
        deposit = deposits.get(row.reference)
        if deposit is None or not deposit.received_minor:
            continue
        amount = abs(row.amount_minor)
        yield Movement(
            source=f"psp-movement:{row.pk}",
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            kind=TAKEN_BACK[Booked(row.kind)],
            at=row.occurred_at,
            method=method_of(deposit),
            instrument=deposit.instrument,
            instrument_mark=instrument_mark(deposit),
            currency=row.currency,
            amount=abs(row.amount),
            base_amount=round(deposit.base_amount * amount / deposit.received_minor, 2),
            country=deposit.client.country,
            bank_country=bank_country_of(deposit.instrument),
            card_country=deposit.card_country,
        )
