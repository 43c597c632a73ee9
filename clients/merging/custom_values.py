"""Custom fields of two records that are merged: what one lacks follows, what both have is chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.models import Client, CustomField, CustomValue
from clients.models.custom_fields import COLUMNS

PREFIX: Final = "custom_"
VALUES: Final = sorted(set(COLUMNS.values()))


@dataclass(frozen=True)
class Pair:
    """A field in which two records differ, both having a value."""

    field: CustomField
    kept: CustomValue
    merged: CustomValue

    @property
    def name(self) -> str:
        return f"{PREFIX}{self.field.pk}"


def differing(kept: Client, merged: Client) -> list[Pair]:
    """List the fields in which both have a value, and not the same one."""
    by_field: dict[int, dict[int, CustomValue]] = {}
    for value in _values(kept, merged).select_related("field"):
        by_field.setdefault(value.field_id, {})[value.client_id] = value
    pairs = [Pair(both[kept.pk].field, both[kept.pk], both[merged.pk]) for both in by_field.values() if len(both) > 1]
    return sorted(
        (pair for pair in pairs if pair.kept.value != pair.merged.value),
        key=lambda pair: (pair.field.position, pair.field.pk),
    )


def state_of(kept: Client, merged: Client) -> list[Any]:
    """Return the values of both, in one order."""
    rows = _values(kept, merged).order_by("client_id", "field_id")
    return [[row.client_id, row.field_id, str(row.value)] for row in rows]


def swap(kept: Client, merged: Client, taken: Collection[str]) -> list[int]:
    """Exchange the values of the fields that were taken from the merged record; returns the fields."""
    chosen = [pair for pair in differing(kept, merged) if pair.name in taken]
    for pair in chosen:
        _exchange(pair.kept, pair.merged)
    return [pair.field.pk for pair in chosen]


def swap_back(kept: Client, merged: Client, field_ids: Sequence[int]) -> None:
    """Exchange again, where both still have a value."""
    if not field_ids:
        return
    for pair in differing(kept, merged):
        if pair.field.pk in field_ids:
            _exchange(pair.kept, pair.merged)


def _values(kept: Client, merged: Client) -> Any:
    return CustomValue.objects.filter(client_id__in=[kept.pk, merged.pk])


def _exchange(one: CustomValue, other: CustomValue) -> None:
    for column in VALUES:
        mine, theirs = getattr(one, column), getattr(other, column)
        setattr(one, column, theirs)
        setattr(other, column, mine)
    one.save(update_fields=VALUES)
    other.save(update_fields=VALUES)
