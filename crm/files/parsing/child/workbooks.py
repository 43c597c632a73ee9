"""Workbooks (XLSX, XLS, XLSB, ODS): the cells of their sheets.

Two cells far apart make a sheet of two hundred million: a sheet's size is looked at before its rows are made.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from .refusal import Refusal

Result = tuple[dict[str, Any], bytes]
MEMBERS_MAX = 2_000


def rows(
    file: BinaryIO,
    *,
    cells_max: int,
    filled_max: int,
    columns_max: int,
    sheets_max: int,
    unpacked_max: int,
    text_max: int,
) -> Result:
    """Write every worksheet that has cells as a line of JSON: [name, [[number, [cell, …]], …]].

    A cell is a text, a number, a truth value, or {"date"|"time"|"moment"|"seconds": …}. cells_max counts the rectangles that
    the sheets' cells span, filled_max what is in them. Refusals: `unpacks`, `cells`, `damaged`.
    """
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    content = file.read()
    _refuse_bomb(content, unpacked_max)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = [sheet_about.name for sheet_about in book.sheets_metadata if sheet_about.typ == SheetTypeEnum.WorkSheet]
    if len(names) > sheets_max:
        raise Refusal("cells")
    out = io.BytesIO()
    for name in names:
        sheet = book.get_sheet_by_name(name)
        cells_max -= sheet.height * sheet.width
        if cells_max < 0 or sheet.width > columns_max:
            raise Refusal("cells")
        filled = list(_filled(sheet, text_max))
        filled_max -= sum(len(cells) for _number, cells in filled)
        if filled_max < 0:
            raise Refusal("cells")
        if filled:
            out.write(json.dumps([name, filled], separators=(",", ":")).encode() + b"\n")
    return {}, out.getvalue()


def first_sheet(
    file: BinaryIO,
    *,
    cells_max: int,
    columns_max: int,
    sheets_max: int,
    unpacked_max: int,
    text_max: int,
    rows_max: int = 0,
) -> Result:
    """Write the first worksheet that has cells, a row a line: [number, [cell, …]]. Facts: its name, and how many sheets there are.

    Cells and refusals are as of `rows`; the rows are made one by one, so that a million of them fit. rows_max: no more are
    written, for a preview.
    """
    from python_calamine import CalamineWorkbook, SheetTypeEnum

    content = file.read()
    _refuse_bomb(content, unpacked_max)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = [sheet_about.name for sheet_about in book.sheets_metadata if sheet_about.typ == SheetTypeEnum.WorkSheet]
    if len(names) > sheets_max:
        raise Refusal("cells")
    out, write = io.BytesIO(), json.JSONEncoder(separators=(",", ":")).encode
    for name in names:
        sheet = book.get_sheet_by_name(name)
        if sheet.height * sheet.width > cells_max or sheet.width > columns_max:
            raise Refusal("cells")
        for count, row in enumerate(_numbered(sheet, sheet.iter_rows(), text_max), start=1):
            out.write(write(row).encode() + b"\n")
            if count == rows_max:
                break
        if out.tell():
            return {"name": name, "sheets": len(names)}, out.getvalue()
    return {}, b""


def _filled(sheet: Any, text_max: int) -> Iterator[tuple[int, list[Any]]]:
    """Yield (number, cells) of each row that has any, without the empty cells at its end."""
    return _numbered(sheet, sheet.to_python(skip_empty_area=True), text_max)


def _numbered(sheet: Any, filled: Iterable[list[Any]], text_max: int) -> Iterator[tuple[int, list[Any]]]:
    first = (sheet.start or (0, 0))[0]
    for number, row in enumerate(filled, first + 1):
        cells = [_cell(cell, text_max) for cell in row]
        while cells and cells[-1] == "":
            cells.pop()
        if cells:
            yield number, cells


def _refuse_bomb(content: bytes, unpacked_max: int) -> None:
    if content[:2] != b"PK":
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise Refusal("damaged") from None
    if len(members) > MEMBERS_MAX or sum(member.file_size for member in members) > unpacked_max:
        raise Refusal("unpacks")


def _cell(cell: Any, text_max: int) -> Any:
    """Convert a cell; whole floats become integers: an account number is not 123.0."""
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, float):
        if not math.isfinite(cell):
            return str(cell)
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
    if isinstance(cell, dt.datetime):
        return {"moment": cell.isoformat()}
    if isinstance(cell, dt.date):
        return {"date": cell.isoformat()}
    if isinstance(cell, dt.time):
        return {"time": cell.isoformat()}
    if isinstance(cell, dt.timedelta):
        return {"seconds": cell.total_seconds()}
    if isinstance(cell, str):
        if len(cell) > text_max:
            raise Refusal("cells")
        return cell.strip()
    return cell


OPERATIONS: dict[str, Callable[..., Result]] = {"rows": rows, "first_sheet": first_sheet}
