"""A report as a long tagged PDF: tables of any length, page by page onto the disk, with the same hash as its workbook.

2,000 rows a second and more in flat memory, where WeasyPrint's time and memory grow with the square of the pages. It sets text
in columns and nothing else: what needs a layout of its own is a letter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.rendering import fonts
from crm.rendering.cell_text import cell_text
from crm.rendering.fonts import Face
from crm.rendering.report import Cell, Column, Fingerprint, Report, Row, Section
from crm.rendering.tagged import Element, Page, TaggedPdf

A4 = (595.28, 841.89)
MARGIN, TOP, BOTTOM, PAD = 42.0, 58.0, 48.0, 4.0
SIZE, LINE = 7.5, 10.0
SAMPLE = 200  # rows by which widths are chosen
LINES_MAX = 40  # of one cell: a row is on one page
EVERY = 500  # rows between two reports of progress
INK, SOFT = "#1a2230", "#5a6473"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What came out."""

    content_hash: str
    sha256: str
    pages: int
    rows: int


def write_pdf(
    report: Report, target: Path, *, progress: Progress = lambda *_args: None, expected_rows: int = 0
) -> WrittenFile:
    """Write the report in the active language and time zone. Rows are read once.

    expected_rows: for the bar; the progress function may raise to stop (nothing usable is left in `target` then).
    """
    with target.open("wb") as out:
        return _Setter(
            report,
            TaggedPdf(
                out,
                title=report.title,
                language=(get_language() or "en")[:2],
                made_at=report.made_at,
                author=report.look.legal_name or report.look.name,
            ),
            progress,
            expected_rows,
        ).write()


def width_of(text: str, face: Face, size: float) -> float:
    """Measure a text in points."""
    glyphs, missing = face.glyphs, face.missing
    width: float = sum(glyphs.get(ord(character), missing)[1] for character in text) * size / 1000
    return width


class _Setter:
    """Goes down the pages."""

    def __init__(self, report: Report, pdf: TaggedPdf, progress: Progress, expected: int) -> None:
        self.report, self.pdf, self.progress, self.expected = report, pdf, progress, expected
        self.mark = Fingerprint(report.key)
        self.width, self.height = A4
        self.regular, self.bold = fonts.regular(), fonts.bold()
        self.rows = self.count = 0
        self.page: Page
        self.y = 0.0

    # the whole

    def write(self) -> WrittenFile:
        self._turn()
        self._head()
        for section in self.report.sections:
            self._section(section)
        content_hash = self.report.content_hash_given or self.mark.hexdigest()
        self._proof(content_hash)
        self._foot()
        self.page.end()
        return WrittenFile(content_hash, self.pdf.end(), self.count, self.rows)

    def _head(self) -> None:
        report = self.report
        self.page.colour(report.look.colour)
        self._lines("H1", report.title, size=17, leading=21, bold=True)
        self.page.colour(SOFT)
        if report.subtitle:
            self._lines("P", report.subtitle, size=9, leading=12)
        self.page.colour(INK)
        self.mark.facts(report.facts)
        self._facts(report.facts)

    def _section(self, section: Section) -> None:
        self._need(60)
        self.y -= 10
        self._lines("H2", section.title, size=11.5, leading=15, bold=True)
        if section.text:
            self._lines("P", section.text, size=8.5, leading=11.5)
        self.mark.section(section)
        self._facts(section.facts)
        if section.columns:
            self._table(section)

    def _proof(self, content_hash: str) -> None:
        self._need(50)
        self.y -= 14
        self.page.colour(SOFT)
        made = _("Created on %(when)s. %(rows)d rows.") % {"when": cell_text(self.report.made_at), "rows": self.rows}
        self._lines("P", made, size=7, leading=9.5)
        self._lines("P", _("SHA-256 of the figures: %(hash)s") % {"hash": content_hash}, size=7, leading=9.5)
        self.page.colour(INK)

    # pieces

    def _lines(self, tag: str, text: str, *, size: float, leading: float, bold: bool = False) -> None:
        """Set a heading or a paragraph over the whole width."""
        face = self.bold if bold else self.regular
        lines = list(wrap_text(text, face, size, self.width - 2 * MARGIN))
        self._need(leading * len(lines))
        with self.page.tagged(tag, parent=self.pdf.document):
            for line in lines:
                self.y -= leading
                self.page.text(MARGIN, self.y, line, size=size, bold=bold)

    def _facts(self, facts: Sequence[tuple[str, Cell]]) -> None:
        """Set labels and values as a table of two columns."""
        if not facts:
            return
        table = self.pdf.element("Table", parent=self.pdf.document)
        label_width = min(max(width_of(label, self.bold, SIZE) for label, _value in facts) + 14, 190)
        room = self.width - 2 * MARGIN - label_width
        self.y -= 4
        for label, value in facts:
            lines = list(wrap_text(cell_text(value), self.regular, SIZE, room))[:LINES_MAX]
            self._need(LINE * len(lines) + 2)
            row = self.pdf.element("TR", parent=table)
            self.y -= LINE + 1
            with self.page.tagged("TH", parent=row, attributes="/A<</O/Table/Scope/Row>>"):
                self.page.text(MARGIN, self.y, label, size=SIZE, bold=True)
            with self.page.tagged("TD", parent=row):
                for number, line in enumerate(lines):
                    self.page.text(MARGIN + label_width, self.y - number * LINE, line, size=SIZE)
            self.y -= LINE * (len(lines) - 1)
            self.pdf.close(row)
        self.pdf.close(table)

    # tables

    def _table(self, section: Section) -> None:
        every = section.each_row()
        sample = list(islice(every, SAMPLE))
        if not sample and section.empty:
            self._lines("P", section.empty, size=8.5, leading=12)
            return
        for row in (*sample, *((section.total,) if section.total else ())):
            if len(row) != len(section.columns):
                raise ValueError(f"{section.title}: a row of {len(row)} cells under {len(section.columns)} columns")
        widths = self._widths(section.columns, [[cell_text(cell) for cell in row] for row in sample])
        places = [MARGIN + sum(widths[:n]) for n in range(len(widths))]
        layout = list(zip(section.columns, places, widths, strict=True))
        table = self.pdf.element("Table", parent=self.pdf.document)
        self._need(64)
        self.y -= 4
        head = self.pdf.element("THead", parent=table)
        self._headings(layout, head)
        self.pdf.close(head)
        body = self.pdf.element("TBody", parent=table)
        for row in chain(sample, every):
            self.mark.row(row)
            self._row(layout, row, body)
            self.rows += 1
            if not self.rows % EVERY:
                self.progress(self.rows, max(self.expected, self.rows), _("rows written"))
        if section.total:
            self._row(layout, section.total, body, bold=True)
        self.pdf.close(body)
        self.pdf.close(table)

    def _widths(self, columns: Sequence[Column], sample: list[list[str]]) -> list[float]:
        """Give amounts what they need; texts share the rest, by need where there is room for all, else by weight."""
        room = self.width - 2 * MARGIN
        needs = []
        for place, column in enumerate(columns):
            lines = (line for row in sample for line in row[place].split("\n"))
            widest = max((width_of(line, self.regular, SIZE) for line in lines), default=0.0)
            needs.append(max(widest, width_of(column.title, self.bold, SIZE - 0.5)) + 2 * PAD + 0.1)
        if sum(needs) <= room:
            spare = (room - sum(needs)) / (sum(column.weight for column in columns if not column.end) or len(columns))
            flexible = any(not column.end for column in columns)
            return [
                need + (0 if flexible and column.end else spare * (column.weight if flexible else 1))
                for need, column in zip(needs, columns, strict=True)
            ]
        left = max(room - sum(need for need, column in zip(needs, columns, strict=True) if column.end), room / 4)
        texts = {n: (needs[n], column.weight) for n, column in enumerate(columns) if not column.end}
        widths = {**dict(enumerate(needs)), **_shared(texts, left)}
        total = sum(widths.values())
        return [widths[n] * room / total for n in range(len(columns))]

    def _headings(self, layout: list[tuple[Column, float, float]], parent: Element | None) -> None:
        """Set the heading row; repeated on the next pages it is decoration, for it is the same table."""
        titles = [
            list(wrap_text(column.title, self.bold, SIZE - 0.5, width - 2 * PAD))[:3] for column, _x, width in layout
        ]
        height = LINE * max(map(len, titles)) + 5
        self.y -= height
        with self.page.artifact():
            self.page.block(MARGIN, self.y - 2, self.width - 2 * MARGIN, height, "#f1f4f8")
            self.page.rule(MARGIN, self.y - 2, self.width - MARGIN, width=0.8, colour=self.report.look.colour)
        self.page.colour(SOFT)
        row = self.pdf.element("TR", parent=parent) if parent else None
        for (column, x, width), lines in zip(layout, titles, strict=True):
            at = x + width - PAD if column.end else x + PAD
            place = (
                self.page.tagged("TH", parent=row, attributes="/A<</O/Table/Scope/Column>>")
                if row
                else self.page.artifact()
            )
            with place:
                for number, line in enumerate(lines):
                    y = self.y + height - LINE - 1 - number * LINE
                    self.page.text(at, y, line, size=SIZE - 0.5, bold=True, end=column.end)
        if row:
            self.pdf.close(row)
        self.page.colour(INK)
        self.y -= 3

    def _row(self, layout: list[tuple[Column, float, float]], cells: Row, body: Element, bold: bool = False) -> None:
        face, page = (self.bold if bold else self.regular), self.page
        lines = []
        for cell, (column, _x, width) in zip(cells, layout, strict=True):
            text = cell_text(cell)
            fits = column.end or ("\n" not in text and width_of(text, face, SIZE) <= width - 2 * PAD)
            lines.append([text] if fits else list(wrap_text(text, face, SIZE, width - 2 * PAD)))
        tallest = min(max(map(len, lines)), LINES_MAX)
        if self._need(LINE * tallest + 4):
            page = self.page
            self._headings(layout, None)
        row = self.pdf.element("TR", parent=body)
        first = self.y - LINE + 1
        for (column, x, width), texts in zip(layout, lines, strict=True):
            with page.tagged("TD", parent=row):
                if column.end:
                    need = width_of(texts[0], face, SIZE)
                    size = SIZE if need <= width - 1 else SIZE * (width - 1) / need  # an amount is never broken
                    page.text(x + width - PAD, first, texts[0], size=size, bold=bold, end=True)
                else:
                    for number, line in enumerate(texts[:LINES_MAX]):
                        page.text(x + PAD, first - number * LINE, line, size=SIZE, bold=bold)
        self.y -= LINE * tallest + 3
        with page.artifact():
            page.rule(MARGIN, self.y + 1, self.width - MARGIN, width=0.3)
        self.pdf.close(row)

    # pages

    def _need(self, height: float) -> bool:
        """Make room for so much; True when that took a new page."""
        if self.y - height >= BOTTOM:
            return False
        self._foot()
        self.page.end()
        self._turn()
        return True

    def _turn(self) -> None:
        self.page = self.pdf.page(self.width, self.height)
        self.count += 1
        self.y = self.height - TOP
        look, top = self.report.look, self.height - 36
        with self.page.artifact():
            self.page.colour(look.colour)
            self.page.text(MARGIN, top, look.name, size=10, bold=True)
            self.page.colour(SOFT)
            self.page.text(self.width - MARGIN, top, self.report.title, size=8, end=True)
            self.page.rule(MARGIN, top - 7, self.width - MARGIN, width=0.6, colour=look.colour)
        self.page.colour(INK)

    def _foot(self) -> None:
        look = self.report.look
        with self.page.artifact():
            self.page.colour(SOFT)
            self.page.text(MARGIN, 28, " · ".join(filter(None, [look.legal_name, look.licence])), size=6.5)
            page = _("Page %(number)d") % {"number": self.count}
            self.page.text(self.width - MARGIN, 28, page, size=6.5, end=True)
        self.page.colour(INK)


def _shared(texts: dict[int, tuple[float, float]], room: float) -> dict[int, float]:
    """Share room among (need, weight): who needs less than a fair share gets that, the others split what is left."""
    widths: dict[int, float] = {}
    while texts:
        share = room / sum(weight for _need, weight in texts.values())
        modest = {n: need for n, (need, weight) in texts.items() if need <= share * weight}
        if not modest:
            return widths | {n: share * weight for n, (_need, weight) in texts.items()}
        widths |= modest
        room -= sum(modest.values())
        texts = {n: text for n, text in texts.items() if n not in modest}
    return widths


def wrap_text(text: str, face: Face, size: float, room: float) -> Iterator[str]:
    """Break a text into lines that fit; a word that is too long (a hash, an address) is cut where it must be."""
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        space = width_of(" ", face, size)
        for word in paragraph.split():
            need = width_of(word, face, size)
            if line and used + space + need <= room:
                line, used = f"{line} {word}", used + space + need
                continue
            if line:
                yield line
            while need > room and len(word) > 1:
                cut = max(1, int(len(word) * room / need))
                while cut > 1 and width_of(word[:cut], face, size) > room:
                    cut -= 1
                yield word[:cut]
                word = word[cut:]
                need = width_of(word, face, size)
            line, used = word, need
        yield line
