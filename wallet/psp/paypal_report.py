"""PayPal's settlement report (STL, version 9), read and proved.

RH report header, FH file header; per account and currency a section: SH header with the period, CH column names, SB one row
per transaction, SF footer (currency, gross credits and debits, fee credits and debits, available balance at the beginning
and the end, each balance after a CR/DR column), SC the number of rows; FF and RF count the rows of file and report.

Amounts are unsigned without a decimal point: `CR` adds, `DR` takes away; their precision is PayPal's (no decimals in JPY, HUF,
TWD). Columns are found by the names in CH, whatever their order. Proved per section: totals of credits, debits and fees, and
beginning + Σ = ending; then the counts of SC, FF and RF.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from crm.money import exponent
from wallet.choices import RowType
from wallet.psp.base import FileRow, SettlementFile
from wallet.psp.paypal_words import WHOLE_UNITS
from wallet.psp.settlement_csv import BYTES_MAX, BadFile, wrong

NEEDED = (
    "Transaction ID", "Invoice ID", "PayPal Reference ID", "Transaction Event Code", "Transaction Completion Date",
    "Transaction Debit or Credit", "Gross Transaction Amount", "Gross Transaction Currency", "Fee Debit or Credit",
    "Fee Amount", "Fee Currency", "Custom Field",
)  # fmt: skip
# By PayPal's transaction event codes; groups (T00, T04 …) where the single code is not named.
CODES = {
    "T0001": RowType.PAYOUT,
    "T1106": RowType.CHARGEBACK,
    "T1107": RowType.REFUND,
    "T1201": RowType.CHARGEBACK,
    "T1202": RowType.CHARGEBACK_REVERSED,
}
GROUPS = {"T00": RowType.PAYMENT, "T01": RowType.FEE, "T04": RowType.MERCHANT_PAYOUT}
FOOTER_FIELDS = 10


def read_stl(content: bytes) -> SettlementFile:
    """Parse and prove. Raises BadFile naming line and column."""
    if len(content) > BYTES_MAX:
        raise BadFile(_("The file is larger than 64 MB. Ask the PSP for a shorter period."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(_("The file is not UTF-8 text (byte %(place)s). Nothing was imported.") % {"place": error.start})
    reader = _Reader()
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for fields in rows:
            if fields:
                reader.take(rows.line_num, fields)
    except csv.Error as error:
        raise wrong(rows.line_num, "—", f"{error}.")
    return reader.finished()


class _Reader:
    """One pass over a report."""

    def __init__(self) -> None:
        self.rows: list[FileRow] = []
        self.opening: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.days: list[dt.date] = []
        self._columns: dict[str, int] = {}
        self._section: list[FileRow] = []
        self._in_section = False
        self._ended: set[str] = set()
        self._batch = ""

    def take(self, line: int, fields: Sequence[str]) -> None:
        kind = fields[0].strip()
        if kind == "SH":
            self._begin(line, fields)
        elif kind == "CH":
            self._name_columns(line, fields)
        elif kind == "SB":
            self._row(line, fields)
        elif kind == "SF":
            self._footer(line, fields)
        elif kind == "SC":
            self._count(line, fields, "SC", len(self._section))
            self._in_section = False
        elif kind in ("FF", "RF"):
            self._count(line, fields, kind, len(self.rows))
            self._ended.add(kind)
        elif kind not in ("RH", "FH"):
            raise wrong(line, "1", _("“%(value)s” is no row type of this report.") % {"value": kind[:20]})

    def finished(self) -> SettlementFile:
        if self._in_section or "RF" not in self._ended:
            raise BadFile(_("The report ends before its footer: a part of it is missing. Nothing was imported."))
        if not self.opening or not self.days:
            raise BadFile(_("The report has no opening balance. Nothing was imported."))
        return SettlementFile(min(self.days), max(self.days), tuple(self.rows), self.opening, self.closing)

    def _begin(self, line: int, fields: Sequence[str]) -> None:
        if len(fields) < 4:
            raise wrong(line, "SH", _("the section header names no period."))
        first, last = (self._time(line, "SH", text) for text in fields[1:3])
        self.days += [first.date(), last.date()]
        self._batch = f"{fields[3]}-{first:%Y%m%d}"[:60]
        self._section, self._columns, self._in_section = [], {}, True

    def _name_columns(self, line: int, fields: Sequence[str]) -> None:
        # PayPal's own files write "Transaction  Debit or Credit" with two spaces.
        self._columns = {" ".join(name.split()): place for place, name in enumerate(fields) if place}
        if missing := [name for name in NEEDED if name not in self._columns]:
            raise wrong(line, "CH", _("these columns are missing: %(names)s.") % {"names": ", ".join(missing)})

    def _row(self, line: int, fields: Sequence[str]) -> None:
        if not self._columns or not self._in_section:
            raise wrong(line, "SB", _("a row outside a section."))
        if len(fields) < max(self._columns[name] for name in NEEDED) + 1:
            raise wrong(line, "—", _("the row has more or fewer fields than the header."))
        row = {name: fields[place].strip() for name, place in self._columns.items() if place < len(fields)}
        currency = row["Gross Transaction Currency"]
        code = row["Transaction Event Code"]
        kind = CODES.get(code) or GROUPS.get(code[:3])
        if kind is None:
            raise wrong(line, "Transaction Event Code", _("“%(value)s” is not a known type.") % {"value": code[:20]})
        gross = self._signed(line, row, "Transaction Debit or Credit", "Gross Transaction Amount", currency)
        fee = -self._signed(line, row, "Fee Debit or Credit", "Fee Amount", currency)
        if fee and row["Fee Currency"] != currency:
            raise wrong(line, "Fee Currency", _("the fee is in another currency than its transaction."))
        if not row["Transaction ID"]:
            raise wrong(line, "Transaction ID", _("it is empty."))
        one = FileRow(
            line=line,
            type=kind,
            psp_reference=row["Transaction ID"][:100],
            merchant_reference=(row["Invoice ID"] or row["Custom Field"])[:100],
            original_reference=row["PayPal Reference ID"][:100],
            batch=self._batch,
            booked_at=self._time(line, "Transaction Completion Date", row["Transaction Completion Date"]),
            currency=currency,
            gross_minor=gross,
            fee_minor=fee,
            net_minor=gross - fee,
        )
        self._section.append(one)
        self.rows.append(one)

    def _footer(self, line: int, fields: Sequence[str]) -> None:
        if len(fields) < FOOTER_FIELDS:
            raise wrong(line, "SF", _("the section's footer is too short."))
        currency = fields[1].strip()
        credits, debits, fee_credits, fee_debits = (
            _amount(line, f"SF {place}", fields[place], currency) for place in (2, 3, 4, 5)
        )
        stray = next((row for row in self._section if row.currency != currency), None)
        if stray is not None:
            raise wrong(stray.line, "Gross Transaction Currency", _("the section is in %(c)s.") % {"c": currency})
        sums: dict[str, int] = defaultdict(int)
        for row in self._section:
            sums["credits" if row.gross_minor >= 0 else "debits"] += abs(row.gross_minor)
            sums["fee_debits" if row.fee_minor >= 0 else "fee_credits"] += abs(row.fee_minor)
        told = {"credits": credits, "debits": debits, "fee_credits": fee_credits, "fee_debits": fee_debits}
        for place, (name, total) in enumerate(told.items(), 2):
            if sums[name] != total:
                words = _("the rows add up to %(sum)s, the footer says %(total)s (minor units).")
                raise wrong(line, f"SF {place}", words % {"sum": sums[name], "total": total})
        opening, closing = (
            _with_sign(
                line, f"SF {place}", fields[place], _amount(line, f"SF {place + 1}", fields[place + 1], currency)
            )
            for place in (6, 8)
        )
        if opening + sum(row.net_minor for row in self._section) != closing:
            raise wrong(line, "SF 9", _("beginning balance and rows do not give the ending balance."))
        if currency in self.opening:
            raise wrong(line, "SF 1", _("a second %(kind)s balance of that currency.") % {"kind": "opening"})
        self.opening[currency], self.closing[currency] = opening, closing

    def _count(self, line: int, fields: Sequence[str], kind: str, counted: int) -> None:
        told = fields[1].strip() if len(fields) > 1 else ""
        if told != str(counted):
            words = _("%(told)s rows are announced, %(counted)s are there.")
            raise wrong(line, kind, words % {"told": told[:20] or "—", "counted": counted})

    def _signed(self, line: int, row: Mapping[str, str], side: str, column: str, currency: str) -> int:
        minor = _amount(line, column, row[column], currency)
        return _with_sign(line, side, row[side], minor) if minor or row[side] else 0

    def _time(self, line: int, column: str, text: str) -> dt.datetime:
        try:
            return dt.datetime.strptime(text.strip(), "%Y/%m/%d %H:%M:%S %z")
        except ValueError:
            words = _("“%(value)s” is not a time like 2026/10/31 23:59:59 +0000.")
            raise wrong(line, column, words % {"value": text[:40]})


def _amount(line: int, column: str, text: str, currency: str) -> int:
    """Unsigned digits in PayPal's own precision, as our minor units."""
    text = text.strip() or "0"
    if not (text.isascii() and text.isdigit()) or len(text) > 17:
        raise wrong(line, column, _("“%(value)s” is not an unsigned amount without a point.") % {"value": text[:40]})
    if not (currency.isascii() and currency.isupper() and len(currency) == 3):
        raise wrong(line, column, _("“%(value)s” is not a currency code.") % {"value": currency[:10]})
    return int(text) * (10 ** exponent(currency) if currency in WHOLE_UNITS else 1)


def _with_sign(line: int, column: str, side: str, minor: int) -> int:
    if side.strip() not in ("CR", "DR"):
        raise wrong(line, column, _("expected CR or DR, found “%(value)s”.") % {"value": side[:20]})
    return minor if side.strip() == "CR" else -minor
