"""Payouts through Adyen's Transfers API over real sockets: the official SDK on our side, the sandbox on the other."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.models import Notification
from sandbox.psp.dialects.adyen import hmac_key
from sandbox.psp.dialects.adyen_transfers import BALANCE_ACCOUNT, signature
from tests.sandbox.psp.running import wait_until
from tests.wallet.card_payments import wallet_balance
from tests.wallet.factories import fund
from tests.wallet.providers import sent_payout
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.withdrawals import FindingKind, WithdrawalState
from wallet.ledger.verification import verify
from wallet.models import Journal, PayoutFinding, PspCall, WebhookMessage, Withdrawal
from wallet.psp import adapter_of
from wallet.psp.adyen.transfers import latin_name
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.setup import configure_psp
from wallet.psp.values import EventKind, PayoutOrder, TransferStatus
from wallet.withdrawals import investigations, sending
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db
BANK = {"iban": "NL32 ABNA 0515 0714 39", "holder": "Clara Weber"}
KEY = hmac_key("sandbox-webhook-secret-adyen-transfers")
KEYS = {
    "balance_account": BALANCE_ACCOUNT,
    "transfer_key": "sandbox-api-key-adyen-transfers",
    "transfer_webhook_secret": KEY,
}


def set_keys(outside, **keys: str) -> None:
    outside.psp.seal_credentials({**outside.psp.credentials, **keys})
    outside.psp.save()


@pytest.fixture
def outside(adyen_outside):
    """A newly connected account: transfers, and no keys of the Payout API."""
    set_keys(adyen_outside, payout_key="", payout_review_key="", payout_email="", **KEYS)
    return adyen_outside


def order(reference="W-1", **changes) -> PayoutOrder:
    return PayoutOrder(reference, 10_000, "EUR", {**BANK, **changes})


def approved(cast, outside, amount=200, key="w") -> Withdrawal:
    """A withdrawal to an IBAN that only waits to be sent."""
    cast.client.kyc_level = 2
    cast.client.save()
    fund(cast.client, 30_000, key=key)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(
            psp_id=outside.psp.pk, method="sepadirectdebit", amount=Decimal(amount), currency="EUR", destination=BANK
        ),
        request_key=key,
        actor=cast.client_user,
    )
    for actor in (cast.finance, cast.second_finance):
        withdrawal.refresh_from_db()
        if withdrawal.state != WithdrawalState.APPROVED:
            approve_withdrawal(withdrawal_id=withdrawal.pk, actor=actor)
    withdrawal.refresh_from_db()
    return withdrawal


def finish(outside) -> None:
    outside.running.control("finish")


def bodies(outside) -> list[dict]:
    return sorted(
        (json.loads(body) for _, body in outside.catcher.received), key=lambda one: one["data"]["sequenceNumber"]
    )


def post(outside, message: dict | bytes, key=KEY) -> int:
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return outside.post({"hmacsignature": signature(body, key)}, body)


def transfers_made(outside) -> int:
    return len(outside.running.store.rows("SELECT id FROM transfers"))


# Sent and booked


def test_a_payout_is_one_request_that_bears_our_reference_everywhere(outside):
    view = adapter_of(outside.psp).start_payout(order("W-1-2"))
    assert (view.reference, view.status, view.amount_minor) == ("W-1-2", TransferStatus.PENDING, 10_000)
    assert list(PspCall.objects.values_list("operation", flat=True)) == ["POST /adyen/btl/v4/transfers"]
    kept = outside.running.store.row("SELECT key FROM idempotency")
    assert kept["key"] == "W-1-2"
    outside.wait_for(1)
    sent = bodies(outside)[0]
    assert (sent["type"], sent["data"]["reference"]) == ("balancePlatform.transfer.created", "W-1-2")
    assert sent["data"]["referenceForBeneficiary"] == "W12", "letters and digits only"
    assert sent["data"]["categoryData"] == {"priority": "regular", "type": "bank"}
    assert sent["data"]["counterparty"]["bankAccount"] == {
        "accountHolder": {"fullName": "Clara Weber"},
        "accountIdentification": {"type": "iban", "iban": "NL32ABNA0515071439"},
    }
    assert adapter_of(outside.psp).start_payout(order("W-1-2")).psp_reference == view.psp_reference
    assert transfers_made(outside) == 1


def test_a_withdrawal_is_sent_and_settled_when_it_is_booked_however_its_webhooks_come(cast, outside):
    outside.running.fault("webhook_duplicate", 1)
    outside.running.fault("webhook_reorder", 6)
    withdrawal = approved(cast, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT
    finish(outside)
    assert outside.deliver(wait_for=6) == [200] * 6
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.SETTLED, 10_000)
    assert {one["data"]["status"] for one in bodies(outside)} == {"received", "authorised", "booked"}
    assert WebhookMessage.objects.filter(verdict=Verdict.DUPLICATE).count() == 3
    assert Journal.objects.filter(idempotency_key__endswith=":settle").count() == 1
    assert not Notification.objects.filter(kind="wallet.payout_contradicted").exists()
    assert verify().holds


def test_received_and_authorised_are_under_way(cast, outside):
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    outside.wait_for(3)
    booked = bodies(outside)[2]
    for message in bodies(outside)[:2]:
        assert post(outside, message) == 200
    outside.process()
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.SENT, 30_000)
    assert post(outside, booked) == 200
    outside.process()
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.SETTLED


def test_webhooks_that_never_come_are_replaced_by_the_look_up(cast, outside):
    outside.running.fault("webhook_drop", psp="adyen")
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    wait_until(lambda: outside.running.store.row("SELECT status FROM transfers")["status"] == "paid")
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.SETTLED
    asked = PspCall.objects.filter(operation__startswith="GET").values_list("operation", flat=True)
    assert set(asked) == {"GET /adyen/btl/v4/transfers/…"}, "by its id, which is known"
    assert verify().holds


# Refused and failed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iban": "NL32ABNA0515071438"}, "iban: Invalid IBAN"),
        ({"iban": ""}, "needs an IBAN"),
        ({"holder": ""}, "needs an IBAN"),
        ({"holder": "Клара Вебер"}, "Latin letters"),
    ],
)
def test_what_adyen_does_not_take_is_refused_in_words_and_without_the_account_s_number(outside, changes, words):
    with pytest.raises(PspRefused, match=words) as refused:
        adapter_of(outside.psp).start_payout(order(**changes))
    assert "NL32" not in refused.value.message
    assert transfers_made(outside) == 0


def test_an_account_or_currency_that_is_not_ours_is_refused(outside):
    with pytest.raises(PspRefused, match="not GEL"):
        adapter_of(outside.psp).start_payout(PayoutOrder("W-2", 10_000, "GEL", BANK))
    set_keys(outside, balance_account="BA-OTHER")
    with pytest.raises(PspRefused, match="not of this balance platform"):
        adapter_of(outside.psp).start_payout(order())
    set_keys(outside, transfer_key="wrong", balance_account=BALANCE_ACCOUNT)
    with pytest.raises(PspRefused, match="Unauthorized"):
        adapter_of(outside.psp).start_payout(order())


def test_a_refusal_gives_the_money_back_with_adyen_s_words(cast, outside):
    withdrawal = approved(cast, outside)
    set_keys(outside, balance_account="BA-OTHER")
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.FAILED
    withdrawal.refresh_from_db()
    assert "not of this balance platform" in withdrawal.reason
    assert wallet_balance(cast) == 30_000 and verify().holds


@pytest.mark.parametrize(
    ("reason", "told", "words"),
    [
        ("notEnoughBalance", ["received", "refused"], "The PSP can't process the payout right now"),
        ("counterpartyAccountClosed", ["received", "authorised", "failed"], "The receiving account is closed"),
        ("unknown", ["received", "authorised", "failed"], "The PSP couldn't process the payout"),
    ],
)
def test_a_transfer_that_is_refused_or_fails_gives_the_money_back(cast, outside, reason, told, words):
    outside.running.fault("payout_fail", reason, psp="adyen")
    withdrawal = approved(cast, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT
    finish(outside)
    outside.deliver(wait_for=len(told))
    withdrawal.refresh_from_db()
    assert [one["data"]["status"] for one in bodies(outside)] == told
    assert (withdrawal.state, withdrawal.reason, wallet_balance(cast)) == (WithdrawalState.FAILED, words, 30_000)
    assert verify().holds


# Came back


@pytest.mark.parametrize("what", ["return", "fail"])
def test_a_booked_transfer_that_comes_back_is_told_and_booked_by_two_people(cast, outside, what):
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    outside.deliver(wait_for=3)
    outside.running.control(f"adyen/transfers/{withdrawal.reference}/{what}")
    outside.deliver(wait_for=1)
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.SETTLED, 10_000), "nothing is booked by itself"
    assert Notification.objects.filter(kind="wallet.payout_contradicted").exists()
    number = bodies(outside)[3]["data"]["events"][-1]["id"]
    finding = investigations.propose_outcome(
        withdrawal_id=withdrawal.pk,
        kind=FindingKind.CAME_BACK,
        psp_reference=number,
        reason="The account is closed",
        actor=cast.finance,
    )
    approvals.approve(PayoutFinding, finding.pk, actor=cast.second_finance)
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.CAME_BACK, 30_000)
    assert verify().holds


@pytest.mark.parametrize("what", ["return", "fail"])
def test_a_transfer_whose_return_comes_first_is_paid_and_came_back_not_simply_failed(cast, outside, what):
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    outside.wait_for(3)
    outside.running.control(f"adyen/transfers/{withdrawal.reference}/{what}")
    outside.wait_for(4)
    for message in reversed(bodies(outside)):
        assert post(outside, message) == 200
        outside.process()
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.SETTLED, 10_000)
    states = WebhookMessage.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [InboxState.FAILED, *[InboxState.IGNORED] * 3], "late ones take nothing back"
    assert Notification.objects.filter(kind="wallet.payout_contradicted").values("dedupe_key").distinct().count() == 1
    assert verify().holds


def test_a_return_that_only_the_look_up_tells_is_paid_and_came_back(cast, outside):
    outside.running.fault("webhook_drop", psp="adyen")
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    wait_until(lambda: outside.running.store.row("SELECT status FROM transfers")["status"] == "paid")
    outside.running.control(f"adyen/transfers/{withdrawal.reference}/return")
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.SETTLED
    assert Notification.objects.filter(kind="wallet.payout_contradicted").exists()
    assert wallet_balance(cast) == 10_000 and verify().holds


# Unknown


def test_a_transfer_whose_answer_is_lost_is_found_by_our_reference_and_never_sent_again(cast, outside):
    withdrawal = approved(cast, outside)
    outside.running.fault("lose_answer", psp="adyen", times=1)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    assert sending.look_up_payout(withdrawal.pk) in (WithdrawalState.SENT, WithdrawalState.SETTLED)
    withdrawal.refresh_from_db()
    assert withdrawal.psp_reference and transfers_made(outside) == 1
    assert PspCall.objects.filter(operation__startswith="POST").count() == 1
    finish(outside)
    outside.deliver(wait_for=3)
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.SETTLED and verify().holds


def test_what_was_sent_and_is_not_listed_stays_unknown_for_an_hour_before_the_money_goes_back(cast, outside):
    withdrawal = approved(cast, outside)
    outside.running.fault("outage", psp="adyen", times=1)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    Withdrawal.objects.filter(pk=withdrawal.pk).update(sent_at=timezone.now() - dt.timedelta(minutes=50))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    Withdrawal.objects.filter(pk=withdrawal.pk).update(sent_at=timezone.now() - dt.timedelta(minutes=70))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.FAILED
    assert wallet_balance(cast) == 30_000 and verify().holds


def test_an_outage_is_unknown_and_a_closed_door_is_unreachable(outside):
    outside.running.fault("outage", psp="adyen", times=1)
    with pytest.raises(PspUnknown):
        adapter_of(outside.psp).start_payout(order())
    adapter_of(outside.psp).start_payout(order())
    with pytest.raises(PspUnknown, match="another request"):
        adapter_of(outside.psp).start_payout(order(holder="Other"))
    outside.psp.base_url = "http://127.0.0.1:9/adyen"
    with pytest.raises(PspUnreachable):
        adapter_of(outside.psp).start_payout(order("W-9"))


def test_several_transfers_under_one_reference_are_for_people(outside):
    adapter = adapter_of(outside.psp)
    assert adapter.find_payout(sent_payout("W-1")) is None
    view = adapter.start_payout(order())
    assert adapter.find_payout(sent_payout("W-1")).psp_reference == view.psp_reference
    # Someone made a second one by hand: references are not unique there.
    store = outside.running.store
    row = dict(store.row("SELECT * FROM transfers"))
    store.run("DROP TABLE transfers")
    store.run(f"CREATE TABLE transfers ({', '.join(row)})")
    for number in ("a" * 20, "b" * 20):
        store.insert("transfers", **{**row, "id": f"po_{number}"})
    with pytest.raises(PspUnknown, match="several transfers"):
        adapter.find_payout(sent_payout("W-1"))


OLD_KEYS = {
    "payout_key": "sandbox-api-key-adyen-payout-submit",
    "payout_review_key": "sandbox-api-key-adyen-payout-review",
    "payout_email": "payouts@broker.example",
}


def test_what_went_the_old_way_is_looked_up_the_old_way(cast, outside):
    set_keys(outside, transfer_key="", **OLD_KEYS)
    withdrawal = approved(cast, outside)
    outside.running.fault("lose_answer", psp="adyen", times=1)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    set_keys(outside, **KEYS)
    Withdrawal.objects.filter(pk=withdrawal.pk).update(sent_at=timezone.now() - dt.timedelta(days=1))
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN, "no list of transfers gives it back"


def test_without_all_three_keys_the_payout_api_stays_in_use(outside):
    set_keys(outside, transfer_webhook_secret="", **OLD_KEYS)
    adapter_of(outside.psp).start_payout(order())
    assert PspCall.objects.filter(operation__contains="/Payout/").count() == 2
    set_keys(outside, payout_key="")
    with pytest.raises(PspRefused, match="neither transfers nor"):
        adapter_of(outside.psp).start_payout(order("W-2"))


# Webhooks


@pytest.fixture
def booked(outside) -> dict:
    adapter_of(outside.psp).start_payout(order())
    finish(outside)
    outside.wait_for(3)
    return bodies(outside)[2]


def verdict_on(outside, message: dict, *, key=KEY, later=dt.timedelta()) -> Verdict:
    body = json.dumps(message).encode()
    headers = {"hmacsignature": signature(body, key)}
    return adapter_of(outside.psp).judge_webhook(body, headers, now=timezone.now() + later).verdict


def test_a_forged_or_foreign_or_old_message_is_kept_and_acted_on_by_nobody(outside, booked):
    assert verdict_on(outside, booked) == Verdict.ACCEPTED
    assert verdict_on(outside, booked, key=hmac_key("other")) == Verdict.WRONG_SIGNATURE
    assert verdict_on(outside, booked, key=hmac_key("sandbox-webhook-secret-adyen")) == Verdict.WRONG_SIGNATURE
    assert verdict_on(outside, booked, later=dt.timedelta(days=32)) == Verdict.STALE
    assert verdict_on(outside, booked, later=-dt.timedelta(minutes=6)) == Verdict.FUTURE
    assert verdict_on(outside, {**booked, "environment": "live"}) == Verdict.OTHER_MERCHANT
    other = {**booked, "data": {**booked["data"], "balanceAccount": {"id": "BA-OTHER"}}}
    assert verdict_on(outside, other) == Verdict.OTHER_MERCHANT
    odd = {**booked, "data": {**booked["data"], "status": "levitated"}}
    assert verdict_on(outside, odd) == Verdict.MALFORMED
    body = json.dumps(booked).encode()
    adapter = adapter_of(outside.psp)
    assert adapter.judge_webhook(body, {}, now=timezone.now()).verdict == Verdict.NO_SIGNATURE
    assert outside.post({}, body) == 400
    assert WebhookMessage.objects.get().state == InboxState.REFUSED


def test_the_sandbox_s_forger_gets_nowhere(cast, outside):
    outside.running.fault("webhook_forge", psp="adyen")
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    outside.wait_for(3)
    assert set(outside.deliver()) == {400}
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.SENT


def test_a_message_about_another_amount_or_currency_books_nothing(cast, outside):
    outside.running.fault("webhook_tamper", 1, psp="adyen")
    withdrawal = approved(cast, outside)
    sending.send_payout(withdrawal.pk)
    finish(outside)
    assert outside.deliver(wait_for=3) == [200] * 3
    booked = {one["data"]["sequenceNumber"]: one for one in bodies(outside)}[3]
    dollars = {**booked["data"], "amount": {"value": 20_000, "currency": "USD"}, "sequenceNumber": 9}
    assert post(outside, {**booked, "data": dollars}) == 200
    outside.process()
    withdrawal.refresh_from_db()
    assert (withdrawal.state, wallet_balance(cast)) == (WithdrawalState.SENT, 30_000)
    assert WebhookMessage.objects.get(event_id__contains=":3:").state == InboxState.FAILED


def test_what_else_a_balance_platform_tells_needs_nothing_from_us(outside, booked):
    adapter = adapter_of(outside.psp)
    for message in (
        {**booked, "type": "balancePlatform.balanceAccount.updated"},
        {**booked, "data": {**booked["data"], "direction": "incoming"}},
        {**booked, "data": {"category": "platformPayment", "direction": "incoming"}},
    ):
        body = json.dumps(message).encode()
        judged = adapter.judge_webhook(body, {"hmacsignature": signature(body, KEY)}, now=timezone.now())
        assert (judged.verdict, judged.events[0].kind) == (Verdict.ACCEPTED, EventKind.OTHER)
        assert adapter.read_webhook(body) == judged.events
        assert post(outside, body) == 200
    outside.process()
    assert set(WebhookMessage.objects.values_list("state", flat=True)) == {InboxState.IGNORED}


def test_a_new_hmac_key_leaves_the_old_one_valid(cast, outside, booked):
    configure_psp(
        psp_id=outside.psp.pk, values={}, keys={"transfer_webhook_secret": hmac_key("fresh")}, actor=cast.finance
    )
    outside.psp.refresh_from_db()
    assert verdict_on(outside, booked) == Verdict.ACCEPTED
    assert verdict_on(outside, booked, key=hmac_key("fresh")) == Verdict.ACCEPTED


# Set-up


def test_the_connection_test_looks_at_the_transfers_too(cast, outside, browse):
    assert adapter_of(outside.psp).check_connection().is_up
    good = outside.psp.credentials
    for keys, words in (
        ({"transfer_webhook_secret": ""}, "need all three"),
        ({"transfer_webhook_secret": "xyz"}, "isn't hexadecimal"),
        ({"transfer_key": "wrong"}, "doesn't recognise the API key for transfers"),
        ({"balance_account": "BA-OTHER"}, "has no access to the transfers of balance account BA-OTHER"),
    ):
        outside.psp.seal_credentials({**good, **keys})
        health = adapter_of(outside.psp).check_connection()
        assert not health.is_up and words in health.detail
    outside.psp.save()
    page = browse(cast.finance).get(reverse("wallet:psp", args=[outside.psp.pk])).content.decode()
    assert 'value="BA-OTHER"' in page and KEY not in page and "sandbox-api-key-adyen-transfers" not in page


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Jürgen Müller-Lüdenscheidt", "Jurgen Muller-Ludenscheidt"),
        ("Łukasz  Wójcik", "Lukasz Wojcik"),
        ("Seán O\u2019Neill", "Sean O'Neill"),
    ],
)
def test_a_name_is_written_in_the_letters_that_adyen_takes(name, written):
    assert latin_name(name) == written
