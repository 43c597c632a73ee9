"""The chart of an agent's own baseline: what was, and between what nine of ten such days lie."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from crm.models import User
from crm.ui.charts import Chart, Series
from monitoring.choices import Feature
from monitoring.engine import statistics
from monitoring.engine.signals import FEATURES, REGISTRY
from monitoring.models import AgentDay, DayScore

DAYS = 28
SHOWN = (Feature.CLIENTS, Feature.OUTSIDE_CLIENTS, Feature.REVEALS, Feature.SEARCHES, Feature.OFF_HOURS)


@dataclass(frozen=True)
class BaselineDay:
    day: dt.date
    observed: int | None
    expected: float | None
    low: int | None
    high: int | None


def _read(agent: User, until: dt.date, days: int) -> tuple[dict[dt.date, AgentDay], dict[dt.date, DayScore]]:
    since = until - dt.timedelta(days=days - 1)
    counted = AgentDay.objects.filter(agent=agent, day__gte=since, day__lte=until)
    scores = DayScore.objects.filter(agent=agent, day__gte=since, day__lte=until)
    return {row.day: row for row in counted}, {row.day: row for row in scores}


def _series(
    counted: dict[dt.date, AgentDay], scores: dict[dt.date, DayScore], feature: Feature, until: dt.date, days: int
) -> list[BaselineDay]:
    column = FEATURES.index(feature)
    points = []
    for back in range(days - 1, -1, -1):
        day = until - dt.timedelta(days=back)
        row, score = counted.get(day), scores.get(day)
        if row is None or score is None:
            points.append(BaselineDay(day, getattr(row, REGISTRY[feature].measure) if row else None, None, None, None))
            continue
        low, high = statistics.interval(score.expected[column], score.dispersion[column])
        points.append(BaselineDay(day, getattr(row, REGISTRY[feature].measure), score.expected[column], low, high))
    return points


def charts_of(
    agent: User, *, until: dt.date | None = None, features: tuple[Feature, ...] = SHOWN, days: int = DAYS
) -> list[dict[str, Any]]:
    """Build a chart per feature from two statements: bars for the counts, lines for what was to be expected.

    Without `until` they end with the person's last counted day.
    """
    if until is None:
        last = AgentDay.objects.filter(agent=agent).order_by("-day").values_list("day", flat=True).first()
        if last is None:
            return []
        until = last
    counted, scores = _read(agent, until, days)
    if not counted:
        return []
    made = []
    for feature in features:
        rows = _series(counted, scores, feature, until, days)
        made.append(
            {
                "feature": feature,
                "chart": Chart(
                    id=f"baseline-{feature.value}",
                    x=[row.day for row in rows],
                    height=170,
                    series=[
                        Series(_("That day"), [row.observed for row in rows], kind="bars", decimals=0),
                        Series(_("Baseline"), [row.expected for row in rows], tone="neutral", decimals=1),
                        Series(_("Normal up to"), [row.high for row in rows], tone="warning", kind="step", decimals=0),
                    ],
                ),
            }
        )
    return made
