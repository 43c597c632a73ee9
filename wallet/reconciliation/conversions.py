"""A row and a movement that are the same payment in two currencies: what our books' amount is worth in the row's currency.

    their account, our currency   +b      FX position, our currency    −b
    FX position, their currency   +e      their account, their currency −g
    what the difference is        +(g − e)

b is what our books have, g what the PSP reports that it holds, e is b at the rate that the journal names: the PSP's own where its
row has one, else the dated reference rate of the ECB. Each currency adds up to zero.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from crm.money.amounts import Money, from_minor, quantize, to_minor
from crm.rates import fx
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import BreakKind
from wallet.ledger import posting as ledger
from wallet.ledger.posting import Line
from wallet.models import Account, Break, BreakPosting, Deposit, Psp, PspMovement, SettlementRow, Withdrawal

RATE_STEP = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class BreakConversion:
    """Minor units. rate: units of `currency` for one of `books_currency`, of day `rate_on`; by_psp: the rate is the row's."""

    books_minor: int
    books_currency: str
    rows_minor: int
    currency: str
    rate: Decimal
    rate_on: dt.date
    by_psp: bool
    converted_minor: int

    @property
    def difference_minor(self) -> int:
        """Theirs less ours, in the row's currency."""
        return self.rows_minor - self.converted_minor

    @property
    def books(self) -> Money:
        return Money.of_minor(self.books_minor, self.books_currency)

    @property
    def converted(self) -> Money:
        return Money.of_minor(self.converted_minor, self.currency)

    @property
    def difference(self) -> Decimal:
        return from_minor(self.difference_minor, self.currency)


def convert_break(break_: Break) -> BreakConversion | None:
    """Convert a break between two currencies; None for every other break.

    Raises: crm.rates.fx.NoRate.
    """
    row, movement = break_.row, break_.movement
    if break_.kind != BreakKind.CURRENCY or row is None or movement is None or row.currency == movement.currency:
        return None
    rate, on, by_psp = _rate(row, movement.currency)
    worth = quantize(from_minor(movement.amount_minor, movement.currency) * rate, row.currency)
    return BreakConversion(
        books_minor=movement.amount_minor,
        books_currency=movement.currency,
        rows_minor=row.gross_minor,
        currency=row.currency,
        rate=rate,
        rate_on=on,
        by_psp=by_psp,
        converted_minor=to_minor(worth, row.currency),
    )


def proposed_conversion(posting: BreakPosting) -> BreakConversion | None:
    """Rebuild the conversion as it was proposed; None for a posting in one currency."""
    if (
        posting.rate is None
        or posting.rate_on is None
        or posting.books_minor is None
        or posting.converted_minor is None
    ):
        return None
    return BreakConversion(
        books_minor=posting.books_minor,
        books_currency=posting.books_currency,
        currency=posting.currency,
        rows_minor=posting.converted_minor + posting.amount_minor,
        rate=posting.rate,
        rate_on=posting.rate_on,
        by_psp=posting.is_psp_rate,
        converted_minor=posting.converted_minor,
    )


def _rate(row: SettlementRow, paid: str) -> tuple[Decimal, dt.date, bool]:
    day = row.booked_at.astimezone(dt.UTC).date()
    if row.rate is not None and row.paid_currency in ("", paid):
        return row.rate, day, True
    reference = fx.rate(paid, row.currency, on=day)
    rate = reference.rate.quantize(RATE_STEP)
    if not rate:
        raise fx.NoRate(f"One {paid} is worth less of {row.currency} than a rate can express.")
    return rate, reference.on, False


def lines_between(conversion: BreakConversion, *, psp: Psp, other: Account) -> tuple[Line, ...]:
    """Make the postings of the drawing above.

    A line of zero is left out; what meets on one account is one line.
    """
    house = AccountKind.FX_POSITION
    here = ledger.house(house, brand_id=psp.brand_id, currency=conversion.books_currency)
    there = ledger.house(house, brand_id=psp.brand_id, currency=conversion.currency)
    legs = [
        (ledger.psp_clearing(psp, conversion.books_currency), conversion.books_minor),
        (here, -conversion.books_minor),
        (there, conversion.converted_minor),
        (ledger.psp_clearing(psp, conversion.currency), -conversion.rows_minor),
        (other, conversion.difference_minor),
    ]
    accounts = {account.pk: account for account, _minor in legs}
    sums = dict.fromkeys(accounts, 0)
    for account, minor in legs:
        sums[account.pk] += minor
    return tuple(Line(accounts[pk], minor) for pk, minor in sums.items() if minor)


def names_another_client(row: SettlementRow, movement: PspMovement) -> bool:
    """Check whether the row belongs to another client by its own references: then no rate explains it."""
    if re.fullmatch(r"client-[0-9]+", row.client_reference):
        return row.client_reference != f"client-{movement.client_id}"
    reference = row.merchant_reference
    if reference in ("", movement.reference, movement.common_reference):
        return False
    return (
        PspMovement.objects.filter(psp_id=movement.psp_id, reference=reference)
        .exclude(client_id=movement.client_id)
        .exists()
        or Deposit.objects.filter(reference=reference).exclude(client_id=movement.client_id).exists()
        or Withdrawal.objects.filter(reference=reference).exclude(client_id=movement.client_id).exists()
    )
