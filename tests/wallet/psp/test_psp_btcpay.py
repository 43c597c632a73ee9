"""BTCPay Server over real sockets: coins for an invoice, what really arrived, payouts by pull payment."""

import datetime as dt
import hashlib
import hmac
import json

import httpx
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.psp.dialects.btcpay import STORE
from tests.sandbox.psp.running import wait_until
from tests.wallet.providers import judged, order, provider, sent_payout, start
from tests.wallet.psp.test_psp_stripe import give_back
from tests.wallet.reports import read_report
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.deposits.verbs import look_up_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, Psp, SettlementRow, WebhookMessage
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.btcpay.adapter import event_of, is_signed, payment_of, received_minor
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.values import EventKind, PaymentStatus, RefundOrder, TransferStatus
from wallet.reconciliation.settlement_import import fetch_and_import, original_of

pytestmark = pytest.mark.django_db
ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


@pytest.fixture
def outside(cast, tmp_path):
    with provider(cast, tmp_path, "btcpay") as running:
        yield running


def send_coins(deposit: Deposit, amount: str = "500.00") -> None:
    assert httpx.post(deposit.redirect_url, data={"action": "pay", "sent": amount}).status_code == 303


def claim(url: str) -> None:
    """The payer says where the coins of a refund should go."""
    assert httpx.post(url, data={"action": "claim", "address": ADDRESS}).status_code == 303


def wallet_balance(cast) -> int:
    return posting.balance(posting.wallet_of(cast.client, "EUR"))


def test_coins_are_seen_confirmed_and_booked_once(cast, outside):
    deposit = start(cast, outside)
    view = adapter_of(outside.psp).find_payment(deposit.reference)
    assert view.instructions["address"].startswith("bc1q")
    assert view.instructions["amount"] == "0.00833333 BTC"
    assert view.instructions["uri"] == f"bitcoin:{view.instructions['address']}?amount=0.00833333"
    send_coins(deposit)
    assert outside.deliver(wait_for=2) == [200, 200]
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)
    assert wallet_balance(cast) == 50_000
    assert verify().holds


@pytest.mark.parametrize(("sent", "minor"), [("450", 45_000), ("510", 51_000)])
def test_less_or_more_coins_than_asked_are_held_with_what_arrived(cast, outside, sent, minor):
    deposit = start(cast, outside)
    send_coins(deposit, sent)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.HELD, minor)
    assert wallet_balance(cast) == 0
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == -minor
    assert verify().holds


def test_a_little_less_is_booked_as_it_arrived(cast, outside):
    deposit = start(cast, outside)
    send_coins(deposit, "499.5")
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor, wallet_balance(cast)) == (DepositState.SETTLED, 49_950, 49_950)


def test_coins_after_the_invoice_expired_are_not_lost(cast, outside):
    deposit = start(cast, outside)
    send_coins(deposit)
    outside.wait_for(2)
    outside.running.play("btcpay", deposit.reference, "mark", **{"as": "late"})
    outside.deliver()
    deposit.refresh_from_db()
    assert deposit.received_minor == 50_000


def test_a_redelivery_is_the_event_of_before(cast, outside):
    outside.running.fault("webhook_duplicate", 2)
    send_coins(start(cast, outside))
    outside.deliver(wait_for=6)
    told = [json.loads(body) for _headers, body in outside.catcher.received]
    assert len({one["deliveryId"] for one in told}) == 6
    assert sum(one["isRedelivery"] for one in told) == 4
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() == 4
    assert Journal.objects.count() == 1


def test_events_in_any_order_and_lost_ones_end_the_same(cast, outside):
    deposit = start(cast, outside)
    send_coins(deposit)
    outside.wait_for(2)
    outside.catcher.received.reverse()
    outside.deliver()
    assert wallet_balance(cast) == 50_000
    outside.running.fault("webhook_drop")
    other = start(cast, outside, key="k2")
    send_coins(other)
    wait_until(
        lambda: outside.running.store.row(
            "SELECT 1 FROM payments WHERE reference = ? AND status = 'captured'", other.reference
        )
    )
    assert look_up_deposit(other.pk).state == DepositState.SETTLED
    assert wallet_balance(cast) == 100_000


def test_a_claim_of_overpayment_in_the_message_is_asked_back(cast, outside):
    outside.running.fault("webhook_tamper", 100)
    deposit = start(cast, outside)
    send_coins(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)


def test_a_forged_webhook_and_one_of_another_store_change_nothing(cast, outside):
    outside.running.fault("webhook_forge", times=2)
    send_coins(start(cast, outside))
    assert outside.deliver(wait_for=2) == [400, 400]
    assert set(WebhookMessage.objects.values_list("verdict", flat=True)) == {Verdict.WRONG_SIGNATURE}
    outside.psp.seal_credentials({**outside.psp.credentials, "store_id": "another"})
    body = _body()
    assert judged(outside.psp, _signed(body), body).verdict == Verdict.OTHER_MERCHANT


@pytest.mark.parametrize(("seconds", "verdict"), [(3 * 3600, Verdict.STALE), (-3600, Verdict.FUTURE)])
def test_a_webhook_out_of_time_is_refused(cast, outside, seconds, verdict):
    outside.running.fault("webhook_stale", seconds)
    send_coins(start(cast, outside))
    assert set(outside.deliver(wait_for=2)) == {400}
    assert set(WebhookMessage.objects.values_list("verdict", flat=True)) == {verdict}


def _body(**more) -> bytes:
    message = {
        "deliveryId": "d1",
        "originalDeliveryId": "d1",
        "isRedelivery": False,
        "type": "InvoiceSettled",
        "storeId": STORE,
        "invoiceId": "pay_none",
        "timestamp": int(timezone.now().timestamp()),
        **more,
    }
    return json.dumps(message).encode()


def _signed(body: bytes, secret: str = "sandbox-webhook-secret-btcpay") -> dict[str, str]:
    return {"btcpay-sig": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def test_a_signed_message_that_is_none_of_ours_is_kept_as_unknown(outside):
    body = _body(metadata={"orderId": "D-NOBODY"})
    assert outside.post(_signed(body), body) == 200
    outside.process()
    assert WebhookMessage.objects.get().state == InboxState.UNMATCHED


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"type": 1}', b"\xff", b'{"deliveryId": "x", "type": "InvoiceSettled"}']
)
def test_a_signed_message_that_can_t_be_read_is_malformed(outside, body):
    assert judged(outside.psp, _signed(body), body).verdict == Verdict.MALFORMED


def test_the_header_s_form_comes_first(outside):
    body = _body()
    for header in ("", "sha256", "sha1=abc", "abc"):
        assert judged(outside.psp, {"btcpay-sig": header}, body).verdict == Verdict.NO_SIGNATURE
    assert judged(outside.psp, {"btcpay-sig": "sha256=é"}, body).verdict == Verdict.WRONG_SIGNATURE


def test_the_old_secret_holds_beside_the_new_one(outside):
    old = outside.psp.credentials["webhook_secret"]
    outside.psp.seal_credentials({**outside.psp.credentials, "webhook_secret": "new", "previous_webhook_secret": old})
    body = _body()
    assert judged(outside.psp, _signed(body), body).verdict == Verdict.ACCEPTED
    assert judged(outside.psp, _signed(body, "new"), body).verdict == Verdict.ACCEPTED


def test_frozen_signatures():
    """BTCPay's own test signs with "HelloWorld"; Coinbase Commerce's vector is the same HMAC without the prefix."""
    coinbase = (
        b'{"id":1,"scheduled_for":"2017-01-31T20:50:02Z","attempt_number":1,"event":{"id":"24934862-d980-46cb-9402-'
        b'43c81b0cdba6","type":"charge:created","api_version":"2018-03-22","created_at":"2017-01-31T20:49:02Z","data":'
        b'{"code":"66BEOV2A","name":"The Sovereign Individual","description":"Mastering the Transition to the '
        b'Information Age","hosted_url":"https://commerce.coinbase.com/charges/66BEOV2A","created_at":'
        b'"2017-01-31T20:49:02Z","expires_at":"2017-01-31T21:04:02Z","timeline":[{"time":"2017-01-31T20:49:02Z",'
        b'"status":"NEW"}],"metadata":{},"pricing_type":"no_price","payments":[],"addresses":{"bitcoin":'
        b'"0000000000000000000000000000000000","ethereum":"0x0000000000000000000000000000000000000000","litecoin":'
        b'"3000000000000000000000000000000000","bitcoincash":"bitcoincash:000000000000000000000000000000000000000000"}}}}'
    )
    digest = "8be7742c7d372f08a6a3224edadf18a22b65fa9e28f3f2de97376cdaa092590d"
    secret = "30291a20-0bd1-4267-9b0f-e6e7b123c0bf"
    assert is_signed(coinbase, f"sha256={digest}", secret)
    assert not is_signed(coinbase, f"sha256={digest.replace('3', '1')}", secret)
    assert is_signed(b"{}", "sha256=" + hashlib_hmac(b"HelloWorld", b"{}"), "HelloWorld")


def hashlib_hmac(key: bytes, message: bytes) -> str:
    """HMAC as RFC 2104 writes it: the independent oracle."""
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), secret=st.text(min_size=1, max_size=90), other=st.text(min_size=1, max_size=90))
def test_signatures_agree_with_rfc_2104(body, secret, other):
    try:
        secret.encode(), other.encode()
    except UnicodeEncodeError:
        return
    digest = hashlib_hmac(secret.encode(), body)
    assert is_signed(body, f"sha256={digest}", secret)
    same = hashlib_hmac(other.encode(), body) == digest
    assert is_signed(body, f"sha256={digest}", other) == same
    assert not is_signed(body + b"x", f"sha256={digest}", secret)


# ── invoices in numbers ──────────────────────────────────────────────────────────────────────────────────────────────


def invoice(status: str, additional: str, amount: str = "100.00", **more) -> dict:
    return {
        "id": "i1",
        "amount": amount,
        "currency": "EUR",
        "status": status,
        "additionalStatus": additional,
        "metadata": {"orderId": "D-1"},
        "createdTime": 1_700_000_000,
        "expirationTime": 1_700_000_900,
        "checkoutLink": "https://pay.example/i1",
        **more,
    }


def way(paid: str, rate: str = "60000") -> dict:
    return {
        "paymentMethodId": "BTC-CHAIN",
        "currency": "BTC",
        "destination": ADDRESS,
        "paymentLink": "bitcoin:x",
        "rate": rate,
        "paymentMethodPaid": paid,
        "totalPaid": paid,
        "due": "0",
        "amount": "0.00166667",
    }


@pytest.mark.parametrize(
    ("status", "additional", "paid", "means", "received"),
    [
        ("New", "None", "0", PaymentStatus.CREATED, None),
        ("New", "PaidPartial", "0.001", PaymentStatus.CREATED, None),
        ("Processing", "None", "0.00166667", PaymentStatus.PENDING, None),
        ("Settled", "None", "0.00166667", PaymentStatus.CAPTURED, 10_000),
        ("Settled", "PaidOver", "0.002", PaymentStatus.CAPTURED, 12_000),
        ("Settled", "Marked", "0", PaymentStatus.CAPTURED, 0),
        ("Expired", "None", "0", PaymentStatus.EXPIRED, None),
        ("Expired", "PaidPartial", "0.001", PaymentStatus.CAPTURED, 6_000),
        ("Expired", "PaidLate", "0.00166667", PaymentStatus.CAPTURED, 10_000),
        ("Invalid", "None", "0", PaymentStatus.FAILED, None),
        ("Invalid", "Marked", "0.00166667", PaymentStatus.FAILED, None),
    ],
)
def test_each_status_means_what_arrived(status, additional, paid, means, received):
    view = payment_of(invoice(status, additional), [way(paid)])
    assert (view.status, view.received_minor) == (means, received)


def test_coins_by_two_methods_are_added_each_at_its_own_rate():
    assert received_minor(invoice("Settled", "None"), [way("0.001"), way("0.5", "80")]) == 10_000
    assert received_minor(invoice("Settled", "None", paidAmount="99.00"), []) == 9_900


def test_a_cent_of_rounding_is_no_other_amount():
    assert received_minor(invoice("Settled", "None"), [way("0.00166650")]) == 10_000
    assert received_minor(invoice("Settled", "None"), [way("0.00166600")]) == 9_996


def test_a_redelivery_s_event_id_is_the_original_one():
    told = {"deliveryId": "d2", "originalDeliveryId": "d1", "type": "InvoiceSettled", "invoiceId": "i"}
    assert event_of({**told, "isRedelivery": True}).event_id == "d1"
    assert event_of({**told, "isRedelivery": False}).event_id == "d2"


# ── money out ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_payout_is_one_payout_of_one_pull_payment(outside):
    adapter = adapter_of(outside.psp)
    first = adapter.start_payout(order("W-1", address=ADDRESS))
    again = adapter.start_payout(order("W-1", address=ADDRESS))
    assert first.psp_reference == again.psp_reference
    wait_until(lambda: adapter.find_payout(sent_payout("W-1")).status == TransferStatus.PAID)
    outside.wait_for(1)
    event = adapter.complete(judged(outside.psp, *outside.catcher.received[0]).events[0], PspRecords(outside.psp))
    assert (event.transfer.reference, event.transfer.amount_minor) == ("W-1", 20_000)
    assert adapter.find_payout(sent_payout("W-2")) is None


def test_a_lost_answer_to_a_payout_is_looked_up(outside):
    adapter = adapter_of(outside.psp)
    outside.running.fault("lose_answer", times=1)
    with pytest.raises(PspUnreachable):  # the pull payment moves nothing: it is simply begun again
        adapter.start_payout(order("W-1", address=ADDRESS))
    adapter._pull_payment_for(order("W-1", address=ADDRESS), "btc")
    outside.running.fault("lose_answer", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_payout(order("W-1", address=ADDRESS))
    assert adapter.find_payout(sent_payout("W-1")).amount_minor == 20_000
    assert len(outside.running.store.rows("SELECT * FROM transfers")) == 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyV",
    ],
)
def test_a_mistyped_address_is_refused_before_anything_is_sent(outside, address):
    with pytest.raises(PspRefused, match="checksum"):
        adapter_of(outside.psp).start_payout(order("W-1", address=address))
    assert outside.running.store.rows("SELECT * FROM notes") == []


def test_a_refund_waits_for_its_claim(cast, outside):
    deposit = start(cast, outside)
    send_coins(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    refund = RefundOrder("R-1", deposit.reference, deposit.psp_reference, 10_000, "EUR")
    adapter = adapter_of(outside.psp)
    assert adapter.find_refund(refund) is None
    made = adapter.refund(refund)
    assert made.claim_url.endswith("/claims/R-1")
    adapter.refund(refund)
    assert adapter.find_refund(refund).status == TransferStatus.PENDING
    claim(made.claim_url)
    wait_until(lambda: adapter.find_refund(refund).status == TransferStatus.PAID)
    outside.wait_for(3)
    event = adapter.complete(judged(outside.psp, *outside.catcher.received[2]).events[0], PspRecords(outside.psp))
    assert (event.kind, event.reference, event.transfer.psp_reference) == (EventKind.REFUND, "R-1", made.psp_reference)
    assert len(outside.running.store.rows("SELECT * FROM transfers")) == 1


def test_an_outage_and_a_wrong_key_are_told(outside):
    adapter = adapter_of(outside.psp)
    assert adapter.check_connection().detail == "Connected to the store “Sandbox store”"
    outside.psp.seal_credentials({**outside.psp.credentials, "api_key": "wrong"})
    assert "Authentication" in adapter_of(outside.psp).check_connection().detail
    away = Psp(code="x", name="Away", adapter="btcpay", base_url="http://127.0.0.1:9")
    assert not adapter_of(away).check_connection().is_up


def test_a_second_invoice_is_never_made_for_a_deposit(cast, outside):
    outside.running.fault("lose_answer", times=1)
    with pytest.raises(Exception, match="isn't responding"):
        start(cast, outside)
    assert start(cast, outside).redirect_url
    assert len(outside.running.store.rows("SELECT * FROM payments")) == 1


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_server_s_lists_are_fetched_and_match_every_movement(cast, outside):
    deposit = start(cast, outside)
    send_coins(deposit)
    outside.deliver(wait_for=2)
    claim(give_back(cast, Deposit.objects.get(), "100").claim_url)
    wait_until(lambda: outside.running.store.row("SELECT 1 FROM movements WHERE type = 'refund'"))
    outside.deliver(wait_for=1)
    today = timezone.now().astimezone(dt.UTC).date()
    report = fetch_and_import(psp_id=outside.psp.pk, first=today, last=today, actor=cast.finance)
    assert (report.format, report.row_count, report.matched, report.breaks_found) == ("BTCPay Server", 2, 2, 0)
    payment, refund = SettlementRow.objects.order_by("line")
    assert (payment.gross_minor, payment.paid_currency, payment.paid_minor) == (50_000, "BTC", 833_333)
    assert (refund.type, refund.gross_minor) == ("refund", -10_000)
    exported = httpx.get(f"{outside.running.url}/btcpay/statements?from={today}&to={today}").content
    assert [row[1:] for row in read_report(adapter_of(outside.psp), exported).rows] == [
        row[1:] for row in read_report(adapter_of(outside.psp), b"".join(original_of(report))).rows
    ]
