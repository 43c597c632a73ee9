"""Whether a picture shows the document itself, of which kind, and what its making betrays."""

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import pytest

from bench.submissions.bad import changed_pdf
from kyc import specimens
from kyc.choices import DocumentKind, Side, Verdict
from kyc.examination import tampering
from kyc.examination.decision import Outcome
from kyc.examination.document_types import kind_of_text, kind_of_zone
from kyc.examination.originals import RASTER_CERTAIN, RASTER_POSSIBLE, raster_strength
from kyc.examination.sheet import Sheet
from kyc.examination.trial import try_file, try_sheet
from tests.kyc.test_verdicts import HOLDER, SUBJECT, TODAY, tried

LICENCE = replace(HOLDER, number="B072RRE2I55")


def grey(picture):
    return np.array(picture.convert("L"))


@pytest.mark.parametrize("seed", range(4))
def test_a_photo_of_a_screen_has_a_raster(seed):
    page = specimens.passport(HOLDER)
    assert raster_strength(grey(specimens.of_screen(page, seed=seed))) > RASTER_POSSIBLE
    assert raster_strength(grey(specimens.photographed(page, seed=seed))) < RASTER_POSSIBLE
    assert raster_strength(grey(specimens.turned(page, 7 * seed - 12))) < RASTER_POSSIBLE


def test_a_picture_of_a_screen_is_asked_for_again():
    screen = specimens.of_screen(specimens.passport(HOLDER), seed=1)
    assert raster_strength(grey(screen)) > RASTER_CERTAIN
    outcome, issues, _results = tried(screen)
    assert outcome == Outcome.ASK and ("original", "SCREEN_PHOTO") in issues


def test_a_copy_in_black_and_white_is_asked_for_again():
    outcome, issues, _results = tried(specimens.copied(specimens.passport(HOLDER)))
    assert outcome == Outcome.ASK and ("original", "NO_COLOUR") in issues


def test_a_landscape_is_no_passport():
    outcome, issues, results = tried(specimens.landscape(seed=1))
    assert outcome == Outcome.ASK and ("kind", "UNSUPPORTED_TYPE") in issues
    assert not {result.check for result in results if result.verdict == Verdict.PASS} & {
        "name",
        "birth",
        "kind",
        "face",
    }


# ── kinds ──────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("P", DocumentKind.PASSPORT),
        ("ID", DocumentKind.ID_CARD),
        ("AR", DocumentKind.RESIDENCE_PERMIT),
        ("IR", DocumentKind.RESIDENCE_PERMIT),
        ("C1", DocumentKind.RESIDENCE_PERMIT),
        ("V", None),
    ],
)
def test_the_zone_names_the_kind(code, kind):
    assert kind_of_zone(code) == kind


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("AUFENTHALTSTITEL RESIDENCE PERMIT", DocumentKind.RESIDENCE_PERMIT),
        ("TITRE DE SEJOUR", DocumentKind.RESIDENCE_PERMIT),
        ("PERMIS DE CONDUIRE", DocumentKind.DRIVING_LICENCE),
        ("DOWOD OSOBISTY", DocumentKind.ID_CARD),
        ("A FLOWER SHOP", None),
    ],
)
def test_the_title_names_the_kind(title, kind):
    assert kind_of_text(title) == kind


def test_a_residence_permit_is_read_on_both_sides():
    holder = replace(HOLDER, nationality="UKR")
    outcome, issues, _results = tried(*specimens.residence_permit(holder), subject=replace(SUBJECT, nationality="UA"))
    assert (outcome, issues) == (Outcome.APPROVE, set())


def test_a_visa_is_no_passport():
    outcome, issues, results = tried(specimens.visa(HOLDER))
    assert outcome == Outcome.ASK and ("kind", "UNSUPPORTED_TYPE") in issues
    assert next(result for result in results if result.check == "kind").found == "Visa"


def test_both_sides_on_one_picture_show_the_zone():
    front, back = (side.resize((540, 340)) for side in specimens.id_card(HOLDER))
    both = specimens.landscape().resize((560, 720))
    both.paste(front, (10, 10))
    both.paste(back, (10, 370))
    sheet = Sheet(0, "id_card", "back", SUBJECT, [np.array(both)], TODAY)
    try_sheet(sheet)
    assert sheet.zone is not None and sheet.zone.mrz.is_valid


# ── licences ───────────────────────────────────────────────────────────────────────────────────────────────────────
def licence(picture):
    sheet = Sheet(0, "driving_licence", "front", SUBJECT, [np.array(picture)], TODAY)
    trial = try_sheet(sheet)
    return sheet, {result.field: result for result in trial.results if result.check == "licence"}


def test_the_numbered_fields_of_a_licence_are_read():
    sheet, results = licence(specimens.driving_licence(LICENCE))
    assert (sheet.kind, sheet.side) == (DocumentKind.DRIVING_LICENCE, Side.FRONT)
    assert sheet.issued_on == dt.date(2021, 4, 15) and sheet.expires_on == LICENCE.expires_on
    assert results["issued_on"].verdict == Verdict.PASS
    assert set(sheet.extracted["categories"].split()) <= {"AM", "B"}


@pytest.mark.parametrize("issued_on", [dt.date(2027, 1, 1), dt.date(1999, 5, 1)])
def test_an_impossible_day_of_issue_is_named(issued_on):
    _sheet, results = licence(specimens.driving_licence(LICENCE, issued_on=issued_on))
    assert (results["issued_on"].verdict, results["issued_on"].code) == (Verdict.FAIL, "ISSUE_DATE")


# ── hints of editing ───────────────────────────────────────────────────────────────────────────────────────────────
def test_a_pasted_part_is_a_warning():
    page = specimens.pasted_over(specimens.passport(HOLDER), (480, 442, 800, 486), "17.05.1991", seed=1)
    sheet = Sheet(0, "passport", "front", SUBJECT, [np.array(page)], TODAY)
    (hint,) = tampering.check(sheet)
    assert (hint.verdict, hint.code) == (Verdict.UNSURE, "PARTS_DIFFER")
    assert hint.box[1] < 0.56 < hint.box[1] + hint.box[3]


def test_a_saved_photo_has_no_pasted_part():
    for quality in (60, 75, 90):
        page = specimens.saved(specimens.saved(specimens.passport(HOLDER), quality), 92)
        assert tampering.pasted_part(np.array(page)) is None


@pytest.mark.parametrize(
    ("traces", "code"),
    [
        ({"editor": "Photoshop"}, "EDITED"),
        ({"updates": 2}, "PDF_CHANGED"),
        ({"changed_later": True}, "PDF_CHANGED"),
        ({"mixed_words": 1}, "FONTS_DIFFER"),
    ],
)
def test_traces_of_editing_send_a_document_to_a_person(traces, code):
    outcome, issues, _results = tried(specimens.passport(HOLDER), traces=traces)
    assert outcome == Outcome.QUEUE and issues == {("tampering", code)}


def test_a_screenshot_is_asked_for_again():
    outcome, issues, _results = tried(specimens.passport(HOLDER), traces={"screenshot": True})
    assert outcome == Outcome.ASK and issues == {("original", "SCREENSHOT")}


def test_a_bill_saved_by_an_editor_of_pdfs_goes_to_a_person():
    bill = specimens.UtilityBill("Clara Bergmann", "Lindenstraße 12", "10969", "Berlin", dt.date(2026, 11, 1))
    subject = replace(SUBJECT, address_line="Lindenstraße 12", postal_code="10969", city="Berlin")
    pdf = specimens.utility_bill(bill)
    for content, outcome in ((pdf, Outcome.APPROVE), (changed_pdf(pdf, "Sejda 3.2"), Outcome.QUEUE)):
        trial = try_file(io.BytesIO(content), "bill.pdf", subject, today=TODAY)
        assert trial.decision.outcome == outcome
