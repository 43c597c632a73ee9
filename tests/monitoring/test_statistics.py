"""The statistics against slow, plain ways to the same numbers."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.engine import statistics as monitored

# A few numbers are quickly drawn; how quickly says the machine, which has other work too.
patient = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def scipy_stats():
    """Imported when a test asks: it takes 0.7 s, in each process that only reads the tests, too."""
    from scipy import stats

    return stats


def nbinom(mean, dispersion):
    r = 1 / dispersion
    return scipy_stats().nbinom(r, r / (r + mean))


@patient
@given(count=st.integers(0, 400), mean=st.floats(0.01, 300), dispersion=st.floats(0.02, 4))
def test_the_tail_is_the_mid_p_of_a_negative_binomial(count, mean, dispersion):
    exact = nbinom(mean, dispersion)
    wanted = exact.sf(count) + 0.5 * exact.pmf(count)
    found = monitored.upper_tail(np.array([float(count)]), np.array([mean]), np.array([dispersion]))[0]
    assert found == pytest.approx(max(wanted, 1e-300), rel=1e-6, abs=1e-14)


def test_more_is_always_less_probable():
    counts = np.arange(0.0, 200.0)
    tails = monitored.upper_tail(counts, np.full(200, 20.0), np.full(200, 0.4))
    assert (np.diff(tails) < 0).all()


def test_without_overdispersion_the_tail_is_poissons():
    found = monitored.upper_tail(np.array([9.0]), np.array([4.0]), np.array([1e-9]))[0]
    poisson = scipy_stats().poisson
    assert found == pytest.approx(poisson.sf(9, 4) + 0.5 * poisson.pmf(9, 4), rel=1e-3)


def test_the_interval_holds_nine_days_of_ten():
    low, high = monitored.interval(34.0, 0.1)
    exact = nbinom(34.0, 0.1)
    assert exact.cdf(high) - exact.cdf(low - 1) >= 0.9
    assert exact.cdf(low - 1) <= 0.05 and exact.sf(high) <= 0.05


@patient
@given(p=st.lists(st.floats(1e-12, 0.9), min_size=2, max_size=6))
def test_fisher_is_the_text_book(p):
    assert monitored.by_fisher(np.array(p)) == pytest.approx(
        scipy_stats().combine_pvalues(p, "fisher").pvalue, rel=1e-9
    )


@patient
@given(p=st.floats(1e-14, 0.9), n=st.integers(1, 8))
def test_cauchy_of_equal_probabilities_is_that_probability(p, n):
    assert monitored.by_cauchy(np.full(n, p)) == pytest.approx(p, rel=1e-4)


@pytest.mark.parametrize(("others", "share"), [(0, 0), (1, 0), (2, 2 / 9), (9, 1)])
def test_what_two_others_have_on_the_same_day_says_as_much_as_their_share(others, share):
    p = np.full((10, 1), 0.3)
    p[0], p[1 : others + 1] = 1e-8, 1e-5
    assert monitored.common_cause(p)[0, 0] == pytest.approx(share)
    assert not monitored.common_cause(np.where(p < 0.1, p, 0.3)[others + 1 :]).any()


def test_what_others_have_much_less_of_stays_ones_own():
    p = np.array([[1e-9], [1e-3], [1e-3], [0.4]])
    assert monitored.common_cause(p)[0, 0] == 0


def test_a_quiet_feature_does_not_hush_a_loud_one():
    assert monitored.by_cauchy(np.array([1e-6, 1.0, 1.0, 1.0])) < 1e-5


def test_weak_agreeing_families_add_up_and_one_strong_is_enough():
    quiet, weak, strong, silenced = monitored.evidence(
        monitored.said(np.array([[0.5] * 5, [0.02] * 5, [1e-5, 0.5, 0.5, 0.5, 0.5], [1e-5, 0.5, 0.5, 0.5, 0.5]])),
        np.array([[1.0] * 5] * 3 + [[0.1] * 5]),
    )
    assert quiet < 1 and weak > 2.5 and strong > 5
    assert silenced < 1, "the weight of a family counts"


def test_a_busy_day_for_all_is_nobodys_fault():
    mean = np.full((6, 1), 10.0)
    counts = np.full((6, 1), 25.0)
    factor = monitored.peer_factor(counts, mean, np.zeros(6, dtype=np.int64), 1)
    assert (factor > 1.8).all()


def test_one_persons_flood_does_not_raise_their_own_expectation_nor_the_others_much():
    mean = np.full((6, 1), 10.0)
    counts = np.array([[500.0], [10], [10], [10], [10], [10]])
    factor = monitored.peer_factor(counts, mean, np.zeros(6, dtype=np.int64), 1)
    assert factor[0, 0] == pytest.approx(1.0) and factor[1, 0] < 1.5


def test_a_person_without_peers_has_no_peer_factor():
    factor = monitored.peer_factor(np.array([[50.0], [1.0]]), np.array([[10.0], [1.0]]), np.zeros(2, dtype=np.int64), 1)
    assert (factor == 1.0).all()


def test_a_new_person_is_expected_to_be_like_the_role_and_then_like_themselves():
    role = np.array([5.0])
    new = monitored.shrunk_rate(np.array([0.0]), np.array([0.0]), role, 4.0)
    known = monitored.shrunk_rate(np.array([2000.0]), np.array([200.0]), role, 4.0)
    assert new[0] == pytest.approx(5.0) and known[0] == pytest.approx(10.0, rel=0.02)


def test_moments_find_the_overdispersion_that_was_put_in():
    random = np.random.default_rng(7)
    mean, dispersion = 30.0, 0.5
    r = 1 / dispersion
    counts = random.negative_binomial(r, r / (r + mean), 4000).astype(float)
    spread, weight = ((counts - mean) ** 2 - mean).sum(), 4000 * mean**2
    found = monitored.shrunk_dispersion(
        np.array([spread]), np.array([weight]), np.array([4000.0]), np.array([mean]), np.array([0.3]), 10.0
    )
    assert found[0] == pytest.approx(dispersion, rel=0.1)


def test_calibration_gives_the_tail_the_frequency_of_the_past():
    random = np.random.default_rng(3)
    scores = random.exponential(0.9, 20_000)
    threshold, scale = monitored.fit_tail(scores)
    p = monitored.calibrate(10.0 ** -np.sort(scores), threshold, scale)
    rate = (p <= 0.001).mean()
    assert 0.0003 < rate < 0.003
    assert (p[scores.argsort().argsort() < 1] >= 0.02).all()
    assert math.isclose(threshold, np.quantile(scores, 0.99))
