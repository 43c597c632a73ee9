"""The alert budget: kept over time, spent on what stands out, and never filled up with noise."""

from __future__ import annotations

import numpy as np
import pytest

from monitoring.engine import budget


def spent_on(scores: np.ndarray, per_100: float) -> tuple[int, np.ndarray]:
    """Judge days of 50 agents each; returns how many cases were opened, and their scores."""
    purse, opened = budget.Purse(per_100), []
    for day in scores.reshape(-1, 50):
        purse.earn(len(day))
        for score in sorted(day, reverse=True):
            if score < purse.needed():
                break
            purse.spend()
            opened.append(score)
    return len(opened), np.array(opened)


@pytest.mark.parametrize("per_100", [0.25, 0.5, 1.0])
def test_over_time_no_more_is_opened_than_the_budget_however_wild_the_days(per_100):
    wild = np.random.default_rng(1).exponential(2.0, 20_000)
    opened, _scores = spent_on(wild, per_100)
    purse = budget.Purse(per_100, agents=50.0)
    assert (
        0.8 * per_100 / 100 * len(wild) < opened <= per_100 / 100 * len(wild) + (0.5 + budget.CREDIT_TIMES) * purse.most
    )


def test_on_quiet_days_the_budget_is_not_filled_with_noise():
    quiet = np.minimum(np.random.default_rng(2).exponential(1 / np.log(10), 20_000), 2.4)
    assert spent_on(quiet, 0.5)[0] == 0


def test_after_a_bad_day_only_what_is_more_unusual_opens_a_case_until_it_is_paid_back():
    purse = budget.purse_of([(50, 0)] * 30, 0.5)
    assert (purse.left, purse.needed()) == (purse.most, budget.SCORE_AT_FULL)
    purse.spend(5)
    needed = purse.needed()
    assert purse.left > 0 and budget.SCORE_AT_FULL < needed < budget.SCORE_AT_NOTHING
    purse.spend(4)
    assert purse.left < 0 and purse.needed() > budget.SCORE_AT_NOTHING
    for _day in range(40):
        purse.earn(50)
    assert purse.needed() == budget.SCORE_AT_FULL


def test_on_credit_more_is_needed_then_the_extreme_and_credit_has_an_end():
    purse = budget.purse_of([(50, 0)] * 30, 0.5)
    assert purse.most == 7
    needed = []
    while purse.needed() < float("inf"):
        needed.append(purse.needed())
        purse.spend()
    assert needed == sorted(needed) and len(needed) == 28
    extreme = 7 + round((budget.SCORE_EXTREME - budget.SCORE_AT_NOTHING) / budget.SCORE_PER_CASE_ON_CREDIT)
    assert needed[extreme - 1] < needed[extreme] == needed[27] == budget.SCORE_EXTREME
    assert budget.purse_of([(50, 0)] * 30, 0.0).needed() == float("inf")


def test_a_team_of_two_may_have_a_case_too():
    assert budget.purse_of([(2, 0)] * 300, 0.5).needed() == budget.SCORE_AT_FULL
