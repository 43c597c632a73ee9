"""What a program can tell of PDF/UA-1 (ISO 14289-1) in our own documents, numbered as in the Matterhorn Protocol 1.1.

`problems_of(pdf)` is empty for a document that holds all of it. Left out is what our documents never have (forms, sound, layers,
scripts) and what only a person can judge: whether a heading is one, whether an alternative text says enough.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf

STANDARD = frozenset(
    word
    for words in (
        "Document Part Art Sect Div BlockQuote Caption TOC TOCI Index NonStruct Private H H1 H2 H3 H4 H5 H6 P",
        "L LI Lbl LBody Table TR TH TD THead TBody TFoot Span Quote Note Reference BibEntry Code Link Annot",
        "Ruby RB RT RP Warichu WT WP Figure Formula Form",
    )
    for word in words.split()
)
PAINTS = frozenset({"Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "INLINE IMAGE"})
SHOWS_TEXT = frozenset({"Tj", "TJ", "'", '"'})
# Parent → what may stand directly in it (09-002 and following).
CHILDREN = {
    "Table": {"TR", "THead", "TBody", "TFoot", "Caption"},
    "THead": {"TR"},
    "TBody": {"TR"},
    "TFoot": {"TR"},
    "TR": {"TH", "TD"},
    "L": {"L", "LI", "Caption"},
    "LI": {"Lbl", "LBody"},
}
PARENTS = {
    "TR": {"Table", "THead", "TBody", "TFoot"},
    "TH": {"TR"},
    "TD": {"TR"},
    "THead": {"Table"},
    "TBody": {"Table"},
    "TFoot": {"Table"},
    "LI": {"L"},
    "LBody": {"LI"},
}
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass
class Node:
    tag: str
    element: Any
    parent: Node | None
    children: list[Node] = field(default_factory=list)
    marks: list[tuple[tuple[int, int], int]] = field(default_factory=list)  # (page's object, mark)
    annotations: list[tuple[int, int]] = field(default_factory=list)

    def below(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.below()


def problems_of(pdf: Path | Any, *, strict_order: bool = False) -> list[str]:
    """strict_order: what is read must be drawn in that order, too (the standard leaves that to a person's eye)."""
    with pikepdf.open(pdf) as document:
        return [*_Checker(document, strict_order).all()]


class _Checker:
    def __init__(self, document: pikepdf.Pdf, strict_order: bool = False) -> None:
        self.document, self.root, self.strict_order = document, document.Root, strict_order

    def all(self) -> Iterator[str]:
        yield from self.document.check_pdf_syntax()
        yield from self.head()
        if "/StructTreeRoot" not in self.root:
            yield "01-005 there is no structure"
            return
        self.roles = {
            str(name)[1:]: str(role)[1:] for name, role in dict(self.root.StructTreeRoot.get("/RoleMap", {})).items()
        }
        self.top: list[Node] = []
        yield from self.tree()
        self.nodes = [node for top in self.top for node in top.below()]
        yield from self.nesting()
        yield from self.headings()
        yield from self.tables()
        yield from self.alternatives()
        for number, page in enumerate(self.document.pages, start=1):
            yield from (f"page {number}: {problem}" for problem in self.page(page))
        yield from self.marks_and_parents()
        yield from self.fonts()
        yield from self.attachments()

    # 05, 06, 07, 11, 26: what the document says of itself

    def head(self) -> Iterator[str]:
        root = self.root
        mark_info = root.get("/MarkInfo", {})
        if not bool(mark_info.get("/Marked", False)):
            yield "01: MarkInfo does not say that it is tagged"
        if bool(mark_info.get("/Suspects", False)):
            yield "04-001 Suspects"
        if "/Metadata" not in root:
            yield "06-001 no XMP"
        else:
            with self.document.open_metadata() as about:
                if about.get("pdfuaid:part") != "1":
                    yield "06-002 XMP does not claim PDF/UA-1"
                if not about.get("dc:title"):
                    yield "06-003 XMP has no title"
        if not bool(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False)):
            yield "07-001 the title is not shown"
        if not LANGUAGE.fullmatch(str(root.get("/Lang", ""))):
            yield "11-006 no language"
        if self.document.is_encrypted:
            yield "26-001 encrypted"
        if {"/AcroForm", "/OCProperties"} & set(root.keys()):
            yield "20, 24, 25: forms or layers, which are not looked at here"

    # 01, 02: the tree, its roles

    def tree(self) -> Iterator[str]:
        waiting: list[tuple[Any, Node | None, Any]] = [(self.root.StructTreeRoot.K, None, self.root.StructTreeRoot)]
        if "/ParentTree" not in self.root.StructTreeRoot:
            yield "01: the structure has no list of parents"
        seen: set[tuple[int, int]] = set()
        while waiting:
            kids, parent, above = waiting.pop(0)
            for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
                if not isinstance(kid, pikepdf.Dictionary):
                    assert parent is not None
                    parent.marks.append((parent.element.Pg.objgen, int(kid)))
                    continue
                kind = str(kid.get("/Type", "/StructElem"))
                if kind == "/MCR":
                    assert parent is not None
                    parent.marks.append((kid.get("/Pg", parent.element.get("/Pg")).objgen, int(kid.MCID)))
                elif kind == "/OBJR":
                    assert parent is not None
                    parent.annotations.append(kid.Obj.objgen)
                else:
                    node = Node(str(kid.S)[1:], kid, parent)
                    if kid.objgen in seen:
                        yield f"01: {node.tag} stands in the tree twice"
                        continue
                    seen.add(kid.objgen)
                    if kid.P.objgen != above.objgen:
                        yield f"01: {node.tag} names another parent than it has"
                    yield from self.role(node)
                    (parent.children if parent else self.top).append(node)
                    waiting.append((kid.get("/K", pikepdf.Array()), node, kid))

    def role(self, node: Node) -> Iterator[str]:
        steps = 0
        while node.tag not in STANDARD and node.tag in self.roles and steps < 10:
            node.tag, steps = self.roles[node.tag], steps + 1
        if node.tag not in STANDARD:
            yield f"02-001 {node.tag} is no standard type, and not mapped to one"
        if node.tag in STANDARD and node.tag in self.roles:
            yield f"02-004 {node.tag} is a standard type that is mapped to another"

    # 09, 14, 15: nesting, headings, tables

    def nesting(self) -> Iterator[str]:
        for node in self.nodes:
            allowed = CHILDREN.get(node.tag)
            for child in node.children:
                if allowed is not None and child.tag not in allowed:
                    yield f"09: {child.tag} stands in {node.tag}"
            above = node.parent.tag if node.parent else ""
            if node.tag in PARENTS and above not in PARENTS[node.tag]:
                yield f"09: {node.tag} stands in {above or 'nothing'}"

    def headings(self) -> Iterator[str]:
        levels = [int(node.tag[1]) for node in self.in_order() if re.fullmatch("H[1-6]", node.tag)]
        if levels and levels[0] != 1:
            yield f"14-002 the first heading is H{levels[0]}"
        for before, level in pairwise(levels):
            if level > before + 1:
                yield f"14-003 H{level} follows H{before}"
        if levels and any(node.tag == "H" for node in self.nodes):
            yield "14-007 H and numbered headings"

    def in_order(self) -> Iterator[Node]:
        for top in self.top:
            yield from top.below()

    def tables(self) -> Iterator[str]:
        named = {str(one) for node in self.nodes for one in self.attribute(node, "/Headers") or []}
        for node in self.nodes:
            if (
                node.tag == "TH"
                and not self.attribute(node, "/Scope")
                and str(node.element.get("/ID", "")) not in named
            ):
                yield "15-003 a heading cell says neither row nor column, and no cell names it"
            if node.tag == "Table":
                widths = {
                    sum(int(self.attribute(cell, "/ColSpan") or 1) for cell in row.children)
                    for row in node.below()
                    if row.tag == "TR"
                }
                spans = any(self.attribute(cell, "/RowSpan") for cell in node.below())
                if len(widths) > 1 and not spans:
                    yield f"15: rows of a table have {sorted(widths)} cells"

    @staticmethod
    def attribute(node: Node, name: str) -> Any:
        given = node.element.get("/A")
        for one in given if isinstance(given, pikepdf.Array) else [given]:
            if isinstance(one, pikepdf.Dictionary) and name in one:
                return one[name]
        return None

    # 13, 17, 19, 28

    def alternatives(self) -> Iterator[str]:
        ids = Counter(str(node.element.ID) for node in self.nodes if "/ID" in node.element)
        if ids and "/IDTree" not in self.root.StructTreeRoot:
            yield "there are ids, and no list of them"
        yield from (f"19-004 the id {name} is given {count} times" for name, count in ids.items() if count > 1)
        for node in self.nodes:
            words = str(node.element.get("/Alt", "")) or str(node.element.get("/ActualText", ""))
            if node.tag in ("Figure", "Formula") and not words:
                yield f"13-004 a {node.tag} has no alternative text"
            if node.tag == "Note" and "/ID" not in node.element:
                yield "19-003 a note without an id"
            if "/Lang" in node.element and not LANGUAGE.fullmatch(str(node.element.Lang)):
                yield "11-001 a language that is none"
        linked = {objgen for node in self.nodes if node.tag == "Link" for objgen in node.annotations}
        for page in self.document.pages:
            annotations = list(page.get("/Annots", []))
            if annotations and str(page.get("/Tabs", "")) != "/S":
                yield "28-008 the order of tabs is not that of the structure"
            for one in annotations:
                if str(one.Subtype) == "/Link" and one.objgen not in linked:
                    yield "28-011 a link that stands in no Link"
                if str(one.Subtype) == "/Link" and not str(one.get("/Contents", "")):
                    yield "28-012 a link without a description"
                if str(one.Subtype) not in ("/Link", "/Popup") and not str(one.get("/Contents", "")):
                    yield f"28-004 {one.Subtype} without a description"

    # 01: every mark on a page

    def page(self, page: pikepdf.Page) -> Iterator[str]:
        open_marks: list[tuple[str, int | None]] = []
        found: Counter[int] = Counter()
        order: list[int] = []
        for operands, operator in pikepdf.parse_content_stream(page):
            name = str(operator)
            if name in ("BDC", "BMC"):
                tag, number = str(operands[0])[1:], None
                if name == "BDC":
                    values = operands[1]
                    values = page.Resources.Properties[values] if isinstance(values, pikepdf.Name) else values
                    number = int(values.MCID) if "/MCID" in values else None
                if tag == "Artifact" and any(mark is not None for _tag, mark in open_marks):
                    yield "01-003 decoration within what is tagged"
                if number is not None and any(one == "Artifact" for one, _mark in open_marks):
                    yield "01-004 something tagged within decoration"
                if number is not None:
                    found[number] += 1
                    order.append(number)
                open_marks.append((tag, number))
            elif name == "EMC":
                if not open_marks:
                    yield "a mark ends that did not begin"
                else:
                    open_marks.pop()
            elif name in PAINTS and not any(tag == "Artifact" or mark is not None for tag, mark in open_marks):
                yield f"01-005 {name} draws outside of every tag"
        if open_marks:
            yield "a mark does not end"
        yield from (f"mark {number} stands {count} times" for number, count in found.items() if count > 1)
        told = [mark for node in self.in_order() for objgen, mark in node.marks if objgen == page.objgen]
        if sorted(told) != sorted(found):
            yield f"marks and structure differ: {sorted(set(found) ^ set(told))[:5]}"
        elif told != order and self.strict_order:
            yield "09-001 what is read is not in the order in which it is drawn"

    def marks_and_parents(self) -> Iterator[str]:
        parents = {int(key): value for key, value in pikepdf.NumberTree(self.root.StructTreeRoot.ParentTree).items()}
        owners = {mark: node for node in self.nodes for mark in node.marks}
        for page in self.document.pages:
            marks = [number for objgen, number in owners if objgen == page.objgen]
            if not marks:
                continue
            row = parents.get(int(page.get("/StructParents", -1)))
            if row is None:
                yield "01: a page is not in the list of parents"
                continue
            for number in marks:
                if row[number].objgen != owners[page.objgen, number].element.objgen:
                    yield f"01: the list of parents names another owner of mark {number}"
            for one in page.get("/Annots", []):
                if str(one.Subtype) == "/Link" and int(one.get("/StructParent", -1)) not in parents:
                    yield "28: a link is not in the list of parents"

    # 21, 31: files and fonts

    def fonts(self) -> Iterator[str]:
        seen = set()
        for page in self.document.pages:
            for font in dict(page.get("/Resources", {}).get("/Font", {})).values():
                if font.objgen not in seen:
                    seen.add(font.objgen)
                    yield from (f"{problem}: {font.get('/BaseFont')}" for problem in self.font(font))

    @staticmethod
    def font(font: Any) -> Iterator[str]:
        if str(font.Subtype) == "/Type3":
            return
        inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
        about = inner.get("/FontDescriptor", {})
        if not {"/FontFile", "/FontFile2", "/FontFile3"} & set(about.keys()):
            yield "31-009 not embedded"
        if "/ToUnicode" not in font:
            yield "31-027 its characters can't be read back"
        else:
            text = font.ToUnicode.read_bytes()
            targets = re.findall(rb"<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]+)>", text)
            if not targets:
                yield "31-027 it maps no character"
            if any(target.lower() in (b"0000", b"feff", b"fffe") for target in targets):
                yield "31-028 a character that is none"
        if "/DescendantFonts" in font:
            if str(font.Encoding) not in ("/Identity-H", "/Identity-V"):
                yield "31-006 another encoding than Identity"
            if str(inner.Subtype) == "/CIDFontType2" and "/CIDToGIDMap" not in inner:
                yield "31-004 no map to its glyphs"
            system = inner.get("/CIDSystemInfo", {})
            if (str(system.get("/Registry", "")), str(system.get("/Ordering", ""))) != ("Adobe", "Identity"):
                yield "31-001 another collection than its encoding"
        if "/CharSet" in about or "/CIDSet" in about:
            yield "31-011, 31-013: a list of characters, which is not looked at here"

    def attachments(self) -> Iterator[str]:
        for name, file in self.document.attachments.items():
            if not {"/F", "/UF"} <= set(file.obj.keys()):
                yield f"21-001 the attachment {name} has not both names"
