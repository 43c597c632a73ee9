"""Documents: made once for the same figures, kept encrypted, proved by hash; receipts, invoices without gaps, packs."""

import datetime as dt
import io
import zipfile
from decimal import Decimal

import pikepdf
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import JobCancelled, cancel_job, result_of, run_job
from crm.models import AuditEvent, Job
from crm.security import sealed_files
from tests.crm.rendering.pdfua import problems_of
from tests.wallet.bank.test_statement import OCTOBER, history, text_of  # noqa: F401
from tests.wallet.factories import house, make_psp
from wallet.choices.documents import DocumentKind, Ending
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.documents import batches, invoices, making, psp_pack, receipts, statement, store
from wallet.documents.xlsx import write_report
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Break, Deposit, FeeInvoice, IssuedDocument, Letterhead, Psp, SettlementImport, SettlementRow

pytestmark = pytest.mark.django_db


def paid_in(cast, amount: int, *, fee: int = 0, at: dt.datetime | None = None, client=None) -> Deposit:
    """A settled deposit with its fee, as the sagas leave it."""
    client, at = client or cast.client, at or timezone.now()
    psp = Psp.objects.filter(brand=client.brand).first() or make_psp(client.brand)
    number = Deposit.objects.count() + 1
    lines = (Line(house(client.brand), -amount), Line(house(client.brand, AccountKind.FEES), amount))
    entry = Entry(key=f"p:{number}", kind=JournalKind.DEPOSIT, brand_id=client.brand_id, lines=lines)
    with transaction.atomic():
        posted = posting.post_many([entry], posted_at=[at])[0]
    return Deposit.objects.create(
        client=client,
        brand=client.brand,
        psp=psp,
        wallet=posting.wallet_of(client, "EUR"),
        reference=f"D-{number:06}",
        request_key=f"k{number}",
        state="settled",
        amount_minor=amount,
        currency="EUR",
        received_minor=amount,
        fee_minor=fee,
        credited_minor=amount - fee,
        created_at=at,
        settled_at=at,
        psp_reference=f"pi_{number}",
        payer_name="CLARA WEBER",
        instrument="Visa •••• 4242",
        journal_id=posted.journal_id,
    )


def october(day: int, hour: int = 12) -> dt.datetime:
    return dt.datetime(2026, 10, day, hour, tzinfo=dt.UTC)


def tags_of(pdf: bytes) -> pikepdf.Pdf:
    """A document of ours holds what a program can tell of PDF/UA-1."""
    assert problems_of(io.BytesIO(pdf)) == []
    document = pikepdf.open(io.BytesIO(pdf))
    assert bool(document.Root.MarkInfo.Marked) and "/StructTreeRoot" in document.Root
    with document.open_metadata() as about:
        assert about["pdfuaid:part"] == "1"
    for page in document.pages:
        for font in page.Resources.Font.values():
            base = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            assert {"/FontFile2", "/FontFile3", "/FontFile"} & set(base.FontDescriptor.keys()), "a font is not embedded"
    return document


def content(document: IssuedDocument) -> bytes:
    return b"".join(store.content_of(document))


# ── one document ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_figures_are_the_same_document(history):
    first = making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=history.finance)
    again = making.make(
        statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=history.client_user
    )
    german = making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "de"), made_by=history.finance)
    assert again.pk == first.pk and german.pk != first.pk
    assert german.content_hash == first.content_hash and german.sha256 != first.sha256
    assert AuditEvent.objects.filter(action="wallet.document_made").count() == 2
    assert first.content_hash in "".join(text_of(content(first)).split())
    tags_of(content(first))


def test_two_who_make_it_at_once_get_the_first_one(history):
    draft = statement.draft_of(statement.gather(history.client, *OCTOBER), "en")
    kept = store.keep(draft, b"%PDF one", made_by=None)
    assert store.keep(draft, b"%PDF two", made_by=None).pk == kept.pk
    assert content(kept) == b"%PDF one"
    assert len(list(store.path_of(kept.stored_name).parent.parent.rglob("*"))) >= 1


def test_the_file_is_encrypted_under_the_client_s_key(history):
    document = making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=None)
    raw = store.path_of(document.stored_name).read_bytes()
    assert b"%PDF" not in raw and content(document).startswith(b"%PDF")
    with pytest.raises(sealed_files.FileDamaged):
        b"".join(sealed_files.stream(store.path_of(document.stored_name), owner=store.HOUSE))


def test_a_document_never_changes(history):
    document = making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=None)
    with pytest.raises(DatabaseError), transaction.atomic():
        IssuedDocument.objects.filter(pk=document.pk).update(content_hash="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        document.delete()


def test_a_paper_is_found_by_either_hash_and_only_by_who_reaches_it(history):
    document = making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=None)
    for text in (
        document.sha256,
        document.content_hash.upper(),
        document.content_hash[:12],
        f" {document.sha256[:16]} ",
    ):
        assert [one.pk for one in store.with_hash(history.finance, text)] == [document.pk]
    assert store.with_hash(history.finance, document.sha256[:8]) == []
    assert store.with_hash(history.finance, "%") == []
    assert store.with_hash(history.other_client_user, document.sha256) == []


def test_a_long_statement_is_a_trail_with_the_same_hash(history, monkeypatch):
    figures = statement.gather(history.client, *OCTOBER)
    short = making.make(statement.draft_of(figures, "en"), made_by=None)
    monkeypatch.setattr(statement, "ROWS_MAX", 1)
    long = statement.draft_of(figures, "de")
    assert long.report is not None
    monkeypatch.setattr("wallet.documents.pdf.PAPER_ROWS_MAX", 1)
    made = making.make(long, made_by=None)
    assert made.content_hash == short.content_hash
    text = text_of(content(made))
    assert "Kontoauszug" in text and "M-1" in text and "120,00" in text and short.content_hash in "".join(text.split())
    tags_of(content(made))


def test_a_brand_s_logo_and_address_are_on_its_documents(history):
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 20), "#aa2255").save(out, "PNG")
    Letterhead.objects.create(brand=history.brand, logo=out.getvalue(), changed_at=timezone.now())
    document = making.make(statement.draft_of(statement.gather(history.client, *OCTOBER), "en"), made_by=None)
    with tags_of(content(document)) as pdf:
        pictures = [one for page in pdf.pages for one in page.get_images()]
    assert pictures


# ── receipts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_receipt_says_what_was_paid_what_it_cost_and_what_the_wallet_got(cast):
    deposit = paid_in(cast, 10_000, fee=150)
    job = receipts.order_receipt(deposit=deposit, actor=cast.client_user, language="en")
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    document = IssuedDocument.objects.get()
    assert job.result_url == f"/portal/wallet/documents/{document.pk}/"
    text = text_of(content(document))
    for words in ("€100.00", "€1.50", "€98.50", "D-000001", "pi_1", "Visa •••• 4242", "CLARA WEBER", "Clara Weber"):
        assert words in text
    tags_of(content(document))


def test_a_receipt_after_a_refund_is_another_one(cast):
    deposit = paid_in(cast, 10_000)
    before = receipts.content_hash(deposit)
    deposit.refunded_minor = 4_000
    assert receipts.content_hash(deposit) != before


def test_money_that_has_not_arrived_has_no_receipt(cast):
    deposit = paid_in(cast, 10_000)
    deposit.state = "pending"
    with pytest.raises(WrongState):
        receipts.order_receipt(deposit=deposit, actor=cast.client_user)


def test_strangers_get_no_receipt(cast):
    deposit = paid_in(cast, 10_000)
    for actor in (cast.other_client_user, cast.agent, cast.other_agent):
        with pytest.raises(NotAllowed):
            receipts.order_receipt(deposit=deposit, actor=actor)


def test_an_unknown_language_is_refused_in_words(cast):
    with pytest.raises(DomainError, match="available in this language"):
        receipts.order_receipt(deposit=paid_in(cast, 100), actor=cast.client_user, language="xx")


# ── invoices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_fees_of_a_month_become_one_invoice_per_client(cast):
    paid_in(cast, 10_000, fee=150, at=october(1))
    paid_in(cast, 20_000, fee=300, at=october(31, 22))
    paid_in(cast, 20_000, at=october(5))
    paid_in(cast, 5_000, fee=75, at=dt.datetime(2026, 9, 30, 12, tzinfo=dt.UTC))
    paid_in(cast, 5_000, fee=50, at=october(7), client=cast.other_client)
    assert invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=dt.date(2026, 10, 15), actor=cast.finance) == 2
    assert invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=dt.date(2026, 10, 1), actor=cast.finance) == 0
    mine = FeeInvoice.objects.get(client=cast.client)
    assert mine.totals == {"EUR": 450} and [line.fee.amount for line in invoices.lines_of(mine)] == [
        Decimal("1.5"),
        Decimal(3),
    ]
    assert sorted(FeeInvoice.objects.values_list("number", flat=True)) == [1, 2]
    document = making.make(invoices.draft_of(mine, "en"), made_by=None)
    text = text_of(content(document))
    assert mine.reference in text and "€4.50" in text
    tags_of(content(document))


def test_fees_of_challenges_are_invoiced_with_what_was_refunded(cast):
    wallet, income = posting.wallet_of(cast.client, "EUR"), house(cast.brand, AccountKind.CHALLENGE_FEES)
    booked = (
        (1, JournalKind.ADJUSTMENT, house(cast.brand), -50_000),
        (3, JournalKind.CHALLENGE_FEE, income, 9_900),
        (5, JournalKind.CHALLENGE_FEE, income, 8_900),
        (28, JournalKind.CHALLENGE_PAYOUT, income, -9_900),
    )
    for day, kind, other, minor in booked:
        lines = (Line(wallet, -minor), Line(other, minor))
        entry = Entry(key=f"challenge:{day}", kind=kind, brand_id=cast.brand.pk, lines=lines)
        with transaction.atomic():
            posting.post_many([entry], posted_at=[october(day)])
    assert invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=OCTOBER[0], actor=cast.finance) == 1
    mine = FeeInvoice.objects.get(client=cast.client)
    lines = invoices.lines_of(mine)
    assert [(line.kind, line.fee.amount) for line in lines] == [
        ("challenge", Decimal(99)),
        ("challenge", Decimal(89)),
        ("challenge_refunded", Decimal(-99)),
    ]
    assert mine.totals == {"EUR": 8_900}
    text = text_of(content(making.make(invoices.draft_of(mine, "en"), made_by=None)))
    assert "Challenge fee refunded" in text and "€89.00" in text and lines[0].reference in text


def test_numbers_go_on_where_the_last_month_ended_and_have_no_gaps(cast):
    paid_in(cast, 10_000, fee=100, at=dt.datetime(2026, 9, 3, tzinfo=dt.UTC))
    paid_in(cast, 10_000, fee=100, at=october(3))
    for month in (9, 10):
        invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=dt.date(2026, month, 1), actor=cast.finance)
    assert list(FeeInvoice.objects.order_by("number").values_list("number", "first_day__month")) == [(1, 9), (2, 10)]
    last = FeeInvoice.objects.get(number=2)
    last.pk, last.number, last.first_day = None, 4, dt.date(2026, 8, 1)
    with pytest.raises(IntegrityError, match="without a gap"), transaction.atomic():
        last.save(force_insert=True)
    with pytest.raises(DatabaseError), transaction.atomic():
        FeeInvoice.objects.filter(number=1).delete()


def test_a_month_that_is_not_over_is_not_invoiced(cast):
    with pytest.raises(DomainError, match="once the month is over"):
        invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=timezone.now().date(), actor=cast.finance)
    with pytest.raises(NotAllowed):
        invoices.issue_fee_invoices(brand_id=cast.brand.pk, month=dt.date(2026, 10, 1), actor=cast.agent)


# ── thousands ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ordered(cast, kind=DocumentKind.STATEMENT) -> Job:
    return batches.order_batch(kind=kind, brand=cast.brand, month=OCTOBER[0], actor=cast.finance)


def test_a_month_s_statements_come_as_one_archive(history):
    job = ordered(history)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    with zipfile.ZipFile(io.BytesIO(b"".join(result_of(job)))) as archive:
        names = archive.namelist()
        document = IssuedDocument.objects.get()
        assert names == [document.file_name] and archive.read(names[0]) == content(document)


def test_child_processes_give_the_same_documents_in_the_same_order(history, tmp_path):
    for client in (history.client, history.other_client):
        paid_in(history, 10_000, fee=100, at=october(3), client=client)
    invoices.issue_fee_invoices(brand_id=history.brand.pk, month=OCTOBER[0], actor=history.finance)
    seen = []
    counted = batches.make_batch(
        kind=DocumentKind.FEE_INVOICE,
        brand=history.brand,
        month=OCTOBER[0],
        target=tmp_path / "a.zip",
        made_by=None,
        progress=lambda *step: seen.append(step[:2]),
        workers=1,
    )
    assert (counted.documents, counted.new, counted.refused) == (2, 2, 0)
    assert seen[0] == (0, 2) and seen[-1] == (2, 2)
    again = batches.make_batch(
        kind=DocumentKind.FEE_INVOICE,
        brand=history.brand,
        month=OCTOBER[0],
        target=tmp_path / "b.zip",
        made_by=None,
        progress=lambda *_step: None,
    )
    assert (again.documents, again.new) == (2, 0)
    one, other = (zipfile.ZipFile(tmp_path / name) for name in ("a.zip", "b.zip"))
    assert (
        one.namelist()
        == other.namelist()
        == list(IssuedDocument.objects.order_by("id").values_list("file_name", flat=True))
    )
    assert all(one.read(name) == other.read(name) for name in one.namelist())


def test_a_batch_that_is_cancelled_stops_and_keeps_what_it_made(history, tmp_path):
    for client in (history.client, history.other_client):
        paid_in(history, 10_000, fee=100, at=october(3), client=client)
    invoices.issue_fee_invoices(brand_id=history.brand.pk, month=OCTOBER[0], actor=history.finance)

    def told(done: int, _total: int, _words: str) -> None:
        if done == 1:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        batches.make_batch(
            kind=DocumentKind.FEE_INVOICE,
            brand=history.brand,
            month=OCTOBER[0],
            target=tmp_path / "a.zip",
            made_by=None,
            progress=told,
            workers=-1,
        )
    assert IssuedDocument.objects.count() == 1


def test_the_owner_s_cancel_reaches_a_running_job(history):
    job = ordered(history)
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "cancelled" and not job.result_path
    cancel_job(job_id=job.pk, actor=history.finance)


def test_only_who_reaches_the_whole_brand_makes_a_batch(history):
    for actor in (history.agent, history.desk_head, history.auditor):
        with pytest.raises(NotAllowed):
            batches.order_batch(kind=DocumentKind.STATEMENT, brand=history.brand, month=OCTOBER[0], actor=actor)
    with pytest.raises(DomainError):
        ordered(history, DocumentKind.PSP_PACK)


def test_a_month_without_anything_is_said_in_words(cast):
    job = ordered(cast)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "failed" and "Nothing to create" in job.message


# ── the pack of a report ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def report(cast):
    """A report with two rows, one of them a break."""
    psp = make_psp(cast.brand)
    made = SettlementImport.objects.create(
        psp=psp,
        file_name="october.csv",
        sha256="ab" * 32,
        stored_name="0" * 32,
        size_bytes=1,
        first_day=OCTOBER[0],
        last_day=OCTOBER[1],
        row_count=2,
        totals={"EUR": {"opening": 0, "gross": 15_000, "fee": 200, "net": 14_800, "closing": 14_800, "rows": 2}},
        imported_by=cast.finance,
        imported_at=october(31),
        breaks_found=1,
    )
    for line, gross in ((1, 10_000), (2, 5_000)):
        row = SettlementRow.objects.create(
            report=made,
            line=line,
            type="payment",
            psp_reference=f"pi_{line}",
            merchant_reference=f"D-{line}",
            booked_at=october(line),
            currency="EUR",
            gross_minor=gross,
            fee_minor=100,
            net_minor=gross - 100,
        )
    Break.objects.create(
        brand=cast.brand,
        psp=psp,
        report=made,
        kind="missing_here",
        row=row,
        currency="EUR",
        difference_minor=5_000,
        happened_at=october(2),
        opened_at=october(31),
    )
    return made


def test_a_psp_pack_as_pdf_and_as_workbook_has_one_hash(cast, report, tmp_path):
    pdf = making.make(psp_pack.draft_of(report, "en", Ending.PDF), made_by=cast.finance)
    book = making.make(psp_pack.draft_of(report, "en", Ending.XLSX), made_by=cast.finance)
    assert pdf.content_hash == book.content_hash and pdf.pk != book.pk
    text = " ".join(text_of(content(pdf)).split())
    for words in ("october.csv", "€148.00", "in the ledger", "pi_1", "D-2", pdf.content_hash):
        assert words in text
    tags_of(content(pdf))
    assert zipfile.is_zipfile(io.BytesIO(content(book)))
    german = psp_pack.settlement_pack(report, "de")
    assert write_report(german, tmp_path / "a.xlsx", brand=cast.brand, language="de").content_hash == pdf.content_hash


def test_a_psp_pack_is_made_by_a_job_for_who_may(cast, report):
    for actor in (cast.agent, cast.auditor):
        with pytest.raises(NotAllowed):
            psp_pack.order_psp_pack(report=report, ending=Ending.PDF, language="en", actor=actor)
    job = psp_pack.order_psp_pack(report=report, ending=Ending.PDF, language="en", actor=cast.finance)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    assert job.result_url == f"/money/documents/{IssuedDocument.objects.get().pk}/"
