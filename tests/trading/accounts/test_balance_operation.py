"""Money into and out of trading accounts: over a real socket, whatever happens to the answer, exactly once."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.utils import timezone

from clients.models import TimelineEntry
from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.models import AuditEvent, OutboxEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from tests.trading.sandbox_server import Sandbox
from trading.accounts import balance_operations
from trading.choices import IssueKind, OperationKind, OperationState
from trading.models import BalanceOperation, PlatformIssue, TradingAccount, TradingServer
from trading.sync.deals import sync_deals

pytestmark = pytest.mark.django_db
Euro = Decimal


@pytest.fixture
def account(cast: Cast, server: TradingServer, sandbox: Sandbox) -> TradingAccount:
    return make_account(cast.client, server, login=sandbox.new_account())


def reserve(account: TradingAccount, amount: str = "100.00", **fields: object) -> BalanceOperation:
    kind = OperationKind.DEPOSIT if not amount.startswith("-") else OperationKind.WITHDRAWAL
    values = {"kind": kind, "amount": Decimal(amount), "idempotency_key": "transfer:1", "actor": None, **fields}
    return balance_operations.reserve_operation(account_id=account.pk, **values)


def platform_deals(sandbox: Sandbox, account: TradingAccount) -> list[dict[str, str]]:
    with sandbox.client() as client:
        return client.read("DEAL_GET_BATCH", {"LOGIN": account.login, "FROM": 0, "TO": 0}).rows()


def make_due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - dt.timedelta(seconds=1))


def test_a_deposit_is_booked_under_its_reference(account: TradingAccount, sandbox: Sandbox) -> None:
    operation = reserve(account)
    assert operation.state == OperationState.RESERVED
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    operation.refresh_from_db()
    (deal,) = platform_deals(sandbox, account)
    assert (deal["Comment"], deal["Profit"], deal["Deal"]) == (operation.reference, "100.00", str(operation.ticket))
    event = OutboxEvent.objects.get(name="trading.balance_operation_settled")
    assert event.payload["confirmed"] is True
    assert event.payload["operation_id"] == operation.pk
    actions = AuditEvent.objects.filter(action__startswith="trading.operation").values_list("action", flat=True)
    assert set(actions) == {"trading.operation_reserved", "trading.operation_confirmed"}


def test_the_same_key_is_one_operation_and_another_wish_under_it_a_conflict(account: TradingAccount) -> None:
    first = reserve(account)
    assert reserve(account).pk == first.pk
    with pytest.raises(IdempotencyConflict):
        reserve(account, "100.01")
    assert BalanceOperation.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "1.005", "NaN"])
def test_a_senseless_amount_is_refused_and_nothing_is_written(account: TradingAccount, amount: str) -> None:
    with pytest.raises(DomainError):
        reserve(account, amount)
    assert not BalanceOperation.objects.exists()


def test_only_those_who_may_can_move_money(cast: Cast, account: TradingAccount) -> None:
    for actor in (cast.agent, cast.other_client_user, cast.other_agent):
        with pytest.raises(NotAllowed):
            reserve(account, actor=actor)
    with pytest.raises(NotAllowed):  # a client books no credit for themselves
        reserve(account, actor=cast.client_user, kind=OperationKind.CREDIT)
    assert not BalanceOperation.objects.exists()
    assert reserve(account, actor=cast.client_user).created_by == cast.client_user


def test_a_closed_account_takes_no_money(account: TradingAccount) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(state="archived")
    with pytest.raises(WrongState):
        reserve(account)


# -- the answer is lost -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_after", "never_after", "garbage", "foreign_number"])
def test_an_answer_lost_after_booking_is_looked_up_and_not_repeated(
    account: TradingAccount, sandbox: Sandbox, kind: str
) -> None:
    operation = reserve(account)
    sandbox.fault(kind, "TRADE_BALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN  # not sent again
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    (deal,) = platform_deals(sandbox, account)
    operation.refresh_from_db()
    assert operation.ticket == int(deal["Deal"])
    assert operation.attempts == 1


def test_an_error_code_after_booking_is_looked_up_too(cast: Cast, account: TradingAccount, sandbox: Sandbox) -> None:
    """Also where the ticket's number settled an operation of another server."""
    operation = reserve(account)
    sandbox.fault("retcode_after", "TRADE_BALANCE", value=10012)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    elsewhere = reserve(make_account(cast.client, make_server(name="Elsewhere")), idempotency_key="transfer:2")
    ticket = int(platform_deals(sandbox, account)[0]["Deal"])
    now = timezone.now()
    BalanceOperation.objects.filter(pk=elsewhere.pk).update(
        state="confirmed", ticket=ticket, sent_at=now, settled_at=now
    )
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    assert len(platform_deals(sandbox, account)) == 1


def test_a_late_answer_changes_nothing(account: TradingAccount, sandbox: Sandbox) -> None:
    operation = reserve(account)
    sandbox.fault("slow", "TRADE_BALANCE", value=1.5)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    assert len(platform_deals(sandbox, account)) == 1


def test_an_answer_that_comes_twice_books_once(account: TradingAccount, sandbox: Sandbox) -> None:
    first = reserve(account)
    sandbox.fault("duplicate", "TRADE_BALANCE")
    assert balance_operations.send_operation(first.pk) == OperationState.CONFIRMED
    second = reserve(account, "5.00", idempotency_key="transfer:2")
    assert balance_operations.send_operation(second.pk) == OperationState.CONFIRMED
    assert [deal["Profit"] for deal in platform_deals(sandbox, account)] == ["100.00", "5.00"]


def test_an_operation_that_never_shows_up_ends_with_a_person_and_is_never_sent_again(
    account: TradingAccount, sandbox: Sandbox
) -> None:
    operation = reserve(account)
    sent = sandbox.command_count("TRADE_BALANCE")
    sandbox.fault("drop_before", "TRADE_BALANCE")
    asked = timezone.now()
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    operation.refresh_from_db()
    assert operation.next_check_at - asked < dt.timedelta(seconds=10), "looked up soon, and then at longer intervals"
    for _check in range(len(balance_operations.LOOK_UP_WAITS)):
        assert not PlatformIssue.objects.exists()
        make_due(operation)
        assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    issue = PlatformIssue.objects.get()
    assert (issue.kind, issue.subject) == (IssueKind.NOT_FOUND, operation.reference)
    assert sandbox.command_count("TRADE_BALANCE") == sent + 1


def test_two_deals_under_one_reference_are_a_question_for_a_person(account: TradingAccount, sandbox: Sandbox) -> None:
    operation = reserve(account)
    sandbox.fault("book_twice", "TRADE_BALANCE")
    sandbox.fault("drop_after", "TRADE_BALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    issue = PlatformIssue.objects.get()
    assert issue.kind == IssueKind.TWO_CANDIDATES
    assert len(issue.details["tickets"]) == 2


def test_a_second_booking_of_a_confirmed_operation_is_noticed_by_the_sync(
    account: TradingAccount, sandbox: Sandbox, server: TradingServer
) -> None:
    operation = reserve(account)
    sandbox.fault("book_twice", "TRADE_BALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    sync_deals(server)
    assert PlatformIssue.objects.get(kind=IssueKind.TWO_CANDIDATES).subject == operation.reference


def test_a_comment_that_the_platform_cut_still_names_its_operation(account: TradingAccount, sandbox: Sandbox) -> None:
    operation = reserve(account)
    sandbox.fault("cut_comment", "TRADE_BALANCE", value=16)
    sandbox.fault("drop_after", "TRADE_BALANCE")
    balance_operations.send_operation(operation.pk)
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED


def test_the_sync_settles_an_operation_whose_answer_was_lost(
    account: TradingAccount, sandbox: Sandbox, server: TradingServer
) -> None:
    operation = reserve(account)
    sandbox.fault("drop_after", "TRADE_BALANCE")
    balance_operations.send_operation(operation.pk)
    sync_deals(server)
    operation.refresh_from_db()
    assert operation.state == OperationState.CONFIRMED


def test_a_worker_that_died_after_sending_leaves_an_operation_to_be_looked_up(
    account: TradingAccount, sandbox: Sandbox
) -> None:
    operation = reserve(account)
    claimed = balance_operations._claim(operation.pk)  # the worker dies here
    assert claimed is not None
    assert balance_operations.due_operations() == []
    assert balance_operations.resolve_operation(operation.pk) == OperationState.SENT  # its lease still runs
    make_due(operation)
    assert balance_operations.due_operations() == [(operation.pk, "sent")]
    assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    assert platform_deals(sandbox, account) == []


def test_the_client_reads_of_a_credit_and_of_what_failed_but_a_transfer_has_its_own_entry(
    account: TradingAccount, sandbox: Sandbox
) -> None:
    credit = reserve(account, "20.00", kind=OperationKind.CREDIT, idempotency_key="credit:1")
    refused = reserve(account, "-500.00", idempotency_key="transfer:2")
    paid = reserve(account, "100.00", idempotency_key="transfer:3")
    for operation in (credit, refused, paid):
        make_due(operation)
        balance_operations.send_operation(operation.pk)
    shown = dict(TimelineEntry.objects.filter(kind="trading").values_list("dedupe_key", "is_visible_to_client"))
    assert [shown[f"trading.operation:{one.pk}"] for one in (credit, refused, paid)] == [True, True, False]


# -- refusals and waiting ---------------------------------------------------------------------------------------------


def test_a_withdrawal_above_the_free_money_fails_with_the_platforms_reason(
    account: TradingAccount, sandbox: Sandbox
) -> None:
    operation = reserve(account, "-1.00")
    assert balance_operations.send_operation(operation.pk) == OperationState.FAILED
    operation.refresh_from_db()
    assert (operation.retcode, operation.error_kind) == (10019, "final")
    assert OutboxEvent.objects.get(name="trading.balance_operation_settled").payload["confirmed"] is False
    assert platform_deals(sandbox, account) == []


@pytest.mark.parametrize("kind", ["too_frequent", "down"])
def test_what_never_began_is_tried_again_later(
    account: TradingAccount, sandbox: Sandbox, server: TradingServer, kind: str
) -> None:
    operation = reserve(account)
    if kind == "down":
        TradingServer.objects.get(pk=server.pk)
        server.port = 1
        server.save()
    else:
        sandbox.fault("too_frequent", "TRADE_BALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.RESERVED
    operation.refresh_from_db()
    assert operation.next_check_at > timezone.now()
    assert balance_operations.send_operation(operation.pk) == OperationState.RESERVED  # not before its time
    server.port = sandbox.port
    server.save()
    make_due(operation)
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    assert len(platform_deals(sandbox, account)) == 1


def test_what_could_not_begin_for_an_hour_fails_and_gives_the_money_back(
    account: TradingAccount, server: TradingServer
) -> None:
    server.port = 1
    server.save()
    operation = reserve(account)
    BalanceOperation.objects.filter(pk=operation.pk).update(created_at=timezone.now() - dt.timedelta(hours=2))
    assert balance_operations.send_operation(operation.pk) == OperationState.FAILED


def test_one_operation_of_an_account_is_on_its_way_at_a_time(account: TradingAccount) -> None:
    first, second = reserve(account), reserve(account, "5.00", idempotency_key="transfer:2")
    balance_operations._claim(first.pk)
    assert balance_operations.send_operation(second.pk) == OperationState.RESERVED
    balance_operations.settle(first.pk, ticket=1)
    make_due(second)
    assert balance_operations.send_operation(second.pk) == OperationState.CONFIRMED


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_it_once(cast: Cast, server: TradingServer, sandbox: Sandbox) -> None:
    from django.db import connection

    account = make_account(cast.client, server, login=sandbox.new_account())
    operation = reserve(account)
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        try:
            balance_operations.send_operation(operation.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    operation.refresh_from_db()
    assert operation.state == OperationState.CONFIRMED
    assert len(platform_deals(sandbox, account)) == 1


def test_a_worker_that_was_held_up_after_its_claim_sends_nothing(
    account: TradingAccount, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = reserve(account)
    monkeypatch.setattr(
        balance_operations, "LEASE", dt.timedelta(seconds=20)
    )  # as if forty of its sixty seconds were gone
    sent = sandbox.command_count("TRADE_BALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.RESERVED
    assert sandbox.command_count("TRADE_BALANCE") == sent
    monkeypatch.undo()
    make_due(operation)
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    assert len(platform_deals(sandbox, account)) == 1


def test_a_late_worker_leaves_an_operation_to_the_one_that_took_it_since(account: TradingAccount) -> None:
    operation = reserve(account)
    BalanceOperation.objects.filter(pk=operation.pk).update(
        state=OperationState.SENT, attempts=2, sent_at=timezone.now(), next_check_at=timezone.now()
    )
    late = balance_operations._not_begun(operation.pk, balance_operations.NotStarted("held up"), 1)
    operation.refresh_from_db()
    assert late == operation.state == OperationState.SENT
