"""Rows of a table that another program wrote: CSV in any encoding with any separator, or an HTML statement.

A heading may follow lines of text, and other tables may follow the first, each with a heading of its own. Every cell is bounded.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from crm.errors import DomainError

CELL_MAX: Final = 4_000
LINE_MAX: Final = 64_000
# So far a heading is looked for, and so much is read to learn whether days or months come first.
LINES_BEFORE_MAX: Final = 60
SAMPLE_CHARS: Final = 2_000_000
COLSPAN_MAX: Final = 40
CHUNK_CHARS: Final = 1 << 16
# Where two are as frequent, the first one parts the cells: the other is then a decimal comma.
DELIMITERS: Final = "\t;|,"
IN_BRACKETS: Final = re.compile(r"\([^)]*\)")
ACCOUNT: Final = re.compile(r"\b(?:account|login)\b[\s:#]*(\d{3,})", re.IGNORECASE)
CURRENCY: Final = re.compile(r"\bcurrency:?\s*([A-Z]{3})\b|\baccount:?\s*\d{3,}\s*\(([A-Z]{3})\b", re.IGNORECASE)
Known = Mapping[str, tuple[str, ...]]
Heads = Callable[[list[str]], bool]


@dataclass(frozen=True, slots=True)
class Table:
    """One heading: which column is what, by our names. `first_row`: the number of the row under it."""

    places: dict[str, int] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    plains: tuple[str, ...] = ()
    first_row: int = 2

    def cells(self, row: list[str]) -> dict[str, str]:
        return {ours: row[place].strip() for ours, place in self.places.items() if place < len(row)}


def plain(name: str) -> str:
    """Reduce a column's name to its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def table_of(heads: list[str], known: Known, first_row: int = 2) -> Table:
    """Find which column is what, by its name with or without what is in brackets.

    MT4's and MT5's statements call both prices "Price" and both times "Time", and leave it to their order.
    """
    plains = [plain(head) for head in heads]
    short = [plain(IN_BRACKETS.sub("", head)) for head in heads]
    found: dict[str, int] = {}
    for ours, theirs in known.items():
        place = next((names.index(name) for name in theirs for names in (plains, short) if name in names), None)
        if place is not None:
            found[ours] = place
    for ours, word in (("price", "price"), ("time", "time")):
        if plains.count(word) == 2 and f"close_{ours}" in known and f"open_{ours}" not in found:
            found[f"open_{ours}"] = plains.index(word)
            found[f"close_{ours}"] = plains.index(word, found[f"open_{ours}"] + 1)
    if "direction" in plains and found.get("side") != plains.index("direction"):
        found.setdefault("entry", plains.index("direction"))
    elif found.get("entry") == found.get("side"):
        found.pop("entry", None)
    columns = {ours: heads[place].strip() for ours, place in found.items()}
    return Table(found, columns, tuple(plains), first_row)


class File:
    """A file's rows, numbered from 1, and what its first lines say about it."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        if path.stat().st_size > bytes_max:
            raise DomainError(f"{path.name} is larger than {bytes_max >> 20} MB.")
        self.path, self.encoding = path, _encoding(path)
        with self.open() as file:
            self.sample = file.read(SAMPLE_CHARS)
        start = self.sample[:4096].lower()
        self.is_html = "<html" in start or "<table" in start or "<!doctype html" in start
        self.is_day_first = is_day_first(self.sample)

    def open(self) -> TextIO:
        return self.path.open(newline="", encoding=self.encoding, errors="replace")

    def rows(self, is_head: Heads) -> Iterator[tuple[int, list[str]]]:
        """Iterate over rows of cells; those of a CSV are parted as its heading is. Raises: DomainError."""
        with self.open() as file:
            yield from _html_rows(file, self.path.name) if self.is_html else self._csv_rows(file, is_head)

    def _csv_rows(self, file: TextIO, is_head: Heads) -> Iterator[tuple[int, list[str]]]:
        lines = _Lines(file, self.path.name)
        rows = csv.reader(lines, delimiter=self._delimiter(is_head))
        row = 0
        while True:
            row += 1
            lines.read = 0
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise DomainError(f"{self.path.name}, row {row}: {error}") from error
            # Python's own limit is one for the whole process, other files included.
            if any(len(cell) > CELL_MAX for cell in cells):
                raise DomainError(f"{self.path.name}, row {row}: a cell has more than {CELL_MAX} characters.")
            yield row, cells

    def _delimiter(self, is_head: Heads) -> str:
        lines = [line[:LINE_MAX] for line in islice(self.sample.splitlines(), LINES_BEFORE_MAX) if line.strip()]
        for line in lines:
            for sign in DELIMITERS:
                if is_head(next(csv.reader([line], delimiter=sign), [])):
                    return sign
        return max(DELIMITERS, key=lines[0].count) if lines else ","


def account_before(rows: list[list[str]]) -> tuple[str, str]:
    """Return the account and the currency that the lines before a heading name; empty where they don't."""
    text = " ".join(cell for row in rows for cell in row)
    account, currency = ACCOUNT.search(text), CURRENCY.search(text)
    return (account[1] if account else ""), ((currency[1] or currency[2]).upper() if currency else "")


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04":
        raise DomainError(f"{path.name} is an Excel file or an archive. Save its table as CSV, or the report as HTML.")
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def is_day_first(text: str) -> bool | None:
    """Whether dates like 07/08/2026 begin with the day, by those of the file that leave no choice; None where none does."""
    pairs = {(int(a) > 12, int(b) > 12) for a, b in re.findall(r"\b(\d{1,2})[/-](\d{1,2})[/-]\d{4}\b", text)}
    firsts, seconds = any(a for a, _b in pairs), any(b for _a, b in pairs)
    return None if firsts == seconds else firsts


class _Lines:
    """A file's lines; a row of the table, which may go over several, has at most `LINE_MAX` characters."""

    def __init__(self, file: TextIO, name: str) -> None:
        self.file, self.name, self.read = file, name, 0

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(LINE_MAX + 1):
            self.read += len(line)
            if self.read > LINE_MAX:
                raise DomainError(f"{self.name}: a row has more than {LINE_MAX} characters.")
            yield line


def _html_rows(file: TextIO, name: str) -> Iterator[tuple[int, list[str]]]:
    parser, number = _Rows(name), 0
    while chunk := file.read(CHUNK_CHARS):
        parser.feed(chunk)
        for cells in parser.done:
            number += 1
            yield number, cells
        parser.done = []


class _Rows(HTMLParser):
    """The rows of all tables: hidden cells left out, a cell over several columns followed by empty ones."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.done: list[list[str]] = []
        self.row: list[str] = []
        self.cell: list[str] | None = None
        self.length = self.span = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._end_row()
        elif tag in ("td", "th"):
            self._end_cell()
            said = dict(attrs)
            if "hidden" not in (said.get("class") or "").split():
                wide = said.get("colspan") or "1"
                self.cell, self.length = [], 0
                self.span = min(int(wide), COLSPAN_MAX) if wide.isascii() and wide.isdigit() else 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._end_cell()
        elif tag in ("tr", "table"):
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.length += len(data)
            if self.length > CELL_MAX:
                raise DomainError(f"{self.name}: a cell has more than {CELL_MAX} characters.")
            self.cell.append(data)

    def _end_cell(self) -> None:
        if self.cell is not None:
            self.row += [" ".join("".join(self.cell).split()), *([""] * (self.span - 1))]
            if len(self.row) > 10 * COLSPAN_MAX:
                raise DomainError(f"{self.name}: a row has more than {10 * COLSPAN_MAX} cells.")
            self.cell = None

    def _end_row(self) -> None:
        self._end_cell()
        if self.row:
            self.done.append(self.row)
        self.row = []
