"""Samples every second: what happens between two slower readings is seen, and quiet accounts cost next to nothing."""

import datetime as dt
import itertools
from decimal import Decimal
from random import Random

import pytest
from django.utils import timezone

from crm.models import AuditEvent, Notification
from prop.choices import StageState
from prop.judge import live, rounds, sampling
from prop.judge.days import to_msc, to_time
from prop.judge.inputs import Sample
from prop.judge.judging import Judge
from prop.judge.quiet import judge_quiet
from prop.judge.state import State
from prop.models import Breach, EquityMinute, EquityRound, PhaseAccount
from tests.faults.killing import killed_at
from tests.prop.judge.running import NOON, run_another, run_phase, trade
from trading.choices import DealEntry
from trading.models import Deal, SyncCursor
from trading.sync import money

STEPS_MAX = 100


def keep_round(row, seconds, balance, equity, *, since=NOON):
    """A round of one account, so many seconds after noon; amounts in cents."""
    return EquityRound.objects.create(
        server=row.account.server,
        at=since + dt.timedelta(seconds=seconds),
        accounts=[row.pk],
        balances=[balance],
        equities=[equity],
    )


def judge(row):
    done = rounds.judge_server(row.account.server_id)
    row.refresh_from_db()
    return done


def sample(server):
    SyncCursor.objects.filter(kind="samples").update(read_at=timezone.now() - dt.timedelta(seconds=1))
    return sampling.sample_server(server)


def test_loss_between_two_slow_readings_is_a_breach(cast, sandbox, server):
    """Over the platform's own protocol: EURUSD falls for about a second, and recovers before trading reads the account."""
    login = sandbox.new_account()
    sandbox.post("balance", login=int(login), amount="10000")
    sandbox.post("price", symbol="EURUSD", level=1.10)
    row = run_phase(cast, server=server, login=login, started_at=timezone.now())
    sandbox.post("trade", login=int(login), symbol="EURUSD", lots="1")
    assert sample(server) == 1
    money.sync_money(server)
    assert judge(row) == 1 and row.state == StageState.RUNNING
    fell_at = timezone.now()
    sandbox.post("price", symbol="EURUSD", level=1.09)
    assert sample(server) == 1
    sandbox.post("price", symbol="EURUSD", level=1.10)
    recovered_at = timezone.now()
    assert judge(row) == 1
    breach = Breach.objects.get()
    assert (row.state, breach.rule, breach.balance) == (StageState.BREACHED, "daily_loss", 10_000)
    assert fell_at - dt.timedelta(seconds=0.01) <= breach.occurred_at <= recovered_at
    assert breach.evidence["before"]["equity"] > 950_000 >= breach.evidence["equity"]
    row.account.refresh_from_db()
    money.sync_money(server)
    row.account.refresh_from_db()
    assert row.account.equity > 9_500, "trading's own readings saw nothing of it"
    assert not EquityRound.objects.exists() and sample(server) == 0


def test_server_that_is_away_delays_only_its_own_accounts(cast, server):
    server.port = 1
    server.save()
    row = run_phase(cast, server=server, login="585000")
    assert sampling.sample_server(server) == 0 and not EquityRound.objects.exists()
    cursor = SyncCursor.objects.get(kind="samples")
    assert (cursor.failures, cursor.read_at) == (1, None)
    row.account.synced_at = timezone.now() - dt.timedelta(minutes=2)
    note = sampling.sampling_note(row, timezone.now())
    assert note.startswith("Equity is sampled every second. Last sample on ")
    server.options = {"sample_seconds": "5"}
    assert sampling.sampling_note(row, row.account.synced_at) == "Equity is sampled every 5 seconds."


def test_quiet_account_waits_others_are_judged_immediately(cast, db):
    since = to_time(to_msc(timezone.now() - dt.timedelta(seconds=70)))
    row = run_phase(cast, started_at=since - dt.timedelta(hours=1))
    deals = SyncCursor.objects.filter(kind="deals")
    deals.update(read_at=since + dt.timedelta(seconds=24))
    for second in range(25):
        keep_round(row, second, 1_000_000, 990_000 - second, since=since)
        if second in (0, 1):
            assert judge(row) == 1 - second
    assert judge(row) == 0 and row.judged_until == since
    deals.update(read_at=since + dt.timedelta(seconds=26))
    deal = trade(row, 25, DealEntry.IN)
    Deal.objects.filter(pk=deal.pk).update(executed_at=since + dt.timedelta(seconds=25))
    keep_round(row, 25, 1_000_000, 989_000, since=since)
    assert judge(row) == 1 and State.from_json(row.judged["state"]).positions, "a deal is never quiet"
    keep_round(row, 26, 1_000_000, 960_000, since=since)
    assert judge(row) == 1 and "daily_loss" in row.judged["state"]["warned"], "80 % of the limit is not quiet"
    assert State.from_json(row.judged["state"]).low.equity == 960_000


@pytest.mark.parametrize("seed", range(2))
def test_rounds_give_the_state_of_every_single_sample(cast, db, seed):
    row, random = run_phase(cast, max_loss_kind="trailing_equity"), Random(seed)
    row.phase.refresh_from_db()
    whole = Judge(live.rules_of(row))
    state, equity = whole.start(to_msc(row.started_at)), 1_000_000
    for second in range(140):
        equity += random.randint(-600, 620)
        each = keep_round(row, second, 1_000_000, equity)
        whole.step(state, Sample(to_msc(each.at), 1_000_000, equity))
        if random.random() < 0.2:
            judge(row)
    keep_round(row, 141, 1_000_100, equity)
    whole.step(state, Sample(to_msc(NOON) + 141_000, 1_000_100, equity))
    for _pass in range(4):  # each is bounded in time
        judge(row)
    assert State.from_json(row.judged["state"]) == state
    assert list(EquityRound.objects.values_list("at", flat=True)) == []


def judged_of(row):
    """What is kept of an account once it was judged, and what lets it be judged again."""
    row.refresh_from_db()
    minutes = list(EquityMinute.objects.order_by("minute").values_list("minute", "samples"))
    days = row.days.values("day", "closing_equity", "lowest_equity", "highest_equity", "opening_equity", "checkpoint")
    quiet = [getattr(row, name) for name in live.QUIET]
    EquityMinute.objects.all().delete()
    return row.judged, row.judged_until, minutes, list(days), quiet


@pytest.mark.parametrize(("kind", "first"), [("static", 1), ("trailing_equity", 35_950)])
def test_silent_accounts_are_judged_together_as_one_by_one(cast, db, kind, first):
    """The second one is trailed by new peaks, and its samples go over the server's midnight, after a gap."""
    row, random = run_phase(cast, max_loss_kind=kind), Random(5)
    keep_round(row, 0, 1_000_000, 1_000_000)
    judge(row)
    before = {name: getattr(row, name) for name in ("judged", "judged_until", *live.QUIET)}
    at = to_msc(NOON) + first * 1000
    samples = [Sample(at + second * 1000, 1_000_000, random.randint(980_000, 1_040_000)) for second in range(130)]
    for number, entry in enumerate((DealEntry.IN, DealEntry.OUT)):
        deal = trade(row, first + 30 * number, entry)
        Deal.objects.filter(pk=deal.pk).update(revision=number)
    assert live.judge_account(row.pk, samples=samples)
    single = judged_of(row)
    PhaseAccount.objects.filter(pk=row.pk).update(**before)
    row.days.filter(day__gt=NOON).delete()
    row.days.update(closing_equity=1, lowest_equity=1, highest_equity=1)
    assert judge_quiet([row.pk], lambda _since: {row.pk: samples}) == {row.pk}
    assert judged_of(row) == single
    lost = [Sample(samples[-1].at + 1000, 1_000_000, 900_000)]
    assert judge_quiet([row.pk], lambda _since: {row.pk: lost}) == set(), "a breach is not silent"


def test_judge_that_was_away_finds_the_breach_of_its_absence(cast, db):
    """Half an hour without a judge: passes are bounded, and none skips what was read meanwhile."""
    row = run_phase(cast)
    for second in range(0, 1800, 15):
        keep_round(row, second, 1_000_000, 940_000 if second == 900 else 1_000_000)
    for _pass in range(40):
        judge(row)
    assert Breach.objects.get().occurred_at == NOON + dt.timedelta(minutes=15)
    assert Decimal(Breach.objects.get().equity) == 9_400


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_judge_of_rounds_is_killed_at_every_step(cast):
    """Each step kills it over a new account, so that no step is passed over for what was committed before the last death."""
    row = run_phase(cast)
    for step in itertools.count(1):
        assert step < STEPS_MAX
        for second, equity in enumerate([1_000_000, 995_000, 949_000, 999_000]):
            keep_round(row, second, 1_000_000, equity)
        killed = killed_at(step, lambda server_id=row.account.server_id: rounds.judge_server(server_id))
        row.refresh_from_db()
        breaches = Breach.objects.filter(judged_account=row)
        is_breached = row.state == StageState.BREACHED
        told = [
            AuditEvent.objects.filter(action="prop.rule_breached"),
            Notification.objects.filter(kind="prop.rule_breached"),
        ]
        assert breaches.count() == row.minutes.count() == row.days.count() == is_breached
        assert [rows.count() for rows in told] == [step - 1 + is_breached] * 2
        judge(row)
        breach = breaches.get()
        assert (breach.occurred_at, breach.evidence["before"]["equity"]) == (NOON + dt.timedelta(seconds=2), 995_000)
        assert [rows.count() for rows in told] == [step, step] and row.minutes.count() == 1
        assert row.account.trading_wanted is False and not EquityRound.objects.exists()
        if not killed:
            break
        row = run_another(row, key=f"k{step}")
    assert step > 20, step
