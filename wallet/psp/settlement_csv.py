"""The plain settlement report in CSV: every field checked, every total proved, every complaint with line and column.

Columns by name: record, batch, type, psp_reference, merchant_reference, original_reference, created_at, currency, gross, fee,
net, method; and, where a PSP has them, value_at, entry_reference, client_reference, paid_currency, paid_amount, rate. `opening`
and `closing` records carry a balance per currency in `net`; opening + Σ net of the rows = closing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from wallet.choices.reconciliation import RowType
from wallet.psp.settlement import (
    BadFile,
    CsvReader,
    agrees_with_rate,
    cell_error,
    checked_currency,
    exact_minor,
    exact_rate,
    moment,
)
from wallet.psp.values import FileRow

__all__ = ["BadFile", "PlainReader", "cell_error"]

COLUMNS = (
    "record",
    "batch",
    "type",
    "psp_reference",
    "merchant_reference",
    "original_reference",
    "created_at",
    "currency",
    "gross",
    "fee",
    "net",
    "method",
)
OPTIONAL = ("value_at", "entry_reference", "client_reference", "paid_currency", "paid_amount", "rate")
TYPES = frozenset(RowType.values)


class PlainReader(CsvReader):
    """One pass over a plain report."""

    title = "CSV"

    def _finish(self) -> None:
        """Mark the report as complete: it ends with its closing balances."""
        self.is_complete = True

    def _rows(self) -> Iterator[FileRow]:
        names = self.header(COLUMNS)
        self._width = len(names)
        place = {name: names.index(name) for name in (*COLUMNS, *OPTIONAL) if name in names}
        self._record = [place[name] for name in COLUMNS]
        self._optional = {name: place[name] for name in OPTIONAL if name in place}
        for cells in self.cells:
            if len(cells) != self._width:
                if not any(cells):
                    continue
                self.refuse_width()
            kind = cells[self._record[0]]
            if kind == "row":
                yield self._row(cells)
            elif kind in ("opening", "closing"):
                self._balance(kind, cells)
            else:
                raise cell_error(
                    self.line,
                    "record",
                    _("expected opening, row or closing, found “%(value)s”.") % {"value": kind[:40]},
                )

    def _balance(self, kind: str, cells: Sequence[str]) -> None:
        line, currency = self.line, cells[self._record[7]]
        checked_currency(line, "currency", currency, longest=5)
        balances = self.opening if kind == "opening" else self.closing
        if currency in balances:
            raise cell_error(line, "record", _("a second %(kind)s balance of that currency.") % {"kind": kind})
        if kind == "closing":
            self.closing_at[currency] = (line, "net")
        balances[currency] = exact_minor(line, "net", cells[self._record[10]], currency)
        self.days.append(moment(line, "created_at", cells[self._record[6]]).date())

    def _row(self, cells: Sequence[str]) -> FileRow:
        line = self.line
        _record, batch, kind, own, merchant, original, at, currency, gross_text, fee_text, net_text, _method = (
            cells[place] for place in self._record
        )
        if currency not in self.opening:
            checked_currency(line, "currency", currency, longest=5)
        if kind not in TYPES:
            raise cell_error(line, "type", _("“%(value)s” is not a known type.") % {"value": kind[:40]})
        if not own:
            raise cell_error(line, "psp_reference", _("the value is missing."))
        gross = exact_minor(line, "gross", gross_text, currency)
        fee = exact_minor(line, "fee", fee_text, currency)
        net = exact_minor(line, "net", net_text, currency)
        if gross - fee != net:
            raise cell_error(line, "net", _("gross less fee is not net."))
        row = FileRow(
            line,
            kind,
            own[:100],
            merchant[:100],
            original[:100],
            batch[:60],
            moment(line, "created_at", at),
            currency,
            gross,
            fee,
            net,
        )
        return self._add_optional(row, cells) if self._optional else row

    def _add_optional(self, row: FileRow, cells: Sequence[str]) -> FileRow:
        more = {name: cells[place].strip() for name, place in self._optional.items()}
        value_at: dt.datetime | None = None
        if text := more.get("value_at"):
            value_at = moment(row.line, "value_at", text)
        row = row._replace(
            value_at=value_at,
            entry_reference=more.get("entry_reference", "")[:100],
            client_reference=more.get("client_reference", "")[:100],
        )
        paid = more.get("paid_currency", "")
        if not paid or paid == row.currency:
            return row
        checked_currency(row.line, "paid_currency", paid, longest=5)
        minor = exact_minor(row.line, "paid_amount", more.get("paid_amount", ""), paid)
        rate: Decimal | None = None
        if text := more.get("rate"):
            rate = exact_rate(row.line, "rate", text)
            if not agrees_with_rate(minor, paid, rate, row.gross_minor, row.currency):
                raise cell_error(row.line, "rate", _("the amount paid at this rate isn't the gross amount."))
        return row._replace(paid_currency=paid, paid_minor=minor, rate=rate)
