"""Finance's pages of the bank accounts: upload, assign, payment files; who sees them, in how many queries."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.models import AccessEvent
from tests.wallet.providers import start
from tests.wallet.psp.test_bank_wire import ordered, outside, statement, take_in, wire  # noqa: F401 (a fixture)
from wallet.bank import waiting_tables
from wallet.choices.bank import EntryState, OrderState
from wallet.choices.deposits import DepositState
from wallet.models import BankBatch, BankEntry, BankOrder, WaitingTable

pytestmark = pytest.mark.django_db


def test_a_statement_is_uploaded_and_booked(cast, outside, browse):
    deposit = start(cast, outside)
    wire(outside, deposit.instructions["reference"])
    file = SimpleUploadedFile("october.xml", statement(outside))
    answer = browse(cast.finance).post(
        reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file}, follow=True
    )
    assert "New entries: 1. Already known: 0." in answer.content.decode()
    deposit.refresh_from_db()
    assert deposit.state == DepositState.SETTLED


def test_a_bad_statement_says_where_and_keeps_nothing(cast, outside, browse):
    file = SimpleUploadedFile("october.xml", b"<Document>")
    answer = browse(cast.finance).post(reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file})
    assert answer.status_code == 422
    assert "Line 1, column 11" in answer.content.decode()
    assert browse(cast.auditor).post(reverse("wallet:bank_upload"), {}).status_code == 403


def test_a_table_too_large_to_wait_is_refused_on_the_page(cast, outside, browse, monkeypatch):
    monkeypatch.setattr(waiting_tables, "WAITING_BYTES_MAX", 10)
    file = SimpleUploadedFile("odd.csv", b"a;b;c\n1;2;3\n")
    answer = browse(cast.finance).post(reverse("wallet:bank_upload"), {"psp": outside.psp.pk, "file": file})
    assert answer.status_code == 422 and "can be at most 64 MB" in answer.content.decode()
    assert not WaitingTable.objects.exists()


def test_an_entry_is_assigned_on_its_page(cast, outside, browse):
    deposit = start(cast, outside)
    wire(outside, "no reference")
    take_in(outside)
    entry = BankEntry.objects.get()
    url = reverse("wallet:bank_entry", args=[entry.pk])
    page = browse(cast.finance).get(url).content.decode()
    assert deposit.reference in page, "an open deposit of this amount is offered"
    assert "DE75 •••• 6199" in page
    assert "DE75512108001245126199" not in page
    wrong = browse(cast.finance).post(url, {"reference": "D-NOBODY", "reason": "He called", "what": "assign"})
    assert (wrong.status_code, "He called" in wrong.content.decode()) == (422, True)
    assert browse(cast.auditor).post(url, {"reference": deposit.reference, "reason": "x"}).status_code == 403
    browse(cast.finance).post(url, {"reference": deposit.reference, "reason": "He called", "what": "assign"})
    entry.refresh_from_db()
    assert entry.state == EntryState.ASSIGNED
    browse(cast.finance).get(url)
    assert AccessEvent.objects.filter(target=f"wallet.bank_entry:{entry.pk}", client_id=cast.client.pk).exists()


def test_an_entry_is_set_aside_on_its_page(cast, outside, browse):
    wire(outside, "interest", 77)
    take_in(outside)
    url = reverse("wallet:bank_entry", args=[BankEntry.objects.get().pk])
    browse(cast.finance).post(url, {"reason": "Interest", "what": "aside"})
    assert BankEntry.objects.get().state == EntryState.OTHER


def test_a_payment_file_is_made_downloaded_and_marked(cast, outside, browse):
    ordered(outside)
    finance = browse(cast.finance)
    assert "Create payment file" in finance.get(reverse("wallet:bank")).content.decode()
    finance.post(reverse("wallet:bank_batch_make"), {"psp": outside.psp.pk, "currency": "EUR"})
    batch = BankBatch.objects.get()
    file = finance.get(reverse("wallet:bank_batch_file", args=[batch.pk]))
    assert file["Content-Disposition"] == f'attachment; filename="{batch.message_id}.xml"'
    assert b"W-23456789ABCD" in file.content
    assert AccessEvent.objects.filter(target=f"wallet.bank_batch:{batch.pk}").exists()
    finance.post(reverse("wallet:bank_batch_sent", args=[batch.pk]))
    assert BankOrder.objects.get().state == OrderState.SENT
    assert browse(cast.auditor).get(reverse("wallet:bank_batch_file", args=[batch.pk])).status_code == 403


def test_the_list_takes_the_same_number_of_queries_however_long(cast, outside, browse, django_assert_max_num_queries):
    finance = browse(cast.finance)
    for number in range(3):
        wire(outside, f"nothing {number}", 1_000 + number)
    take_in(outside)
    finance.get(reverse("wallet:bank"))  # what is kept for a while is kept now
    with django_assert_max_num_queries(25):
        finance.get(reverse("wallet:bank"))
    for number in range(12):
        wire(outside, f"more {number}", 2_000 + number)
    take_in(outside)
    with django_assert_max_num_queries(25):
        page = finance.get(reverse("wallet:bank"))
    assert page.content.decode().count("more ") == 12
    with django_assert_max_num_queries(20):
        finance.get(reverse("wallet:bank_entry", args=[BankEntry.objects.latest("id").pk]))


def test_another_brand_s_entries_are_not_there(cast, outside, browse):
    wire(outside, "x")
    take_in(outside)
    url = reverse("wallet:bank_entry", args=[BankEntry.objects.get().pk])
    assert browse(cast.agent).get(url).status_code in (403, 404)
