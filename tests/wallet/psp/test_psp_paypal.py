"""PayPal over real sockets: an order is approved, captured by us once, told by webhook, booked once."""

import base64
import binascii
import datetime as dt
import io
from decimal import Decimal

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.psp.dialects.paypal import DIALECT
from sandbox.psp.dialects.paypal_keys import make_chain, pem
from tests.sandbox.psp.running import wait_until
from tests.wallet.providers import judged, order, provider, sent_payout, start
from tests.wallet.reports import read_all, read_report
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.deposits.verbs import look_up_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Dispute, Journal, Psp, WebhookMessage
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.errors import PspRefused, PspUnknown
from wallet.psp.paypal import adapter as paypal
from wallet.psp.paypal import mapping, webhooks
from wallet.psp.settlement_csv import BadFile
from wallet.psp.values import DisputeView, EventKind, EvidenceFile, PaymentStatus, RefundOrder, TransferStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def outside(cast, tmp_path):
    paypal._tokens.clear()
    webhooks.forget_certificates()
    with provider(cast, tmp_path, "paypal") as running:
        yield running


def approve(deposit: Deposit) -> httpx.Response:
    form = {"account": "clara@example.org", "password": "x", "payer_name": "Clara Weber", "action": "pay"}
    return httpx.post(deposit.redirect_url, data=form)


def wallet_balance(cast) -> int:
    return posting.balance(posting.wallet_of(cast.client, "EUR"))


def test_an_approved_order_is_captured_by_us_and_booked_once(cast, outside):
    deposit = start(cast, outside)
    assert deposit.redirect_url.startswith(outside.running.url)
    approve(deposit)
    assert outside.deliver(wait_for=1) == [200]  # approved: we capture
    assert outside.deliver(wait_for=1) == [200]  # captured
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)
    assert (deposit.payer_name, deposit.instrument) == ("Clara Weber", "c•••@example.org")
    assert wallet_balance(cast) == 50_000
    assert Journal.objects.count() == 1
    assert set(WebhookMessage.objects.values_list("event_type", "state")) == {
        ("CHECKOUT.ORDER.APPROVED", InboxState.DONE),
        ("PAYMENT.CAPTURE.COMPLETED", InboxState.IGNORED),
    }
    assert verify().holds


def test_duplicates_and_another_order_of_events_book_once(cast, outside):
    outside.running.fault("webhook_duplicate", 3)
    approve(start(cast, outside))
    outside.deliver(wait_for=4)
    outside.wait_for(8)
    outside.catcher.received[4:] = outside.catcher.received[4:] + outside.catcher.received[:4]
    outside.deliver()
    assert wallet_balance(cast) == 50_000
    assert Journal.objects.count() == 1


def test_without_any_webhook_a_look_up_captures(cast, outside):
    outside.running.fault("webhook_drop")
    deposit = start(cast, outside)
    approve(deposit)
    assert look_up_deposit(deposit.pk).state == DepositState.SETTLED
    assert wallet_balance(cast) == 50_000


def test_a_capture_whose_answer_is_lost_is_looked_up_and_never_made_twice(cast, outside):
    deposit = start(cast, outside)
    approve(deposit)
    outside.wait_for(1)
    outside.running.fault("lose_answer", times=1)
    outside.deliver()
    deposit.refresh_from_db()
    assert deposit.state == DepositState.SETTLED
    captured = outside.running.store.rows("SELECT * FROM movements")
    assert [row["gross_minor"] for row in captured] == [50_000]


def test_an_order_of_another_amount_is_not_captured(cast, outside):
    deposit = start(cast, outside)
    approve(deposit)
    outside.wait_for(1)
    Deposit.objects.filter(pk=deposit.pk).update(amount_minor=50_001)
    outside.deliver()
    assert outside.running.store.rows("SELECT * FROM movements") == []
    deposit.refresh_from_db()
    assert deposit.settled_at is None


def test_a_lost_answer_at_the_start_is_the_same_order_the_second_time(cast, outside):
    adapter_of(outside.psp).check_connection()  # the token is there already
    outside.running.fault("lose_answer", times=1)
    with pytest.raises(Exception, match="isn't responding"):
        start(cast, outside)
    deposit = start(cast, outside)
    assert deposit.redirect_url
    assert len(outside.running.store.rows("SELECT * FROM payments")) == 1


def test_a_forged_webhook_is_refused(cast, outside):
    outside.running.fault("webhook_forge")
    approve(start(cast, outside))
    assert outside.deliver(wait_for=1) == [400]
    assert WebhookMessage.objects.get().verdict == Verdict.WRONG_SIGNATURE
    assert wallet_balance(cast) == 0


@pytest.mark.parametrize(("seconds", "verdict"), [(5 * 86_400, Verdict.STALE), (-3600, Verdict.FUTURE)])
def test_a_webhook_out_of_time_is_refused(cast, outside, seconds, verdict):
    outside.running.fault("webhook_stale", seconds, times=1)
    approve(start(cast, outside))
    assert outside.deliver(wait_for=1) == [400]
    assert WebhookMessage.objects.get().verdict == verdict


def test_a_tampered_amount_is_held_against_paypal_s_own_word(cast, outside):
    deposit = start(cast, outside)
    approve(deposit)
    outside.running.fault("webhook_drop", times=1)
    outside.running.fault("webhook_tamper", 100)
    outside.deliver(wait_for=1)
    outside.wait_for(1)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor) == (DepositState.SETTLED, 50_000)


def test_a_webhook_of_another_account_does_not_verify(cast, outside):
    approve(start(cast, outside))
    outside.wait_for(1)
    headers, body = outside.catcher.received[0]
    outside.psp.seal_credentials({**outside.psp.credentials, "webhook_id": "WH-OTHER"})
    assert judged(outside.psp, headers, body).verdict == Verdict.WRONG_SIGNATURE


def test_while_the_certificate_can_t_be_had_paypal_is_asked_to_send_again(cast, outside):
    approve(start(cast, outside))
    outside.wait_for(1)
    outside.running.fault("outage")
    assert outside.deliver(process=False) == [503]
    message = WebhookMessage.objects.get()
    assert (message.verdict, message.state) == (Verdict.UNCHECKED, InboxState.REFUSED)
    outside.running.control("faults", {"clear": True})
    webhooks.forget_certificates()
    outside.delivered = 0
    assert outside.deliver() == [200]
    assert WebhookMessage.objects.filter(verdict=Verdict.ACCEPTED).count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://evilpaypal.com/v1/notifications/certs/CERT-1",
        "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/redirect?to=https://evil.example",
        "https://api.paypal.com/v1/notifications/certs/../../evil",
        "file:///etc/passwd",
        "https://[::1/v1/notifications/certs/CERT-1",
    ],
)
def test_no_other_host_s_certificate_is_even_fetched(outside, url):
    with pytest.raises(webhooks.CertificateWrong):
        webhooks.public_key(url, sandbox_url=outside.psp.base_url)


def test_paypal_s_own_addresses_are_its_own():
    assert webhooks._is_of_paypal("https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270")
    assert webhooks._is_of_paypal("https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1")


def test_a_sandbox_s_certificate_is_not_believed_where_the_settings_say_no(outside, settings):
    settings.PSP_SANDBOX_CERTIFICATES = False
    with pytest.raises(webhooks.CertificateWrong):
        webhooks.public_key(
            f"{outside.psp.base_url}/v1/notifications/certs/{DIALECT.key.name}", sandbox_url=outside.psp.base_url
        )


@pytest.mark.parametrize(
    ("host", "begins", "of_sandbox", "holds"),
    [
        ("messageverificationcerts.paypal.com", dt.timedelta(days=-1), True, True),
        ("messageverificationcerts.paypal.com", dt.timedelta(days=-1), False, False),  # no root of this machine's
        ("messageverificationcerts.paypal.com", dt.timedelta(days=-60), True, False),  # expired
        ("messageverificationcerts.paypal.com", dt.timedelta(days=2), True, False),  # not yet valid
        ("api.paypal.com.evil.example", dt.timedelta(days=-1), True, False),
    ],
)
def test_a_chain_must_hold_today_and_be_made_out_to_the_signer(host, begins, of_sandbox, holds):
    _key, chain = make_chain(host, begins=begins)
    try:
        webhooks._trusted_key(pem(chain), of_sandbox=of_sandbox)
        assert holds
    except webhooks.CertificateWrong:
        assert not holds


def test_a_leaf_of_another_authority_is_not_believed():
    _key, chain = make_chain()
    _other_key, other = make_chain()
    with pytest.raises(webhooks.CertificateWrong):
        webhooks._trusted_key(pem([chain[0], other[1]]), of_sandbox=True)
    with pytest.raises(webhooks.CertificateWrong):
        webhooks._trusted_key(b"not a certificate", of_sandbox=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400), flip=st.none() | st.integers(0, 3000), other=st.booleans())
def test_the_verdict_is_that_of_an_independent_check(outside, body, flip, other):
    """Random bodies, changed bytes, changed webhook ids: our verdict equals RSA checked with the public key directly."""
    DIALECT.base_url = outside.psp.base_url
    sent, headers = DIALECT.signed(
        _character(), body, event_id="e", at=int(timezone.now().timestamp()), secret=_character().webhook_secret
    )
    lower = {name.lower(): value for name, value in headers.items()}
    if flip is not None and sent:
        place = flip % len(sent)
        sent = sent[:place] + bytes([sent[place] ^ 1]) + sent[place + 1 :]
    if other:
        lower["paypal-transmission-id"] = "someone-else"
    text = "|".join(
        [
            lower["paypal-transmission-id"],
            lower["paypal-transmission-time"],
            "WH-SANDBOX-0001",
            str(binascii.crc32(sent) & 0xFFFFFFFF),
        ]
    )
    key = webhooks.public_key(lower["paypal-cert-url"], sandbox_url=outside.psp.base_url)
    try:
        key.verify(
            base64.b64decode(lower["paypal-transmission-sig"]), text.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        holds = True
    except Exception:
        holds = False
    verdict = judged(outside.psp, lower, sent).verdict
    assert (verdict != Verdict.WRONG_SIGNATURE) == holds
    assert (verdict == Verdict.MALFORMED) == holds  # random bytes are no message of PayPal's


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("SHA256withRSA", True),
        ("sha256WithRSAEncryption", True),
        ("SHA256WITHRSAENCRYPTION", True),
        ("SHA1withRSA", False),
        ("sha512WithRSAEncryption", False),
        ("none", False),
    ],
)
def test_both_names_of_paypal_s_algorithm_are_understood(outside, name, holds):
    DIALECT.base_url = outside.psp.base_url
    at = int(timezone.now().timestamp())
    sent, headers = DIALECT.signed(_character(), b"x", event_id="e", at=at, secret=_character().webhook_secret)
    lower = {header.lower(): value for header, value in headers.items()} | {"paypal-auth-algo": name}
    assert (judged(outside.psp, lower, sent).verdict == Verdict.MALFORMED) == holds, "x is no message of PayPal's"


def _character():
    from sandbox.psp.characters import CHARACTERS

    return CHARACTERS["paypal"]


def test_a_payout_is_sent_once_and_found_by_batch_and_by_our_reference(outside):
    adapter = adapter_of(outside.psp)
    sent = adapter.start_payout(order("W-ONE", account="clara@example.org"))
    assert sent.status == TransferStatus.PENDING
    wait_until(lambda: adapter.find_payout(sent_payout("W-ONE")).status == TransferStatus.PAID)
    again = adapter.start_payout(order("W-ONE", account="clara@example.org"))
    assert again.status == TransferStatus.PAID, "PayPal refuses the same batch; how it stands is what counts"
    assert adapter.find_payout(sent_payout("W-NONE")) is None
    assert len(outside.running.store.rows("SELECT * FROM transfers")) == 1


def test_a_payout_whose_answer_is_lost_is_found_by_our_reference(outside):
    adapter = adapter_of(outside.psp)
    adapter.check_connection()
    outside.running.fault("lose_answer", times=1)
    with pytest.raises(PspUnknown):
        adapter.start_payout(order("W-TWO", account="clara@example.org"))
    assert adapter.find_payout(sent_payout("W-TWO")).reference == "W-TWO"


def test_a_failed_payout_is_told_with_its_reason(outside):
    outside.running.fault("payout_fail", "receiver_unregistered", times=1)
    adapter_of(outside.psp).start_payout(order("W-THREE", account="clara@example.org"))
    outside.wait_for(1)
    headers, body = outside.catcher.received[0]
    event = judged(outside.psp, headers, body).events[0]
    assert (event.kind, event.transfer.status, event.transfer.failure) == (
        EventKind.PAYOUT,
        TransferStatus.FAILED,
        "receiver_unregistered",
    )


def test_a_refund_is_made_once_and_found_in_its_order(cast, outside):
    deposit = start(cast, outside)
    approve(deposit)
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    refund = RefundOrder("R-1", deposit.reference, deposit.psp_reference, 20_000, "EUR", "asked for it")
    adapter = adapter_of(outside.psp)
    assert adapter.find_refund(refund) is None
    adapter.refund(refund)
    adapter.refund(refund)
    wait_until(lambda: adapter.find_refund(refund).status == TransferStatus.PAID)
    assert adapter.find_payment("", psp_reference=deposit.psp_reference).refunded_minor == 20_000
    assert len(outside.running.store.rows("SELECT * FROM transfers")) == 1


def disputed(cast, outside) -> tuple[Deposit, str]:
    deposit = start(cast, outside)
    approve(deposit)
    outside.deliver(wait_for=1)
    outside.deliver(wait_for=1)
    payment = outside.running.play("paypal", deposit.reference, "dispute")
    outside.deliver(wait_for=1)
    return deposit, f"PP-D-{payment['id'][-8:]}"


def test_a_dispute_is_answered_with_evidence(cast, outside):
    deposit, dispute_id = disputed(cast, outside)
    dispute = Dispute.objects.get()
    assert (dispute.psp_dispute_id, dispute.deposit, dispute.taken_minor) == (dispute_id, deposit, 0)
    assert dispute.evidence_due_at > timezone.now()
    view = DisputeView(deposit.reference, dispute_id, 50_000, "EUR")
    adapter_of(outside.psp).submit_evidence(
        view, text="He paid himself.", files=[EvidenceFile("slip.pdf", "application/pdf", b"%PDF-1.7")]
    )
    assert int(outside.running.store.noted("paypal", dispute_id, "evidence bytes")) > 100


def test_a_reversal_takes_the_money_under_its_dispute_and_a_win_gives_it_back(cast, outside):
    deposit, dispute_id = disputed(cast, outside)
    outside.running.play("paypal", deposit.reference, "chargeback")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    dispute = Dispute.objects.get()
    assert (deposit.state, dispute.psp_dispute_id, dispute.taken_minor) == (
        DepositState.CHARGED_BACK,
        dispute_id,
        50_000,
    )
    outside.running.play("paypal", deposit.reference, "chargeback-reversal")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.CHARGEBACK_REVERSED, 50_000)
    assert verify().holds


def test_a_dispute_lost_and_won_in_another_order_takes_nothing_that_stays_away(cast, outside):
    deposit, _dispute_id = disputed(cast, outside)
    outside.running.play("paypal", deposit.reference, "chargeback")
    outside.running.play("paypal", deposit.reference, "chargeback-reversal")
    outside.wait_for(5)
    outside.catcher.received[3:5] = outside.catcher.received[3:5][::-1]
    outside.deliver()
    deposit.refresh_from_db()
    assert (deposit.state, wallet_balance(cast)) == (DepositState.SETTLED, 50_000)


def test_a_reversal_that_names_only_its_capture_is_asked_about(cast, outside):
    deposit, _dispute_id = disputed(cast, outside)
    capture = outside.running.store.row("SELECT id FROM payments")["id"].replace("pay_", "CAP")
    resource = {
        "id": "REV1",
        "amount": {"currency_code": "EUR", "value": "500.00"},
        "status": "COMPLETED",
        "links": [{"rel": "up", "href": f"https://api.paypal.com/v2/payments/captures/{capture}"}],
    }
    event = webhooks.event_of({"id": "WH-1", "event_type": "PAYMENT.CAPTURE.REVERSED", "resource": resource})
    assert (event.kind, event.reference, event.is_complete) == (EventKind.CHARGEBACK, "", False)
    full = adapter_of(outside.psp).complete(event, PspRecords(outside.psp))
    assert (full.reference, full.dispute.amount_minor, full.is_complete) == (deposit.reference, 50_000, True)


def test_an_expired_token_is_renewed_once(outside):
    adapter = adapter_of(outside.psp)
    assert adapter.check_connection().is_up
    outside.running.store.run("DELETE FROM notes WHERE name = 'token'")
    assert adapter.find_payout(sent_payout("W-NONE")) is None
    assert len(outside.running.store.rows("SELECT * FROM notes WHERE name = 'token'")) == 1


def test_a_wrong_secret_is_told_by_the_connection_test(outside):
    outside.psp.seal_credentials({**outside.psp.credentials, "client_secret": "wrong"})
    health = adapter_of(outside.psp).check_connection()
    assert not health.is_up
    assert "Authentication" in health.detail


def test_an_outage_leaves_nothing_open_at_the_start_and_everything_open_at_a_payout(outside):
    adapter = adapter_of(outside.psp)
    adapter.check_connection()
    outside.running.fault("outage")
    with pytest.raises(PspUnknown):
        adapter.start_payout(order("W-FOUR", account="a@b.example"))
    assert not adapter.check_connection().is_up


@pytest.mark.parametrize(
    ("minor", "currency", "value"),
    [(12_345, "EUR", "123.45"), (1, "EUR", "0.01"), (500, "JPY", "500"), (12_300, "HUF", "123"), (100, "TWD", "1")],
)
def test_amounts_are_written_in_paypal_s_precision(minor, currency, value):
    written = mapping.amount_of(minor, currency, Psp(name="PayPal"))
    assert written == {"currency_code": currency, "value": value}
    assert mapping.minor_of(written) == (minor, currency)


def test_a_fraction_of_a_forint_is_refused():
    with pytest.raises(PspRefused, match="only whole amounts in HUF"):
        mapping.amount_of(12_345, "HUF", Psp(name="PayPal"))


def test_an_amount_finer_than_a_cent_is_not_read():
    with pytest.raises(ValueError, match="finer"):
        mapping.minor_of({"currency_code": "EUR", "value": "1.005"})


# ── the settlement report ────────────────────────────────────────────────────────────────────────────────────────────


def _report(cast, outside) -> bytes:
    for number in range(3):
        deposit = start(cast, outside, key=f"k{number}")
        approve(deposit)
        look_up_deposit(deposit.pk)
    adapter_of(outside.psp).start_payout(order("W-FIVE", account="clara@example.org"))
    wait_until(lambda: outside.running.store.row("SELECT 1 FROM movements WHERE type = 'payout'"))
    return fetch(outside)


def fetch(outside) -> bytes:
    today = timezone.now().astimezone(dt.UTC).date()
    return httpx.get(f"{outside.running.url}/paypal/statements?from={today}&to={today}").content


def test_a_settlement_report_is_proved_and_matches_our_references(cast, outside):
    report = read_report(adapter_of(outside.psp), _report(cast, outside))
    payments = [row for row in report.rows if row.type == "payment"]
    assert {row.merchant_reference for row in payments} == set(Deposit.objects.values_list("reference", flat=True))
    fee = 50_000 * 349 // 10_000 + 35
    assert {(row.gross_minor, row.fee_minor, row.net_minor) for row in payments} == {(50_000, fee, 50_000 - fee)}
    payout = next(row for row in report.rows if row.type == "payout")
    assert (payout.gross_minor, payout.fee_minor, payout.merchant_reference) == (-20_000, 25, "W-FIVE")
    assert report.opening == {"EUR": 0}
    assert report.closing == {"EUR": 3 * (50_000 - fee) - 20_025}


def test_a_report_that_does_not_add_up_is_refused_with_its_line(cast, outside):
    good = _report(cast, outside)
    outside.running.fault("settlement_difference", "totals", times=1)
    adapter = adapter_of(outside.psp)
    with pytest.raises(BadFile, match=r"Line 9, column “SF 9”.*closing balance"):
        read_report(adapter, fetch(outside))
    for change, words in [
        ((b'"SB"', b"SB"), ""),
        ((b"SB,CAP", b"XX,CAP"), r"Line 5, column “1”"),
        ((b"T0006", b"X0006"), r"Line 5, column “Transaction Event Code”"),
        ((b",50000,EUR", b",-50000,EUR"), r"Line 5, column “Gross Transaction Amount”.*unsigned"),
        ((b",50000,EUR", b",500.00,EUR"), r"Line 5, column “Gross Transaction Amount”"),
        ((b",50000,EUR", b",40000,EUR"), r"Line 9, column “SF 2”.*add up to €1,400.00, the footer says"),
        ((b"SC,4", b"SC,5"), r"Line 10, column “SC”.*announces 5 rows but contains 4"),
        ((b",CR,50000", b",XX,50000"), r"Line 5, column “Transaction Debit or Credit”"),
        ((b"Invoice ID", b"Faktura"), r"Line 4, column “CH”.*Invoice ID"),
    ]:
        if not words:
            continue
        with pytest.raises(BadFile, match=words):
            read_report(adapter, good.replace(*change, 1))
    with pytest.raises(BadFile, match="ends before its footer"):
        read_report(adapter, good[: good.index(b"RF,")])
    with pytest.raises(BadFile, match="not UTF-8"):
        read_report(adapter, b"\xff\xfe" + good)


def test_whole_forints_of_a_report_are_our_minor_units():
    text = (
        '"RH","2026/10/31 05:00:00 +0000","A","ACC","009"\r\n"FH","01"\r\n'
        '"SH","2026/10/30 00:00:00 +0000","2026/10/30 23:59:59 +0000","ACC",""\r\n'
        '"CH","Transaction ID","Invoice ID","PayPal Reference ID","Transaction Event Code","Transaction Completion Date",'
        '"Transaction  Debit or Credit","Gross Transaction Amount","Gross Transaction Currency","Fee Debit or Credit",'
        '"Fee Amount","Fee Currency","Custom Field"\r\n'
        '"SB","T1","D-1","","T0006","2026/10/30 10:00:00 +0000","CR","12300","HUF","DR","300","HUF",""\r\n'
        '"SF","HUF","12300","0","0","300","CR","0","CR","12000","CR","0","CR","0"\r\n"SC","1"\r\n"FF","1"\r\n"RF","1"\r\n'
    )
    from wallet.psp.paypal.report import StlReader

    report = read_all(StlReader(io.BytesIO(text.encode("utf-8-sig"))))
    assert (report.rows[0].gross_minor, report.rows[0].net_minor) == (1_230_000, 1_200_000)
    assert report.closing == {"HUF": 1_200_000}


def test_what_an_order_says_in_other_words_is_read(cast):
    order_body = {
        "id": "O1",
        "status": "COMPLETED",
        "purchase_units": [
            {
                "custom_id": "D-1",
                "amount": {"currency_code": "USD", "value": "10.00"},
                "payments": {
                    "captures": [
                        {"id": "C1", "status": "PENDING", "amount": {"currency_code": "USD", "value": "10.00"}}
                    ]
                },
            }
        ],
    }
    view = mapping.payment_of_order(order_body)
    assert (view.status, view.received_minor, view.awaits_capture) == (PaymentStatus.PENDING, 1_000, False)
    assert Decimal(view.amount_minor) == 1_000
