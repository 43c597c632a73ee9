"""Reads of staff. Every one starts from what the asking person reaches."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import Http404
from guardian.models import UserObjectPermission

from crm.choices import UserKind
from crm.models import Book, Brand, Desk, GrantRequest, User
from crm.security.policies import require_permission
from crm.security.scope import reach_of


def staff_visible_to(user: User) -> QuerySet[User]:
    """Select the staff of the brands that the user reaches, and themselves. Superusers see everybody."""
    staff = User.objects.filter(kind=UserKind.STAFF)
    if not user or not user.is_authenticated or not user.is_team:
        return staff.none()
    if user.is_superuser:
        return staff
    return staff.filter(Q(brand_id__in=reach_of(user).brands) | Q(pk=user.pk))


def service_accounts_visible_to(user: User) -> QuerySet[User]:
    """Select the service accounts of the brands that a person reaches. Superusers see all."""
    accounts = User.objects.filter(kind=UserKind.SERVICE)
    if not user or not user.is_authenticated or not user.is_team:
        return accounts.none()
    return accounts if user.is_superuser else accounts.filter(brand_id__in=reach_of(user).brands)


def team_visible_to(user: User) -> QuerySet[User]:
    """Select everyone who can have roles and reach: staff and service accounts that the user sees."""
    return staff_visible_to(user) | service_accounts_visible_to(user)


def reaches_staff(actor: User, user: User) -> bool:
    """Check whether the actor sees this member of staff or service account."""
    return team_visible_to(actor).filter(pk=user.pk).exists()


def get_staff(user: User, staff_id: int) -> User:
    """Find one member of staff; 404 when not visible, NotAllowed without `crm.manage_staff`."""
    person = staff_visible_to(user).select_related("brand", "desk").filter(pk=staff_id).first()
    if person is None:
        raise Http404
    require_permission(user, "crm.manage_staff")
    return person


def requests_visible_to(user: User) -> QuerySet[GrantRequest]:
    """Select the requests for roles and reach of the staff and service accounts that the user sees."""
    return GrantRequest.objects.filter(user__in=team_visible_to(user)).select_related(
        "user", "requested_by", "decided_by", "brand", "desk", "book"
    )


@dataclass(frozen=True)
class HeldGrant:
    """A grant on a brand, desk or book that somebody holds."""

    kind: str
    thing: Brand | Desk | Book


def grants_of(user: User) -> list[HeldGrant]:
    """List what a person was granted, brands first. Books they own come with them and are not grants."""
    rows = UserObjectPermission.objects.filter(
        user=user,
        content_type__app_label="crm",
        permission__codename__in=["access_brand", "access_desk", "access_book"],
    ).values_list("content_type__model", "object_pk")
    ids: dict[str, list[int]] = {"brand": [], "desk": [], "book": []}
    for model, pk in rows:
        ids[model].append(int(pk))
    held: list[HeldGrant] = []
    for model, cls, related in (("brand", Brand, ()), ("desk", Desk, ("brand",)), ("book", Book, ("brand", "desk"))):
        if ids[model]:
            held += [HeldGrant(model, row) for row in cls.objects.select_related(*related).filter(pk__in=ids[model])]
    return held
