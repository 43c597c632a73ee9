"""Rows of a CSV, or of the sheets of a workbook."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

from wallet.statement_formats.errors import BadStatement, bad
from wallet.statement_formats.lines import bounded_lines, open_text
from wallet.statement_formats.mapping import SAMPLE_ROWS, guess
from wallet.statement_formats.workbooks import sheets

DELIMITERS = ";,\t|"
FIELD_CHARS_MAX = 100_000

Rows = Iterator[tuple[int, list[Any]]]


def csv_rows(file: BinaryIO) -> Rows:
    """Read (line, cells) of a CSV, empty rows left out.

    Raises: BadStatement (a quotation mark that is not closed, or a field too long).
    """
    csv.field_size_limit(FIELD_CHARS_MAX)
    text = open_text(file)
    read = (line for _number, line in bounded_lines(text))
    head = list(itertools.islice(read, SAMPLE_ROWS))
    if head and head[0].lower().startswith("sep=") and len(head[0].strip()) == 5:
        delimiter, head = head[0][4], ["\n", *head[1:]]
    else:
        delimiter = _delimiter(head)
    lines = _Lines(itertools.chain(head, read))
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=False, skipinitialspace=True)
    try:
        for cells in reader:
            if lines.is_over and lines.quotes % 2 and any("\n" in cell for cell in cells):
                first = reader.line_num - sum(cell.count("\n") for cell in cells) + 1
                raise bad(_("Line %(line)s") % {"line": max(first, 1)}, _("a quotation mark is not closed."))
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip().strip('"').strip() for cell in cells]
    except csv.Error as error:
        raise bad(_("Line %(line)s") % {"line": reader.line_num}, f"{error}.") from error


class _Lines:
    """The lines, and how many quotation marks were in them: an open one would swallow the rest of the file."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.quotes, self.is_over = lines, 0, False

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.quotes += line.count('"')
            yield line.replace("\0", "")
        self.is_over = True


def first_rows(file: BinaryIO, kind: str) -> list[tuple[int, list[Any]]]:
    """Read the first rows of a table.

    Of a workbook, those of the first sheet in which a statement is recognised, else of the first.
    """
    file.seek(0)
    if kind == "csv":
        return list(itertools.islice(csv_rows(file), SAMPLE_ROWS))
    samples = [rows[:SAMPLE_ROWS] for _name, rows in sheets(file)]
    if not samples:
        raise BadStatement(_("The workbook has no sheet."))
    return next((rows for rows in samples if guess([row for _number, row in rows]) is not None), samples[0])


def _delimiter(head: list[str]) -> str:
    """Choose the delimiter that cuts most lines into the same number of cells, more than one; of several, into most."""
    best, chosen = (0.0, 0), ","
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(head, delimiter=delimiter, skipinitialspace=True) if row]
        except csv.Error:
            continue
        wide = [width for width in widths if width > 1]
        if not wide:
            continue
        common = max(set(wide), key=lambda width: (wide.count(width), width))
        score = (round(wide.count(common) / len(widths), 1) + min(common, 4) / 10, common)
        if score > best:
            best, chosen = score, delimiter
    return chosen
