"""Workbooks, streamed to the disk row by row: typed cells, a frozen heading, nothing that a spreadsheet would run.

    with Book(path) as book:
        sheet = book.sheet("Breaks", ["Kind", "Amount"])
        sheet.row(["fee", Money(Decimal("1.50"), "EUR")])

An amount is a number with its currency in the cell's format, a time is a date cell in the reader's zone and format. A `Report`
as a whole is `write_workbook`: a first sheet with what it is and its hash, then a sheet per table.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm.i18n import formats
from crm.money.amounts import Money, exponent
from crm.rendering.pdf_stream import WrittenFile
from crm.rendering.report import Fingerprint, Report, Section

ROWS_MAX = 1_000_000  # a worksheet ends at 1,048,576
NAME_MAX = 31
WIDTH_MIN, WIDTH_MAX = 9, 60
EVERY = 500
# Beyond it a number loses its last digits in a spreadsheet: such an amount is written as text.
DIGITS_MAX = 15
Progress = Callable[[int, int, str], None]


class Book:
    """A workbook that grows in constant memory; closed by leaving the `with`."""

    def __init__(self, target: Path, *, title: str = "", author: str = "", made_at: dt.datetime | None = None) -> None:
        import xlsxwriter

        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(target), options)
        properties: dict[str, Any] = {"title": title, "author": author}
        if made_at:
            properties["created"] = made_at.astimezone(dt.UTC).replace(tzinfo=None)
        self._book.set_properties(properties)
        self._names: set[str] = set()
        self._formats: dict[tuple[str, bool], Any] = {}

    def __enter__(self) -> Book:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._book.close()

    def sheet(self, name: str, headings: Sequence[str] = (), widths: Sequence[int] = ()) -> Sheet:
        """Add a worksheet. Its name is cut and made unique where needed; headings stay in view when one scrolls."""
        made = Sheet(self, self._book.add_worksheet(self._free_name(name)), list(widths))
        if headings:
            made.headings(headings)
        return made

    def _free_name(self, wished: str) -> str:
        name = re.sub(r"[\[\]:*?/\\]", " ", wished).strip("' ")[:NAME_MAX] or "Sheet"
        free, number = name, 2
        while free.casefold() in self._names:
            free = f"{name[: NAME_MAX - 5]} ({number})"
            number += 1
        self._names.add(free.casefold())
        return free

    def format(self, pattern: str, *, bold: bool = False) -> Any:
        """Return the one format object of a style: a workbook has a limited number of them."""
        if (pattern, bold) not in self._formats:
            look: dict[str, Any] = {"num_format": pattern} if pattern else {}
            self._formats[pattern, bold] = self._book.add_format({**look, "bold": bold})
        return self._formats[pattern, bold]


class Sheet:
    """One worksheet; rows go down."""

    def __init__(self, book: Book, sheet: Any, widths: list[int]) -> None:
        self.book, self._sheet, self.rows = book, sheet, 0
        for place, width in enumerate(widths):
            sheet.set_column(place, place, max(WIDTH_MIN, min(width, WIDTH_MAX)))

    def headings(self, titles: Sequence[str]) -> None:
        self.row(titles, bold=True)
        self._sheet.freeze_panes(self.rows, 0)

    def row(self, cells: Sequence[Any], *, bold: bool = False) -> None:
        for place, value in enumerate(cells):
            self._cell(place, value, bold)
        self.rows += 1

    def _cell(self, place: int, value: Any, bold: bool) -> None:
        sheet, look, at = self._sheet, self.book.format, self.rows
        if isinstance(value, Money):
            pattern = money_pattern(value.currency)
            self._number(place, value.amount, pattern, bold, f"{value.amount} {value.currency}")
        elif isinstance(value, dt.datetime):
            sheet.write_datetime(
                at, place, formats.local(value).replace(tzinfo=None), look(f"{day_format()} hh:mm:ss", bold=bold)
            )
        elif isinstance(value, dt.date):
            sheet.write_datetime(at, place, value, look(day_format(), bold=bold))
        elif isinstance(value, bool):
            sheet.write_boolean(at, place, value, look("", bold=bold))
        elif isinstance(value, int | float | Decimal):
            self._number(place, value, "", bold, str(value))
        elif value is not None:
            sheet.write_string(at, place, str(value), look("", bold=bold))

    def _number(self, place: int, value: Any, pattern: str, bold: bool, text: str) -> None:
        if isinstance(value, Decimal) and len(value.normalize().as_tuple().digits) > DIGITS_MAX:
            self._sheet.write_string(self.rows, place, text, self.book.format("", bold=bold))
        else:
            self._sheet.write_number(self.rows, place, value, self.book.format(pattern, bold=bold))


def day_format() -> str:
    """Return the number format of a date as the reader's pages write it: `d mmm yyyy`, `mmm d, yyyy`, `yyyy-mm-dd`."""
    return _day_format(formats.day_pattern())


@cache
def _day_format(pattern: str) -> str:
    """Write a CLDR pattern in a spreadsheet's letters; what it quotes, as Spanish does `de`, is text there too."""
    parts = re.findall(r"'[^']*'|y+|M+|d+|[^'yMd]+", pattern)
    return "".join(
        "yyyy" if part[0] == "y" else f'"{part[1:-1]}"' if part[0] == "'" else part.lower() for part in parts
    )


def money_pattern(currency: str) -> str:
    """Return a number format with the currency's decimal places and its code."""
    places = exponent(currency)
    return f'#,##0{"." + "0" * places if places else ""} "{currency}"'


def write_workbook(
    report: Report, target: Path, *, progress: Progress = lambda *_args: None, expected_rows: int = 0
) -> WrittenFile:
    """Write the report as a workbook; its hash is that of the PDF. Rows are read once. `progress` may raise to stop."""
    mark, done = Fingerprint(report.key), 0
    look = report.look
    with Book(target, title=report.title, author=look.legal_name or look.name, made_at=report.made_at) as book:
        front = book.sheet(pgettext("sheet of a workbook", "About"), widths=[34, 60])
        front.row([report.title], bold=True)
        for line in filter(None, [report.subtitle, look.name, look.legal_name, look.licence]):
            front.row([line])
        _facts(front, report.facts)
        mark.facts(report.facts)
        for section in report.sections:
            mark.section(section)
            if section.text or section.facts or not section.columns:
                front.row([])
                front.row([section.title], bold=True)
                if section.text:
                    front.row([section.text])
                _facts(front, section.facts)
            if section.columns:
                done = _table(
                    book, section, mark, done, lambda n: progress(n, max(expected_rows, n), _("rows written"))
                )
        front.row([])
        content_hash = report.content_hash_given or mark.hexdigest()
        _facts(front, [(_("Created on"), report.made_at), (_("SHA-256 of the figures"), content_hash)])
    return WrittenFile(content_hash, _sha256(target), len(book._names), done)


def _facts(sheet: Sheet, facts: Sequence[tuple[str, Any]]) -> None:
    for label, value in facts:
        sheet.row([label, value])


def _table(book: Book, section: Section, mark: Fingerprint, done: int, progress: Callable[[int], None]) -> int:
    """Write a sheet with the section's table; a further one where the rows are more than a worksheet takes."""
    titles = [column.title for column in section.columns]
    widths = [
        max(len(column.title) + 2, round(14 * column.weight) if column.end else round(20 * column.weight))
        for column in section.columns
    ]
    sheet = book.sheet(section.title, titles, widths)
    for row in section.each_row():
        if len(row) != len(titles):
            raise ValueError(f"{section.title}: a row of {len(row)} cells under {len(titles)} columns")
        if sheet.rows > ROWS_MAX:
            sheet = book.sheet(section.title, titles, widths)
        sheet.row(row)
        mark.row(row)
        done += 1
        if not done % EVERY:
            progress(done)
    if section.total:
        sheet.row(section.total, bold=True)
    return done


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
