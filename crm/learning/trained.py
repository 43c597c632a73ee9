"""A version of a score that was learned, as it is stored: numbers by feature, and how good it was on months that it hadn't seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from django.db import models
from django.db.models import Q

from crm.learning import logistic


class TrainedModel(models.Model):
    """Numbers of one version. `calibration`: by tenths of the prediction, how many, mean prediction and the share seen."""

    trained_at = models.DateTimeField()
    first_day = models.DateField()
    last_day = models.DateField()
    horizon_days = models.PositiveSmallIntegerField()
    means = models.JSONField()
    spreads = models.JSONField()
    weights = models.JSONField()
    intercept = models.FloatField()
    slope = models.FloatField()
    shift = models.FloatField()
    auc = models.FloatField()
    yardstick_auc = models.FloatField()
    calibration = models.JSONField()
    is_active = models.BooleanField(default=True)

    class Meta:
        abstract = True

    def loaded(self, names: Iterable[str]) -> logistic.Model:
        """Make the version able to score. Raises: KeyError where it lacks a feature, so that an old one never guesses."""
        values = [np.array([part[name] for name in names]) for part in (self.means, self.spreads, self.weights)]
        return logistic.Model(values[0], values[1], values[2], self.intercept, self.slope, self.shift)

    @property
    def tenths(self) -> list[tuple[int, float, float]]:
        """List the calibration in percent."""
        return [(count, 100 * predicted, 100 * seen) for count, predicted, seen in self.calibration]

    @property
    def by_weight(self) -> list[tuple[str, float]]:
        """List the features with their weights, the heaviest first."""
        return sorted(self.weights.items(), key=lambda item: -abs(item[1]))


def limits(one: str, name: str) -> list[models.BaseConstraint]:
    """Return the constraints that each table of versions has: one in use, and an AUC that can be."""
    return [
        models.UniqueConstraint(fields=["is_active"], condition=Q(is_active=True), name=one),
        models.CheckConstraint(condition=Q(auc__gte=0, auc__lte=1), name=name),
    ]


def numbers(
    model: logistic.Model,
    names: Sequence[str],
    *,
    held: logistic.Array,
    truth: logistic.Array,
    yardstick: logistic.Array,
) -> dict[str, Any]:
    """Return what is stored of a model, judged on those held back: features, what became true, and a simpler score of them."""
    predicted = model.probability(held)
    return {
        "means": dict(zip(names, model.mean.tolist(), strict=True)),
        "spreads": dict(zip(names, model.spread.tolist(), strict=True)),
        "weights": dict(zip(names, model.weights.tolist(), strict=True)),
        "intercept": model.intercept,
        "slope": model.slope,
        "shift": model.shift,
        "auc": logistic.auc(predicted, truth),
        "yardstick_auc": logistic.auc(yardstick, truth),
        "calibration": [list(row) for row in logistic.calibration(predicted, truth)],
    }
