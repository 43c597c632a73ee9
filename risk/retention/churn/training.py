"""Models of departure: fitted to months that are over, recalibrated on a later one, judged on the two newest, which neither saw."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
from django.db import transaction
from django.utils import timezone

from crm.learning import logistic
from crm.learning.trained import numbers
from risk.retention.churn.features import FEATURES, HORIZON_DAYS, join, snapshot
from risk.retention.models import ChurnModel

MONTHS: Final = 9
HELD_BACK: Final = 2
# With fewer departures a model would learn noise.
DEPARTED_LEAST: Final = 30


def snapshot_days(today: dt.date) -> list[dt.date]:
    """List the days on which clients are looked at, newest first: thirty days apart, each with its horizon behind it."""
    newest = today - dt.timedelta(days=HORIZON_DAYS + 1)
    return [newest - dt.timedelta(days=30 * n) for n in range(MONTHS)]


def train(*, today: dt.date | None = None) -> ChurnModel | None:
    """Train a new version and put it into use. None, and the old one stays, where too few clients departed to learn from."""
    days = snapshot_days(today or timezone.now().date())
    snapshots = [snapshot(day, is_past=True) for day in days]
    held, later, earlier = snapshots[:HELD_BACK], snapshots[HELD_BACK], snapshots[HELD_BACK + 1 :]
    fitting, departed = join(earlier)
    testing, left = join(held)
    for values in (departed, later.departed, left):
        if not DEPARTED_LEAST <= values.sum() <= len(values) - DEPARTED_LEAST:
            return None
    model = logistic.fitted(fitting, departed, later=later.features, happened_later=later.departed)
    since = np.concatenate([part.since for part in held])
    with transaction.atomic():
        ChurnModel.objects.filter(is_active=True).update(is_active=False)
        return ChurnModel.objects.create(
            trained_at=timezone.now(),
            first_day=days[-1],
            last_day=days[0],
            horizon_days=HORIZON_DAYS,
            clients=len(departed) + len(later.departed),
            held_back=len(left),
            departed=int(left.sum()),
            **numbers(model, list(FEATURES), held=testing, truth=left, yardstick=since),
        )
