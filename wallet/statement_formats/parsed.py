"""The contents of a statement file before they are proved: statements, bookings, balances, and the troubles of each.

Readers are lenient: what they can't read becomes a `Trouble` with its place, and the rest is still read. `prove` adds the troubles
of money: balances that entries do not explain, counts and control totals that differ. A statement is booked only without troubles
(`strict`); a dry run (`import_statement --dry-run`) prints all of it.
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
# Days outside are a bank's mistake or a manipulated file: they are never booked.
YEAR_MIN = 2000
YEARS_AHEAD_MAX = 2


class Status(StrEnum):
    BOOKED = "booked"
    PENDING = "pending"
    OTHER = "other"  # future, information only: it moved nothing


class Weight(StrEnum):
    PROOF = "proof"  # money is not what it should be
    NEEDED = "needed"  # required for booking, not for reading
    NOTE = "note"  # worth knowing


@dataclass(slots=True)
class Trouble:
    """A doubt or an error about a statement, and where it is."""

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
    """What the file itself counts of its entries: `what` names it, `side` and `is_net` which entries it adds up."""

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
    tail: str = ""  # its last row, to compare with the bank's own page

    def add_trouble(self, place: str, message: str, weight: str = Weight.NOTE) -> None:
        """Note something missing or doubtful that a reader can do without."""
        self.troubles.append(Trouble(place, message, weight))

    def add_error(self, place: str, message: str) -> None:
        self.troubles.append(Trouble(place, message))

    def balance(self, kind: str) -> Balance | None:
        return next((balance for balance in self.balances if balance.kind == kind), None)

    @property
    def booked(self) -> list[Booking]:
        return [entry for entry in self.entries if entry.status == Status.BOOKED]

    def settle(self) -> None:
        """Fill in what follows from the rest: currency, period."""
        currencies = [balance.currency for balance in self.balances] + [entry.currency for entry in self.entries[:1]]
        self.currency = self.currency or next((currency for currency in currencies if currency), "")
        days = [entry.booked_on for entry in self.entries if entry.booked_on]
        days += [balance.on for balance in self.balances if balance.on and balance.kind in ("opening", "closing")]
        self.first_day = self.first_day or (min(days) if days else None)
        self.last_day = self.last_day or (max(days) if days else None)


def amount_of(text: str) -> Decimal | None:
    """Read an amount like `1234.5`, `-0.01` or `1.234,56`; None for anything else.

    The last of comma and point is before the decimals.

    The other mark, or one that occurs several times, must make groups of digits: `1,00,00` is no amount.
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
    """Check that a bank may have booked on that day; True where there is none."""
    return day is None or YEAR_MIN <= day.year <= timezone.now().year + YEARS_AHEAD_MAX


def format_amount(amount: Decimal | None, currency: str) -> str | None:
    """Format an amount (major units) with its currency's decimals; finer ones are kept. None where there is no amount."""
    if amount is None:
        return None
    digits = exponent(currency)
    decimals = -amount.normalize().as_tuple().exponent if amount else 0  # type: ignore[operator]
    is_readable = abs(amount) < Decimal(10) ** 40 and decimals <= 40
    return f"{amount:.{max(digits, decimals, 0)}f}" if is_readable else str(amount)


# ── the proof ────────────────────────────────────────────────────────────────────────────────────────────────────────


def prove(statement: Parsed) -> Parsed:
    """Prove a statement: opening + entries = closing, its own counts and sums, batches, days, whole minor units.

    Whatever fails is added to its troubles; nothing is raised.
    """
    for entry in statement.entries:
        _amount_is_possible(statement, entry)
        _day_is_plausible(statement, entry.place, entry.booked_on, entry.value_on)
        if entry.details and entry.status == Status.BOOKED:
            _details_add_up(statement, entry)
    for claim in statement.claims:
        _claim_holds(statement, claim)
    for balance in statement.balances:
        if balance.kind in ("opening", "closing") and not is_whole(
            balance.amount, balance.currency or statement.currency
        ):
            message = _("its balance %(amount)s is too large, or has too many decimal places for its currency.")
            statement.add_trouble(statement.place, message % {"amount": str(balance.amount)[:40]}, Weight.NEEDED)
    _balances_follow(statement)
    _day_is_plausible(statement, statement.place, statement.first_day, statement.last_day)
    return statement


def _day_is_plausible(statement: Parsed, place: str, *days: dt.date | None) -> None:
    for day in days:
        if not is_plausible(day):
            statement.add_trouble(place, _("%(day)s is not a plausible booking date.") % {"day": day}, Weight.NEEDED)
            return


def _amount_is_possible(statement: Parsed, entry: Booking) -> None:
    if entry.amount is None:
        return
    if abs(entry.amount) >= AMOUNT_MAX or abs(entry.amount.scaleb(exponent(entry.currency))) >= MINOR_MAX:
        statement.add_error(entry.place, _("“%(value)s” is too large.") % {"value": str(entry.amount)[:40]})
    elif entry.currency and not is_whole(entry.amount, entry.currency):
        statement.add_error(
            entry.place,
            _("“%(value)s” has too many decimal places for %(currency)s.")
            % {"value": entry.amount, "currency": entry.currency},
        )
    if entry.currency and statement.currency and entry.currency != statement.currency:
        statement.add_error(
            entry.place,
            _("it is in %(other)s, but the account is in %(c)s.") % {"other": entry.currency, "c": statement.currency},
        )


def is_whole(amount: Decimal, currency: str) -> bool:
    """Check that an amount has no more decimals than its currency, and isn't beyond what we store."""
    scaled = amount.scaleb(exponent(currency))
    return abs(amount) < AMOUNT_MAX and scaled == scaled.to_integral_value()


def _details_add_up(statement: Parsed, entry: Booking) -> None:
    amounts = [part.amount for part in entry.details]
    if (
        len(amounts) > 1
        and all(part is not None for part in amounts)
        and sum(part or 0 for part in amounts) != entry.amount
    ):
        statement.add_error(entry.place, _("the batch's payments don't add up to the entry."))


def _claim_holds(statement: Parsed, claim: Claim) -> None:
    """Compare what the bank counts with the entries.

    Banks count booked entries or all of them, and payments of batches singly or not: any of these will do.
    """
    readings = [
        statement.booked,
        statement.entries,
        [part for entry in statement.booked for part in entry.details or (entry,)],
    ]
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
        statement.add_error(
            statement.place,
            _("the bank counts %(count)s entries (%(what)s), but there are %(found)s.")
            % {"count": claim.number, "what": claim.what, "found": counts[0]},
        )
    if claim.total is not None and claim.total not in sums:
        statement.add_error(
            statement.place,
            _("the entries add up to %(sum)s, but the bank reports %(told)s (%(what)s).")
            % {"sum": _money(sums[0], statement), "told": _money(claim.total, statement), "what": claim.what},
        )
    statement.checks.append(claim.what)


def _balances_follow(statement: Parsed) -> None:
    opening, closing = statement.balance("opening"), statement.balance("closing")
    if opening is None or closing is None:
        return
    if opening.currency and closing.currency and opening.currency != closing.currency:
        statement.add_error(
            statement.place,
            _("it opens in %(one)s but closes in %(other)s.") % {"one": opening.currency, "other": closing.currency},
        )
        return
    total = opening.amount + sum((entry.amount or Decimal(0) for entry in statement.booked), Decimal(0))
    if total == closing.amount:
        statement.checks.append("opening + entries = closing")
    elif opening.is_interim or closing.is_interim:
        statement.add_trouble(
            statement.place, _("its interim balances aren't explained by the entries, which isn't required.")
        )
    else:
        statement.add_error(
            statement.place,
            _(
                "opening balance and entries come to %(sum)s, but the closing balance is %(closing)s. An "
                "entry is missing or was changed."
            )
            % {"sum": _money(total, statement), "closing": _money(closing.amount, statement)},
        )
        statement.checks.append("opening + entries = closing")


def _money(amount: Decimal, statement: Parsed) -> str:
    return f"{format_amount(amount, statement.currency)} {statement.currency}".strip()


@functools.lru_cache(1_000)
def known_currency(text: str) -> str:
    """Read a currency code, upper case; empty where it is none."""
    code = text.strip().upper()
    return code if (len(code) == 3 and code.isascii() and code.isalpha()) or code in EXPONENTS else ""
