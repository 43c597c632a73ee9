"""MT940 through the library `mt-940`, which knows the dialects of most banks. A file may hold several statements.

The library merges what it reads into one collection, so a file is cut at each `:20:` first.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import mt940
from django.utils.translation import gettext as _

from wallet.statements_in.base import BadStatement, Entry, Statement, bad, currency_of, minor_of

CUT = re.compile(r"(?m)^(?=:20:)")
TEXT_MAX = 500
NAMES = ("applicant_name", "recipient_name")
ACCOUNTS = ("applicant_iban", "applicant_account", "account_number")
IBAN_BEFORE = re.compile(r"[A-Z]{2}\d{13,32}")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}[A-Z0-9]{10,30}\b")


def read_mt940(content: bytes) -> Iterator[Statement]:
    for number, text in enumerate(CUT.split(_decoded(content)), 1):
        if ":25" in text:
            yield _statement(text, _("Statement %(id)s") % {"id": number})


def _decoded(content: bytes) -> str:
    """Banks write ASCII, UTF-8 or Windows' Latin."""
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise BadStatement(_("The file's encoding can't be read."))


def _statement(text: str, place: str) -> Statement:
    try:
        parsed = mt940.parse(text)
    except Exception as error:  # the library raises what its regular expressions run into
        raise bad(place, _("it can't be read as MT940 (%(error)s).") % {"error": str(error)[:80]}) from error
    data = parsed.data
    opening, closing = (data.get(f"final_{name}_balance") for name in ("opening", "closing"))
    if opening is None or closing is None:
        raise bad(place, _("its opening or closing balance is missing."))
    currency = currency_of(place, str(opening.amount.currency))
    account = str(data.get("account_identification") or "").strip()
    if not account:
        raise bad(place, _("it names no account."))
    found = list(parsed.transactions)
    lines = len(re.findall(r"(?m)^:61:", text))
    entries = tuple(
        _entry(one.data, currency, _("%(statement)s, entry %(number)s") % {"statement": place, "number": number})
        for number, one in enumerate((one for one in found if one.data.get("amount") is not None), 1)
    )
    if len(entries) != lines:
        raise bad(
            place,
            _("%(lines)s bookings are in it, only %(read)s can be read.") % {"lines": lines, "read": len(entries)},
        )
    days = [one.booked_on for one in entries] + [_date(opening.date), _date(closing.date)]
    return Statement(
        place=place, account=account.replace(" ", ""), currency=currency, first_day=min(days), last_day=max(days),
        entries=entries, opening_minor=_minor(place, opening.amount.amount, currency),
        closing_minor=_minor(place, closing.amount.amount, currency),
    )  # fmt: skip


def _date(found: Any) -> dt.date:
    return dt.date(found.year, found.month, found.day)


def _minor(place: str, amount: Decimal, currency: str) -> int:
    sign = -1 if amount < 0 else 1
    return sign * minor_of(place, f"{abs(amount):f}", currency)


def _entry(data: dict[str, Any], currency: str, place: str) -> Entry:
    texts = [data.get(name) for name in ("purpose", "additional_purpose", "extra_details", "transaction_details")]
    text = " ".join(" ".join(str(one).split()) for one in texts if one)
    account = next((str(data[name]) for name in ACCOUNTS if data.get(name)), "")
    if not account and (iban := IBAN.search(text)):
        account = iban[0]
    name = " ".join(str(data[one]) for one in NAMES if data.get(one)).strip()
    if leading := IBAN_BEFORE.match(name):  # some banks write the account in front of the name
        account, name = account or leading[0], name[leading.end() :].strip()
    bank_reference = str(data.get("bank_reference") or "").strip()
    end_to_end = str(data.get("end_to_end_reference") or "").strip()
    customer = str(data.get("customer_reference") or "").strip()
    booked = data.get("entry_date") or data["date"]
    return Entry(
        place=place, booked_on=_date(booked), value_on=_date(data["date"]),
        minor=_minor(place, data["amount"].amount, currency), currency=currency,
        bank_reference="" if bank_reference.upper() in ("NONREF", "") else bank_reference[:100],
        end_to_end=end_to_end[:60] or ("" if customer.upper() in ("NONREF", "") else customer[:60]), text=text[:TEXT_MAX],
        party_name=name[:140], party_account=account[:40],
    )  # fmt: skip
