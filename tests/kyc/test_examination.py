"""What the checks find on documents of every condition."""

import datetime as dt

import numpy as np
import pytest

from kyc import pages, specimens
from kyc.examination import CHECKS, Check
from kyc.examination.in_child import run_checks
from kyc.examination.look import perceptual_hash
from kyc.examination.sheet import Sheet, Subject
from kyc.fingerprints import bands_of, distance
from kyc.pipeline import issues_in

TODAY = dt.date(2026, 11, 21)
BORN = dt.date(1990, 5, 17)
SUBJECT = Subject(1, 1, "Clara", "Müller", BORN, "Lindenstraße 12", "10969", "Berlin", nationality="DE")


def passport(subject=SUBJECT, **fields):
    values = {
        "first_name": "Clara Maria",
        "last_name": "Müller",
        "birth_date": BORN,
        "number": "C01X00T47",
        "expires_on": dt.date(2031, 4, 15),
        **fields,
    }
    return specimens.passport(specimens.Holder(**values))


def found(picture, kind="passport", side="front", text_layer=None, pictures=None):
    sheet = Sheet(
        accepts_specimens=True,
        document_id=1,
        kind=kind,
        side=side,
        subject=SUBJECT,
        today=TODAY,
        text_layer=text_layer,
        pages=pictures or [np.array(picture.convert("RGB"))],
    )
    findings = issues_in(run_checks(sheet))
    return {finding.code.value for finding in findings}, findings, sheet


def test_a_good_passport_has_no_issue_and_is_read():
    codes, _findings, sheet = found(passport())
    assert codes == set()
    assert sheet.extracted["surname"] == "MUELLER" and sheet.extracted["number"] == "C01X00T47"
    assert sheet.expires_on == dt.date(2031, 4, 15)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda page: specimens.turned(page, 5),
        lambda page: specimens.turned(page, -12),
        lambda page: specimens.turned(page, 180),
        specimens.photographed,
        lambda page: specimens.blurred(page, 1.5),
        lambda page: page.resize((700, 493)),
    ],
    ids=["5 degrees", "-12 degrees", "upside down", "photographed", "a little blurred", "small"],
)
def test_a_passport_is_read_however_it_was_photographed(spoil):
    codes, _findings, sheet = found(spoil(passport()))
    assert sheet.zone is not None and sheet.zone.mrz.is_valid
    assert sheet.zone.mrz.lines == specimens.mrz_lines(
        specimens.Holder("Clara Maria", "Müller", BORN, number="C01X00T47", expires_on=dt.date(2031, 4, 15))
    )
    assert codes <= {"FACE_NOT_FOUND"}


def test_the_card_is_read_from_its_back():
    holder = specimens.Holder("Clara", "Müller", BORN, number="C01X00T47")
    front, back = specimens.id_card(holder)
    assert found(front, kind="id_card")[0] == set()
    codes, _findings, sheet = found(back, kind="id_card", side="back")
    assert codes == set() and sheet.zone.mrz.format == "TD1"


def test_blur_glare_and_a_missing_zone_are_named():
    assert "BLUR" in found(specimens.blurred(passport(), 6))[0]
    codes, findings, _sheet = found(specimens.with_glare(passport(), centre=(0.2, 0.45), radius=0.12))
    assert {"GLARE", "FACE_NOT_FOUND"} <= codes
    glare = next(finding for finding in findings if finding.code == "GLARE")
    assert glare.box[0] < 0.2 < glare.box[0] + glare.box[2]
    hidden, findings, _sheet = found(specimens.with_glare(passport(), centre=(0.5, 0.88), radius=0.1))
    assert {"NO_MRZ", "GLARE"} <= hidden
    # A white sheet of paper is no reflection.
    assert "GLARE" not in found(passport().crop((0, 0, 1250, 880)).point(lambda level: min(255, level + 40)))[0]


def test_a_cut_zone_is_named():
    assert {"CROPPED", "NO_MRZ", "MRZ_CHECKDIGIT"} & found(passport().crop((0, 0, 1000, 880)))[0]


def test_another_person_is_named_with_both_spellings_and_the_place():
    codes, findings, _sheet = found(passport(first_name="Karl", last_name="Schmidt", birth_date=dt.date(1985, 1, 2)))
    assert codes == {"NAME_MISMATCH", "DOB_MISMATCH"}
    last = next(finding for finding in findings if finding.field == "last_name")
    assert (last.found, last.expected) == ("SCHMIDT", "Müller")
    assert last.box[1] > 0.7
    born = next(finding for finding in findings if finding.code == "DOB_MISMATCH")
    assert (born.found, born.expected) == ("1985-01-02", "1990-05-17")
    assert born.box[2] < last.box[2]


@pytest.mark.parametrize(
    ("expires_on", "code"),
    [(dt.date(2026, 11, 20), "EXPIRED"), (dt.date(2026, 12, 24), "EXPIRES_SOON"), (dt.date(2027, 6, 1), None)],
)
def test_expiry(expires_on, code):
    assert found(passport(expires_on=expires_on))[0] == ({code} if code else set())


def test_under_age():
    codes, *_rest = found(passport(birth_date=dt.date(2010, 5, 17)))
    assert {"UNDERAGE", "DOB_MISMATCH"} <= codes


def test_a_wrong_check_digit():
    lines = specimens.mrz_lines(specimens.Holder("Clara", "Müller", BORN, number="C01X00T47"))
    forged = (lines[0], lines[1][:13] + "910517" + lines[1][19:])
    holder = specimens.Holder("Clara", "Müller", BORN, number="C01X00T47")
    codes, *_rest = found(specimens.passport(holder, lines=forged))
    assert "MRZ_CHECKDIGIT" in codes


def test_another_kind_of_document():
    assert "UNSUPPORTED_TYPE" in found(passport(), kind="id_card", side="back")[0]


def test_no_face_on_a_selfie():
    assert found(specimens.blurred(passport().crop((430, 0, 1250, 690)), 1), kind="selfie")[0] >= {"FACE_NOT_FOUND"}


def bill(**fields):
    values = {
        "name": "Clara Müller",
        "address_line": "Lindenstraße 12",
        "postal_code": "10969",
        "city": "Berlin",
        "issued_on": dt.date(2026, 11, 1),
        **fields,
    }
    pdf = specimens.utility_bill(specimens.UtilityBill(**values))
    drawn = pages.draw(pdf, "application/pdf")
    return drawn.pictures, drawn.text_layer


@pytest.mark.parametrize("as_scan", [False, True], ids=["text layer", "scan"])
@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({}, set()),
        ({"name": "Mueller Clara"}, set()),
        ({"name": "Jochen Krause"}, {"POA_NAME"}),
        ({"address_line": "Am Markt 3", "city": "Potsdam", "postal_code": "14467"}, {"POA_ADDRESS"}),
        ({"address_line": "Lindenstraße 21"}, {"POA_ADDRESS"}),
        ({"issued_on": dt.date(2026, 6, 2)}, {"POA_TOO_OLD"}),
    ],
    ids=["good", "other spelling", "other name", "other address", "other house", "old"],
)
def test_a_bill(fields, codes, as_scan):
    pictures, text_layer = bill(**fields)
    got, _findings, sheet = found(
        None, kind="proof_of_address", pictures=pictures, text_layer=None if as_scan else text_layer
    )
    assert got == codes
    assert sheet.issued_on == fields.get("issued_on", dt.date(2026, 11, 1))


def test_the_issue_date_is_boxed_and_the_due_date_is_not_taken_for_it():
    pictures, text_layer = bill(issued_on=dt.date(2026, 6, 2))
    _codes, findings, _sheet = found(None, kind="proof_of_address", pictures=pictures, text_layer=text_layer)
    old = next(finding for finding in findings if finding.code == "POA_TOO_OLD")
    assert old.found == "2026-06-02" and old.box[0] > 0.5 and old.box[1] < 0.3


def test_a_check_that_breaks_does_not_stop_the_others(monkeypatch):
    def broken(_sheet):
        raise ValueError("what is this")
        yield

    kept = [check for check in CHECKS if check.name in ("zone", "expiry")]
    monkeypatch.setattr("kyc.examination.in_child.CHECKS", [Check("broken", ("passport",), broken), *kept])
    codes, *_rest = found(passport(expires_on=dt.date(2026, 1, 1)))
    assert codes == {"CHECK_FAILED", "EXPIRED"}


def test_the_same_picture_is_known_again_and_another_passport_is_not_taken_for_it():
    mine, theirs = passport(), passport(first_name="Karl", last_name="Schmidt")
    import io

    from PIL import Image

    again = Image.open(io.BytesIO(specimens.jpeg(mine.resize((900, 634)), quality=40)))
    marks = [perceptual_hash(np.array(picture)) for picture in (mine, again, theirs)]
    assert distance(marks[0], marks[1]) <= 10
    assert distance(marks[0], marks[2]) >= 25
    assert set(bands_of(marks[0])) & set(bands_of(marks[1]))


def test_without_reading_data_the_officer_is_told(monkeypatch):
    monkeypatch.setattr("kyc.ocr.folder_of", lambda _language: None)
    assert "OCR_UNAVAILABLE" in found(passport())[0]
    pictures, _layer = bill()
    assert "OCR_UNAVAILABLE" in found(None, kind="proof_of_address", pictures=pictures)[0]
