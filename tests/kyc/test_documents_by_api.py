"""A document sent by API: the page's own way in, its bounds, and the file is opened by the worker only."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Caller

from crm.models import AuditEvent
from kyc import incoming
from kyc.models import Document, IncomingFile
from tests.cast import make_client
from tests.crm.api.test_reading import get, secret_of
from tests.kyc.factories import passport_jpeg

pytestmark = pytest.mark.django_db


def send(secret: str, client_id: int, key: str = "one", content: bytes | None = None, **more):
    file = SimpleUploadedFile("scan.jpg", passport_jpeg() if content is None else content)
    body = {"client_id": client_id, "kind": "passport", "file": file, **more}
    headers = {"authorization": f"Bearer {secret}", "idempotency-key": key}
    return Caller().post("/api/v1/incoming-documents", body, headers=headers)


def test_a_document_is_sent_once_and_opened_by_a_worker(cast, django_capture_on_commit_callbacks):
    secret = secret_of(cast.kyc_officer, "kyc:write", "kyc:read")
    answer = send(secret, cast.client.pk)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["state"], answer.json()["document_id"]) == ("waiting", None)
    again = send(secret, cast.client.pk)
    assert (again.status_code, again.json()["id"], again["Idempotent-Replay"]) == (201, answer.json()["id"], "true")
    assert send(secret, cast.client.pk, content=b"other").json()["code"] == "idempotency_conflict"
    assert send(secret, cast.client.pk, key="two").json()["code"] == "sent_before"
    assert IncomingFile.objects.get().uploaded_by == cast.kyc_officer
    with django_capture_on_commit_callbacks(execute=True):
        document = incoming.take_in(answer.json()["id"])
    seen = get(f"incoming-documents/{answer.json()['id']}", secret).json()
    assert (seen["state"], seen["document_id"]) == ("taken", document.pk)
    assert get("incoming-documents?state=taken", secret).json()["data"] == [seen]
    assert AuditEvent.objects.filter(action="kyc.document_uploaded", target_id=str(document.pk)).exists()


def test_what_is_refused_keeps_no_file(cast):
    secret = secret_of(cast.kyc_officer, "kyc:write")
    stranger = make_client(brand=cast.other_brand, book=cast.other_book, email="far@example.com", login=False)
    two = {"second": SimpleUploadedFile("b.jpg", passport_jpeg())}
    for answer, status, code in (
        (send(secret_of(cast.kyc_officer, "kyc:read"), cast.client.pk), 403, "insufficient_scope"),
        (send(secret_of(cast.auditor, "kyc:write"), cast.client.pk), 403, "not_allowed"),
        (send(secret_of(cast.desk_head, "kyc:write"), stranger.pk), 404, "not_found"),
        (send(secret, cast.client.pk, key=""), 400, "missing_idempotency_key"),
        (send(secret, cast.client.pk, kind="novel"), 422, "malformed"),
        (send(secret, cast.client.pk, colour="red"), 422, "malformed"),
        (send(secret, cast.client.pk, **two), 400, "invalid_request"),
        (send(secret, cast.client.pk, file=""), 422, "malformed"),
        (send("kpt_unknown", cast.client.pk), 401, "unauthorized"),
    ):
        assert (answer.status_code, answer.json().get("code")) == (status, code), answer.content
    assert send(secret, cast.client.pk, content=b"MZ not a picture").status_code == 422
    assert not IncomingFile.objects.exists() and not Document.objects.exists()


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(cast, settings):
    settings.UPLOAD_MAX_BYTES = 10_000
    answer = send(secret_of(cast.kyc_officer, "kyc:write"), cast.client.pk, content=b"x" * 400_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
