"""`kill -9` before every word to the database that may change it, wherever money moves: nothing is lost, nothing twice."""

import datetime as dt
import itertools
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.utils import timezone

from crm import events
from crm.choices import DeliveryState
from crm.models import EventDelivery
from tests.faults.killing import Rounds
from tests.trading.factories import make_account, make_server
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.factories import available, fund
from tests.wallet.transfers.test_transfer import move
from tests.wallet.withdrawals.test_withdrawal import ask, paid_in
from trading.accounts.balance_operations import settle
from trading.models import BalanceOperation
from wallet.choices.deposits import DepositState
from wallet.choices.transfers import TransferState
from wallet.choices.withdrawals import WithdrawalState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, WebhookMessage, Withdrawal
from wallet.tasks import continue_work
from wallet.webhooks import processing as inbox
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import approve_withdrawal

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
STEPS_MAX = 200


def time_passes() -> None:
    """Everything that waits for its time is due; beat runs until nothing is."""
    for _round in range(2):
        due = timezone.now() - dt.timedelta(minutes=5)
        WebhookMessage.objects.filter(due_at__isnull=False).update(due_at=due)
        Withdrawal.objects.filter(next_look_up_at__isnull=False).update(next_look_up_at=due, sent_at=due)
        Deposit.objects.filter(next_look_up_at__isnull=False).update(next_look_up_at=due)
        continue_work()
        events.drain()


def killed_then_done(rounds: Rounds, step: int, name: str, work: Callable[[], object]) -> bool:
    """A worker dies at this step; the next one does the work again, from its beginning."""
    killed = rounds.killed_at(step, name, work)
    if killed:
        work()
    return killed


def each_delivery_killed(rounds: Rounds, step: int) -> bool:
    """Deliver all events; the worker dies in each delivery at this step, and the next one goes on with what it left.

    Every delivery is a transaction of its own, so what a worker leaves that dies in the fifth is what workers leave that did
    four and began the fifth. One life therefore shows a death in each of them.
    """
    killed = False
    while (
        delivery := EventDelivery.objects.select_related("event")
        .filter(state=DeliveryState.PENDING)
        .order_by("due_at", "pk")
        .first()
    ):
        deliver = lambda: events.deliver_due(limit=1)  # noqa: E731
        killed |= (died := rounds.killed_at(step, f"{delivery.event.name} {delivery.handler}", deliver))
        delivery.refresh_from_db()
        if died and delivery.state == DeliveryState.PENDING:
            deliver()
            delivery.refresh_from_db()
        assert delivery.state == DeliveryState.DONE, (step, delivery.handler)
    return killed


def verified(client) -> None:
    client.kyc_level = 2
    client.save()


def test_a_deposit_survives_a_kill_at_every_step(cast, outside):
    """From the click to the wallet: the intent, the PSP's page, webhooks taken in and acted on."""
    verified(cast.client)
    paid = 0
    rounds = Rounds()
    for step in itertools.count(1):
        assert step < STEPS_MAX
        key = f"k{step}"
        killed = rounds.killed_at(
            step, "start", lambda key=key, amount=str(100 + step): start(cast, outside, amount, key=key)
        )
        deposit = start(cast, outside, str(100 + step), key=key)  # the client clicks again
        pay(deposit)
        paid += 100 + step
        outside.wait_for(outside.delivered + 2)
        for place, (headers, body) in enumerate(outside.catcher.received[outside.delivered :]):
            killed |= killed_then_done(
                rounds, step, f"take in {place}", lambda headers=headers, body=body: outside.post(headers, body)
            )
        for place, message in enumerate(inbox.due_webhooks()):
            killed |= killed_then_done(
                rounds, step, f"act on {place}", lambda message=message: inbox.process_webhook(message)
            )
        killed |= each_delivery_killed(rounds, step)
        assert inbox.due_webhooks() == []
        outside.deliver()  # what was not answered with 200 comes again; what was, comes again too
        time_passes()
        deposit.refresh_from_db()
        assert deposit.state == DepositState.SETTLED, step
        assert posting.balance(posting.wallet_of(cast.client, "EUR")) == paid * 100, step
        if not killed:
            break
    assert step > 10
    assert Deposit.objects.count() == step
    cast.client.refresh_from_db()
    assert cast.client.net_deposits == Decimal(paid)
    assert verify().problems == []


def test_a_withdrawal_survives_a_kill_at_every_step(cast, outside):
    """Requested, approved by two, sent, told by the PSP: each killed at every step, the money leaves once."""
    verified(cast.client)
    paid_in(cast.client, outside.psp, 100_000_00)
    wallet = posting.wallet_of(cast.client, "EUR")
    left = 100_000_00
    rounds = Rounds()
    for step in itertools.count(1):
        assert step < STEPS_MAX
        key, amount = f"w{step}", str(100 + step)
        killed = rounds.killed_at(step, "ask", lambda key=key, amount=amount: ask(cast, outside, amount, key=key))
        withdrawal = ask(cast, outside, amount, key=key)  # the client clicks again
        left -= (100 + step) * 100
        assert available(wallet) == left
        for finance in (cast.finance, cast.second_finance):
            killed |= rounds.killed_at(
                step,
                finance.email,
                lambda who=finance, pk=withdrawal.pk: approve_withdrawal(withdrawal_id=pk, actor=who),
            )
            withdrawal.refresh_from_db()
            if withdrawal.state in (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL) and (
                withdrawal.reviewed_by_id != finance.pk
            ):
                approve_withdrawal(withdrawal_id=withdrawal.pk, actor=finance)
        killed |= rounds.killed_at(step, "send", lambda pk=withdrawal.pk: sending.send_payout(pk))
        time_passes()
        outside.deliver()
        time_passes()
        withdrawal.refresh_from_db()
        sent = outside.running.store.rows(
            "SELECT sum(amount_minor) AS minor FROM transfers WHERE reference = ?", withdrawal.reference
        )[0]["minor"]
        # Killed before the PSP was asked: once that is certain, the money is the client's again. Else it was paid, once.
        assert withdrawal.state == (WithdrawalState.SETTLED if sent else WithdrawalState.FAILED), step
        assert sent in (None, withdrawal.amount_minor)
        left += 0 if sent else withdrawal.amount_minor
        assert (posting.balance(wallet), available(wallet)) == (left, left), step
        if not killed:
            break
    assert step > 10
    assert verify().problems == []


def test_a_transfer_survives_a_kill_at_every_step(cast):
    """To the trading account: reserved, sent, told by the platform; killed at every step, it moves once."""
    verified(cast.client)
    account, wallet, left = make_account(cast.client, make_server()), fund(cast.client, 100_000_00), 100_000_00
    rounds = Rounds()
    for step in itertools.count(1):
        assert step < STEPS_MAX
        key, amount = f"t{step}", str(100 + step)
        killed = rounds.killed_at(
            step, "move", lambda key=key, amount=amount: move(cast, account, amount=amount, key=key)
        )
        transfer = move(cast, account, amount=amount, key=key)  # the client clicks again
        left -= (100 + step) * 100
        assert available(wallet) == left
        sent = BalanceOperation.objects.filter(pk=transfer.operation_id, state="reserved")
        sent.update(state="sent", sent_at=timezone.now())

        def platform_confirms(pk=transfer.operation_id, ticket=step) -> None:
            settle(pk, ticket=ticket, problem=None)

        killed |= rounds.killed_at(step, "confirm", platform_confirms)
        platform_confirms()  # looked up: the same answer again
        killed |= each_delivery_killed(rounds, step)
        continue_work()
        transfer.refresh_from_db()
        assert transfer.state == TransferState.SETTLED, step
        assert (posting.balance(wallet), available(wallet)) == (left, left), step
        if not killed:
            break
    assert step > 10
    clearing = posting.platform_clearing(brand_id=cast.brand.pk, server_id=account.server_id, currency="EUR")
    assert posting.balance(clearing) == 100_000_00 - left
    assert verify().problems == []
