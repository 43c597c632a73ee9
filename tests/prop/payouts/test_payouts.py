"""A payout takes the profit off the account first and then credits exactly the trader's part, once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm import approvals, events
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, Notification, WorkProposal
from crm.money.amounts import exponent
from prop.choices import ChallengeState, PayoutState
from prop.judge import live
from prop.judge.state import State
from prop.models import ChallengePayout, PhaseAccount
from prop.payouts.requests import offer_of
from prop.payouts.reviews import decide_payout
from prop.payouts.settling import settle_payout
from prop.payouts.terms import next_payout_on, share_of
from tests.cast import Cast, signed_in
from tests.faults.killing import killed_at
from tests.prop.judge.running import NOON, show, trade
from tests.prop.payouts.world import PROFIT, ask, earn, run_funded
from tests.racing import race
from trading.accounts.balance_operations import settle
from trading.choices import DealAction, DealEntry
from trading.models import BalanceOperation, Deal, Position
from trading.platforms.errors import FinalError
from wallet.choices.ledger import AccountKind
from wallet.ledger import posting
from wallet.ledger.verification import verify

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(cast: Cast) -> PhaseAccount:
    made = run_funded(cast)
    earn(made)
    return made


def balances(cast: Cast) -> tuple[int, int, int]:
    """The wallet, the cost of payouts and the income of fees, as they were moved here."""
    house = {"brand_id": cast.brand.pk, "currency": "EUR"}
    wallet = posting.balance(posting.wallet_of(cast.client, "EUR")) - 10_000
    kinds = (AccountKind.CHALLENGE_PAYOUTS, AccountKind.CHALLENGE_FEES)
    payouts, fees = (posting.balance(posting.house(kind, **house)) for kind in kinds)
    return wallet, payouts, fees


def pay_out(cast: Cast, payout: ChallengePayout) -> BalanceOperation:
    """Two people release it; the platform hasn't answered yet."""
    decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    proposal = WorkProposal.objects.get(item=payout.work, state="pending")
    approvals.approve(WorkProposal, proposal.pk, actor=cast.second_finance)
    return BalanceOperation.objects.get(idempotency_key=f"challenge-payout:{payout.pk}")


def confirm(operation: BalanceOperation, ticket: int = 99) -> None:
    operation.refresh_from_db()
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, ticket=ticket)
    events.drain()


def test_the_profit_leaves_the_account_before_the_wallet_is_credited(cast: Cast, row: PhaseAccount) -> None:
    payout = ask(row)
    assert ask(row) == payout
    assert (payout.profit, payout.amount, payout.refund) == (PROFIT, Decimal("800.01"), Decimal(100))
    operation = pay_out(cast, payout)
    payout.refresh_from_db()
    assert (payout.state, operation.kind, operation.amount) == (PayoutState.SENDING, "withdrawal", -PROFIT)
    assert balances(cast) == (0, 0, 0)
    confirm(operation)
    settle_payout(operation_id=operation.pk)
    payout.refresh_from_db()
    assert payout.state == PayoutState.PAID and payout.journal is not None
    assert balances(cast) == (80_001 + 10_000, -80_001, -10_000)
    assert verify().holds
    assert Notification.objects.filter(kind="prop.payout_news", user=cast.client.user).count() == 1
    assert AuditEvent.objects.filter(action="prop.payout_paid", client_id=cast.client.pk).count() == 1


def test_one_person_alone_pays_nothing(cast: Cast, row: PhaseAccount) -> None:
    payout = ask(row)
    with pytest.raises(NotAllowed):
        decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.administrator)
    decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    proposal = WorkProposal.objects.get()
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.finance)
    payout.refresh_from_db()
    assert payout.state == PayoutState.REQUESTED and not BalanceOperation.objects.exists()
    with pytest.raises(NotAllowed):
        ask_as_other(cast, row)


def ask_as_other(cast: Cast, row: PhaseAccount) -> None:
    from prop.payouts.requests import request_payout

    request_payout(challenge_id=row.challenge_id, request_key="x", actor=cast.other_client.user)


def test_a_refused_payout_needs_a_reason_and_can_be_requested_again(cast: Cast, row: PhaseAccount) -> None:
    payout = ask(row)
    with pytest.raises(DomainError, match="reason"):
        decide_payout(payout_id=payout.pk, outcome="rejected", actor=cast.finance)
    decide_payout(payout_id=payout.pk, outcome="rejected", reason="Copied trades", actor=cast.finance)
    with pytest.raises(WrongState):
        decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    again = ask(row, "second")
    assert (again.refund, balances(cast)) == (Decimal(100), (0, 0, 0))


def test_the_platforms_refusal_credits_nothing(cast: Cast, row: PhaseAccount) -> None:
    operation = pay_out(cast, ask(row))
    settle(operation.pk, problem=FinalError("no money"))
    events.drain()
    assert ChallengePayout.objects.get().state == PayoutState.FAILED
    assert balances(cast) == (0, 0, 0)
    assert Notification.objects.filter(kind="prop.payout_failed", user=cast.finance).exists()


def test_open_positions_and_losses_since_stand_against_it(cast: Cast, row: PhaseAccount) -> None:
    payout = ask(row)
    trade(row, 10, DealEntry.IN)
    show(row, 20, "11000.01", "11000.01")
    live.judge_account(row.pk)
    with pytest.raises(WrongState, match="Close all positions"):
        decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    trade(row, 25, DealEntry.OUT, profit="-0.01")
    show(row, 30, "11000.00", "11000.00")
    live.judge_account(row.pk)
    with pytest.raises(WrongState, match="the request was for"):
        decide_payout(payout_id=payout.pk, outcome="sending", actor=cast.finance)
    assert not Position.objects.exists()


def test_what_stands_between_a_trader_and_a_payout(cast: Cast) -> None:
    row = run_funded(cast, consistency=50)
    offer = offer_of(row.challenge)
    assert offer is not None and offer.next_on is None and "no closed profit" in offer.problem
    earn(row)
    with pytest.raises(WrongState, match="best day"):
        ask(row)
    cast.client.kyc_level = 0
    cast.client.save(update_fields=["kyc_level"])
    PhaseAccount.objects.filter(pk=row.pk).update(state="breached", ended_at=NOON)
    with pytest.raises(WrongState, match="running funded account"):
        ask(row)
    assert not ChallengePayout.objects.exists()


def test_the_next_payout_is_counted_from_the_last_request_and_refunds_no_fee(cast: Cast, row: PhaseAccount) -> None:
    assert next_payout_on(row) == dt.date(2026, 3, 16)
    payout = ask(row)
    operation = pay_out(cast, payout)
    confirm(operation)
    made = trade(row, 40, DealEntry.IN)
    Deal.objects.filter(pk=made.pk).update(
        action=DealAction.BALANCE, symbol="", lots=0, profit=-PROFIT, comment=operation.reference
    )
    show(row, 50, "10000", "10000")
    live.judge_account(row.pk)
    row.refresh_from_db()
    state = State.from_json(row.judged["state"])
    assert (state.balance, state.aside, state.base) == (1_000_000, 0, 1_000_000 - 100_001)
    assert row.state == "running" and row.challenge.state == ChallengeState.FUNDED
    assert next_payout_on(row) == payout.requested_on + dt.timedelta(days=14)
    earn(row, 60)
    offer = offer_of(row.challenge)
    assert offer is not None and (offer.amount, offer.refund) == (Decimal("800.01"), 0)
    with pytest.raises(WrongState, match="can be requested from"):
        ask(row, "second")


def test_pages_of_a_payout(cast: Cast, row: PhaseAccount) -> None:
    trader, address = signed_in(cast.client.user), f"/portal/challenges/{row.challenge_id}/"
    assert "Request payout" in trader.get(address).content.decode()
    assert signed_in(cast.other_client.user).post(f"{address}payout/", {"request_key": "a"}).status_code == 404
    trader.post(f"{address}payout/", {"request_key": "a"})
    payout = ChallengePayout.objects.get()
    assert "Pending review" in trader.get(address).content.decode()
    staff, page = signed_in(cast.finance), f"/prop/payouts/{payout.pk}/"
    shown = staff.get(page).content.decode()
    assert "No rule was breached." in shown and "Verified to level 2." in shown
    assert staff.post(page, {"outcome": "sending"}).status_code == 302
    assert "Awaiting second approval" in staff.get(page).content.decode()
    assert "€800.01" in staff.get("/prop/payouts/").content.decode()
    assert AccessEvent.objects.filter(target=f"prop.payout:{payout.pk}", user=cast.finance).exists()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**12), st.integers(1, 10_000), st.sampled_from(["EUR", "JPY"]))
def test_both_parts_are_always_the_profit(minor: int, split: int, currency: str) -> None:
    """In whole units; the trader has the broken one: less than a unit above the exact part."""
    unit = Decimal(1).scaleb(-exponent(currency))
    profit, percent = minor * unit, Decimal(split) / 100
    part = share_of(profit, percent, currency)
    exact = profit * percent / 100
    assert part % unit == 0 and 0 < part <= profit
    assert 0 <= part - exact < unit


@pytest.mark.django_db(transaction=True)
def test_two_workers_credit_once(cast: Cast) -> None:
    row = run_funded(cast)
    earn(row)
    clicks = race(lambda: ask(row), lambda: ask(row))
    assert clicks.has_waited and clicks.first == clicks.second == ChallengePayout.objects.get()
    operation = pay_out(cast, ChallengePayout.objects.get())
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, ticket=99)
    for step in (1, 4, 8):
        assert killed_at(step, lambda: settle_payout(operation_id=operation.pk))
        assert balances(cast) == (0, 0, 0)
    done = race(lambda: settle_payout(operation_id=operation.pk), lambda: settle_payout(operation_id=operation.pk))
    assert done.has_waited
    assert balances(cast) == (90_001, -80_001, -10_000)
    assert verify().holds
