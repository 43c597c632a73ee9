"""The cashier's list of transactions in CSV, by the field names and in the units of its API (version 1.3).

Columns: tid, order_id, cid, transaction_type, transaction_status, created_timestamp, currency, amount, processed_currency,
processed_amount, fee; and where they are there conversion_rate, original_tid, updated_timestamp, settlement_id. Amounts are
unsigned minor units. What counts is the processed amount in its currency (`charge_amount`, `charge_currency` before 1.3); what
the client was asked for is beside it, and asked × conversion rate must be processed.

Only final states move money: the rest is left out and counted. A sale whose state is `chargeback` or `reversed` was approved
before: its taking back is a row of its own behind the file's. Rows of type `total` (tid: number of rows that count, with the
signed sums of processed_amount and fee per processed currency) prove the file; when one is there, each currency must have one.
Ours, because the cashier's public documentation gives no report: the columns fee, settlement_id and the totals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.choices.reconciliation import RowType
from wallet.psp.settlement import (
    BadFile,
    CsvReader,
    agrees_with_rate,
    cell_error,
    checked_currency,
    exact_rate,
    format_minor,
    plausible,
    require_columns,
)
from wallet.psp.values import FileRow

COLUMNS = (
    "tid",
    "order_id",
    "cid",
    "transaction_type",
    "transaction_status",
    "created_timestamp",
    "currency",
    "amount",
    "processed_currency",
    "processed_amount",
    "fee",
)
OPTIONAL = ("conversion_rate", "original_tid", "updated_timestamp", "settlement_id")
OLD_NAMES = {"charge_currency": "processed_currency", "charge_amount": "processed_amount"}
TYPES = {
    "sale": RowType.PAYMENT,
    "payout": RowType.PAYOUT,
    "refund": RowType.REFUND,
    "settlement": RowType.MERCHANT_PAYOUT,
    "fee": RowType.FEE,
}
NOT_MONEY = frozenset(
    {
        "initialized",
        "requested",
        "pending",
        "pending_async",
        "authorized",
        "in progress",
        "in_progress",
        "declined",
        "rejected",
        "cancelled",
        "error",
    }
)
# state → what a sale becomes beside its payment; a payout that is reversed comes back as a payout.
TAKEN_BACK = {"chargeback": RowType.CHARGEBACK, "reversed": RowType.REFUND}
STAMP_MAX = 4_102_444_800  # the year 2100


class PraxisReader(CsvReader):
    """One pass over a list of transactions."""

    title = "Cashier"

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._places: dict[str, int] = {}
        self._reversals: list[FileRow] = []
        self._totals: dict[str, tuple[int, int, int, int]] = {}
        self._counted: dict[str, list[int]] = {}

    def _rows(self) -> Iterator[FileRow]:
        names = [OLD_NAMES.get(name.strip(), name.strip()) for name in next(self.cells, [])]
        require_columns(1, names, COLUMNS)
        self._places = {name: names.index(name) for name in (*COLUMNS, *OPTIONAL) if name in names}
        width = len(names)
        for cells in self.cells:
            if not any(cells):
                continue
            if len(cells) != width:
                self.refuse_width()
            if self._cell(cells, "transaction_type") == "total":
                self._read_total(cells)
                continue
            row = self._row(cells)
            if row is not None:
                counted = self._counted.setdefault(row.currency, [0, 0, 0])
                counted[0] += 1
                counted[1] += row.gross_minor
                counted[2] += row.fee_minor
                yield row
        if not self.row_count:
            raise BadFile(_("The report has no rows. Nothing was imported."))
        end = self.line
        for number, row in enumerate(self._reversals, start=1):
            yield row._replace(line=end + number)

    def _finish(self) -> None:
        super()._finish()
        self.is_complete = bool(self._totals)
        if self._totals and (missing := [currency for currency in self._counted if currency not in self._totals]):
            raise BadFile(_("There is no total for %(c)s. Nothing was imported.") % {"c": ", ".join(missing)})
        for currency, (line, *stated) in self._totals.items():
            counted = self._counted.get(currency, [0, 0, 0])
            for name, total, computed in zip(("tid", "processed_amount", "fee"), stated, counted, strict=True):
                if total != computed:
                    message = _("the total is %(total)s, but the rows add up to %(sum)s.")
                    shown = [value if name == "tid" else format_minor(value, currency) for value in (total, computed)]
                    raise cell_error(line, name, message % {"total": shown[0], "sum": shown[1]})

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self._places.get(name)
        return "" if place is None else cells[place].strip()

    def _whole(self, cells: Sequence[str], name: str, *, signed: bool = False) -> int:
        text = self._cell(cells, name)
        digits = text.removeprefix("-") if signed else text
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 17:
            raise cell_error(self.line, name, _("“%(value)s” is not a whole number.") % {"value": text[:40]})
        return int(text)

    def _time(self, cells: Sequence[str], name: str) -> dt.datetime:
        stamp = self._whole(cells, name)
        if not 0 < stamp < STAMP_MAX:
            raise cell_error(self.line, name, _("“%(value)s” is not a Unix time in seconds.") % {"value": stamp})
        return plausible(self.line, name, dt.datetime.fromtimestamp(stamp, dt.UTC))

    def _read_total(self, cells: Sequence[str]) -> None:
        currency = checked_currency(self.line, "processed_currency", self._cell(cells, "processed_currency"), longest=5)
        if currency in self._totals:
            raise cell_error(self.line, "processed_currency", _("a second total for this currency."))
        sums = (self._whole(cells, name, signed=True) for name in ("processed_amount", "fee"))
        self._totals[currency] = (self.line, self._whole(cells, "tid"), *sums)  # type: ignore[assignment]

    def _row(self, cells: Sequence[str]) -> FileRow | None:
        line, name, state = self.line, self._cell(cells, "transaction_type"), self._cell(cells, "transaction_status")
        asked_in = checked_currency(line, "currency", self._cell(cells, "currency"), longest=5)
        kind = TYPES.get(name)
        if kind is None and name != "authorize":
            raise cell_error(line, "transaction_type", _("“%(value)s” is not a known type.") % {"value": name[:40]})
        if kind is None or state in NOT_MONEY:
            self._leave_out(line, self._cell(cells, "processed_currency") or asked_in)
            return None
        if state != "approved" and not (state in TAKEN_BACK and kind in (RowType.PAYMENT, RowType.PAYOUT)):
            raise cell_error(line, "transaction_status", _("“%(value)s” is not a known state.") % {"value": state[:40]})
        tid = self._cell(cells, "tid")
        if not tid:
            raise cell_error(line, "tid", _("the value is missing."))
        currency = checked_currency(line, "processed_currency", self._cell(cells, "processed_currency"), longest=5)
        sign = 1 if kind == RowType.PAYMENT else -1
        gross = sign * self._whole(cells, "processed_amount")
        fee = self._whole(cells, "fee", signed=True) if self._cell(cells, "fee") else 0
        original = self._cell(cells, "original_tid")
        row = FileRow(
            line,
            kind,
            tid[:100],
            self._cell(cells, "order_id")[:100],
            original[:100],
            self._cell(cells, "settlement_id")[:60],
            self._time(cells, "created_timestamp"),
            currency,
            gross,
            fee,
            gross - fee,
            None,
            f"{tid}:{name}"[:100],
            self._cell(cells, "cid")[:100],
        )
        if asked_in != currency:
            row = self._converted(row, cells, asked_in, sign)
        if state in TAKEN_BACK:
            self._add_reversal(row, cells, state)
        return row

    def _converted(self, row: FileRow, cells: Sequence[str], asked_in: str, sign: int) -> FileRow:
        asked, rate = sign * self._whole(cells, "amount"), None
        if text := self._cell(cells, "conversion_rate"):
            rate = exact_rate(row.line, "conversion_rate", text)
            if not agrees_with_rate(asked, asked_in, rate, row.gross_minor, row.currency):
                raise cell_error(row.line, "conversion_rate", _("the amount at this rate isn't the amount processed."))
        return row._replace(paid_currency=asked_in, paid_minor=asked, rate=rate)

    def _add_reversal(self, row: FileRow, cells: Sequence[str], state: str) -> None:
        kind = RowType.PAYOUT if row.type == RowType.PAYOUT else TAKEN_BACK[state]
        at = self._time(cells, "updated_timestamp") if self._cell(cells, "updated_timestamp") else row.booked_at
        back = None if row.paid_minor is None else -row.paid_minor
        self._reversals.append(
            row._replace(
                type=kind,
                gross_minor=-row.gross_minor,
                fee_minor=0,
                net_minor=-row.gross_minor,
                booked_at=at,
                paid_minor=back,
                original_reference=row.psp_reference,
                entry_reference=f"{row.psp_reference}:{state}"[:100],
            )
        )
