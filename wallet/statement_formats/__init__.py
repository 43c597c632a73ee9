"""Bank statements: camt.052/.053/.054, MT940, MT942, BAI2, OFX, and tables (CSV, XLSX) by their columns.

`read_file` detects the format, reads leniently and lists the troubles of each statement. `read_statements` is for booking: every
statement is proved, or the file is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from django.utils.translation import gettext as _

from wallet.statement_formats.bai2 import read_bai2
from wallet.statement_formats.base import BYTES_MAX, Entry, Statement, strict
from wallet.statement_formats.camt import read_camt
from wallet.statement_formats.errors import BadStatement
from wallet.statement_formats.mapping import Mapping
from wallet.statement_formats.mt940 import read_mt940
from wallet.statement_formats.ofx import read_ofx
from wallet.statement_formats.parsed import Parsed, prove
from wallet.statement_formats.table import read_csv, read_workbook

__all__ = [
    "FORMATS",
    "BadStatement",
    "Entry",
    "Mapping",
    "Parsed",
    "Statement",
    "find_format",
    "read_file",
    "read_statements",
    "stream_statements",
]

HEAD_BYTES = 65_536
MEMBERS_MAX = 1_000
UNPACKED_BYTES_MAX = 256 * 1024 * 1024  # each file of an archive is unpacked in memory
READERS: dict[str, Callable[[BinaryIO], Iterator[Parsed]]] = {
    "camt": read_camt,
    "mt940": read_mt940,
    "mt942": read_mt940,
    "bai2": read_bai2,
    "ofx": read_ofx,
}
TABLES: dict[str, Callable[[BinaryIO, Mapping | None], Iterator[Parsed]]] = {"csv": read_csv, "xlsx": read_workbook}
FORMATS = (*READERS, *TABLES)
SWIFT = re.compile(r"^\s{0,3}:(?:20|25P?|28C?|60[FM]|61|62[FM]|64|65|86|34F|13D):|\{4:\s*:20:", re.MULTILINE)
REPORT = re.compile(r"^\s{0,3}:(?:34F|13D):", re.MULTILINE)
BAI = re.compile(r"01\s?,[^,\n]{0,80},[^,\n]{0,80},\s?\d{0,8}\s?,")


def find_format(file: BinaryIO) -> str:
    """Detect a file's format by its first 64 KB: one of FORMATS, `csv` where nothing else fits, or `zip` for an archive.

    Raises: BadStatement (an archive that can't be opened).
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "xlsx"
    if head.startswith(b"PK\x03\x04"):
        return _archive_kind(file)
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace").lstrip()
    if re.search(r"<OFX\b|^OFXHEADER", text[:8_000], re.IGNORECASE):
        return "ofx"
    if text.startswith("<") or re.search(r"<\?xml|<(?:\w+:)?Document\b|<(?:\w+:)?BkToCstmr", text[:2_000]):
        return "camt"
    if BAI.match(text):
        return "bai2"
    if SWIFT.search(text):
        return "mt942" if REPORT.search(text) and not re.search(r"^\s{0,3}:60[FM]:", text, re.MULTILINE) else "mt940"
    return "csv"


def _archive_kind(file: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise BadStatement(_("The file is an archive that can't be opened.")) from error
    finally:
        file.seek(0)
    return "xlsx" if any(name.startswith("xl/") or name == "mimetype" for name in names) else "zip"


def bytes_to_read(file: BinaryIO) -> int:
    """Measure how many bytes there are to read: of an archive of statements, what it unpacks to. Raises BadStatement."""
    size = file.seek(0, io.SEEK_END)
    if find_format(file) != "zip":
        return size
    with zipfile.ZipFile(file) as archive:
        return max(size, sum(member.file_size for member in archive.infolist()))


def read_file(file: BinaryIO, kind: str = "auto", mapping: Mapping | None = None) -> tuple[str, Iterator[Parsed]]:
    """Open a statement file of a known or detected format, and read its proved statements one by one.

    Raises: BadStatement, now or while reading.
    """
    file.seek(0)
    if not file.read(4_096).strip():
        raise BadStatement(_("The file is empty."))
    kind = find_format(file) if kind == "auto" else kind
    file.seek(0)
    return kind, _read_proved(file, kind, mapping)


def _read_proved(file: BinaryIO, kind: str, mapping: Mapping | None) -> Iterator[Parsed]:
    if kind == "zip":
        yield from _read_members(file, mapping)
    elif kind in TABLES:
        yield from map(prove, TABLES[kind](file, mapping))
    else:
        yield from map(prove, READERS[kind](file))


def _read_members(file: BinaryIO, mapping: Mapping | None) -> Iterator[Parsed]:
    """Read every file of an archive: banks pack the statements of many accounts into one.

    Raises: BadStatement (no files, too many, or an archive in the archive).
    """
    with zipfile.ZipFile(file) as archive:
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
        ]
        if (
            not members
            or len(members) > MEMBERS_MAX
            or sum(member.file_size for member in members) > UNPACKED_BYTES_MAX
        ):
            raise BadStatement(_("The archive has no files, or too many."))
        for member in members:
            with archive.open(member) as inside:
                content = io.BytesIO(inside.read())
            kind, statements = read_file(content, "auto", mapping)
            if kind == "zip":
                raise BadStatement(_("The archive contains another archive."))
            for statement in statements:
                statement.place = f"{member.filename}: {statement.place}"
                yield statement


def read_statements(
    content: bytes, kind: str = "auto", mapping: Mapping | None = None
) -> tuple[str, tuple[Statement, ...]]:
    """Read all statements of a file, each proved, with the format's name.

    Raises: BadStatement; then nothing of the file counts.
    """
    kind, statements = stream_statements(io.BytesIO(content), kind, mapping)
    return kind, tuple(statements)


def stream_statements(
    file: BinaryIO, kind: str = "auto", mapping: Mapping | None = None
) -> tuple[str, Iterator[Statement]]:
    """Read proved statements one after the other, as they are booked.

    A refusal in the middle must undo everything before it, so the caller holds one transaction. Raises: BadStatement.
    """
    if file.seek(0, io.SEEK_END) > BYTES_MAX:
        message = _("The file is larger than %(size)s MB. Ask the bank for a shorter period.")
        raise BadStatement(message % {"size": BYTES_MAX // 2**20})
    kind, statements = read_file(file, kind, mapping)
    return kind, _require_any(statements)


def _require_any(statements: Iterator[Parsed]) -> Iterator[Statement]:
    statement = None
    for statement in statements:
        yield strict(statement)
    if statement is None:
        raise BadStatement(_("There is no statement in the file."))
