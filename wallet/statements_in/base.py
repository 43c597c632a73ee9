"""What every statement has, whatever its format: an account, balances, entries; and the proof that nothing is missing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.money import Money, exponent

BYTES_MAX = 64 * 1024 * 1024
MINOR_MAX = 10**15


class BadStatement(DomainError):
    """The file can't be what it says; nothing of it was taken in."""

    code = "bad_bank_statement"


def bad(place: str, message: str) -> BadStatement:
    """`place` says where in the file: a line, or statement and entry."""
    return BadStatement(_("%(place)s: %(message)s Nothing was imported.") % {"place": place, "message": message})


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking, or one payment of a batch booking. `minor` is signed: above zero came in, below went out.

    bank_reference: the bank's own (AcctSvcrRef), where it gives one. batch: the payment file that a batch booking answers.
    return_reason: the entry gives back what was sent before.
    """

    place: str
    booked_on: dt.date
    minor: int
    currency: str
    value_on: dt.date | None = None
    bank_reference: str = ""
    end_to_end: str = ""
    batch: str = ""
    text: str = ""
    party_name: str = ""
    party_account: str = ""
    party_bic: str = ""
    return_reason: str = ""
    part: int = 0  # of a batch booking; 0: the whole entry


@dataclass(frozen=True, slots=True)
class Statement:
    """One account and period. Balances are None where the format has none (camt.054, a CSV without them)."""

    place: str
    account: str
    currency: str
    first_day: dt.date
    last_day: dt.date
    entries: tuple[Entry, ...]
    opening_minor: int | None = None
    closing_minor: int | None = None
    # What the bank itself counts, to check against: number of entries and their signed sum.
    told: tuple[int | None, int | None] = field(default=(None, None))


def proved(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """opening + Σ entries = closing, for each statement that has both."""
    found = tuple(statements)
    if not found:
        raise BadStatement(_("There is no statement in the file."))
    for one in found:
        total = sum(entry.minor for entry in one.entries)
        count, told_sum = one.told
        if told_sum is not None and told_sum != total:
            raise bad(one.place, _("the entries add up to %(sum)s, the bank says %(told)s.")
                      % {"sum": Money.of_minor(total, one.currency), "told": Money.of_minor(told_sum, one.currency)})  # fmt: skip
        if count is not None and count != len({entry.place for entry in one.entries}):
            raise bad(one.place, _("the bank counts %(count)s entries, others are there.") % {"count": count})
        if one.opening_minor is None or one.closing_minor is None:
            continue
        if one.opening_minor + total != one.closing_minor:
            raise bad(
                one.place,
                _(
                    "opening balance and entries give %(sum)s, the closing balance is %(closing)s. An entry is missing or "
                    "was changed."
                )
                % {"sum": Money.of_minor(one.opening_minor + total, one.currency),
                   "closing": Money.of_minor(one.closing_minor, one.currency)},
            )  # fmt: skip
    return found


def minor_of(place: str, text: str, currency: str) -> int:
    """An unsigned amount as minor units, exactly. Raises BadStatement."""
    try:
        amount = Decimal(text.strip())
        scaled = amount.scaleb(exponent(currency))
    except (InvalidOperation, ValueError):
        raise bad(place, _("“%(value)s” is not an amount.") % {"value": text[:40]})
    if not amount.is_finite() or scaled != scaled.to_integral_value():
        raise bad(place, _("“%(value)s” is finer than the smallest unit of %(currency)s.")
                  % {"value": text[:40], "currency": currency})  # fmt: skip
    if abs(scaled) >= MINOR_MAX:
        raise bad(place, _("“%(value)s” is too large.") % {"value": text[:40]})
    return int(scaled)


def currency_of(place: str, text: str) -> str:
    if not (text.isascii() and text.isalpha() and text.isupper() and len(text) == 3):
        raise bad(place, _("“%(value)s” is not a currency code.") % {"value": text[:10]})
    return text


def fingerprints(account: str, entries: Iterable[Entry]) -> list[str]:
    """What tells an entry from every other one, the same in any file that has it.

    The bank's own reference where there is one; else everything the entry says, and which one of several equal ones it is
    (two wires of one person on one day are two).
    """
    seen: dict[str, int] = {}
    found = []
    for entry in entries:
        told: tuple[object, ...]
        if entry.bank_reference:
            told = ("bank", entry.bank_reference, entry.part and (entry.end_to_end, entry.part))
        else:
            text = "".join(entry.text.split()).upper()
            told = ("own", entry.end_to_end, text, entry.party_account, "".join(entry.party_name.split()).upper())
        key = json.dumps([account, entry.booked_on.isoformat(), entry.minor, entry.currency, told])
        number = seen[key] = seen.get(key, 0) + 1
        found.append(hashlib.sha256(f"{key}#{number}".encode()).hexdigest())
    return found
