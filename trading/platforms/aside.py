"""Rows that can't be what a platform says: set aside one by one where somebody collects them, so that one doesn't hold up all
others. Where nobody does, or there are many, the answer as a whole can't be read, as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, TypeVar

Value = TypeVar("Value")
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError)
# Of one reading. More are no odd rows but a form that we don't know: then nothing may be passed over.
ROWS_MAX: Final = 20
ROW_CHARS_MAX: Final = 2_000
REASON_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row as it came, cut to a length that a page can show, and why it can't be read."""

    row: str
    reason: str


_collector: ContextVar[list[SetAside] | None] = ContextVar("rows_set_aside", default=None)


@contextmanager
def collecting() -> Iterator[list[SetAside]]:
    """Collect rows that can't be read instead of ending the reading."""
    rows: list[SetAside] = []
    token = _collector.set(rows)
    try:
        yield rows
    finally:
        _collector.reset(token)


@contextmanager
def each_row(row: Any) -> Iterator[None]:
    """Set a row aside that can't be read, where somebody collects them."""
    try:
        yield
    except UNREADABLE as problem:
        collector = _collector.get()
        if collector is None or len(collector) >= ROWS_MAX:
            raise
        collector.append(SetAside(cut(row), f"{type(problem).__name__}: {problem}"[:REASON_CHARS_MAX]))


def read_each(read: Callable[[Any], Value], rows: Iterable[Any]) -> Iterator[Value]:
    """Yield what is read of each row; rows that can't be read are set aside."""
    for row in rows:
        value: list[Value] = []
        with each_row(row):
            value.append(read(row))
        yield from value


def cut(row: Any) -> str:
    """Write a row as text of bounded length, whatever is in it: digits without end are not written out."""
    pairs = row.items() if hasattr(row, "items") else [("", row)]
    parts = [f"{str(name)[:60]}={_shown(value)}" for name, value in list(pairs)[:80]]
    return ", ".join(parts)[:ROW_CHARS_MAX].replace("\0", " ").encode("utf-8", "replace").decode()


def _shown(value: Any) -> str:
    try:
        return str(value)[:120]
    except ValueError:  # more digits than Python writes
        return "a number of thousands of digits"
