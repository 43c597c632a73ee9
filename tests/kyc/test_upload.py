"""`kyc.documents.upload`: a client, or staff for them, sends a document."""

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from clients.facts import fact_of
from clients.models import Client
from crm import events
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, OutboxEvent
from crm.security import crypto
from kyc import documents, store
from kyc.choices import DocumentState
from kyc.models import Document
from tests.kyc.factories import a_file, bill_pdf, claimed, passport_jpeg, registered, uploaded

pytestmark = pytest.mark.django_db


def test_the_file_is_kept_encrypted_audited_and_told(cast):
    document = uploaded(cast.client, actor=cast.client_user)
    assert (document.state, document.kind, document.content_type) == ("uploaded", "passport", "image/jpeg")
    content = store.read(client_id=cast.client.pk, key=document.store_key)
    assert content[:3] == b"\xff\xd8\xff" and len(content) == document.size_bytes
    row = AuditEvent.objects.get(action="kyc.document_uploaded")
    assert row.actor == cast.client_user and row.client_id == cast.client.pk
    event = OutboxEvent.objects.get(name="kyc.document_uploaded")
    assert event.payload["document_id"] == document.pk
    assert cast.client.timeline.get().is_visible_to_client


def test_the_clients_last_document_is_a_fact(cast):
    document = uploaded(cast.client, actor=cast.client_user)
    assert fact_of(cast.client, "last_document_at") is None
    events.drain()
    assert fact_of(Client.objects.get(pk=cast.client.pk), "last_document_at") == document.uploaded_at


def test_a_pdf_is_taken_with_its_pages(cast):
    document = uploaded(cast.client, kind="proof_of_address")
    assert (document.content_type, document.page_count) == ("application/pdf", 1)


@pytest.mark.parametrize("who", ["other_client_user", "agent", "desk_head", "finance", "auditor", "support"])
def test_nobody_else_sends_a_clients_documents(cast, who):
    with pytest.raises(NotAllowed):
        uploaded(cast.client, actor=getattr(cast, who))
    assert not Document.objects.exists() and not AuditEvent.objects.filter(action__startswith="kyc.").exists()


def test_an_officer_may_send_one_for_a_client(cast):
    assert uploaded(cast.client, actor=cast.kyc_officer).uploaded_by == cast.kyc_officer


def test_the_same_file_twice_is_told_kindly(cast):
    uploaded(cast.client)
    with pytest.raises(DomainError, match="We already have this file") as told:
        uploaded(cast.client)
    assert told.value.code == "sent_before"
    assert Document.objects.count() == 1
    assert len(list(store.root().rglob("*"))) >= 1


def test_a_new_picture_replaces_the_one_that_waits(cast):
    older = uploaded(cast.client)
    newer = uploaded(cast.client, content=passport_jpeg("Clara", "Weber", number="C99X00T47"))
    older.refresh_from_db()
    assert (older.state, newer.state) == ("replaced", "uploaded")
    # The first may come again: it is not "known" any more.
    uploaded(cast.client)


def test_replacing_takes_the_document_out_of_the_officers_hands(cast):
    registered(cast.client)
    older = claimed(cast.client, cast.kyc_officer)
    uploaded(cast.client, content=passport_jpeg("Clara", "Weber", number="C99X00T47"))
    older.refresh_from_db()
    assert older.state == DocumentState.REPLACED and older.work.claimed_by is None


def test_two_sides_stand_beside_each_other(cast):
    front = uploaded(cast.client, kind="id_card", side="front")
    back = uploaded(cast.client, kind="id_card", side="back", content=passport_jpeg("Clara", "Back"))
    front.refresh_from_db()
    assert (front.state, back.state) == ("uploaded", "uploaded")


def test_a_closed_account_takes_nothing(cast):
    cast.client.stage = "closed"
    cast.client.save()
    with pytest.raises(WrongState, match="closed"):
        uploaded(cast.client)


def test_no_end_of_uploads_in_a_day(cast, monkeypatch):
    monkeypatch.setattr(documents, "UPLOADS_PER_DAY_MAX", 1)
    uploaded(cast.client)
    with pytest.raises(DomainError, match="daily limit for documents"):
        uploaded(cast.client, kind="proof_of_address")


def test_a_failed_upload_leaves_no_file(cast, monkeypatch):
    crypto.encrypt_for_client(cast.client.pk, b"")
    before = {path for path in store.root().rglob("*") if path.is_file()}

    def broken(*_args, **_fields):
        raise RuntimeError("the database went away")

    monkeypatch.setattr(documents, "_keep", broken)
    with pytest.raises(RuntimeError):
        uploaded(cast.client)
    assert {path for path in store.root().rglob("*") if path.is_file()} == before
    assert not Document.objects.exists()


def test_a_full_disk_is_told_and_nothing_is_half_stored(cast, monkeypatch):
    def full(**_fields):
        raise store.StorageFull("The file could not be kept: our storage is full.")

    monkeypatch.setattr(documents.store, "put", full)
    with pytest.raises(store.StorageFull, match="storage is full"):
        uploaded(cast.client)
    assert not Document.objects.exists() and not OutboxEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_is_kept_once(cast):
    outcomes: list[str] = []
    gate = threading.Barrier(2)

    def send():
        gate.wait()
        try:
            documents.upload(client=cast.client, kind="passport", file=a_file(passport_jpeg()), actor=cast.client_user)
            outcomes.append("kept")
        except DomainError as error:
            outcomes.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["kept", "sent_before"]
    kept = Document.objects.get()
    files = {path.relative_to(store.root()).as_posix() for path in store.root().rglob("*") if path.is_file()}
    assert kept.store_key in files


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("a_client_sends_a_file_once", {"pk": None, "store_key": "x", "kind": "other"}),
        ("one_open_document_per_client_and_kind", {"pk": None, "store_key": "x", "sha256": "0" * 64}),
        ("decided_document_has_a_reviewer", {"state": "approved"}),
        ("document_being_checked_has_a_lease", {"state": "checking"}),
        ("document_has_content", {"size_bytes": 0}),
    ],
)
def test_the_database_refuses_what_must_not_be(cast, constraint, change):
    document = uploaded(cast.client)
    for name, value in change.items():
        setattr(document, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        document.save(force_insert=document.pk is None)


def test_bills_of_one_client_do_not_meet_those_of_another(cast):
    uploaded(cast.client, kind="proof_of_address")
    uploaded(cast.other_client, kind="proof_of_address", content=bill_pdf(name="Óscar Núñez"))
    assert Document.objects.count() == 2
