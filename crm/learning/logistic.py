"""A logistic regression with a little ridge, its recalibration, and how good it is: numpy alone, so that a model is only numbers.

The fit is Newton's method on the penalised likelihood (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, 4.4.1);
recalibration is Platt's, a slope and an intercept on the model's own log-odds, from a month that the fit hasn't seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RIDGE = 1.0
STEPS = 50
BINS = 10


@dataclass(frozen=True)
class Model:
    """Weights of standardised features, and the recalibration of their log-odds."""

    mean: Array
    spread: Array
    weights: Array
    intercept: float
    slope: float = 1.0
    shift: float = 0.0

    def contributions(self, features: Array) -> Array:
        """Compute what each feature adds to somebody's log-odds, compared with the average."""
        part: Array = (features - self.mean) / self.spread * self.weights * self.slope
        return part

    def probability(self, features: Array) -> Array:
        from scipy.special import expit  # SciPy is a third of a process's start, and most never ask

        odds = self.contributions(features).sum(axis=1) + self.slope * self.intercept + self.shift
        probability: Array = expit(odds)
        return probability


def fit(features: Array, happened: Array) -> Model:
    """Fit weights to standardised features; a feature that never varies weighs nothing."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    weights, intercept = _newton((features - mean) / spread, happened, RIDGE)
    return Model(mean, spread, weights, intercept)


def recalibrated(model: Model, features: Array, happened: Array) -> Model:
    """Fit slope and intercept of the model's log-odds to others."""
    odds = model.contributions(features).sum(axis=1) + model.intercept
    slope, shift = _newton(odds[:, None], happened, 1e-3)
    # A slope at or below zero would turn the order round: then this month is too small to calibrate with.
    if slope[0] <= 0:
        return model
    return Model(model.mean, model.spread, model.weights, model.intercept, float(slope[0]), shift)


def _newton(x: Array, y: Array, ridge: float) -> tuple[Array, float]:
    from scipy.special import expit

    design = np.column_stack([x, np.ones(len(x))])
    penalty = np.diag([ridge] * x.shape[1] + [1e-6])
    beta = np.zeros(design.shape[1])
    for _step in range(STEPS):
        p = expit(design @ beta)
        gradient = design.T @ (y - p) - penalty @ beta
        curvature = (design * (p * (1 - p))[:, None]).T @ design + penalty
        change = np.linalg.solve(curvature, gradient)
        beta += change
        if np.abs(change).max() < 1e-8:
            break
    return beta[:-1], float(beta[-1])


def auc(score: Array, happened: Array) -> float:
    """Compute how often one to whom it happened has the higher score than one to whom it didn't; ties count half."""
    count = happened.sum()
    if not 0 < count < len(happened):
        return 0.5
    from scipy.stats import rankdata

    ranks = rankdata(score)
    return float((ranks[happened > 0].sum() - count * (count + 1) / 2) / (count * (len(happened) - count)))


def calibration(probability: Array, happened: Array) -> list[tuple[int, float, float]]:
    """Compare predicted with observed by tenths of the prediction: how many, mean prediction, share to whom it happened."""
    order = np.array_split(np.argsort(probability, kind="stable"), BINS)
    return [(len(part), float(probability[part].mean()), float(happened[part].mean())) for part in order if len(part)]
