"""Writes: the pages' verbs under a scope and an Idempotency-Key; what is refused and leaves nothing."""

import datetime as dt
import json

import pytest
from django.test import Client as Caller

from clients.models import Client, Note, Task
from crm.models import AuditEvent, IdempotentRequest
from leads.models import Lead
from support.models import Ticket, TicketMessage
from tests.cast import make_client
from tests.crm.api.test_reading import get, secret_of

pytestmark = pytest.mark.django_db


def send(path: str, secret: str, body, key: str = "one", method: str = "POST", **headers):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"authorization": f"Bearer {secret}", **({"idempotency-key": key} if key else {}), **headers}
    return Caller().generic(method, f"/api/v1/{path}", text, content_type="application/json", headers=headers)


@pytest.fixture
def person(cast) -> Client:
    return make_client(brand=cast.brand, book=cast.book, email="pia@example.com", login=False)


def test_a_note_is_written_once_however_often_it_is_sent(cast, person):
    secret = secret_of(cast.desk_head, "clients:write")
    body = {"client_id": person.pk, "body": "Asked for a call"}
    first = send("notes", secret, body)
    assert first.status_code == 201, first.content
    again = send("notes", secret, body)
    assert (again.status_code, again.json(), again["Idempotent-Replay"]) == (201, first.json(), "true")
    assert Note.objects.filter(client=person).count() == 1
    assert AuditEvent.objects.get(action="clients.note_added").actor == cast.desk_head
    other = send("notes", secret, {**body, "body": "Something else"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
    assert send("notes", secret_of(cast.auditor, "clients:write"), body).status_code == 403  # their key, but no right
    # A refused write keeps no key: corrected, it may be sent with the same one.
    assert send("notes", secret, {**body, "body": " "}, key="two").status_code == 422
    assert send("notes", secret, body, key="two").status_code == 201
    assert IdempotentRequest.objects.count() == 2


def test_what_is_refused_before_anything_is_done(cast, person):
    secret = secret_of(cast.desk_head, "clients:write")
    fine = {"client_id": person.pk, "body": "Hello"}
    deep = '{"client_id": 1, "body": ' + "[" * 50 + "]" * 50 + "}"
    for body, status, code in (
        (fine | {"colour": "red"}, 422, "malformed"),
        (fine | {"client_id": "x"}, 422, "malformed"),
        ('{"client_id": 1, "client_id": 2, "body": "x"}', 400, "invalid_json"),
        ('{"client_id": 1, "body": "a\\u0000b"}', 400, "invalid_json"),
        ('{"client_id": NaN, "body": "x"}', 400, "invalid_json"),
        (deep, 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        (json.dumps(fine | {"body": "x" * 300_000}), 413, "too_large"),
        (fine | {"client_id": 999_999_999}, 404, "not_found"),
        (fine | {"client_id": 10**30}, 422, "malformed"),
    ):
        answer = send("notes", secret, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (
            body[:60] if isinstance(body, str) else body
        )
    assert send("notes", secret, fine | {"colour": "red"}).json()["errors"][0]["field"] == "colour"
    assert send("notes", secret, fine, key="").json()["code"] == "missing_idempotency_key"
    assert send("notes", secret_of(cast.desk_head, "clients:read"), fine).json()["code"] == "insufficient_scope"
    stranger = make_client(brand=cast.other_brand, book=cast.other_book, email="far@example.com", login=False)
    assert send("notes", secret, fine | {"client_id": stranger.pk}).status_code == 404
    assert not Note.objects.exists()
    assert not IdempotentRequest.objects.exists()


def test_a_task_is_set_and_completed_unless_it_has_changed(cast, person):
    secret = secret_of(cast.desk_head, "clients:write", "clients:read")
    soon = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).isoformat()
    answer = send("tasks", secret, {"client_id": person.pk, "title": "Call", "due_at": soon})
    assert answer.status_code == 201, answer.content
    task = answer.json()
    stale = send(f"tasks/{task['id']}/complete", secret, "", key="a", **{"if-match": '"old"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    done = send(f"tasks/{task['id']}/complete", secret, "", key="b", **{"if-match": answer["ETag"]})
    assert done.status_code == 200
    assert done.json()["done_by_id"] == cast.desk_head.pk
    assert send(f"tasks/{task['id']}/complete", secret, "", key="c").json()["code"] == "wrong_state"
    assert Task.objects.get().done_at is not None


def test_leads_status_and_tickets_through_the_pages_verbs(cast):
    agent = secret_of(cast.desk_head, "leads:write", "clients:write", "clients:read")
    lead = send("leads", agent, {"brand": cast.brand.code, "email": "new@example.com", "source": "dialler"})
    assert lead.status_code == 201, lead.content
    row = Lead.objects.get(pk=lead.json()["id"])
    assert (row.channel, row.created_by) == ("api", cast.desk_head)
    assert send("leads", agent, {"brand": cast.other_brand.code, "email": "x@example.com"}, key="b").status_code == 404
    seen = get(f"clients/{row.client_id}", agent)
    if seen.status_code == 200:  # routing may give it to another desk
        moved = send(
            f"clients/{row.client_id}/sales-status",
            agent,
            {"sales_status": "contacted"},
            key="c",
            **{"if-match": seen["ETag"]},
        )
        assert (moved.status_code, moved.json()["sales_status"]) == (200, "contacted"), moved.content
    support = secret_of(cast.support, "support:write")
    asked = {"client_id": cast.client.pk, "subject": "Where is my money?", "text": "Sent on Monday"}
    ticket = send("tickets", support, asked)
    assert ticket.status_code == 201, ticket.content
    reply = send(f"tickets/{ticket.json()['id']}/replies", support, {"text": "We are looking"}, key="r")
    assert reply.status_code == 200, reply.content
    assert TicketMessage.objects.filter(ticket=Ticket.objects.get(), kind="reply").count() == 2
