"""Adyen over real sockets: the official SDK on our side, Adyen's APIs and notifications as the sandbox plays them."""

import datetime as dt
import json
from decimal import Decimal

import httpx
import pytest
from django.utils import timezone

from crm.errors import DomainError
from crm.models import Notification
from sandbox.psp.dialects.adyen import Adyen, hmac_key, signature
from tests.wallet.card_payments import intent, pay, settler, starter, wallet_balance
from tests.wallet.factories import fund
from tests.wallet.providers import sent_payout
from tests.wallet.reports import read_report
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import RowType
from wallet.choices.withdrawals import WithdrawalState
from wallet.deposits.verbs import look_up_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, PspCall, WebhookMessage
from wallet.psp import adapter_of
from wallet.psp.adyen.notifications import UNITS
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.settlement_csv import BadFile
from wallet.psp.values import (
    DepositIntent,
    DisputeView,
    EventKind,
    EvidenceFile,
    PaymentStatus,
    PayoutOrder,
    RefundOrder,
    TransferStatus,
)
from wallet.reconciliation.settlement_import import import_report
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db
BANK = {"iban": "NL32 ABNA 0515 0714 39", "holder": "Clara Weber"}
KEY = hmac_key("sandbox-webhook-secret-adyen")


@pytest.fixture
def outside(adyen_outside):
    return adyen_outside


start = starter("scheme")
settled = settler(start)


def order(deposit: Deposit, amount_minor: int, reference="R-1") -> RefundOrder:
    return RefundOrder(reference, deposit.reference, deposit.psp_reference, amount_minor, "EUR")


def set_keys(outside, **keys: str) -> None:
    outside.psp.seal_credentials({**outside.psp.credentials, **keys})
    outside.psp.save()


def items_in(body: bytes) -> list[dict]:
    return [one["NotificationRequestItem"] for one in json.loads(body)["notificationItems"]]


def signed(items: list[dict], key=KEY) -> bytes:
    for item in items:
        item["additionalData"] = {**item.get("additionalData", {}), "hmacSignature": signature(item, key)}
    return Adyen().wrapped(items)


# Paying in


def test_a_card_deposit_goes_through_a_payment_link_and_is_settled_once(cast, outside):
    deposit = start(cast, outside)
    assert deposit.session_reference.startswith("PL") and deposit.psp_reference == ""
    pay(deposit)
    assert outside.deliver(wait_for=2) == [200, 200]
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)
    assert deposit.psp_reference == deposit.session_reference.removeprefix("PL")
    assert (deposit.payer_name, deposit.instrument) == ("Clara Weber", "•••• 4242")
    assert (wallet_balance(cast), Journal.objects.count()) == (50_000, 1)
    assert set(WebhookMessage.objects.values_list("event_type", flat=True)) == {"AUTHORISATION", "CAPTURE"}
    assert verify().holds


def test_with_delayed_capture_the_authorisation_settles_nothing(cast, outside):
    set_keys(outside, capture="delayed")
    deposit = start(cast, outside)
    pay(deposit)
    outside.wait_for(2)
    outside.catcher.received.sort(key=lambda one: items_in(one[1])[0]["eventCode"])
    capture = outside.catcher.received.pop()
    outside.deliver()
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.AUTHORISED, 0)
    outside.catcher.received.append(capture)
    outside.deliver()
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.SETTLED, 50_000)


def test_a_capture_that_overtakes_its_authorisation_waits_for_the_payer_s_name(cast, outside):
    set_keys(outside, capture="delayed")
    deposit = start(cast, outside)
    pay(deposit)
    outside.wait_for(2)
    outside.catcher.received.sort(key=lambda one: items_in(one[1])[0]["eventCode"], reverse=True)
    authorisation = outside.catcher.received.pop()
    outside.deliver()
    first = WebhookMessage.objects.get()
    assert first.state == InboxState.WAITING, (first.event_type, first.outcome)
    outside.catcher.received.append(authorisation)
    outside.deliver()
    outside.process()
    deposit.refresh_from_db()
    assert (deposit.state, deposit.payer_name) == (DepositState.SETTLED, "Clara Weber")


def test_the_answer_is_the_word_that_adyen_wants(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(1)
    reply = adapter_of(outside.psp).reply_to(Verdict.ACCEPTED, outside.catcher.received[0][1])
    assert (reply.status, reply.body) == (200, b"[accepted]")
    assert adapter_of(outside.psp).reply_to(Verdict.WRONG_SIGNATURE, b"").status == 400


def test_notifications_shuffled_and_tripled_book_once(cast, outside):
    outside.running.fault("webhook_duplicate", 2)
    outside.running.fault("webhook_reorder", 6)
    pay(start(cast, outside))
    assert outside.deliver(wait_for=6) == [200] * 6
    assert (wallet_balance(cast), Journal.objects.count()) == (50_000, 1)
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() == 4


def test_a_refused_attempt_is_told_and_a_later_one_on_the_same_link_settles(cast, outside):
    deposit = start(cast, outside)
    pay(deposit, card_number="4000000000000002")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.failure, deposit.psp_reference) == (DepositState.FAILED, "declined_by_issuer", "")
    later = {
        **items_in(outside.catcher.received[0][1])[0],
        "pspReference": "SECONDATTEMPT001",
        "success": "true",
        "reason": "",
    }
    assert outside.post({}, signed([later])) == 200
    outside.process()
    deposit.refresh_from_db()
    assert (deposit.state, deposit.psp_reference) == (DepositState.SETTLED, "SECONDATTEMPT001")


def test_card_fields_on_our_page_get_a_session(outside):
    adapter = adapter_of(outside.psp)
    view = adapter.start_deposit(intent(method="scheme_fields"))
    assert view.session_reference.startswith("CS") and not view.redirect_url
    assert view.instructions["session_data"] and view.instructions["client_key"] == "test_SANDBOX"
    assert view.instructions["environment"] == "test"
    assert adapter.find_payment("D-1", psp_reference=view.session_reference) is None, "no notification yet"
    outside.running.play("adyen", "D-1", payer_name="Clara Weber")
    outside.deliver(wait_for=2, process=False)
    assert adapter.find_payment("D-1", psp_reference=view.session_reference).status == PaymentStatus.CAPTURED


def test_a_link_tells_that_it_is_open_or_expired_but_never_that_money_came(cast, outside):
    adapter = adapter_of(outside.psp)
    deposit = start(cast, outside)
    assert (
        adapter.find_payment(deposit.reference, psp_reference=deposit.session_reference).status == PaymentStatus.CREATED
    )
    outside.running.fault("webhook_drop", times=2)
    pay(deposit)
    assert (
        adapter.find_payment(deposit.reference, session_reference=deposit.session_reference).status
        == PaymentStatus.PENDING
    )
    assert look_up_deposit(deposit.pk).state == DepositState.PENDING
    for event in outside.running.store.rows("SELECT id FROM events"):
        outside.running.control(f"adyen/events/{event['id']}/resend")
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.SETTLED, 50_000), "sent again from the Customer Area"
    adapter.start_deposit(intent("D-7"))
    outside.running.play("adyen", "D-7", "expire")
    row = outside.running.store.row("SELECT id FROM payments WHERE reference = 'D-7'")
    link = "PL" + row["id"][4:20].upper()
    assert adapter.find_payment("D-7", psp_reference=link).status == PaymentStatus.EXPIRED
    assert adapter.find_payment("D-7", psp_reference="PL0000000000000000") is None


def test_an_answer_lost_at_the_start_opens_no_second_link(cast, outside):
    outside.running.fault("lose_answer", psp="adyen", times=1)
    with pytest.raises(DomainError):
        start(cast, outside)
    assert start(cast, outside).session_reference
    assert len(outside.running.store.rows("SELECT id FROM payments")) == 1


# Notifications


def test_every_item_must_hold(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(1)
    good = items_in(outside.catcher.received[0][1])[0]
    other = {**good, "pspReference": "0000000000000001"}
    assert outside.post({}, Adyen().wrapped([good, other])) == 400, "the second item has the first one's signature"
    bare = {name: value for name, value in other.items() if name != "additionalData"}
    assert outside.post({}, Adyen().wrapped([good, bare])) == 400
    assert list(WebhookMessage.objects.order_by("id").values_list("verdict", flat=True)) == [
        Verdict.WRONG_SIGNATURE,
        Verdict.NO_SIGNATURE,
    ]
    assert outside.post({}, signed([good, {**other, "eventCode": "REPORT_AVAILABLE"}])) == 200
    assert WebhookMessage.objects.filter(verdict=Verdict.ACCEPTED).count() == 2, "a row for each item"


def test_forgeries_other_merchants_live_money_and_nonsense_change_nothing(cast, outside):
    deposit = start(cast, outside)
    outside.running.fault("webhook_forge", times=2)
    pay(deposit)
    assert outside.deliver(wait_for=2) == [400, 400]
    item = items_in(outside.catcher.received[0][1])[0]
    assert outside.post({}, signed([{**item, "merchantAccountCode": "SomeoneElse"}])) == 400
    assert outside.post({}, signed([item]).replace(b'"live":"false"', b'"live":"true"')) == 400
    assert outside.post({}, b"not json") == 200 and outside.post({}, b'{"notificationItems":[]}') == 200
    assert outside.post({}, signed([{**item, "amount": {"value": "many", "currency": "EUR"}}])) == 200
    assert set(WebhookMessage.objects.values_list("verdict", flat=True)) == {
        Verdict.WRONG_SIGNATURE,
        Verdict.OTHER_MERCHANT,
        Verdict.MALFORMED,
    }
    assert wallet_balance(cast) == 0


def test_the_old_key_holds_while_it_is_being_rotated(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(2)
    set_keys(outside, webhook_secret="AB" * 32, previous_webhook_secret=KEY)
    assert outside.deliver() == [200, 200]
    set_keys(outside, webhook_secret="no hex at all", previous_webhook_secret="")
    assert outside.post({}, outside.catcher.received[0][1]) == 400


def test_another_amount_under_a_good_signature_settles_nothing(cast, outside):
    outside.running.fault("webhook_tamper", 100_000)
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.PENDING, 0), (
        "the link says 500, so a person has to look"
    )
    states = dict(WebhookMessage.objects.values_list("event_type", "state"))
    assert states["AUTHORISATION"] == InboxState.REFUSED and states["CAPTURE"] != InboxState.FAILED


@pytest.mark.parametrize(
    ("code", "success", "kind", "status"),
    [
        ("CANCELLATION", "true", EventKind.PAYMENT, PaymentStatus.FAILED),
        ("CAPTURE_FAILED", "true", EventKind.CHARGEBACK, PaymentStatus.CHARGED_BACK),
        ("PENDING", "true", EventKind.PAYMENT, PaymentStatus.PENDING),
        ("REQUEST_FOR_INFORMATION", "true", EventKind.DISPUTE, PaymentStatus.CHARGED_BACK),
        ("SECOND_CHARGEBACK", "true", EventKind.CHARGEBACK, PaymentStatus.CHARGED_BACK),
        ("REFUND_FAILED", "true", EventKind.REFUND, TransferStatus.FAILED),
        ("REFUNDED_REVERSED", "true", EventKind.REFUND, TransferStatus.FAILED),
        ("REFUND", "false", EventKind.REFUND, TransferStatus.FAILED),
        ("PAYOUT_DECLINE", "true", EventKind.PAYOUT, TransferStatus.FAILED),
        ("PAIDOUT_REVERSED", "true", EventKind.PAYOUT, TransferStatus.FAILED),
        ("CANCELLATION", "false", EventKind.OTHER, None),
        ("DONATION", "true", EventKind.OTHER, None),
    ],
)
def test_each_event_code_means_one_thing(outside, code, success, kind, status):
    item = {
        "amount": {"currency": "EUR", "value": 1_000},
        "eventCode": code,
        "eventDate": "2026-11-21T10:00:00+01:00",
        "merchantAccountCode": "M",
        "merchantReference": "D-1",
        "originalReference": "ORIGINAL00000001",
        "pspReference": "OWN0000000000001",
        "success": success,
    }
    event = adapter_of(outside.psp).read_webhook(Adyen().wrapped([item]))[0]
    view = event.transfer or event.payment
    assert (event.kind, view and view.status) == (kind, status)
    assert (event.reference, event.event_id) == ("D-1", f"OWN0000000000001:{code}:{success}")


# Money back, and out


def test_a_partial_refund_is_heard_of_and_not_asked_for(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    with pytest.raises(PspUnknown, match="can't be queried"):
        adapter.find_refund(order(deposit, 12_345))
    view = adapter.refund(order(deposit, 12_345))
    assert (view.reference, view.status) == ("R-1", TransferStatus.PENDING)
    assert adapter.refund(order(deposit, 12_345)).psp_reference == view.psp_reference, "the same key, the same refund"
    outside.running.control("finish")
    outside.deliver(wait_for=1, process=False)
    found = adapter.find_refund(order(deposit, 12_345))
    assert (found.status, found.amount_minor, found.psp_reference) == (TransferStatus.PAID, 12_345, view.psp_reference)
    with pytest.raises(PspRefused):
        adapter.refund(order(deposit, 50_000, "R-2"))


def test_a_refund_whose_answer_is_lost_stays_unknown_until_adyen_tells(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    outside.running.fault("lose_answer", psp="adyen", times=1)
    with pytest.raises(PspUnknown):
        adapter.refund(order(deposit, 50_000))
    with pytest.raises(PspUnknown):
        adapter.find_refund(order(deposit, 50_000))
    # The report that was imported says it, too.
    row = (
        f"Company,{adapter.merchant},{deposit.psp_reference},{deposit.reference},visa,2026-11-20 10:00:00,CET,Refunded,MOD1,"
        "EUR,500.00,,1,EUR,500.00,,,,,,visaclassic,R-1,7\n"
    )
    import_report(psp_id=outside.psp.pk, file_name="a.csv", content=row.encode(), actor=cast.finance, is_complete=True)
    found = adapter.find_refund(order(deposit, 50_000))
    assert (found.status, found.amount_minor, found.psp_reference) == (TransferStatus.PAID, 50_000, "MOD1")
    outside.running.control("finish")
    outside.deliver(wait_for=1, process=False)
    assert adapter.find_refund(order(deposit, 50_000)).status == TransferStatus.PAID


def payout(reference="W-1", **changes) -> PayoutOrder:
    return PayoutOrder(reference, 10_000, "EUR", {**BANK, **changes})


def test_a_payout_is_submitted_by_one_user_and_confirmed_by_another(outside):
    adapter = adapter_of(outside.psp)
    view = adapter.start_payout(payout())
    assert (view.reference, view.status) == ("W-1", TransferStatus.PENDING)
    asked = PspCall.objects.order_by("id").values_list("operation", flat=True)
    assert [one.rpartition("/")[2][:13] for one in asked] == ["storeDetailAn", "confirmThirdP"]
    outside.running.control("finish")
    outside.deliver(wait_for=1, process=False)
    assert adapter.find_payout(sent_payout("W-1")).status == TransferStatus.PAID


def test_a_payout_that_the_bank_sends_back_contradicts_what_was_booked(outside):
    outside.running.fault("payout_fail", "account_closed", psp="adyen")
    adapter = adapter_of(outside.psp)
    adapter.start_payout(payout())
    outside.running.control("finish")
    outside.deliver(wait_for=1, process=False)
    found = adapter.find_payout(sent_payout("W-1"))
    assert (found.status, found.failure) == (TransferStatus.FAILED, "account_closed")


def test_a_payout_without_keys_or_with_a_bad_iban_is_refused_before_money_moves(outside):
    with pytest.raises(PspRefused, match="Invalid iban"):
        adapter_of(outside.psp).start_payout(payout(iban="4111111111111111"))
    with pytest.raises(PspRefused, match="needs an IBAN"):
        adapter_of(outside.psp).start_payout(payout(holder=""))
    set_keys(outside, payout_review_key="")
    with pytest.raises(PspRefused, match="neither transfers nor"):
        adapter_of(outside.psp).start_payout(payout())
    assert outside.running.store.rows("SELECT id FROM transfers") == []


def test_a_confirmation_that_is_lost_leaves_the_payout_unknown(outside):
    adapter = adapter_of(outside.psp)
    outside.running.fault("lose_answer", psp="adyen", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_payout(payout())
    with pytest.raises(PspUnknown):
        adapter.find_payout(sent_payout("W-1"))


def test_errors_are_told_apart(outside):
    adapter = adapter_of(outside.psp)
    with pytest.raises(PspRefused, match="not GEL"):
        adapter.start_deposit(DepositIntent("D-9", 5_000, "GEL", "http://room.example/", "Meridian"))
    adapter.start_deposit(intent())
    with pytest.raises(PspUnknown, match="another request"):
        adapter.start_deposit(DepositIntent("D-1", 9_999, "EUR", "http://room.example/", "Meridian"))
    outside.running.fault("outage", psp="adyen", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_deposit(intent("D-3"))
    outside.psp.base_url = "http://127.0.0.1:9/adyen"
    with pytest.raises(PspUnreachable):
        adapter_of(outside.psp).start_deposit(intent("D-5"))


def test_a_withdrawal_to_an_iban_is_paid_and_a_bank_that_sends_it_back_is_told(cast, outside):
    cast.client.kyc_level = 2
    cast.client.save()
    fund(cast.client, 30_000)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(
            psp_id=outside.psp.pk, method="sepadirectdebit", amount=Decimal(200), currency="EUR", destination=BANK
        ),
        request_key="w",
        actor=cast.client_user,
    )
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    withdrawal.refresh_from_db()
    if withdrawal.state == WithdrawalState.AWAITING_SECOND_APPROVAL:
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.second_finance)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT
    outside.running.control("finish")
    outside.deliver(wait_for=1)
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.SETTLED, 10_000)
    item = items_in(outside.catcher.received[-1][1])[0]
    back = {
        **item,
        "eventCode": "PAIDOUT_REVERSED",
        "originalReference": item["pspReference"],
        "pspReference": "BACK000000000001",
    }
    assert outside.post({}, signed([back])) == 200
    outside.process()
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.SETTLED, "nothing is booked by itself"
    assert Notification.objects.filter(kind="wallet.payout_contradicted").exists()
    assert verify().holds


def test_a_payout_whose_answer_is_lost_waits_for_adyen_s_word_and_is_never_sent_again(cast, outside):
    cast.client.kyc_level = 2
    cast.client.save()
    fund(cast.client, 30_000)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(
            psp_id=outside.psp.pk, method="sepadirectdebit", amount=Decimal(100), currency="EUR", destination=BANK
        ),
        request_key="w",
        actor=cast.client_user,
    )
    for actor in (cast.finance, cast.second_finance):
        withdrawal.refresh_from_db()
        if withdrawal.state != WithdrawalState.APPROVED:
            approve_withdrawal(withdrawal_id=withdrawal.pk, actor=actor)
    outside.running.fault("lose_answer", psp="adyen", times=1)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert outside.running.store.rows("SELECT id FROM transfers") == [], "it was submitted and never confirmed"


# Disputes


def test_a_chargeback_takes_the_money_and_its_reversal_gives_it_back(cast, outside):
    deposit = settled(cast, outside)
    outside.running.play("adyen", deposit.reference, "dispute")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert deposit.state == DepositState.SETTLED, "a notification of a chargeback moves nothing"
    outside.running.play("adyen", deposit.reference, "chargeback")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.CHARGED_BACK, 0)
    outside.running.play("adyen", deposit.reference, "chargeback-reversal")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.CHARGEBACK_REVERSED, 50_000)
    assert verify().holds


def test_a_defence_is_documents_and_the_words_become_one(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    outside.running.play("adyen", deposit.reference, "dispute")
    outside.deliver(wait_for=1, process=False)
    dispute = adapter.read_webhook(bytes(WebhookMessage.objects.latest("id").body))[0].dispute
    assert (dispute.reference, dispute.amount_minor) == (deposit.reference, 50_000)
    assert dispute.evidence_due_at > timezone.now() + dt.timedelta(days=13)
    with pytest.raises(PspRefused, match="PDF, JPEG and TIFF"):
        adapter.submit_evidence(dispute, text="", files=[EvidenceFile("a.txt", "text/plain", b"x")])
    with pytest.raises(PspRefused, match="Explain why"):
        adapter.submit_evidence(dispute, text=" ", files=[])
    adapter.submit_evidence(
        dispute, text="Verified & paid.", files=[EvidenceFile("id.pdf", "application/pdf", b"%PDF")]
    )
    row = outside.running.store.row("SELECT status, evidence FROM disputes")
    assert (row["status"], list(json.loads(row["evidence"]).values())) == ("under_review", ["DefenseMaterial"] * 2)
    with pytest.raises(PspRefused):
        adapter.submit_evidence(DisputeView("", "UNKNOWN", 1, "EUR"), text="x", files=[])


# Health and reports


def test_the_connection_test_says_what_to_do(outside):
    assert adapter_of(outside.psp).check_connection().is_up
    good = outside.psp.credentials
    for keys, words in (
        ({"api_key": "wrong"}, "Create a new one"),
        ({"merchant": "Other"}, "authorised for merchant account Other"),
        ({"webhook_secret": "xyz"}, "HMAC key"),
    ):
        outside.psp.seal_credentials({**good, **keys})
        health = adapter_of(outside.psp).check_connection()
        assert not health.is_up and words in health.detail


def test_a_live_account_without_its_prefix_is_refused_before_anything_is_sent(outside):
    outside.psp.base_url = ""
    set_keys(outside, environment="live")
    with pytest.raises(PspRefused, match="live"):
        adapter_of(outside.psp).start_deposit(intent())
    assert not PspCall.objects.exists()


def test_the_report_that_adyen_announces_is_fetched_read_and_proved(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    adapter.refund(order(deposit, 10_000))
    outside.running.control("finish")
    outside.wait_for(3)
    outside.running.store.run("UPDATE movements SET created_at = created_at - 8 * 86400")
    today = dt.datetime.now(dt.UTC).date()
    first = today - dt.timedelta(days=10)
    with pytest.raises(PspRefused, match="hasn't announced"):
        adapter.fetch_settlement(first, today)
    outside.running.control("adyen/report", {"first": str(first), "last": str(today)})
    outside.deliver(wait_for=2)
    report = read_report(adapter, adapter.fetch_settlement(first, today))
    fee = 50_000 * 120 // 10_000 + 11
    assert [(row.type, row.gross_minor, row.fee_minor) for row in report.rows] == [
        (RowType.PAYMENT, 50_000, fee),
        (RowType.REFUND, -10_000, 0),
        (RowType.MERCHANT_PAYOUT, fee - 40_000, 0),
    ]
    assert report.rows[0].psp_reference == deposit.psp_reference
    assert report.rows[0].merchant_reference == deposit.reference
    assert report.rows[1].merchant_reference == "R-1"
    assert len({row.batch for row in report.rows}) == 1 and report.closing == {"EUR": 0}
    set_keys(outside, report_password="")
    with pytest.raises(PspRefused, match="report user"):
        adapter_of(outside.psp).fetch_settlement(first, today)


def test_the_imported_report_matches_every_movement_and_books_fees_and_the_bank(cast, outside):
    settled(cast, outside)
    outside.running.store.run("UPDATE movements SET created_at = created_at - 8 * 86400")
    today = dt.datetime.now(dt.UTC).date()
    url = f"{outside.psp.base_url}/statements?from={today - dt.timedelta(days=10)}&to={today}"
    content = httpx.get(url).content
    report = import_report(psp_id=outside.psp.pk, file_name="adyen.csv", content=content, actor=cast.finance)
    assert (report.matched, report.breaks_found, report.to_bank) == (1, 0, 1)
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == 0
    assert verify().holds


HEAD = "Company,SandboxMerchantECOM,"
SETTLED = (
    HEAD
    + "1813702551707653,3vpzf7,visa,2013-06-03 11:26:49,CET,Settled,1713702551795048,GBP,,5.00,1,GBP,,4.88,,0.04,0.01,"
    "0.07,visaclassic"
)
CHARGEBACK = HEAD + "1813702551707653,3vpzf7,visa,2013-06-03 11:26:49,CET,Chargeback,99,EUR,349.99,,1,EUR,357.49,,7.5"


def read(outside, text: str):
    return read_report(adapter_of(outside.psp), text.encode())


def test_the_documentation_s_own_lines_are_read(outside):
    payment, chargeback = read(outside, f"{SETTLED}\n{CHARGEBACK}\n").rows
    assert (payment.type, payment.gross_minor, payment.fee_minor, payment.net_minor) == (RowType.PAYMENT, 500, 12, 488)
    assert payment.booked_at == dt.datetime(2013, 6, 3, 9, 26, 49, tzinfo=dt.UTC)
    assert (chargeback.gross_minor, chargeback.fee_minor, chargeback.net_minor) == (-34_999, 750, -35_749)
    assert (chargeback.type, chargeback.psp_reference, chargeback.original_reference) == (
        RowType.CHARGEBACK,
        "99",
        "1813702551707653",
    )


PAID = HEAD + ",,,2013-06-10 06:00:00,CEST,MerchantPayout,TX1,GBP,,,,GBP,4.88,,,,,,,,17"


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("4.88,,0.04", "4.89,,0.04", "Line 1, column “Net Credit (NC)”: gross less fees"),
        ("5.00", "5.001", "Line 1, column “Gross Credit (GC)”: “5.001” has too many decimal"),
        ("Settled", "Weather", "column “Type”: “Weather”"),
        ("SandboxMerchantECOM", "Other", "column “Merchant Account”: “Other”"),
        ("2013-06-03", "yesterday", "column “Creation Date”"),
        ("CET", "Mars", "column “TimeZone”: “Mars”"),
        ("GBP,,5.00,1,GBP", "USD,,5.00,1.1,GBP", "column “Exchange Rate”: gross at this rate"),
        ("GBP,,5.00", "GBP,1,5.00", "debit and credit are both"),
        ("1813702551707653", "", "column “Psp Reference”: the value is missing"),
        (SETTLED, "Company Account,Merchant,Account", "column “Merchant Account”: column 2 is called “Merchant”"),
        (SETTLED, "a,b,c", "more or fewer fields"),
        (SETTLED, "\n", "no rows"),
        (SETTLED, f"{SETTLED},,17\n{PAID.replace('4.88', '4.87')}", "batch 17 does not add up: £0.01 are left"),
    ],
)
def test_a_report_that_does_not_hold_is_refused_with_line_and_column(outside, changed, to, words):
    assert changed in SETTLED
    with pytest.raises(BadFile) as refused:
        read(outside, SETTLED.replace(changed, to, 1))
    assert words in refused.value.message


def test_a_batch_that_was_paid_out_adds_up(outside):
    report = read(outside, f"{SETTLED},,17\n{PAID}\n")
    assert report.closing == {"GBP": 0} and report.rows[1].type == RowType.MERCHANT_PAYOUT


def test_amounts_are_counted_as_adyen_counts_them():
    assert UNITS.to_psp(500, "CLP") == 50_000 and UNITS.to_psp(500, "JPY") == 500
    assert UNITS.to_psp(50_000, "IDR") == 500 and UNITS.to_ours(500, "IDR") == 50_000
    with pytest.raises(PspRefused):
        UNITS.to_psp(50_001, "IDR")
