"""Reading a settlement report in CSV: every field checked, every total proved, every complaint with line and column."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.money import exponent
from wallet.choices import RowType
from wallet.psp.base import FileRow, SettlementFile

COLUMNS = (
    "record", "batch", "type", "psp_reference", "merchant_reference", "original_reference", "created_at", "currency", "gross",
    "fee", "net", "method",
)  # fmt: skip
BYTES_MAX = 64 * 1024 * 1024


class BadFile(DomainError):
    """The file can't be what it says; nothing of it was imported."""

    code = "bad_settlement_file"


def wrong(line: int, column: str, message: str) -> BadFile:
    """A complaint that names line and column."""
    return BadFile(
        _("Line %(line)s, column “%(column)s”: %(message)s Nothing was imported.")
        % {"line": line, "column": column, "message": message}
    )


def decoded(content: bytes) -> str:
    """The file as text. Raises BadFile."""
    if len(content) > BYTES_MAX:
        raise BadFile(_("The file is larger than 64 MB. Ask the PSP for a shorter period."))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(
            _("The file is not UTF-8 text (byte %(place)s). Nothing was imported.") % {"place": error.start}
        ) from error


def exact_minor(line: int, column: str, text: str, currency: str) -> int:
    """An amount in major units as minor units, exactly. Raises BadFile."""
    text = text.strip()
    try:
        amount = Decimal(text)
        scaled = amount.scaleb(exponent(currency))
    except InvalidOperation:
        raise wrong(line, column, _("“%(value)s” is not an amount like 123.45.") % {"value": text}) from None
    if not amount.is_finite() or scaled != scaled.to_integral_value():
        raise wrong(
            line,
            column,
            _("“%(value)s” is finer than the smallest unit of %(currency)s.") % {"value": text, "currency": currency},
        )
    if abs(scaled) >= 10**17:
        raise wrong(line, column, _("“%(value)s” is too large.") % {"value": text})
    return int(scaled)


def read_settlement_csv(content: bytes) -> SettlementFile:
    """Parse and prove: columns, dates, amounts in the currency's own precision, net = gross − fee, opening + Σ = closing."""
    text = decoded(content)
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        present = list(reader.fieldnames or [])
    except csv.Error as error:
        raise wrong(1, "—", f"{error}.")
    if missing := [name for name in COLUMNS if name not in present]:
        named = ", ".join(missing) if present else _("all")
        raise BadFile(_("Line 1: these columns are missing: %(columns)s. Nothing was imported.") % {"columns": named})
    return _Reader().read(reader)


class _Reader:
    """One pass over a report."""

    def __init__(self) -> None:
        self.rows: list[FileRow] = []
        self.opening: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.days: list[dt.date] = []
        self.line = 1

    def read(self, reader: csv.DictReader) -> SettlementFile:
        try:
            for record in reader:
                self.line = reader.line_num
                self._record(record)
        except csv.Error as error:
            raise wrong(reader.line_num, "—", str(error))
        if not self.opening or not self.days:
            raise BadFile(_("The report has no opening balance. Nothing was imported."))
        self._prove()
        return SettlementFile(min(self.days), max(self.days), tuple(self.rows), self.opening, self.closing)

    def _record(self, record: dict[str, str]) -> None:
        if None in record or None in record.values():
            raise wrong(self.line, "—", _("the row has more or fewer fields than the header."))
        kind, currency = record["record"], record["currency"]
        if not (currency.isascii() and currency.isupper() and 3 <= len(currency) <= 5):
            raise wrong(self.line, "currency", _("“%(value)s” is not a currency code.") % {"value": currency})
        if kind in ("opening", "closing"):
            balances = self.opening if kind == "opening" else self.closing
            if currency in balances:
                raise wrong(self.line, "record", _("a second %(kind)s balance of that currency.") % {"kind": kind})
            balances[currency] = self._minor(record, "net", currency)
            self.days.append(self._time(record).date())
        elif kind == "row":
            self._row(record, currency)
        else:
            raise wrong(
                self.line, "record", _("expected opening, row or closing, found “%(value)s”.") % {"value": kind}
            )

    def _row(self, record: dict[str, str], currency: str) -> None:
        if record["type"] not in RowType.values:
            raise wrong(self.line, "type", _("“%(value)s” is not a known type.") % {"value": record["type"]})
        if not record["psp_reference"]:
            raise wrong(self.line, "psp_reference", _("it is empty."))
        gross, fee, net = (self._minor(record, column, currency) for column in ("gross", "fee", "net"))
        if gross - fee != net:
            raise wrong(self.line, "net", _("gross less fee is not net."))
        self.rows.append(
            FileRow(
                line=self.line,
                type=record["type"],
                psp_reference=record["psp_reference"][:100],
                merchant_reference=record["merchant_reference"][:100],
                original_reference=record["original_reference"][:100],
                batch=record["batch"][:60],
                booked_at=self._time(record),
                currency=currency,
                gross_minor=gross,
                fee_minor=fee,
                net_minor=net,
            )
        )

    def _minor(self, record: dict[str, str], column: str, currency: str) -> int:
        return exact_minor(self.line, column, record[column], currency)

    def _time(self, record: dict[str, str]) -> dt.datetime:
        text = record["created_at"].strip()
        try:
            at = dt.datetime.fromisoformat(text)
        except ValueError:
            raise wrong(self.line, "created_at", _("“%(value)s” is not a date like 2026-10-31.") % {"value": text})
        return at if at.tzinfo else at.replace(tzinfo=dt.UTC)

    def _prove(self) -> None:
        sums: dict[str, int] = defaultdict(int, self.opening)
        for row in self.rows:
            if row.currency not in self.opening:
                raise wrong(row.line, "currency", _("there is no opening balance in %(c)s.") % {"c": row.currency})
            sums[row.currency] += row.net_minor
        for currency, total in sums.items():
            if currency not in self.closing:
                raise BadFile(_("There is no closing balance in %(c)s. Nothing was imported.") % {"c": currency})
            if total != self.closing[currency]:
                raise BadFile(
                    _(
                        "The report does not add up in %(currency)s: opening and rows give %(sum)s, closing says "
                        "%(closing)s (minor units). A row is missing or was changed. Nothing was imported."
                    )
                    % {"currency": currency, "sum": total, "closing": self.closing[currency]}
                )
