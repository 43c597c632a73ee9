"""Our PDFs hold what a program can tell of PDF/UA-1; and the checker sees what is broken on purpose."""

import io

import pikepdf
import pytest

from crm.rendering.letter import render_pdf
from crm.rendering.pdf_stream import write_pdf
from tests.crm.rendering.pdfua import problems_of
from tests.crm.rendering.test_reports import report_of

LETTER = """<html lang="en"><style>@page { @top-left { content: "running" } @bottom-right { content: counter(page) } }</style>
<title>Letter</title><h1>One</h1><p>Text with <a href="https://example.com">a link</a>.</p>
<h2>Two</h2><table><thead><tr><th scope="col">a<th scope="col">b</tr></thead><tbody><tr><td>1<td>2</tr></tbody></table>
<ul><li>first<li>second</ul></html>"""


@pytest.fixture
def trail(tmp_path):
    write_pdf(report_of(120), tmp_path / "a.pdf")
    return tmp_path / "a.pdf"


@pytest.mark.parametrize("count", [0, 1, 120])
def test_a_long_paper_holds(tmp_path, count):
    write_pdf(report_of(count), tmp_path / "a.pdf")
    assert problems_of(tmp_path / "a.pdf", strict_order=True) == []


def test_a_letter_holds():
    assert problems_of(io.BytesIO(render_pdf(LETTER))) == []


def broken(path, change) -> list[str]:
    out = io.BytesIO()
    with pikepdf.open(path) as document:
        change(document)
        document.save(out)
    out.seek(0)
    return [problem.removeprefix("page 1: ")[:6] for problem in problems_of(out)]


def untagged(document):
    page = document.pages[0]
    page.Contents = document.make_stream(page.Contents.read_bytes() + b"\nBT (x) Tj ET")


def other_font(document):
    font = next(iter(document.pages[0].Resources.Font.values()))
    del font.ToUnicode
    del font.DescendantFonts[0].FontDescriptor["/FontFile2"]


def first(document, tag):
    waiting = [document.Root.StructTreeRoot.K]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, pikepdf.Array):
            waiting.extend(node)
        elif isinstance(node, pikepdf.Dictionary):
            if str(node.get("/S", "")) == f"/{tag}":
                return node
            waiting.append(node.get("/K", pikepdf.Array()))
    raise AssertionError(tag)


def retag(tag, new):
    def change(document):
        first(document, tag).S = pikepdf.Name(f"/{new}")

    return change


def without(name):
    return lambda document: document.Root.__delitem__(name)


def no_scope(document):
    del first(document, "TH")["/A"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (without("/Lang"), "11-006"),
        (without("/ViewerPreferences"), "07-001"),
        (without("/Metadata"), "06-001"),
        (without("/StructTreeRoot"), "01-005"),
        (untagged, "01-005"),
        (other_font, "31-009"),
        (other_font, "31-027"),
        (retag("H1", "H3"), "14-002"),
        (retag("H1", "Chapter"), "02-001"),
        (retag("H1", "Figure"), "13-004"),
        (retag("THead", "P"), "09: P "),
        (no_scope, "15-003"),
    ],
)
def test_what_is_broken_is_seen(trail, change, rule):
    assert rule in broken(trail, change)
