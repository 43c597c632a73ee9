"""How a legal entity reports to its FIU: set up by the circle, with the FIU's codes and, where it has one, its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from compliance.audit_codes import ComplianceAction
from compliance.sar import goaml, policies
from compliance.sar.models import ReportingEntity
from crm.db.locking import lock
from crm.models import Brand, LegalEntity, User
from crm.security import audit
from crm.security.policies import require
from crm.security.scope import reach_of


def entities_for(user: User) -> list[LegalEntity]:
    """List the legal entities of brands that the person reaches as a whole."""
    brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands)
    return list(LegalEntity.objects.filter(pk__in=brands.values("legal_entity_id"), archived_at=None).order_by("name"))


@transaction.atomic
def set_reporting_entity(
    *, legal_entity_id: int, actor: User, values: Mapping[str, Any], schema: tuple[str, bytes] | None = None
) -> ReportingEntity:
    """Keep how a legal entity reports. schema: the FIU's XSD with its file name; None: the one that is there stays.

    Who: the circle, on a whole brand of the entity. Raises: NotAllowed, DomainError for a schema that can't be read.
    """
    legal_entity = lock(LegalEntity, legal_entity_id)
    require(policies.can_set_up(actor, legal_entity))
    entity = ReportingEntity.objects.filter(legal_entity=legal_entity).first() or ReportingEntity(
        legal_entity=legal_entity
    )
    changed = [name for name, value in values.items() if getattr(entity, name) != value]
    for name, value in values.items():
        setattr(entity, name, value)
    if schema is not None:
        goaml.read_schema(schema[1])
        entity.schema_name, entity.schema = schema[0][:120], schema[1].decode()
        changed.append("schema")
    entity.changed_by, entity.changed_at = actor, timezone.now()
    entity.save()
    audit.record(actor=actor, action=ComplianceAction.SAR_ENTITY_SET, target=entity, after={"fields": sorted(changed)})
    return entity
