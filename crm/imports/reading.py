"""Reading a table of another system: CSV in whatever encoding and with whatever separator, or a workbook.

Nothing is guessed silently: an encoding that isn't certain is named, a row with too few or too many values is refused with
its line, and what could be a formula stays the text that it is.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Protocol

import orjson
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.files.parsing import Limits, ParsingRefused, Pool, parse

ROWS_MAX = 1_000_000
COLUMNS_MAX = 200
CELL_CHARS_MAX = 20_000
SEPARATORS = ",;\t|"
SAMPLE_ROWS = 5
PIECE_BYTES = 2**20
WORKBOOKS = (".xlsx", ".xls", ".xlsb", ".ods")
ENCODINGS = ("utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "iso-8859-15")
# A million rows of ten columns; larger ones are quicker and safer as CSV.
WORKBOOK_BOUNDS = {
    "cells_max": 10_100_000,
    "columns_max": COLUMNS_MAX,
    "sheets_max": 20,
    "unpacked_max": 1024 * 2**20,
    "text_max": CELL_CHARS_MAX,
}
WORKBOOK_LIMITS = Limits(memory_bytes=2048 * 2**20, cpu_seconds=120, wall_seconds=300, output_bytes=256 * 2**20)


# A file's content: whole, or whatever yields it in pieces, from its beginning each time that it is called.
Content = bytes | Callable[[], Iterator[bytes]]


class Lines(Protocol):
    """The lines of a CSV file, as csv.reader yields them."""

    line_num: int

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class Cells:
    """One row: where it is, its values, and why it can't be read, if it can't."""

    line: int
    values: list[str]
    problem: str = ""


@dataclass
class Table:
    """A file that was opened: its column names, how it is read, and its rows, which can be read once."""

    header: list[str]
    encoding: str
    delimiter: str
    rows: Iterator[Cells]
    problems: list[str] = field(default_factory=list)


def open_table(
    content: Content, file_name: str, *, encoding: str = "", delimiter: str = "", rows_max: int = 0
) -> Table:
    """Open a file. `encoding` and `delimiter` are a mapping's; without them they are found out.

    rows_max: how many rows are wanted, where it isn't all of them.

    Text that comes in pieces is read in pieces: memory stays the same, however long it is.

    Raises: DomainError in words for what is no table or beyond the limits; ParsingBusy.
    """
    head = next(_pieces(content), b"")
    if not head.strip():
        raise DomainError(_("The file is empty."))
    if PurePath(file_name.lower()).suffix in WORKBOOKS or head[:4] == b"PK\x03\x04":
        return _open_workbook(b"".join(_pieces(content)), rows_max)
    return _open_text(content, encoding, delimiter)


def _pieces(content: Content) -> Iterator[bytes]:
    """Yield the content in pieces, none of them empty."""
    if isinstance(content, bytes):
        return (content[at : at + PIECE_BYTES] for at in range(0, len(content), PIECE_BYTES))
    return filter(None, content())


class _Piecewise(io.RawIOBase):
    """A file that is read from pieces, once and forwards."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces, self.left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self.left:
            self.left = memoryview(next(self.pieces, b""))
        count = min(len(buffer), len(self.left))
        buffer[:count], self.left = self.left[:count], self.left[count:]
        return count


def _open_workbook(content: bytes, rows_max: int) -> Table:
    bounds = {**WORKBOOK_BOUNDS, "rows_max": rows_max and rows_max + 1}
    try:
        answer = parse("workbook.first_sheet", content, limits=WORKBOOK_LIMITS, pool=Pool.JOBS, **bounds)
    except ParsingRefused as refused:
        if refused.code in ("damaged", "crashed"):
            raise DomainError(_("The workbook can't be read. Save it again, or as CSV.")) from refused
        raise DomainError(_("The workbook is too large. Save the sheet as CSV and import that file.")) from refused
    lines = map(orjson.loads, io.BytesIO(answer.content))
    _number, heads = next(lines, (0, []))
    if not heads:
        raise DomainError(_("The file is empty."))
    header = _checked_header([_text(cell) for cell in heads])
    is_one = answer.facts["sheets"] == 1
    problems = [] if is_one else [_("Only the first sheet, “%(name)s”, is read.") % {"name": answer.facts["name"]}]
    return Table(header, "", "", _bounded(_workbook_rows(lines, len(header))), problems)


def _workbook_rows(lines: Iterator[Any], width: int) -> Iterator[Cells]:
    for number, cells in lines:
        values = [_text(cell) for cell in cells]
        if any(values):
            # A workbook leaves out the empty cells at a row's end.
            yield _cells(number, values + [""] * (width - len(values)), width)


def _text(cell: object) -> str:
    if isinstance(cell, dict):
        [(_kind, text)] = cell.items()
        return str(text)
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return "" if cell is None else str(cell)


def _open_text(content: Content, encoding: str, delimiter: str) -> Table:
    problems: list[str] = []
    if encoding and encoding not in ENCODINGS:
        raise DomainError(
            _("Unknown encoding “%(name)s”. Use one of: %(known)s") % {"name": encoding, "known": ", ".join(ENCODINGS)}
        )
    found = encoding or detect_encoding(content)
    if encoding and not _decodes(content, encoding):
        raise DomainError(_("The file isn't %(encoding)s text. Choose another encoding.") % {"encoding": encoding})
    if not encoding and found == "cp1252":
        problems.append(
            _(
                "The file isn't UTF-8 and was read as Windows-1252. Check names with accents and umlauts before importing."
            )
        )
    codec = "utf-8-sig" if found == "utf-8" else found
    first = _text_of(content, codec).readline(COLUMNS_MAX * 200)
    separator = delimiter or max(SEPARATORS, key=_outside_quotes(first).count)
    if len(separator) != 1:
        raise DomainError(_("The separator must be one character."))
    reader = csv.reader(_text_of(content, codec), delimiter=separator, strict=True)
    header = _checked_header(next(_lines(reader), Cells(1, [])).values)
    return Table(header, found, separator, _bounded(_rows(reader, len(header))), problems)


def _text_of(content: Content, codec: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(_Piecewise(_pieces(content)), PIECE_BYTES), encoding=codec, newline="")


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def detect_encoding(content: Content) -> str:
    """Find the encoding: by its mark, else UTF-8, else UTF-16 by its zeros, else Windows-1252. Raises DomainError for none."""
    head = next(_pieces(content), b"")[:4096]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        candidates = ["utf-16-le" if odd > even else "utf-16-be"] if max(even, odd) > 0.3 * len(head) / 2 else []
    else:
        candidates = ["utf-8", "cp1252"]
    for encoding in candidates:
        if _decodes(content, encoding):
            return encoding
    raise DomainError(
        _(
            "The file's encoding can't be recognised: it is neither UTF-8, UTF-16 nor Windows-1252 text. Save it as "
            "“CSV UTF-8” and choose that file."
        )
    )


def _decodes(content: Content, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for piece in _pieces(content):
            decoder.decode(piece)
        decoder.decode(b"", True)
    except (UnicodeDecodeError, UnicodeError):
        return False
    return True


def _checked_header(names: list[str]) -> list[str]:
    """Give each column a name of its own. Raises DomainError without names, or for too many columns."""
    while names and not names[-1].strip():
        names = names[:-1]
    if not names:
        raise DomainError(_("The first line must contain the column names."))
    if len(names) > COLUMNS_MAX:
        raise DomainError(_("The file has more than %(most)s columns.") % {"most": COLUMNS_MAX})
    header: list[str] = []
    for place, name in enumerate(names, start=1):
        name = name.strip()[:120].replace("\0", "") or _("Column %(number)s") % {"number": place}
        while name in header:
            name += " (2)"
        header.append(name)
    return header


def _lines(reader: Lines) -> Iterator[Cells]:
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DomainError(
                _("Line %(line)s can't be read: %(error)s. Check the quotes around its values.")
                % {"line": reader.line_num, "error": error}
            ) from error
        yield Cells(reader.line_num, values)


def _rows(reader: Lines, width: int) -> Iterator[Cells]:
    for row in _lines(reader):
        if any(value.strip() for value in row.values):
            yield _cells(row.line, row.values, width)


def _bounded(rows: Iterator[Cells]) -> Iterator[Cells]:
    for count, row in enumerate(rows, start=1):
        if count > ROWS_MAX:
            raise DomainError(
                _("The file has more than %(most)s rows. Split it into smaller files.") % {"most": f"{ROWS_MAX:,}"}
            )
        yield row


def _cells(line: int, values: list[str], width: int) -> Cells:
    problem = ""
    while len(values) > width and not values[-1].strip():
        values = values[:-1]
    if len(values) != width:
        problem = _("The row has %(count)s values, but the file has %(width)s columns.") % {
            "count": len(values),
            "width": width,
        }
    elif any(len(value) > CELL_CHARS_MAX for value in values):
        problem = _("A value is longer than %(most)s characters.") % {"most": f"{CELL_CHARS_MAX:,}"}
    elif any("\0" in value for value in values):
        problem = _("Contains an invalid character (NUL)")
    return Cells(line, [_plain(value.replace("\0", " ").strip())[:CELL_CHARS_MAX] for value in values], problem)


def _plain(value: str) -> str:
    """Take away the apostrophe by which an export, ours as well, makes a spreadsheet show a value as text."""
    return value[1:] if value[:1] == "'" and value[1:2] in ("=", "+", "-", "@") else value


def sample(table: Table, count: int = SAMPLE_ROWS) -> list[list[str]]:
    """Read the first rows of a table, for a preview."""
    return [row.values for _number, row in zip(range(count), table.rows, strict=False)]


def is_formula(value: str) -> bool:
    """Tell whether a spreadsheet would run this text: numbers, signs and phone numbers that begin so are harmless."""
    if value[:1] not in ("=", "+", "-", "@", "\t"):
        return False
    return any(character.isalpha() or character in "!|@=" for character in value[1:]) or value[:1] in "=@"
