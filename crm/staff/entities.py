"""Legal entities: the companies behind the brands, with the licences that brands print."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, LegalEntity
from crm.security import audit
from crm.security.policies import require
from crm.staff import company


@dataclass(frozen=True, slots=True)
class EntityDetails:
    """What is printed of a company: in the footer of its brands' pages, on documents and in reports."""

    name: str
    jurisdiction: str
    registration_number: str = ""
    address: str = ""
    licence_number: str = ""


@transaction.atomic
def create_legal_entity(*, actor: Actor, details: EntityDetails) -> LegalEntity:
    """Add a company that brands can trade under.

    Who: `crm.manage_company`, reaching all brands. Raises: NotAllowed; DomainError when the name is taken.
    """
    require(company.can_found(actor))
    entity = LegalEntity()
    _before, after = company.assign(entity, asdict(details))
    _save(entity)
    audit.record(actor=actor, action=CrmAction.LEGAL_ENTITY_CREATED, target=entity, after=after)
    return entity


@transaction.atomic
def change_legal_entity(*, entity_id: int, actor: Actor, details: EntityDetails) -> LegalEntity:
    """Change a company's details; its brands print the new ones from the same statement on.

    Who: `crm.manage_company`, reaching all brands of the company. Raises: NotAllowed; DomainError when the name is taken.
    """
    entity = lock(LegalEntity, entity_id)
    require(company.can_change_entity(actor, entity))
    before, after = company.assign(entity, asdict(details))
    if after:
        _save(entity)
        audit.record(actor=actor, action=CrmAction.LEGAL_ENTITY_CHANGED, target=entity, before=before, after=after)
    return entity


@transaction.atomic
def archive_legal_entity(*, entity_id: int, actor: Actor, reason: str) -> LegalEntity:
    """Archive a company that no open brand trades under. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    entity = lock(LegalEntity, entity_id)
    require(company.can_change_entity(actor, entity))
    names = list(entity.brands.filter(archived_at=None).order_by("name").values_list("name", flat=True)[:5])
    if names:
        raise DomainError(
            _("Archive the brands of this company first, or move them to another one: %(brands)s.")
            % {"brands": ", ".join(names)}
        )
    return company.archive(entity, actor=actor, action=CrmAction.LEGAL_ENTITY_ARCHIVED, reason=reason, brand_id=None)


@transaction.atomic
def restore_legal_entity(*, entity_id: int, actor: Actor, reason: str) -> LegalEntity:
    """Take a company out of the archive. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    entity = lock(LegalEntity, entity_id)
    require(company.can_change_entity(actor, entity))
    return company.restore(entity, actor=actor, action=CrmAction.LEGAL_ENTITY_RESTORED, reason=reason, brand_id=None)


def _save(entity: LegalEntity) -> None:
    try:
        with transaction.atomic():
            entity.save()
    except IntegrityError:
        raise DomainError(_("A company with this name already exists."), code="duplicate") from None
