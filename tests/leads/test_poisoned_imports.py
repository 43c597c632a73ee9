"""Leads that no honest list or partner sends: each line is named with what is wrong, and no exception, page or rounding follows."""

import json

import pytest
from django.test import Client as Browser

from crm.errors import DomainError
from leads import imports
from leads.models import Lead, LeadImport, LeadImportRow
from leads.sources import create_source
from tests.leads.test_import_limits import rows_of
from tests.poison import NUMBERS, TEXTS, TIMES

POISON = {**NUMBERS, **TIMES, **TEXTS}
COLUMNS = "first_name,last_name,email,phone,country,language,source,campaign,message,consent"
GOOD = dict.fromkeys(COLUMNS.split(","), "") | {"first_name": "Anna", "email": "anna@example.com", "country": "DE"}


def rows(text):
    return rows_of(text, country="")


def line(**change):
    return f"{COLUMNS}\n{','.join({**GOOD, **change}.values())}\n"


@pytest.mark.parametrize("column", GOOD)
@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_cell_is_named_or_taken_as_the_text_it_is(column, poison):
    try:
        found = rows(line(**{column: POISON[poison]}))
    except DomainError as error:
        assert error.message.startswith(("Line ", "The file's encoding can't be recognised"))
        return
    for row in found:
        texts = [
            row.first_name,
            row.last_name,
            row.email,
            row.phone,
            row.country,
            row.language,
            row.source,
            row.message,
        ]
        assert not any("\0" in text for text in texts) and not any("\0" in str(error) for error in row.errors)
        assert len(row.first_name) <= 80 and len(row.email) <= 254 and len(row.phone) <= 20


def test_a_nul_far_down_is_named_with_its_line():
    *good, row = rows(line(message="x" * 4096) + line(message="a\0b").split("\n", 1)[1])
    assert row.errors == [{"column": "", "message": "Contains an invalid character (NUL)"}] and len(good) == 1


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\xff\xfee\0m\0a\0i\0l\0\n\0\x00\xd8", "encoding can't be recognised"),
        (b"\xff\xfee", "encoding can't be recognised"),
        (b"email," + b"x" * 200_000 + b"\n", "Line 1 can't be read"),
        (b"a\0b", "encoding can't be recognised"),
    ],
)
def test_a_file_that_is_none_is_refused_in_words(raw, words):
    with pytest.raises(DomainError, match=words):
        rows_of(raw)


@pytest.mark.django_db
@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_file_is_checked_to_its_end_and_its_page_opens(cast, browse, settings, tmp_path, poison):
    settings.PRIVATE_DIR = tmp_path
    value = POISON[poison]
    content = line(message=value, first_name=value, campaign=value, language=value).encode("utf-8")
    try:
        batch = imports.start_import(brand=cast.brand, actor=cast.desk_head, file_name="leads.csv", content=content)
    except DomainError:
        assert not LeadImport.objects.exists()
        return
    imports.check(batch, lambda *_told: None)
    batch.refresh_from_db()
    assert batch.state == "failed" or LeadImportRow.objects.filter(batch=batch).count() >= 1
    assert browse(cast.desk_head).get(f"/leads/imports/{batch.pk}/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["email", "phone", "message", "ip"])
@pytest.mark.parametrize("poison", [*POISON, "half a character"])
def test_the_api_answers_a_poisoned_lead_with_words(cast, field, poison):
    _source, key = create_source(brand=cast.brand, name="Affiliate", code="affiliate", actor=cast.administrator)
    value = POISON.get(poison, "a\ud800b")
    body = {"email": "anna@example.com", field: value, "utm": {value[:50]: value[:500]}}
    answer = Browser().post(
        "/api/leads/", json.dumps(body), content_type="application/json", headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code in (200, 201, 400, 422), answer.content
    if answer.status_code == 201:
        assert "\0" not in str(Lead.objects.get().utm)
