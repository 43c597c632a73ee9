"""Fields corrected in place: both values kept, what depends on them checked again, and nothing else turned off."""

import orjson
import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from clients.identifiers.keeping import number_fingerprint
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent
from crm.security.audit.record import body_of
from kyc import comparison, queries, reviews
from kyc.corrections.correcting import correct_field
from kyc.corrections.marks import in_words, marked
from kyc.corrections.officer_figures import officer_figures
from kyc.models import CheckRun, FieldCorrection, Issue
from kyc.verdicts import quality
from tests.crm.work.factories import second_officer
from tests.kyc.factories import claimed, registered

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(cast):
    """A passport that the machine reads as Weber, of somebody registered as Schmidt."""
    registered(cast.client, last_name="Schmidt")
    return claimed(cast.client, cast.kyc_officer)


def correct(document, actor, field="last_name", value="Schmidt", reason="misread"):
    return correct_field(document_id=document.pk, field=field, value=value, reason=reason, actor=actor)


def codes(document):
    return {issue.code for issue in queries.issues_of(document, queries.last_run(document))}


def row_of(document, field):
    document.refresh_from_db()
    issues = queries.issues_of(document, queries.last_run(document))
    return next(row for row in comparison.rows_of(document, issues) if row.field == field)


def test_both_values_are_kept_and_the_name_checked_again(cast, document):
    assert "NAME_MISMATCH" in codes(document)
    before = queries.last_run(document)
    correct(document, cast.kyc_officer)
    row, after = row_of(document, "last_name"), queries.last_run(document)
    assert (row.found, row.machine_value, row.correction.corrected_by) == ("Schmidt", "WEBER", cast.kyc_officer)
    # Print and zone agree on Weber: that the officer reads something else isn't passed over.
    assert (row.issue.code, row.issue.issue.severity) == ("PRINT_MISMATCH", "warning")
    assert "NAME_MISMATCH" not in codes(document) and after.pk > before.pk and after.engine == "officer"
    stored = FieldCorrection.objects.get()
    assert b"Schmidt" not in bytes(stored.value_sealed) and b"WEBER" not in bytes(stored.machine_sealed)
    written = AuditEvent.objects.get(action="kyc.field_corrected")
    body = body_of(written)
    assert not any(name in orjson.dumps(body).decode() for name in ("Schmidt", "WEBER", "Weber"))
    assert body["before"]["issues"] != body["after"]["issues"]
    correct(document, cast.kyc_officer, value="Weber")  # somebody else's surname: it fails again
    assert "NAME_MISMATCH" in codes(document) and row_of(document, "last_name").machine_value == "WEBER"
    assert "PRINT_MISMATCH" not in codes(document)  # what print and zone say again
    with pytest.raises(DatabaseError), transaction.atomic():
        FieldCorrection.objects.filter(pk=stored.pk).update(field="number")


def test_tampering_duplicates_and_print_stay_whatever_is_corrected(cast, document):
    run = queries.last_run(document)
    hints = [
        ("tampering", "EDITED", ""),
        ("duplicates", "IMAGE_DUPLICATE", ""),
        ("printed_name", "PRINT_MISMATCH", "last_name"),
    ]
    run.results += [
        {
            "check": check,
            "verdict": "fail",
            "code": code,
            "field": field,
            "confidence": 1.0,
            "severity": "",
            "page": 1,
            "box": None,
        }
        for check, code, field in hints
    ]
    run.save()
    Issue.objects.bulk_create(
        Issue(run=run, document=document, code=code, severity="blocking", score=1, field=field)
        for _check, code, field in hints
    )
    for field, value in (("last_name", "Schmidt"), ("number", "C01X00T48"), ("expires_on", "2034-01-01")):
        correct(document, cast.kyc_officer, field, value)
        assert {"EDITED", "IMAGE_DUPLICATE", "PRINT_MISMATCH"} <= codes(document), field
    with pytest.raises(DomainError, match="Add a note"):
        reviews.approve(document_id=document.pk, actor=cast.kyc_officer)


def test_number_expiry_and_birth_go_through_digits_and_columns(cast, document):
    correct(document, cast.kyc_officer, "number", "C01X00T48")
    document.refresh_from_db()
    assert document.number_fingerprint == number_fingerprint("C01X00T48")
    assert "MRZ_CHECKDIGIT" in codes(document)  # the zone's digit belongs to another number
    correct(document, cast.kyc_officer, "number", "C01X00T47")
    assert "MRZ_CHECKDIGIT" not in codes(document)
    correct(document, cast.kyc_officer, "expires_on", "2020-04-15")
    document.refresh_from_db()
    assert str(document.expires_on) == "2020-04-15" and "EXPIRED" in codes(document)
    correct(document, cast.kyc_officer, "date_of_birth", "2015-05-17")
    assert {"DOB_MISMATCH", "UNDERAGE"} <= codes(document)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"field": "city"}, "can't be corrected"),
        ({"value": "WEBER"}, "already the value"),
        ({"value": " "}, "value as on the document"),
        ({"reason": "because"}, "Choose a reason"),
        ({"field": "expires_on", "value": "31.12.2030"}, "Enter a date"),
        ({"field": "nationality", "value": "QQQ"}, "three-character"),
        ({"field": "number", "value": "C01' OR 1=1"}, "number as printed"),
    ],
)
def test_what_cannot_be_entered(cast, document, change, words):
    with pytest.raises(DomainError, match=words):
        correct(document, cast.kyc_officer, **change)
    assert not FieldCorrection.objects.exists() and CheckRun.objects.count() == 1


def test_only_the_holder_of_the_claim_corrects(cast, document):
    for person in (second_officer(cast), cast.agent, cast.mlro):
        with pytest.raises(NotAllowed):
            correct(document, person)


def test_the_page_corrects_marks_and_says_what_is_left(cast, browse, document, django_assert_max_num_queries):
    browser = browse(cast.kyc_officer)
    url = reverse("kyc:document", args=[document.pk])
    page = browser.get(url).content.decode()
    assert 'class="kyc-differs"' in page and "Differs at character" in page
    answer = browser.post(
        reverse("kyc:correct", args=[document.pk]), {"field": "last_name", "value": "", "reason": "misread"}
    )
    assert answer.status_code == 422
    fields = {"field": "last_name", "value": "Schmidt", "reason": "misread"}
    page = browser.post(reverse("kyc:correct", args=[document.pk]), fields, follow=True).content.decode()
    assert "Last name corrected. The checks ran again" in page and "<s>WEBER</s>" in page
    assert browser.post(reverse("kyc:turn", args=[document.pk]), {"quarters": "3"}).status_code == 204
    assert browser.post(reverse("kyc:turn", args=[document.pk]), {"quarters": "9"}).status_code == 400
    with django_assert_max_num_queries(45):
        assert 'data-quarter="3"' in browser.get(url).content.decode()


def test_figures_count_corrected_documents(cast, document):
    correct(document, cast.kyc_officer)
    correct(document, cast.kyc_officer, "number", "C01X00T48")
    reviews.approve(document_id=document.pk, actor=cast.kyc_officer, note="Compared with the print")
    counted = quality.corrections(cast.brand)
    fields = {(row.label, row.corrected, row.percent) for row in counted["fields"]}
    assert fields == {("Last name", 1, 100), ("Document number", 1, 100)}
    assert [(row.label, row.corrected, row.decided) for row in counted["kinds"]] == [("Passport", 1, 1)]
    assert officer_figures(cast.mlro, document.uploaded_at)[cast.kyc_officer.pk][0] == "2"


def test_marks_and_words_of_a_difference():
    assert [(piece.text, piece.differs) for piece in marked("SCHM1DT", "Schmidt")] == [
        ("SCHM", False),
        ("1", True),
        ("DT", False),
    ]
    assert in_words("SCHM1DT", "Schmidt") == "Differs at character 5: “1” instead of “i”."
    assert in_words("MULLER", "Müller") == "" and in_words("MULER", "Müller").endswith("“l” is missing.")
