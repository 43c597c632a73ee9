"""The statistics of agent monitoring: small functions over numpy arrays, with nothing of the product in them.

Agents are not Poisson: on real agents' days a negative binomial with the agent's own overdispersion keeps its promise
where a Poisson tail fires on an eighth of ordinary days. Counts are discrete, so tails are mid-p. Features of one family
depend on each other and are combined by Cauchy; families are added up by weight, and the sum is calibrated.

SciPy takes longer to import than the rest of Keelson together and most processes never ask it anything: it is imported
where it is used.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TINY = 1e-12
# Rare things come in bursts (an evening's overtime): their overdispersion is far above that of daily work.
DISPERSION_MAX = 50.0
# A tail never falls faster than that of a true probability: −log₁₀ p of one has this scale.
SCALE_MIN = 0.434
EVIDENCE_MAX = 7.0
FAMILIES_ADDED = 4
# A probability below this says no more than "very": one saturated feature must not own the whole list.
FLOOR = 1e-5
CALIBRATED_FLOOR = 1e-7
SHARE_CASES_MAX = 300
# A thing is shared when so many peers, and so large a part of them, have it on one day.
SHARED_BY = 3
SHARED_BY_SHARE = 1 / 3
COMMON_BY = 2
COMMON_FROM = 3.0
COMMON_PART = 0.5
# What a share at or below its mean is worth.
UNUSUAL_NOT = 0.6


def shrunk_rate(count: Array, hours: Array, prior_rate: Array, strength: float) -> Array:
    """Estimate a rate per hour from decayed sums, pulled towards a prior rate worth `strength` counts."""
    prior = np.maximum(prior_rate, TINY)
    return (strength + count) / (strength / prior + hours)


def shrunk_dispersion(spread: Array, weight: Array, days: Array, mean: Array, prior: Array, strength: float) -> Array:
    """Estimate overdispersion φ of var = μ + φμ², by moments, pulled towards a prior worth `strength` days; within 0.02 to 50."""
    typical = np.where(days > 0, weight / np.maximum(days, TINY), mean**2)
    typical = np.maximum(typical, TINY)
    return np.clip((strength * typical * prior + spread) / (strength * typical + weight), 0.02, DISPERSION_MAX)


def upper_tail(count: Array, mean: Array, dispersion: Array) -> Array:
    """Compute the mid-p of a negative binomial: P(X > x) + ½ P(X = x), with var = μ + φμ²."""
    from scipy import special

    mean = np.maximum(mean, TINY)
    r = 1.0 / np.maximum(dispersion, 1e-6)
    share = mean / (r + mean)
    above = special.betainc(count + 1.0, r, share)  # P(X > x)
    log_here = (
        special.gammaln(count + r)
        - special.gammaln(r)
        - special.gammaln(count + 1.0)
        + r * np.log1p(-share)
        + count * np.log(np.maximum(share, TINY))
    )
    tail: Array = np.clip(above + 0.5 * np.exp(log_here), 1e-300, 1.0)
    return tail


def share_tail(count: Array, trials: Array, mean: Array, dispersion: Array) -> Array:
    """Compute the mid-p of a beta-binomial, a share of `trials` cases with var = μ(1−p) + φμ². All arrays are flat."""
    from scipy import special

    # A day of a million cases says no more than one of a few hundred: the share is what counts.
    scale = np.minimum(1.0, SHARE_CASES_MAX / np.maximum(trials, 1.0))
    n = np.round(trials * scale)
    k = np.minimum(np.round(count * scale), n)
    p = np.clip(mean / np.maximum(trials, TINY), 1e-6, 0.97)
    intraclass = np.clip(dispersion * p / (1 - p), 1e-4, 0.5)
    a, b = p * (1 / intraclass - 1), (1 - p) * (1 / intraclass - 1)
    steps = k[:, None] + np.arange(int((n - k).max(initial=0)) + 1)
    inside = steps <= n[:, None]
    steps = np.where(inside, steps, n[:, None])
    log_mass = (
        special.gammaln(n + 1)[:, None]
        - special.gammaln(steps + 1)
        - special.gammaln(n[:, None] - steps + 1)
        + special.betaln(steps + a[:, None], n[:, None] - steps + b[:, None])
        - special.betaln(a, b)[:, None]
    )
    mass = np.where(inside, np.exp(log_mass), 0.0)
    mass[:, 0] *= 0.5
    tail: Array = np.clip(mass.sum(axis=1), 1e-300, 1.0)
    return tail


def tail_of(count: Array, mean: Array, dispersion: Array, trials: Array, is_share: npt.NDArray[np.bool_]) -> Array:
    """Compute the upper tails of counts and shares, column by column; a share below its mean is not worth the effort."""
    tails = np.ones_like(mean)
    tails[:, ~is_share] = upper_tail(count[:, ~is_share], mean[:, ~is_share], dispersion[:, ~is_share])
    judged = is_share & (trials >= 1) & (count > mean)
    tails[:, is_share] = UNUSUAL_NOT
    if judged.any():
        tails[judged] = share_tail(count[judged], trials[judged], mean[judged], dispersion[judged])
    return tails


def interval(mean: float, dispersion: float, level: float = 0.9) -> tuple[int, int]:
    """Return the counts between which the middle `level` of such days lie (negative binomial)."""
    from scipy import stats

    r = 1.0 / max(dispersion, 1e-6)
    share = r / (r + max(mean, TINY))
    low, high = stats.nbinom.ppf([(1 - level) / 2, 1 - (1 - level) / 2], r, share)
    return int(low), int(high)


def by_cauchy(p: Array, axis: int = -1) -> Array:
    """Combine probabilities that may depend on each other. A feature that was quiet must not hush one that was not: its
    probability near 1 would weigh minus infinity, so it is cut at 0.95."""
    clipped = np.clip(p, 1e-100, 0.95)
    # tan loses its digits near ±π/2: for tiny p, 1/(πp) is the same number.
    turned = np.where(clipped < 1e-8, 1 / (np.pi * clipped), np.tan((0.5 - clipped) * np.pi))
    mean = turned.mean(axis=axis)
    combined: Array = np.clip(
        np.where(mean > 1e8, 1 / (np.pi * np.maximum(mean, 1.0)), 0.5 - np.arctan(mean) / np.pi), 1e-300, 1.0
    )
    return combined


def by_fisher(p: Array, axis: int = -1) -> Array:
    """Combine probabilities that are independent, or nearly."""
    from scipy import special

    statistic = -2.0 * np.log(np.clip(p, 1e-300, 1.0)).sum(axis=axis)
    upper_tail: Array = special.chdtrc(2 * p.shape[axis], statistic)  # the upper tail of χ²
    return upper_tail


def said(p: Array) -> Array:
    """Return what families say: −log₁₀ p, at most EVIDENCE_MAX."""
    most: Array = np.minimum(-np.log10(np.clip(p, 1e-300, 1.0)), EVIDENCE_MAX)
    return most


def evidence(said: Array, weights: Array) -> Array:
    """Add up what families say by weight, the strongest in full and each further one less: 1, 0.35, 0.19, 0.13.

    Not a probability before it is calibrated: families depend on one another, and Fisher's sum of many quiet ones drowns
    one that is loud.
    """
    strongest = -np.sort(-said * weights, axis=1)[:, :FAMILIES_ADDED]
    total: Array = (strongest / np.arange(1, strongest.shape[1] + 1) ** 1.5).sum(axis=1)
    return total


def peer_factor(count: Array, mean: Array, group: npt.NDArray[np.int64], groups: int) -> Array:
    """Compute how busy the day was for the person's peers: without the person, without outliers, within 0.4 to 3 (of what hardly
    anybody ever did: 10).

    A fifth of the variance of real agents' days belongs to the day and not to the person: a campaign, a Monday, a news day.
    """
    capped = np.minimum(count, np.maximum(3.0 * mean, 1.0))
    seen, due, people = (np.zeros((groups, count.shape[1])) for _n in range(3))
    np.add.at(seen, group, capped)
    np.add.at(due, group, mean)
    np.add.at(people, group, 1.0)
    others = people[group] - 1.0
    prior = 2.0 * due[group] / np.maximum(people[group], 1.0) + TINY
    factor = (prior + seen[group] - capped) / (prior + due[group] - mean)
    return np.where(others >= 2, np.clip(factor, 0.4, np.where(prior < 0.4, 10.0, 3.0)), 1.0)


def shared_share(count: Array, group: npt.NDArray[np.int64]) -> Array:
    """Return which share of a person's peers had at least half as much on the same day; 0 where fewer than three of them had, or
    fewer than a third."""
    shares = np.zeros_like(count)
    for one in np.unique(group):
        members = np.flatnonzero(group == one)
        others = len(members) - 1
        for column in np.flatnonzero((count[members] > 0).sum(axis=0) > SHARED_BY):
            own = count[members, column]
            alike = len(own) - 1 - np.searchsorted(np.sort(own), own / 2)
            is_shared = (own > 0) & (alike >= SHARED_BY) & (alike >= SHARED_BY_SHARE * others)
            shares[members, column] = np.where(is_shared, alike / others, 0.0)
    return shares


def common_cause(p: Array) -> Array:
    """Return which share of the floor stands out in the same signal on the same day, nearly as much; 0 where fewer than two others
    do. A campaign, a clean-up week or a broken telephone line is behind it, and says nothing about one of them."""
    said = -np.log10(np.clip(p, 1e-300, 1.0))
    shares = np.zeros_like(p)
    ordered = np.sort(said, axis=0)
    for column in np.flatnonzero((said >= COMMON_FROM).sum(axis=0) > COMMON_BY):
        needed = np.maximum(COMMON_PART * np.minimum(said[:, column], EVIDENCE_MAX), COMMON_FROM)
        alike = len(said) - np.searchsorted(ordered[:, column], needed) - 1
        is_common = (said[:, column] >= COMMON_FROM) & (alike >= COMMON_BY)
        shares[:, column] = np.where(is_common, alike / max(len(said) - 1, 1), 0.0)
    return shares


def fit_tail(scores: Array, *, quantile: float = 0.99) -> tuple[float, float]:
    """Fit peaks over threshold: the level that 1 % of past scores exceed, and how fast the excess falls off (exponential).

    The largest 3 % of the excesses are left out: the past holds what we look for, too.
    """
    threshold = float(np.quantile(scores, quantile))
    excess = scores[scores > threshold] - threshold
    return threshold, max(float(np.median(excess)) / np.log(2) if len(excess) else 0.0, SCALE_MIN)


def calibrate(
    p: Array, threshold: float, scale: float, *, quantile: float = 0.99, floor: float = CALIBRATED_FLOOR
) -> Array:
    """Adjust probabilities to the company's own past: in the tail by the fitted fall, elsewhere never below 1 %."""
    score = -np.log10(np.clip(p, 1e-300, 1.0))
    tail = (1 - quantile) * np.exp(-(score - threshold) / scale)
    return np.where(score > threshold, np.maximum(tail, floor), np.maximum(p, 1 - quantile))
