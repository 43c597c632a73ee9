"""The form that maps the columns of a bank's table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import DomainError
from wallet.bank.column_mappings import Shape, require_complete
from wallet.statement_formats import Mapping
from wallet.statement_formats.cells import ORDERS
from wallet.statement_formats.parsed import known_currency

COLUMNS_MAX = 80
SAMPLES = 4
LABELS = {
    "date": gettext_lazy("Booking date"),
    "value": gettext_lazy("Value date"),
    "amount": gettext_lazy("Amount (signed)"),
    "debit": gettext_lazy("Money out"),
    "credit": gettext_lazy("Money in"),
    "indicator": gettext_lazy("Debit/credit indicator"),
    "currency": gettext_lazy("Currency"),
    "balance": gettext_lazy("Balance after entry"),
    "text": gettext_lazy("Text"),
    "name": gettext_lazy("Counterparty name"),
    "iban": gettext_lazy("Counterparty account"),
    "bic": gettext_lazy("Counterparty bank"),
    "bank_reference": gettext_lazy("Bank reference"),
    "customer": gettext_lazy("Our reference"),
    "end_to_end": gettext_lazy("End-to-end reference"),
    "mandate": gettext_lazy("Mandate"),
    "own_account": gettext_lazy("Own account"),
    "fee": gettext_lazy("Fee"),
    "status": gettext_lazy("Status"),
    "code": gettext_lazy("Entry type"),
    "original_amount": gettext_lazy("Original amount"),
    "original_currency": gettext_lazy("Original currency"),
}
ORDER_LABELS = {
    "ymd": gettext_lazy("Year, month, day"),
    "dmy": gettext_lazy("Day, month, year"),
    "mdy": gettext_lazy("Month, day, year"),
}
DECIMALS = {".": "1,234.56", ",": "1.234,56"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table: its heading, its meaning, and sample cells."""

    at: int
    name: str
    meaning: str
    samples: tuple[str, ...]


def columns_of(shape: Shape, mapping: Mapping) -> list[Column]:
    """List the table's columns with their headings, meanings and samples."""
    rows = [row for _number, row in shape.rows]
    names = rows[mapping.header] if 0 <= mapping.header < len(rows) else []
    body = rows[mapping.header + 1 :]
    meanings = {at: meaning for meaning, places in mapping.columns.items() for at in places}
    width = min(max((len(row) for row in [names, *body]), default=0), COLUMNS_MAX)
    return [
        Column(
            at,
            str(names[at]) if at < len(names) else _("Column %(number)s") % {"number": at + 1},
            meanings.get(at, ""),
            tuple(str(row[at]) if at < len(row) else "" for row in body[:SAMPLES]),
        )
        for at in range(width)
    ]


def samples_of(shape: Shape, mapping: Mapping) -> list[list[str]]:
    """List the first rows below the headings, each as wide as the table."""
    columns = columns_of(shape, mapping)
    return [
        [column.samples[at] for column in columns]
        for at in range(max((len(column.samples) for column in columns), default=0))
    ]


def mapping_of(data: QueryDict, shape: Shape) -> Mapping:
    """Read the mapping that was typed. Raises DomainError where it is incomplete or contradicts itself."""
    mapping = mapping_as_typed(data, shape)
    if mapping.header >= len(shape.rows):
        raise DomainError(_("The table doesn't have this heading row."))
    for meaning, places in mapping.columns.items():
        if len(places) > 1 and meaning != "text":
            raise DomainError(_("Only one column can be “%(meaning)s”.") % {"meaning": LABELS[meaning]})
    if mapping.currency and not known_currency(mapping.currency):
        raise DomainError(_("“%(value)s” isn't a currency code.") % {"value": mapping.currency})
    mapping.currency = known_currency(mapping.currency)
    require_complete(mapping)
    return mapping


def mapping_as_typed(data: QueryDict, shape: Shape) -> Mapping:
    """Read the mapping as it was typed, right or wrong, so that the form can show it again."""
    columns: dict[str, list[int]] = {}
    for at in range(COLUMNS_MAX):
        meaning = data.get(f"column_{at}", "")
        if meaning in LABELS:
            columns.setdefault(meaning, []).append(at)
    return Mapping(
        header=_number(data.get("header", "0")) - 1,
        columns=columns,
        order=_one_of(data.get("order"), ORDERS, "dmy"),
        decimal=_one_of(data.get("decimal"), DECIMALS, "."),
        currency=data.get("currency", "").strip()[:10],
        account=shape.guessed.account if shape.guessed else "",
        is_inverted="is_inverted" in data,
        is_debit_negative="is_debit_negative" in data,
    )


def _one_of(value: str | None, known: Iterable[str], default: str) -> str:
    return next((code for code in known if code == value), default)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0


def first_mapping(shape: Shape, currency: str) -> Mapping:
    """Return the mapping as guessed, with the account's currency where the table names none."""
    guessed = shape.guessed or Mapping(header=-1, columns={})
    if not guessed.decimal:
        guessed.decimal = "."
    if not guessed.currency and "currency" not in guessed.columns:
        guessed.currency = currency
    return guessed


def options(mapping: Mapping) -> dict[str, Any]:
    """List the choices of the page's fields."""
    return {
        "labels": LABELS.items(),
        "orders": ORDER_LABELS.items(),
        "decimals": DECIMALS.items(),
        "mapping": mapping,
        "header": mapping.header + 1,
    }
