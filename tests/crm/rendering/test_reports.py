"""A report: the same figures give the same hash, as PDF and as workbook; the PDF is tagged, with its fonts inside; flat memory."""

import datetime as dt
import resource
import zipfile
from decimal import Decimal
from xml.etree import ElementTree

import pikepdf
import pypdfium2
import pytest
from django.utils import timezone, translation

from crm.files.jobs import JobCancelled
from crm.i18n import formats
from crm.money.amounts import Money
from crm.rendering.cell_text import cell_text
from crm.rendering.letter import render_pdf
from crm.rendering.pdf_stream import write_pdf
from crm.rendering.report import Column, Look, Named, Report, Section
from crm.rendering.xlsx import Book, day_format, write_workbook

NOON = dt.datetime(2026, 10, 31, 12, tzinfo=dt.UTC)
COLUMNS = (Column("When"), Column("Rule", weight=2), Column("Client"), Column("Amount", end=True))


def rows(count: int):
    for number in range(count):
        yield [
            NOON + dt.timedelta(seconds=number),
            Named("psp_reference", "PSP reference"),
            "Łukasz Иван",
            Money(Decimal(number) / 100, "EUR"),
        ]


def report_of(count: int, **values) -> Report:
    section = Section(
        "Matches",
        "What agreed.",
        facts=[("Rows", count)],
        columns=COLUMNS,
        rows=lambda: rows(count),
        total=[None, "Sum", None, Money(Decimal(1), "EUR")],
    )
    given = {
        "key": "pack:1",
        "title": "PSP pack <Stripe>",
        "look": Look("Meridian", "Meridian Ltd"),
        "made_at": NOON,
        "facts": [("File", "report.csv")],
        "sections": [section],
        **values,
    }
    return Report(**given)


def text_of(path) -> str:
    document = pypdfium2.PdfDocument(path)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def elements(document: pikepdf.Pdf, tag: str) -> list:
    """The nodes of the structure with a tag, found from its root downwards."""
    found, waiting = [], [document.Root.StructTreeRoot.K]
    while waiting:
        node = waiting.pop()
        if isinstance(node, pikepdf.Array):
            waiting.extend(node)
        elif isinstance(node, pikepdf.Dictionary):
            if str(node.S) == f"/{tag}":
                found.append(node)
            waiting.append(node.get("/K", pikepdf.Array()))
    return found


def test_pdf_and_workbook_of_the_same_figures_have_the_same_hash(tmp_path):
    paper = report_of(40)
    pdf = write_pdf(paper, tmp_path / "a.pdf")
    book = write_workbook(paper, tmp_path / "a.xlsx")
    assert pdf.content_hash == book.content_hash == paper.content_hash()
    assert (pdf.rows, book.rows) == (40, 40)
    assert pdf.content_hash in text_of(tmp_path / "a.pdf")


def test_the_hash_is_of_figures_not_of_words_or_times():
    plain = report_of(3)
    assert report_of(3, title="PSP-Mappe", made_at=NOON + dt.timedelta(days=9)).content_hash() == plain.content_hash()
    with timezone.override("Asia/Tokyo"), translation.override("de"):
        assert report_of(3).content_hash() == plain.content_hash()
    assert report_of(4).content_hash() != plain.content_hash()
    assert report_of(3, key="pack:2").content_hash() != plain.content_hash()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Decimal("1.50"), Decimal("1.5"), True),
        (Decimal("-0.00"), Decimal(0), True),
        (Decimal("1E+2"), 100, True),
        (Named("fee", "Gebühr"), "fee", True),
        (
            dt.datetime(2026, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            True,
        ),
        ("e\u0301", "é", True),
        ("a", "b", False),
        (None, "", True),
        (Money(Decimal(1), "EUR"), Money(Decimal(1), "USD"), False),
        ("1", "1 ", False),
    ],
)
def test_a_cell_counts_by_its_value(one, other, same):
    def hashed(value):
        return report_of(0, facts=[("x", value)]).content_hash()

    assert (hashed(one) == hashed(other)) is same


def test_cells_can_not_be_shifted_into_each_other():
    def hashed(row):
        return report_of(0, sections=[Section("s", columns=[Column("a"), Column("b")], rows=[row])]).content_hash()

    assert hashed(["ab", "c"]) != hashed(["a", "bc"])


def test_the_long_pdf_is_tagged_from_the_document_to_the_cell(tmp_path):
    written = write_pdf(report_of(200), tmp_path / "a.pdf")
    with pikepdf.open(tmp_path / "a.pdf") as document:
        assert document.check_pdf_syntax() == []
        root = document.Root
        assert bool(root.MarkInfo.Marked) and str(root.Lang) == "en" and bool(root.ViewerPreferences.DisplayDocTitle)
        assert len(document.pages) == written.pages > 2
        with document.open_metadata() as about:
            assert about["pdfuaid:part"] == "1" and about["dc:title"] == "PSP pack <Stripe>"
        assert [len(elements(document, tag)) for tag in ("Document", "H1", "H2", "Table", "THead", "TBody")] == [
            1,
            1,
            1,
            3,
            1,
            1,
        ]
        assert len(elements(document, "TR")) == 1 + 1 + 1 + 200 + 1
        assert {str(node.A.Scope) for node in elements(document, "TH")} == {"/Column", "/Row"}
        _each_mark_has_its_node(document)


def _each_mark_has_its_node(document: pikepdf.Pdf) -> None:
    """What is drawn is either a node's or decoration, and the page's list of parents names the node that owns the mark."""
    nums = list(document.Root.StructTreeRoot.ParentTree.Nums)
    parents = dict(zip(map(int, nums[::2]), nums[1::2], strict=True))
    for page in document.pages:
        owners, depth, marks = parents[int(page.StructParents)], 0, 0
        for operands, operator in pikepdf.parse_content_stream(page):
            if str(operator) in ("BDC", "BMC"):
                depth += 1
                if str(operator) == "BDC":
                    owner = owners[int(operands[1].MCID)]
                    assert operands[0] == owner.S and owner.Pg.objgen == page.objgen
                    marks += 1
            elif str(operator) == "EMC":
                depth -= 1
            elif str(operator) in ("Tj", "S", "f"):
                assert depth == 1, "drawn outside of every tag"
        assert marks == len(owners)


def test_fonts_are_embedded_and_every_script_can_be_read_back(tmp_path):
    section = Section("Names", columns=[Column("Name")], rows=[["Łukasz Žižka"], ["Иван Ω"], ["שלום"], ["a\u200eb"]])
    write_pdf(report_of(0, sections=[section]), tmp_path / "a.pdf")
    text = text_of(tmp_path / "a.pdf")
    assert "Łukasz Žižka" in text and "Иван Ω" in text and "שלום" in text and "ab" in text
    with pikepdf.open(tmp_path / "a.pdf") as document:
        fonts = [font for page in document.pages for font in page.Resources.Font.values()]
        assert fonts
        for font in fonts:
            about = font.DescendantFonts[0].FontDescriptor
            assert len(about.FontFile2.read_bytes()) > 1000 and len(font.ToUnicode.read_bytes()) > 100


def test_a_letter_is_tagged_with_embedded_fonts_and_loads_nothing_from_outside(tmp_path):
    from weasyprint.urls import FatalURLFetchingError

    pdf = render_pdf('<html lang="de"><title>Brief</title><h1>Größe</h1><table><tr><th>a<td>b</table>')
    (tmp_path / "a.pdf").write_bytes(pdf)
    with pikepdf.open(tmp_path / "a.pdf") as document:
        assert bool(document.Root.MarkInfo.Marked) and str(document.Root.Lang) == "de"
        with document.open_metadata() as about:
            assert about["pdfuaid:part"] == "1"
    assert "Größe" in text_of(tmp_path / "a.pdf")
    for address in ("file:///etc/passwd", "http://127.0.0.1:9/x.png"):
        with pytest.raises(FatalURLFetchingError):
            render_pdf(f'<html lang=en><title>x</title><img src="{address}" alt="x">')


def test_a_word_that_is_too_long_is_broken_and_an_amount_never(tmp_path):
    section = Section(
        "S",
        columns=[Column("Hash"), *(Column(f"C{n}", end=True) for n in range(9))],
        rows=[["ab" * 64, *([Money(Decimal("123456789.12"), "EUR")] * 9)]],
    )
    write_pdf(report_of(0, sections=[section]), tmp_path / "a.pdf")
    assert text_of(tmp_path / "a.pdf").count("€123,456,789.12") == 9
    assert "ab" * 64 in "".join(text_of(tmp_path / "a.pdf").split())


def test_a_cancel_stops_the_writer(tmp_path):
    def cancelled(*_args):
        raise JobCancelled

    for write in (write_pdf, write_workbook):
        with pytest.raises(JobCancelled):
            write(report_of(5_000), tmp_path / "a", progress=cancelled)


def test_a_row_that_does_not_fit_its_columns_is_refused(tmp_path):
    section = Section("S", columns=[Column("a")], rows=[["x", "y"]])
    for write in (write_pdf, write_workbook):
        with pytest.raises(ValueError, match="2 cells under 1 columns"):
            write(report_of(0, sections=[section]), tmp_path / "a")


def test_a_long_trail_takes_no_more_memory_than_a_short_one(tmp_path):
    write_pdf(report_of(500), tmp_path / "a.pdf")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = []
    written = write_pdf(report_of(12_000), tmp_path / "a.pdf", progress=lambda done, _t, _w: seen.append(done))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert written.pages > 150 and seen == list(range(500, 12_001, 500))
    assert grown < 12, f"{grown:.0f} MB more"


NAMES = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def test_a_workbook_has_typed_cells_and_headings_that_stay(tmp_path):
    with Book(tmp_path / "a.xlsx") as book:
        sheet = book.sheet("A/B", ["When", "Amount", "Text"])
        sheet.row([NOON, Money(Decimal("1234.5"), "EUR"), "=1+1"])
        sheet.row([dt.date(2026, 10, 31), Money(Decimal("12345678.123456789"), "BTC"), None])
        book.sheet("a b")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        names = [
            one.get("name")
            for one in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{{{NAMES['m']}}}sheet")
        ]
        sheet_xml = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert names == ["A B", "a b (2)"]
    assert 'state="frozen"' in sheet_xml and "<v>1234.5</v>" in sheet_xml
    assert "<f>" not in sheet_xml and "=1+1" in sheet_xml
    assert "12345678.123456789 BTC" in sheet_xml  # more digits than a spreadsheet keeps
    assert "&quot;EUR&quot;" in styles and "mmm d, yyyy hh:mm:ss" in styles


@pytest.mark.parametrize(
    ("language", "style", "format_", "shown"),
    [
        ("en-us", "", "mmm d, yyyy", "Oct 31, 2026"),
        ("en-gb", "", "d mmm yyyy", "31 Oct 2026"),
        ("de", "", "dd.mm.yyyy", "31.10.2026"),
        ("de", formats.ISO, "yyyy-mm-dd", "2026-10-31"),
    ],
)
def test_workbooks_and_pdfs_write_dates_as_the_reader_chose(tmp_path, language, style, format_, shown):
    with translation.override(language), formats.dates_as(style):
        assert cell_text(dt.date(2026, 10, 31)) == shown
        assert day_format() == format_
        with Book(tmp_path / "a.xlsx") as book:
            book.sheet("A", ["Day"]).row([dt.date(2026, 10, 31)])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert f'formatCode="{format_}"' in archive.read("xl/styles.xml").decode()
