"""A source that signs its requests: what is taken, what is refused with which code, and its secret."""

import json
import time

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from crm.errors import NotAllowed, WrongState
from crm.outside.standard_webhooks import new_secret, signed_headers
from leads.models import Lead, LeadSource, LeadSourceRequest
from leads.signing import requests, secrets
from leads.sources import create_source

pytestmark = pytest.mark.django_db
LEAD = {"email": "hans@web.de", "phone": "0151 23456789", "first_name": "Hans", "country": "DE", "language": "de"}


@pytest.fixture
def source(cast):
    return create_source(brand=cast.brand, name="Affiliate One", code="affiliate-one", actor=cast.administrator)


@pytest.fixture
def secret(cast, source):
    return secrets.require_signature(source_id=source[0].pk, actor=cast.administrator)[1]


def post(key, secret=None, *, message_id="m1", ago=0, body=None, signed=None, **headers):
    """Send a lead; `signed`: the body that was signed, where it is another one."""
    raw = json.dumps(body or LEAD).encode()
    if secret:
        seconds = int(time.time()) - ago
        made = signed_headers(signed or raw, message_id=message_id, seconds=seconds, signing_secrets=[secret])
        headers = {**made, **headers}
    return Browser().post(
        "/api/leads/", raw, content_type="application/json", headers={"Authorization": f"Bearer {key}", **headers}
    )


def test_a_signed_request_is_taken_once(german_rule, source, secret):
    assert post(source[1], secret).status_code == 201
    again = post(source[1], secret)
    assert (again.status_code, again.json()["code"]) == (401, "signature_replayed")
    assert Lead.objects.count() == 1
    assert post(source[1], secret, message_id="m2", body={**LEAD, "email": "b@web.de"}).status_code == 201


def test_every_refusal_names_what_is_wrong(german_rule, source, secret):
    for answer, code in (
        (post(source[1]), "signature_missing"),
        (post(source[1], secret, **{"webhook-timestamp": "soon"}), "signature_missing"),
        (post(source[1], new_secret()), "signature_wrong"),
        (post(source[1], secret, signed=b"{}"), "signature_wrong"),
        (post(source[1], secret, ago=301), "signature_expired"),
        (post(source[1], secret, ago=-301), "signature_expired"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer["Content-Type"] == "application/problem+json" and answer.json()["detail"]
    assert not Lead.objects.exists() and not LeadSourceRequest.objects.exists()
    assert post("ksl_wrong", secret).json()["code"] == "unauthorized"


def test_a_retry_is_signed_again_with_its_idempotency_key(german_rule, source, secret):
    first = post(source[1], secret, **{"Idempotency-Key": "n1"})
    again = post(source[1], secret, message_id="m2", **{"Idempotency-Key": "n1"})
    assert (first.status_code, again.status_code) == (201, 200)


def test_after_a_rotation_both_secrets_count_for_a_day(cast, german_rule, source, secret, time_machine):
    _row, newer = secrets.rotate_secret(source_id=source[0].pk, actor=cast.administrator)
    assert post(source[1], secret).status_code == 201
    assert post(source[1], newer, message_id="m2").status_code == 201
    time_machine.move_to(timezone.now() + secrets.ROTATION_OVERLAP)
    assert post(source[1], secret, message_id="m3").json()["code"] == "signature_wrong"
    assert post(source[1], newer, message_id="m4").status_code == 201


def test_old_ids_are_forgotten_once_they_cannot_count(german_rule, source, secret, time_machine):
    post(source[1], secret)
    assert requests.forget_old_requests() == 0
    time_machine.move_to(timezone.now() + 2 * requests.KEPT)
    assert requests.forget_old_requests() == 1


def test_a_source_that_stops_signing_keeps_no_secret(cast, german_rule, source, secret):
    row = secrets.stop_requiring_signature(source_id=source[0].pk, actor=cast.administrator)
    assert row.sealed_signing_secret is None and post(source[1]).status_code == 201
    with pytest.raises(WrongState):
        secrets.rotate_secret(source_id=row.pk, actor=cast.administrator)


def test_the_secret_is_sealed_and_shown_once(cast, browse, source):
    answer = browse(cast.administrator).post(
        "/lead-sources/change/", {"action": "sign", "ids": [source[0].pk]}, follow=True
    )
    row = LeadSource.objects.get(pk=source[0].pk)
    (secret,) = secrets.secrets_of(row, row.created_at)
    assert secret in answer.content.decode() and secret.encode() not in bytes(row.sealed_signing_secret)
    assert secret not in browse(cast.administrator).get("/lead-sources/").content.decode()
    with pytest.raises(WrongState):
        secrets.require_signature(source_id=row.pk, actor=cast.administrator)


@pytest.mark.parametrize("who", ["agent", "auditor"])
def test_the_wrong_role_changes_no_signature(cast, source, who):
    with pytest.raises(NotAllowed):
        secrets.require_signature(source_id=source[0].pk, actor=getattr(cast, who))


def test_the_database_holds_no_signing_source_without_a_secret(cast, source):
    with pytest.raises(IntegrityError), transaction.atomic():
        LeadSource.objects.filter(pk=source[0].pk).update(needs_signature=True)
