"""The scorer on made-up desks: ordinary days stay quiet, a planted outlier is found, a changed job is not one."""

import datetime as dt

import numpy as np
import pytest

from monitoring.choices import Family, Feature
from monitoring.engine.scoring import LANES, OVERALL, Day, Scorer
from monitoring.engine.signals import FAMILIES, FEATURES

FIRST = dt.date(2026, 6, 1)
VIEWS, CLIENTS, OUTSIDE = (FEATURES.index(f) for f in (Feature.VIEWS, Feature.CLIENTS, Feature.OUTSIDE_VIEWS))


def ordinary_days(random, agents, days, busy=None):
    """Overdispersed counts with habits of their own and a day factor that all share."""
    habit = random.lognormal(0, 0.35, (agents, len(FEATURES)))
    hourly = {
        "views": 4.0,
        "clients": 3.0,
        "busiest_hour": 6.0,
        "searches": 1.5,
        "outside_views": 0.4,
        "outside_clients": 0.3,
    }
    hourly |= {"dormant_views": 0.3, "reveals": 1.2, "reveals_without_call": 0.3, "downloads": 0.3, "off_hours": 0.1}
    base = np.array([hourly.get(feature.value, 0.02) for feature in FEATURES])
    for n in range(days):
        shared = random.lognormal(0, 0.3)
        hours = random.integers(5, 9, agents).astype(float)
        mean = base * habit * hours[:, None] * shared
        counts = random.negative_binomial(3.2, 3.2 / (3.2 + mean)).astype(float)
        day = Day(
            FIRST + dt.timedelta(days=n),
            np.arange(agents),
            np.zeros(agents, dtype=np.int64),
            counts,
            hours,
            np.ones(agents, dtype=bool),
        )
        if busy:
            busy(n, day)
        yield day


def run(days, agents):
    scorer = Scorer(np.arange(agents), 1)
    return scorer, list(scorer.run(days))


def test_ordinary_days_raise_hardly_anything():
    scorer, scored = run(ordinary_days(np.random.default_rng(1), 40, 90), 40)
    late = np.concatenate([day.probability for day in scored[30:]])
    assert set(scorer.tails) == {*LANES, OVERALL}
    assert (late < 0.001).mean() < 0.006


def test_a_flood_of_record_opens_is_found_and_the_family_is_named():
    def flood(n, day):
        if n == 70:
            day.counts[5, VIEWS] = day.counts[5, CLIENTS] = 160
            day.counts[5, OUTSIDE] = 61

    _scorer, scored = run(ordinary_days(np.random.default_rng(2), 30, 71, flood), 30)
    last = scored[-1]
    assert last.probability.argmin() == 5 and last.probability[5] < 3e-3
    strongest = {FAMILIES[n] for n in last.family_p[5].argsort()[:2]}
    assert strongest == {Family.VOLUME, Family.REACH}


def test_a_day_busy_for_everybody_is_nobodys_outlier():
    def campaign(n, day):
        if n == 60:
            day.counts[:, : VIEWS + 4] *= 2.5

    _scorer, scored = run(ordinary_days(np.random.default_rng(3), 30, 61, campaign), 30)
    assert (scored[-1].probability < 0.001).sum() == 0


def test_a_thief_does_not_teach_the_baseline():
    def steal(n, day):
        if n >= 60:
            day.counts[0, VIEWS] = 900

    honest, _days = run(ordinary_days(np.random.default_rng(4), 20, 61), 20)
    taught, scored = run(ordinary_days(np.random.default_rng(4), 20, 61, steal), 20)
    before, after = (s.state["slow_count"][0, VIEWS] for s in (honest, taught))
    assert after < before * 1.5
    assert scored[-1].feature_p[0, VIEWS] < 1e-6


def test_a_changed_job_stops_alarming_within_two_weeks():
    def more(n, day):
        if n >= 60:
            day.counts[3, VIEWS] = 110

    _scorer, scored = run(ordinary_days(np.random.default_rng(6), 25, 80, more), 25)
    p = [day.feature_p[3, VIEWS] for day in scored[60:]]
    assert p[0] < 0.02 and min(p[-4:]) > 0.02 and p[-1] > 0.1


def test_an_excluded_day_is_scored_but_not_learned():
    days = list(ordinary_days(np.random.default_rng(6), 10, 3))
    days[2].learn[4] = False
    scorer = Scorer(np.arange(10), 1)
    for _scored in scorer.run(days):
        pass
    assert scorer.state["days"][4, 0] < scorer.state["days"][5, 0]


def test_scoring_changes_nothing():
    days = list(ordinary_days(np.random.default_rng(7), 10, 5))
    scorer = Scorer(np.arange(10), 1)
    for _scored in scorer.run(days[:4]):
        pass
    before = {name: values.copy() for name, values in scorer.state.items()}
    first, second = scorer.score(days[4]), scorer.score(days[4])
    assert (first.probability == second.probability).all()
    assert all((scorer.state[name] == before[name]).all() for name in before)


def test_the_order_of_agents_does_not_matter():
    days = list(ordinary_days(np.random.default_rng(8), 12, 20))
    scorer = Scorer(np.arange(12), 1)
    for _scored in scorer.run(days[:19]):
        pass
    last, turned = days[19], days[19]
    straight = scorer.score(last)
    order = np.arange(12)[::-1]
    turned = Day(
        last.day, last.agents[order], last.group[order], last.counts[order], last.hours[order], last.learn[order]
    )
    assert scorer.score(turned).probability[::-1] == pytest.approx(straight.probability)


def test_a_late_evening_counts_against_one_but_not_against_the_desk_that_shares_it():
    """A holiday on which one department works, a release night: what a third of the peers have says nothing about one of them."""
    late = FEATURES.index(Feature.OFF_HOURS)

    def evening(people):
        def busy(n, day):
            day.counts[:, late] = 0
            if n == 59:
                day.counts[:people, late] = 6

        return busy

    def last(people):
        _scorer, scored = run(ordinary_days(np.random.default_rng(7), 20, 62, evening(people)), 20)
        return scored[59].feature_p[:people, late], scored[59].window_p[:people, 1, late]

    assert last(1)[0].max() < 1e-3 and last(2)[0].max() < 1e-3
    assert last(3)[0] == pytest.approx(2 / 19), "what two others have as well is the day's"
    for of_window in last(8):
        assert of_window.min() > 0.3
