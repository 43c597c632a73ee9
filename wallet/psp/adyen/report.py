"""Adyen's settlement details report: columns by place, every row proved, every batch that was paid out adds up to zero.

A row's net is its gross less commission, mark-up, scheme fee and interchange; debits and credits are in columns of their
own. Gross is in the currency that the client paid in (GC), fees and net in that of the balance (NC); where these differ, the
row's exchange rate must lead from one to the other. The batch number is what the bank statement shows. The report carries no
balances: the opening is zero. Reports of several batches may follow one another, each with its header or none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.choices.reconciliation import RowType
from wallet.psp.adyen.zones import Zones
from wallet.psp.settlement import (
    CsvReader,
    EmptyReport,
    agrees_with_rate,
    cell_error,
    checked_currency,
    exact_minor,
    exact_rate,
    format_minor,
)
from wallet.psp.values import FileRow

COLUMNS = (
    "Company Account",
    "Merchant Account",
    "Psp Reference",
    "Merchant Reference",
    "Payment Method",
    "Creation Date",
    "TimeZone",
    "Type",
    "Modification Reference",
    "Gross Currency",
    "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate",
    "Net Currency",
    "Net Debit (NC)",
    "Net Credit (NC)",
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
)
LATER_COLUMNS = ("Payment Method Variant", "Modification Merchant Reference", "Batch Number")
FEES = COLUMNS[-4:]
TYPES = {
    "Settled": RowType.PAYMENT,
    "SettledBulk": RowType.PAYMENT,
    "Refunded": RowType.REFUND,
    "RefundedBulk": RowType.REFUND,
    "RefundedReversed": RowType.REFUND,
    "Chargeback": RowType.CHARGEBACK,
    "SecondChargeback": RowType.CHARGEBACK,
    "ChargebackReversed": RowType.CHARGEBACK_REVERSED,
    "PaidOut": RowType.PAYOUT,
    "PaidOutReversed": RowType.PAYOUT,
    "MerchantPayout": RowType.MERCHANT_PAYOUT,
    "MerchantPayin": RowType.MERCHANT_PAYOUT,
    "Fee": RowType.FEE,
    "MiscCosts": RowType.FEE,
    "PaymentCost": RowType.FEE,
    "InvoiceDeduction": RowType.FEE,
    "DepositCorrection": RowType.RESERVE,
    "ReserveAdjustment": RowType.RESERVE,
    "MatchedStatement": RowType.ADJUSTMENT,
    "ManualCorrected": RowType.ADJUSTMENT,
    "BankInstructionReturned": RowType.MERCHANT_PAYOUT,
    "EpaPaid": RowType.ADJUSTMENT,
    "Balancetransfer": RowType.RESERVE,
    "BalanceTransfer": RowType.RESERVE,
}
ALL = COLUMNS + LATER_COLUMNS
LEAST = len(COLUMNS) - len(FEES)
BATCHES_MAX = 100_000
# The balance of a batch that is carried over appears in the next one: with the other sign, within days.
CARRIED_OVER = frozenset({"Balancetransfer", "BalanceTransfer"})
CARRIED_DAYS = dt.timedelta(days=14)
OF_CLIENTS = frozenset(
    {RowType.PAYMENT, RowType.PAYOUT, RowType.REFUND, RowType.CHARGEBACK, RowType.CHARGEBACK_REVERSED}
)


class AdyenReader(CsvReader):
    """One pass over one or more settlement details reports of a merchant account; an empty `merchant` takes any."""

    title = "Adyen"

    def __init__(self, file: BinaryIO, *, merchant: str) -> None:
        super().__init__(file)
        self._merchant = merchant
        self._width = 0
        self._least = len(ALL)
        self._pick: Callable[[Sequence[str]], tuple[str, ...]] = itemgetter(*range(len(ALL)))
        self._sums: dict[tuple[str, str], int] = {}
        self._paid: dict[tuple[str, str], int] = {}
        self._zones = Zones()

    def _rows(self) -> Iterator[FileRow]:
        sums = self._sums
        for cells in self.cells:
            if not any(cells):
                continue
            if cells[0].strip() == COLUMNS[0]:
                self._header(cells)
                continue
            row = self._row(cells)
            key = (row.batch, row.currency)
            sums[key] = sums.get(key, 0) + row.net_minor
            if row.type == RowType.MERCHANT_PAYOUT:
                self._paid[key] = row.line
            if len(sums) > BATCHES_MAX:
                raise cell_error(row.line, "Batch Number", _("there are too many batches for one period."))
            yield row
        if not self.row_count:
            raise EmptyReport(_("The report has no rows. Nothing was imported."))
        self._prove_batches()
        # Adyen writes no end mark; a batch that was paid out and is empty has all its rows.
        self.is_complete = self._paid.keys() == self._sums.keys()

    def _header(self, cells: Sequence[str]) -> None:
        """Check the header: the first twenty columns are in Adyen's order, added ones are found by name."""
        for place, (heading, expected) in enumerate(zip(cells, COLUMNS, strict=False)):
            if heading.strip().lower() != expected.lower():
                raise cell_error(
                    self.line,
                    expected,
                    _("column %(n)s is called “%(found)s”.") % {"n": place + 1, "found": heading.strip()[:40]},
                )
        if len(cells) < len(COLUMNS):
            raise cell_error(self.line, COLUMNS[len(cells)], _("the column is missing."))
        names = [name.strip().lower() for name in cells]
        later = [names.index(name.lower()) if name.lower() in names else len(names) for name in LATER_COLUMNS]
        self._width, self._least = len(names), len(names) + 1  # what is not there is the empty cell behind the last
        self._pick = itemgetter(*range(len(COLUMNS)), *later)

    def _prove_batches(self) -> None:
        """Check that a batch that was paid out is empty afterwards."""
        for key, line in self._paid.items():
            if self._sums[key]:
                raise cell_error(
                    line,
                    "Net Debit (NC)",
                    _("batch %(batch)s does not add up: %(sum)s are left. A row was changed.")
                    % {"batch": key[0], "sum": format_minor(self._sums[key], key[1])},
                )

    def _row(self, cells: list[str]) -> FileRow:
        line = self.line
        if len(cells) < LEAST or (self._width and len(cells) > self._width):
            self.refuse_width()
        cells = [cell.strip() for cell in cells]
        cells += [""] * (self._least - len(cells))
        (
            _company,
            account,
            payment,
            merchant,
            _method,
            created,
            zone,
            name,
            modification,
            paid_in,
            gross_debit,
            gross_credit,
            rate_text,
            currency,
            debit,
            credit,
            *fees,
            _variant,
            modified,
            batch,
        ) = self._pick(cells)
        kind = self._kind(name, account)
        if currency not in self.totals:
            checked_currency(line, "Net Currency", currency)
        is_payment = kind == RowType.PAYMENT or kind == RowType.PAYOUT
        own = payment if is_payment else modification or payment
        if not own:
            if kind in OF_CLIENTS:
                raise cell_error(line, "Psp Reference", _("the value is missing."))
            own = f"{name} {batch}".strip()
        fee = 0
        for column, text in zip(FEES, fees, strict=True):
            if text:
                fee += exact_minor(line, column, text, currency)
        net = self._signed("Net Debit (NC)", debit, "Net Credit (NC)", credit, currency)
        gross, paid, rate = net + fee, None, None
        if gross_debit or gross_credit:
            paid = self._signed("Gross Debit (GC)", gross_debit, "Gross Credit (GC)", gross_credit, paid_in or currency)
            if paid_in and paid_in != currency:
                rate = self._rate(paid, paid_in, rate_text, gross, currency)
            elif paid != gross:
                raise cell_error(line, "Net Credit (NC)", _("gross less fees is not net."))
        is_converted = rate is not None
        at = self._zones.local(line, "Creation Date", created, "TimeZone", zone).astimezone(dt.UTC)
        return FileRow(
            line,
            kind,
            own[:100],
            ((modified if kind == RowType.REFUND else "") or merchant)[:100],
            "" if is_payment else payment[:100],
            batch[:60],
            at,
            currency,
            gross,
            fee,
            net,
            at + CARRIED_DAYS if name in CARRIED_OVER else None,
            modification[:100],
            "",
            paid_in if is_converted else "",
            paid if is_converted else None,
            rate,
        )

    def _kind(self, name: str, account: str) -> RowType:
        kind = TYPES.get(name)
        if kind is None:
            raise cell_error(self.line, "Type", _("“%(value)s” is not a known type.") % {"value": name[:40]})
        if self._merchant and account != self._merchant:
            raise cell_error(
                self.line,
                "Merchant Account",
                _("“%(value)s” is a different merchant account.") % {"value": account[:80]},
            )
        return kind

    def _rate(self, paid: int, paid_in: str, text: str, gross: int, currency: str) -> Decimal:
        checked_currency(self.line, "Gross Currency", paid_in)
        rate = exact_rate(self.line, "Exchange Rate", text)
        if not agrees_with_rate(paid, paid_in, rate, gross, currency):
            raise cell_error(self.line, "Exchange Rate", _("gross at this rate less fees is not net."))
        return rate

    def _signed(self, debit: str, out: str, credit: str, into: str, currency: str) -> int:
        if out and into:
            raise cell_error(self.line, debit, _("debit and credit are both filled in."))
        if into:
            return exact_minor(self.line, credit, into, currency)
        return -exact_minor(self.line, debit, out, currency) if out else 0
