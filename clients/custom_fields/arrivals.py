"""Custom fields of leads as they arrive by form, API or file: read by key, checked by type, written where a record has none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.custom_fields.registry import name_of
from clients.custom_fields.values import clean, value_row, values_of
from clients.models import Client, CustomField, CustomValue
from crm.errors import DomainError, outcome_of

GIVEN_MAX: Final = 50
Values = Mapping[CustomField, Any]


def lead_fields(brand_id: int) -> list[CustomField]:
    """List the open fields of a brand's leads, in their order."""
    rows = CustomField.objects.filter(brand_id=brand_id, archived_at=None, for_leads=True)
    return list(rows.select_related("brand").prefetch_related("choices"))


def judge(brand_id: int, given: Mapping[str, Any]) -> tuple[dict[CustomField, Any], dict[str, str]]:
    """Check what arrived by the fields' keys: the typed values, empty ones left out, and what is wrong by key."""
    if len(given) > GIVEN_MAX:
        return {}, {"": _("At most %(count)s custom fields.") % {"count": GIVEN_MAX}}
    known = {row.key: row for row in lead_fields(brand_id)} if given else {}
    values: dict[CustomField, Any] = {}
    problems: dict[str, str] = {}
    for key, entry in given.items():
        row = known.get(key)
        if row is None:
            problems[key[:40]] = _("There is no custom field “%(key)s” on leads.") % {"key": key[:40]}
            continue
        checked = outcome_of(partial(clean, row, entry))
        if not checked:
            problems[key] = checked.message
        elif checked.result is not None:
            values[row] = checked.result
    return values, problems


def read_given(brand_id: int, given: Mapping[str, Any]) -> dict[CustomField, Any]:
    """Check what arrived by the fields' keys. Raises: DomainError, which names every field that is wrong."""
    values, problems = judge(brand_id, given)
    if problems:
        raise DomainError(" ".join(problems.values()), code="custom_field")
    return values


@dataclass
class Merged:
    """What became of values that arrived: written into empty fields, or left out because the record keeps what it has."""

    filled: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, Any] = field(default_factory=dict)

    def as_audit(self) -> dict[str, Any]:
        """Write it for an audit row's body, which is encrypted under the client's key."""
        parts = {"custom": self.filled, "custom_left_out": self.left_out}
        return {name: part for name, part in parts.items() if part}


def fill_blank(client: Client, values: Values, *, is_new: bool = False) -> Merged:
    """Write values into the fields that a record has empty and overwrite nothing. The caller has locked or just made the client.

    A field that is only for leads isn't on the record of somebody who registered.
    """
    merged = Merged()
    if not values:
        return merged
    have = {} if is_new else values_of(client)
    rows = []
    for row, value in values.items():
        if row.pk in have or (client.stage != Stage.LEAD and not row.for_clients):
            if have.get(row.pk) != value:
                merged.left_out[row.key] = value
            continue
        merged.filled[row.key] = value
        rows.append(value_row(client.pk, row, value))
    CustomValue.objects.bulk_create(rows)
    return merged


def named(values: Values) -> dict[str, Any]:
    """Name values as conditions do."""
    return {name_of(row): value for row, value in values.items()}


def named_of(client_ids: Iterable[int], field_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Read what clients have in some fields, named as conditions do: one query, none without fields."""
    if not field_ids:
        return {}
    found: dict[int, dict[str, Any]] = {}
    rows = CustomValue.objects.filter(client_id__in=list(client_ids), field_id__in=field_ids).select_related("field")
    for row in rows:
        found.setdefault(row.client_id, {})[name_of(row.field)] = row.value
    return found
