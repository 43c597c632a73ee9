"""A PSP's automatic payout to our bank (a sweep), which its report calls a payout like a client's: one that we never ordered.

The bank's statement shows it: money of that amount came in near that day. Then two people post it from the PSP's account to the
client-money bank:

    PSP's account +(g + f)      client-money bank −e      fees −f, and −(g − e) that banks kept on the way

g left the PSP, f is what it took for that by its report, e came in.

Between two currencies both sides pass through the broker's FX position, at the rate that the two amounts give; the journal names
it with the day on which the bank booked.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.choices import ApprovalState
from crm.db.locking import lock_or_none
from crm.errors import DomainError, WrongState
from crm.money.amounts import Money, from_minor, quantize, to_minor
from crm.rates import fx
from wallet.bank.payout_matching import DAYS_NEAR
from wallet.choices.bank import EntryState
from wallet.choices.ledger import AccountKind
from wallet.choices.reconciliation import BreakKind, Leg, RowType
from wallet.ledger import posting
from wallet.ledger.posting import Line
from wallet.models import BankEntry, Break, BreakPosting, Psp, SettlementRow

BEFORE = dt.timedelta(days=1)
# What banks on the way may have kept: a hundredth, or this much where that is more.
KEPT_PART_MAX, KEPT_MINOR_MAX = 100, 5_000
# How far the rate of a bank may be from the day's reference rate, in parts of a hundred.
RATE_PERCENT_MAX = 5
RATE_STEP = Decimal("1e-12")
SHORT_WORD = 4
READ_MAX = 500
TYPES = (RowType.PAYOUT, RowType.ADJUSTMENT)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A booking at our bank that a payout may be. is_named: its text names the PSP, or one of the row's numbers."""

    entry: BankEntry
    sent: Money
    fee: Money
    is_named: bool
    rate: Decimal | None = None

    @property
    def kept(self) -> Money | None:
        """What is missing of it, in one currency."""
        if self.rate is not None or self.entry.money == self.sent:
            return None
        return Money(self.sent.amount - self.entry.money.amount, self.sent.currency)


def can_be_own_bank(break_: Break) -> bool:
    """Check that a break is money that left the PSP and isn't in our ledger."""
    row = break_.row
    return (
        row is not None
        and break_.leg == Leg.PSP
        and break_.kind == BreakKind.MISSING_HERE
        and row.type in TYPES
        and row.gross_minor < 0
        and break_.difference_minor == row.gross_minor
    )


def free_entries(brand_id: int) -> QuerySet[BankEntry]:
    """Select the credits at our banks that belong to nothing yet, neither by a match nor by a person's decision or proposal."""
    spoken_for = BreakPosting.objects.filter(
        entry__isnull=False, state__in=[ApprovalState.PENDING, ApprovalState.APPROVED]
    ).values("entry")
    return BankEntry.objects.filter(
        psp__brand_id=brand_id,
        amount_minor__gt=0,
        state__in=[EntryState.UNMATCHED, EntryState.OTHER],
        deposit=None,
        assigned_by=None,
        matches=None,
    ).exclude(pk__in=spoken_for)


def arrivals(break_: Break) -> list[Arrival]:
    """List what came in at our bank near the break's day, the most likely first: named, then of exactly this amount."""
    row = break_.row
    if row is None or not can_be_own_bank(break_):
        return []
    day = row.booked_at.astimezone(dt.UTC).date()
    near = free_entries(break_.brand_id).filter(booked_on__range=(day - BEFORE, day + dt.timedelta(days=DAYS_NEAR)))
    psp = _psp_of(break_)
    hits = [_judge(entry, row, psp) for entry in near.defer("sealed_party").order_by("booked_on", "pk")[:READ_MAX]]
    return sorted((hit for hit in hits if hit), key=lambda hit: (not hit.is_named, hit.kept is not None, hit.entry.pk))


def _judge(entry: BankEntry, row: SettlementRow, psp: Psp) -> Arrival | None:
    """Judge an entry: of exactly the amount, or named and near enough; None for everything else."""
    sent, fee = (Money.of_minor(minor, row.currency) for minor in (-row.gross_minor, row.fee_minor))
    named = _is_named(entry, row, psp)
    if entry.currency == row.currency:
        difference = -row.gross_minor - entry.amount_minor
        is_near = (
            0 < difference <= max(-row.gross_minor // KEPT_PART_MAX, KEPT_MINOR_MAX) and difference < entry.amount_minor
        )
        return Arrival(entry, sent, fee, named) if difference == 0 or (named and is_near) else None
    rate = _rate(entry, sent) if named else None
    return Arrival(entry, sent, fee, named, rate) if rate else None


def _psp_of(break_: Break) -> Psp:
    assert break_.psp_id is not None  # the PSP leg has one
    return Psp.objects.only("name", "code", "adapter").get(pk=break_.psp_id)


def _is_named(entry: BankEntry, row: SettlementRow, psp: Psp) -> bool:
    text = " ".join((entry.text, entry.end_to_end, entry.bank_reference, entry.batch, entry.party_name)).upper()
    tokens = {word for word in re.split(r"[^A-Z0-9_./-]+", text) if word} | set(re.findall(r"[A-Z0-9]+", text))
    numbers = {row.psp_reference, row.merchant_reference, row.original_reference, row.entry_reference}
    if any(len(number) >= SHORT_WORD and number.upper() in tokens for number in numbers):
        return True
    names = {psp.name.upper(), psp.code.upper(), psp.adapter.upper()}
    return any(len(name) >= SHORT_WORD and re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def _rate(entry: BankEntry, sent: Money) -> Decimal | None:
    """Compute the bank's rate, where it is near the reference rate of its day."""
    try:
        known = fx.rate(sent.currency, entry.currency, on=entry.booked_on).rate
    except fx.NoRate:
        return None
    expected = to_minor(quantize(sent.amount * known, entry.currency), entry.currency)
    if abs(entry.amount_minor - expected) * 100 > expected * RATE_PERCENT_MAX:
        return None
    return (from_minor(entry.amount_minor, entry.currency) / sent.amount).quantize(RATE_STEP) or None


def require_arrival(break_: Break, entry_id: int | None, *, own: BreakPosting | None = None) -> Arrival:
    """Lock the bank entry that was chosen and require that it is still free and fits.

    own: the proposal that holds it already. Raises: DomainError.
    """
    if entry_id is None or not can_be_own_bank(break_):
        raise DomainError(_("Choose the matching bank entry."))
    entry = lock_or_none(BankEntry, entry_id)
    spoken_for = BreakPosting.objects.filter(
        entry_id=entry_id, state__in=[ApprovalState.PENDING, ApprovalState.APPROVED]
    )
    if own is not None:
        spoken_for = spoken_for.exclude(pk=own.pk)
    is_free = (
        entry is not None
        and entry.psp.brand_id == break_.brand_id
        and entry.amount_minor > 0
        and entry.deposit_id is None
        and entry.assigned_by_id is None
        and entry.state in (EntryState.UNMATCHED, EntryState.OTHER)
        and not entry.matches.exists()
        and not spoken_for.exists()
    )
    if entry is None or not is_free:
        raise WrongState(_("This bank entry is already matched to something else."))
    assert break_.row is not None
    arrival = _judge(entry, break_.row, _psp_of(break_))
    if arrival is None:
        raise DomainError(_("The amount and text of this bank entry don't match this payout."))
    return arrival


def lines_of(arrival: Arrival, psp: Psp) -> tuple[Line, ...]:
    """As drawn above, in minor units."""
    entry, brand_id, there, fee = arrival.entry, psp.brand_id, arrival.sent.minor, arrival.fee.minor
    currency, here = arrival.sent.currency, entry.amount_minor
    fees = posting.house(AccountKind.FEES, brand_id=brand_id, currency=currency)
    bank = posting.house(AccountKind.CLIENT_MONEY_BANK, brand_id=brand_id, currency=entry.currency)
    lines = [Line(posting.psp_clearing(psp, currency), there + fee), Line(bank, -here)]
    if arrival.rate is None:
        lines.append(Line(fees, here - there - fee))
    else:
        left, reached = (
            posting.house(AccountKind.FX_POSITION, brand_id=brand_id, currency=code)
            for code in (currency, entry.currency)
        )
        lines += [Line(left, -there), Line(reached, here), Line(fees, -fee)]
    return tuple(line for line in lines if line.amount_minor)
