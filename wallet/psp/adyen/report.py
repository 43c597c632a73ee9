"""Adyen's settlement details report: columns by place, every row proved, every batch that was paid out adds up to zero.

A row's net is its gross less commission, mark-up, scheme fee and interchange; debits and credits stand in columns of their
own. The batch number is what the bank statement shows. The report carries no balances: the opening is zero.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from wallet.choices import RowType
from wallet.psp.base import FileRow, SettlementFile
from wallet.psp.settlement_csv import BadFile, decoded, exact_minor, wrong

COLUMNS = (
    "Company Account", "Merchant Account", "Psp Reference", "Merchant Reference", "Payment Method", "Creation Date",
    "TimeZone", "Type", "Modification Reference", "Gross Currency", "Gross Debit (GC)", "Gross Credit (GC)", "Exchange Rate",
    "Net Currency", "Net Debit (NC)", "Net Credit (NC)", "Commission (NC)", "Markup (NC)", "Scheme Fees (NC)",
    "Interchange (NC)",
)  # fmt: skip
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
    **dict.fromkeys(
        (
            "Fee", "MiscCosts", "PaymentCost", "DepositCorrection", "InvoiceDeduction", "MatchedStatement",
            "ManualCorrected", "BankInstructionReturned", "EpaPaid", "Balancetransfer", "BalanceTransfer",
        ),
        RowType.FEE,
    ),
}  # fmt: skip
# Zones as the report abbreviates them, where the time zone database has no such name.
ZONES = {
    "CEST": "CET", "BST": "Europe/London", "EDT": "America/New_York", "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles", "CST": "America/Chicago", "CDT": "America/Chicago", "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney", "SGT": "Asia/Singapore", "HKT": "Asia/Hong_Kong", "JST": "Asia/Tokyo",
}  # fmt: skip


def read_settlement_details(content: bytes, *, merchant: str) -> SettlementFile:
    """Raises BadFile naming line and column."""
    reader = csv.reader(io.StringIO(decoded(content)), strict=True)
    rows: list[FileRow] = []
    try:
        for cells in reader:
            if not any(cells) or cells[0].strip() == COLUMNS[0]:
                if cells and cells[0]:
                    _check_header(reader.line_num, cells)
                continue
            rows.append(_Row(reader.line_num, cells).read(merchant))
    except csv.Error as error:
        raise wrong(reader.line_num, "—", f"{error}.") from error
    if not rows:
        raise BadFile(_("The report has no rows. Nothing was imported."))
    _prove_batches(rows)
    days = [row.booked_at.date() for row in rows]
    closing: dict[str, int] = defaultdict(int)
    for row in rows:
        closing[row.currency] += row.net_minor
    return SettlementFile(min(days), max(days), tuple(rows), dict.fromkeys(closing, 0), dict(closing))


def _check_header(line: int, cells: list[str]) -> None:
    for place, (found, wanted) in enumerate(zip(cells, COLUMNS, strict=False)):
        if found.strip().lower() != wanted.lower():
            raise wrong(
                line, wanted, _("column %(n)s is called “%(found)s”.") % {"n": place + 1, "found": found.strip()[:40]}
            )
    if len(cells) < len(COLUMNS):
        raise wrong(line, COLUMNS[len(cells)], _("it is missing."))


def _prove_batches(rows: list[FileRow]) -> None:
    sums: dict[tuple[str, str], int] = defaultdict(int)
    paid: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row.batch, row.currency)
        sums[key] += row.net_minor
        if row.type == RowType.MERCHANT_PAYOUT:
            paid[key] = row.line
    for key, line in paid.items():
        if sums[key]:
            raise wrong(
                line, "Net Debit (NC)",
                _("batch %(batch)s does not add up: %(sum)s minor units of %(currency)s are left. A row was changed.")
                % {"batch": key[0], "sum": sums[key], "currency": key[1]},
            )  # fmt: skip


class _Row:
    """One line, its cells by name."""

    def __init__(self, line: int, cells: list[str]) -> None:
        if len(cells) < len(COLUMNS) - len(FEES):
            raise wrong(line, "—", _("the row has more or fewer fields than the header."))
        self.line = line
        self.cells = dict.fromkeys(COLUMNS + LATER_COLUMNS, "") | {
            name: cell.strip() for name, cell in zip(COLUMNS + LATER_COLUMNS, cells, strict=False)
        }

    def read(self, merchant: str) -> FileRow:
        cells, currency = self.cells, self.cells["Net Currency"]
        kind = TYPES.get(cells["Type"])
        if kind is None:
            raise wrong(self.line, "Type", _("“%(value)s” is not a known type.") % {"value": cells["Type"]})
        if merchant and cells["Merchant Account"] != merchant:
            raise wrong(
                self.line,
                "Merchant Account",
                _("“%(value)s” is another merchant account.") % {"value": cells["Merchant Account"]},
            )
        if not (currency.isascii() and currency.isupper() and len(currency) == 3):
            raise wrong(self.line, "Net Currency", _("“%(value)s” is not a currency code.") % {"value": currency})
        if cells["Gross Currency"] not in ("", currency):
            raise wrong(
                self.line, "Net Currency",
                _("it is settled in %(net)s though it was paid in %(gross)s. Ask Adyen for a balance in %(gross)s.")
                % {"net": currency, "gross": cells["Gross Currency"]},
            )  # fmt: skip
        fee = sum(self._minor(name, currency) for name in FEES)
        net = self._signed("Net Debit (NC)", "Net Credit (NC)", currency)
        has_gross = bool(cells["Gross Debit (GC)"] or cells["Gross Credit (GC)"])
        gross = self._signed("Gross Debit (GC)", "Gross Credit (GC)", currency) if has_gross else net + fee
        if gross - fee != net:
            raise wrong(self.line, "Net Credit (NC)", _("gross less fees is not net."))
        is_payment = kind in (RowType.PAYMENT, RowType.PAYOUT)
        own = cells["Psp Reference"] if is_payment else cells["Modification Reference"] or cells["Psp Reference"]
        if not own:
            raise wrong(self.line, "Psp Reference", _("it is empty."))
        ours = cells["Modification Merchant Reference"] if kind == RowType.REFUND else ""
        return FileRow(
            line=self.line,
            type=kind,
            psp_reference=own[:100],
            merchant_reference=(ours or cells["Merchant Reference"])[:100],
            original_reference="" if is_payment else cells["Psp Reference"][:100],
            batch=cells["Batch Number"][:60],
            booked_at=self._time(),
            currency=currency,
            gross_minor=gross,
            fee_minor=fee,
            net_minor=net,
        )

    def _minor(self, name: str, currency: str) -> int:
        return exact_minor(self.line, name, self.cells[name], currency) if self.cells[name] else 0

    def _signed(self, debit: str, credit: str, currency: str) -> int:
        if self.cells[debit] and self.cells[credit]:
            raise wrong(self.line, debit, _("debit and credit are both filled in."))
        return self._minor(credit, currency) - self._minor(debit, currency)

    def _time(self) -> dt.datetime:
        text, zone = self.cells["Creation Date"], self.cells["TimeZone"]
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError:
            raise wrong(
                self.line, "Creation Date", _("“%(value)s” is not a date like 2026-10-31.") % {"value": text}
            ) from None
        try:
            return at.replace(tzinfo=ZoneInfo(ZONES.get(zone, zone or "UTC"))).astimezone(dt.UTC)
        except (ZoneInfoNotFoundError, ValueError):
            raise wrong(
                self.line, "TimeZone", _("“%(value)s” is not a time zone that we know.") % {"value": zone}
            ) from None
