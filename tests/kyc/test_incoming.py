"""`kyc.incoming`: a file is kept as it came, opened by a job in a child process, and becomes a document or is refused in words."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.html import escape

from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent, Notification, OutboxEvent
from crm.security import audit, crypto
from kyc import incoming, intake, store
from kyc.models import ATTEMPTS_MAX, Document, IncomingFile
from tests.cast import signed_in
from tests.crm.files.test_antivirus import EICAR, clamd_at
from tests.crm.files.test_parsing import MEGABYTE, PDFS, Cost, big_png
from tests.kyc.factories import a_file, bill_pdf, file_of, passport_jpeg, uploaded
from tests.portal.uploads.sending import send

pytestmark = pytest.mark.django_db


def received(cast, content=None, **fields):
    fields = {"kind": "passport", "actor": cast.client_user, "name": "scan.jpg", **fields}
    return incoming.receive(client=cast.client, file=a_file(content or passport_jpeg()), **fields)


def files_on_disk():
    return {path for path in store.root().rglob("*") if path.is_file()}


def test_a_file_waits_unopened_then_becomes_a_document(cast, django_capture_on_commit_callbacks):
    waiting = received(cast)
    assert waiting.state == "waiting" and not Document.objects.exists()
    assert store.read(client_id=cast.client.pk, key=waiting.store_key) == passport_jpeg()
    with django_capture_on_commit_callbacks(execute=True):
        document = incoming.take_in(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.document, waiting.store_key, waiting.attempts) == ("taken", document, "", 1)
    assert (document.kind, document.uploaded_by, document.file_name) == ("passport", cast.client_user, "scan.jpg")
    assert OutboxEvent.objects.filter(name="kyc.document_uploaded").count() == 1
    assert store.path_of(document.store_key) in files_on_disk()
    assert list(
        AuditEvent.objects.filter(action__startswith="kyc.").order_by("id").values_list("action", flat=True)
    ) == ["kyc.file_received", "kyc.document_uploaded"]


def test_what_was_sent_is_deleted_once_it_was_opened(cast, django_capture_on_commit_callbacks):
    crypto.encrypt_for_client(cast.client.pk, b"")
    before = files_on_disk()
    for content in (passport_jpeg(), passport_jpeg()[:20_000]):
        waiting = received(cast, content)
        with django_capture_on_commit_callbacks(execute=True):
            document = incoming.take_in(waiting.pk)
        if document is not None:
            store.delete(document.store_key)
    assert files_on_disk() == before


def test_a_refused_file_says_why_in_the_senders_language(cast):
    with translation.override("de"):
        waiting = received(cast, passport_jpeg()[:20_000])
    assert incoming.take_in(waiting.pk) is None
    waiting.refresh_from_db()
    assert waiting.state == "refused" and "unvollständig" in waiting.reason
    assert AuditEvent.objects.filter(action="kyc.file_refused").count() == 1
    assert not Document.objects.exists()


def test_the_job_runs_once_for_a_file(cast):
    waiting = received(cast)
    assert incoming.take_in(waiting.pk) is not None
    assert incoming.take_in(waiting.pk) is None
    assert Document.objects.count() == 1


def test_a_file_whose_workers_die_is_opened_again_then_refused(cast):
    waiting = received(cast)
    for _attempt in range(ATTEMPTS_MAX):
        assert incoming._begin(waiting.pk) is not None
        assert incoming.due() == []
        IncomingFile.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        assert incoming.due() == [waiting.pk]
    assert incoming.take_in(waiting.pk) is None
    waiting.refresh_from_db()
    assert waiting.state == "refused" and "couldn't open this file" in waiting.reason


def test_a_busy_host_lets_the_file_wait_without_counting_the_try(cast, settings, tmp_path, monkeypatch):
    from crm.files.parsing import Limits, Pool
    from crm.files.parsing.slots import slot

    settings.VAR_DIR, settings.PARSING_SLOTS = tmp_path, 1
    monkeypatch.setattr(intake, "LIMITS", Limits(wait_seconds=0.05))
    waiting = received(cast)
    with slot(Pool.JOBS, wait_seconds=0):
        assert incoming.take_in(waiting.pk) is None
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("waiting", 0) and waiting.lease_until is not None
    IncomingFile.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert incoming.take_in_due() == 1


def test_malware_is_deleted_unopened_and_officers_are_notified(
    cast, settings, tmp_path, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(intake, "parse", None)  # nothing may be opened
    waiting = received(cast, passport_jpeg() + EICAR)
    key = waiting.store_key
    with clamd_at(settings, tmp_path / "c"), django_capture_on_commit_callbacks(execute=True):
        assert incoming.take_in(waiting.pk) is None
    waiting.refresh_from_db()
    assert waiting.state == "refused" and "virus scanner found malware" in waiting.reason
    assert not store.path_of(key).exists() and not Document.objects.exists()
    event = AuditEvent.objects.get(action="kyc.file_infected")
    assert audit.body_of(event)["evidence"]["signature"] == "Win.Test.EICAR_HDB-1"
    notice = Notification.objects.get(user=cast.kyc_officer)
    assert (notice.kind, "Clara" in notice.title) == ("kyc.file_infected", True)


def test_a_file_waits_for_a_scanner_that_is_away(cast, settings, tmp_path):
    settings.CLAMD = f"unix:{tmp_path}/c"
    waiting = received(cast)
    for _try in range(ATTEMPTS_MAX + 1):
        assert incoming.take_in(waiting.pk) is None and incoming.due() == []
        IncomingFile.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.attempts) == ("waiting", 0)
    with clamd_at(settings, tmp_path / "c") as clamd:
        assert incoming.take_in_due() == 1
    assert clamd.scanned == [passport_jpeg()]


def test_so_many_files_an_hour_and_no_more(cast, monkeypatch):
    monkeypatch.setattr(incoming, "FILES_PER_HOUR_MAX", 2)
    for number in range(2):
        received(cast, passport_jpeg(number=f"N{number}"))
    with pytest.raises(DomainError, match="too many files in the last hour"):
        received(cast, bill_pdf(), kind="proof_of_address")
    IncomingFile.objects.update(received_at=timezone.now() - dt.timedelta(hours=2))
    assert received(cast, bill_pdf(), kind="proof_of_address").state == "waiting"


def test_the_same_file_is_not_opened_twice(cast):
    received(cast)
    with pytest.raises(DomainError, match="already have this file and are checking it"):
        received(cast)
    incoming.take_in_due()
    with pytest.raises(DomainError, match="We already have this file"):
        received(cast)


def test_an_open_document_is_replaced_only_by_one_that_can_be_read(cast):
    older = uploaded(cast.client, actor=cast.client_user)
    broken = received(cast, passport_jpeg("Clara", "Weber", number="C99X00T47")[:20_000])
    incoming.take_in(broken.pk)
    older.refresh_from_db()
    assert older.state == "uploaded"


@pytest.mark.parametrize("who", ["other_client_user", "agent", "finance", "auditor"])
def test_nobody_else_sends_a_clients_files(cast, who):
    with pytest.raises(NotAllowed):
        received(cast, actor=getattr(cast, who))
    assert not IncomingFile.objects.exists()


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("only_a_waiting_file_has_content", {"store_key": ""}),
        ("only_a_waiting_file_has_content", {"state": "refused", "reason": "x"}),
        ("taken_file_is_a_document", {"state": "taken", "store_key": "", "finished_at": timezone.now()}),
        ("refused_file_has_a_reason", {"state": "refused", "store_key": "", "finished_at": timezone.now()}),
        ("a_client_has_a_file_opened_once", {"pk": None, "store_key": "other"}),
    ],
)
def test_the_database_refuses_what_must_not_be(cast, constraint, change):
    waiting = received(cast)
    for name, value in change.items():
        setattr(waiting, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        waiting.save(force_insert=waiting.pk is None)


def test_rows_of_a_month_ago_are_dropped(cast):
    for content in (passport_jpeg(), passport_jpeg(number="F7")[:20_000]):
        incoming.take_in(received(cast, content).pk)
    assert incoming.drop_old() == 0
    IncomingFile.objects.update(finished_at=timezone.now() - dt.timedelta(days=31))
    assert incoming.drop_old() == 2 and Document.objects.count() == 1


def test_stored_files_that_wait_are_known_to_the_file_check(cast):
    from crm.file_columns import COLUMNS

    column = next(one for one in COLUMNS if one.model is IncomingFile)
    waiting = received(cast)
    assert column.named([waiting.store_key]) == {waiting.store_key}


# ── the attack: what a stranger's file costs the process that has everybody's pages ──────────────────────────────────


@pytest.mark.parametrize("kind", [*PDFS, "png"])
def test_an_upload_that_attacks_costs_the_site_nothing(cast, kind):
    """The request only keeps the bytes; opening them happens in a child; the page then says why it was refused."""
    raw = big_png() if kind == "png" else PDFS[kind]()
    browser = signed_in(cast.client_user)
    browser.get("/portal/documents/")
    with Cost() as cost:
        answers = send(browser, raw, name="scan.pdf")
    assert [answer.status_code for answer in answers] == [302, 302] and cost.grown < 64 * MEGABYTE and cost.seconds < 3
    assert "Checking file" in browser.get("/portal/documents/").content.decode()
    with Cost() as cost:
        document = incoming.take_in(IncomingFile.objects.get().pk)
    assert cost.grown < 64 * MEGABYTE and cost.seconds < 3
    if document is not None:
        assert kind == "jbig2"  # small and drawn blank: a person sees it
        return
    page = browser.get("/portal/documents/").content.decode()
    assert "File not accepted" in page and escape(IncomingFile.objects.get().reason[:30]) in page


def test_a_page_of_a_stored_bomb_costs_the_reviewer_nothing(cast, browse, settings, tmp_path):
    """A PDF that was kept before there were limits: its page is drawn in a child, and refused in words."""
    settings.VAR_DIR = tmp_path  # its slots are not those of tests beside this one
    document = uploaded(cast.client, kind="proof_of_address")
    kept = store.put(client_id=cast.client.pk, content=PDFS["forms"]())
    Document.objects.filter(pk=document.pk).update(store_key=kept.key)
    browser = browse(cast.kyc_officer)
    with Cost() as cost:
        answer = browser.get(f"/kyc/documents/{document.pk}/page/1/")
    assert answer.status_code == 409 and "and was rejected" in answer.content.decode()
    assert cost.grown < 64 * MEGABYTE and cost.seconds < 3


def test_staff_see_a_file_that_is_being_checked_and_why_one_was_refused(cast, browse):
    browser = browse(cast.kyc_officer)
    url = f"/kyc/clients/{cast.client.pk}/upload/"
    answer = browser.post(url, {"kind": "passport", "side": "front", "file": file_of(passport_jpeg()[:20_000])})
    assert answer.status_code == 302
    tab = f"/clients/{cast.client.pk}/tab/kyc/"
    page = browser.get(tab, headers={"HX-Request": "true"}).content.decode()
    assert "Checking the file" in page and "every 3s" in page
    incoming.take_in_due()
    page = browser.get(tab, headers={"HX-Request": "true"}).content.decode()
    assert "The picture is incomplete" in page and "every 3s" not in page
