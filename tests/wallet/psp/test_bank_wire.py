"""Bank wires end to end: a reference, a wire at the sandbox's bank, its statement over a socket, the booking; and the way out."""

import datetime as dt
from decimal import Decimal

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.identifiers import IdentifierKind
from clients.identifiers.keeping import mark_of
from clients.identifiers.sources import rebuild
from clients.models import Identifier
from crm import events
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from crm.privacy.erasures import destroy_client_key
from crm.security import crypto
from sandbox.psp.dialects.bankwire import IBAN
from tests.wallet.factories import at_once
from tests.wallet.providers import order, provider, sent_payout, start
from tests.wallet.reports import read_report
from wallet.bank import entries, payment_files
from wallet.bank import statements as bank
from wallet.choices.bank import EntryState, OrderState
from wallet.choices.deposits import DepositState, HoldReason
from wallet.core.creditor_reference import deposits_named_in, is_creditor_reference, printed, wire_reference
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import BankEntry, BankFile, BankOrder, Deposit, Journal, WebhookMessage
from wallet.psp import adapter_of
from wallet.psp.errors import PspRefused
from wallet.psp.settlement_csv import BadFile
from wallet.psp.values import PayBy, RefundOrder, TransferStatus

pytestmark = pytest.mark.django_db
PAYER = "DE75512108001245126199"


@pytest.fixture
def outside(cast, tmp_path):
    with provider(cast, tmp_path, "bankwire") as running:
        yield running


def wire(outside, text: str, minor: int = 50_000, *, name: str = "Clara Weber", currency: str = "EUR", **more) -> None:
    outside.running.control(
        "bankwire/wires",
        {"text": text, "amount_minor": minor, "currency": currency, "payer_name": name, "payer_iban": PAYER, **more},
    )


def statement(outside, days: int = 1) -> bytes:
    today = timezone.now().date()
    return adapter_of(outside.psp).fetch_settlement(today - dt.timedelta(days=days), today)


def take_in(outside, content: bytes = b"", actor=None) -> BankFile:
    content = content or statement(outside)
    file = bank.import_statement(psp_id=outside.psp.pk, file_name="s.xml", content=content, actor=actor)
    events.drain()
    return file


def wallet_balance(cast, currency: str = "EUR") -> int:
    return posting.balance(posting.wallet_of(cast.client, currency))


def test_a_wire_with_its_reference_is_found_in_the_statement_and_booked(cast, outside):
    deposit = start(cast, outside)
    assert deposit.pay_by == PayBy.BANK_REFERENCE
    assert deposit.instructions["iban"] == "DE89 3704 0044 0532 0130 00"
    reference = deposit.instructions["reference"]
    assert is_creditor_reference(reference)
    wire(outside, f"Deposit {reference} thank you")
    file = take_in(outside)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor, deposit.payer_name) == (DepositState.SETTLED, 50_000, "Clara Weber")
    assert deposit.instrument == "DE75 •••• 6199"
    assert wallet_balance(cast) == 50_000
    assert (file.entries_new, file.entries_known, file.format) == (1, 0, "camt")
    message = WebhookMessage.objects.get(reference=deposit.reference)
    assert (message.event_type, file.sha256 in bytes(message.body).decode()) == ("bank.credit", True)
    assert b"".join(bank.original_of(file)).startswith(b"<?xml")
    assert verify().holds


@pytest.mark.parametrize(
    "written",
    [
        "{rf}",
        "{rf_spaced}",
        "{lower}",
        "Ref: {bare}",
        "{bare_spaced}",
        "SVWZ+KREF+{rf}",
        "Verwendungszweck{rf}danke",
        "{rf_dashed}",
        "EREF+NOTPROVIDED {rf_spaced} //",
    ],
)
def test_a_reference_is_found_however_it_is_written(cast, outside, written):
    deposit = start(cast, outside)
    rf = wire_reference(deposit.reference)
    text = written.format(
        rf=rf,
        rf_spaced=printed(rf),
        lower=rf.lower(),
        bare=deposit.reference,
        bare_spaced=printed(deposit.reference),
        rf_dashed="-".join(printed(rf).split()),
    )
    named = deposits_named_in(text)
    assert list(Deposit.objects.filter(reference__in=named)) == [deposit]


def test_the_payers_account_is_learnt_of_the_client_and_not_after_an_erasure(cast, outside):
    deposit = start(cast, outside)
    wire(outside, f"Deposit {deposit.instructions['reference']}")
    take_in(outside)
    known = Identifier.objects.filter(kind="bank_account", mark=mark_of(IdentifierKind.BANK_ACCOUNT, PAYER))
    assert [(row.client, row.times) for row in known] == [(cast.client, 1)]
    known.delete()
    assert rebuild("wallet.arrivals") == 1 and known.count() == 1, "the statements know it, too"
    crypto.encrypt_for_client(cast.client.pk, b"something")
    destroy_client_key(cast.client.pk)
    assert rebuild("wallet.arrivals") == 0 and not known.exists()


def test_an_arrival_that_belongs_to_no_deposit_teaches_nothing(cast, outside):
    wire(outside, "For my account")
    take_in(outside)
    assert not Identifier.objects.filter(kind="bank_account").exists()


def test_a_mistyped_reference_is_nobody_s():
    rf = wire_reference("D-23456789ABCD")
    assert deposits_named_in(rf) == ["D-23456789ABCD"]
    for place in range(5, len(rf)):
        changed = rf[:place] + ("Z" if rf[place] != "Z" else "Y") + rf[place + 1 :]
        assert deposits_named_in(changed) == []


def test_the_published_creditor_reference_holds():
    assert is_creditor_reference("RF18 5390 0754 7034")
    assert not is_creditor_reference("RF19 5390 0754 7034")
    assert not is_creditor_reference("RF18")


def test_a_file_twice_and_overlapping_files_book_an_entry_once(cast, outside):
    deposit = start(cast, outside)
    wire(outside, deposit.instructions["reference"])
    content = statement(outside)
    first = take_in(outside, content)
    assert take_in(outside, content).pk == first.pk
    other = take_in(outside, statement(outside, days=5))
    assert (other.entries_new, other.entries_known) == (0, 1)
    assert (BankFile.objects.count(), BankEntry.objects.count(), Journal.objects.count()) == (2, 1, 1)
    assert wallet_balance(cast) == 50_000


def test_two_wires_to_one_reference_are_two_payments(cast, outside):
    deposit = start(cast, outside)
    wire(outside, deposit.instructions["reference"])
    wire(outside, deposit.instructions["reference"])
    take_in(outside)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.SETTLED, 50_000)
    further = Deposit.objects.get(reference=f"{deposit.reference}-2")
    assert (further.state, further.received_minor, further.hold_reasons) == (
        DepositState.HELD,
        50_000,
        [HoldReason.FURTHER],
    )
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == -100_000
    assert verify().holds


def test_a_deposit_in_two_parts_is_complete_with_the_second(cast, outside):
    deposit = start(cast, outside)
    wire(outside, deposit.instructions["reference"], 30_000)
    take_in(outside)
    deposit.refresh_from_db()
    assert deposit.state == DepositState.HELD
    wire(outside, deposit.instructions["reference"], 20_000)
    take_in(outside)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)
    assert verify().holds


def test_money_of_another_payer_is_held(cast, outside):
    deposit = start(cast, outside)
    wire(outside, deposit.instructions["reference"], name="Someone Else")
    take_in(outside)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.PAYER])
    assert wallet_balance(cast) == 0


def test_an_entry_without_a_reference_waits_for_a_person_who_assigns_it(cast, outside):
    deposit = start(cast, outside)
    wire(outside, "my deposit")
    take_in(outside)
    entry = BankEntry.objects.get()
    assert entry.state == EntryState.UNMATCHED
    assert Notification.objects.filter(user=cast.finance, kind="wallet.bank_unmatched").count() == 1
    assert wallet_balance(cast) == 0
    with pytest.raises(DomainError, match="why this payment belongs"):
        entries.assign_entry(entry_id=entry.pk, reference=deposit.reference, actor=cast.finance, reason=" ")
    with pytest.raises(DomainError, match="There is no deposit d-nobody"):
        entries.assign_entry(entry_id=entry.pk, reference="d-nobody", actor=cast.finance, reason="called")
    with pytest.raises(NotAllowed):
        entries.assign_entry(entry_id=entry.pk, reference=deposit.reference, actor=cast.agent, reason="called")
    entries.assign_entry(entry_id=entry.pk, reference=deposit.reference.lower(), actor=cast.finance, reason="He called")
    events.drain()
    entry.refresh_from_db()
    assert (entry.state, entry.deposit_id, entry.assigned_by) == (EntryState.ASSIGNED, deposit.pk, cast.finance)
    assert wallet_balance(cast) == 50_000
    assert AuditEvent.objects.filter(action="wallet.bank_entry_assigned", client_id=cast.client.pk).count() == 1
    with pytest.raises(WrongState):
        entries.assign_entry(entry_id=entry.pk, reference=deposit.reference, actor=cast.finance, reason="again")
    assert verify().holds


def test_an_entry_that_is_nobody_s_is_set_aside_with_a_reason(cast, outside):
    wire(outside, "interest", 123)
    take_in(outside)
    entry = BankEntry.objects.get()
    with pytest.raises(DomainError):
        entries.set_entry_aside(entry_id=entry.pk, actor=cast.finance, reason="")
    entries.set_entry_aside(entry_id=entry.pk, actor=cast.finance, reason="Interest of October")
    entry.refresh_from_db()
    assert (entry.state, entry.outcome) == (EntryState.OTHER, "Interest of October")
    with pytest.raises(WrongState):
        entries.set_entry_aside(entry_id=entry.pk, actor=cast.finance, reason="again")


def test_two_references_in_one_text_are_for_a_person(cast, outside):
    one, other = start(cast, outside), start(cast, outside, key="k2")
    wire(outside, f"{one.reference} and {other.reference}")
    take_in(outside)
    entry = BankEntry.objects.get()
    assert (entry.state, entry.outcome) == (EntryState.UNMATCHED, "The payment text matches more than one deposit.")


def test_a_reference_of_a_deposit_at_another_psp_books_nothing(cast, outside):
    from tests.wallet.factories import make_psp

    elsewhere = make_psp(cast.brand, "northpay")
    deposit = start(cast, outside)
    Deposit.objects.filter(pk=deposit.pk).update(psp=elsewhere)
    wire(outside, deposit.reference)
    take_in(outside)
    assert BankEntry.objects.get().state == EntryState.UNMATCHED


def test_a_statement_that_does_not_add_up_is_refused_and_nothing_is_kept(cast, outside):
    wire(outside, start(cast, outside).instructions["reference"])
    for kind in ("totals", "missing_row"):
        outside.running.fault("settlement_difference", kind, times=1)
        with pytest.raises(DomainError, match=r"Statement .*closing balance is .*Nothing was imported"):
            take_in(outside)
    assert (BankFile.objects.count(), BankEntry.objects.count()) == (0, 0)


def test_a_statement_of_another_account_is_refused(outside):
    wire(outside, "x")
    content = statement(outside).replace(IBAN.encode(), b"DE75512108001245126199")
    with pytest.raises(DomainError, match="is for account DE75 •••• 6199 instead of DE89 •••• 3000"):
        take_in(outside, content)


def test_who_may_import(cast, outside):
    wire(outside, "x")
    content = statement(outside)
    with pytest.raises(NotAllowed):
        take_in(outside, content, actor=cast.agent)
    assert take_in(outside, content, actor=cast.finance).imported_by == cast.finance


def test_the_command_imports_a_file_and_fetches(cast, outside, tmp_path, capsys):
    wire(outside, start(cast, outside).instructions["reference"])
    path = tmp_path / "statement.xml"
    path.write_bytes(statement(outside))
    call_command("import_statement", str(path), "--psp", "bankwire")
    assert "1 new entries, 0 already known, 1 matched" in capsys.readouterr().out
    call_command("import_statement", "--psp", "bankwire", "--days", "10")
    assert "0 new entries, 1 already known" in capsys.readouterr().out
    for arguments, words in [
        (["--psp", "nobody"], "no PSP"),
        ([str(tmp_path / "none"), "--psp", "bankwire"], "can't be read"),
    ]:
        with pytest.raises(CommandError, match=words):
            call_command("import_statement", *arguments)


def test_an_outage_of_the_bank_is_told(outside):
    outside.running.fault("outage")
    with pytest.raises(DomainError):
        statement(outside)


def test_the_connection_test_checks_the_account_s_form(outside):
    assert adapter_of(outside.psp).check_connection().is_up
    outside.psp.seal_credentials({**outside.psp.credentials, "iban": "DE00370400440532013000"})
    health = adapter_of(outside.psp).check_connection()
    assert (health.is_up, "a valid IBAN" in health.detail) == (False, True)


def test_a_statement_is_a_report_too(cast, outside):
    deposit = start(cast, outside)
    wire(outside, deposit.instructions["reference"])
    report = read_report(adapter_of(outside.psp), statement(outside))
    row = report.rows[0]
    assert (row.type, row.merchant_reference, row.gross_minor) == ("payment", deposit.reference, 50_000)
    assert (row.psp_reference, report.opening, report.closing) == (
        wire_reference(deposit.reference),
        {"EUR": 0},
        {"EUR": 50_000},
    )
    with pytest.raises(BadFile):
        read_report(adapter_of(outside.psp), b"<x/>")


# ── money out ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ordered(outside, reference: str = "W-23456789ABCD", minor: int = 20_000) -> None:
    adapter_of(outside.psp).start_payout(order(reference, minor, iban=PAYER, holder="Clara Wéber"))


def test_a_payout_waits_goes_into_one_file_and_is_paid_when_the_statement_says_so(cast, outside):
    adapter = adapter_of(outside.psp)
    ordered(outside)
    ordered(outside)
    assert BankOrder.objects.count() == 1
    assert adapter.find_payout(sent_payout("W-23456789ABCD")).status == TransferStatus.PENDING
    batch = payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.finance)
    assert (batch.orders_count, batch.total) == (1, Decimal(200))
    assert b"<EndToEndId>W-23456789ABCD</EndToEndId>" in batch.file
    assert b"<Nm>Clara Weber</Nm>" in batch.file
    with pytest.raises(DomainError, match="There are no EUR payments to send"):
        payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.finance)
    sent = httpx.post(f"{outside.running.url}/bankwire/pain001", content=batch.file)
    assert sent.json() == {"booked": 1}
    assert httpx.post(f"{outside.running.url}/bankwire/pain001", content=batch.file).json() == {"booked": 0}
    payment_files.mark_batch_sent(batch_id=batch.pk, actor=cast.finance)
    assert BankOrder.objects.get().state == OrderState.SENT
    with pytest.raises(WrongState):
        payment_files.mark_batch_sent(batch_id=batch.pk, actor=cast.finance)
    take_in(outside)
    assert adapter.find_payout(sent_payout("W-23456789ABCD")).status == TransferStatus.PAID
    assert BankEntry.objects.get().state == EntryState.PAYOUT


def test_a_payout_that_comes_back_has_failed(cast, outside):
    ordered(outside)
    batch = payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.finance)
    httpx.post(f"{outside.running.url}/bankwire/pain001", content=batch.file)
    outside.running.control("bankwire/returns", {"end_to_end": "W-23456789ABCD"})
    take_in(outside)
    found = adapter_of(outside.psp).find_payout(sent_payout("W-23456789ABCD"))
    assert (found.status, found.failure) == (TransferStatus.FAILED, "AC04")
    assert sorted(BankEntry.objects.values_list("state", flat=True)) == [EntryState.PAYOUT, EntryState.RETURNED]


def test_a_refund_goes_to_the_account_it_came_from(cast, outside):
    deposit = start(cast, outside)
    refund = RefundOrder("W-REFUND", deposit.reference, "", 50_000, "EUR")
    adapter = adapter_of(outside.psp)
    with pytest.raises(PspRefused, match="doesn't show the account"):
        adapter.refund(refund)
    wire(outside, deposit.instructions["reference"])
    take_in(outside)
    assert adapter.refund(refund).status == TransferStatus.PENDING
    made = BankOrder.objects.get()
    assert (made.party["iban"], made.is_refund, made.party_label) == (PAYER, True, "DE75 •••• 6199")
    assert PAYER.encode() not in bytes(made.sealed_party)


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ({"iban": PAYER[:-1] + "8", "holder": "C"}, "a valid IBAN"),
        ({"iban": "", "holder": "C"}, "a valid IBAN"),
        ({"iban": PAYER, "holder": " "}, "account holder"),
        ({"iban": PAYER, "holder": "C", "bic": "X"}, "a valid BIC"),
    ],
)
def test_an_account_that_is_none_is_refused(outside, destination, words):
    with pytest.raises(PspRefused, match=words):
        adapter_of(outside.psp).start_payout(order("W-1", **destination))
    assert not BankOrder.objects.exists()


def test_another_amount_under_a_known_reference_is_refused(outside):
    ordered(outside)
    with pytest.raises(PspRefused, match="a different amount"):
        ordered(outside, minor=20_001)


def test_an_order_of_another_amount_than_the_debit_is_for_a_person(cast, outside):
    ordered(outside)
    batch = payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.finance)
    httpx.post(f"{outside.running.url}/bankwire/pain001", content=batch.file.replace(b"200.00", b"199.00"))
    take_in(outside)
    assert BankEntry.objects.get().state == EntryState.UNMATCHED
    assert adapter_of(outside.psp).find_payout(sent_payout("W-23456789ABCD")).status == TransferStatus.PENDING


def test_who_may_make_a_payment_file(cast, outside):
    ordered(outside)
    with pytest.raises(NotAllowed):
        payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.agent)


def test_the_database_holds_what_the_code_promises(cast, outside):
    wire(outside, "x")
    take_in(outside)
    entry = BankEntry.objects.get()
    for change in ({"amount_minor": 0}, {"state": EntryState.MATCHED}, {"state": EntryState.ASSIGNED}):
        with pytest.raises(IntegrityError), transaction.atomic():
            BankEntry.objects.filter(pk=entry.pk).update(**change)
    entry.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        entry.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_two_wires_of_one_deposit_lose_nothing(cast, outside):
    deposit = start(cast, outside)
    for _number in range(4):
        wire(outside, deposit.instructions["reference"], 12_500)
    content = statement(outside)
    at_once(
        lambda _n: bank.import_statement(psp_id=outside.psp.pk, file_name="s", content=content, actor=None), times=4
    )
    entries.apply_waiting(psp_id=outside.psp.pk)
    deposit.refresh_from_db()
    assert BankEntry.objects.filter(state=EntryState.MATCHED).count() == 4
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == -50_000
    assert verify().holds
