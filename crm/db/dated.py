"""Rows that hold from one instant to another: their range, and the constraints that keep them apart."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value


class TsTzRange(Func):
    """tstzrange(from, to): the instants in which a dated row holds; no end means until further notice."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


def dated_once(name: str, *fields: str, **options: Any) -> ExclusionConstraint:
    """Declare that no two rows of the same `fields` hold at the same instant."""
    return ExclusionConstraint(
        name=name,
        expressions=[
            *[(field, RangeOperators.EQUAL) for field in fields],
            (TsTzRange(F("starts_at"), F("ends_at"), Value("[)")), RangeOperators.OVERLAPS),
        ],
        **options,
    )


def ends_after_start(name: str) -> models.CheckConstraint:
    """Declare the CHECK that a span ends after its start, or not yet."""
    return models.CheckConstraint(condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name=name)
