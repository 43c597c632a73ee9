"""Remembered mappings: renamed, or deleted. Imports that used one keep their own copy."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.db.locking import lock
from crm.errors import DomainError
from crm.imports.importing import can_import
from crm.models import Actor, ImportMapping, User
from crm.security import audit
from crm.security.policies import require
from crm.security.scope import reach_of


def mappings_visible_to(user: User) -> QuerySet[ImportMapping]:
    """Select the remembered mappings of the brands that the user reaches as a whole."""
    return ImportMapping.objects.filter(brand_id__in=reach_of(user).whole_brands)


@transaction.atomic
def rename_mapping(*, mapping_id: int, actor: Actor, name: str) -> ImportMapping:
    """Give a remembered mapping another name.

    Who: `crm.import_data` for the whole brand. Raises: NotAllowed; DomainError without a name, or for one that is taken.
    """
    mapping, name = _locked(mapping_id, actor), name.strip()[:80]
    if not name:
        raise DomainError(_("Enter a name."))
    same_name = ImportMapping.objects.filter(brand_id=mapping.brand_id, kind=mapping.kind, name=name)
    if same_name.exclude(pk=mapping.pk).exists():
        raise DomainError(_("Another mapping for these records has this name."))
    before, mapping.name = mapping.name, name
    if name != before:
        # Not saved_at: the mapping that is used for a file is the one whose columns were saved last.
        mapping.save(update_fields=["name"])
        _record(CrmAction.DATA_IMPORT_MAPPING_RENAMED, mapping, actor, before)
    return mapping


@transaction.atomic
def delete_mapping(*, mapping_id: int, actor: Actor) -> None:
    """Forget a remembered mapping. Who: `crm.import_data` for the whole brand. Raises: NotAllowed."""
    mapping = _locked(mapping_id, actor)
    _record(CrmAction.DATA_IMPORT_MAPPING_DELETED, mapping, actor, mapping.name)
    mapping.delete()


def _locked(mapping_id: int, actor: Actor) -> ImportMapping:
    mapping = lock(ImportMapping, mapping_id)
    require(can_import(actor, mapping.brand_id))
    return mapping


def _record(action: CrmAction, mapping: ImportMapping, actor: Actor, before: str) -> None:
    is_renamed = action == CrmAction.DATA_IMPORT_MAPPING_RENAMED
    audit.record(
        actor=actor,
        action=action,
        target=mapping,
        brand_id=mapping.brand_id,
        before={"name": before, "kind": mapping.kind, "mapping": mapping.definition},
        after={"name": mapping.name} if is_renamed else {},
    )
