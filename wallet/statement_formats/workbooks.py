"""Workbooks that banks send (XLSX, XLS, XLSB, ODS): read once, in a child process, and the cells kept.

A workbook is read many times while somebody maps its columns. Its cells are kept encrypted under the hash of the file, so that only
the first read opens it; a refusal is kept as well.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from django.conf import settings
from django.utils.translation import gettext as _

from crm.files.parsing import Limits, ParsingRefused, parse
from crm.security import sealed_files
from wallet.statement_formats.errors import BadStatement

WORKBOOK_BYTES_MAX = 32 * 1024 * 1024
BOUNDS: dict[str, Any] = {
    "cells_max": 4_000_000,
    "filled_max": 1_000_000,
    "columns_max": 1_024,
    "sheets_max": 64,
    "unpacked_max": 512 * 1024 * 1024,
    "text_max": 32_767,
}
LIMITS = Limits(cpu_seconds=15, wall_seconds=20, output_bytes=48 * 1024 * 1024, wait_seconds=8)
OWNER = sealed_files.of_instance("workbook-cells")
KEPT_SECONDS = 31 * 24 * 3600
READ_BYTES = 1024 * 1024

Sheet = tuple[str, list[tuple[int, list[Any]]]]


def sheets(file: BinaryIO) -> Iterator[Sheet]:
    """Read (name, rows) of each sheet that has any; a row is its number and its cells. Raises BadStatement, ParsingBusy."""
    digest = hashlib.sha256()
    file.seek(0)
    size = 0
    while piece := file.read(READ_BYTES):
        digest.update(piece)
        size += len(piece)
    if size > WORKBOOK_BYTES_MAX:
        raise BadStatement(
            _("The workbook is larger than 32 MB. Save it as CSV, or ask the bank for a shorter period.")
        )
    place = _folder() / digest.hexdigest()
    try:
        lines = sealed_files.read(place, owner=OWNER)
    except (sealed_files.FileMissing, sealed_files.FileDamaged):
        lines = _read(file)
        sealed_files.write(place, lines, owner=OWNER)
    for line in lines.splitlines():
        name, rows = orjson.loads(line)
        if rows is None:
            raise BadStatement(_refusal_message(name))
        yield name, [(number, [_value(cell) for cell in cells]) for number, cells in rows]


def drop_old(*, now: float | None = None) -> int:
    """Delete cells that are older than a table waits for its mapping (31 days). Run on a schedule."""
    oldest = (now or time.time()) - KEPT_SECONDS
    old = [path for path in _folder().glob("*") if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _folder() -> Path:
    return Path(settings.PRIVATE_DIR) / "workbooks"


def _read(file: BinaryIO) -> bytes:
    """Read the workbook into JSON lines: [name, rows] of each sheet; or [code, null] for a workbook that is refused."""
    try:
        return parse("workbook.rows", file, limits=LIMITS, **BOUNDS).content
    except ParsingRefused as refused:
        return orjson.dumps([refused.code, None])


def _refusal_message(code: str) -> str:
    if code == "damaged":
        return _("The workbook can't be read. Save it again, or as CSV.")
    return _(
        "The workbook is too large when unpacked: at most 1,000,000 cells within 4,000,000 are "
        "read. Delete what is far from the table, or save the sheet as CSV."
    )


def _value(cell: Any) -> Any:
    if not isinstance(cell, dict):
        return cell
    [(kind, text)] = cell.items()
    if kind == "seconds":
        return dt.timedelta(seconds=text)
    types: dict[str, Any] = {"date": dt.date, "time": dt.time, "moment": dt.datetime}
    return types[kind].fromisoformat(text)
