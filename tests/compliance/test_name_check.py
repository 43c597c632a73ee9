"""Screening a typed name: what is shown, what is kept, and who may."""

import pytest
from django.urls import reverse

from compliance.choices import EntryKind
from compliance.models import Hit, ListEntry, Screening
from crm.models import AuditEvent
from crm.security import audit
from tests.compliance.factories import load
from tests.ib.test_pages import text_of

pytestmark = pytest.mark.django_db
PAGE = reverse("compliance:name_check")


def typed(**fields):
    return {
        "name": "Clara Weber",
        "kind": "person",
        "born": "",
        "country": "",
        "number_kind": "",
        "number": "",
        **fields,
    }


def test_a_typed_name_shows_each_match_word_by_word_and_leaves_no_name_behind(cast, tmp_path, browse):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    before = Screening.objects.count(), Hit.objects.count()
    page = browse(cast.mlro).post(PAGE, typed(reference="Payee of W-1"))
    assert page.status_code == 200
    assert "1 possible match" in text_of(page) and "Klara" in text_of(page) and "Sounds alike" in text_of(page)
    row = AuditEvent.objects.get(action="compliance.name_screened")
    body = audit.body_of(row)
    assert (row.actor_id, body["reason"], body["after"]["hits"]) == (cast.mlro.pk, "Payee of W-1", 1)
    assert "Clara" not in bytes(row.body).decode() and body["evidence"]["versions"]
    assert (Screening.objects.count(), Hit.objects.count()) == before


def test_an_organisation_or_vessel_of_the_same_name_is_no_person(cast, tmp_path, browse):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    browser = browse(cast.kyc_officer)
    assert "No match" in text_of(browser.post(PAGE, typed(kind="entity")))
    ListEntry.objects.update(kind=EntryKind.VESSEL)
    assert "No match" in text_of(browser.post(PAGE, typed()))
    assert "1 possible match" in text_of(browser.post(PAGE, typed(name="Klara Weber", kind="vessel")))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "…"}, "Enter the full name"),
        ({"name": "x" * 301}, "at most 300"),
        ({"kind": "ghost"}, "Select a valid choice"),
        ({"number": "C01X00T47"}, "Choose what kind of number"),
        ({"number": "C0", "number_kind": "passport", "country": "DE"}, "at least six characters"),
        ({"born": "31.31.2020"}, "valid date"),
    ],
)
def test_what_cant_be_screened_is_named_at_its_field_and_stays_typed(cast, tmp_path, browse, fields, says):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    page = browse(cast.mlro).post(PAGE, typed(**{"reference": "kept as typed", **fields}))
    assert page.status_code == 422 and says in text_of(page) and "kept as typed" in page.content.decode()
    assert not AuditEvent.objects.filter(action="compliance.name_screened").exists()


def test_without_a_list_in_force_nothing_is_screened(cast, browse):
    page = browse(cast.mlro).post(PAGE, typed())
    assert page.status_code == 422 and "No watchlist is in force" in text_of(page)
