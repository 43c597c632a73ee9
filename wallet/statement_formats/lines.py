"""A file as lines of text, whatever its bytes and line ends are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from django.utils.translation import gettext as _

from wallet.statement_formats.errors import bad

CONTROLS = {code: None for code in range(32) if code != 9}
# A whole file in one line is as long as that; more is no statement, and would be in memory at once.
LINE_CHARS_MAX = 2_000_000


def text_lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Read numbered lines. Banks write ASCII, UTF-8, UTF-16 or Windows' Latin, and end lines as they like."""
    for number, line in bounded_lines(open_text(file)):
        yield number, line.rstrip("\n").translate(CONTROLS)


def bounded_lines(text: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """Read numbered lines of a text. Raises BadStatement for one that is longer than any bank's."""
    number = 0
    while line := text.readline(LINE_CHARS_MAX + 1):
        number += 1
        if len(line) > LINE_CHARS_MAX:
            message = _("the line has more than %(most)s characters.") % {"most": LINE_CHARS_MAX}
            raise bad(_("Line %(line)s") % {"line": number}, message)
        yield number, decode_cp1252(line)


def open_text(file: BinaryIO) -> io.TextIOWrapper:
    """Open a text file from its beginning in the encoding that its first bytes suggest."""
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    encoding = "utf-8-sig"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif head[1:2] == b"\x00":
        encoding = "utf-16-le"
    return io.TextIOWrapper(
        cast("io.BufferedReader", _LeftOpen(file)),
        encoding,
        errors="surrogateescape" if encoding == "utf-8-sig" else "replace",
        newline=None,
    )


class _LeftOpen(io.BufferedIOBase):
    """A file that stays open when its reader is closed."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self.file.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self.file.read(size if size >= 0 else io.DEFAULT_BUFFER_SIZE)


def decode_cp1252(text: str) -> str:
    """Decode a line that has bytes which are not UTF-8 as Windows' Latin, all of it."""
    if text.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in text):
        return text
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
