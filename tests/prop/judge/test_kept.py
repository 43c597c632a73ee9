"""Kept samples: judged again they give the verdicts of all samples, and a killed worker loses or doubles none."""

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from random import Random

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.errors import DomainError
from prop.judge import live
from prop.judge.again import judge_again_from
from prop.judge.corrections import DECISIVE, moved
from prop.judge.inputs import Deal, Sample, in_order
from prop.judge.judging import Judge
from prop.judge.kept import Keeper, Minute
from prop.judge.storing import forget_minutes, kept_since
from prop.models import Breach, ChallengeDay, EquityMinute
from tests.faults.killing import killed_at
from tests.prop.judge.reference import decision
from tests.prop.judge.running import NOON, run_phase, show, trade
from tests.prop.judge.worlds import MINUTE, worlds
from trading.choices import DealEntry
from trading.models import Deal as PlatformDeal

DAY = dt.date(2026, 3, 2)


@pytest.fixture
def row(cast, db):
    return run_phase(cast)


def judge(row):
    live.judge_account(row.pk)
    row.refresh_from_db()


def lose_and_breach(row):
    """A deal loses 500.00, which is the day's limit, and is found so at the next sample."""
    show(row, 0, "10000", "10000")
    judge(row)
    deal = trade(row, 2, DealEntry.IN)
    loss = trade(row, 4, DealEntry.OUT, profit="-500")
    show(row, 10, "9500", "9500")
    judge(row)
    assert Breach.objects.exists()
    return deal, loss


@settings(max_examples=60, deadline=None)
@given(worlds(60))
def test_kept_samples_are_judged_as_all_of_them(world):
    """Every verdict with its evidence, and the state after it, on paths with a sample a second between their own."""
    rules, start_at, inputs, news = world
    dense = with_seconds(inputs)
    judge, keeper = Judge(rules, news), Keeper()
    state, verdicts = judge.start(start_at), []
    for each in dense:
        found = judge.step(state, each)
        keeper.take(each, found)
        keeper.current = keeper.current and Minute.from_json(json.loads(json.dumps(keeper.current.to_json())))
        verdicts += found
    keeper.end_minute()
    samples = [each for minute in keeper.over for each in minute.samples]
    again, others = judge.start(start_at), [each for each in dense if not isinstance(each, Sample)]
    assert judge.judge(again, in_order([*samples, *others])) == verdicts
    assert again.to_json() == state.to_json()


@settings(max_examples=60, deadline=None)
@given(worlds(60), st.integers(0, 99), st.sampled_from([700, -700, 3000]))
def test_edited_deal_is_judged_as_by_the_reference(world, place, by):
    """What was read until the first verdict is kept; a deal's result is edited, and samples never showed the edit."""
    rules, start_at, inputs, news = world
    judge, keeper = Judge(rules, news), Keeper()
    state, read = judge.start(start_at), []
    for each in inputs:
        read.append(each)
        found = judge.step(state, each)
        keeper.take(each, found)
        if isinstance(each, Sample) and state.status != "running":
            break
    keeper.end_minute()
    deals = [each for each in read if isinstance(each, Deal) and not each.is_opening]
    if not deals:
        return
    edited = deals[place % len(deals)]
    others = [replace(each, net=each.net + by) if each is edited else each for each in read]
    others = [each for each in others if not isinstance(each, Sample)]
    samples, kept = (
        moved(some, by, since=edited.at, until=None)
        for some in (
            [each for each in read if isinstance(each, Sample)],
            [each for minute in keeper.over for each in minute.samples],
        )
    )
    verdicts = judge.judge(judge.start(start_at), in_order([*kept, *others]))
    found = next((each for each in verdicts if each.kind in DECISIVE), None)
    expected, _warnings = decision(rules, start_at, in_order([*samples, *others]), news)
    assert (found and found.kind) == (expected and expected[0])
    if found:  # of a quiet minute only its extremes are kept
        assert abs(found.at - expected[2]) < MINUTE


def with_seconds(inputs):
    """Twelve more samples after each sample that has room for them: the equity moves, the balance doesn't."""
    random, dense = Random(len(inputs)), []
    for each, following in zip(inputs, [*inputs[1:], None], strict=True):
        dense.append(each)
        if isinstance(each, Sample) and following and following.at - each.at > 20_000:
            moves = [each.equity + random.randint(-300, 300) for _second in range(12)]
            dense += [Sample(each.at + 1000 * n, each.balance, equity) for n, equity in enumerate(moves, 1)]
    return dense


def test_a_minute_of_seconds_is_kept_in_four_samples():
    keeper = Keeper()
    for second in range(60):
        keeper.take(Sample(60_000 + 1000 * second, 1000, 1000 + (second * 7 + 9) % 31 - 15), [])
    assert len(keeper.current.samples) == 4
    assert {each.equity for each in keeper.current.samples} >= {985, 1015}


def test_minutes_are_stored_once_they_are_over(row):
    for second, equity in ((0, "10000"), (10, "10010"), (20, "9990"), (30, "9995"), (40, "9996"), (70, "10000")):
        show(row, second, "10000", equity)
        judge(row)
    minute = EquityMinute.objects.get()
    assert minute.minute == NOON and minute.samples[::4] == [
        1000 * (int(NOON.timestamp()) + second) for second in (0, 10, 20, 40)
    ]
    samples, _deals = kept_since(row, 0)
    assert [each.equity for each in samples] == [1_000_000, 1_001_000, 999_000, 999_600, 1_000_000]


def test_judged_again_unchanged_gives_the_same_verdict(row):
    lose_and_breach(row)
    again = judge_again_from(row, DAY)
    breach = next(each for each in again.verdicts if each.kind == "breach")
    assert breach.to_json() == Breach.objects.get().evidence
    assert (again.corrections, again.changed, row.judged["minute"]) == ([], [], None)


def test_deleted_deal_makes_a_reversal_that_is_only_listed(row):
    _opening, loss = lose_and_breach(row)
    PlatformDeal.every.filter(pk=loss.pk).update(deleted_at=timezone.now(), revision=1)
    out = StringIO()
    call_command("judge_again", str(row.challenge_id), "--day", "2026-03-02", "--json", stdout=out)
    result = json.loads(out.getvalue())
    assert [each["kind"] for each in result["corrections"]] == ["reversal"]
    assert result["changed_deals"] == [
        {"ticket": loss.ticket, "at": "2026-03-02T12:00:04+00:00", "was": -50_000, "now": None, "shown_since": None}
    ]
    assert Breach.objects.get().phase_account_id == row.pk


def test_edit_that_samples_already_show_moves_none_after_it(row):
    """The platform had put the balance right before the edit was read: nothing is counted twice, no breach invented."""
    show(row, 0, "10000", "10000")
    judge(row)
    trade(row, 2, DealEntry.IN)
    loss = trade(row, 4, DealEntry.OUT, profit="-300")
    show(row, 10, "9700", "9700")
    judge(row)
    show(row, 20, "9900", "9900")
    judge(row)
    PlatformDeal.every.filter(pk=loss.pk).update(profit=Decimal(-100), revision=1)
    again = judge_again_from(row, DAY)
    assert again.corrections == [] and again.state.balance == 990_000
    assert again.changed[0].shown_since == 1000 * (int(NOON.timestamp()) + 20)


def test_missed_breach_is_found_from_a_deal_that_came_late(row):
    show(row, 0, "10000", "10000")
    judge(row)
    show(row, 10, "9700", "9700")
    judge(row)
    trade(row, 2, DealEntry.IN)
    trade(row, 4, DealEntry.OUT, profit="-600")
    trade(row, 5, DealEntry.IN)
    trade(row, 6, DealEntry.OUT, profit="300")
    again = judge_again_from(row, DAY)
    assert [str(each.kind) for each in again.corrections] == ["new_breach"]
    assert (again.corrections[0].now.equity, again.corrections[0].now.source) == (940_000, "deal")


def test_days_without_samples_are_not_judged_again(row, cast):
    show(row, 0, "10000", "10000")
    judge(row)
    show(row, 36_100, "10000", "9900")
    judge(row)
    assert ChallengeDay.objects.count() == 2
    with pytest.raises(DomainError, match="before it wasn’t kept"):
        judge_again_from(row, DAY - dt.timedelta(days=1))
    assert [len(judge_again_from(row, day).gaps) for day in (DAY, DAY + dt.timedelta(days=1))] == [1, 1]
    assert forget_minutes(now=NOON + dt.timedelta(days=119)) == 0
    assert forget_minutes(now=NOON + dt.timedelta(days=121)) == 1
    with pytest.raises(DomainError, match="No samples"):
        judge_again_from(row, DAY)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_judge_killed_at_every_step_loses_and_doubles_no_sample(cast):
    row = run_phase(cast)
    show(row, 0, "10000", "10000")
    judge(row)
    show(row, 70, "10000", "9900")
    for step in range(1, 60):
        was_killed = killed_at(step, lambda: live.judge_account(row.pk))
        row.refresh_from_db()
        is_stored = EquityMinute.objects.count()
        assert len(kept_since(row, 0)[0]) == 1 + is_stored
        if is_stored or not was_killed:
            break
    assert is_stored == 1 and step > 3
