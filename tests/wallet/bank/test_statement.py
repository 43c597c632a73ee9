"""The client's statement: figures that add up, in their language, as a PDF that the job makes."""

import datetime as dt
from decimal import Decimal

import pypdfium2
import pytest

from crm.errors import DomainError, NotAllowed
from crm.files.jobs import run_job
from crm.models import AccessEvent, Job
from tests.wallet.factories import house
from wallet.choices.ledger import JournalKind
from wallet.documents import pdf, store
from wallet.documents.statement import draft_of, gather, order_statement
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import IssuedDocument

pytestmark = pytest.mark.django_db
OCTOBER = (dt.date(2026, 10, 1), dt.date(2026, 10, 31))


@pytest.fixture
def history(cast):
    """EUR 100 in September, 50 in and 30 out in October, 5 in November."""
    wallet, suspense = posting.wallet_of(cast.client, "EUR"), house(cast.brand)
    moves = [(9, 10_000), (10, 5_000), (10, -3_000), (11, 500)]
    posting.post_many(
        [
            Entry(
                key=f"h:{n}",
                kind=JournalKind.DEPOSIT if amount > 0 else JournalKind.WITHDRAWAL,
                brand_id=cast.brand.pk,
                lines=(Line(wallet, amount), Line(suspense, -amount)),
                description=f"M-{n}",
            )
            for n, (_month, amount) in enumerate(moves)
        ],
        posted_at=[dt.datetime(2026, month, 10 + n, 12, tzinfo=dt.UTC) for n, (month, _a) in enumerate(moves)],
    )
    return cast


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


def made(statement, language: str) -> bytes:
    return pdf.of_draft(draft_of(statement, language))


def test_the_figures_add_up(history):
    statement = gather(history.client, *OCTOBER)
    part = statement.parts[0]
    assert (part.opening, part.closing) == (Decimal(100), Decimal(120))
    assert [line.amount for line in part.lines] == [Decimal(50), Decimal(-30)]
    assert part.opening + part.money_in + part.money_out == part.closing
    assert gather(history.client, *OCTOBER).content_hash == statement.content_hash


def test_the_pdf_speaks_the_client_s_language(history):
    statement = gather(history.client, *OCTOBER)
    english, german = (text_of(made(statement, code)) for code in ("en", "de"))
    assert "Statement of account" in english
    assert "Clara Weber" in english
    assert "M-1" in english and "M-0" not in english
    assert "€120.00" in english
    assert "120,00" in german


def test_a_job_makes_it_and_the_owner_gets_the_file(history):
    job = order_statement(client=history.client, first=OCTOBER[0], last=OCTOBER[1], actor=history.client_user)
    run_job(job.pk)
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.error) == ("done", "")
    document = IssuedDocument.objects.get()
    assert job.result_url == f"/portal/wallet/documents/{document.pk}/"
    assert b"".join(store.content_of(document)).startswith(b"%PDF")
    assert not AccessEvent.objects.filter(kind="export").exists()


def test_staff_who_make_one_leave_a_trace_and_strangers_can_not(history):
    order_statement(client=history.client, first=OCTOBER[0], last=OCTOBER[1], actor=history.finance)
    assert AccessEvent.objects.filter(kind="export", client_id=history.client.pk).count() == 1
    for actor in (history.other_client_user, history.other_agent):
        with pytest.raises(NotAllowed):
            order_statement(client=history.client, first=OCTOBER[0], last=OCTOBER[1], actor=actor)


@pytest.mark.parametrize(("first", "last"), [((2026, 10, 2), (2026, 10, 1)), ((2020, 1, 1), (2026, 1, 1))])
def test_a_senseless_period_is_refused_in_words(history, first, last):
    with pytest.raises(DomainError):
        gather(history.client, dt.date(*first), dt.date(*last))


def test_an_empty_wallet_gives_an_honest_page(cast):
    letter = made(gather(cast.client, *OCTOBER), "en")
    assert "no movements" in text_of(letter)
