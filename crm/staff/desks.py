"""Desks: teams of a brand, with the languages and countries they serve."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.audit_codes import CrmAction
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.time_zones import all_zones
from crm.models import Actor, Book, Desk
from crm.security import audit
from crm.security.policies import require
from crm.staff import company


@dataclass(frozen=True, slots=True)
class DeskDetails:
    name: str
    languages: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    time_zone: str = "UTC"


@transaction.atomic
def create_desk(*, brand_id: int, actor: Actor, details: DeskDetails) -> Desk:
    """Add a desk to an open brand, with a book for leads that nobody has claimed: without a book nobody reaches a desk.

    Who: `crm.manage_company` on the whole brand. Raises: NotAllowed, WrongState; DomainError when the name is taken.
    """
    require(company.can_set_up(actor, brand_id))
    brand = company.open_brand(brand_id)
    desk = Desk(brand=brand)
    _before, after = company.assign(desk, _values(details))
    _save(desk)
    audit.record(actor=actor, action=CrmAction.DESK_CREATED, target=desk, brand_id=brand_id, after=after)
    name = _("%(desk)s pool") % {"desk": desk.name}
    if len(name) <= 80 and not Book.objects.filter(brand=brand, name=name).exists():
        pool = Book.objects.create(brand=brand, desk=desk, name=name, is_pool=True)
        audit.record(
            actor=actor,
            action=CrmAction.BOOK_CREATED,
            target=pool,
            brand_id=brand_id,
            after={"name": pool.name, "desk": desk.name, "is_pool": True},
        )
    if actor is not None:
        actor.__dict__.pop("_keelson_reach", None)
    return desk


@transaction.atomic
def change_desk(*, desk_id: int, actor: Actor, details: DeskDetails) -> Desk:
    """Change a desk. Who: `crm.manage_company` on its whole brand. Raises: NotAllowed; DomainError when the name is taken."""
    desk = lock(Desk, desk_id, "brand")
    require(company.can_set_up(actor, desk.brand_id))
    before, after = company.assign(desk, _values(details))
    if after:
        _save(desk)
        audit.record(
            actor=actor, action=CrmAction.DESK_CHANGED, target=desk, brand_id=desk.brand_id, before=before, after=after
        )
    return desk


@transaction.atomic
def archive_desk(*, desk_id: int, actor: Actor, reason: str) -> Desk:
    """Archive a desk without active members and open books. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    desk = lock(Desk, desk_id)
    require(company.can_set_up(actor, desk.brand_id))
    members = desk.members.filter(is_active=True).count()
    if members:
        raise DomainError(
            ngettext(
                "%(count)s active person is on this desk. Move them to another desk first.",
                "%(count)s active people are on this desk. Move them to another desk first.",
                members,
            )
            % {"count": members}
        )
    books = list(desk.books.filter(archived_at=None).order_by("name").values_list("name", flat=True)[:5])
    if books:
        raise DomainError(
            _("Archive the books of this desk first, or move them to another desk: %(books)s.")
            % {"books": ", ".join(books)}
        )
    return company.archive(desk, actor=actor, action=CrmAction.DESK_ARCHIVED, reason=reason, brand_id=desk.brand_id)


@transaction.atomic
def restore_desk(*, desk_id: int, actor: Actor, reason: str) -> Desk:
    """Take a desk out of the archive. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    desk = lock(Desk, desk_id, "brand")
    require(company.can_set_up(actor, desk.brand_id))
    if desk.brand.archived_at is not None:
        raise WrongState(_("%(name)s is archived. Restore it first.") % {"name": desk.brand})
    return company.restore(desk, actor=actor, action=CrmAction.DESK_RESTORED, reason=reason, brand_id=desk.brand_id)


def _values(details: DeskDetails) -> dict[str, Any]:
    if details.time_zone not in all_zones():
        raise DomainError(_("Unknown time zone: %(name)s.") % {"name": details.time_zone})
    return {column.name: getattr(details, column.name) for column in fields(details)}


def _save(desk: Desk) -> None:
    try:
        with transaction.atomic():
            desk.save()
    except IntegrityError:
        raise DomainError(_("This brand already has a desk with this name."), code="duplicate") from None
