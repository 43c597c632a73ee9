"""A funded account that met its version's terms grows once, with limits that follow, after two people approved it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from crm import approvals, events
from crm.errors import NotAllowed
from crm.models import AccessEvent, Notification, WorkProposal
from prop.challenges.objectives import objectives_of
from prop.choices import GrowthState, StageState
from prop.judge import live
from prop.judge.again import judges_of
from prop.models import AccountGrowth, PhaseAccount
from prop.payouts.requests import offer_of
from prop.programmes.files import read_terms
from prop.scaling.proposing import candidates, propose_growth
from prop.scaling.reviews import decide_growth
from prop.scaling.settling import settle_growth
from prop.scaling.terms import progress_of
from tests.cast import Cast, signed_in
from tests.faults.killing import killed_at
from tests.prop.factories import make_draft, text_of
from tests.prop.judge.running import NOON, show, trade
from tests.prop.payouts.test_payouts import confirm
from tests.prop.payouts.world import earn, run_funded
from tests.racing import race
from trading.accounts.balance_operations import settle
from trading.choices import DealAction, DealEntry
from trading.models import BalanceOperation
from trading.platforms.errors import FinalError

pytestmark = pytest.mark.django_db

TERMS = {"scaling_profit": 10, "scaling_growth": 25, "scaling_split": 90}


@pytest.fixture
def row(cast: Cast) -> PhaseAccount:
    """A funded account of 10,000 EUR with a profit of exactly 10 %."""
    made = run_funded(cast, **TERMS)
    earn(made, profit=Decimal(1000))
    return made


def approve(cast: Cast, growth: AccountGrowth) -> BalanceOperation:
    decide_growth(growth_id=growth.pk, outcome="sending", actor=cast.finance)
    proposal = WorkProposal.objects.get(item=growth.work, state="pending")
    approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)
    return BalanceOperation.objects.get(idempotency_key=f"challenge-growth:{growth.pk}")


def grow(cast: Cast, row: PhaseAccount) -> BalanceOperation:
    growth = propose_growth(phase_account_id=row.pk)
    assert growth is not None
    operation = approve(cast, growth)
    confirm(operation)
    row.refresh_from_db()
    return operation


def put_in(row: PhaseAccount, operation: BalanceOperation, seconds: int) -> None:
    """The platform's deal of the deposit, as it is read."""
    deal = trade(row, seconds, DealEntry.IN, profit=str(operation.amount), lots="0")
    deal.action, deal.symbol, deal.comment = DealAction.BALANCE, "", operation.reference
    deal.save()


def test_a_step_is_proposed_once_and_booked_after_two_people(cast: Cast, row: PhaseAccount) -> None:
    assert list(candidates()) == [row]
    growth = propose_growth(phase_account_id=row.pk)
    assert growth is not None and propose_growth(phase_account_id=row.pk) is None and not candidates()
    assert (growth.size, growth.amount, growth.split, growth.profit_total) == (10_000, 2_500, 90, 1_000)
    with pytest.raises(NotAllowed):
        decide_growth(growth_id=growth.pk, outcome="sending", actor=cast.agent)
    operation = approve(cast, growth)
    row.refresh_from_db()
    assert (operation.kind, operation.amount, row.growth) == ("deposit", 2_500, 0)
    confirm(operation)
    settle_growth(operation_id=operation.pk)
    row.refresh_from_db()
    assert (row.growth, row.size) == (2_500, 12_500)
    assert Notification.objects.filter(kind="prop.account_grew", user=cast.client.user).count() == 1
    assert offer_of(row.challenge).amount == 900


def test_limits_follow_the_new_size(cast: Cast, row: PhaseAccount) -> None:
    """10 % of 12,500 may be lost below 12,500: 11,250 on the platform, where it was 9,000 before. 5 % in a day: 625."""
    operation = grow(cast, row)
    put_in(row, operation, 60)
    show(row, 61, "13500", "12876")
    live.judge_account(row.pk)
    row.refresh_from_db()
    assert row.state == StageState.RUNNING and row.judged["state"]["aside"] == 250_000
    daily, largest = objectives_of(PhaseAccount.objects.get(pk=row.pk))
    assert (daily.most, largest.most) == (625, 1_250)
    assert [judge.limits.maximum for _since, judge in judges_of(row)] == [100_000, 125_000]
    show(row, 62, "13500", "11875")
    live.judge_account(row.pk)
    row.refresh_from_db()
    assert row.state == StageState.BREACHED and row.breach.threshold == 9_375


def test_the_next_step_counts_from_the_last_one(cast: Cast, row: PhaseAccount) -> None:
    grow(cast, row)
    progress = progress_of(row)
    assert (progress.profit, progress.profit_needed, progress.size_after) == (0, 1_250, 15_000)
    assert propose_growth(phase_account_id=row.pk) is None


@pytest.mark.parametrize("terms", [{"scaling_payouts": 1}, {"scaling_days": 300}, {"scaling_profit": Decimal("10.01")}])
def test_nothing_is_proposed_before_every_term_is_met(cast: Cast, terms: dict) -> None:
    row = run_funded(cast, **{**TERMS, **terms})
    row.started_at = timezone.now() - dt.timedelta(days=299)
    row.save(update_fields=["started_at"])
    earn(row, profit=Decimal(1000))
    assert propose_growth(phase_account_id=row.pk) is None


def test_a_refused_step_waits_as_long_as_payouts_are_apart(cast: Cast, row: PhaseAccount) -> None:
    growth = propose_growth(phase_account_id=row.pk)
    decide_growth(growth_id=growth.pk, outcome="rejected", reason="Copied trades", actor=cast.finance)
    assert propose_growth(phase_account_id=row.pk) is None
    earlier = timezone.now() - dt.timedelta(days=row.challenge.version.payout_days + 1)
    AccountGrowth.objects.filter(pk=growth.pk).update(decided_at=earlier)
    assert propose_growth(phase_account_id=row.pk).number == 2


def test_a_deposit_that_the_platform_refused_changes_nothing(cast: Cast, row: PhaseAccount) -> None:
    growth = propose_growth(phase_account_id=row.pk)
    operation = approve(cast, growth)
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, problem=FinalError("no such group"))
    events.drain()
    growth.refresh_from_db()
    row.refresh_from_db()
    assert growth.state == GrowthState.FAILED and row.growth == 0
    assert propose_growth(phase_account_id=row.pk).number == 2


def test_pages_show_what_remains_and_the_step(cast: Cast, row: PhaseAccount) -> None:
    page = f"/portal/challenges/{row.challenge_id}/"
    text = strip_tags(signed_in(cast.client.user).get(page).content.decode())
    assert "The next step takes it to €12,500.00" in text and "You’ve met the terms" in text
    growth = propose_growth(phase_account_id=row.pk)
    assert "is being reviewed" in strip_tags(signed_in(cast.client.user).get(page).content.decode())
    staff = signed_in(cast.finance)
    text = strip_tags(staff.get(growth.get_absolute_url()).content.decode())
    assert "€12,500.00" in text and "€1,000.00 of €1,000.00" in text
    assert AccessEvent.objects.filter(target=f"prop.growth:{growth.pk}", user=cast.finance).exists()
    assert "€2,500.00" in strip_tags(staff.get("/prop/scaling/").content.decode())
    assert staff.post(growth.get_absolute_url(), {"outcome": "rejected", "reason": ""}).status_code == 422
    assert staff.post(growth.get_absolute_url(), {"outcome": "sending"}).status_code == 302
    assert WorkProposal.objects.filter(item=growth.work, state="pending").exists()
    assert signed_in(cast.other_agent).get(growth.get_absolute_url()).status_code in (403, 404)


def test_a_file_states_the_terms_of_scaling(cast: Cast) -> None:
    make_draft(cast)
    text = text_of().decode()
    assert "scaling: {profit: 10, growth: 25}" in text
    more = text.replace("growth: 25}", "growth: 25, payouts: 2, days: 90, split: 90}")
    terms, *_ = read_terms(more.encode(), brand_id=cast.brand.pk)
    assert terms.phases[-1].scaling.model_dump() == {
        "profit": 10,
        "growth": 25,
        "payouts": 2,
        "days": 90,
        "split": Decimal(90),
    }


@pytest.mark.django_db(transaction=True)
def test_two_workers_scale_once(cast: Cast) -> None:
    row = run_funded(cast, **TERMS)
    earn(row, profit=Decimal(1000))
    found = race(lambda: propose_growth(phase_account_id=row.pk), lambda: propose_growth(phase_account_id=row.pk))
    assert found.has_waited
    growth = AccountGrowth.objects.get()
    operation = approve(cast, growth)
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, ticket=99)
    for step in (1, 4):
        assert killed_at(step, lambda: settle_growth(operation_id=operation.pk))
        row.refresh_from_db()
        assert row.growth == 0
    done = race(lambda: settle_growth(operation_id=operation.pk), lambda: settle_growth(operation_id=operation.pk))
    row.refresh_from_db()
    assert done.has_waited and row.growth == 2_500
