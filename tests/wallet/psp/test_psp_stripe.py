"""Stripe over real sockets: the official SDK on our side, Stripe's API and signed events as the sandbox plays them."""

import datetime as dt
import json
from decimal import Decimal

import httpx
import pytest
import stripe
from django.utils import timezone

from crm.errors import DomainError
from tests.brand_policies import set_policies
from tests.sandbox.psp.running import wait_until
from tests.wallet.card_payments import intent, pay, settler, starter, wallet_balance
from tests.wallet.reports import read_report
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import RowType
from wallet.choices.withdrawals import WithdrawalState
from wallet.deposits.verbs import look_up_deposit
from wallet.disputes.refunds import start_refund
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, PspCall, WebhookMessage, Withdrawal
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.settlement_csv import BadFile
from wallet.psp.values import DepositIntent, DisputeView, EvidenceFile, PaymentStatus, RefundOrder, TransferStatus
from wallet.reconciliation.settlement_import import import_report
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import approve_withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def outside(stripe_outside):
    return stripe_outside


start = starter("card")
settled = settler(start)


def order(deposit: Deposit, amount_minor: int, reference="R-1") -> RefundOrder:
    return RefundOrder(reference, deposit.reference, deposit.psp_reference, amount_minor, "EUR")


# Paying in


def test_a_card_deposit_goes_through_checkout_and_is_settled_once_by_two_events(cast, outside):
    deposit = start(cast, outside)
    assert deposit.redirect_url.startswith(f"{outside.running.url}/stripe/pay/")
    assert deposit.session_reference.startswith("cs_test_") and deposit.psp_reference == ""
    pay(deposit)
    assert outside.deliver(wait_for=2) == [200, 200]
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)
    assert deposit.psp_reference == "pi_" + deposit.session_reference.removeprefix("cs_test_")
    assert (wallet_balance(cast), Journal.objects.count()) == (50_000, 1)
    assert (deposit.payer_name, deposit.instrument, deposit.method) == ("Clara Weber", "•••• 4242", "card")
    messages = WebhookMessage.objects.all()
    assert {one.event_type for one in messages} == {"checkout.session.completed", "payment_intent.succeeded"}
    assert {one.state for one in messages} == {InboxState.DONE, InboxState.IGNORED}, "in whichever order they come"
    assert verify().holds


def test_the_same_events_shuffled_and_tripled_book_once(cast, outside):
    outside.running.fault("webhook_duplicate", 2)
    outside.running.fault("webhook_reorder", 6)
    pay(start(cast, outside))
    assert outside.deliver(wait_for=6) == [200] * 6
    assert (wallet_balance(cast), Journal.objects.count()) == (50_000, 1)
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() == 4


def test_a_declined_card_tells_why(cast, outside):
    deposit = start(cast, outside)
    pay(deposit, card_number="4000000000000002")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.failure) == (DepositState.FAILED, "declined_by_issuer")


def test_sepa_debit_is_pending_first_and_captured_days_later(cast, outside):
    adapter = adapter_of(outside.psp)
    view = adapter.start_deposit(intent(method="sepa_debit"))
    outside.running.fault("webhook_drop")
    httpx.post(view.redirect_url, data={"payer_name": "Clara Weber", "action": "pay"})
    session = adapter.find_payment("D-1", psp_reference=view.session_reference)
    assert session.status in (PaymentStatus.PENDING, PaymentStatus.CAPTURED)
    outside.running.control("finish")
    for _ in range(100):
        if (found := adapter.find_payment("D-1", psp_reference=view.session_reference)).received_minor:
            break
    assert (found.status, found.received_minor, found.method) == (PaymentStatus.CAPTURED, 5_000, "sepa_debit")
    assert (found.payer_name, found.reference) == ("Clara Weber", "D-1")


def test_a_closed_page_is_expired(outside):
    adapter = adapter_of(outside.psp)
    view = adapter.start_deposit(intent())
    outside.running.play("stripe", "D-1", "expire")
    assert adapter.find_payment("D-1", psp_reference=view.session_reference).status == PaymentStatus.EXPIRED


def test_a_lost_webhook_is_found_by_looking_up_the_session(cast, outside):
    outside.running.fault("webhook_drop")
    deposit = start(cast, outside)
    pay(deposit)
    deposit = look_up_deposit(deposit.pk)
    assert (deposit.state, deposit.payer_name, deposit.instrument) == (DepositState.SETTLED, "Clara Weber", "•••• 4242")
    assert (deposit.method, wallet_balance(cast)) == ("card", 50_000)


def test_an_answer_lost_at_the_start_is_asked_for_again_and_opens_no_second_session(cast, outside):
    outside.running.fault("lose_answer", psp="stripe", times=1)
    with pytest.raises(DomainError):
        start(cast, outside)
    assert look_up_deposit(Deposit.objects.get().pk).state == DepositState.CREATED
    again = start(cast, outside)
    assert again.session_reference
    assert len(outside.running.store.rows("SELECT id FROM payments")) == 1


def test_a_payment_is_found_by_our_reference_once_it_is_paid(outside):
    adapter = adapter_of(outside.psp)
    adapter.start_deposit(intent())
    assert adapter.find_payment("D-1") is None
    outside.running.play("stripe", "D-1", payer_name="Clara Weber")
    assert adapter.find_payment("D-1").status == PaymentStatus.CAPTURED
    assert adapter.find_payment("D-2") is None
    assert adapter.find_payment("D-2", psp_reference="pi_unknown") is None


# What may and what may not have been done


def test_the_same_key_with_another_wish_leaves_it_open(outside):
    adapter = adapter_of(outside.psp)
    adapter.start_deposit(intent())
    with pytest.raises(PspUnknown):
        adapter.start_deposit(DepositIntent("D-1", 9_999, "EUR", "http://room.example/", "Meridian"))


def test_errors_are_told_apart(outside, cast):
    adapter = adapter_of(outside.psp)
    with pytest.raises(PspRefused, match="not GEL"):
        adapter.start_deposit(DepositIntent("D-9", 5_000, "GEL", "http://room.example/", "Meridian"))
    outside.running.fault("outage", psp="stripe", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_deposit(intent("D-3"))
    outside.running.fault("reset", psp="stripe", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_deposit(intent("D-4"))
    outside.psp.base_url = "http://127.0.0.1:9/stripe"
    with pytest.raises(PspUnreachable):
        adapter_of(outside.psp).start_deposit(intent("D-5"))
    outcomes = list(PspCall.objects.order_by("id").values_list("outcome", "status"))
    assert outcomes == [("refused", 400), ("unknown", 503), ("unknown", 0), ("unreachable", 0)], (
        "and nothing was sent twice"
    )


def test_a_rate_limit_leaves_it_open(outside, monkeypatch):
    adapter = adapter_of(outside.psp)
    answer = httpx.Response(429, json={"error": {"message": "Slow down", "code": "rate_limit"}})
    monkeypatch.setattr(adapter._http, "send", lambda *_a, **_k: answer)
    with pytest.raises(PspUnknown, match="Slow down"):
        adapter.start_deposit(intent())


# Webhooks


def test_forged_stale_and_future_events_change_nothing(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(2)
    headers, body = outside.catcher.received[0]
    assert outside.post({"stripe-signature": headers["stripe-signature"].replace("v1=", "v1=0")}, body) == 400
    assert outside.post({}, body) == 400
    for age in (301, -360):  # a slow machine makes what is to come less future
        at = int(timezone.now().timestamp()) - age
        signed = stripe.WebhookSignature.generate_signature_header(body.decode(), "sandbox-webhook-secret-stripe", at)
        assert outside.post({"stripe-signature": signed}, body) == 400
    assert list(WebhookMessage.objects.order_by("id").values_list("verdict", flat=True)) == [
        Verdict.WRONG_SIGNATURE,
        Verdict.NO_SIGNATURE,
        Verdict.STALE,
        Verdict.FUTURE,
    ]
    assert wallet_balance(cast) == 0


def told(outside) -> list[dict]:
    """Every event that Stripe has sent."""
    return [json.loads(body) for _headers, body in list(outside.catcher.received)]


def post_signed(outside, message: dict, secret="sandbox-webhook-secret-stripe") -> int:
    body = json.dumps(message)
    return outside.post(
        {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body, secret)}, body.encode()
    )


def test_live_money_another_account_and_nonsense_are_refused(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(2)
    message = json.loads(outside.catcher.received[0][1])
    assert post_signed(outside, {**message, "livemode": True}) == 400
    assert post_signed(outside, {**message, "account": "acct_someone_else"}) == 400
    assert post_signed(outside, {"id": "evt_1", "livemode": False}) == 200, "signed, but unreadable: ours to look at"
    assert list(WebhookMessage.objects.order_by("id").values_list("verdict", flat=True)) == [
        Verdict.OTHER_MERCHANT,
        Verdict.OTHER_MERCHANT,
        Verdict.MALFORMED,
    ]
    assert wallet_balance(cast) == 0


def test_the_old_secret_holds_while_it_is_being_rotated(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(2)
    outside.psp.seal_credentials(
        {
            **outside.psp.credentials,
            "webhook_secret": "whsec_new",
            "previous_webhook_secret": "sandbox-webhook-secret-stripe",
        }
    )
    outside.psp.save()
    assert outside.deliver() == [200, 200]
    assert wallet_balance(cast) == 50_000


def test_an_amount_that_only_the_webhook_tells_is_not_believed(cast, outside):
    outside.running.fault("webhook_tamper", 100_000)
    pay(start(cast, outside))
    outside.deliver(wait_for=2)
    assert wallet_balance(cast) == 50_000, "Stripe's API says 500"
    assert Deposit.objects.get().received_minor == 50_000


def test_an_event_of_no_interest_is_taken_and_ignored(outside):
    message = {
        "id": "evt_9",
        "type": "customer.created",
        "livemode": False,
        "created": 1,
        "data": {"object": {"id": "cus_1"}},
    }
    assert post_signed(outside, message) == 200
    outside.process()
    assert WebhookMessage.objects.get().state == InboxState.IGNORED


# Money back


def test_a_partial_refund_keeps_our_reference_and_is_found_again(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    assert adapter.find_refund(order(deposit, 12_345)) is None
    view = adapter.refund(order(deposit, 12_345))
    assert (view.reference, view.amount_minor, view.status) == ("R-1", 12_345, TransferStatus.PENDING)
    assert adapter.refund(order(deposit, 12_345)).psp_reference == view.psp_reference, "the same key, the same refund"
    outside.running.control("finish")
    outside.deliver(wait_for=1, process=False)
    event = adapter.read_webhook(bytes(WebhookMessage.objects.latest("id").body))[0]
    assert (event.transfer.reference, event.transfer.status) == ("R-1", TransferStatus.PAID)
    assert adapter.find_refund(order(deposit, 12_345)).status == TransferStatus.PAID
    assert adapter.find_payment(deposit.reference, psp_reference=deposit.psp_reference).refunded_minor == 12_345


def test_a_refund_whose_answer_is_lost_is_looked_up(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    outside.running.fault("lose_answer", psp="stripe", times=1)
    with pytest.raises(PspUnknown):
        adapter.refund(order(deposit, 50_000))
    assert adapter.find_refund(order(deposit, 50_000)).amount_minor == 50_000
    with pytest.raises(PspRefused):
        adapter.refund(order(deposit, 1, "R-2"))


def test_nothing_is_paid_out_but_as_a_refund(outside):
    adapter = adapter_of(outside.psp)
    assert not any(method.payout_fields for method in adapter.methods)
    with pytest.raises(PspRefused, match="doesn't support"):
        adapter.start_payout(None)


def give_back(cast, deposit: Deposit, amount: str) -> Withdrawal:
    """A refund that one person asks for and another approves, handed to the PSP."""
    refund = start_refund(
        deposit_id=deposit.pk,
        amount=Decimal(amount),
        reason="Paid in by mistake",
        request_key=amount,
        actor=cast.finance,
    )
    approve_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance)
    sending.send_payout(refund.pk)
    refund.refresh_from_db()
    return refund


def test_a_refund_that_staff_start_settles_by_webhook_in_part_and_in_full(cast, outside):
    set_policies(cast.brand, withdrawal_four_eyes_minor=100_000)
    deposit = settled(cast, outside)
    refund = give_back(cast, deposit, "100")
    assert (refund.state, refund.psp_reference[:3]) == (WithdrawalState.SENT, "re_")
    outside.running.control("finish")
    outside.deliver(wait_for=1)
    refund.refresh_from_db()
    deposit.refresh_from_db()
    assert (refund.state, deposit.refunded_minor, wallet_balance(cast)) == (WithdrawalState.SETTLED, 10_000, 40_000)
    give_back(cast, deposit, "400")
    outside.running.control("finish")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.REFUNDED, 0)
    assert verify().holds


def test_a_refund_whose_answer_is_lost_is_found_and_never_sent_again(cast, outside):
    deposit = settled(cast, outside)
    outside.running.fault("lose_answer", psp="stripe", times=1)
    outside.running.fault("webhook_drop")
    refund = give_back(cast, deposit, "100")
    assert refund.state == WithdrawalState.UNKNOWN
    outside.running.control("finish")
    wait_until(lambda: outside.running.store.rows("SELECT id FROM transfers WHERE status = 'paid'"))
    assert sending.look_up_payout(refund.pk) == WithdrawalState.SETTLED
    assert len(outside.running.store.rows("SELECT id FROM transfers")) == 1
    assert verify().holds


def test_a_refund_made_in_stripe_s_dashboard_finds_its_deposit(cast, outside):
    deposit = settled(cast, outside)
    headers = {"Authorization": "Bearer sandbox-api-key-stripe"}
    made = httpx.post(
        f"{outside.psp.base_url}/v1/refunds", data={"payment_intent": deposit.psp_reference}, headers=headers
    )
    assert made.status_code == 200
    outside.running.control("finish")
    body = wait_until(lambda: next((one for one in told(outside) if one["type"] == "refund.updated"), None))
    body["data"]["object"]["metadata"] = {}
    assert post_signed(outside, body) == 200
    outside.process()
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.REFUNDED, 0)


# Disputes


def test_a_chargeback_finds_its_deposit_through_the_payment_and_comes_back_when_won(cast, outside):
    deposit = settled(cast, outside)
    outside.running.play("stripe", deposit.reference, "dispute")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert deposit.state == DepositState.SETTLED, "a dispute that only asks moves nothing"
    outside.running.play("stripe", deposit.reference, "chargeback")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.CHARGED_BACK, 0)
    outside.running.play("stripe", deposit.reference, "chargeback-reversal")
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.CHARGEBACK_REVERSED, 50_000)
    assert verify().holds


def test_evidence_is_uploaded_and_submitted_once(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    outside.running.play("stripe", deposit.reference, "dispute")
    outside.deliver(wait_for=1, process=False)
    raw = adapter.read_webhook(bytes(WebhookMessage.objects.latest("id").body))[0]
    assert not raw.is_complete
    event = adapter.complete(raw, PspRecords(outside.psp))
    dispute = event.dispute
    assert (event.reference, dispute.amount_minor, dispute.reason) == (deposit.reference, 50_000, "fraudulent")
    assert dispute.evidence_due_at > timezone.now() + dt.timedelta(days=13)
    files = [
        EvidenceFile("id.pdf", "application/pdf", b"%PDF-1.4 one"),
        EvidenceFile("log.png", "image/png", b"\x89PNG"),
    ]
    adapter.submit_evidence(dispute, text="The client is verified.", files=files)
    row = outside.running.store.row("SELECT status, evidence FROM disputes")
    evidence = json.loads(row["evidence"])
    assert row["status"] == "under_review"
    assert evidence["uncategorized_text"] == "The client is verified."
    assert evidence["uncategorized_file"].startswith("file_") and evidence["customer_communication"].startswith("file_")
    with pytest.raises(PspRefused):
        adapter.submit_evidence(dispute, text="Again.", files=[])
    with pytest.raises(PspRefused, match="at most 5"):
        adapter.submit_evidence(DisputeView("", "dp_1", 1, "EUR"), text="", files=files * 3)


# Health and reports


def test_the_connection_test_says_what_to_do(cast, outside):
    assert adapter_of(outside.psp).check_connection().is_up
    for keys, words in (
        ({"api_key": "sk_test_wrong"}, "Copy the secret key"),
        ({"account": "acct_other"}, "another account"),
        ({"webhook_secret": ""}, "signing secret is missing"),
    ):
        outside.psp.seal_credentials({**outside.psp.credentials, **keys})
        health = adapter_of(outside.psp).check_connection()
        assert not health.is_up and words in health.detail
        outside.psp.refresh_from_db()


def last_week(outside) -> None:
    """Move what the sandbox booked eight days back, so that its payout to our bank has happened."""
    outside.running.store.run("UPDATE movements SET created_at = created_at - 8 * 86400")


def test_the_report_is_fetched_read_and_proved(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    adapter.refund(order(deposit, 10_000))
    outside.running.control("finish")
    outside.wait_for(3)
    last_week(outside)
    today = dt.datetime.now(dt.UTC).date()
    report = read_report(adapter, adapter.fetch_settlement(today - dt.timedelta(days=10), today))
    fee = 50_000 * 150 // 10_000 + 25
    assert [(row.type, row.gross_minor, row.fee_minor) for row in report.rows] == [
        (RowType.PAYMENT, 50_000, fee),
        (RowType.REFUND, -10_000, 0),
        (RowType.MERCHANT_PAYOUT, fee - 40_000, 0),
    ]
    payment, refund, _payout = report.rows
    assert (payment.psp_reference, payment.merchant_reference) == (deposit.psp_reference, deposit.reference)
    assert (refund.merchant_reference, refund.original_reference) == ("R-1", deposit.psp_reference)
    assert report.opening == report.closing == {"EUR": 0}
    assert httpx.get(f"{outside.running.url}/stripe/statements?from=2020-01-01&to={today}").text.count("\n") == 7


def test_the_imported_report_matches_every_movement_and_books_fees_and_the_bank(cast, outside):
    deposit = settled(cast, outside)
    give_back(cast, deposit, "100")
    outside.running.control("finish")
    outside.deliver(wait_for=1)
    last_week(outside)
    today = dt.datetime.now(dt.UTC).date()
    content = adapter_of(outside.psp).fetch_settlement(today - dt.timedelta(days=10), today)
    report = import_report(psp_id=outside.psp.pk, file_name="stripe.csv", content=content, actor=cast.finance)
    assert (report.matched, report.breaks_found, report.to_bank) == (2, 0, 1)
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == 0, "what came in is with the bank, less the fee"
    assert verify().holds


def test_the_activity_of_a_period_is_proved_by_the_balances_at_both_ends(cast, outside):
    deposit = settled(cast, outside)
    give_back(cast, deposit, "100")
    outside.running.control("finish")
    outside.deliver(wait_for=1)
    last_week(outside)
    today = dt.datetime.now(dt.UTC).date()
    url = f"{outside.running.url}/stripe/statements?kind=activity&to={today}"
    whole = read_report(adapter_of(outside.psp), httpx.get(f"{url}&from={today - dt.timedelta(days=10)}").content)
    assert [row.type for row in whole.rows] == [RowType.PAYMENT, RowType.REFUND, RowType.MERCHANT_PAYOUT]
    assert whole.opening == whole.closing == {"EUR": 0}
    later = read_report(adapter_of(outside.psp), httpx.get(f"{url}&from={today - dt.timedelta(days=7)}").content)
    assert [row.type for row in later.rows] == [RowType.MERCHANT_PAYOUT]
    assert later.opening == {"EUR": 40_000 - (50_000 * 150 // 10_000 + 25)} and later.closing == {"EUR": 0}


def test_what_no_payout_had_yet_is_fetched_with_the_balance_that_proves_it(cast, outside):
    deposit, adapter = settled(cast, outside), adapter_of(outside.psp)
    today = dt.datetime.now(dt.UTC).date()
    report = read_report(adapter, adapter.fetch_settlement(today, today))
    (row,) = report.rows
    assert (row.merchant_reference, row.batch, row.gross_minor) == (deposit.reference, "", 50_000)
    assert report.closing == {"EUR": row.net_minor}


HEADER = (
    "automatic_payout_id,automatic_payout_effective_at_utc,balance_transaction_id,created_utc,currency,gross,fee,net,"
    "reporting_category,source_id"
)
ROW = "po_1,2026-11-16 00:00:00,txn_1,2026-11-10 12:00:00,eur,100.00,1.75,98.25,charge,ch_1"


@pytest.mark.parametrize(
    ("changed", "to", "words"),
    [
        ("98.25", "98.24", "Line 2, column “net”: gross less fee"),
        ("100.00", "100.001", "Line 2, column “gross”: “100.001” has too many decimal"),
        ("100.00", "x", "Line 2, column “gross”"),
        ("charge,", "weather,", "column “reporting_category”: “weather”"),
        ("2026-11-10 12", "yesterday 12", "column “created_utc”"),
        ("eur", "e1", "column “currency”"),
        ("po_1", "", "column “automatic_payout_id”"),
        (",ch_1", "", "more or fewer fields"),
        ("100.00,1.75,98.25,charge", "-100.00,0.00,-100.00,refund", "can't be paid out"),
        (f"\n{ROW}", "", "no rows"),
        ("source_id\n", "sauce\n", "columns are missing: source_id"),
    ],
)
def test_a_report_that_does_not_hold_is_refused_with_line_and_column(outside, changed, to, words):
    content = f"{HEADER}\n{ROW}\n"
    assert changed in content
    with pytest.raises(BadFile) as refused:
        read_report(adapter_of(outside.psp), content.replace(changed, to, 1).encode())
    assert words in refused.value.message


def test_yen_and_kronur_are_counted_as_stripe_counts_them():
    from wallet.psp.stripe.reading import UNITS

    assert UNITS.to_psp(500, "JPY") == 500 and UNITS.to_psp(500, "EUR") == 500
    assert UNITS.to_psp(500, "ISK") == 50_000 and UNITS.to_ours(50_000, "ISK") == 500
    with pytest.raises(ValueError, match="finer"):
        UNITS.to_ours(50_001, "ISK")
