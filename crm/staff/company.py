"""Who sets up the company: legal entities, brands, desks and books; and how each of them is changed and archived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor, Book, Brand, Desk, LegalEntity, User
from crm.security import audit
from crm.security.policies import Decision, has_permission, no, on_whole_brand
from crm.security.scope import reach_of
from crm.staff.blockers import require_archivable

MANAGES: Final = "crm.manage_company"
REASON_MAX: Final = 300
Part = TypeVar("Part", LegalEntity, Brand, Desk, Book)


def can_set_up(actor: Actor, brand_id: int) -> Decision:
    """Allow setting up a brand, its desks and its books: with the right, on a brand that the actor reaches as a whole."""
    return on_whole_brand(actor, MANAGES, brand_id)


def can_found(actor: Actor) -> Decision:
    """Allow adding legal entities and brands: with the right, to somebody who reaches every brand there is.

    On an installation without a brand that is every administrator: somebody has to be the first.
    """
    allowed = has_permission(actor, MANAGES)
    if not allowed or actor is None or reaches_all_brands(actor):
        return allowed
    return no(_("Only an administrator with access to all brands can do this."))


def can_change_entity(actor: Actor, entity: LegalEntity) -> Decision:
    """Allow changing a legal entity to whoever reaches all brands under it; without any brand, to whoever may add one."""
    brands = set(entity.brands.values_list("pk", flat=True))
    if not brands:
        return can_found(actor)
    allowed = has_permission(actor, MANAGES)
    if not allowed or actor is None or brands <= reach_of(actor).whole_brands:
        return allowed
    return no(_("This company also has brands you don't have access to."))


def reaches_all_brands(user: User) -> bool:
    """Check whether a user reaches every brand as a whole, archived ones included."""
    return user.is_superuser or not Brand.objects.exclude(pk__in=reach_of(user).whole_brands).exists()


def brands_to_set_up(user: User) -> QuerySet[Brand]:
    """Select the brands that a user reaches as a whole."""
    return Brand.objects.filter(pk__in=reach_of(user).whole_brands)


def entities_to_set_up(user: User) -> QuerySet[LegalEntity]:
    """Select the legal entities of a user's brands; those without a brand too, for whoever reaches all brands."""
    mine = Q(brands__in=reach_of(user).whole_brands)
    if reaches_all_brands(user):
        mine |= Q(brands=None)
    return LegalEntity.objects.filter(mine).distinct()


def desks_to_set_up(user: User) -> QuerySet[Desk]:
    """Select the desks of the brands that a user reaches as a whole."""
    return Desk.objects.filter(brand__in=reach_of(user).whole_brands)


def books_to_set_up(user: User) -> QuerySet[Book]:
    """Select the books of the brands that a user reaches as a whole."""
    return Book.objects.filter(brand__in=reach_of(user).whole_brands)


def assign(row: Part, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the values that differ and check the row; returns what they were and are, in plain words for the audit log.

    Raises: DomainError for a value that its column doesn't take.
    """
    before, after = {}, {}
    for name, value in values.items():
        if isinstance(value, str):
            value = value.strip()
        if getattr(row, name) != value:
            before[name], after[name] = _plain(getattr(row, name)), _plain(value)
            setattr(row, name, value)
    _check(row, set(values))
    return before, after


def _check(row: Part, names: set[str]) -> None:
    """Check the values of these columns, but not that related rows exist. Raises: DomainError."""
    skipped = {field.name for field in row._meta.concrete_fields if field.is_relation or field.name not in names}
    labels = {field.name: field.verbose_name for field in row._meta.concrete_fields}
    try:
        row.clean_fields(exclude=skipped)
    except ValidationError as wrong:
        for name, messages in wrong.message_dict.items():
            label = str(labels.get(name, name)).capitalize()
            raise DomainError(f"{label}: {' '.join(messages)}") from None


def _plain(value: Any) -> Any:
    """Return a value as the audit log keeps it: a related record by its name."""
    return str(value) if hasattr(value, "pk") else value


def archive(row: Part, *, actor: Actor, action: CrmAction, reason: str, brand_id: int | None) -> Part:
    """Archive a locked row, once nothing is in the way any more.

    Raises: WrongState when it is archived already; DomainError without a reason, or with the words of a blocker.
    """
    if row.archived_at is not None:
        raise WrongState(_("%(name)s is already archived.") % {"name": row})
    require_reason(reason)
    require_archivable(row)
    row.archived_at = timezone.now()
    return _write(row, actor, action, reason, brand_id, is_archived=True)


def restore(row: Part, *, actor: Actor, action: CrmAction, reason: str, brand_id: int | None) -> Part:
    """Take a locked row out of the archive. Raises: WrongState when it isn't there; DomainError without a reason."""
    if row.archived_at is None:
        raise WrongState(_("%(name)s isn't archived.") % {"name": row})
    require_reason(reason)
    row.archived_at = None
    return _write(row, actor, action, reason, brand_id, is_archived=False)


def _write(row: Part, actor: Actor, action: CrmAction, reason: str, brand_id: int | None, *, is_archived: bool) -> Part:
    row.save(update_fields=["archived_at"])
    audit.record(
        actor=actor,
        action=action,
        target=row,
        brand_id=brand_id,
        before={"archived": not is_archived},
        after={"archived": is_archived},
        reason=reason.strip()[:REASON_MAX],
    )
    return row


def require_reason(reason: str) -> None:
    """Require words for the audit log. Raises: DomainError."""
    if not reason.strip():
        raise DomainError(_("Enter a reason. It's kept in the audit log."))


def open_brand(brand_id: int) -> Brand:
    """Lock a brand that something is added to, so that it isn't archived meanwhile. Raises: WrongState, NotFound."""
    brand = lock(Brand, brand_id, no_key=True)
    if brand.archived_at is not None:
        raise WrongState(_("%(name)s is archived. Restore it first.") % {"name": brand})
    return brand
