"""Between wallet and trading account: reserved, confirmed, or known to be unknown; never twice, never lost."""

import datetime as dt
from decimal import Decimal

import pytest

from crm import events
from crm.errors import DomainError, IdempotencyConflict, NotAllowed
from crm.models import AuditEvent, OutboxEvent
from tests.trading.factories import make_account, make_server
from tests.wallet.factories import available, fund
from trading.accounts.balance_operations import settle
from trading.models import BalanceOperation
from trading.platforms.errors import FinalError
from wallet.choices.transfers import Direction, TransferState
from wallet.ledger import posting
from wallet.ledger.posting import InsufficientFunds
from wallet.ledger.verification import verify
from wallet.models import Journal, Transfer
from wallet.transfers.verbs import finish_transfer, mirror_operations, start_transfer

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast):
    fund(cast.client, 50_000)
    return make_account(cast.client, make_server())


def move(cast, account, direction=Direction.TO_TRADING, amount="300", *, key="k1", actor=None) -> Transfer:
    return start_transfer(
        client_id=cast.client.pk,
        trading_account_id=account.pk,
        direction=direction,
        amount=Decimal(amount),
        request_key=key,
        actor=actor or cast.client_user,
    )


def wallet(cast):
    return posting.wallet_of(cast.client, "EUR")


def clearing(cast, account) -> int:
    return posting.balance(
        posting.platform_clearing(brand_id=cast.brand.pk, server_id=account.server_id, currency="EUR")
    )


def end(transfer: Transfer, *, ticket: int | None) -> str:
    """The platform's word, and its event delivered."""
    sent = BalanceOperation.objects.filter(pk=transfer.operation_id, state="reserved")
    sent.update(state="sent", sent_at=dt.datetime.now(dt.UTC))
    settle(transfer.operation_id, ticket=ticket, problem=None if ticket else FinalError("no money"))
    events.drain()
    transfer.refresh_from_db()
    return transfer.state


def test_money_to_the_platform_is_reserved_and_booked_when_confirmed(cast, account):
    transfer = move(cast, account)
    operation = BalanceOperation.objects.get(pk=transfer.operation_id)
    assert (operation.amount, operation.currency, operation.kind) == (Decimal(300), "EUR", "deposit")
    assert (posting.balance(wallet(cast)), available(wallet(cast))) == (50_000, 20_000)
    assert end(transfer, ticket=77) == TransferState.SETTLED
    assert (posting.balance(wallet(cast)), available(wallet(cast))) == (20_000, 20_000)
    assert clearing(cast, account) == 30_000
    assert OutboxEvent.objects.filter(name="wallet.transfer_settled").count() == 1
    assert verify().holds


def test_money_from_the_platform_is_credited_when_confirmed(cast, account):
    transfer = move(cast, account, Direction.TO_WALLET)
    assert BalanceOperation.objects.get().amount == Decimal(-300)
    assert posting.balance(wallet(cast)) == 50_000
    assert end(transfer, ticket=78) == TransferState.SETTLED
    assert posting.balance(wallet(cast)) == 80_000
    assert clearing(cast, account) == -30_000


@pytest.mark.parametrize("direction", Direction.values)
def test_a_refused_one_leaves_everything_as_it_was(cast, account, direction):
    transfer = move(cast, account, Direction(direction))
    assert end(transfer, ticket=None) == TransferState.FAILED
    assert "no money" in transfer.failure
    assert (posting.balance(wallet(cast)), available(wallet(cast)), clearing(cast, account)) == (50_000, 50_000, 0)
    assert verify().holds


@pytest.mark.parametrize(("ticket", "state"), [(77, TransferState.SETTLED), (None, TransferState.FAILED)])
def test_an_end_that_is_told_twice_or_otherwise_changes_nothing(cast, account, ticket, state):
    transfer = move(cast, account)
    assert end(transfer, ticket=ticket) == state
    finished, money = transfer.finished_at, (posting.balance(wallet(cast)), available(wallet(cast)))
    for confirmed in (True, False):
        told = finish_transfer(operation_id=transfer.operation_id, confirmed=confirmed)
        assert (told.state, told.finished_at) == (state, finished)
    assert (posting.balance(wallet(cast)), available(wallet(cast))) == money
    assert finish_transfer(operation_id=0, confirmed=True) is None, "an operation of no transfer"
    assert AuditEvent.objects.filter(target_id=str(transfer.pk), action__startswith="wallet.transfer_").count() == 2


def test_an_unknown_one_is_shown_as_unknown_and_never_repeated(cast, account):
    transfer = move(cast, account)
    now = dt.datetime.now(dt.UTC)
    BalanceOperation.objects.update(state="unknown", sent_at=now)
    assert mirror_operations() == 0, "a moment is given to it first"
    Transfer.objects.update(created_at=now - dt.timedelta(minutes=1))
    mirror_operations()
    transfer.refresh_from_db()
    assert transfer.state == TransferState.UNKNOWN
    assert BalanceOperation.objects.count() == 1
    assert available(wallet(cast)) == 20_000, "the money stays reserved until it is known"
    assert end(transfer, ticket=79) == TransferState.SETTLED


def test_an_event_that_went_astray_is_made_up_for(cast, account):
    transfer = move(cast, account)
    BalanceOperation.objects.update(
        state="confirmed", ticket=80, sent_at=dt.datetime.now(dt.UTC), settled_at=dt.datetime.now(dt.UTC)
    )
    Transfer.objects.update(created_at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
    mirror_operations()
    transfer.refresh_from_db()
    assert transfer.state == TransferState.SETTLED


def test_the_same_form_twice_is_one_transfer(cast, account):
    assert move(cast, account).pk == move(cast, account).pk
    with pytest.raises(IdempotencyConflict):
        move(cast, account, amount="301")
    assert BalanceOperation.objects.count() == 1


def test_more_than_the_wallet_holds_is_refused(cast, account):
    with pytest.raises(InsufficientFunds):
        move(cast, account, amount="500.01")


def test_only_the_client_s_own_open_accounts_and_only_the_client(cast, account):
    foreign = make_account(cast.other_client, account.server)
    demo = make_account(cast.client, account.server, is_demo=True)
    for wrong in (foreign, demo):
        with pytest.raises(DomainError, match="open trading accounts"):
            move(cast, wrong)
    for actor in (cast.other_client_user, cast.finance, cast.agent):
        with pytest.raises(NotAllowed):
            move(cast, account, actor=actor)
    cast.client.restrictions = ["no_trading"]
    cast.client.save()
    with pytest.raises(NotAllowed):
        move(cast, account)
    assert not Journal.objects.filter(kind="transfer").exists()


def test_who_may_not_trade_fetches_money_back_and_who_is_frozen_does_not(cast, account):
    cast.client.restrictions = ["no_trading"]
    cast.client.save()
    assert move(cast, account, Direction.TO_WALLET)
    cast.client.restrictions = ["frozen"]
    cast.client.save()
    with pytest.raises(NotAllowed):
        move(cast, account, Direction.TO_WALLET, key="k2")
