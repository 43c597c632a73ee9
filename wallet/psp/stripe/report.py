"""Stripe's financial reports: itemised tables, alone or one after the other in one file, and their proof.

| table (Reporting API) | begins with | what it gives |
|---|---|---|
| `payout_reconciliation.itemized` | automatic_payout_id | rows of automatic payouts; each payout's sum becomes a row of its own |
| `balance_change_from_activity.itemized` | balance_transaction_id | rows of the balance, whether paid out or not |
| `ending_balance_reconciliation.itemized` | balance_transaction_id | rows that no payout had yet at the end |
| `payouts.itemized` | payout_id | what went to our bank, or came back |
| `balance.summary` | category | balance at the beginning and the end: the proof |

Amounts are in major units. Payout reconciliation begins at nothing, since each payout takes its rows away again: what stays is
the ending balance. Activity begins at the summary's starting balance. Without a summary there is nothing to hold the sum
against; each row's net, and each payout, is proved all the same. Stripe itemises no instant payouts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.choices.reconciliation import RowType
from wallet.psp.settlement import (
    BadFile,
    CsvReader,
    Total,
    agrees_with_rate,
    cell_error,
    checked_currency,
    exact_minor,
    exact_rate,
    format_minor,
    moment,
    require_columns,
)
from wallet.psp.stripe.categories import TYPES
from wallet.psp.values import FileRow

ITEMS = ("balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category", "source_id")
OF_PAYOUT = ("automatic_payout_id",)
PAYOUTS = ("payout_id", "currency", "gross", "fee", "net", "reporting_category")
SUMMARY = ("category", "net_amount", "currency")
OPTIONAL = (
    "automatic_payout_id",
    "payment_intent_id",
    "payment_metadata[reference]",
    "refund_metadata[reference]",
    "customer_id",
    "customer_facing_amount",
    "customer_facing_currency",
    "exchange_rate",
    "payout_id",
)
BEGINS = ("automatic_payout_id", "balance_transaction_id", "payout_id", "category")
PICKED = (
    "balance_transaction_id",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "automatic_payout_id",
    "payment_intent_id",
    "payment_metadata[reference]",
    "refund_metadata[reference]",
    "customer_id",
    "customer_facing_amount",
    "customer_facing_currency",
    "exchange_rate",
)
BATCHES_MAX = 100_000


class StripeReader(CsvReader):
    """One pass over a file of one or more tables."""

    title = "Stripe"
    unique_entry = "balance_transaction_id"

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._payouts: dict[tuple[str, str], Payout] = {}
        self._starting: dict[str, int] = {}
        self._ending: dict[str, int] = {}
        self._has_reconciliation = False

    def _rows(self) -> Iterator[FileRow]:
        table: Table | None = None
        for cells in self.cells:
            if not any(cells):
                continue
            if table is None or (cells[0].strip() in BEGINS and len(cells) > 2):
                table = Table(self.line, cells)
                self._has_reconciliation |= table.kind == "reconciliation"
                continue
            if len(cells) != table.width:
                self.refuse_width()
            if table.kind == "summary":
                self._balance(table, cells)
            else:
                row = table.row(self.line, cells)
                if table.kind == "reconciliation":
                    self._add_to_payout(table, row, cells)
                yield row
        if table is None:
            require_columns(1, [], ITEMS)
        yield from self._to_bank()
        if not self.row_count:
            raise BadFile(
                _("The report has no rows: no payout to your bank took effect in this period. Nothing was imported.")
            )

    def _add_to_payout(self, table: Table, row: FileRow, cells: Sequence[str]) -> None:
        key = (row.batch, row.currency)
        payout = self._payouts.get(key)
        if payout is None:
            if len(self._payouts) >= BATCHES_MAX:
                raise cell_error(row.line, "automatic_payout_id", _("there are too many payouts for one period."))
            paid_at = table.time(row.line, cells, "automatic_payout_effective_at")
            payout = self._payouts[key] = Payout(row.line, 0, paid_at)
        payout.total += row.net_minor

    def _to_bank(self) -> Iterator[FileRow]:
        """Add the rows that we derive after the file's own."""
        end = self.line
        for number, ((batch, currency), payout) in enumerate(self._payouts.items(), start=1):
            if payout.total <= 0:
                raise cell_error(
                    payout.line,
                    "net",
                    _("the rows of payout %(payout)s add up to %(sum)s, which can't be paid out: a row is missing.")
                    % {"payout": batch, "sum": format_minor(payout.total, currency)},
                )
            yield FileRow(
                end + number,
                RowType.MERCHANT_PAYOUT,
                batch,
                "",
                "",
                batch,
                payout.at,
                currency,
                -payout.total,
                0,
                -payout.total,
            )

    def _balance(self, table: Table, cells: Sequence[str]) -> None:
        kind = table.cell(cells, "category")
        if kind not in ("starting_balance", "ending_balance"):
            return
        currency = checked_currency(self.line, "currency", table.cell(cells, "currency").upper())
        balances = self._starting if kind == "starting_balance" else self._ending
        if currency in balances:
            raise cell_error(self.line, "category", _("a second %(kind)s balance of that currency.") % {"kind": kind})
        if kind == "ending_balance":
            self.closing_at[currency] = (self.line, "net_amount")
        balances[currency] = exact_minor(self.line, "net_amount", table.cell(cells, "net_amount"), currency)

    def _finish(self) -> None:
        super()._finish()
        for currency, minor in self._ending.items():
            self.totals.setdefault(currency, Total(self.line))
            self.opening[currency] = 0 if self._has_reconciliation else self._starting.get(currency, 0)
            self.closing[currency] = minor
        self.is_complete = bool(self._ending) and self._ending.keys() >= self.totals.keys()


@dataclass(slots=True)
class Payout:
    """One automatic payout: where its rows begin, what they add up to, and when it took effect."""

    line: int
    total: int
    at: dt.datetime


class Table:
    """One table by its header."""

    def __init__(self, line: int, header: Sequence[str]) -> None:
        names = [name.strip() for name in header]
        self.width = len(names)
        self.kind, required = _kind_of(names)
        present = [name.removesuffix("_utc") for name in names] if self.kind != "summary" else names
        require_columns(line, names, required)
        needed = {"reconciliation": ("automatic_payout_effective_at", "created"), "payouts": ("effective_at",)}
        for name in needed.get(self.kind, ("created",) if self.kind == "items" else ()):
            if name not in present:
                require_columns(line, names, [f"{name}_utc"])
        # A time in UTC is taken before the same time in the account's zone.
        self._times: dict[str, int] = {
            name: names.index(f"{name}_utc" if f"{name}_utc" in names else name)
            for name in ("created", "available_on", "automatic_payout_effective_at", "effective_at")
            if name in present
        }
        self._time_names: dict[str, str] = {name: names[place] for name, place in self._times.items()}
        self._places = {name: names.index(name) for name in (*required, *OPTIONAL) if name in names}
        self._currencies: dict[str, str] = {}
        # What is not there is the empty cell that is put behind the last.
        times = [self._times.get("created", -1), self._times.get("available_on", -1)]
        self._pick = itemgetter(*(self._places.get(name, -1) for name in PICKED), *times)

    def cell(self, cells: Sequence[str], name: str) -> str:
        place = self._places.get(name)
        return "" if place is None else cells[place].strip()

    def time(self, line: int, cells: Sequence[str], name: str) -> dt.datetime:
        return moment(line, self._time_names[name], cells[self._times[name]])

    def row(self, line: int, cells: Sequence[str]) -> FileRow:
        return self._payout(line, cells) if self.kind == "payouts" else self._item(line, cells)

    def _kind(self, line: int, cells: Sequence[str]) -> RowType:
        category = self.cell(cells, "reporting_category")
        kind = TYPES.get(category)
        if kind is None:
            raise cell_error(
                line, "reporting_category", _("“%(value)s” is not a known type.") % {"value": category[:40]}
            )
        return kind

    def _amounts(self, line: int, cells: Sequence[str], currency: str) -> tuple[int, int, int]:
        gross, fee, net = (
            exact_minor(line, name, self.cell(cells, name), currency) for name in ("gross", "fee", "net")
        )
        if gross - fee != net:
            raise cell_error(line, "net", _("gross less fee is not net."))
        return gross, fee, net

    def _item(self, line: int, cells: Sequence[str]) -> FileRow:
        (
            entry,
            currency,
            gross_text,
            fee_text,
            net_text,
            category,
            source,
            batch,
            intent,
            of_payment,
            of_refund,
            customer,
            facing_text,
            facing,
            rate_text,
            created,
            value,
        ) = self._pick([*cells, ""])
        if (known := self._currencies.get(currency)) is None:
            known = self._currencies[currency] = checked_currency(line, "currency", currency.strip().upper())
        currency = known
        kind = TYPES.get(category)
        if kind is None:
            raise cell_error(
                line, "reporting_category", _("“%(value)s” is not a known type.") % {"value": category[:40]}
            )
        if self.kind == "reconciliation" and not batch:
            raise cell_error(line, "automatic_payout_id", _("the value is missing."))
        if not entry:
            raise cell_error(line, "balance_transaction_id", _("the value is missing."))
        gross = exact_minor(line, "gross", gross_text, currency)
        fee = exact_minor(line, "fee", fee_text, currency)
        net = exact_minor(line, "net", net_text, currency)
        if gross - fee != net:
            raise cell_error(line, "net", _("gross less fee is not net."))
        is_payment = kind == RowType.PAYMENT
        row = FileRow(
            line,
            kind,
            ((intent if is_payment else "") or source or entry)[:100],
            (of_refund if kind == RowType.REFUND else of_payment)[:100],
            "" if is_payment else intent[:100],
            (batch or (source if kind == RowType.MERCHANT_PAYOUT else ""))[:60],
            moment(line, self._time_names["created"], created),
            currency,
            gross,
            fee,
            net,
            # Of what is held back it is not the day of the release.
            moment(line, "available_on", value) if value and kind != RowType.RESERVE else None,
            entry[:100],
            customer[:100],
        )
        facing = facing.upper()
        return self._converted(row, facing, facing_text, rate_text) if facing and facing != currency else row

    def _converted(self, row: FileRow, facing: str, text: str, charged_in: str) -> FileRow:
        """Add what the client paid, in the currency that they saw.

        Stripe writes no rate here unless it is asked to.
        """
        checked_currency(row.line, "customer_facing_currency", facing)
        if not text:
            return row
        paid = exact_minor(row.line, "customer_facing_amount", text, facing)
        rate = None
        if charged_in:
            rate = exact_rate(row.line, "exchange_rate", charged_in)
            if not agrees_with_rate(paid, facing, rate, row.gross_minor, row.currency):
                raise cell_error(row.line, "exchange_rate", _("the amount paid at this rate isn't the gross amount."))
        return row._replace(paid_currency=facing, paid_minor=paid, rate=rate)

    def _payout(self, line: int, cells: Sequence[str]) -> FileRow:
        currency = checked_currency(line, "currency", self.cell(cells, "currency").upper())
        own = self.cell(cells, "payout_id")
        if not own:
            raise cell_error(line, "payout_id", _("the value is missing."))
        kind = self._kind(line, cells)
        if kind != RowType.MERCHANT_PAYOUT:
            raise cell_error(line, "reporting_category", _("expected a payout."))
        gross, fee, net = self._amounts(line, cells, currency)
        entry = self.cell(cells, "balance_transaction_id") or f"{own}:{self.cell(cells, 'reporting_category')}"
        return FileRow(
            line,
            kind,
            own[:100],
            "",
            "",
            own[:60],
            self.time(line, cells, "effective_at"),
            currency,
            gross,
            fee,
            net,
            None,
            entry[:100],
        )


def _kind_of(names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    kinds: Mapping[str, tuple[str, tuple[str, ...]]] = {
        "automatic_payout_id": ("reconciliation", OF_PAYOUT + ITEMS),
        "payout_id": ("payouts", PAYOUTS),
        "category": ("summary", SUMMARY),
    }
    return kinds.get(names[0] if names else "", ("items", ITEMS))
