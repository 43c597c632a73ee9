"""Histories that aren't JSONL: tables (CSV) and JSON lists, one file or several, made into one event a line.

Each row keeps the name of its file and its number: a kind that says nothing alone ("Connect" in `device.csv`) is read with it, and
what can't be read is named by it.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from crm.errors import DomainError

FILE, ROW = "source_file", "source_row"
DELIMITERS: Final = "\t;|,"
LIST_BYTES_MAX: Final = 512 << 20
LINE_MAX: Final = 1 << 20


def as_lines(paths: Sequence[Path], target: Path) -> Path:
    """Return a file of one event a line: the file itself where it is one, else `target` with the events of all files.

    Raises: DomainError where a file can't be read as events.
    """
    if len(paths) == 1 and _start(paths[0]).startswith(b"{"):
        return paths[0]
    with target.open("wb") as out:
        for path in paths:
            for row, event in _events(path):
                out.write(orjson.dumps({**event, FILE: path.stem.strip(), ROW: row}, option=orjson.OPT_APPEND_NEWLINE))
    return target


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(codecs.BOM_UTF8)
    if start.startswith(b"PK\x03\x04"):
        raise DomainError(f"{path.name} is an Excel file or an archive. Save its table as CSV.")
    return start.lstrip() if not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else start


def _events(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Iterate over (row, event); a table's heading is row 1."""
    start = _start(path)
    if start.startswith(b"["):
        yield from _of_list(path)
    elif start.startswith(b"{"):
        with path.open("rb") as lines:
            for row, line in enumerate(iter(lambda: lines.readline(LINE_MAX), b""), start=1):
                try:
                    event = orjson.loads(line)
                except orjson.JSONDecodeError:
                    event = {}  # it has no time, and is counted and named for that
                yield row, event if isinstance(event, dict) else {}
    else:
        yield from _of_table(path, "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")


def _of_list(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.stat().st_size > LIST_BYTES_MAX:
        raise DomainError(f"{path.name} is one JSON list of more than {LIST_BYTES_MAX >> 20} MB. Save an event a line.")
    try:
        events = orjson.loads(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    except orjson.JSONDecodeError as error:
        raise DomainError(f"{path.name}, line {error.lineno}, column {error.colno}: {error.msg}") from error
    for row, event in enumerate(events, start=1):
        yield row, event if isinstance(event, dict) else {}


def _of_table(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(newline="", encoding=encoding, errors="replace") as file:
        head = file.readline(LINE_MAX)
        sign = max(DELIMITERS, key=head.count)
        names = [name.strip() for name in next(csv.reader([head], delimiter=sign), [])]
        if len([name for name in names if name]) < 2:
            raise DomainError(
                f"{path.name} is neither JSON nor a table with the names of its columns in the first row."
            )
        rows = csv.reader(file, delimiter=sign)
        row = 1
        while True:
            row += 1
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise DomainError(f"{path.name}, row {row}: {error}") from error
            if any(cells):
                yield row, {name: cell for name, cell in zip(names, cells, strict=False) if name}
