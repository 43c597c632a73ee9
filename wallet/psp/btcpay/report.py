"""BTCPay Server's reports “Payments” and “Payouts” in CSV, alone or one after the other.

| table | columns that count (older names) |
|---|---|
| Payments | Date, InvoiceId, OrderId, Confirmed, PaymentCurrency (Crypto), PaymentAmount (CryptoAmount), InvoiceCurrency (Currency), InvoiceCurrencyAmount (CurrencyAmount), Rate |
| Payouts | Date, Source, State, Crypto, CryptoAmount, Currency, CurrencyAmount, Destination |

A payment is booked in its invoice's currency, as the deposit is; several payments to one invoice are several rows. The coins and
the rate are beside it, and coins × rate must be that amount. Payments that are not confirmed and payouts that are not
completed are left out and counted. A payout's source is the name of its pull payment, which is our reference: whether it was
a refund is in our books only. There are no balances (the coins are in the merchant's own wallet) and no fees: the opening is zero.
"""  # noqa: E501 (a table)

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO

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
    require_columns,
)
from wallet.psp.values import FileRow

ALIASES = {
    "PaymentCurrency": "Crypto",
    "PaymentAmount": "CryptoAmount",
    "InvoiceCurrency": "Currency",
    "InvoiceCurrencyAmount": "CurrencyAmount",
}
PAYMENTS = (
    "Date",
    "InvoiceId",
    "OrderId",
    "Confirmed",
    "PaymentCurrency",
    "PaymentAmount",
    "InvoiceCurrency",
    "InvoiceCurrencyAmount",
    "Rate",
)
PAYOUTS = ("Date", "Source", "State", "Crypto", "CryptoAmount", "Currency", "CurrencyAmount")
YES_NO = {"true": True, "false": False}
STATES = frozenset({"AwaitingApproval", "AwaitingPayment", "InProgress", "Completed", "Cancelled"})
PIECE = 1_000
RefundsAmong = Callable[[Sequence[str]], set[str]]


class BtcPayReader(CsvReader):
    """One pass over a file of one or both tables. refunds_among: which of these references of ours are refunds."""

    title = "BTCPay Server"

    def __init__(self, file: BinaryIO, *, refunds_among: RefundsAmong) -> None:
        super().__init__(file)
        self._refunds_among = refunds_among
        self._places: dict[str, int] = {}
        self._is_payouts = False
        self._width = 0

    def _rows(self) -> Iterator[FileRow]:
        rows = self._read_rows()
        while piece := list(islice(rows, PIECE)):
            refunds = self._refunds_among([row.merchant_reference for row in piece if row.type == RowType.PAYOUT])
            yield from (
                row._replace(type=RowType.REFUND) if row.merchant_reference in refunds else row for row in piece
            )
        if not self.row_count:
            raise BadFile(_("The report has no rows. Nothing was imported."))

    def _read_rows(self) -> Iterator[FileRow]:
        for cells in self.cells:
            if not any(cells):
                continue
            if not self._places or cells[0].strip() == "Date":
                self._table(cells)
                continue
            if len(cells) != self._width:
                self.refuse_width()
            row = self._payout(cells) if self._is_payouts else self._payment(cells)
            if row is not None:
                yield row

    def _table(self, cells: Sequence[str]) -> None:
        names = [name.strip() for name in cells]
        self._is_payouts = "Source" in names
        if not self._is_payouts:
            old = {name: new for new, name in ALIASES.items()}
            names = [name if name in PAYMENTS else old.get(name, name) for name in names]
        columns = PAYOUTS if self._is_payouts else PAYMENTS
        require_columns(self.line, names, columns)
        self._places = {name: names.index(name) for name in columns}
        if "Destination" in names:
            self._places["Destination"] = names.index("Destination")
        self._width = len(names)

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self._places.get(name)
        return "" if place is None else cells[place].strip()

    def _payment(self, cells: Sequence[str]) -> FileRow | None:
        line = self.line
        currency = checked_currency(line, "InvoiceCurrency", self._cell(cells, "InvoiceCurrency"), longest=5)
        confirmed = YES_NO.get(self._cell(cells, "Confirmed").lower())
        if confirmed is None:
            raise cell_error(line, "Confirmed", _("expected true or false."))
        if not confirmed:
            self._leave_out(line, currency)
            return None
        invoice = self._cell(cells, "InvoiceId")
        if not invoice:
            raise cell_error(line, "InvoiceId", _("the value is missing."))
        gross = exact_minor(line, "InvoiceCurrencyAmount", self._cell(cells, "InvoiceCurrencyAmount"), currency)
        row = FileRow(
            line,
            RowType.PAYMENT,
            invoice[:100],
            self._cell(cells, "OrderId")[:100],
            "",
            "",
            moment(line, "Date", self._cell(cells, "Date")),
            currency,
            gross,
            0,
            gross,
        )
        return self._add_coins(row, cells, "PaymentCurrency", "PaymentAmount", self._cell(cells, "Rate"))

    def _payout(self, cells: Sequence[str]) -> FileRow | None:
        line = self.line
        currency = checked_currency(line, "Currency", self._cell(cells, "Currency"), longest=5)
        state = self._cell(cells, "State")
        if state not in STATES:
            raise cell_error(line, "State", _("“%(value)s” is not a known state.") % {"value": state[:40]})
        if state != "Completed":
            self._leave_out(line, currency)
            return None
        source = self._cell(cells, "Source")
        own = source or self._cell(cells, "Destination")
        if not own:
            raise cell_error(line, "Source", _("the value is missing."))
        gross = -exact_minor(line, "CurrencyAmount", self._cell(cells, "CurrencyAmount"), currency)
        row = FileRow(
            line,
            RowType.PAYOUT,
            own[:100],
            source[:100],
            "",
            "",
            moment(line, "Date", self._cell(cells, "Date")),
            currency,
            gross,
            0,
            gross,
        )
        return self._add_coins(row, cells, "Crypto", "CryptoAmount", "")

    def _add_coins(self, row: FileRow, cells: Sequence[str], unit: str, column: str, rate_text: str) -> FileRow:
        coin, text = self._cell(cells, unit), self._cell(cells, column)
        if not coin or not text or coin == row.currency:
            return row
        checked_currency(row.line, unit, coin, longest=5)
        minor = exact_minor(row.line, column, text, coin) * (-1 if row.gross_minor < 0 else 1)
        rate = None
        if rate_text:
            rate = exact_rate(row.line, "Rate", rate_text)
            if not agrees_with_rate(minor, coin, rate, row.gross_minor, row.currency):
                raise cell_error(row.line, "Rate", _("the coins at this rate don't match the amount."))
        return row._replace(paid_currency=coin, paid_minor=minor, rate=rate)


def as_csv(answer: Mapping[str, Any]) -> str:
    """Write a list from the Greenfield API as the server's own page exports it.

    Amounts come as {"v": "0.001", "d": 8}.
    """
    if not answer["data"]:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(str(field["name"]) for field in answer["fields"])
    for record in answer["data"]:
        writer.writerow(_plain(value) for value in record)
    return out.getvalue()


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value["v"])
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
