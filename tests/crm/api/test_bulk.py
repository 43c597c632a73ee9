"""Many writes in one request: a verdict per row, and a repeated request does only what is left."""

import json

import pytest

from clients.models import Note
from crm.models import AuditEvent, IdempotentRequest
from leads.models import Lead
from tests.cast import make_client
from tests.crm.api.test_reading import secret_of
from tests.crm.api.test_writing import send

pytestmark = pytest.mark.django_db


def test_each_row_has_a_verdict_and_is_done_once(cast):
    person = make_client(brand=cast.brand, book=cast.book, email="pia@example.com", login=False)
    stranger = make_client(brand=cast.other_brand, book=cast.other_book, email="far@example.com", login=False)
    secret = secret_of(cast.desk_head, "clients:write")
    rows = [
        {"client_id": person.pk, "body": "First"},
        {"client_id": stranger.pk, "body": "Not theirs"},
        {"client_id": person.pk, "body": " "},
        {"client_id": person.pk, "colour": "red"},
        "nonsense",
        {"client_id": person.pk, "body": "Last"},
    ]
    answer = send("bulk/notes", secret, {"rows": rows})
    assert answer.status_code == 200, answer.content
    verdicts = answer.json()["results"]
    assert [one["row"] for one in verdicts] == list(range(6))
    assert [one["status"] for one in verdicts] == [201, 404, 422, 422, 422, 201]
    assert {error["field"] for error in verdicts[3]["errors"]} == {"body", "colour"}
    written = list(Note.objects.filter(author=cast.desk_head).order_by("id").values_list("pk", "body"))
    assert written == [(verdicts[0]["id"], "First"), (verdicts[5]["id"], "Last")]
    assert AuditEvent.objects.filter(action="clients.note_added").count() == 2
    again = send("bulk/notes", secret, {"rows": rows}).json()["results"]
    assert [one["status"] for one in again] == [201, 404, 422, 422, 422, 201]
    assert [one.get("is_replay") for one in again] == [True, None, None, None, None, True]
    assert again[5]["id"] == verdicts[5]["id"]
    assert Note.objects.filter(author=cast.desk_head).count() == 2
    other = send("bulk/notes", secret, {"rows": rows[:1]})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_bounds_scopes_and_rights(cast):
    person = make_client(brand=cast.brand, book=cast.book, email="pia@example.com", login=False)
    row = {"client_id": person.pk, "body": "x"}
    writer = secret_of(cast.desk_head, "clients:write")
    for body, status, code in (
        ({"rows": [row] * 101}, 422, "malformed"),
        ({"rows": []}, 422, "malformed"),
        ({"rows": [row], "more": 1}, 422, "malformed"),
        ({"rows": row}, 422, "malformed"),
        (json.dumps({"rows": ["x" * 300_000]}), 413, "too_large"),
    ):
        answer = send("bulk/notes", writer, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert send("bulk/notes", writer, {"rows": [row]}, key="").json()["code"] == "missing_idempotency_key"
    reader = secret_of(cast.desk_head, "clients:read")
    assert send("bulk/notes", reader, {"rows": [row]}).json()["code"] == "insufficient_scope"
    refused = send("bulk/notes", secret_of(cast.auditor, "clients:write"), {"rows": [row]})
    assert [one["code"] for one in refused.json()["results"]] == ["not_allowed"]
    assert not Note.objects.filter(client=person).exists()
    assert not IdempotentRequest.objects.exists()


def test_leads_of_a_list_are_captured_one_by_one(cast):
    secret = secret_of(cast.desk_head, "leads:write")
    rows = [{"brand": cast.brand.code, "email": f"bulk{n}@example.com"} for n in range(3)]
    rows.append({"brand": cast.other_brand.code, "email": "theirs@example.com"})
    verdicts = send("bulk/leads", secret, {"rows": rows}).json()["results"]
    assert [one["status"] for one in verdicts] == [201, 201, 201, 404]
    assert Lead.objects.filter(pk__in=[one.get("id") for one in verdicts], channel="api").count() == 3
