"""A statement as it is booked: in minor units, proved, nothing of it missing."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.money.amounts import to_minor
from wallet.statement_formats.errors import bad
from wallet.statement_formats.parsed import Booking, Parsed, Weight

BYTES_MAX = 512 * 1024 * 1024


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
    has_end: bool = True
    ends_at_opening: bool = False
    tail: str = ""


def strict(parsed: Parsed) -> Statement:
    """Turn a proved statement into what is booked: only booked entries, batches by payment, in minor units.

    Balances are left out unless both are known and neither is interim.

    Raises BadStatement with its place for whatever is odd about its money, or missing.
    """
    for trouble in parsed.troubles:
        if trouble.weight != Weight.NOTE:
            raise bad(trouble.place, trouble.message)
    if not parsed.currency:
        raise bad(parsed.place, _("the currency is missing."))
    if parsed.first_day is None or parsed.last_day is None:
        raise bad(parsed.place, _("the date is missing."))
    opening, closing = parsed.balance("opening"), parsed.balance("closing")
    is_whole_period = opening is not None and closing is not None and not closing.is_interim and not opening.is_interim
    return Statement(
        place=parsed.place,
        account=parsed.account,
        currency=parsed.currency,
        first_day=parsed.first_day,
        last_day=parsed.last_day,
        entries=tuple(entry for booking in parsed.booked for entry in _split_entries(booking, parsed)),
        opening_minor=to_minor(opening.amount, parsed.currency) if opening and is_whole_period else None,
        closing_minor=to_minor(closing.amount, parsed.currency) if closing and is_whole_period else None,
        has_end=parsed.has_end,
        ends_at_opening=parsed.ends_at_opening,
        tail=parsed.tail,
    )


def _split_entries(booking: Booking, parsed: Parsed) -> Iterator[Entry]:
    """Yield one entry, or one for each payment of a batch booking whose payments all have an amount.

    Raises: BadStatement (no amount, or no day).
    """
    if booking.amount is None or booking.booked_on is None:
        raise bad(booking.place, _("the amount or date is missing."))
    parts = booking.details
    if not parts or any(part.amount is None for part in parts):
        texts = " ".join(part.text for part in parts)
        yield _entry(booking, booking, parsed, 0, f"{booking.text} {texts}".strip())
        return
    for number, part in enumerate(parts, 1):
        yield _entry(booking, part, parsed, number, f"{part.text} {booking.text}".strip())


def _entry(booking: Booking, part: Booking, parsed: Parsed, number: int, text: str) -> Entry:
    assert booking.booked_on is not None and part.amount is not None
    return Entry(
        place=booking.place,
        booked_on=booking.booked_on,
        minor=to_minor(part.amount, parsed.currency),
        currency=parsed.currency,
        value_on=booking.value_on,
        bank_reference=_truncate(part.bank_reference or booking.bank_reference, 100),
        end_to_end=_truncate(part.end_to_end or part.references.get("customer", ""), 60),
        batch=_truncate(booking.batch or part.batch, 60),
        text=_truncate(text, 500),
        party_name=_truncate(part.party.name, 140),
        party_account=_truncate(part.party.account, 40),
        party_bic=_truncate(part.party.bic, 11),
        return_reason=_truncate(part.return_reason, 20),
        part=number,
    )


def _truncate(text: str, chars_max: int) -> str:
    """Cut a text to what the database column holds; PostgreSQL stores no zero characters."""
    return text[:chars_max].replace("\0", " ")


def fingerprints(account: str, entries: Iterable[Entry]) -> list[str]:
    """Compute what distinguishes an entry from every other one, the same in any file that has it.

    The bank's own reference where there is one; else all of the entry's contents, and its number among several equal ones
    (two wires of one person on one day are two).
    """
    seen: dict[str, int] = {}
    hashes = []
    for entry in entries:
        identity: tuple[object, ...]
        if entry.bank_reference:
            identity = ("bank", entry.bank_reference, entry.part and (entry.end_to_end, entry.part))
        else:
            text = "".join(entry.text.split()).upper()
            identity = ("own", entry.end_to_end, text, entry.party_account, "".join(entry.party_name.split()).upper())
        key = json.dumps([account, entry.booked_on.isoformat(), entry.minor, entry.currency, identity])
        number = seen[key] = seen.get(key, 0) + 1
        hashes.append(hashlib.sha256(f"{key}#{number}".encode()).hexdigest())
    return hashes
