"""Elements of a camt file, by local names; what can't be read is a trouble of the statement."""

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
        match = find(element, path)
        if match is not None and match.text and match.text.strip():
            return " ".join(match.text.split())
    return ""


def account_of(element: Element | None) -> str:
    """Read an account's number: its IBAN, else what the bank writes instead."""
    number = text_of(element, "Id/IBAN", "Id/Othr/Id", "Id/BBAN", "Id/PrtryAcct/Id", "Id/UPIC", "Prxy/Id")
    return number.replace(" ", "")


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


def day_of(statement: Parsed, place: str, text: str) -> dt.date | None:
    """Read an ISO day; a text that is none is noted as wrong on the statement."""
    if not text:
        return None
    try:
        return iso_day(text[:10])
    except ValueError:
        statement.add_error(place, _("“%(value)s” is not a date.") % {"value": text[:30]})
        return None


def day_in(statement: Parsed, place: str, element: Element | None) -> dt.date | None:
    """Read the day of an element, which may be a date or a time."""
    return day_of(statement, place, text_of(element, "Dt", "DtTm", "Dt/Dt", "Dt/DtTm"))


def amount_in(statement: Parsed, place: str, amount: Element) -> tuple[Decimal | None, str]:
    """Read an unsigned amount (major units) and its currency; what can't be read is noted as wrong on the statement."""
    text, code = (amount.text or "").strip(), str(amount.get("Ccy") or "").strip()
    number, currency = amount_of(text), known_currency(code)
    if number is None:
        statement.add_error(place, _("“%(value)s” is not an amount.") % {"value": text[:40]})
    elif text.startswith(SIGNS):
        statement.add_error(place, _("“%(value)s” has a sign; CdtDbtInd sets the direction.") % {"value": text[:40]})
    if code and not currency:
        statement.add_error(place, _("“%(value)s” isn't a currency code.") % {"value": code[:10]})
    return (None if text.startswith(SIGNS) else number), currency


def is_credit_in(statement: Parsed, place: str, element: Element) -> bool | None:
    """Read on which side an amount is; None, noted as wrong, where it is neither CRDT nor DBIT."""
    side = text_of(element, "CdtDbtInd").upper()
    if side not in ("CRDT", "DBIT"):
        statement.add_error(place, _("“%(value)s” is neither CRDT nor DBIT.") % {"value": side[:10]})
        return None
    return side == "CRDT"
