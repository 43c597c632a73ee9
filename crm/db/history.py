"""Field-level versions of editable records (django-simple-history), as a list of what changed, when and by whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

VERSIONS_SHOWN = 50


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    """One saved version: how it differs from the one before. The first one shows no fields."""

    at: dt.datetime
    by: str
    kind: str
    changes: list[FieldChange]


def versions_of(record: models.Model, *, limit: int = VERSIONS_SHOWN) -> list[Version]:
    """List the newest versions of a record, newest first, in one query with the people who made them."""
    rows = list(record.history.select_related("history_user").order_by("-history_date", "-history_id")[: limit + 1])  # type: ignore[attr-defined]
    names = {"+": _("Created"), "~": _("Changed"), "-": _("Deleted")}
    versions = []
    for row, older in zip(rows[:limit], [*rows[1:], None], strict=False):
        versions.append(
            Version(
                at=row.history_date,
                by=str(row.history_user or "Keelson"),
                kind=names.get(row.history_type, ""),
                changes=_differences(older, row) if older is not None else [],
            )
        )
    return [version for version in versions if version.changes or version.kind != names["~"]]


def _differences(older: Any, newer: Any) -> list[FieldChange]:
    return [
        FieldChange(str(_label(field)), _shown(older, field), _shown(newer, field))
        for field in newer.tracked_fields
        if getattr(older, field.attname) != getattr(newer, field.attname)
    ]


def _label(field: models.Field[Any, Any]) -> str:
    return str(field.verbose_name).replace("_", " ").capitalize()


def _shown(row: Any, field: models.Field[Any, Any]) -> str:
    """Write a value in words; a related record by its number, because it may be deleted since."""
    value = getattr(row, field.attname)
    if value is None or value in ("", [], {}):
        return "–"
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(str(element) for element in value)
    if isinstance(field, models.ForeignKey):
        return f"#{value}"
    return str(value)
