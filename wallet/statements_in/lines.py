"""A file as lines of text, whatever its bytes and line ends are."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

CONTROLS = {code: None for code in range(32) if code != 9}


def text_lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Numbered lines. Banks write ASCII, UTF-8, UTF-16 or Windows' Latin, and end lines as they like."""
    for number, line in enumerate(opened(file), 1):
        yield number, readable(line.rstrip("\n")).translate(CONTROLS)


def whole_text(file: BinaryIO) -> str:
    """All of it, line ends as `\\n`."""
    return readable(opened(file).read())


def opened(file: BinaryIO) -> io.TextIOWrapper:
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    encoding = "utf-8-sig"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif head[1:2] == b"\x00":
        encoding = "utf-16-le"
    return io.TextIOWrapper(
        cast("io.BufferedReader", _Kept(file)),
        encoding,
        errors="surrogateescape" if encoding == "utf-8-sig" else "replace",
        newline=None,
    )


class _Kept(io.BufferedIOBase):
    """The file, not closed with what reads it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        return self.file.read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self.file.read(size if size >= 0 else io.DEFAULT_BUFFER_SIZE)


def readable(text: str) -> str:
    """Bytes that are no UTF-8 are Windows' Latin."""
    if text.isascii() or not any("\udc80" <= one <= "\udcff" for one in text):
        return text
    return text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
