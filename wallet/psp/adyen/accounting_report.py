"""Adyen's Balance Platform Accounting Report: what became of every transfer of our balance account.

Each row is one step of one transfer (`Transfer Id`) and moves its amount between three registers: received, reserved, balance.
Only balance is money: a row that moves it has a `Transaction Id`, all other rows are left out and counted. The report contains
all balance accounts of a platform; those that are not ours are left out, too. So are payments (`platformPayment`): they are in
the settlement details report. Everything else that moves money and is neither a bank transfer, a fee nor a reserve is missing
here until two people decide what it is.

Proof: money moves under a transaction's id, which occurs once; a booked transfer moves the balance by its amount; once the first
and the last step of a transfer are in the report, nothing of it is left received or reserved. There are no balances: the
opening is zero.

Confirmed by Adyen's public pages: the columns' names, the registers, ids, the main categories, `bankTransfer`, `booked`. They are
found by name whatever their order, case and spaces, in CSV or TSV. From our own reading: that `returned` (or `failed`, after it
was booked) moves the balance back under the same Transfer Id with a Transaction Id of its own, the names of fees and reserves,
and the categories `grants`, `interest`, `migration` and `upgrade`.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.choices.reconciliation import MovementKind, RowType
from wallet.psp.adyen.zones import Zones
from wallet.psp.settlement import (
    BadFile,
    CsvReader,
    EmptyReport,
    cell_error,
    checked_currency,
    exact_minor,
    format_minor,
    require_columns,
)
from wallet.psp.values import FileRow

COLUMNS = (
    "BalanceAccount",
    "Transfer Id",
    "Transaction Id",
    "Category",
    "Status",
    "Type",
    "Booking Date",
    "Booking Date TimeZone",
    "Currency",
    "Amount",
    "Payment Currency",
    "Received (PC)",
    "Reserved (PC)",
    "Balance (PC)",
    "Reference",
)
OPTIONAL = ("Value Date", "Value Date TimeZone")
ACCOUNT, TRANSFER, TRANSACTION, CATEGORY, STATUS, TYPE = COLUMNS[:6]
BOOKED_AT, ZONE, CURRENCY, AMOUNT, PAID_IN, RECEIVED, RESERVED, BALANCE, REFERENCE = COLUMNS[6:]
BANK, PAYMENTS = "bank", "platformPayment"
CATEGORIES = frozenset(
    {BANK, PAYMENTS, "card", "grants", "interest", "internal", "issuedCard", "migration", "topUp", "upgrade"}
)
TYPES = {
    "fee": RowType.FEE,
    "invoiceDeduction": RowType.FEE,
    "miscCost": RowType.FEE,
    "depositCorrection": RowType.RESERVE,
    "reserveAdjustment": RowType.RESERVE,
}
FIRST = "received"
CAME_BACK = frozenset({"returned", "failed"})
LAST = frozenset({"booked", "credited", "refused", "rejected", "cancelled", "expired", *CAME_BACK})
HEAD_BYTES = 8 * 1024


def is_accounting_report(head: bytes) -> bool:
    """Do these first bytes of a file name its columns?"""
    names = _plain(head.partition(b"\n")[0].decode("utf-8-sig", "replace"))
    return _plain(ACCOUNT) in names and _plain(TRANSFER) in names


def open_report(file: BinaryIO) -> tuple[BinaryIO, bytes]:
    """Open a report to be read from its beginning, and peek at what it begins with."""
    source = io.BufferedReader(file, HEAD_BYTES)  # type: ignore[type-var]
    return source, source.peek(HEAD_BYTES)[:HEAD_BYTES]


@dataclass(slots=True)
class Steps:
    """What one transfer has left in the registers before the balance, and how much of its way the report shows."""

    line: int
    received: int = 0
    reserved: int = 0
    is_begun: bool = False
    is_over: bool = False


class AccountingReader(CsvReader):
    """One pass over the accounting report of one or more days; `head` shows whether commas or tabs are between its cells."""

    title = "Adyen balance platform"
    unique_entry = TRANSACTION
    covers = frozenset({MovementKind.PAYOUT.value})

    def __init__(self, file: BinaryIO, head: bytes, *, balance_account: str) -> None:
        self.delimiter = "\t" if b"\t" in head.partition(b"\n")[0] else ","
        super().__init__(file)
        self._account = balance_account
        self._zones = Zones()
        self._places: dict[str, int] = {}
        self._width = 0
        self._under_way: dict[tuple[str, str], Steps] = {}
        self._days: set[dt.date] = set()

    def _rows(self) -> Iterator[FileRow]:
        if not self._account:
            raise BadFile(
                _("Enter the balance account for payouts first: the report covers every account of the platform.")
            )
        self._header(next(self.cells, []))
        for cells in self.cells:
            if not any(cells):
                continue
            if _plain(cells[0]) == self._first:  # the report of the next day
                self._header(cells)
                continue
            if len(cells) != self._width:
                self.refuse_width()
            row = self._row({name: cells[place].strip() for name, place in self._places.items()})
            if row is not None:
                yield row
        if not self._days:
            raise EmptyReport(
                _("The report has no rows for balance account %(account)s. Nothing was imported.")
                % {"account": self._account}
            )
        if not self.row_count:
            raise EmptyReport(_("The report has no rows. Nothing was imported."))
        self._prove_transfers()
        self.days = sorted(self._days)

    def _header(self, cells: Sequence[str]) -> None:
        names = [_plain(name) for name in cells]
        known = {_plain(name): name for name in (*COLUMNS, *OPTIONAL)}
        require_columns(self.line or 1, [known.get(name, name) for name in names], COLUMNS)
        self._places = {name: names.index(plain) for plain, name in known.items() if plain in names}
        self._width, self._first = len(cells), names[0]

    def _row(self, cells: dict[str, str]) -> FileRow | None:
        line, currency = self.line, cells[PAID_IN]
        checked_currency(line, PAID_IN, currency)
        if cells[ACCOUNT] != self._account:
            self._leave_out(line, currency)
            return None
        for column in (TRANSFER, STATUS, TYPE):
            if not cells[column]:
                raise cell_error(line, column, _("the value is missing."))
        if cells[CATEGORY] not in CATEGORIES:
            raise cell_error(line, CATEGORY, _("“%(value)s” is not a known type.") % {"value": cells[CATEGORY][:40]})
        local = self._zones.local(line, BOOKED_AT, cells[BOOKED_AT], ZONE, cells[ZONE])
        self._days.add(local.date())
        received, reserved, balance = (
            exact_minor(line, column, cells[column], currency) if cells[column] else 0
            for column in (RECEIVED, RESERVED, BALANCE)
        )
        if cells[CATEGORY] == BANK:
            self._step(cells, received, reserved, balance)
        if not balance or cells[CATEGORY] == PAYMENTS:
            self._leave_out(line, currency)
            return None
        if not cells[TRANSACTION]:
            raise cell_error(line, TRANSACTION, _("the value is missing."))
        return self._money(cells, local, balance)

    def _money(self, cells: dict[str, str], local: dt.datetime, balance: int) -> FileRow:
        kind = self._kind(cells, balance)
        # What came back is known to us under an id that two people took from a message: our reference ties it.
        is_return = kind == RowType.PAYOUT and balance > 0 and bool(cells[REFERENCE])
        value_at = None
        if cells.get("Value Date"):
            value_at = self._zones.local(
                self.line,
                "Value Date",
                cells["Value Date"],
                "Value Date TimeZone",
                cells.get("Value Date TimeZone", ""),
            ).astimezone(dt.UTC)
        return FileRow(
            self.line,
            kind,
            "" if is_return else cells[TRANSFER][:100],
            cells[REFERENCE][:100],
            cells[TRANSFER][:100] if is_return else "",
            "",
            local.astimezone(dt.UTC),
            cells[PAID_IN],
            balance,
            0,
            balance,
            value_at,
            cells[TRANSACTION][:100],
        )

    def _kind(self, cells: dict[str, str], balance: int) -> RowType:
        """Classify what a row moves; a bank transfer by its state and sign.

        Out is a client's payout, in is from our own bank.
        """
        if cells[CATEGORY] != BANK or cells[TYPE] in TYPES:
            return TYPES.get(cells[TYPE], RowType.ADJUSTMENT)
        if cells[STATUS] == "booked":
            return RowType.PAYOUT if balance < 0 else RowType.MERCHANT_PAYOUT
        if cells[STATUS] in CAME_BACK:
            return RowType.PAYOUT if balance > 0 else RowType.MERCHANT_PAYOUT
        raise cell_error(self.line, STATUS, _("“%(value)s” is not a known state.") % {"value": cells[STATUS][:40]})

    def _step(self, cells: dict[str, str], received: int, reserved: int, balance: int) -> None:
        """One more step of a bank transfer; one that is over and has left nothing is forgotten."""
        line, currency, status = self.line, cells[PAID_IN], cells[STATUS]
        if status == "booked":
            amount = exact_minor(line, AMOUNT, cells[AMOUNT], currency) if cells[CURRENCY] == currency else balance
            if not balance or abs(amount) != abs(balance):
                raise cell_error(line, BALANCE, _("the balance doesn't change by the amount."))
        key = (cells[TRANSFER], currency)
        steps = self._under_way.setdefault(key, Steps(line))
        steps.received += received
        steps.reserved += reserved
        steps.is_begun |= status == FIRST
        steps.is_over |= status in LAST
        if steps.is_over and not (steps.received or steps.reserved):
            del self._under_way[key]

    def _prove_transfers(self) -> None:
        for (transfer, currency), steps in self._under_way.items():
            if steps.is_begun and steps.is_over:
                column, left = (RECEIVED, steps.received) if steps.received else (RESERVED, steps.reserved)
                raise cell_error(
                    steps.line,
                    column,
                    _("transfer %(transfer)s does not add up: %(sum)s are left. A row is missing or was changed.")
                    % {"transfer": transfer[:40], "sum": format_minor(left, currency)},
                )


def _plain(name: str) -> str:
    return "".join(name.lower().split())
