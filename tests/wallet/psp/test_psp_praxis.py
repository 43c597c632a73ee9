"""The Praxis-like cashier over real sockets: signed both ways, what was charged is what counts."""

import datetime as dt
import hashlib
import json

import httpx
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects.praxis import APPLICATION, DIALECT, MERCHANT
from tests.sandbox.psp.running import wait_until
from tests.wallet.providers import judged, order, provider, sent_payout, start
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.deposits.verbs import look_up_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, PspMovement, SettlementRow, WebhookMessage
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.errors import PspRefused, PspUnknown
from wallet.psp.praxis.adapter import NOTIFICATION, payment_of, sign
from wallet.psp.settlement import BadFile
from wallet.psp.values import PaymentStatus, RefundOrder, TransferStatus
from wallet.reconciliation.settlement_import import import_report

pytestmark = pytest.mark.django_db
SECRET = CHARACTERS["praxis"].webhook_secret


@pytest.fixture
def outside(cast, tmp_path):
    with provider(cast, tmp_path, "praxis") as running:
        yield running


def pay(deposit: Deposit, method: str = "blik") -> None:
    form = {"action": "pay", "method": method, "payer_name": "Clara Weber"}
    assert httpx.post(deposit.redirect_url, data=form).status_code == 303


def wallet_balance(cast) -> int:
    return posting.balance(posting.wallet_of(cast.client, "EUR"))


def test_a_deposit_through_the_cashier_is_booked_once(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    assert outside.deliver(wait_for=2) == [200, 200]
    deposit.refresh_from_db()
    assert (deposit.state, deposit.method, deposit.payer_name) == (DepositState.SETTLED, "blik", "Clara Weber")
    assert wallet_balance(cast) == 50_000
    assert verify().holds


def test_our_reply_is_signed_and_the_cashier_takes_it(cast, outside, client):
    pay(start(cast, outside))
    outside.wait_for(1)
    headers, body = outside.catcher.received[0]
    answer = client.post(
        "/webhooks/psp/praxis/",
        body,
        content_type="application/json",
        headers={"gt-authentication": headers["gt-authentication"]},
    )
    reply = json.loads(answer.content)
    assert (reply["status"], reply["version"]) == (0, "1.3")
    expected = hashlib.sha384(f"0{reply['timestamp']}{SECRET}".encode()).hexdigest()
    assert answer.headers["Gt-Authentication"] == answer.headers["External-Request-Signature"] == expected
    assert DIALECT.is_taken(answer.status_code, answer.content)


def test_a_refusal_is_not_signed_and_makes_the_cashier_send_again(cast, outside, client):
    pay(start(cast, outside))
    outside.wait_for(1)
    _headers, body = outside.catcher.received[0]
    answer = client.post(
        "/webhooks/psp/praxis/", body, content_type="application/json", headers={"gt-authentication": "0" * 96}
    )
    assert (answer.status_code, json.loads(answer.content)["status"]) == (400, -1)
    assert "Gt-Authentication" not in answer.headers
    assert not DIALECT.is_taken(answer.status_code, answer.content)
    assert not DIALECT.is_taken(200, b"OK")


def test_duplicates_and_another_order_book_once(cast, outside):
    outside.running.fault("webhook_duplicate", 3)
    pay(start(cast, outside))
    outside.wait_for(8)
    outside.catcher.received.reverse()
    outside.deliver()
    assert wallet_balance(cast) == 50_000
    assert Journal.objects.count() == 1
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() == 6


def test_a_status_that_was_changed_on_the_way_is_asked_back(cast, outside):
    """The signature does not cover it: "pending" made "approved" still verifies, and still books nothing."""
    deposit = start(cast, outside)
    message = {
        "merchant_id": MERCHANT,
        "application_key": APPLICATION,
        "timestamp": int(timezone.now().timestamp()),
        "customer": {"customer_token": "c"},
        "session": {"order_id": deposit.reference},
        "transaction": {
            "transaction_type": "sale",
            "transaction_status": "pending",
            "tid": 7,
            "currency": "EUR",
            "amount": 50_000,
            "conversion_rate": None,
            "processed_currency": None,
            "processed_amount": None,
        },
    }
    signature = sign(message, NOTIFICATION, SECRET)
    message["transaction"]["transaction_status"] = "approved"
    assert outside.post({"gt-authentication": signature}, json.dumps(message).encode()) == 200
    outside.process()
    deposit.refresh_from_db()
    assert deposit.state == DepositState.CREATED
    assert wallet_balance(cast) == 0


def test_what_was_charged_in_another_currency_is_what_arrived(cast, outside):
    deposit = start(cast, outside)
    outside.running.play("praxis", deposit.reference, "charge", charged={"amount_minor": 215_000, "currency": "PLN"})
    view = adapter_of(outside.psp).find_payment(deposit.reference)
    assert (view.currency, view.amount_minor, view.received_minor) == ("EUR", 50_000, None), "not charged yet"
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.received_minor, deposit.arrived_currency) == (215_000, "PLN")
    view = adapter_of(outside.psp).find_payment(deposit.reference)
    assert (view.currency, view.amount_minor) == ("PLN", 215_000)
    assert posting.balance(posting.psp_clearing(outside.psp, "PLN")) == -215_000
    assert wallet_balance(cast) == 0
    assert verify().holds


def test_what_was_charged_less_a_fee_is_held_with_what_arrived(cast, outside):
    deposit = start(cast, outside)
    outside.running.play("praxis", deposit.reference, "charge", charged={"amount_minor": 49_000, "currency": "EUR"})
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.HELD, 49_000)


def test_a_forged_one_is_refused_and_a_lost_one_looked_up(cast, outside):
    outside.running.fault("webhook_forge", times=1)
    outside.running.fault("webhook_delay", 600, times=2)
    deposit = start(cast, outside)
    pay(deposit)
    outside.running.control("finish")
    forged = WebhookMessage.objects.filter(verdict=Verdict.WRONG_SIGNATURE)
    assert wait_until(lambda: outside.deliver() is not None and forged.exists())
    wait_until(lambda: adapter_of(outside.psp).find_payment(deposit.reference).status == PaymentStatus.CAPTURED)
    assert look_up_deposit(deposit.pk).state == DepositState.SETTLED


@pytest.mark.parametrize(("seconds", "verdict"), [(3600, Verdict.STALE), (-3600, Verdict.FUTURE)])
def test_a_notification_out_of_time_is_refused(cast, outside, seconds, verdict):
    outside.running.fault("webhook_stale", seconds)
    pay(start(cast, outside))
    assert set(outside.deliver(wait_for=2)) == {400}
    assert set(WebhookMessage.objects.values_list("verdict", flat=True)) == {verdict}


def test_a_tampered_amount_with_a_right_signature_books_what_the_cashier_says(cast, outside):
    outside.running.fault("webhook_tamper", 100)
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)


def test_another_merchant_s_notification_is_refused(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(1)
    headers, body = outside.catcher.received[0]
    outside.psp.seal_credentials({**outside.psp.credentials, "application_key": "another"})
    assert judged(outside.psp, headers, body).verdict == Verdict.OTHER_MERCHANT


def test_an_order_that_nobody_knows_is_kept_as_unknown(outside):
    message = _message(order_id="D-NOBODY")
    assert outside.post({"gt-authentication": sign(message, NOTIFICATION, SECRET)}, json.dumps(message).encode()) == 200
    outside.process()
    assert WebhookMessage.objects.get().state == InboxState.UNMATCHED


def _message(order_id: str = "D-1", **transaction) -> dict:
    return {
        "merchant_id": MERCHANT,
        "application_key": APPLICATION,
        "timestamp": int(timezone.now().timestamp()),
        "customer": {"customer_token": "c"},
        "session": {"order_id": order_id},
        "transaction": {
            "transaction_type": "sale",
            "transaction_status": "approved",
            "tid": 7,
            "currency": "EUR",
            "amount": 50_000,
            "conversion_rate": "1.0000",
            "processed_currency": "EUR",
            "processed_amount": 50_000,
            **transaction,
        },
    }


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "50000"},
        {"amount": -1},
        {"currency": "EUR5"},
        {"tid": "7 "},
        {"processed_amount": True},
        {"amount": 5e4},
    ],
)
def test_a_signed_value_that_could_be_cut_elsewhere_is_not_believed(outside, change):
    message = _message(**change)
    header = {"gt-authentication": sign(message, NOTIFICATION, SECRET)}
    assert judged(outside.psp, header, json.dumps(message).encode()).verdict == Verdict.MALFORMED


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"transaction": 3}'])
def test_what_can_t_be_parsed_can_t_have_been_signed(outside, body):
    assert judged(outside.psp, {"gt-authentication": "0" * 96}, body).verdict == Verdict.WRONG_SIGNATURE
    assert judged(outside.psp, {}, body).verdict == Verdict.NO_SIGNATURE


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    token=st.text(max_size=20),
    tid=st.integers(0, 10**9),
    amount=st.integers(0, 10**12),
    rate=st.none() | st.decimals(0, 10, places=4).map(str),
    secret=st.text(min_size=1, max_size=40),
)
def test_signatures_agree_with_the_list_written_out(token, tid, amount, rate, secret):
    message = _message(tid=tid, amount=amount, conversion_rate=rate)
    message["customer"]["customer_token"] = token
    transaction = message["transaction"]
    written_out = (
        f"{MERCHANT}{APPLICATION}{message['timestamp']}{token}D-1{tid}EUR{amount}{'' if rate is None else rate}"
        f"{transaction['processed_currency']}{transaction['processed_amount']}{secret}"
    )
    try:
        expected = hashlib.sha384(written_out.encode()).hexdigest()
    except UnicodeEncodeError:
        return
    assert sign(message, NOTIFICATION, secret) == expected


# ── money out ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_payout_and_its_notification(outside):
    adapter = adapter_of(outside.psp)
    sent = adapter.start_payout(order("W-1", account="PL-123"))
    assert sent.status == TransferStatus.PENDING
    wait_until(lambda: adapter.find_payout(sent_payout("W-1")).status == TransferStatus.PAID)
    outside.wait_for(1)
    event = adapter.complete(judged(outside.psp, *outside.catcher.received[0]).events[0], PspRecords(outside.psp))
    assert (event.transfer.reference, event.transfer.status) == ("W-1", TransferStatus.PAID)
    assert adapter.find_payout(sent_payout("W-2")) is None


def test_a_lost_answer_to_a_payout_is_looked_up(outside):
    adapter = adapter_of(outside.psp)
    outside.running.fault("lose_answer", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_payout(order("W-1", account="PL-123"))
    assert adapter.find_payout(sent_payout("W-1")).amount_minor == 20_000


def test_a_refund_is_made_under_our_reference(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    refund = RefundOrder("R-1", deposit.reference, deposit.psp_reference, 50_000, "EUR")
    adapter = adapter_of(outside.psp)
    assert adapter.refund(refund).status == TransferStatus.PENDING
    wait_until(lambda: adapter.find_refund(refund).status == TransferStatus.PAID)
    with pytest.raises(PspRefused, match="left"):
        adapter.refund(RefundOrder("R-2", deposit.reference, deposit.psp_reference, 1, "EUR"))


def test_a_chargeback_is_told_and_booked(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    outside.running.play("praxis", deposit.reference, "chargeback")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert deposit.state == DepositState.CHARGED_BACK


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_without_a_right_signature_tells_nothing(outside, monkeypatch):
    monkeypatch.setattr("sandbox.psp.dialects.praxis.signature", lambda *_: "0" * 96)
    with pytest.raises(PspRefused, match="Signature mismatch"):
        adapter_of(outside.psp).start_payout(order("W-1", account="PL-123"))
    from sandbox.psp.dialects import praxis as played

    right = sign

    def only_requests(message, fields, secret):
        return right(message, fields, secret) if "status" not in fields else "0" * 96

    monkeypatch.setattr(played, "signature", only_requests)
    with pytest.raises(PspUnknown, match="an invalid signature"):
        adapter_of(outside.psp).start_payout(order("W-1", account="PL-123"))


def test_the_connection_test_tells_a_wrong_secret(outside):
    assert adapter_of(outside.psp).check_connection().is_up
    outside.psp.seal_credentials({**outside.psp.credentials, "webhook_secret": "wrong"})
    health = adapter_of(outside.psp).check_connection()
    assert (health.is_up, "Signature mismatch" in health.detail) == (False, True)
    outside.running.fault("outage")
    assert not adapter_of(outside.psp).check_connection().is_up


@pytest.mark.parametrize(
    ("status", "means"),
    [
        ("initialized", "created"),
        ("pending_async", "pending"),
        ("authorized", "authorised"),
        ("approved", "captured"),
        ("rejected", "failed"),
        ("declined", "failed"),
        ("cancelled", "failed"),
        ("error", "failed"),
        ("chargeback", "charged_back"),
        ("reversed", "refunded"),
    ],
)
def test_each_status_in_our_words(status, means):
    assert payment_of(_message(transaction_status=status)).status == means


def test_an_unknown_status_is_not_guessed():
    with pytest.raises(KeyError):
        payment_of(_message(transaction_status="levitating"))


# ── the list of transactions ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_cashier_s_list_is_proved_and_matches_every_movement(cast, outside):
    for key in ("one", "two"):
        pay(start(cast, outside, key=key))
    outside.deliver(wait_for=4)
    taken_back = Deposit.objects.order_by("pk").last()
    outside.running.play("praxis", taken_back.reference, "chargeback")
    wait_until(lambda: [outside.deliver(), PspMovement.objects.filter(kind="chargeback").exists()][1])
    today = timezone.now().astimezone(dt.UTC).date()
    content = httpx.get(f"{outside.running.url}/praxis/statements?from={today}&to={today}").content
    report = import_report(psp_id=outside.psp.pk, file_name="cashier.csv", content=content, actor=cast.finance)
    assert (report.format, report.row_count, report.matched, report.breaks_found) == ("Cashier", 3, 3, 0)
    assert set(SettlementRow.objects.values_list("type", flat=True)) == {"payment", "chargeback"}
    tampered = content.replace(b"EUR,50000,1610", b"EUR,60000,1610", 1)
    assert tampered != content
    with pytest.raises(BadFile, match="Line"):
        import_report(psp_id=outside.psp.pk, file_name="x.csv", content=tampered, actor=cast.finance)
