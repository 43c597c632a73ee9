"""A logistic regression with a little ridge, calibrated: scikit-learn fits it, and the numbers kept of it score with NumPy alone.

Nothing is pickled: a stored object of a library would run code when it is read, and would be read by that version alone. The
ridge is one (C=1); calibration is Platt's, a slope and an intercept on the log-odds, from a month that the fit hasn't seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

BINS = 10
# Next to no ridge: a slope and an intercept can't learn noise.
CALIBRATION_C = 1000.0


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


def fitted(features: Array, happened: Array, *, later: Array, happened_later: Array) -> Model:
    """Fit weights to standardised features, and calibrate their log-odds on a later month.

    A feature that never varies weighs nothing. A slope at or below zero would turn the order round: that month is too small to
    calibrate with, and isn't used.
    """
    from sklearn.linear_model import LogisticRegression  # as SciPy: only who trains pays for the import
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    found = LogisticRegression(solver="newton-cholesky").fit(scaler.transform(features), happened)
    model = Model(scaler.mean_, scaler.scale_, found.coef_[0], float(found.intercept_[0]))
    odds = found.decision_function(scaler.transform(later)).reshape(-1, 1)
    platt = LogisticRegression(C=CALIBRATION_C, solver="newton-cholesky").fit(odds, happened_later)
    slope, shift = float(platt.coef_[0, 0]), float(platt.intercept_[0])
    return model if slope <= 0 else replace(model, slope=slope, shift=shift)


def auc(score: Array, happened: Array) -> float:
    """Compute how often one to whom it happened has the higher score than one to whom it didn't; ties count half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(happened, score))


def calibration(probability: Array, happened: Array) -> list[tuple[int, float, float]]:
    """Compare predicted with observed by tenths of the prediction: how many, mean prediction, share to whom it happened."""
    order = np.array_split(np.argsort(probability, kind="stable"), BINS)
    return [(len(part), float(probability[part].mean()), float(happened[part].mean())) for part in order if len(part)]
