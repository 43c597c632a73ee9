"""Reading list files in XML as a stream: bounded memory, no entities from outside, no bombs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from compliance.sources.base import BrokenFile, opened


def elements(path: Path, *tags: str) -> Iterator[Element]:
    """Each element of the given names once it is complete; it is emptied afterwards. Raises BrokenFile."""
    try:
        with opened(path) as file:
            context = iterparse(file, events=("start", "end"), forbid_dtd=True)
            _event, root = next(context)
            for event, element in context:
                if event == "end" and element.tag in tags:
                    yield element
                    element.clear()
                    root.clear()
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
            _event, root = next(iterparse(file, events=("start",), forbid_dtd=True))
            return {"": root.tag, **root.attrib}
    except (ParseError, DefusedXmlException, StopIteration, EOFError, OSError, ValueError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


def text_of(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def texts_of(element: Element, path: str) -> list[str]:
    return [text for found in element.iterfind(path) if (text := (found.text or "").strip())]
