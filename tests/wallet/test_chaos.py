"""The same events shuffled, tripled and worked on by eight at once give the ledger that order gives."""

import random
from decimal import Decimal

import pytest

from crm import events
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.factories import at_once, available
from tests.wallet.withdrawals.test_withdrawal import IBAN
from wallet.choices.psp import InboxState, Verdict
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, WebhookMessage, Withdrawal
from wallet.webhooks import processing as inbox
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 8


def test_eight_workers_on_shuffled_and_tripled_events_book_everything_once(cast, outside):
    for number in range(12):
        client = cast.client if number % 3 else cast.other_client
        pay(start(cast, outside, str(100 + number), key=f"k{number}", client=client))
    outside.wait_for(24)
    sent = outside.catcher.received[:24] * 3
    random.Random(3).shuffle(sent)
    codes = at_once(lambda number: outside.post(*sent[number]), len(sent), threads=WORKERS)
    assert set(codes) == {200}
    assert WebhookMessage.objects.filter(verdict=Verdict.ACCEPTED).count() == 24
    waiting = list(WebhookMessage.objects.filter(state=InboxState.WAITING).values_list("pk", flat=True)) * 3
    random.Random(4).shuffle(waiting)
    outcomes = at_once(lambda number: inbox.process_webhook(waiting[number]), len(waiting), threads=WORKERS)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    while due := inbox.due_webhooks():
        for pk in due:
            inbox.process_webhook(pk)
    events.drain()

    in_order = {cast.other_client.pk: sum(100 + n for n in range(0, 12, 3)), cast.client.pk: 0}
    in_order[cast.client.pk] = sum(100 + n for n in range(12)) - in_order[cast.other_client.pk]
    for client in (cast.client, cast.other_client):
        assert posting.balance(posting.wallet_of(client, "EUR")) == in_order[client.pk] * 100
        client.refresh_from_db()
        assert client.net_deposits == Decimal(in_order[client.pk])
    assert Journal.objects.count() == 12
    assert Deposit.objects.filter(is_first=True).count() == 2
    assert verify().problems == []


def test_eight_workers_that_hear_of_a_chargeback_too_early_use_up_one_attempt(cast, outside):
    """Else the message would be given up before its payment is told."""
    deposit = start(cast, outside)
    pay(deposit)
    outside.wait_for(2)
    outside.running.play("northpay", deposit.reference, "chargeback")
    outside.wait_for(3)
    early = next(one for one in outside.catcher.received if b"payment.chargeback" in one[1])
    assert outside.post(*early) == 200
    message = WebhookMessage.objects.get()
    outcomes = at_once(lambda _number: inbox.process_webhook(message.pk), 24, threads=WORKERS)
    assert set(outcomes) == {InboxState.WAITING}
    message.refresh_from_db()
    assert (message.state, message.attempts) == (InboxState.WAITING, 1)
    outside.deliver()
    outside.process()
    deposit.refresh_from_db()
    assert deposit.state == "charged_back"


def test_two_approvals_and_two_workers_at_once_pay_once(cast, outside):
    cast.client.kyc_level = 2
    cast.client.save()
    pay(start(cast, outside, "500"))
    outside.deliver(wait_for=2)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=outside.psp.pk, amount=Decimal(200), currency="EUR", destination=IBAN),
        request_key="w",
        actor=cast.client_user,
    )
    people = [cast.finance, cast.second_finance] * 4
    at_once(lambda n: approve_withdrawal(withdrawal_id=withdrawal.pk, actor=people[n]), len(people))
    done = Withdrawal.objects.get()
    assert done.state == "approved"
    assert {done.reviewed_by, done.approved_by} == {cast.finance, cast.second_finance}
    at_once(lambda _n: sending.send_payout(withdrawal.pk), 6)
    outside.deliver(wait_for=1)
    assert Withdrawal.objects.get().state == "settled"
    assert len(outside.running.store.rows("SELECT 1 FROM transfers")) == 1
    assert available(posting.wallet_of(cast.client, "EUR")) == 30_000
    assert verify().holds


def test_of_many_withdrawals_at_once_exactly_the_affordable_ones_are_taken(cast, outside):
    cast.client.kyc_level = 2
    cast.client.save()
    pay(start(cast, outside, "500"))
    outside.deliver(wait_for=2)

    def ask(number: int) -> Withdrawal:
        return request_withdrawal(
            client_id=cast.client.pk,
            request=WithdrawalRequest(psp_id=outside.psp.pk, amount=Decimal(60), currency="EUR", destination=IBAN),
            request_key=f"w{number}",
            actor=cast.client_user,
        )

    done = at_once(ask, 20, threads=WORKERS)
    assert sum(isinstance(one, Withdrawal) for one in done) == 8
    assert available(posting.wallet_of(cast.client, "EUR")) == 2_000
    assert verify().holds
