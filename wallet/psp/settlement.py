"""What all settlement reports have in common: one pass with flat memory, exact amounts, a proof, errors with their place.

A reader yields rows while it reads and proves the report when its last row is out. A caller that stores rows must be able to
delete them again: nothing of a report counts before `rows()` has ended.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO, NoReturn

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.i18n import formats
from crm.money.amounts import Money, exponent, from_minor
from wallet.psp.values import FileRow

ROWS_MAX = 5_000_000
BUFFER_BYTES = 256 * 1024
MINOR_MAX = 10**17
SUM_MAX = 10**18  # of a currency's rows; the database counts to nine times that
RATE_MIN, RATE_MAX = Decimal("1e-12"), Decimal(10**10)  # what the database keeps of one
NUMBER_CHARS_MAX = 60
DIGITS_MAX = 28  # a Decimal of more is rounded as soon as it is computed with
YEAR_MIN, YEARS_AHEAD_MAX = 2000, 2
AMOUNT = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
POWERS: tuple[int, ...] = tuple(10**places for places in range(20))


class BadFile(DomainError):
    """The file can't be read or proved; nothing of it was imported."""

    code = "bad_settlement_file"


class EndUnknown(BadFile):
    """It holds as far as it goes, but nothing proves it complete: a person must confirm that. `waiting_id`: where it waits."""

    code = "report_end_unknown"
    waiting_id = 0


class EmptyReport(BadFile):
    """It is sound, and contains nothing of ours."""

    code = "empty_settlement_file"


def cell_error(line: int, column: str, message: str) -> BadFile:
    """Make the error that names line and column."""
    return BadFile(
        _("Line %(line)s, column “%(column)s”: %(message)s Nothing was imported.")
        % {"line": line, "column": column, "message": " ".join(message.splitlines())}
    )


def format_minor(minor: int, currency: str) -> str:
    """Write an amount as pages do, for an error."""
    return formats.money(Money.of_minor(minor, currency))


def exact_minor(line: int, column: str, text: str, currency: str) -> int:
    """Convert an amount in major units to minor units, exactly.

    Raises: BadFile.
    """
    whole, _point, part = text.partition(".")
    places = exponent(currency) - len(part)
    digits = whole + part
    if places >= 0 and len(digits) < 18:  # nearly every amount of a million
        if digits.isdigit() and digits.isascii():
            return int(digits) * POWERS[places]
        if digits[:1] == "-" and digits[1:].isdigit() and digits.isascii():
            return int(digits) * POWERS[places]
    return _checked_minor(line, column, text.strip(), currency)


def _checked_minor(line: int, column: str, text: str, currency: str) -> int:
    if len(text) > NUMBER_CHARS_MAX or not AMOUNT.fullmatch(text):
        raise cell_error(line, column, _("“%(value)s” is not an amount like 123.45.") % {"value": text[:40]})
    scaled = Decimal(text).scaleb(exponent(currency))
    if abs(scaled) >= MINOR_MAX:
        raise cell_error(line, column, _("“%(value)s” is too large.") % {"value": text[:40]})
    is_rounded = sum(letter.isdigit() for letter in text.lstrip("+-0.")) > DIGITS_MAX
    if is_rounded or scaled != scaled.to_integral_value():
        raise cell_error(
            line,
            column,
            _("“%(value)s” has too many decimal places for %(currency)s.") % {"value": text[:40], "currency": currency},
        )
    return int(scaled)


def checked_currency(line: int, column: str, text: str, *, longest: int = 3) -> str:
    """Check that a text is a currency code in capitals.

    Raises: BadFile.
    """
    if not (text.isascii() and text.isalnum() and text.isupper() and 3 <= len(text) <= longest):
        raise cell_error(line, column, _("“%(value)s” isn't a currency code.") % {"value": text[:20]})
    return text


def moment(line: int, column: str, text: str) -> dt.datetime:
    """Read an ISO date or time; UTC where no zone is given.

    Raises: BadFile.
    """
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise cell_error(line, column, _("“%(value)s” is not a date like 2026-10-31.") % {"value": text[:40]}) from None
    return plausible(line, column, at if at.tzinfo else at.replace(tzinfo=dt.UTC))


def plausible(line: int, column: str, at: dt.datetime) -> dt.datetime:
    """Refuse a time at which no PSP can have booked anything.

    Neither we nor the database could compute with the year 1, or show 9999 in another zone. Raises: BadFile.
    """
    if not YEAR_MIN <= at.year <= timezone.now().year + YEARS_AHEAD_MAX:
        raise cell_error(line, column, _("%(day)s is not a plausible booking date.") % {"day": at.date().isoformat()})
    return at


def exact_rate(line: int, column: str, text: str) -> Decimal:
    """Read a rate of exchange above zero.

    Raises: BadFile.
    """
    text = text.strip()
    is_number = len(text) <= NUMBER_CHARS_MAX and AMOUNT.fullmatch(text)
    if not is_number or not RATE_MIN <= (rate := Decimal(text)) < RATE_MAX:
        raise cell_error(line, column, _("“%(value)s” is not an exchange rate.") % {"value": text[:40]})
    return rate


def agrees_with_rate(of_minor: int, of: str, rate: Decimal, is_minor: int, currency: str) -> bool:
    """Check that an amount in `of` is another in `currency` at the rate, as exactly as the rate is written.

    Half a unit of the rate's last digit counts for the amount, and one minor unit for the PSP's rounding.
    """
    amount = abs(from_minor(of_minor, of))
    digits = -int(rate.as_tuple().exponent)
    slack = amount * Decimal(5).scaleb(-digits - 1) + from_minor(1, currency)
    return (of_minor < 0) == (is_minor < 0) and abs(amount * rate - abs(from_minor(is_minor, currency))) <= slack


@dataclass(slots=True)
class Total:
    """What the rows in one currency add up to; `line` is where the currency appears first."""

    line: int
    gross: int = 0
    fee: int = 0
    net: int = 0
    rows: int = 0
    left_out: int = 0


class SettlementReader(ABC):
    """One report. `rows()` once; then first_day, last_day, opening, closing (minor units per currency) and totals are there."""

    title = "CSV"
    # The column of the PSP's own id of a booking (`entry_reference`), where it is unique in a report.
    unique_entry = ""
    # The kinds of movements that are in no other report of the PSP: only these are complete in it. Empty: all kinds are.
    covers: frozenset[str] = frozenset()

    def __init__(self, file: BinaryIO) -> None:
        self._source = _Counted(file)
        self.totals: dict[str, Total] = {}
        self.opening: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        # Line and column of a closing balance, where the file has one.
        self.closing_at: dict[str, tuple[int, str]] = {}
        self.days: list[dt.date] = []
        self.row_count = 0
        # Whether the file itself proves that nothing behind its last row is missing: an end mark, totals, a closing balance.
        self.is_complete = False
        self._earliest: dt.datetime | None = None
        self._latest: dt.datetime | None = None

    @property
    def bytes_read(self) -> int:
        return self._source.count

    @property
    def first_day(self) -> dt.date:
        return min(self.days)

    @property
    def last_day(self) -> dt.date:
        return max(self.days)

    @abstractmethod
    def _read(self) -> Iterator[FileRow]:
        """Read the rows in the file's order, each checked alone."""

    def _finish(self) -> None:
        """Set what a format knows only at the end; here, a report without balances begins at zero."""
        self.opening = dict.fromkeys(self.totals, 0)
        self.closing = {currency: total.net for currency, total in self.totals.items()}

    def rows(self) -> Iterator[FileRow]:
        """Yield each row, then prove the report. Raises BadFile at whatever does not hold."""
        totals = self.totals
        earliest = latest = None
        for row in self._read():
            total = totals.get(row.currency)
            if total is None:
                total = totals[row.currency] = Total(row.line)
            total.gross += row.gross_minor
            total.fee += row.fee_minor
            total.net += row.net_minor
            total.rows += 1
            if not -SUM_MAX < total.net < SUM_MAX:
                raise cell_error(row.line, "net", _("the rows add up to an impossibly large amount."))
            if not (
                row.psp_reference
                + row.merchant_reference
                + row.original_reference
                + row.batch
                + row.entry_reference
                + row.client_reference
            ).isprintable():
                _require_text(row)
            if earliest is None or row.booked_at < earliest:
                earliest = row.booked_at
            if latest is None or row.booked_at > latest:
                latest = row.booked_at
            self.row_count += 1
            if self.row_count > ROWS_MAX:
                raise BadFile(
                    _("The report has more than %(most)s rows. Ask the PSP for a shorter period.") % {"most": ROWS_MAX}
                )
            yield row
        self._earliest, self._latest = earliest, latest
        self._finish()
        if not self.days and earliest is not None and latest is not None:
            self.days = [earliest.astimezone(dt.UTC).date(), latest.astimezone(dt.UTC).date()]
        self._prove()

    def _prove(self) -> None:
        """Prove opening + Σ net = closing, in each currency.

        Raises: BadFile.
        """
        if not self.opening or not self.days:
            raise BadFile(_("The report has no opening balance. Nothing was imported."))
        for currency, total in self.totals.items():
            if currency not in self.opening:
                raise cell_error(total.line, "currency", _("there is no opening balance in %(c)s.") % {"c": currency})
        for currency, opening in self.opening.items():
            rows_total = self.totals.get(currency)
            reached = opening + (rows_total.net if rows_total else 0)
            if currency not in self.closing:
                raise BadFile(_("There is no closing balance in %(c)s. Nothing was imported.") % {"c": currency})
            if reached != self.closing[currency]:
                message = _(
                    "the report does not add up in %(currency)s: opening and rows give %(sum)s, closing says %(closing)s. A row "
                    "is missing or was changed."
                ) % {
                    "currency": currency,
                    "sum": format_minor(reached, currency),
                    "closing": format_minor(self.closing[currency], currency),
                }
                line, column = self.closing_at.get(currency, (rows_total.line if rows_total else 1, "currency"))
                raise cell_error(line, column, message)

    def _leave_out(self, line: int, currency: str) -> None:
        """Count a row that moves no money (pending, declined): it is shown, not stored."""
        self.totals.setdefault(currency, Total(line)).left_out += 1


class CsvReader(SettlementReader):
    """A report in CSV. `line` is the reader's place, counted from 1."""

    delimiter = ","

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        text = io.TextIOWrapper(io.BufferedReader(self._source, BUFFER_BYTES), encoding="utf-8-sig", newline="")
        self.cells = csv.reader(text, strict=True, delimiter=self.delimiter)

    @property
    def line(self) -> int:
        return self.cells.line_num

    def _read(self) -> Iterator[FileRow]:
        try:
            yield from self._rows()
        except csv.Error as error:
            raise cell_error(self.line, "—", f"{error}.") from error
        except UnicodeDecodeError as error:
            raise BadFile(
                _("The file is not UTF-8 text (after line %(line)s). Nothing was imported.") % {"line": self.line}
            ) from error

    @abstractmethod
    def _rows(self) -> Iterator[FileRow]: ...

    def header(self, required: Iterable[str]) -> list[str]:
        """Read the first line, the columns' names.

        Raises: BadFile (one is missing).
        """
        present = [name.strip() for name in next(self.cells, [])]
        require_columns(self.line or 1, present, required)
        return present

    def refuse_width(self) -> NoReturn:
        raise cell_error(self.line, "—", _("the row has more or fewer fields than the header."))


def _require_text(row: FileRow) -> None:
    """Refuse references with control characters: the file is damaged.

    Raises: BadFile.
    """
    for name in (
        "psp_reference",
        "merchant_reference",
        "original_reference",
        "batch",
        "entry_reference",
        "client_reference",
    ):
        value = getattr(row, name)
        if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t" for letter in value):
            raise cell_error(
                row.line,
                name,
                _("there is a control character in “%(value)s”.") % {"value": " ".join(value.split())[:40]},
            )


def require_columns(line: int, present: Sequence[str], required: Iterable[str]) -> None:
    """Require that each column is there, once.

    Raises: BadFile naming the columns that are missing or there twice.
    """
    if missing := [name for name in required if name not in present]:
        named = ", ".join(missing) if any(present) else _("all")
        raise BadFile(
            _("Line %(line)s: these columns are missing: %(columns)s. Nothing was imported.")
            % {"line": line, "columns": named}
        )
    for name in required:
        if present.count(name) > 1:
            raise cell_error(line, name, _("there are two columns with this name."))


class _Counted(io.RawIOBase):
    """The file's bytes, counted; a binary file is refused at its first zero byte."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._file.read(len(buffer))
        if b"\0" in piece:
            raise BadFile(
                _("The file is not UTF-8 text (byte %(place)s is zero). Nothing was imported.")
                % {"place": self.count + piece.index(b"\0")}
            )
        buffer[: len(piece)] = piece
        self.count += len(piece)
        return len(piece)
