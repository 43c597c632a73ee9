"""Books: sets of clients that are reached together, an agent's or a desk's pool."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from guardian.models import GroupObjectPermission, UserObjectPermission

from crm.audit_codes import CrmAction
from crm.choices import UserKind
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor, Book, Brand, Desk, User
from crm.security import audit
from crm.security.policies import require
from crm.staff import company
from crm.staff.blockers import require_changeable


@dataclass(frozen=True, slots=True)
class BookDetails:
    """`is_pool`: leads that nobody has claimed go here, so that it has no owner."""

    name: str
    desk: Desk | None = None
    owner: User | None = None
    is_pool: bool = False


def owners_for(*, brand_id: int, desk_id: int | None, book_id: int | None) -> QuerySet[User]:
    """Select the staff who may own a book: those who were granted access to it, its desk or its brand.

    Owning gives access, and access takes two administrators: so the grant comes first.
    """
    reached = Q(content_type__model="brand", object_pk=str(brand_id))
    if desk_id is not None:
        reached |= Q(content_type__model="desk", object_pk=str(desk_id))
    if book_id is not None:
        reached |= Q(content_type__model="book", object_pk=str(book_id))
    own = UserObjectPermission.objects.filter(reached, content_type__app_label="crm")
    groups = GroupObjectPermission.objects.filter(reached, content_type__app_label="crm")
    staff = User.objects.filter(kind=UserKind.STAFF, is_active=True)
    return staff.filter(
        Q(pk__in=own.values("user"))
        | Q(pk__in=User.groups.through.objects.filter(group__in=groups.values("group")).values("user"))
    ).order_by("last_name", "pk")


@transaction.atomic
def create_book(*, brand_id: int, actor: Actor, details: BookDetails) -> Book:
    """Add a book to an open brand.

    Who: `crm.manage_company` on the whole brand. Raises: NotAllowed, WrongState; DomainError when a value doesn't fit.
    """
    require(company.can_set_up(actor, brand_id))
    brand = company.open_brand(brand_id)
    book = Book(brand=brand)
    _before, after = company.assign(book, _values(book, brand, details))
    _save(book)
    audit.record(actor=actor, action=CrmAction.BOOK_CREATED, target=book, brand_id=brand_id, after=after)
    if actor is not None:
        actor.__dict__.pop("_keelson_reach", None)
    return book


@transaction.atomic
def change_book(*, book_id: int, actor: Actor, details: BookDetails) -> Book:
    """Change a book's name, desk or owner; its clients stay in it.

    Who: `crm.manage_company` on its whole brand. Raises: NotAllowed; DomainError when a value doesn't fit.
    """
    book = lock(Book, book_id, "brand", "desk", "owner")
    require(company.can_set_up(actor, book.brand_id))
    if book.owner != details.owner:
        require_changeable(book, "owner")
    before, after = company.assign(book, _values(book, book.brand, details))
    if after:
        _save(book)
        audit.record(
            actor=actor, action=CrmAction.BOOK_CHANGED, target=book, brand_id=book.brand_id, before=before, after=after
        )
    return book


@transaction.atomic
def archive_book(*, book_id: int, actor: Actor, reason: str) -> Book:
    """Archive a book without clients. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    book = lock(Book, book_id)
    require(company.can_set_up(actor, book.brand_id))
    return company.archive(book, actor=actor, action=CrmAction.BOOK_ARCHIVED, reason=reason, brand_id=book.brand_id)


@transaction.atomic
def restore_book(*, book_id: int, actor: Actor, reason: str) -> Book:
    """Take a book out of the archive. Who: as for a change. Raises: NotAllowed, WrongState, DomainError."""
    book = lock(Book, book_id, "brand", "desk")
    require(company.can_set_up(actor, book.brand_id))
    for above in (book.brand, book.desk):
        if above is not None and above.archived_at is not None:
            raise WrongState(_("%(name)s is archived. Restore it first.") % {"name": above})
    return company.restore(book, actor=actor, action=CrmAction.BOOK_RESTORED, reason=reason, brand_id=book.brand_id)


def _values(book: Book, brand: Brand, details: BookDetails) -> dict[str, Any]:
    desk = details.desk
    if desk is not None and desk.pk != book.desk_id:
        if desk.brand_id != brand.pk:
            raise DomainError(_("This desk belongs to another brand."))
        if desk.archived_at is not None:
            raise WrongState(_("%(name)s is archived. Restore it first.") % {"name": desk})
    owner = details.owner
    if owner is not None and details.is_pool:
        raise DomainError(_("A pool has no owner: its leads are assigned to the desk's agents."))
    if owner is not None and owner.pk != book.owner_id:
        choices = owners_for(brand_id=brand.pk, desk_id=desk.pk if desk else None, book_id=book.pk)
        if not choices.filter(pk=owner.pk).exists():
            raise DomainError(
                _("%(owner)s has no access to this book. Request it on their staff page first.") % {"owner": owner}
            )
    return {column.name: getattr(details, column.name) for column in fields(details)}


def _save(book: Book) -> None:
    try:
        with transaction.atomic():
            book.save()
    except IntegrityError:
        raise DomainError(_("This brand already has a book with this name."), code="duplicate") from None
