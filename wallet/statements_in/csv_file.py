"""A bank's CSV: a header with known names (English or German), then one booking a line.

Needed: date, amount; a currency column, or one currency named in every line's amount column. Amounts are signed, with `,` or
`.` for decimals. Columns `balance_before` and `balance_after` are proved line by line where they are there.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from wallet.statements_in.base import BadStatement, Entry, Statement, bad, currency_of, minor_of

NAMES = {
    "date": ("date", "booking date", "booked", "buchungstag", "buchungsdatum", "datum"),
    "value": ("value date", "valuta", "wertstellung", "valutadatum"),
    "amount": ("amount", "betrag", "umsatz"),
    "currency": ("currency", "währung", "waehrung"),
    "name": ("name", "counterparty", "payer", "auftraggeber/empfänger", "beguenstigter/zahlungspflichtiger",
             "begünstigter/zahlungspflichtiger", "name zahlungsbeteiligter"),
    "iban": ("iban", "counterparty account", "account", "kontonummer/iban", "iban zahlungsbeteiligter"),
    "text": ("text", "reference", "description", "details", "remittance", "verwendungszweck"),
    "bank_reference": ("bank reference", "transaction id", "id", "bankreferenz"),
    "end_to_end": ("end to end", "end-to-end", "endtoendid", "ende-zu-ende-referenz"),
    "own_account": ("own account", "auftragskonto", "iban auftragskonto"),
    "balance_after": ("balance", "balance after", "saldo", "saldo nach buchung"),
}  # fmt: skip
DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y")
GROUPED = re.compile(r"[+-]?\d{1,3}(?:[.,' ]\d{3})*(?:[.,]\d{1,3})?|[+-]?\d+(?:[.,]\d{1,3})?")


def read_csv(content: bytes) -> Iterator[Statement]:
    text = _decoded(content)
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(next(reader, []))
        found = [(reader.line_num, fields) for fields in reader if any(one.strip() for one in fields)]
    except csv.Error as error:
        raise bad(_("Line %(line)s") % {"line": reader.line_num}, f"{error}.")
    rows = [_row(line, fields, columns) for line, fields in found]
    if not rows:
        raise BadStatement(_("There is no booking in the file."))
    yield _statement(rows)


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadStatement(_("The file's encoding can't be read."))


def _columns(header: list[str]) -> dict[str, int]:
    told = [" ".join(name.strip().strip('"').lower().replace("_", " ").split()) for name in header]
    found = {}
    for meaning, names in NAMES.items():
        place = next((told.index(name) for name in names if name in told), None)
        if place is not None:
            found[meaning] = place
    if missing := [name for name in ("date", "amount", "currency") if name not in found]:
        raise bad(
            _("Line %(line)s") % {"line": 1}, _("these columns are missing: %(names)s.") % {"names": ", ".join(missing)}
        )
    return found


def _row(line: int, fields: list[str], columns: dict[str, int]) -> tuple[Entry, str, int | None]:
    def cell(name: str) -> str:
        return fields[columns[name]].strip() if name in columns and columns[name] < len(fields) else ""

    def place(column: str) -> str:
        return _("Line %(line)s, column “%(column)s”") % {"line": line, "column": column}

    if len(fields) <= max(columns[name] for name in ("date", "amount", "currency")):
        raise bad(_("Line %(line)s") % {"line": line}, _("the row has fewer fields than the header."))
    currency = currency_of(place("currency"), cell("currency"))
    entry = Entry(
        place=_("Line %(line)s") % {"line": line}, booked_on=_date(place("date"), cell("date")),
        value_on=_date(place("value"), cell("value")) if cell("value") else None, currency=currency,
        minor=_signed(place("amount"), cell("amount"), currency), bank_reference=cell("bank_reference")[:100],
        end_to_end=cell("end_to_end")[:60], text=cell("text")[:500], party_name=cell("name")[:140],
        party_account=cell("iban").replace(" ", "")[:40],
    )  # fmt: skip
    after = cell("balance_after")
    return entry, cell("own_account").replace(" ", ""), _signed(place("balance"), after, currency) if after else None


def _date(place: str, text: str) -> dt.date:
    for form in DATES:
        try:
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 (a day, no time)
        except ValueError:
            continue
    raise bad(place, _("“%(value)s” is not a date like 2026-10-31.") % {"value": text[:30]})


def _signed(place: str, text: str, currency: str) -> int:
    """`1.234,56`, `1,234.56`, `1234.5`: the last separator is the decimal one, unless three digits follow a single one."""
    plain = text.replace("\u00a0", " ").strip()
    if not GROUPED.fullmatch(plain):
        raise bad(place, _("“%(value)s” is not an amount.") % {"value": text[:40]})
    sign, digits = (-1, plain[1:]) if plain[0] == "-" else (1, plain.lstrip("+"))
    separators = [one for one in digits if not one.isdigit()]
    if separators:
        last = separators[-1]
        whole, _dot, fraction = digits.rpartition(last)
        is_grouping = len(fraction) == 3 and (separators.count(last) > 1 or last in "' " or len(set(separators)) == 1)
        if is_grouping and len(set(separators)) == 1 and separators.count(last) == 1 and last in ".,":
            raise bad(
                place, _("“%(value)s” could mean two amounts: write decimals with two digits.") % {"value": text[:40]}
            )
        digits = "".join(one for one in (digits if is_grouping else whole) if one.isdigit())
        digits += "" if is_grouping else f".{fraction}"
    return sign * minor_of(place, digits, currency)


def _statement(rows: list[tuple[Entry, str, int | None]]) -> Statement:
    entries = tuple(entry for entry, _account, _after in rows)
    first = entries[0]
    if other := next((one for one in entries if one.currency != first.currency), None):
        raise bad(
            other.place,
            _("it is in %(other)s, the first line in %(c)s.") % {"other": other.currency, "c": first.currency},
        )
    days = [one.booked_on for one in entries]
    opening, closing = _balances(rows)
    return Statement(
        place=_("The file"), account=next((account for _entry, account, _after in rows if account), ""),
        currency=first.currency, first_day=min(days), last_day=max(days), entries=entries,
        opening_minor=opening, closing_minor=closing,
    )  # fmt: skip


def _balances(rows: list[tuple[Entry, str, int | None]]) -> tuple[int | None, int | None]:
    """From the running balance, oldest or newest first; each line is proved against the one before."""
    if any(after is None for _entry, _account, after in rows):
        return None, None
    told = [(entry, after or 0) for entry, _account, after in rows]
    ordered = told if _runs(told) else told[::-1]
    if not _runs(ordered):
        wrong = next(
            entry for (_one, before), (entry, after) in itertools.pairwise(told) if before + entry.minor != after
        )
        raise bad(wrong.place, _("its balance does not follow from the line before."))
    return ordered[0][1] - ordered[0][0].minor, ordered[-1][1]


def _runs(told: list[tuple[Entry, int]]) -> bool:
    return all(before + entry.minor == after for (_one, before), (entry, after) in itertools.pairwise(told))
