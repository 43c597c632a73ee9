"""A report: title, facts and tables with typed cells. The same one is written as PDF or as a workbook, with the same hash.

    Report(
        key="month-pack:meridian:2026-10", title="Month 2026-10", look=…, made_at=now,
        sections=[Section("Breaks", columns=[Column("Kind"), Column("Amount", end=True)], rows=[[Named("fee", "Fee"), Money(…)]])],
    )

`rows` is a sequence, or a function that gives a new iterator at each call (long tables: read in steps, nothing is kept).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from crm.money.amounts import Money


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a code that stays and a name that depends on the reader's language. Only the code is hashed."""

    code: str
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | int | Decimal | dt.date | dt.datetime | Money | Named | bool | None
Row = Sequence[Cell]
Rows = Sequence[Row] | Callable[[], Iterable[Row]]


@dataclass(frozen=True, slots=True)
class Column:
    """`end`: amounts and numbers stand at the end of their column. `weight`: the share of the width that texts get."""

    title: str
    end: bool = False
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter: a sentence or two, facts (label and value), and a table with an optional line of sums."""

    title: str
    text: str = ""
    facts: Sequence[tuple[str, Cell]] = ()
    columns: Sequence[Column] = ()
    rows: Rows = ()
    total: Row | None = None
    empty: str = ""

    def each_row(self) -> Iterator[Row]:
        return iter(self.rows() if callable(self.rows) else self.rows)


@dataclass(frozen=True, slots=True)
class Look:
    """Whose report it is and how it looks."""

    name: str
    legal_name: str = ""
    licence: str = ""
    colour: str = "#1d4ed8"
    accent: str = "#0f766e"


@dataclass(frozen=True, slots=True)
class Report:
    """`key` says what it is about, apart from language: it is part of the hash.

    content_hash_given: printed instead of the report's own, where the same figures are also set in another form.
    """

    key: str
    title: str
    look: Look
    made_at: dt.datetime
    subtitle: str = ""
    facts: Sequence[tuple[str, Cell]] = ()
    sections: Sequence[Section] = field(default_factory=tuple)
    content_hash_given: str = ""

    def content_hash(self) -> str:
        """Compute the hash of the figures; reads every row once."""
        if self.content_hash_given:
            return self.content_hash_given
        mark = Fingerprint(self.key)
        mark.facts(self.facts)
        for section in self.sections:
            mark.section(section)
            for row in section.each_row():
                mark.row(row)
        return mark.hexdigest()


class Fingerprint:
    """SHA-256 over figures in an order, not over how they are printed: language, layout and time of making don't count."""

    def __init__(self, key: str) -> None:
        self._hash = hashlib.sha256(f"keelson-paper/1\x1d{key}\x1d".encode())

    def facts(self, facts: Sequence[tuple[str, Cell]]) -> None:
        self.row([value for _label, value in facts])

    def section(self, section: Section) -> None:
        """Hash where a section begins: its facts and its sums; the rows follow."""
        self._hash.update(b"\x1d")
        self.facts(section.facts)
        self.row(section.total or ())

    def row(self, cells: Row) -> None:
        self._hash.update(("\x1f".join(map(canonical, cells)) + "\x1e").encode())

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def canonical(value: Cell) -> str:
    """Write a cell as text that depends on nothing but its value, for the hash that proves a report."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Named):
        return value.code
    if isinstance(value, Money):
        return f"{_plain(value.amount)} {value.currency}"
    if isinstance(value, Decimal):
        return _plain(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds") if value.tzinfo else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    return "" if value is None else str(value)


def _plain(value: Decimal) -> str:
    """Write a figure plainly: 1.50, 1.5 and 1.500 are the same; minus zero is zero."""
    return format((value + 0).normalize(), "f") if value else "0"
