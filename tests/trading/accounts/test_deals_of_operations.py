"""Which deal of a platform confirms an operation whose answer was lost: its reference, its account and its amount."""

from decimal import Decimal

import pytest
from django.utils import timezone

from tests.trading.factories import make_account, make_server
from trading.accounts import balance_operations
from trading.accounts.balance_operations import MoneyDeal, note_deals
from trading.choices import IssueKind, OperationKind, OperationState
from trading.models import BalanceOperation, PlatformIssue

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(db):
    return make_server()


@pytest.fixture
def lost(cast, server) -> BalanceOperation:
    """EUR 100 to an account; whether the platform booked it nobody knows."""
    account = make_account(cast.client, server, login="1001")
    operation = balance_operations.reserve_operation(
        account_id=account.pk, kind=OperationKind.DEPOSIT, amount=Decimal(100), idempotency_key="t:1", actor=None
    )
    BalanceOperation.objects.filter(pk=operation.pk).update(state=OperationState.UNKNOWN, sent_at=timezone.now())
    operation.refresh_from_db()
    return operation


def deal(operation: BalanceOperation, *, ticket: int = 7, **fields) -> MoneyDeal:
    values = {"account_id": operation.account_id, "amount": operation.amount, "comment": operation.reference, **fields}
    return MoneyDeal(ticket=ticket, **values)


def state_of(operation: BalanceOperation) -> tuple[str, int | None]:
    operation.refresh_from_db()
    return operation.state, operation.ticket


def issues() -> list[str]:
    return list(PlatformIssue.objects.values_list("kind", flat=True))


def test_the_deal_of_its_reference_account_and_amount_confirms(lost, server):
    note_deals(server.pk, [deal(lost, comment=f" {lost.reference} ")])
    assert state_of(lost) == (OperationState.CONFIRMED, 7) and issues() == []


@pytest.mark.parametrize("amount", ["99.99", "100.01", "-100", "0"])
def test_a_deal_of_another_amount_confirms_nothing(lost, server, amount):
    note_deals(server.pk, [deal(lost, amount=Decimal(amount))])
    assert state_of(lost) == (OperationState.UNKNOWN, None)


def test_a_deal_of_another_account_confirms_nothing(cast, lost, server):
    other = make_account(cast.other_client, server, login="1002")
    note_deals(server.pk, [deal(lost, account_id=other.pk)])
    assert state_of(lost) == (OperationState.UNKNOWN, None)


def test_a_deal_of_another_reference_confirms_nothing(lost, server):
    note_deals(server.pk, [deal(lost, comment="K-OTHER")])
    assert state_of(lost) == (OperationState.UNKNOWN, None) and issues() == []


def test_a_deal_of_another_server_confirms_nothing(lost):
    elsewhere = make_server(name="Second MT5")
    note_deals(elsewhere.pk, [deal(lost)])
    assert state_of(lost) == (OperationState.UNKNOWN, None)


@pytest.mark.parametrize("second", ["100", "99.99"])
def test_two_deals_of_one_reference_are_for_a_person(lost, server, second):
    """Also where only one of them has the amount: the other one was booked under this reference, too."""
    note_deals(server.pk, [deal(lost), deal(lost, ticket=8, amount=Decimal(second))])
    assert state_of(lost) == (OperationState.UNKNOWN, None)
    assert issues() == [IssueKind.TWO_CANDIDATES]


def test_a_second_deal_of_a_confirmed_one_is_for_a_person(lost, server):
    note_deals(server.pk, [deal(lost)])
    note_deals(server.pk, [deal(lost)])  # the same deal, brought again
    assert issues() == []
    note_deals(server.pk, [deal(lost, ticket=8)])
    assert state_of(lost) == (OperationState.CONFIRMED, 7) and issues() == [IssueKind.TWO_CANDIDATES]


def test_each_operation_is_confirmed_by_its_own_deal(cast, lost, server):
    second = balance_operations.reserve_operation(
        account_id=make_account(cast.other_client, server, login="1002").pk,
        kind=OperationKind.DEPOSIT,
        amount=Decimal(50),
        idempotency_key="t:2",
        actor=None,
    )
    BalanceOperation.objects.filter(pk=second.pk).update(state=OperationState.UNKNOWN, sent_at=timezone.now())
    note_deals(server.pk, [deal(second, ticket=8, amount=Decimal(50)), deal(lost, ticket=7)])
    assert (state_of(lost)[1], state_of(second)[1]) == (7, 8)
