"""The live judge: breach, days and notices exactly once, deals that come late, and a worker that is killed at any step."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.models import AuditEvent, Notification
from prop.choices import ChallengeState, StageState
from prop.judge import live
from prop.judge.state import State
from prop.models import Breach, ChallengeDay
from prop.tasks import judge_accounts
from tests.cast import signed_in
from tests.faults.killing import killed_at
from tests.prop.judge.running import NOON, run_phase, show, trade
from trading.choices import DealEntry
from trading.models import BalanceOperation, Deal, SyncCursor


@pytest.fixture
def row(cast, db):
    return run_phase(cast)


def judge(row):
    done = live.judge_account(row.pk)
    row.refresh_from_db()
    return done


def test_breach_is_recorded_once_with_its_evidence(row, cast):
    show(row, 0, "10000", "10000")
    assert judge_accounts() == 1
    show(row, 10, "10000", "9599.50")
    judge(row)
    show(row, 20, "10000", "9499.99")
    judge(row)
    breach = Breach.objects.get()
    assert (row.state, row.challenge.state, breach.rule) == (StageState.BREACHED, ChallengeState.BREACHED, "daily_loss")
    assert (breach.equity, breach.threshold, breach.occurred_at) == (
        Decimal("9499.99"),
        9500,
        NOON + dt.timedelta(seconds=20),
    )
    assert (breach.evidence["before"]["equity"], breach.evidence["after"]["equity"]) == (959_950, 949_999)
    assert breach.evidence["source"] == "sampled"
    row.account.refresh_from_db()
    assert row.account.trading_ended_at and not row.account.trading_wanted
    day = ChallengeDay.objects.get()
    assert (day.day, day.opening_equity, day.lowest_equity, day.highest_equity) == (
        dt.date(2026, 3, 2),
        10_000,
        Decimal("9499.99"),
        10_000,
    )
    show(row, 30, "10000", "9000")
    assert not judge(row) and judge_accounts() == 0
    assert AuditEvent.objects.filter(action="prop.rule_breached").count() == 1
    page = signed_in(cast.finance).get("/prop/breaches/", {"rule": "daily_loss"}).content.decode()
    assert all(shown in page for shown in ("Daily loss", "€9,499.99", "€9,500.00", "Sample", "Clara Weber"))
    assert "€9,499.99" not in signed_in(cast.finance).get("/prop/breaches/", {"rule": "lots"}).content.decode()


def test_reached_target_waits_for_a_person_and_trading_ends(row, cast):
    show(row, 0, "10000", "10000")
    judge(row)
    show(row, 10, "10800", "10800")
    judge(row)
    assert (row.state, row.challenge.state, row.work.kind) == (StageState.REVIEW, ChallengeState.REVIEW, "prop.review")
    row.account.refresh_from_db()
    assert row.account.trading_ended_at and not row.account.trading_wanted
    assert [note.user_id for note in Notification.objects.filter(kind="prop.target_reached")] == [cast.client.user_id]
    show(row, 20, "10800", "9000")
    assert not judge(row) and not Breach.objects.exists()


def test_starting_balance_of_a_fast_clock_is_no_deposit(row):
    """The server's clock is ahead, so its deal is younger than the phase: nothing is set aside, and no breach invented."""
    operation = BalanceOperation.objects.create(
        account=row.account,
        server=row.account.server,
        kind="deposit",
        amount=10_000,
        currency="EUR",
        reference="D:START",
        idempotency_key=f"challenge-balance:{row.pk}:1",
    )
    deal = trade(row, 1, DealEntry.IN, profit="10000")
    Deal.objects.filter(pk=deal.pk).update(action=2, symbol="", lots=0, comment=operation.reference)
    show(row, 5, "10000", "10000")
    judge(row)
    state = State.from_json(row.judged["state"])
    assert (state.aside, state.balance, row.state) == (0, 1_000_000, StageState.RUNNING)


def test_trader_is_warned_once_at_80_percent(row, cast):
    for second, equity in ((0, "9600.01"), (10, "9600"), (20, "9590")):
        show(row, second, "10000", equity)
        judge(row)
    notes = Notification.objects.filter(kind="prop.limit_near")
    assert [note.user_id for note in notes] == [cast.client.user_id]


def test_days_follow_the_servers_cut_off(row):
    """Midnight in Athens is 22:00 UTC: the next day's base is the balance then."""
    show(row, 0, "10000", "10100")
    judge(row)
    show(row, 36_001, "10000", "9800")
    judge(row)
    first, second = ChallengeDay.objects.order_by("day")
    assert (first.day, first.closing_equity, first.highest_equity) == (dt.date(2026, 3, 2), 10_100, 10_100)
    assert (second.day, second.opening_equity, second.closing_equity) == (dt.date(2026, 3, 3), 10_100, 9_800)


def test_sample_waits_until_its_deals_were_read(row):
    SyncCursor.objects.update(read_at=timezone.now() - dt.timedelta(seconds=20))
    show(row, 0, "10000", "9000")
    row.account.synced_at = timezone.now()
    row.account.save(update_fields=["synced_at"])
    assert not judge(row) and not Breach.objects.exists() and len(row.judged["waiting"]) == 1
    SyncCursor.objects.update(read_at=timezone.now())
    assert judge(row) and Breach.objects.exists()


def test_deal_that_is_read_late_is_counted_and_recorded(row):
    trade(row, 1, DealEntry.IN)
    show(row, 5, "10000", "10000")
    judge(row)
    late = trade(row, 3, DealEntry.OUT, profit="0")
    assert State.from_json(row.judged["state"]).positions
    show(row, 10, "10000", "10000")
    judge(row)
    assert State.from_json(row.judged["state"]).positions == {}
    Deal.every.filter(pk=late.pk).update(deleted_at=timezone.now(), revision=1)
    show(row, 20, "10000", "10000")
    judge(row)
    assert State.from_json(row.judged["state"]).positions
    assert AuditEvent.objects.filter(action="prop.deals_changed").count() == 2


def test_loss_closed_between_samples_is_found_in_its_deal(row):
    show(row, 0, "10000", "10000")
    judge(row)
    trade(row, 2, DealEntry.IN)
    trade(row, 4, DealEntry.OUT, profit="-1000")
    show(row, 10, "9000", "9000")
    judge(row)
    breach = Breach.objects.get()
    assert (breach.rule, breach.evidence["source"], breach.occurred_at) == (
        "maximum_loss",
        "deal",
        NOON + dt.timedelta(seconds=4),
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_judge_killed_at_every_step_leaves_the_whole_breach_or_none(cast):
    row = run_phase(cast)
    show(row, 0, "10000", "9500")
    for step in range(1, 60):
        was_killed = killed_at(step, lambda: live.judge_account(row.pk))
        row.refresh_from_db()
        has_ended = row.state == StageState.BREACHED
        assert Breach.objects.count() == ChallengeDay.objects.count() == has_ended
        assert AuditEvent.objects.filter(action="prop.rule_breached").count() == has_ended
        assert bool(row.judged) == has_ended
        if has_ended or not was_killed:
            break
    assert row.state == StageState.BREACHED and Notification.objects.filter(kind="prop.rule_breached").count() == 1
