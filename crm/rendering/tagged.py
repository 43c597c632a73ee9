"""A tagged PDF written as it grows: each page goes to the file when it is full, what is left in memory is eight bytes per object.

Why our own: WeasyPrint takes a minute for 75 pages and half a gigabyte; reportlab is fast but neither tags what it draws nor
lets go of a page before the end. The format's part that a table of text needs is small: pages, two embedded fonts, and the
structure (document, headings, paragraphs, tables with rows and cells) that a screen reader goes by. Objects are packed into
compressed object streams (PDF 1.7), so that a cell's tag costs about ten bytes.

    pdf = TaggedPdf(out, title="…", language="de", made_at=now)
    page = pdf.page(595, 842)
    table = pdf.element("Table", parent=pdf.document)
    with page.tagged("TD", parent=row): page.text(40, 700, "1.00", size=8)
    page.end(); pdf.end()
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import struct
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO
from xml.sax.saxutils import escape

from crm.rendering import fonts
from crm.rendering.fonts import Face

_FROM_RIGHT = re.compile("[\u0590-\u08ff]+(?: +[\u0590-\u08ff]+)*")
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
PACK = 400  # objects in one object stream


@dataclass(slots=True)
class _Font:
    """A face as this document uses it."""

    face: Face
    number: int
    name: str
    used: dict[int, int] = field(default_factory=dict)  # glyph → character
    widths: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Element:
    """A node of the structure: its object number, and its children (object numbers; marked content below zero)."""

    number: int
    tag: str
    parent: int
    kids: array[int] = field(default_factory=lambda: array("q"))
    page: int = 0
    attributes: str = ""


class TaggedPdf:
    """A document that is written to `out` from front to back. `out` needs no seek."""

    def __init__(self, out: BinaryIO, *, title: str, language: str, made_at: dt.datetime, author: str = "") -> None:
        self._out, self._at = out, 0
        self.title, self.language, self.made_at, self.author = title, language, made_at, author
        # Per object: place in the file, or -(stream * 65536 + index) - 1 in an object stream.
        self._places: array[int] = array("q", [0])
        self._packed: list[tuple[int, bytes]] = []
        self._digest = hashlib.sha256()
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self.catalog, self.pages, self.tree, self.parents = (self.reserve() for _ in range(4))
        self.page_numbers: array[int] = array("q")
        self._parent_arrays: array[int] = array("q")
        self.fonts: dict[str, _Font] = {}
        self.regular, self.bold = self._font(fonts.regular()), self._font(fonts.bold())
        self.document = self.element("Document", parent=None)

    # objects

    def reserve(self) -> int:
        """Reserve the number of an object that is written later."""
        self._places.append(0)
        return len(self._places) - 1

    def put(self, number: int, body: str) -> None:
        """Write an object that isn't a stream, packed with others."""
        self._packed.append((number, body.encode("latin-1")))
        if len(self._packed) >= PACK:
            self._flush()

    def put_stream(self, number: int, data: bytes, entries: str = "") -> None:
        packed = zlib.compress(data, 6)
        self._places[number] = self._at
        head = f"{number} 0 obj\n<</Length {len(packed)}/Filter/FlateDecode{entries}>>stream\n"
        self._write(head.encode("latin-1") + packed + b"\nendstream\nendobj\n")

    def _flush(self) -> None:
        if not self._packed:
            return
        stream, place, heads, bodies = self.reserve(), 0, [], []
        for index, (number, body) in enumerate(self._packed):
            heads.append(f"{number} {place}")
            bodies.append(body)
            place += len(body) + 1
            self._places[number] = -(stream * 65536 + index) - 1
        head = " ".join(heads).encode() + b"\n"
        entries = f"/Type/ObjStm/N {len(bodies)}/First {len(head)}"
        self._packed = []
        self.put_stream(stream, head + b"\n".join(bodies), entries)

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._digest.update(data)
        self._at += len(data)

    # structure

    def element(self, tag: str, *, parent: Element | None, attributes: str = "") -> Element:
        """Begin a node below another. `close` it when its children are known; the document's is closed by `end`."""
        made = Element(self.reserve(), tag, parent.number if parent else self.tree, attributes=attributes)
        if parent:
            parent.kids.append(made.number)
        return made

    def close(self, element: Element) -> None:
        """Write the node; nothing is added to it any more."""
        kids = " ".join(f"{kid} 0 R" if kid > 0 else str(-kid - 1) for kid in element.kids)
        page = f"/Pg {element.page} 0 R" if element.page else ""
        body = f"<</S/{element.tag}/P {element.parent} 0 R{page}{element.attributes}/K[{kids}]>>"
        self.put(element.number, body)

    # fonts

    def _font(self, face: Face) -> _Font:
        if face.name not in self.fonts:
            self.fonts[face.name] = _Font(face, self.reserve(), f"F{len(self.fonts)}")
        return self.fonts[face.name]

    def runs(self, text: str, font: _Font) -> list[tuple[_Font, str, int]]:
        """Split a text into (font, glyphs as hex, width in thousandths): more than one run where another font has a character."""
        parts: list[tuple[_Font, str, int]] = []
        glyphs, current, total = font.face.glyphs, font, 0
        codes: list[str] = []
        for character in text:
            code = ord(character)
            pair, home = glyphs.get(code), font
            if pair is None:
                if code < 32:  # nothing to see
                    continue
                other = fonts.other_with(code)
                home = self._font(other) if other else font
                pair = home.face.glyphs.get(code, home.face.missing)
            if home is not current:
                if codes:
                    parts.append((current, "".join(codes), total))
                current, codes, total = home, [], 0
            glyph, width = pair
            if glyph not in home.used:
                home.used[glyph] = code
                home.widths[glyph] = width
            codes.append(f"{glyph:04X}")
            total += width
        if codes:
            parts.append((current, "".join(codes), total))
        return parts

    # the end

    def page(self, width: float, height: float) -> Page:
        return Page(self, width, height)

    def _page_done(self, number: int, parents: array[int]) -> None:
        self.page_numbers.append(number)
        holder = self.reserve()
        self.put(holder, "[" + " ".join(f"{parent} 0 R" for parent in parents) + "]")
        self._parent_arrays.append(holder)

    def end(self) -> str:
        """Write fonts, structure, pages and the table of objects. Returns the SHA-256 of the file."""
        self.close(self.document)
        for font in self.fonts.values():
            _put_font(self, font)
        self.put(
            self.parents,
            "<</Nums[" + " ".join(f"{n} {number} 0 R" for n, number in enumerate(self._parent_arrays)) + "]>>",
        )
        self.put(
            self.tree,
            f"<</Type/StructTreeRoot/K {self.document.number} 0 R/ParentTree {self.parents} 0 R/ParentTreeNextKey "
            f"{len(self._parent_arrays)}>>",
        )
        kids = " ".join(f"{number} 0 R" for number in self.page_numbers)
        self.put(self.pages, f"<</Type/Pages/Count {len(self.page_numbers)}/Kids[{kids}]>>")
        metadata, info = self.reserve(), self.reserve()
        self._metadata(metadata)
        stamp = f"D:{self.made_at.astimezone(dt.UTC):%Y%m%d%H%M%S}Z"
        self.put(
            info, f"<</Title {_text(self.title)}/Author {_text(self.author)}/Producer(Keelson)/CreationDate({stamp})>>"
        )
        self.put(
            self.catalog,
            f"<</Type/Catalog/Pages {self.pages} 0 R/StructTreeRoot {self.tree} 0 R/MarkInfo<</Marked true>>"
            f"/Lang {_text(self.language)}/ViewerPreferences<</DisplayDocTitle true>>/Metadata {metadata} 0 R>>",
        )
        self._flush()
        self._cross_references(info)
        return self._digest.hexdigest()

    def _metadata(self, number: int) -> None:
        """Write the XMP, uncompressed as readers that don't know the format search for it."""
        xmp = (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
            'xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"><pdfuaid:part>1</pdfuaid:part><dc:title><rdf:Alt><rdf:li '
            f'xml:lang="x-default">{escape(self.title)}</rdf:li></rdf:Alt></dc:title><xmp:CreateDate>'
            f"{self.made_at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}</xmp:CreateDate></rdf:Description></rdf:RDF></x:xmpmeta>"
            '<?xpacket end="r"?>'
        ).encode()
        self._places[number] = self._at
        head = f"{number} 0 obj\n<</Type/Metadata/Subtype/XML/Length {len(xmp)}>>stream\n".encode()
        self._write(head + xmp + b"\nendstream\nendobj\n")

    def _cross_references(self, info: int) -> None:
        number, start = self.reserve(), self._at
        self._places[number] = start
        mark = self._digest.hexdigest()[:32]
        lines = bytearray(struct.pack(">BQH", 0, 0, 65535))
        for place in self._places[1:]:
            if place < 0:
                stream, index = divmod(-place - 1, 65536)
                lines += struct.pack(">BQH", 2, stream, index)
            else:
                lines += struct.pack(">BQH", 1, place, 0)
        packed = zlib.compress(bytes(lines), 6)
        head = (
            f"{number} 0 obj\n<</Type/XRef/Size {len(self._places)}/W[1 8 2]/Root {self.catalog} 0 R/Info {info} 0 R"
            f"/ID[<{mark}><{mark}>]/Length {len(packed)}/Filter/FlateDecode>>stream\n"
        )
        self._write(head.encode() + packed + b"\nendstream\nendobj\n" + f"startxref\n{start}\n%%EOF\n".encode())


class Page:
    """One page: drawn on from top to bottom, then ended. Units are points, from the lower left."""

    def __init__(self, pdf: TaggedPdf, width: float, height: float) -> None:
        self.pdf, self.width, self.height = pdf, width, height
        self.number = pdf.reserve()
        self._drawn: list[str] = []
        self._parents: array[int] = array("q")

    @contextlib.contextmanager
    def tagged(self, tag: str, *, parent: Element, attributes: str = "") -> Iterator[Element]:
        """Make what is drawn inside one node of the structure."""
        element = self.pdf.element(tag, parent=parent, attributes=attributes)
        with self.marked(element):
            yield element
        self.pdf.close(element)

    @contextlib.contextmanager
    def marked(self, element: Element) -> Iterator[None]:
        """Make what is drawn inside belong to a node that stays open."""
        mark = len(self._parents)
        self._parents.append(element.number)
        element.kids.append(-mark - 1)
        element.page = self.number
        self._drawn.append(f"/{element.tag}<</MCID {mark}>>BDC")
        yield
        self._drawn.append("EMC")

    @contextlib.contextmanager
    def artifact(self) -> Iterator[None]:
        """Mark what is drawn inside as decoration, which readers skip: rules, colours, headers and footers."""
        self._drawn.append("/Artifact BMC")
        yield
        self._drawn.append("EMC")

    def text(self, x: float, y: float, text: str, *, size: float, bold: bool = False, end: bool = False) -> float:
        """Draw one line at x (or up to x, with `end`); returns its width."""
        runs = self.pdf.runs(_in_order_of_sight(text), self.pdf.bold if bold else self.pdf.regular)
        width = sum(run[2] for run in runs) * size / 1000
        at = x - width if end else x
        for font, codes, wide in runs:
            self._drawn.append(f"BT/{font.name} {size:g} Tf {at:.2f} {y:.2f} Td<{codes}>Tj ET")
            at += wide * size / 1000
        return width

    def colour(self, hexadecimal: str) -> None:
        """Set the colour of text and fillings from here on."""
        self._drawn.append(_rgb(hexadecimal) + " rg")

    def rule(self, x: float, y: float, to: float, *, width: float = 0.4, colour: str = "#c3cad5") -> None:
        self._drawn.append(f"{_rgb(colour)} RG {width:g} w {x:.2f} {y:.2f} m {to:.2f} {y:.2f} l S")

    def block(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self._drawn.append(f"q {_rgb(colour)} rg {x:.2f} {y:.2f} {width:.2f} {height:.2f} re f Q")

    def end(self) -> None:
        pdf, content = self.pdf, self.pdf.reserve()
        pdf.put_stream(content, "\n".join(self._drawn).encode("latin-1"))
        used = "".join(f"/{font.name} {font.number} 0 R" for font in pdf.fonts.values())
        pdf.put(
            self.number,
            f"<</Type/Page/Parent {pdf.pages} 0 R/MediaBox[0 0 {self.width:g} {self.height:g}]/Contents {content} 0 R"
            f"/Resources<</Font<<{used}>>>>/StructParents {len(pdf.page_numbers)}/Tabs/S>>",
        )
        pdf._page_done(self.number, self._parents)
        self._drawn = []


def _in_order_of_sight(text: str) -> str:
    """Turn Hebrew and Arabic words round, which run from right to left: a page has no direction of its own."""
    return text if text.isascii() else _FROM_RIGHT.sub(lambda match: match[0][::-1], _UNSEEN.sub("", text))


@lru_cache(maxsize=64)
def _rgb(hexadecimal: str) -> str:
    text = hexadecimal.lstrip("#")
    return " ".join(f"{int(text[at : at + 2], 16) / 255:.3g}" for at in (0, 2, 4))


def _text(value: str) -> str:
    """Write a string object: UTF-16 in hexadecimal, which needs no escapes."""
    return "<FEFF" + value.encode("utf-16-be").hex().upper() + ">"


def _put_font(pdf: TaggedPdf, font: _Font) -> None:
    """Write the font with the glyphs that were used, under their own numbers, and the characters they represent."""
    face, cid, about, data, unicode_map = font.face, pdf.reserve(), pdf.reserve(), pdf.reserve(), pdf.reserve()
    name = "KEELSN+" + "".join(character for character in face.name if character.isalnum() or character == "-")
    pdf.put(
        font.number,
        f"<</Type/Font/Subtype/Type0/BaseFont/{name}/Encoding/Identity-H/DescendantFonts[{cid} 0 R]/ToUnicode {unicode_map} 0 R>>",
    )
    widths = " ".join(f"{glyph}[{width}]" for glyph, width in sorted(font.widths.items()))
    pdf.put(
        cid,
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        f"/FontDescriptor {about} 0 R/CIDToGIDMap/Identity/DW 600/W[{widths}]>>",
    )
    box = " ".join(map(str, face.box))
    pdf.put(
        about,
        f"<</Type/FontDescriptor/FontName/{name}/Flags 4/FontBBox[{box}]/ItalicAngle 0/Ascent {face.ascent}"
        f"/Descent {face.descent}/CapHeight {face.cap_height}/StemV 80/FontFile2 {data} 0 R>>",
    )
    program = face.subset(set(font.used))
    pdf.put_stream(data, program, f"/Length1 {len(program)}")
    pdf.put_stream(unicode_map, _unicode_map(font.used))


def _unicode_map(used: dict[int, int]) -> bytes:
    head = (
        "/CIDInit/ProcSet findresource begin 12 dict begin begincmap/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0"
        ">>def/CMapName/Adobe-Identity-UCS def/CMapType 2 def 1 begincodespacerange<0000><FFFF>endcodespacerange\n"
    )
    lines, pairs = [head], sorted(used.items())
    for at in range(0, len(pairs), 100):
        part = pairs[at : at + 100]
        rows = "\n".join(f"<{glyph:04X}><{chr(code).encode('utf-16-be').hex().upper()}>" for glyph, code in part)
        lines.append(f"{len(part)} beginbfchar\n{rows}\nendbfchar\n")
    lines.append("endcmap CMapName currentdict/CMap defineresource pop end end")
    return "".join(lines).encode()
