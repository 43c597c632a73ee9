"""What stands in the elements of a camt file, tags being local names; what can't be read is a trouble of the statement."""

from __future__ import annotations

import datetime as dt
import functools
import sys
from decimal import Decimal
from xml.etree.ElementTree import Element

from django.utils.translation import gettext as _

from wallet.statement_formats.parsed import Parsed, amount_of, known_currency

SIGNS = ("-", "+", "−")


@functools.lru_cache(10_000)
def local(tag: str) -> str:
    """Strip the namespace from a tag."""
    return sys.intern(tag.rpartition("}")[2])


def find(element: Element | None, path: str) -> Element | None:
    """Find an element by its path; None where a step is missing."""
    for name in path.split("/"):
        if element is None:
            return None
        element = element.find(name)
    return element


def every(element: Element | None, name: str) -> list[Element]:
    """List the children of that name; none where there is no element."""
    return [] if element is None else element.findall(name)


def text_of(element: Element | None, *paths: str) -> str:
    """Find the text of the first of these paths that has one."""
    for path in paths:
        found = find(element, path)
        if found is not None and found.text and found.text.strip():
            return " ".join(found.text.split())
    return ""


def account_of(element: Element | None) -> str:
    """Read an account's number: its IBAN, else what the bank writes instead."""
    found = text_of(element, "Id/IBAN", "Id/Othr/Id", "Id/BBAN", "Id/PrtryAcct/Id", "Id/UPIC", "Prxy/Id")
    return found.replace(" ", "")


def bank_of(element: Element | None) -> str:
    """Read a bank's BIC, else its clearing or other id."""
    return text_of(
        element,
        "FinInstnId/BICFI",
        "FinInstnId/BIC",
        "FinInstnId/CmbndId/BIC",
        "FinInstnId/ClrSysMmbId/MmbId",
        "FinInstnId/Othr/Id",
    )


iso_day = functools.lru_cache(1_000)(dt.date.fromisoformat)


def day_of(one: Parsed, place: str, text: str) -> dt.date | None:
    """Read an ISO day; a text that is none is noted as wrong on the statement."""
    if not text:
        return None
    try:
        return iso_day(text[:10])
    except ValueError:
        one.wrong(place, _("“%(value)s” is not a date.") % {"value": text[:30]})
        return None


def day_in(one: Parsed, place: str, element: Element | None) -> dt.date | None:
    """Read the day of an element, which may be a date or a time."""
    return day_of(one, place, text_of(element, "Dt", "DtTm", "Dt/Dt", "Dt/DtTm"))


def amount_in(one: Parsed, place: str, amount: Element) -> tuple[Decimal | None, str]:
    """Unsigned, and its currency. What can't be read is a trouble."""
    told, code = (amount.text or "").strip(), str(amount.get("Ccy") or "").strip()
    number, currency = amount_of(told), known_currency(code)
    if number is None:
        one.wrong(place, _("“%(value)s” is not an amount.") % {"value": told[:40]})
    elif told.startswith(SIGNS):
        one.wrong(place, _("“%(value)s” has a sign; CdtDbtInd says the direction.") % {"value": told[:40]})
    if code and not currency:
        one.wrong(place, _("“%(value)s” is not a currency code.") % {"value": code[:10]})
    return (None if told.startswith(SIGNS) else number), currency


def is_credit_in(one: Parsed, place: str, element: Element) -> bool | None:
    """Read on which side an amount is; None, noted as wrong, where it is neither CRDT nor DBIT."""
    side = text_of(element, "CdtDbtInd").upper()
    if side not in ("CRDT", "DBIT"):
        one.wrong(place, _("“%(value)s” is neither CRDT nor DBIT.") % {"value": side[:10]})
        return None
    return side == "CRDT"
