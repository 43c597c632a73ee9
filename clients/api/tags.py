"""Tags of a person in API reads, by the fields that the reader sees: in the list's own statement."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Aggregate, F, JSONField, OuterRef, Q, Subquery

from clients.choices import Stage
from clients.custom_fields.registry import seen_by
from clients.models import CustomFieldType, CustomValue
from crm.api.fields import Field, looked_up
from crm.models import User

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "string"}},
    "description": "The person's tags: codes by the key of their custom field, as far as the reader's roles see it",
    "examples": [{"interests": ["gold", "webinar"]}],
}
ON_RECORD: Final = Q(client__stage=Stage.LEAD, field__for_leads=True) | (
    ~Q(client__stage=Stage.LEAD) & Q(field__for_clients=True)
)


class _ByKey(Aggregate):
    function = "jsonb_object_agg"
    output_field = JSONField()


def tags(client: str = "id") -> Field:
    """Declare the tags of the client to whose id a path leads."""
    return looked_up("tags", client, _tags_of, lambda found: found or {}, schema=SCHEMA)


def _tags_of(user: User, client: str) -> Subquery:
    fields = seen_by(user).filter(type=CustomFieldType.CHOICES).order_by().values("pk")
    rows = CustomValue.objects.filter(ON_RECORD, client_id=OuterRef(client), field_id__in=fields).order_by()
    return Subquery(rows.values("client_id").annotate(found=_ByKey(F("field__key"), F("codes"))).values("found"))
