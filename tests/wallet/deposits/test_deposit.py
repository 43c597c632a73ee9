"""A deposit from the click to the wallet, over real sockets: booked once, whatever the PSP sends, however often."""

import datetime as dt
import random
from decimal import Decimal

import httpx
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from clients.facts import fact_of
from clients.models import TimelineEntry
from crm import events
from crm.conditions import all_of
from crm.errors import DomainError, IdempotencyConflict, NotAllowed
from crm.models import AuditEvent, Notification, OutboxEvent
from tests.outbox import published
from tests.wallet.factories import fund
from wallet.choices.deposits import DepositState, HoldReason
from wallet.choices.ledger import AccountKind
from wallet.choices.psp import InboxState, Verdict
from wallet.deposits import verbs as deposits
from wallet.deposits.verbs import DepositRequest, look_up_deposit, release_held_deposit, start_deposit
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, PspMovement, WebhookMessage

pytestmark = pytest.mark.django_db


def start(cast, outside, amount="500", *, key="k1", actor=None, psp=None, currency="EUR", client=None) -> Deposit:
    client = client or cast.client
    return start_deposit(
        client_id=client.pk,
        request=DepositRequest(psp_id=(psp or outside.psp).pk, amount=Decimal(amount), currency=currency),
        request_key=key,
        return_url="http://room.example/deposits/{reference}/",
        actor=actor or client.user,
    )


def pay(deposit: Deposit) -> httpx.Response:
    card = {"payer_name": str(deposit.client), "card_number": "4242424242424242", "expiry": "12/39", "cvc": "123"}
    return httpx.post(deposit.redirect_url, data={**card, "action": "pay"})


def wallet_balance(cast, currency="EUR") -> int:
    return posting.balance(posting.wallet_of(cast.client, currency))


def test_a_deposit_is_paid_on_the_hosted_page_and_settled_by_the_signed_webhook(cast, outside):
    deposit = start(cast, outside)
    assert deposit.redirect_url.startswith(outside.running.url)
    answer = pay(deposit)
    assert answer.headers["location"].startswith(f"http://room.example/deposits/{deposit.reference}/?reference=")
    assert outside.deliver(wait_for=2) == [200, 200]

    deposit.refresh_from_db()
    assert (deposit.state, deposit.received_minor, deposit.is_first) == (DepositState.SETTLED, 50_000, True)
    assert (deposit.payer_name, deposit.instrument, deposit.base_amount) == ("Clara Weber", "•••• 4242", Decimal(500))
    assert wallet_balance(cast) == 50_000
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == -50_000
    movement = PspMovement.objects.get()
    assert (movement.reference, movement.amount_minor) == (deposit.reference, 50_000)
    assert verify().holds


def test_everyone_who_should_know_is_told(cast, outside):
    pay(start(cast, outside))
    outside.deliver(wait_for=2)
    cast.client.refresh_from_db()
    assert cast.client.stage == "funded"
    assert cast.client.net_deposits == Decimal(500)
    assert cast.client.first_deposit_at == Deposit.objects.get().settled_at
    assert fact_of(cast.client, "deposits_count") == 1
    assert fact_of(cast.client, "last_deposit_at") == cast.client.first_deposit_at
    assert Notification.objects.filter(user=cast.agent, kind="wallet.first_deposit").count() == 1
    entry = TimelineEntry.objects.get(client=cast.client, title="First deposit: €500.00")
    with translation.override("de"):
        assert entry.for_client["title"] == "Ersteinzahlung: 500,00\xa0€"
    assert OutboxEvent.objects.get(name="wallet.deposit_settled").payload["amount"] == "500.00"
    assert AuditEvent.objects.filter(action="wallet.deposit_settled", client_id=cast.client.pk).count() == 1


def test_a_webhook_that_comes_five_times_books_once(cast, outside):
    outside.running.fault("webhook_duplicate", 4)
    pay(start(cast, outside))
    assert outside.deliver(wait_for=10) == [200] * 10
    assert wallet_balance(cast) == 50_000
    assert Journal.objects.count() == 1
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE, state=InboxState.IGNORED).count() == 8


def test_shuffled_webhooks_end_in_the_same_ledger(cast, outside):
    pay(start(cast, outside))
    outside.wait_for(2)
    outside.catcher.received.reverse()
    outside.deliver()
    assert Deposit.objects.get().state == DepositState.SETTLED
    assert wallet_balance(cast) == 50_000


def test_a_forged_webhook_is_stored_judged_and_changes_nothing(cast, outside):
    outside.running.fault("webhook_forge")
    pay(start(cast, outside))
    assert outside.deliver(wait_for=2) == [400, 400]
    assert wallet_balance(cast) == 0
    assert Deposit.objects.get().state == DepositState.CREATED
    message = WebhookMessage.objects.first()
    assert (message.verdict, message.state, message.event_id) == (Verdict.WRONG_SIGNATURE, InboxState.REFUSED, "")
    told = Notification.objects.filter(user=cast.finance, kind="wallet.webhook_refused")
    assert told.count() == 1, "a flood of forgeries is one line"


@pytest.mark.parametrize(("seconds", "verdict"), [(3600, Verdict.STALE), (-3600, Verdict.FUTURE)])
def test_a_stale_or_future_webhook_is_refused(cast, outside, seconds, verdict):
    outside.running.fault("webhook_stale", seconds, times=2)
    pay(start(cast, outside))
    assert set(outside.deliver(wait_for=2)) == {400}
    assert set(WebhookMessage.objects.values_list("verdict", flat=True)) == {verdict}
    assert wallet_balance(cast) == 0


def test_a_webhook_for_another_merchant_or_to_another_psp_s_door_changes_nothing(cast, outside):
    from tests.wallet.factories import make_psp

    make_psp(cast.other_brand, "cardinal", base_url=outside.running.url)
    pay(start(cast, outside))
    outside.wait_for(2)
    headers, body = outside.catcher.received[-1]
    assert outside.post(headers, body, code="cardinal") == 400
    outside.psp.seal_credentials({**outside.psp.credentials, "merchant": "merchant-of-someone-else"})
    outside.psp.save()
    assert outside.post(headers, body) == 400
    assert set(WebhookMessage.objects.values_list("verdict", flat=True)) == {
        Verdict.WRONG_SIGNATURE,
        Verdict.OTHER_MERCHANT,
    }
    assert wallet_balance(cast) == 0


def test_an_amount_that_only_the_webhook_tells_is_looked_up_and_not_believed(cast, outside):
    outside.running.fault("webhook_tamper", 100_000)
    pay(start(cast, outside))
    outside.deliver(wait_for=2)
    assert wallet_balance(cast) == 50_000, "the PSP's own API says 500"
    refused = WebhookMessage.objects.filter(state=InboxState.REFUSED)
    assert all("different amount" in message.outcome for message in refused)
    assert refused.count() == 2


def test_an_unknown_payment_is_kept_for_staff(cast, outside):
    session = {"reference": "D-UNKNOWN", "amount_minor": 100, "currency": "EUR", "return_url": "http://x.example/"}
    outside.running.call("northpay", "POST", "/payments", session)
    outside.running.play("northpay", "D-UNKNOWN")
    outside.deliver(wait_for=2)
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {InboxState.UNMATCHED}
    assert not Journal.objects.exists()


@pytest.mark.parametrize(
    ("header", "status"), [("", 400), ("t=abc,v1=xyz", 400), ("v1=00", 400), ("t=1,t=2,v0=ab", 400), ("é=1", 400)]
)
def test_a_webhook_without_a_readable_signature_is_refused(cast, outside, header, status):
    headers = {"sandbox-signature": header.encode().decode("latin-1")} if header else {}
    assert outside.post(headers, b"{}") == status
    assert WebhookMessage.objects.get().verdict == Verdict.NO_SIGNATURE


def test_a_signed_body_that_is_no_event_is_kept_and_not_asked_for_again(cast, outside):
    import time

    from tests.wallet.factories import sign

    body = b'{"merchant": "merchant-northpay", "id": 7}'
    signature = sign("sandbox-webhook-secret-northpay", body, int(time.time()))
    assert outside.post({"sandbox-signature": signature}, body) == 200
    assert WebhookMessage.objects.get().verdict == Verdict.MALFORMED


def test_a_psp_that_is_not_offered_any_more_is_still_heard(cast, outside):
    deposit = start(cast, outside)
    outside.psp.is_enabled = False
    outside.psp.save()
    pay(deposit)
    assert set(outside.deliver(wait_for=2)) == {200}
    assert wallet_balance(cast) == 50_000


def test_a_strange_psp_is_not_found_and_a_huge_body_refused(cast, outside):
    assert outside.post({}, b"{}", code="nobody") == 404
    assert outside.post({}, b"x" * (256 * 1024 + 1)) == 413


def test_a_dropped_webhook_is_made_up_for_by_a_look_up(cast, outside):
    outside.running.fault("webhook_drop")
    deposit = start(cast, outside)
    pay(deposit)
    assert not outside.catcher.received
    assert deposits.due_deposits() == []
    Deposit.objects.update(next_look_up_at="2026-01-01T00:00Z")
    assert deposits.due_deposits() == [deposit.pk]
    assert look_up_deposit(deposit.pk).state == DepositState.SETTLED
    assert deposits.due_deposits() == []
    assert wallet_balance(cast) == 50_000


def test_a_deposit_without_news_is_looked_up_after_longer_and_longer_waits(cast, outside):
    deposit, waits = start(cast, outside), []
    for _time in range(3):
        asked = timezone.now()
        look_up_deposit(deposit.pk)
        deposit.refresh_from_db()
        waits.append(round((deposit.next_look_up_at - asked).total_seconds()))
    assert deposit.state in deposits.OPEN_STATES and deposit.look_ups == 3
    assert 0 < waits[0] < waits[1] < waits[2]


def test_an_abandoned_deposit_expires_and_a_late_payment_is_booked_nevertheless(cast, outside):
    deposit = start(cast, outside)
    over = timezone.now() - dt.timedelta(days=2)
    Deposit.objects.update(expires_at=over, next_look_up_at=over)
    assert look_up_deposit(deposit.pk).state == DepositState.EXPIRED
    pay(deposit)
    outside.deliver(wait_for=2)
    assert Deposit.objects.get().state == DepositState.SETTLED


def test_a_payment_that_is_weeks_late_is_held(cast, outside):
    deposit = start(cast, outside)
    Deposit.objects.update(expires_at=timezone.now() - dt.timedelta(days=15))
    pay(deposit)
    outside.deliver(wait_for=2)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.hold_reasons) == (DepositState.HELD, [HoldReason.LATE])
    assert wallet_balance(cast) == 0


def test_a_declined_payment_fails_in_words(cast, outside):
    deposit = start(cast, outside)
    httpx.post(deposit.redirect_url, data={"action": "decline"})
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    assert (deposit.state, deposit.failure) == (DepositState.FAILED, "cancelled_by_client")
    assert deposit.next_look_up_at is None
    (event,) = published("wallet.deposit_failed")
    assert event.data == {
        "deposit_id": deposit.pk,
        "amount": "500.00",
        "currency": "EUR",
        "psp": deposit.psp.code,
        "reason": "cancelled_by_client",
    }
    assert (event.client, event.brand) == (cast.client.pk, cast.brand.pk)


def test_the_first_deposit_is_found_once(cast, outside):
    for key in ("k1", "k2"):
        pay(start(cast, outside, "100", key=key))
    outside.deliver(wait_for=4)
    assert list(Deposit.objects.order_by("pk").values_list("is_first", flat=True)) == [True, False]
    with pytest.raises(IntegrityError), transaction.atomic():
        Deposit.objects.update(is_first=True)


# Crypto: what arrives may differ


def test_another_amount_than_meant_is_held_and_released_by_finance(cast, outside):
    from tests.wallet.factories import make_psp

    crypto = make_psp(cast.brand, "coinharbor", base_url=outside.running.url, kind="crypto")
    deposit = start(cast, outside, psp=crypto)
    httpx.post(deposit.redirect_url, data={"action": "pay", "sent": "450.00"})
    outside.wait_for(2)
    for headers, body in outside.catcher.received:
        outside.post(headers, body, code="coinharbor")
    outside.process()
    deposit.refresh_from_db()
    assert deposit.state == DepositState.HELD
    assert "€450.00 arrived instead of €500.00" in deposit.failure
    assert wallet_balance(cast) == 0
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=cast.brand.pk, currency="EUR")
    assert posting.balance(suspense) == 45_000

    with pytest.raises(NotAllowed):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.agent, reason="fine")
    with pytest.raises(DomainError):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason=" ")
    release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="Client confirmed the network fee")
    assert (wallet_balance(cast), posting.balance(suspense)) == (45_000, 0)
    assert Deposit.objects.get().state == DepositState.SETTLED
    assert verify().holds


# Taken back


def test_a_chargeback_takes_the_money_back_and_a_reversal_returns_it(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    outside.running.play("northpay", deposit.reference, "chargeback")
    outside.deliver(wait_for=1)
    deposit.refresh_from_db()
    cast.client.refresh_from_db()
    assert deposit.state == DepositState.CHARGED_BACK
    assert (wallet_balance(cast), cast.client.net_deposits) == (0, 0)
    assert OutboxEvent.objects.filter(name="wallet.deposit_reversed").count() == 1
    outside.running.play("northpay", deposit.reference, "chargeback-reversal")
    outside.deliver(wait_for=1)
    assert wallet_balance(cast) == 50_000
    assert posting.balance(posting.psp_clearing(outside.psp, "EUR")) == -50_000
    assert verify().holds


def test_what_the_wallet_can_not_cover_of_a_chargeback_is_the_house_s_loss(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.deliver(wait_for=2)
    fund(cast.client, -30_000, key="spent")
    outside.running.play("northpay", deposit.reference, "chargeback")
    outside.deliver(wait_for=1)
    losses = posting.house(AccountKind.CHARGEBACK_LOSSES, brand_id=cast.brand.pk, currency="EUR")
    assert (wallet_balance(cast), posting.balance(losses)) == (0, -30_000)


def test_a_chargeback_that_is_told_before_its_payment_waits_for_it(cast, outside):
    deposit = start(cast, outside)
    pay(deposit)
    outside.running.play("northpay", deposit.reference, "chargeback")
    outside.wait_for(3)
    outside.catcher.received.sort(key=lambda sent: b"payment.chargeback" not in sent[1])
    outside.deliver()
    waiting = WebhookMessage.objects.get(event_type="payment.chargeback")
    assert (waiting.state, waiting.attempts) == (InboxState.WAITING, 1)
    outside.process()
    assert Deposit.objects.get().state == DepositState.CHARGED_BACK
    assert wallet_balance(cast) == 0


# What is refused at the start


def test_the_same_form_twice_is_one_deposit_and_with_another_amount_an_error(cast, outside):
    first = start(cast, outside)
    assert start(cast, outside).pk == first.pk
    with pytest.raises(IdempotencyConflict):
        start(cast, outside, "501")
    assert Deposit.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "words"),
    [("0", "above zero"), ("-5", "above zero"), ("10.001", "decimal places"), ("1", "minimum"), ("9999999", "maximum")],
)
def test_a_senseless_amount_is_refused_in_words(cast, outside, amount, words):
    with pytest.raises(DomainError, match=words):
        start(cast, outside, amount)
    assert not Deposit.objects.exists()


def test_an_unverified_client_may_pay_in_up_to_the_limit(cast, outside):
    with pytest.raises(DomainError, match="verified"):
        start(cast, outside, "2000.01")
    assert start(cast, outside, "2000")


def test_only_the_client_may_pay_in_and_not_while_restricted(cast, outside):
    with pytest.raises(NotAllowed):
        start(cast, outside, actor=cast.finance)
    with pytest.raises(NotAllowed):
        start(cast, outside, actor=cast.other_client_user)
    cast.client.restrictions = ["no_deposit"]
    cast.client.save()
    with pytest.raises(NotAllowed):
        start(cast, outside)


def test_a_method_that_is_not_offered_is_refused(cast, outside):
    outside.psp.methods.update(condition=all_of({"field": "country", "is": "in", "value": ["ES"]}))
    with pytest.raises(DomainError, match="isn't available"):
        start(cast, outside)


@pytest.mark.parametrize("fault", ["outage", "reset", "lose_answer"])
def test_a_psp_that_is_away_says_so_and_the_same_form_works_later(cast, outside, fault):
    outside.running.fault(fault, times=1)
    with pytest.raises(DomainError, match="Nothing was charged"):
        start(cast, outside)
    deposit = start(cast, outside)
    assert deposit.redirect_url
    assert Deposit.objects.count() == 1


def test_chaos_gives_the_same_ledger_as_order(cast, outside):
    """Ten deposits; their events tripled and shuffled, with replays: each is booked once."""
    for number in range(10):
        deposit = start(cast, outside, str(100 + number), key=f"k{number}")
        pay(deposit)
    outside.wait_for(20)
    sent = list(outside.catcher.received) * 3
    random.Random(7).shuffle(sent)
    for headers, body in sent:
        assert outside.post(headers, body) == 200
    outside.process()
    for headers, body in sent[:10]:
        outside.post(headers, body)
    outside.process()
    assert wallet_balance(cast) == sum(100 + number for number in range(10)) * 100
    assert Journal.objects.count() == 10
    assert Deposit.objects.filter(is_first=True).count() == 1
    assert verify().holds
    assert events.drain() == 0
