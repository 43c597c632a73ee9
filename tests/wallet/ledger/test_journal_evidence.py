"""Evidence for the second person: kept encrypted with a journal by hand, shown to those who see the books."""

import hashlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent
from tests.days import today
from tests.wallet.factories import fund, house
from tests.wallet.ledger.test_manual_journals import bank_fee, write
from wallet.choices.ledger import AccountKind
from wallet.core import attachments
from wallet.ledger.manual_journals import FILES_MAX, attach_file
from wallet.ledger.posting import Line
from wallet.models import ManualJournal, ManualJournalFile

pytestmark = pytest.mark.django_db
INVOICE = b"%PDF-1.7 the bank's invoice"


def attach(cast, manual, content=INVOICE, name="invoice.pdf", actor=None):
    return attach_file(manual_id=manual.pk, file_name=name, content=content, actor=actor or cast.finance)


def test_evidence_is_kept_encrypted_audited_and_read_by_the_second_person(cast, browse):
    manual = write(cast, files=[("../statement 11.pdf", INVOICE)])
    file = manual.files.get()
    assert (file.file_name, file.file_bytes, file.author) == ("statement 11.pdf", len(INVOICE), cast.finance)
    stored = attachments.JOURNALS.folder / file.file_path
    assert INVOICE not in stored.read_bytes() and stored.stat().st_mode & 0o777 == 0o600
    told = AuditEvent.objects.get(action="wallet.manual_journal_file")
    assert told.target_id == str(manual.pk) and told.actor_id == cast.finance.pk
    browser = browse(cast.second_finance)
    page = browser.get(reverse("wallet:manual_journal", args=[manual.pk])).content.decode()
    address = reverse("wallet:manual_file", args=[file.pk])
    assert "statement 11.pdf" in page and address in page
    answer = browser.get(address)
    assert answer.content == INVOICE and answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="statement_11.pdf"'
    assert AccessEvent.objects.filter(target=f"wallet.manualjournalfile:{file.pk}").count() == 1


def test_a_download_is_noted_at_every_client_whose_money_the_journal_moves(cast, browse):
    lines = [Line(fund(cast.client, 100), -100), Line(fund(cast.other_client, 100), -50), Line(house(cast.brand), 150)]
    file = attach(cast, write(cast, lines))
    browse(cast.finance).get(reverse("wallet:manual_file", args=[file.pk]))
    noted = AccessEvent.objects.filter(target=f"wallet.manualjournalfile:{file.pk}").values_list("client_id", flat=True)
    assert set(noted) == {cast.client.pk, cast.other_client.pk}


def test_who_does_not_see_the_books_gets_no_evidence(cast, browse):
    file = attach(cast, write(cast))
    address = reverse("wallet:manual_file", args=[file.pk])
    assert browse(cast.auditor).get(address).status_code == 200
    assert browse(cast.agent).get(address).status_code == 403
    ManualJournal.objects.filter(pk=file.manual_id).update(brand=cast.other_brand)
    assert browse(cast.finance).get(address).status_code == 404


def test_evidence_comes_while_the_journal_waits_and_stays(cast):
    manual = write(cast)
    attach(cast, manual, actor=cast.second_finance)
    with pytest.raises(NotAllowed):
        attach(cast, manual, b"other", actor=cast.auditor)
    for change in ({"file_name": "x"}, None):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            ManualJournalFile.objects.update(**change) if change else ManualJournalFile.objects.all().delete()
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    with pytest.raises(WrongState):
        attach(cast, manual, b"too late")


def test_the_same_file_twice_is_one_and_there_is_an_end_to_them(cast):
    manual = write(cast)
    assert attach(cast, manual) == attach(cast, manual, name="again.pdf")
    for number in range(FILES_MAX - 1):
        attach(cast, manual, f"page {number}".encode())
    with pytest.raises(DomainError, match="at most 10 files"):
        attach(cast, manual, b"one more")
    with pytest.raises(DomainError, match="empty"):
        attach(cast, manual, b"")


def test_a_file_that_was_touched_is_not_given_out(cast, browse):
    file = attach(cast, write(cast))
    stored = attachments.JOURNALS.folder / file.file_path
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    assert browse(cast.finance).get(reverse("wallet:manual_file", args=[file.pk])).status_code == 404


def test_a_file_of_one_shelf_does_not_open_as_one_of_another(cast):
    file = attach(cast, write(cast))
    moved = attachments.BREAKS.folder / file.file_path
    moved.parent.mkdir(parents=True, exist_ok=True)
    moved.write_bytes((attachments.JOURNALS.folder / file.file_path).read_bytes())
    with pytest.raises(Exception, match="belongs to somebody else"):
        attachments.content_of(file, attachments.BREAKS)


def test_evidence_goes_with_the_form_and_from_the_journals_page(cast, browse):
    fees, bank = (line.account for line in bank_fee(cast.brand))
    browser = browse(cast.finance)
    answer = browser.post(
        reverse("wallet:manual_journal_new"),
        {
            "brand": cast.brand.pk,
            "business_on": today().isoformat(),
            "reason": "Bank fee",
            "request_key": "k",
            "account": [fees.pk, bank.pk],
            "debit": ["5", ""],
            "credit": ["", "5"],
            "text": ["", ""],
            "file": SimpleUploadedFile("fee.pdf", INVOICE),
        },
    )
    manual = ManualJournal.objects.get()
    assert answer.status_code == 302 and manual.files.get().file_sha256 == hashlib.sha256(INVOICE).hexdigest()
    address = reverse("wallet:manual_attach", args=[manual.pk])
    assert browser.post(address, {"evidence-file": SimpleUploadedFile("more.txt", b"more")}).status_code == 302
    assert manual.files.count() == 2
    answer = browser.post(address, {"evidence-file": SimpleUploadedFile("nothing.txt", b"")})
    assert answer.status_code == 422 and manual.files.count() == 2
    too_large = SimpleUploadedFile("huge.bin", b"x" * (attachments.BYTES_MAX + 1))
    answer = browser.post(address, {"evidence-file": too_large})
    assert answer.status_code in (413, 422) and manual.files.count() == 2
    assert browse(cast.auditor).post(address, {"evidence-file": SimpleUploadedFile("a", b"a")}).status_code == 403


def test_evidence_costs_no_query_per_file(cast, browse):
    manual = write(cast)
    attach(cast, manual)

    def count() -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            browser.get(reverse("wallet:manual_journal", args=[manual.pk]))
        return len(queries)

    few = count()
    for number in range(4):
        attach(cast, manual, f"{number}".encode(), actor=cast.second_finance)
    assert count() <= few <= 25


def test_house_accounts_need_no_client_for_their_evidence(cast):
    assert house(cast.brand, AccountKind.FEES).client_id is None
    assert attach(cast, write(cast)).file_path
