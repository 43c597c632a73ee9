"""Why somebody reaches a book, and what their roles let them do there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext as _
from guardian.models import GroupObjectPermission, UserObjectPermission

from crm.audit_codes import CrmAction
from crm.choices import Role
from crm.models import AuditEvent, Book, Brand, Desk, User
from crm.security import audit
from crm.security.rights import name_of
from crm.security.scope import reach_of

GRANTS_READ = 200


@dataclass(frozen=True)
class AccessPath:
    """One road to a book: a grant with who gave it and when, or ownership."""

    kind: str
    name: str
    by: str = ""
    at: dt.datetime | None = None
    through_group: str = ""


@dataclass(frozen=True)
class Right:
    label: str
    codename: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Whether a person reaches a book, by which ways, and with which rights."""

    user: User
    book: Book
    reaches: bool
    ways: list[AccessPath]
    roles: list[str]
    rights: list[Right]
    why_not: str = ""


def explain(user: User, book: Book) -> Explanation:
    """Explain why a person reaches a book or doesn't, by the reading of grants that pages start from (`reach_of`)."""
    labels = reach_of(user).why.get(book.pk, ())
    ways = [way for label in labels for way in _ways(user, book, label)]
    groups = list(user.groups.prefetch_related("permissions__content_type"))
    return Explanation(
        user=user,
        book=book,
        reaches=bool(labels),
        ways=ways,
        roles=[_role_label(group) for group in groups],
        rights=_rights(user, groups),
        why_not="" if labels else _why_not(user, book),
    )


def _role_label(group: Group) -> str:
    return str(dict(Role.choices).get(group.name, group.name))


def _ways(user: User, book: Book, label: str) -> list[AccessPath]:
    if label == "superuser":
        return [AccessPath("superuser", _("Superuser: sees everything"))]
    if label == "owner":
        return [AccessPath("owner", _("Owner of the book “%(book)s”") % {"book": book.name})]
    thing: Brand | Desk | Book | None = {"brand": book.brand, "desk": book.desk, "book": book}[label]
    assert thing is not None
    names = {
        "brand": _("Access to the brand “%(name)s”"),
        "desk": _("Access to the desk “%(name)s”"),
        "book": _("Access to the book “%(name)s”"),
    }
    name = names[label] % {"name": thing}
    which = {"permission__codename": f"access_{label}", "object_pk": str(thing.pk), "content_type__app_label": "crm"}
    ways = []
    if UserObjectPermission.objects.filter(user=user, **which).exists():
        by, at = _granted_by(user, label, thing.pk)
        ways.append(AccessPath(label, name, by=by, at=at))
    for row in GroupObjectPermission.objects.filter(group__user=user, **which).select_related("group"):
        ways.append(AccessPath(label, name, through_group=_role_label(row.group)))
    return ways


def _granted_by(user: User, label: str, pk: int) -> tuple[str, dt.datetime | None]:
    """Find who gave the grant, from the audit log; "" where it is older than the log."""
    events = AuditEvent.objects.filter(
        action=CrmAction.ACCESS_GRANTED, target_type="crm.user", target_id=str(user.pk)
    ).order_by("-id")[:GRANTS_READ]
    for event in events:
        if (audit.body_of(event).get("after") or {}).get(f"access_{label}") == pk:
            return event.actor_label, event.at
    return "", None


def _rights(user: User, groups: list[Group]) -> list[Right]:
    by_permission: dict[Permission, list[str]] = {}
    for group in groups:
        for permission in group.permissions.all():
            by_permission.setdefault(permission, []).append(_role_label(group))
    for permission in user.user_permissions.select_related("content_type"):
        by_permission.setdefault(permission, []).append(_("granted directly"))
    return sorted(
        (
            Right(name_of(code), code, tuple(sorted(roles)))
            for permission, roles in by_permission.items()
            for code in (f"{permission.content_type.app_label}.{permission.codename}",)
        ),
        key=lambda right: right.codename,
    )


def _why_not(user: User, book: Book) -> str:
    if not user.is_active:
        return _("This account is deactivated.")
    if not user.is_team:
        return _("This person isn't a member of staff.")
    places = [_("the book “%(name)s”") % {"name": book.name}]
    if book.desk:
        places.append(_("the desk “%(name)s”") % {"name": book.desk})
    places.append(_("the brand “%(name)s”") % {"name": book.brand})
    return _("No access to %(places)s, and not the owner of the book.") % {"places": ", ".join(places)}
