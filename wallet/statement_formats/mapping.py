"""How to read a table: what each column means. Guessed from the table, or mapped by a person and remembered."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from wallet.statement_formats.cells import (
    CURRENCY_WORDS,
    bare_amount,
    days_of,
    decimal_mark,
    is_amount,
    order_of,
    plain,
)
from wallet.statement_formats.column_names import NAMES
from wallet.statement_formats.columns import CREDITS, DEBITS, by_content, by_names, is_header, meaning_of

HEADER_ROWS_MAX = 60
SAMPLE_ROWS = 400
MEANINGS = tuple(NAMES)


@dataclass(slots=True)
class Mapping:
    """How to read one table.

    header: the row (from 0) with the names, -1 for none. columns: meaning → columns. order: of year, month and day. decimal:
    the mark before decimals. is_inverted: what went out is written without a minus.
    """

    header: int
    columns: dict[str, list[int]]
    order: str = "dmy"
    decimal: str = "."
    currency: str = ""
    account: str = ""
    is_inverted: bool = False
    is_debit_negative: bool = False
    doubts: list[str] = field(default_factory=list)  # why a person should look at it; names of what is not certain

    def column(self, meaning: str) -> int:
        places = self.columns.get(meaning)
        return places[0] if places else -1

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Mapping:
        return cls(**{**values, "columns": {name: list(places) for name, places in values["columns"].items()}})


def guess(rows: Sequence[list[Any]]) -> Mapping | None:
    """Guess what the columns of a table mean from its first rows; None where it has no days and amounts."""
    header = _find_header(rows)
    is_known = header >= 0
    if is_known:
        columns, currency = by_names(rows[header])
        sample = _sample(rows[header + 1 :], columns)
        _correct_columns(columns, rows[header], sample)
    else:
        sample = _rows_of_main_width(rows)
        columns, currency = by_content(sample), ""
        header = _find_unknown_names(rows, sample)
    if not ("date" in columns and columns.keys() & {"amount", "debit", "credit"}):
        return None
    mapping = Mapping(header, columns, currency=currency)
    _detect_formats(mapping, sample)
    if not is_known:
        mapping.doubts.append("columns")
    mapping.account = "" if "own_account" in columns else _find_account(rows[: max(header, 0)])
    mapping.currency = mapping.currency or _find_currency(rows[: max(header, 0)])
    return mapping


def _find_unknown_names(rows: Sequence[list[Any]], sample: list[list[Any]]) -> int:
    """Find the row of unknown names above the first booking; -1 where there is none.

    It is as wide as the table and has neither days nor amounts.
    """
    if not sample:
        return -1
    first = next(at for at, row in enumerate(rows) if row is sample[0])
    above = rows[first - 1] if first else []
    is_wide = len([cell for cell in above if str(cell).strip()]) >= 0.8 * len(sample[0])
    return first - 1 if is_wide and not any(days_of(cell) or is_amount(cell) for cell in above) else -1


def _find_header(rows: Sequence[list[Any]]) -> int:
    """Find the row with most known names, the first of several; -1 where there is none."""
    headers = [(at, row) for at, row in enumerate(rows[:HEADER_ROWS_MAX]) if is_header(row)]
    if not headers:
        return -1
    return max(headers, key=lambda pair: (sum(1 for cell in pair[1] if meaning_of(str(cell))[0]), -pair[0]))[0]


def _sample(rows: Sequence[list[Any]], columns: dict[str, list[int]]) -> list[list[Any]]:
    """Select the rows whose date or amount columns have something in them."""
    places = [at for name in ("date", "amount", "debit", "credit") for at in columns.get(name, [])]
    return [row for row in rows[:SAMPLE_ROWS] if any(at < len(row) and str(row[at]).strip() for at in places)]


def _rows_of_main_width(rows: Sequence[list[Any]]) -> list[list[Any]]:
    """Select the rows with a day in them whose width is what most have, or one off."""
    able = [row for row in rows[:SAMPLE_ROWS] if any(days_of(cell) for cell in row)]
    widths = Counter(len(row) for row in able)
    if not widths:
        return []
    width = widths.most_common(1)[0][0]
    return [row for row in able if abs(len(row) - width) <= 1]


def _cells(rows: Sequence[list[Any]], at: int) -> list[Any]:
    return [row[at] for row in rows if at < len(row) and str(row[at]).strip()]


def _correct_columns(columns: dict[str, list[int]], header: list[Any], sample: list[list[Any]]) -> None:
    """Correct columns whose contents contradict their name.

    “Date” or “value” without days goes to a column that has them; “debit” that contains D or C is the indicator; money columns
    without amounts go. Where no amount is left, an unnamed column of amounts becomes it.
    """
    for meaning in ("date", "value"):
        places = columns.get(meaning, [])
        if (
            places
            and (cells := _cells(sample, places[0]))
            and sum(bool(days_of(cell)) for cell in cells) < 0.5 * len(cells)
        ):
            others = [
                at for at in range(len(header)) if (mine := _cells(sample, at)) and all(days_of(cell) for cell in mine)
            ]
            if others:
                columns[meaning] = others[:1]
            elif meaning == "value":
                del columns[meaning]
    for meaning in ("debit", "credit", "indicator", "amount", "balance", "fee", "code", "opening"):
        places = columns.get(meaning, [])
        if not places or not (cells := _cells(sample, places[0])):
            continue
        is_side = sum(str(cell).strip().upper() in CREDITS | DEBITS for cell in cells) >= 0.75 * len(cells)
        if meaning in ("debit", "credit", "code") and is_side and "indicator" not in columns:
            columns["indicator"] = columns.pop(meaning)
        elif (
            (
                meaning in ("debit", "credit", "balance", "fee", "opening")
                or (meaning == "amount" and "debit" in columns)
            )
            and sum(is_amount(cell) for cell in cells) < 0.5 * len(cells)
        ) or (meaning == "indicator" and not is_side):
            columns.pop(meaning)
    if "amount" in columns and {"debit", "credit"} & columns.keys():
        _choose_amount_columns(columns, sample)
    if "amount" not in columns and not {"debit", "credit"} & columns.keys():
        others = [
            at
            for at in range(len(header))
            if at not in columns.get("balance", [])
            and (mine := _cells(sample, at))
            and all(is_amount(cell) for cell in mine)
        ]
        named = [
            at for at in others if not meaning_of(str(header[at]))[0] or meaning_of(str(header[at]))[0] == "amount"
        ]
        if named:
            columns["amount"] = named[:1]
    places = columns.get("currency", [])
    if places and (cells := _cells(sample, places[0])) and any(days_of(cell) for cell in cells[:5]):
        del columns["currency"]  # “Valuta” is a day in some languages, a currency in others


def _choose_amount_columns(columns: dict[str, list[int]], sample: list[list[Any]]) -> None:
    """Choose between an amount and two sides: the amount, where it has a minus somewhere; else the sides."""
    cells = _cells(sample, columns["amount"][0])
    if any(bare_amount(str(cell))[0].startswith("-") for cell in cells) or not {"debit", "credit"} <= columns.keys():
        columns.pop("debit", None)
        columns.pop("credit", None)
    else:
        columns.pop("amount")


def _detect_formats(mapping: Mapping, sample: list[list[Any]]) -> None:
    """Detect the order of days, the decimal mark, the sign of debits and the currency; add what stays doubtful to `doubts`."""
    money = [
        cell
        for name in ("amount", "debit", "credit", "balance", "fee", "original_amount")
        for at in mapping.columns.get(name, [])
        for cell in _cells(sample, at)
    ]
    mapping.decimal = decimal_mark(money)
    days = _cells(sample, mapping.column("date"))
    mapping.order, is_ambiguous = order_of(days)
    if is_ambiguous:
        mapping.doubts.append("order")
    if not mapping.decimal:
        texts = [cell for cell in money if isinstance(cell, str)]
        if any("." in cell or "," in cell for cell in texts):
            mapping.doubts.append("decimal")
    debits = (
        [bare_amount(str(cell))[0] for cell in _cells(sample, mapping.column("debit"))]
        if "debit" in mapping.columns
        else []
    )
    filled = [cell for cell in debits if any(letter in "123456789" for letter in cell)]
    mapping.is_debit_negative = bool(filled) and all(cell.startswith("-") for cell in filled)
    codes = {bare_amount(str(cell))[1] for cell in money if isinstance(cell, str)} - {""}
    if not mapping.currency and len(codes) == 1 and "currency" not in mapping.columns:
        mapping.currency = codes.pop()


ACCOUNT_LABEL = re.compile(
    r"^(iban|account|account number|account no|konto|kontonummer|bankkonto|numer rachunku|rachunek|cuenta|compte|rekening|"
    r"account iban|girokonto)$"
)


def _find_account(rows: Sequence[list[Any]]) -> str:
    """Find the account above the table: an IBAN, or what follows “Account number”."""
    for row in rows:
        text = " ".join(str(cell) for cell in row)
        if match := re.search(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b", text):
            return match[0].replace(" ", "")
        for label, value in itertools.pairwise(row):
            if ACCOUNT_LABEL.match(plain(str(label))) and re.search(r"\d{4}", str(value)):
                return str(value).strip()
        for cell in row:
            if (
                (match := re.match(r"\s*([^:]{3,25}):\s*([A-Z0-9][A-Z0-9 \-/]{4,33})\s*$", str(cell)))
                and ACCOUNT_LABEL.match(plain(match[1]))
                and re.search(r"\d{4}", match[2])
            ):
                return match[2].strip()
    return ""


def _find_currency(rows: Sequence[list[Any]]) -> str:
    for row in rows:
        for cell in row:
            for word in str(cell).replace(":", " ").replace("(", " ").replace(")", " ").split():
                if word in CURRENCY_WORDS:
                    return word
    return ""


def fingerprint(rows: Sequence[list[Any]], mapping: Mapping | None) -> str:
    """Compute what distinguishes files of one shape from others: the columns' names, else what the columns contain."""
    shape: Any
    if mapping is not None and mapping.header >= 0:
        shape = [plain(str(cell)) for cell in rows[mapping.header]]
    else:
        width = Counter(len(row) for row in rows[:SAMPLE_ROWS]).most_common(1)[0][0] if rows else 0
        wide = [row for row in rows[:SAMPLE_ROWS] if len(row) == width]
        names = next((row for row in wide[:3] if not any(days_of(cell) or is_amount(cell) for cell in row)), None)
        shape = [plain(str(cell)) for cell in names] if names else [_kind(_cells(wide, at)) for at in range(width)]
    return hashlib.sha256(json.dumps(shape).encode()).hexdigest()


def _kind(cells: list[Any]) -> str:
    if cells and all(days_of(cell) for cell in cells):
        return "day"
    return "amount" if cells and all(is_amount(cell) for cell in cells) else "text"
