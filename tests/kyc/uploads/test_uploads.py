"""`kyc.uploads`: drafts, their pages chunk by chunk, sending them, and what a client may and may not."""

import datetime as dt
import hashlib
import io

import pikepdf
import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404
from django.utils import timezone

from crm import due, work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification
from kyc import incoming, intake, store
from kyc.models import Document, IncomingPage, UploadChunk, UploadDraft, UploadPage
from kyc.uploads import drafts, pages, submission
from tests.kyc.factories import bill_pdf, passport_jpeg, registered, uploaded, waiting

pytestmark = pytest.mark.django_db
CHUNK = 70_000


def draft_of(cast, kind="passport", country="DE"):
    return drafts.open_draft(client=cast.client, kind=kind, country=country, actor=cast.client_user)


def begun(cast, draft, content, side="front", name="scan.jpg", **more):
    return pages.begin_page(
        draft_id=draft.pk, side=side, name=name, size_bytes=len(content), actor=cast.client_user, **more
    )


def appended(cast, page, content, start, end):
    return pages.append_chunk(
        draft_id=page.draft_id, page_id=page.pk, offset=start, content=content[start:end], actor=cast.client_user
    )


def added(cast, draft, content, side="front", name="scan.jpg"):
    return pages.add_file(draft_id=draft.pk, side=side, file=io.BytesIO(content), name=name, actor=cast.client_user)


def files_on_disk():
    return {path for path in store.root().rglob("*") if path.is_file()}


def test_a_page_goes_on_where_it_stopped_and_is_sealed(cast, django_capture_on_commit_callbacks):
    content, draft, before = passport_jpeg(), draft_of(cast), files_on_disk()
    digest = hashlib.sha256(content).hexdigest()
    page = appended(cast, begun(cast, draft, content, sha256=digest), content, 0, CHUNK)
    assert (page.received_bytes, page.is_whole, page.chunks.count()) == (CHUNK, False, 1)
    (sealed,) = files_on_disk() - before
    assert content[:200] not in sealed.read_bytes()
    # Another tab, or the same one after a reload: the same file is the same page, and the server says from where.
    same = begun(cast, draft, content, sha256=digest, name="again.jpg")
    assert (same.pk, same.received_bytes) == (page.pk, CHUNK)
    for start, end in ((0, CHUNK), (CHUNK + 1, 2 * CHUNK), (CHUNK, CHUNK + 10), (CHUNK, CHUNK)):
        with pytest.raises(pages.WrongOffset) as wrong:
            appended(cast, page, content, start, end)
        assert wrong.value.offset == CHUNK
    with django_capture_on_commit_callbacks(execute=True):
        page = appended(cast, page, content, CHUNK, len(content))
    assert (page.is_whole, page.content_type, page.sha256, UploadChunk.objects.count()) == (
        True,
        "image/jpeg",
        digest,
        0,
    )
    assert files_on_disk() - before == {store.path_of(page.store_key)}
    assert store.read(client_id=cast.client.pk, key=page.store_key) == content


def test_bounds_of_files_pages_and_drafts(cast, settings, monkeypatch):
    draft = draft_of(cast)
    with pytest.raises(DomainError, match="larger than"):
        begun(cast, draft, range(settings.UPLOAD_MAX_BYTES + 1))
    with pytest.raises(DomainError, match="is empty"):
        begun(cast, draft, b"")
    with pytest.raises(Http404):
        begun(cast, draft, b"x", side="back")
    added(cast, draft, passport_jpeg())
    with pytest.raises(DomainError, match="already a file here"):
        added(cast, draft, passport_jpeg(number="X1"))
    letters = draft_of(cast, "proof_of_address", "")
    added(cast, letters, bill_pdf())
    with pytest.raises(DomainError, match="already added this file"):
        added(cast, letters, bill_pdf())
    for number in range(7):
        begun(cast, letters, b"x" * (100 + number))
    with pytest.raises(DomainError, match="No more than 8 files"):
        begun(cast, letters, b"x" * 99)
    settings.UPLOAD_MAX_BYTES = 50
    pages.drop_page(draft_id=letters.pk, page_id=letters.pages.last().pk, actor=cast.client_user)
    with pytest.raises(DomainError, match="All files together"):
        begun(cast, letters, b"x" * 49)
    monkeypatch.setattr(drafts, "DRAFTS_MAX", 2)
    with pytest.raises(DomainError, match="too many unfinished"):
        draft_of(cast, "id_card")
    assert draft_of(cast).pk == draft.pk  # the open one goes on


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"MZ this is a program" + bytes(90_000), "isn't supported"),
        (b"\0\0\0\x18ftypheic" + bytes(90_000), "HEIC"),
        (b"GIF89a" + bytes(90_000), "isn't supported"),
    ],
)
def test_what_is_no_document_is_refused_with_its_first_part(cast, content, words):
    page = begun(cast, draft_of(cast), content)
    before = files_on_disk()
    with pytest.raises(intake.FileRefused, match=words):
        appended(cast, page, content, 0, CHUNK)
    assert files_on_disk() == before


def test_a_file_that_changed_on_its_way_is_refused(cast):
    content = passport_jpeg()
    page = begun(cast, draft_of(cast), content, sha256="0" * 64)
    with pytest.raises(intake.FileRefused, match="changed while"):
        appended(cast, page, content, 0, len(content))


@pytest.mark.parametrize("who", ["other_client_user", "agent", "kyc_officer"])
def test_only_their_owner_has_drafts(cast, who):
    draft, person = draft_of(cast), getattr(cast, who)
    page = begun(cast, draft, b"x" * 9)
    for act in (
        lambda: pages.begin_page(draft_id=draft.pk, side="front", name="x", size_bytes=9, actor=person),
        lambda: pages.append_chunk(draft_id=draft.pk, page_id=page.pk, offset=0, content=b"x", actor=person),
        lambda: pages.drop_page(draft_id=draft.pk, page_id=page.pk, actor=person),
        lambda: pages.move_page(draft_id=draft.pk, page_id=page.pk, to="up", actor=person),
        lambda: submission.send_draft(draft_id=draft.pk, actor=person),
        lambda: drafts.discard_draft(draft_id=draft.pk, actor=person),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert list(drafts.drafts_visible_to(person)) == [] and list(drafts.drafts_visible_to(cast.client_user)) == [draft]


def test_two_sides_are_sent_together_and_the_country_is_kept(cast):
    draft = draft_of(cast, "id_card", "FR")
    added(cast, draft, passport_jpeg(number="F1"))
    with pytest.raises(DomainError, match="Still missing: Back"):
        submission.send_draft(draft_id=draft.pk, actor=cast.client_user)
    half = begun(cast, draft, passport_jpeg(number="B1"), side="back")
    with pytest.raises(DomainError, match="hasn't been uploaded completely: Back"):
        submission.send_draft(draft_id=draft.pk, actor=cast.client_user)
    pages.drop_page(draft_id=draft.pk, page_id=half.pk, actor=cast.client_user)
    added(cast, draft, passport_jpeg(number="B1"), side="back")
    sent = submission.send_draft(draft_id=draft.pk, actor=cast.client_user)
    assert (sent.state, sent.pages.count()) == ("sent", 0) and not DueRow.objects.filter(
        kind="kyc.upload_expiry"
    ).filter(state="pending")
    assert incoming.take_in_due() == 2
    assert set(Document.objects.values_list("side", "declared_country", "uploaded_by")) == {
        (side, "FR", cast.client_user.pk) for side in ("front", "back")
    }
    with pytest.raises(WrongState):
        submission.send_draft(draft_id=draft.pk, actor=cast.client_user)
    assert set(AuditEvent.objects.filter(action__startswith="kyc.upload_").values_list("action", flat=True)) == {
        "kyc.upload_started",
        "kyc.upload_sent",
    }


def test_several_pages_are_one_document_in_their_order(cast, django_capture_on_commit_callbacks):
    draft = draft_of(cast, "proof_of_address", "")
    first, second = added(cast, draft, passport_jpeg(number="P1"), name="two.jpg"), added(cast, draft, bill_pdf())
    pages.move_page(draft_id=draft.pk, page_id=second.pk, to="up", actor=cast.client_user)
    pages.move_page(draft_id=draft.pk, page_id=second.pk, to="up", actor=cast.client_user)  # already first
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert list(draft.pages.values_list("pk", flat=True)) == [second.pk, first.pk]
    before = files_on_disk()
    submission.send_draft(draft_id=draft.pk, actor=cast.client_user)
    with django_capture_on_commit_callbacks(execute=True):
        assert incoming.take_in_due() == 1
    document = Document.objects.get()
    assert (document.page_count, document.content_type) == (2, "application/pdf")
    with pikepdf.open(io.BytesIO(store.read(client_id=cast.client.pk, key=document.store_key))) as pdf:
        assert len(pdf.pages) == 2 and len(list(pdf.pages[1].get_images())) == 1
    assert IncomingPage.objects.count() == 0
    assert files_on_disk() - before == {store.path_of(document.store_key)} and len(before - files_on_disk()) == 2


def test_only_the_rejected_side_is_sent_again(cast):
    needed = submission.sides_needed
    assert [side.side for side in needed(cast.client, "id_card")] == ["front", "back"]
    front = uploaded(cast.client, kind="id_card", side="front", content=passport_jpeg(number="F1"))
    assert [side.side for side in needed(cast.client, "id_card")] == ["back"]
    uploaded(cast.client, kind="id_card", side="back", content=passport_jpeg(number="B1"))
    assert len(needed(cast.client, "id_card")) == 2  # replaced as a whole
    Document.objects.filter(pk=front.pk).update(state="replaced")
    assert [side.side for side in needed(cast.client, "id_card")] == ["front"]


def test_a_replaced_document_leaves_the_queue_and_its_officer_knows(cast):
    registered(cast.client, last_name="Schmidt")
    older = waiting(cast.client)
    work.claim(item_id=older.work_id, actor=cast.kyc_officer)
    draft = draft_of(cast)
    added(cast, draft, passport_jpeg(number="N2"))
    submission.send_draft(draft_id=draft.pk, actor=cast.client_user)
    older.refresh_from_db()
    assert older.state == "pending_review"  # until the new one was read
    assert incoming.take_in_due() == 1
    older.refresh_from_db()
    assert (older.state, older.work.state, older.work.claimed_by) == ("replaced", "closed", None)
    assert Notification.objects.filter(user=cast.kyc_officer, kind="kyc.document_replaced").count() == 1


@pytest.mark.parametrize("is_late", [True, False])
def test_an_unsent_draft_leaves_nothing_behind(cast, django_capture_on_commit_callbacks, is_late):
    content, before, draft = passport_jpeg(), files_on_disk(), draft_of(cast, "id_card")
    with django_capture_on_commit_callbacks(execute=True):
        added(cast, draft, content)
        appended(cast, begun(cast, draft, content, side="back"), content, 0, CHUNK)
    assert len(files_on_disk() - before) == 2
    with django_capture_on_commit_callbacks(execute=True):
        if is_late:
            DueRow.objects.update(at=timezone.now(), next_at=timezone.now() - dt.timedelta(seconds=1))
            due.sweep(kinds=[drafts.EXPIRY])
        else:
            drafts.discard_draft(draft_id=draft.pk, actor=cast.client_user)
    draft.refresh_from_db()
    assert draft.state == ("expired" if is_late else "discarded")
    assert UploadPage.objects.count() == 0 and files_on_disk() == before
    assert AuditEvent.objects.get(action=f"kyc.upload_{draft.state}").actor == (None if is_late else cast.client_user)


@pytest.mark.parametrize(
    ("kind", "country", "words"),
    [
        ("id_card", "GB", "doesn't issue identity cards"),
        ("passport", "", "Choose the country"),
        ("passport", "ZZ", "Choose"),
    ],
)
def test_the_country_must_issue_such_a_document(cast, kind, country, words):
    with pytest.raises(DomainError, match=words):
        draft_of(cast, kind, country)
    assert not UploadDraft.objects.exists()


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("upload_page_keeps_to_its_size", {"received_bytes": 10}),
        ("whole_upload_page_has_all_its_bytes", {"store_key": "x", "content_type": "image/png", "sha256": "x"}),
        ("upload_pages_are_in_order", {"pk": None}),
    ],
)
def test_the_database_refuses_a_page_that_cannot_be(cast, constraint, change):
    page = begun(cast, draft_of(cast), b"x" * 9)
    for name, value in change.items():
        setattr(page, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        page.save(force_insert=page.pk is None)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
