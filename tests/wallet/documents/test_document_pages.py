"""Pages of documents: the list, one, proving, a month's, letterheads; a client's own in the room; what they ask the database."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from crm.files.jobs import run_job
from crm.models import AccessEvent, AuditEvent, Job
from tests.wallet.documents.test_documents import OCTOBER, content, history, october, paid_in, report  # noqa: F401
from wallet.documents import invoices, making, receipts, statement, store
from wallet.models import IssuedDocument, Letterhead

pytestmark = pytest.mark.django_db


@pytest.fixture
def document(history) -> IssuedDocument:
    return making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=history.finance)


def receipts_of(cast, count: int) -> None:
    for _number in range(count):
        making.make(receipts.draft_of(paid_in(cast, 10_000), "en"), made_by=cast.finance)


def test_the_list_costs_the_same_for_more(cast, browse, django_assert_max_num_queries):
    browser, page = browse(cast.finance), reverse("wallet:documents")
    receipts_of(cast, 1)
    browser.get(page)
    receipts_of(cast, 4)
    with django_assert_max_num_queries(20):
        shown = browser.get(page).content.decode()
    assert shown.count("Receipt D-") == 5
    one = IssuedDocument.objects.first()
    assert one.title in browser.get(page, {"q": one.sha256[:20]}).content.decode()
    assert browser.get(page, {"q": "D-000002"}).content.decode().count("Receipt D-") == 1


def test_who_lists_documents_sees_those_in_reach(cast, document, browse):
    for user, seen in ((cast.auditor, True), (cast.mlro, True), (cast.finance, True)):
        assert (document.title in browse(user).get(reverse("wallet:documents")).content.decode()) is seen
    assert browse(cast.agent).get(reverse("wallet:documents")).status_code == 403
    assert browse(cast.agent).get(reverse("wallet:document", args=[document.pk])).status_code == 403


def test_one_document_shows_its_hashes_and_looking_is_noted(cast, document, browse, django_assert_max_num_queries):
    browser, page = browse(cast.finance), reverse("wallet:document", args=[document.pk])
    browser.get(page)
    with django_assert_max_num_queries(20):
        shown = browser.get(page).content.decode()
    assert document.content_hash in shown and document.sha256 in shown
    answer = browser.get(reverse("wallet:document_file", args=[document.pk]))
    assert b"".join(answer.streaming_content) == content(document)
    assert document.file_name in answer["Content-Disposition"] and answer["Cache-Control"] == "no-store"
    target = f"wallet.document:{document.pk}"
    assert set(AccessEvent.objects.filter(target=target).values_list("kind", flat=True)) == {"view", "download"}


def test_a_file_that_was_damaged_is_said_in_words(cast, document, browse):
    path = store.path_of(document.stored_name)
    path.write_bytes(path.read_bytes()[:-5])
    answer = browse(cast.finance).get(reverse("wallet:document_file", args=[document.pk]))
    assert answer.status_code == 409 and "missing or damaged" in answer.content.decode()


def test_a_file_is_proved_byte_by_byte(cast, document, browse):
    browser, page = browse(cast.finance), reverse("wallet:document_prove")
    file = SimpleUploadedFile("x.pdf", content(document))
    assert "This file was issued here and is unchanged" in browser.post(page, {"file": file}).content.decode()
    changed = SimpleUploadedFile("x.pdf", content(document) + b" ")
    assert "No matching file found" in browser.post(page, {"file": changed}).content.decode()
    assert (
        "A document with this hash was issued here"
        in browser.post(page, {"hash": document.content_hash[:16]}).content.decode()
    )
    assert "No document with this hash found" in browser.post(page, {"hash": "0" * 64}).content.decode()


@pytest.mark.parametrize(
    ("values", "words"), [({"hash": "xyz"}, "12 to 64 characters"), ({}, "Enter the hash or upload the file")]
)
def test_what_can_not_be_proved_is_said_in_words(cast, browse, values, words):
    answer = browse(cast.finance).post(reverse("wallet:document_prove"), values)
    assert answer.status_code == 422 and words in answer.content.decode()


def test_a_month_of_all_clients_is_ordered_from_its_page(history, browse):
    browser, page = browse(history.finance), reverse("wallet:document_month")
    assert browser.get(page).status_code == 200
    answer = browser.post(page, {"brand": history.brand.pk, "kind": "statement", "month": "2026-10"})
    job = Job.objects.get(kind="wallet.document_batch")
    assert answer.url == reverse("job", args=[job.pk])
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "done" and job.result_name == f"statement-{history.brand.code}-2026-10.zip"


@pytest.mark.parametrize(("month", "words"), [("2099-01", "once the month is over"), ("October", "Enter the month")])
def test_a_senseless_month_is_refused_and_the_form_keeps_it(cast, browse, month, words):
    values = {"brand": cast.brand.pk, "kind": "fee_invoice", "month": month}
    answer = browse(cast.finance).post(reverse("wallet:document_month"), values)
    assert answer.status_code == 422 and words in answer.content.decode() and month in answer.content.decode()


def test_packs_and_receipts_are_ordered_where_their_subject_is(cast, report, browse):
    browser, deposit = browse(cast.finance), paid_in(cast, 10_000)
    for page, words in (
        (reverse("wallet:settlement", args=[report.pk]), "Pack (PDF)"),
        (deposit_page(deposit), "Receipt"),
    ):
        assert words in browser.get(page).content.decode()
    browser.post(reverse("wallet:psp_pack", args=[report.pk]), {"ending": "xlsx"})
    browser.post(reverse("wallet:deposit_receipt", args=[deposit.pk]))
    for job in Job.objects.order_by("pk"):
        run_job(job.pk)
    assert {(one.kind, one.ending) for one in IssuedDocument.objects.all()} == {
        ("psp_pack", "xlsx"),
        ("receipt", "pdf"),
    }
    assert browse(cast.auditor).post(reverse("wallet:psp_pack", args=[report.pk])).status_code == 403


def deposit_page(deposit) -> str:
    return reverse("wallet:deposit", args=[deposit.pk])


# ── letterheads ──────────────────────────────────────────────────────────────────────────────────────────────────────


def picture(format: str = "JPEG") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", (1800, 600), "#2255aa").save(out, format)
    return SimpleUploadedFile("logo", out.getvalue())


def test_a_logo_is_made_anew_and_shown(cast, browse):
    browser, page = browse(cast.finance), reverse("wallet:letterhead", args=[cast.brand.pk])
    assert browser.get(page).status_code == 200
    values = {"address": "1 Harbour Road\nLimassol", "tax_number": "CY10000000X", "tax_note": "Exempt."}
    assert browser.post(page, {**values, "logo": picture()}).status_code == 302
    head = Letterhead.objects.get()
    with Image.open(io.BytesIO(bytes(head.logo))) as logo:
        assert logo.format == "PNG" and max(logo.size) <= 900
    shown = browser.get(reverse("wallet:letterhead_logo", args=[cast.brand.pk]))
    assert shown["Content-Type"] == "image/png" and shown.content == bytes(head.logo)
    browser.post(page, {**values, "remove_logo": "on"})
    head.refresh_from_db()
    assert not head.logo and head.address.endswith("Limassol")
    assert AuditEvent.objects.filter(action="wallet.letterhead_changed").count() == 2
    assert "CY10000000X" in browser.get(reverse("wallet:letterheads")).content.decode()


def test_what_is_no_picture_is_refused_and_the_form_keeps_what_was_typed(cast, browse):
    browser, page = browse(cast.finance), reverse("wallet:letterhead", args=[cast.brand.pk])
    answer = browser.post(page, {"address": "1 Harbour Road", "logo": SimpleUploadedFile("x.png", b"<svg/>")})
    assert answer.status_code == 422 and "1 Harbour Road" in answer.content.decode()
    assert not Letterhead.objects.exists()
    assert browser.get(reverse("wallet:letterhead", args=[cast.other_brand.pk])).status_code == 404


# ── the client portal ────────────────────────────────────────────────────────────────────────────────────────────────


def test_clients_find_their_papers_and_nobody_else_s(cast, document, browse, django_assert_max_num_queries):
    paid_in(cast, 10_000, fee=100, at=october(3))
    invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=OCTOBER[0], actor=cast.finance)
    browser, page = browse(cast.client_user), reverse("portal_wallet_documents")
    browser.get(page)
    with django_assert_max_num_queries(20):
        shown = browser.get(page).content.decode()
    assert document.title in shown
    file = reverse("portal_wallet_document", args=[document.pk])
    assert b"".join(browser.get(file).streaming_content) == content(document)
    stranger = browse(cast.other_client_user)
    assert stranger.get(file).status_code == 404
    assert document.title not in stranger.get(page).content.decode().replace("Statements", "")


def test_a_client_takes_a_receipt_from_the_page_of_the_deposit(cast, browse):
    deposit = paid_in(cast, 10_000)
    browser = browse(cast.client_user)
    assert "Receipt (PDF)" in browser.get(reverse("portal_movement", args=[deposit.reference])).content.decode()
    answer = browser.post(reverse("portal_receipt", args=[deposit.reference]))
    job = Job.objects.get()
    assert answer.url == reverse("job", args=[job.pk])
    run_job(job.pk)
    job.refresh_from_db()
    assert b"".join(browser.get(job.result_url).streaming_content).startswith(b"%PDF")
    assert browse(cast.other_client_user).post(reverse("portal_receipt", args=[deposit.reference])).status_code == 404
