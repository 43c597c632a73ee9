"""Workbooks of banks are opened once, in a child with limits; what a few cells far apart claim is not believed."""

import io
import zipfile

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.files import parsing
from crm.models import Job
from tests.crm.files.test_parsing import MEGABYTE, Cost
from tests.wallet.psp.test_bank_wire import outside  # noqa: F401 (a fixture)
from wallet.models import BankFile, WaitingTable
from wallet.statement_formats import BadStatement, workbooks

pytestmark = pytest.mark.django_db
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="{row}"><c r="{cell}"><v>2</v></c></row></sheetData></worksheet>'
)
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}


def packed(sheet, more=b""):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in PARTS.items():
            archive.writestr(name, text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            member.write(sheet.encode())
            for _ in range(600 if more else 0):
                member.write(more)
    return out.getvalue()


ATTACKS = {
    "two cells far apart": lambda: packed(SHEET.format(row=12_000, cell="XFD12000")),
    "two cells at the ends": lambda: packed(SHEET.format(row=1_048_576, cell="XFD1048576")),
    "wide": lambda: packed(SHEET.format(row=2, cell="XFD2")),
    "zeros in the archive": lambda: packed(SHEET.format(row=2, cell="B2"), bytes(MEGABYTE)),
}


@pytest.mark.parametrize("kind", ATTACKS)
def test_a_workbook_that_attacks_costs_this_process_nothing(kind, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path
    raw = ATTACKS[kind]()
    with Cost() as cost, pytest.raises(BadStatement, match="too large when unpacked"):
        list(workbooks.sheets(io.BytesIO(raw)))
    assert cost.grown < 64 * MEGABYTE and cost.seconds < 2


def odd_workbook():
    """A table whose names say nothing, so that somebody has to say what they mean."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Blatt")
    for at, row in enumerate(
        [("Wann", "Wieviel", "Wozu"), ("03.02.2026", "1.234,50", "Miete"), ("04.02.2026", "10,00", "x")]
    ):
        sheet.write_row(at, 0, row)
    book.close()
    return out.getvalue()


def counting(monkeypatch):
    opened = []

    def counted(operation, *arguments, **options):
        opened.append(operation)
        return parsing.parse(operation, *arguments, **options)

    monkeypatch.setattr(workbooks, "parse", counted)
    return opened


def test_a_waiting_workbook_is_opened_once(cast, outside, browse, monkeypatch):
    opened = counting(monkeypatch)
    finance = browse(cast.finance)
    file = SimpleUploadedFile("feb.xlsx", odd_workbook())
    finance.post(reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file})
    page = reverse("wallet:bank_table", args=[WaitingTable.objects.get().pk])
    for _look in range(3):
        assert "Wieviel" in finance.get(page).content.decode()
    assert opened == ["workbook.rows"]


def test_a_refused_workbook_is_refused_again_without_being_opened(monkeypatch, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path
    opened = counting(monkeypatch)
    raw = ATTACKS["two cells far apart"]()
    for _look in range(3):
        with pytest.raises(BadStatement):
            list(workbooks.sheets(io.BytesIO(raw)))
    assert opened == ["workbook.rows"]


def test_what_is_kept_of_a_workbook_is_encrypted_and_ends(settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path
    assert next(workbooks.sheets(io.BytesIO(odd_workbook())))[0] == "Blatt"
    [kept] = (tmp_path / "workbooks").glob("*")
    assert b"Wann" not in kept.read_bytes()
    assert workbooks.drop_old() == 0
    assert workbooks.drop_old(now=kept.stat().st_mtime + workbooks.KEPT_SECONDS + 1) == 1


def test_the_bomb_is_refused_on_the_upload_page_in_words(cast, outside, browse):
    file = SimpleUploadedFile("feb.xlsx", ATTACKS["two cells far apart"]())
    with Cost() as cost:
        answer = browse(cast.finance).post(reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file})
    assert answer.status_code == 422 and "too large when unpacked" in answer.content.decode()
    assert cost.grown < 64 * MEGABYTE and cost.seconds < 5
    assert not WaitingTable.objects.exists() and not BankFile.objects.exists()


def test_an_archive_that_unpacks_to_much_is_a_job(cast, outside, browse):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.sta", bytes(100 * MEGABYTE))
    file = SimpleUploadedFile("feb.zip", out.getvalue())
    with Cost() as cost:
        answer = browse(cast.finance).post(reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file})
    assert answer.status_code == 302 and "/jobs/" in answer["Location"]
    assert cost.grown < 64 * MEGABYTE
    assert Job.objects.filter(kind="wallet.import_statement").count() == 1
