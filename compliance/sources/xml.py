"""Reading list files in XML as a stream: bounded memory, no entities from outside, no bombs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from compliance.sources.base import BrokenFile, opened

DEPTH_MAX = 40
ELEMENTS_MAX = 20_000  # in one entry, or between two
SILENT_BYTES_MAX = 4 * 1024 * 1024  # of one text or of one element's attributes


class _Watched:
    """A file that is read on only while elements come out of it: a text without end would grow in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.silent_bytes = file, 0

    def read(self, size: int = -1) -> bytes:
        piece = self.file.read(size)
        self.silent_bytes += len(piece)
        if self.silent_bytes > SILENT_BYTES_MAX:
            raise BrokenFile("a text or an element in it has no end")
        return piece


def _bounded(watched: _Watched, context: Iterator[tuple[str, Element]], tags: tuple[str, ...]) -> Iterator[Element]:
    """Read elements of these names, with few levels and few elements in each."""
    _event, root = next(context)
    depth, count = 1, 0
    for event, element in context:
        watched.silent_bytes = 0
        if event == "start" and element.tag[:1] == "{":
            element.tag = element.tag.rpartition("}")[2]  # publishers move their namespaces with their sites
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > DEPTH_MAX or count > ELEMENTS_MAX:
            raise BrokenFile(
                f"more than {DEPTH_MAX} levels, or {ELEMENTS_MAX} elements in one entry, which no supported list has"
            )
        if event == "end" and element.tag in tags:
            yield element
            element.clear()
            root.clear()
            count = 0


def elements(path: Path, *tags: str) -> Iterator[Element]:
    """Read each element of the given names once it is complete; it is emptied afterwards. Raises BrokenFile."""
    try:
        with opened(path) as file:
            watched = _Watched(file)
            yield from _bounded(watched, iterparse(watched, events=("start", "end"), forbid_dtd=True), tags)
    except ParseError as error:
        raise BrokenFile(f"{path.name} is not well-formed: {error}") from error
    except DefusedXmlException as error:
        raise BrokenFile(f"{path.name} declares entities or a DTD: refused") from error
    except StopIteration:
        raise BrokenFile(f"{path.name} is empty") from None
    except (EOFError, OSError, UnicodeDecodeError, ValueError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


def root_attributes(path: Path) -> dict[str, str]:
    """Name (as "") and attributes of the outermost element."""
    try:
        with opened(path) as file:
            _event, root = next(iterparse(_Watched(file), events=("start",), forbid_dtd=True))
            return {"": root.tag.rpartition("}")[2], **root.attrib}
    except (ParseError, DefusedXmlException, StopIteration, EOFError, OSError, ValueError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


def text_of(element: Element, path: str) -> str:
    """Read the text at a path; "" where there is none."""
    return (element.findtext(path) or "").strip()


def texts_of(element: Element, path: str) -> list[str]:
    """List the texts at a path, without empty ones."""
    return [text for child in element.iterfind(path) if (text := (child.text or "").strip())]
