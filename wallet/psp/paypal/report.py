"""PayPal's settlement report (STL, version 9), read and proved.

| row | what it is |
|---|---|
| RH, FH | header of the report, of the file (with the number of its part) |
| SH | a section: one account and its period |
| CH | names of the columns |
| SB | one transaction |
| SF | per currency: gross credits and debits, fee credits and debits, available balance at beginning and end, each with CR/DR |
| SC | number of the section's rows |
| RF | as SF, for the whole report; or the number of its rows |
| RC | number of the report's rows |
| FF | number of the file's rows |

Amounts are unsigned without a decimal point: `CR` adds, `DR` takes away; their precision is PayPal's (no decimals in JPY, HUF,
TWD). Columns are found by the names in CH, whatever their order. Proved per section and currency: totals of credits, debits and
fees, and beginning + Σ = ending; sections of one account follow one another without a gap; then all counts. The parts of a
report that PayPal has split, and the reports of several days, may follow one another in one file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from django.utils.translation import gettext as _

from crm.money.amounts import exponent
from wallet.choices.reconciliation import RowType
from wallet.psp.paypal.codes import type_of
from wallet.psp.paypal.mapping import WHOLE_UNITS
from wallet.psp.settlement import BadFile, CsvReader, cell_error, checked_currency, format_minor, plausible
from wallet.psp.values import FileRow

NEEDED = (
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "Transaction Event Code",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
)
PAYER, BANK_REFERENCE = "Consumer ID", "Bank Reference ID"
FOOTER_FIELDS = 10
SIDES = ("credits", "debits", "fee_credits", "fee_debits")


@dataclass(slots=True)
class Sums:
    """One currency's rows, counted as PayPal counts them: unsigned, by side."""

    line: int
    credits: int = 0
    debits: int = 0
    fee_credits: int = 0
    fee_debits: int = 0

    def add(self, gross: int, fee: int) -> None:
        if gross >= 0:
            self.credits += gross
        else:
            self.debits -= gross
        if fee >= 0:
            self.fee_debits += fee
        else:
            self.fee_credits -= fee

    @property
    def net(self) -> int:
        return self.credits - self.debits + self.fee_credits - self.fee_debits


@dataclass(slots=True)
class Section:
    """An account's part of the report, while it is read."""

    line: int
    account: str
    batch: str
    columns: dict[str, int] = field(default_factory=dict)
    least: int = 0
    rows: int = 0
    sums: dict[str, Sums] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)


class StlReader(CsvReader):
    """One pass over one or more reports or parts of them."""

    title = "PayPal STL"

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._section: Section | None = None
        self._of_file = 0
        self._of_report = 0
        self._first_part = 1
        self._report: dict[str, Sums] = {}
        self._balances: dict[tuple[str, str], tuple[int, int]] = {}
        self._is_open = True  # a report without its footer

    def _rows(self) -> Iterator[FileRow]:
        for cells in self.cells:
            if not cells:
                continue
            kind = cells[0].strip()
            if kind == "SB":
                yield self._row(cells)
            elif kind == "CH":
                self._name_columns(cells)
            elif kind == "SH":
                self._begin(cells)
            elif kind == "SF":
                self._section_footer(cells)
            elif kind == "SC":
                self._end_section(cells)
            elif kind in ("RH", "FH"):
                self._header(kind, cells)
            elif kind in ("FF", "RF", "RC"):
                self._footer(kind, cells)
            else:
                raise cell_error(
                    self.line, "1", _("“%(value)s” is not a row type of this report.") % {"value": kind[:20]}
                )

    def _finish(self) -> None:
        if self._section is not None or self._is_open:
            raise BadFile(_("The report ends before its footer: part of it is missing. Nothing was imported."))
        for (_account, currency), (opening, closing) in self._balances.items():
            self.opening[currency] = self.opening.get(currency, 0) + opening
            self.closing[currency] = self.closing.get(currency, 0) + closing
        self.is_complete = True

    # Headers

    def _header(self, kind: str, cells: Sequence[str]) -> None:
        if kind == "FH":
            part = cells[1].strip() if len(cells) > 1 else ""
            number = int(part) if part.isascii() and part.isdigit() and len(part) < 9 else 1
            if not self._of_report:
                self._first_part = number
            self._of_file = 0
        elif not self._is_open:  # the next report begins
            self._of_report, self._first_part, self._report = 0, 1, {}
            self._is_open = True

    def _begin(self, cells: Sequence[str]) -> None:
        if self._section is not None:
            raise cell_error(self.line, "SH", _("a section begins before the previous one has ended."))
        if len(cells) < 4:
            raise cell_error(self.line, "SH", _("the section header has no period."))
        first, last = (self._time("SH", text) for text in cells[1:3])
        self.days += [first.date(), last.date()]
        self._section = Section(self.line, cells[3].strip(), f"{cells[3].strip()}-{first:%Y%m%d}"[:60])

    def _name_columns(self, cells: Sequence[str]) -> None:
        if self._section is None:
            raise cell_error(self.line, "CH", _("a row outside a section."))
        # PayPal's own files write "Transaction  Debit or Credit" with two spaces.
        columns = {" ".join(name.split()): place for place, name in enumerate(cells) if place}
        if missing := [name for name in NEEDED if name not in columns]:
            raise cell_error(
                self.line, "CH", _("these columns are missing: %(names)s.") % {"names": ", ".join(missing)}
            )
        self._section.columns = columns
        self._section.least = max(columns[name] for name in NEEDED) + 1

    # Rows

    def _row(self, cells: Sequence[str]) -> FileRow:
        section, line = self._section, self.line
        if section is None or not section.columns:
            raise cell_error(line, "SB", _("a row outside a section."))
        if len(cells) < section.least:
            self.refuse_width()
        own, invoice, original, code, at, side, amount, currency, fee_side, fee_amount, fee_currency, custom = (
            cells[section.columns[name]].strip() for name in NEEDED
        )
        kind = type_of(code)
        if kind is None:
            raise cell_error(
                line, "Transaction Event Code", _("“%(value)s” is not a known type.") % {"value": code[:20]}
            )
        gross = self._signed("Transaction Debit or Credit", side, "Gross Transaction Amount", amount, currency)
        fee = -self._signed("Fee Debit or Credit", fee_side, "Fee Amount", fee_amount, currency)
        if fee and fee_currency != currency:
            raise cell_error(line, "Fee Currency", _("the fee is in a different currency from its transaction."))
        if not own:
            raise cell_error(line, "Transaction ID", _("the value is missing."))
        if currency in section.closed:
            raise cell_error(line, "Gross Transaction Currency", _("a row after its section's footer."))
        sums = section.sums.get(currency)
        if sums is None:
            sums = section.sums[currency] = Sums(line)
        sums.add(gross, fee)
        section.rows += 1
        self._of_file += 1
        self._of_report += 1
        return FileRow(
            line,
            kind,
            own[:100],
            (invoice or custom)[:100],
            original[:100],
            (
                (self._optional_cell(cells, section, BANK_REFERENCE) if kind == RowType.MERCHANT_PAYOUT else "")
                or section.batch
            )[:60],
            self._time("Transaction Completion Date", at),
            currency,
            gross,
            fee,
            gross - fee,
            None,
            f"{own}:{code}"[:100],
            self._optional_cell(cells, section, PAYER)[:100],
        )

    def _optional_cell(self, cells: Sequence[str], section: Section, name: str) -> str:
        place = section.columns.get(name, 0)
        return cells[place].strip() if 0 < place < len(cells) else ""

    # Footers

    def _section_footer(self, cells: Sequence[str]) -> None:
        section = self._section
        if section is None:
            raise cell_error(self.line, "SF", _("a row outside a section."))
        if len(cells) < FOOTER_FIELDS:
            raise cell_error(self.line, "SF", _("the section's footer is too short."))
        currency = checked_currency(self.line, "SF 1", cells[1].strip())
        if currency in section.closed:
            raise cell_error(self.line, "SF 1", _("a second footer for this currency."))
        section.closed.add(currency)
        sums = section.sums.setdefault(currency, Sums(self.line))
        self._compare("SF", cells, sums, currency)
        opening, closing = (self._balance(f"SF {place}", cells, place, currency) for place in (6, 8))
        if opening + sums.net != closing:
            raise cell_error(
                self.line,
                "SF 9",
                _("opening balance and rows come to %(sum)s, but the closing balance is %(closing)s.")
                % {"sum": format_minor(opening + sums.net, currency), "closing": format_minor(closing, currency)},
            )
        whole = self._report.setdefault(currency, Sums(self.line))
        for side in SIDES:
            setattr(whole, side, getattr(whole, side) + getattr(sums, side))
        self._check_continuity(section.account, currency, opening, closing)

    def _check_continuity(self, account: str, currency: str, opening: int, closing: int) -> None:
        """Check that a later section of the same account continues where the one before ended."""
        known = self._balances.get((account, currency))
        if known is not None and known[1] != opening:
            message = _("it doesn't start where the previous section ended (%(before)s, then %(now)s).")
            values = {"before": format_minor(known[1], currency), "now": format_minor(opening, currency)}
            raise cell_error(self.line, "SF 7", message % values)
        self._balances[account, currency] = (opening if known is None else known[0], closing)

    def _compare(self, name: str, cells: Sequence[str], sums: Sums, currency: str) -> None:
        for place, side in enumerate(SIDES, 2):
            stated, counted = self._amount(f"{name} {place}", cells[place], currency), getattr(sums, side)
            if stated != counted:
                message = _("the rows add up to %(sum)s, the footer says %(total)s.")
                values = {"sum": format_minor(counted, currency), "total": format_minor(stated, currency)}
                raise cell_error(self.line, f"{name} {place}", message % values)

    def _end_section(self, cells: Sequence[str]) -> None:
        section = self._section
        if section is None:
            raise cell_error(self.line, "SC", _("a row outside a section."))
        self._count(cells, "SC", section.rows)
        for currency, sums in section.sums.items():
            if currency not in section.closed:
                raise cell_error(
                    sums.line, "Gross Transaction Currency", _("the section has no footer in %(c)s.") % {"c": currency}
                )
        self._section = None

    def _footer(self, kind: str, cells: Sequence[str]) -> None:
        if self._section is not None:
            raise cell_error(self.line, kind, _("the previous section has no end."))
        text = cells[1].strip() if len(cells) > 1 else ""
        if kind == "FF":
            self._count(cells, kind, self._of_file)
            return
        self._is_open = False
        if self._first_part > 1:  # earlier parts are in other files: only PayPal can count them
            return
        if kind == "RF" and text.isalpha():
            if len(cells) < 6:
                raise cell_error(self.line, "RF", _("the report's footer is too short."))
            currency = checked_currency(self.line, "RF 1", text)
            self._compare("RF", cells, self._report.get(currency, Sums(self.line)), currency)
        else:
            self._count(cells, kind, self._of_report)

    def _count(self, cells: Sequence[str], kind: str, counted: int) -> None:
        text = cells[1].strip() if len(cells) > 1 else ""
        if text != str(counted):
            message = _("the report announces %(told)s rows but contains %(counted)s.")
            raise cell_error(self.line, kind, message % {"told": text[:20] or "—", "counted": counted})

    # Values

    def _amount(self, column: str, text: str, currency: str) -> int:
        """Unsigned digits in PayPal's own precision, as our minor units."""
        text = text.strip() or "0"
        if not (text.isascii() and text.isdigit()) or len(text) > 17:
            raise cell_error(
                self.line,
                column,
                _("“%(value)s” is not an unsigned amount without a decimal point.") % {"value": text[:40]},
            )
        if len(currency) != 3 or not (currency.isascii() and currency.isupper()):
            checked_currency(self.line, column, currency[:20] or "—")
        return int(text) * (10 ** exponent(currency) if currency in WHOLE_UNITS else 1)

    def _signed(self, side_column: str, side: str, column: str, text: str, currency: str) -> int:
        minor = self._amount(column, text, currency)
        if side == "CR":
            return minor
        if side == "DR":
            return -minor
        if minor or side:
            self._refuse_side(side_column, side)
        return 0

    def _balance(self, column: str, cells: Sequence[str], place: int, currency: str) -> int:
        side, minor = cells[place].strip(), self._amount(f"SF {place + 1}", cells[place + 1], currency)
        if side not in ("CR", "DR"):
            self._refuse_side(column, side)
        return minor if side == "CR" else -minor

    def _refuse_side(self, column: str, side: str) -> None:
        raise cell_error(self.line, column, _("expected CR or DR, found “%(value)s”.") % {"value": side[:20]})

    def _time(self, column: str, text: str) -> dt.datetime:
        """2026/10/31 23:59:59 +0000, and nothing else."""
        text = text.strip()
        try:
            if len(text) != 25 or text[4] != "/" or text[7] != "/" or text[10] != " " or text[19] != " ":
                raise ValueError
            at = dt.datetime.fromisoformat(f"{text[:4]}-{text[5:7]}-{text[8:10]}T{text[11:19]}{text[20:]}")
        except ValueError:
            message = _("“%(value)s” is not a time like 2026/10/31 23:59:59 +0000.")
            raise cell_error(self.line, column, message % {"value": text[:40]}) from None
        return plausible(self.line, column, at)
