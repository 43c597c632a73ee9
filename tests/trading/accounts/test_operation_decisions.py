"""An operation that the platform doesn't answer for: proposed by one person, booked by another, as the platform shows it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from tests.cast import Cast
from tests.trading.accounts.test_balance_operation import platform_deals, reserve
from tests.trading.factories import make_account
from tests.trading.sandbox_server import Sandbox
from trading.accounts import balance_operations
from trading.accounts.operation_decisions import propose_decision
from trading.choices import OperationState
from trading.models import BalanceOperation, OperationDecision, TradingAccount, TradingServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast: Cast, server: TradingServer, sandbox: Sandbox) -> TradingAccount:
    return make_account(cast.client, server, login=sandbox.new_account())


@pytest.fixture
def absent(account: TradingAccount, sandbox: Sandbox) -> BalanceOperation:
    """Its answer was lost, and it never reached the platform."""
    operation = reserve(account)
    sandbox.fault("drop_before", "TRADE_BALANCE")
    balance_operations.send_operation(operation.pk)
    return operation


@pytest.fixture
def booked(account: TradingAccount, sandbox: Sandbox) -> BalanceOperation:
    """Its answer was lost, and the platform has it."""
    operation = reserve(account)
    sandbox.fault("drop_after", "TRADE_BALANCE")
    balance_operations.send_operation(operation.pk)
    return operation


def state_of(operation: BalanceOperation) -> tuple[str, int | None]:
    operation.refresh_from_db()
    return operation.state, operation.ticket


def ticket_of(sandbox: Sandbox, account: TradingAccount) -> int:
    (deal,) = platform_deals(sandbox, account)
    return int(deal["Deal"])


def test_two_people_book_the_deal_that_the_platform_shows(cast, account, sandbox, booked):
    ticket = ticket_of(sandbox, account)
    decision = propose_decision(operation_id=booked.pk, actor=cast.finance, ticket=ticket, reason="On the terminal")
    assert state_of(booked) == (OperationState.UNKNOWN, None), "nothing is booked by one"
    assert Notification.objects.filter(user=cast.second_finance, kind="trading.operation_outcome_proposed").exists()
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(OperationDecision, decision.pk, actor=cast.finance)
    approvals.approve(OperationDecision, decision.pk, actor=cast.second_finance, note="Seen, too")
    assert state_of(booked) == (OperationState.CONFIRMED, ticket)
    actions = AuditEvent.objects.filter(action__startswith="trading.operation").values_list("action", flat=True)
    assert {"trading.operation_outcome_proposed", "trading.operation_confirmed"} <= set(actions)


def test_an_invented_ticket_is_no_deal_of_the_platform(cast, account, sandbox, absent):
    with pytest.raises(DomainError, match="shows no unused deal 4711"):
        propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=4711, reason="Found on the terminal")
    assert not OperationDecision.objects.exists() and state_of(absent) == (OperationState.UNKNOWN, None)


def test_another_deal_is_not_this_operation(cast, account, server, sandbox, absent):
    """A deal of another account, of another amount, or without our reference; or one that settles another operation."""
    stranger = make_account(cast.client, server, login=sandbox.new_account())
    other = reserve(stranger, idempotency_key="transfer:2")
    balance_operations.send_operation(other.pk)
    more = reserve(account, "250.00", idempotency_key="transfer:3")
    balance_operations.send_operation(more.pk)
    sandbox.post("balance", login=int(account.login), amount="100.00", comment="Bonus")
    tickets = [int(deal["Deal"]) for one in (account, stranger) for deal in platform_deals(sandbox, one)]
    assert len(tickets) == 3
    for ticket in tickets:
        with pytest.raises(DomainError, match="shows no unused deal"):
            propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=ticket, reason="This one")


def test_two_people_declare_that_it_never_happened(cast, absent):
    decision = propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="Asked the desk")
    with pytest.raises(WrongState, match="already awaiting"):
        propose_decision(operation_id=absent.pk, actor=cast.second_finance, ticket=None, reason="Asked, too")
    approvals.approve(OperationDecision, decision.pk, actor=cast.second_finance)
    assert state_of(absent) == (OperationState.FAILED, None)


def test_what_the_platform_shows_did_happen(cast, account, sandbox, booked):
    with pytest.raises(DomainError, match=f"shows a deal .* {ticket_of(sandbox, account)}"):
        propose_decision(operation_id=booked.pk, actor=cast.finance, ticket=None, reason="Never seen")


def test_the_platform_is_asked_again_before_it_is_booked(cast, account, sandbox, absent):
    """Its deal comes late: after somebody looked, and before the second person approves."""
    decision = propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="Not there")
    sandbox.post("balance", login=int(account.login), amount="100.00", comment=absent.reference)
    with pytest.raises(DomainError, match="shows a deal"):
        approvals.approve(OperationDecision, decision.pk, actor=cast.second_finance)
    assert state_of(absent) == (OperationState.UNKNOWN, None)


def test_a_platform_that_is_away_decides_nothing(cast, server, absent):
    server.port = 1
    server.save()
    with pytest.raises(DomainError, match="can't be reached right now"):
        propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="It is down")


def test_others_can_not_decide_and_nobody_decides_their_own(cast, absent):
    for actor in (cast.agent, cast.support, cast.client_user):
        with pytest.raises(NotAllowed):
            propose_decision(operation_id=absent.pk, actor=actor, ticket=None, reason="x")
    BalanceOperation.objects.filter(pk=absent.pk).update(created_by=cast.finance)
    with pytest.raises(NotAllowed):
        propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="x")
    with pytest.raises(DomainError, match="Enter a reason"):
        propose_decision(operation_id=absent.pk, actor=cast.second_finance, ticket=None, reason=" ")
    decision = propose_decision(operation_id=absent.pk, actor=cast.second_finance, ticket=None, reason="Not there")
    with pytest.raises(NotAllowed):
        approvals.approve(OperationDecision, decision.pk, actor=cast.finance)
    assert state_of(absent)[0] == OperationState.UNKNOWN


def test_a_proposal_is_refused_with_a_note_or_withdrawn(cast, absent):
    first = propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="Not there")
    with pytest.raises(DomainError, match="Enter a reason"):
        approvals.reject(OperationDecision, first.pk, actor=cast.second_finance, note="")
    approvals.reject(OperationDecision, first.pk, actor=cast.second_finance, note="Wait for the desk")
    second = propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="Not there")
    with pytest.raises(NotAllowed):
        approvals.withdraw(OperationDecision, second.pk, actor=cast.second_finance)
    approvals.withdraw(OperationDecision, second.pk, actor=cast.finance)
    assert set(OperationDecision.objects.values_list("state", flat=True)) == {"rejected", "withdrawn"}
    assert state_of(absent)[0] == OperationState.UNKNOWN


def test_the_database_holds_that_two_people_decide(cast, absent):
    decision = propose_decision(operation_id=absent.pk, actor=cast.finance, ticket=None, reason="Not there")
    rows = OperationDecision.objects.filter(pk=decision.pk)
    for fields in (
        {"state": ApprovalState.APPROVED, "decided_by": cast.finance, "decided_at": timezone.now()},
        {"state": ApprovalState.APPROVED},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**fields)


def test_the_page_says_who_proposed_and_lets_the_other_one_approve(cast, absent, browse):
    page = reverse("trading_operation", args=[absent.pk])
    wrong = browse(cast.finance).post(page, {"ticket": "4711", "reason": "Typed again"})
    assert wrong.status_code == 422 and "Typed again" in wrong.content.decode()
    sent = browse(cast.finance).post(page, {"ticket": "", "reason": "Asked the desk"})
    assert sent.status_code == 302
    assert "Withdraw proposal" in browse(cast.finance).get(page).content.decode()
    shown = browse(cast.second_finance).get(page).content.decode()
    assert "Approve" in shown and "Asked the desk" in shown
    decision = OperationDecision.objects.get()
    address = reverse("approval_decide", args=["operation-decision", decision.pk, "approve"])
    assert browse(cast.agent).post(address, {"note": ""}).status_code in (403, 404)
    browse(cast.second_finance).post(address, {"note": ""})
    assert state_of(absent) == (OperationState.FAILED, None)
