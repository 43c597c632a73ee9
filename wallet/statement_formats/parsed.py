"""What a file says, before anybody judges it: statements, bookings, balances, and whatever is odd about them.

Readers are lenient: what they can't make sense of becomes a `Trouble` with its place, and the rest is still told. `prove` adds the
troubles of money: balances that entries do not explain, counts and control totals that differ. Whoever books from a statement takes
it only without troubles (`strict`); whoever only looks (`import_statement --dry-run`) is told all of it.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.money.amounts import EXPONENTS, exponent

AMOUNT_MAX = Decimal(10) ** 15
MINOR_MAX = Decimal(10) ** 18
PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{2,3})*,\d{3}", re.ASCII)  # 1,234,567, and Indian 12,34,567
NUMBER_CHARS_MAX = 60
DIGITS_MAX = 28  # a Decimal of more is rounded as soon as it is computed with
COUNT_DIGITS_MAX = 9
# Days outside are a slip of the bank's, or somebody's trick: nobody books them.
YEAR_MIN = 2000
YEARS_AHEAD_MAX = 2


class Status(StrEnum):
    BOOKED = "booked"
    PENDING = "pending"
    OTHER = "other"  # future, information only: it moved nothing


class Weight(StrEnum):
    PROOF = "proof"  # money is not what it should be
    NEEDED = "needed"  # whoever books needs it, whoever looks can do without
    NOTE = "note"  # worth knowing


@dataclass(slots=True)
class Trouble:
    """What is odd, and where."""

    place: str
    message: str
    weight: str = Weight.PROOF

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(slots=True)
class Party:
    """The other side: who paid us, or whom we paid."""

    name: str = ""
    account: str = ""
    bic: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.account or self.bic)


@dataclass(slots=True)
class Booking:
    """One entry, or one payment (`details`) of a batch booking. `amount` is signed, in major units: above zero came in."""

    place: str
    amount: Decimal | None
    currency: str
    booked_on: dt.date | None = None
    value_on: dt.date | None = None
    status: str = Status.BOOKED
    is_reversal: bool = False
    bank_reference: str = ""
    end_to_end: str = ""
    batch: str = ""
    # By name, as the format has them: customer, mandate, instruction, transaction, uetr, creditor, check, entry, …
    references: dict[str, str] = field(default_factory=dict)
    text: str = ""
    party: Party = field(default_factory=Party)
    code: str = ""
    return_reason: str = ""
    original: tuple[Decimal, str] | None = None  # amount and currency before it was converted
    balance_after: Decimal | None = None
    details: tuple[Booking, ...] = ()


@dataclass(slots=True)
class Balance:
    """kind: opening, closing, available, or the format's own code."""

    kind: str
    amount: Decimal
    currency: str
    on: dt.date | None = None
    code: str = ""
    is_interim: bool = False  # of a page or of a moment of the day: the entries need not explain it


@dataclass(slots=True)
class Claim:
    """What the file itself counts of its entries: `what` names it, `among` says which entries it may mean."""

    what: str
    number: int | None = None
    total: Decimal | None = None
    side: int = 0  # 1 credits, -1 debits, 0 both
    is_net: bool = False  # the total is credits less debits


@dataclass(slots=True)
class Parsed:
    """One account and period."""

    place: str
    account: str = ""
    currency: str = ""
    id: str = ""
    number: str = ""
    owner: str = ""
    bank: str = ""
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    balances: list[Balance] = field(default_factory=list)
    entries: list[Booking] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    # Of a table only, which has no end mark. has_end: its balances prove that no row is missing behind the last one.
    # ends_at_opening: its last row is its oldest, so the closing balance of the statement before can prove it.
    has_end: bool = True
    ends_at_opening: bool = False
    tail: str = ""  # its last row, for whoever compares it with the bank's own page

    def odd(self, place: str, message: str, weight: str = Weight.NOTE) -> None:
        """Something that a reader can do without is missing or strange."""
        self.troubles.append(Trouble(place, message, weight))

    def wrong(self, place: str, message: str) -> None:
        self.troubles.append(Trouble(place, message))

    def balance(self, kind: str) -> Balance | None:
        return next((one for one in self.balances if one.kind == kind), None)

    @property
    def booked(self) -> list[Booking]:
        return [one for one in self.entries if one.status == Status.BOOKED]

    def settle(self) -> None:
        """Fill in what follows from the rest: currency, period."""
        told = [one.currency for one in self.balances] + [one.currency for one in self.entries[:1]]
        self.currency = self.currency or next((one for one in told if one), "")
        days = [one.booked_on for one in self.entries if one.booked_on]
        days += [one.on for one in self.balances if one.on and one.kind in ("opening", "closing")]
        self.first_day = self.first_day or (min(days) if days else None)
        self.last_day = self.last_day or (max(days) if days else None)


def amount_of(text: str) -> Decimal | None:
    """`1234.5`, `-0.01`, `1.234,56`: the last of comma and point is the decimal one. None: no amount.

    The other mark, or one that is there several times, must make groups of digits: `1,00,00` is no amount.
    """
    if len(text) > NUMBER_CHARS_MAX:
        return None
    plain = text.strip().lstrip("$€£").replace("\u00a0", "").replace(" ", "").replace("−", "-")
    mark, other = (",", ".") if plain.rfind(",") > plain.rfind(".") else (".", ",")
    if plain.count(mark) > 1:
        if other in plain:
            return None
        mark, other = other, mark
    whole, _mark, part = plain.partition(mark)
    if other in whole:
        if not GROUPED.fullmatch(whole.replace(other, ",")):
            return None
        whole = whole.replace(other, "")
    plain = f"{whole}.{part}" if part else whole
    if not PLAIN.fullmatch(plain) or sum(letter.isdigit() for letter in plain) > DIGITS_MAX:
        return None
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None


def count_of(text: str) -> int | None:
    """Read a number of entries or records; None for no number, or one that no bank counts to."""
    plain = text.strip()
    is_count = plain.isascii() and plain.isdigit() and len(plain.lstrip("0")) <= COUNT_DIGITS_MAX
    return int(plain) if is_count else None


def is_plausible(day: dt.date | None) -> bool:
    """Whether a bank may have booked on that day."""
    return day is None or YEAR_MIN <= day.year <= timezone.now().year + YEARS_AHEAD_MAX


def written(amount: Decimal | None, currency: str) -> str | None:
    """As a string with its currency's digits; finer ones are kept."""
    if amount is None:
        return None
    digits = exponent(currency)
    told = -amount.normalize().as_tuple().exponent if amount else 0  # type: ignore[operator]
    is_readable = abs(amount) < Decimal(10) ** 40 and told <= 40
    return f"{amount:.{max(digits, told, 0)}f}" if is_readable else str(amount)


# ── the proof ────────────────────────────────────────────────────────────────────────────────────────────────────────


def prove(one: Parsed) -> Parsed:
    """Prove a statement: opening + entries = closing, its own counts and sums, amounts in whole minor units."""
    for entry in one.entries:
        _amount_is_possible(one, entry)
        _day_is_plausible(one, entry.place, entry.booked_on, entry.value_on)
        if entry.details and entry.status == Status.BOOKED:
            _details_add_up(one, entry)
    for claim in one.claims:
        _claim_holds(one, claim)
    for balance in one.balances:
        if balance.kind in ("opening", "closing") and not is_whole(balance.amount, balance.currency or one.currency):
            words = _("its balance %(amount)s is too large, or finer than the smallest unit of its currency.")
            one.odd(one.place, words % {"amount": str(balance.amount)[:40]}, Weight.NEEDED)
    _balances_follow(one)
    _day_is_plausible(one, one.place, one.first_day, one.last_day)
    return one


def _day_is_plausible(one: Parsed, place: str, *days: dt.date | None) -> None:
    for day in days:
        if not is_plausible(day):
            one.odd(place, _("%(day)s can't be the day of a booking.") % {"day": day}, Weight.NEEDED)
            return


def _amount_is_possible(one: Parsed, entry: Booking) -> None:
    if entry.amount is None:
        return
    if abs(entry.amount) >= AMOUNT_MAX or abs(entry.amount.scaleb(exponent(entry.currency))) >= MINOR_MAX:
        one.wrong(entry.place, _("“%(value)s” is too large.") % {"value": str(entry.amount)[:40]})
    elif entry.currency and not is_whole(entry.amount, entry.currency):
        one.wrong(
            entry.place,
            _("“%(value)s” is finer than the smallest unit of %(currency)s.")
            % {"value": entry.amount, "currency": entry.currency},
        )
    if entry.currency and one.currency and entry.currency != one.currency:
        one.wrong(
            entry.place,
            _("it is in %(other)s, the account is in %(c)s.") % {"other": entry.currency, "c": one.currency},
        )


def is_whole(amount: Decimal, currency: str) -> bool:
    """Check that an amount has no more decimals than its currency, and isn't beyond what we store."""
    scaled = amount.scaleb(exponent(currency))
    return abs(amount) < AMOUNT_MAX and scaled == scaled.to_integral_value()


def _details_add_up(one: Parsed, entry: Booking) -> None:
    told = [part.amount for part in entry.details]
    if len(told) > 1 and all(part is not None for part in told) and sum(part or 0 for part in told) != entry.amount:
        one.wrong(entry.place, _("the payments of the batch do not add up to the entry."))


def _claim_holds(one: Parsed, claim: Claim) -> None:
    """Banks count booked entries or all of them, and payments of batches singly or not: any of these will do."""
    readings = [one.booked, one.entries, [part for entry in one.booked for part in entry.details or (entry,)]]
    sums, counts = [], []
    for entries in readings:
        amounts = [
            entry.amount
            for entry in entries
            if entry.amount is not None and (not claim.side or entry.amount * claim.side > 0)
        ]
        counts.append(len(amounts))
        sums.append(sum(amounts, Decimal(0)) if claim.is_net else sum((abs(amount) for amount in amounts), Decimal(0)))
    if claim.number is not None and claim.number not in counts:
        one.wrong(
            one.place,
            _("the bank counts %(count)s entries (%(what)s), %(found)s are there.")
            % {"count": claim.number, "what": claim.what, "found": counts[0]},
        )
    if claim.total is not None and claim.total not in sums:
        one.wrong(
            one.place,
            _("the entries add up to %(sum)s, the bank says %(told)s (%(what)s).")
            % {"sum": _money(sums[0], one), "told": _money(claim.total, one), "what": claim.what},
        )
    one.checks.append(claim.what)


def _balances_follow(one: Parsed) -> None:
    opening, closing = one.balance("opening"), one.balance("closing")
    if opening is None or closing is None:
        return
    if opening.currency and closing.currency and opening.currency != closing.currency:
        one.wrong(
            one.place,
            _("it opens in %(one)s and closes in %(other)s.") % {"one": opening.currency, "other": closing.currency},
        )
        return
    total = opening.amount + sum((entry.amount or Decimal(0) for entry in one.booked), Decimal(0))
    if total == closing.amount:
        one.checks.append("opening + entries = closing")
    elif opening.is_interim or closing.is_interim:
        one.odd(one.place, _("its interim balances are not explained by the entries; they need not be."))
    else:
        one.wrong(
            one.place,
            _(
                "opening balance and entries give %(sum)s, the closing balance is %(closing)s. An entry is missing or was changed."
            )
            % {"sum": _money(total, one), "closing": _money(closing.amount, one)},
        )
        one.checks.append("opening + entries = closing")


def _money(amount: Decimal, one: Parsed) -> str:
    return f"{written(amount, one.currency)} {one.currency}".strip()


@functools.lru_cache(1_000)
def known_currency(text: str) -> str:
    """Read a currency code, upper case; empty where it is none."""
    code = text.strip().upper()
    return code if (len(code) == 3 and code.isascii() and code.isalpha()) or code in EXPONENTS else ""
