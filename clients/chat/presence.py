"""Who takes chats now: people who said that they are available and are at work in Keelson."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from allauth.usersessions.models import UserSession
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from guardian.models import GroupObjectPermission, UserObjectPermission

from clients.audit_codes import ClientsAction
from clients.chat.policies import ANSWERS
from clients.models import ChatPresence, Client
from crm.choices import UserKind
from crm.models import Book, Brand, Desk, User
from crm.security import audit
from crm.security.policies import require_permission

ONLINE = dt.timedelta(minutes=10)  # a session writes once a minute that somebody works in it
PEOPLE_MAX: Final = 200


@dataclass(frozen=True)
class DeskPresence:
    """The people of a desk who could answer, and which of them are online."""

    name: str
    people: list[User]

    @property
    def online(self) -> list[User]:
        return [person for person in self.people if person.is_online]  # type: ignore[attr-defined]


@transaction.atomic
def set_availability(*, actor: User, is_available: bool) -> ChatPresence:
    """Take chats from now on, or no longer. Who: `clients.log_call`, for oneself. Raises: NotAllowed."""
    require_permission(actor, ANSWERS)
    row, _is_new = ChatPresence.objects.update_or_create(
        user=actor, defaults={"is_available": is_available, "changed_at": timezone.now()}
    )
    audit.record(
        actor=actor,
        action=ClientsAction.CHAT_AVAILABILITY_SET,
        target=actor,
        brand_id=actor.brand_id,
        after={"is_available": is_available},
    )
    return row


def is_available(user: User) -> bool:
    """Check whether a person takes chats."""
    return ChatPresence.objects.filter(user=user, is_available=True).exists()


def people_for(client: Client) -> QuerySet[User]:
    """Select the staff who reach a client and may answer, each with `is_online`."""
    book = client.book
    places = [(Brand, book.brand_id), (Desk, book.desk_id), (Book, book.pk)]
    kinds = ContentType.objects.get_for_models(Brand, Desk, Book)
    place = Q(pk__in=[])
    for model, pk in places:
        place |= Q(content_type=kinds[model], object_pk=str(pk), permission__codename__startswith="access_")
    reaches = (
        Q(pk__in=UserObjectPermission.objects.filter(place).values("user_id"))
        | Q(groups__in=GroupObjectPermission.objects.filter(place).values("group_id"))
        | Q(pk=book.owner_id or 0)
    )
    app, codename = ANSWERS.split(".")
    holds = Q(groups__permissions__content_type__app_label=app, groups__permissions__codename=codename)
    staff = User.objects.filter(kind=UserKind.STAFF, is_active=True)
    holders = staff.filter(holds).values("pk")
    reachers = staff.filter(reaches).values("pk")
    return staff.filter(pk__in=reachers).filter(pk__in=holders).annotate(is_online=_online()).order_by("pk")


def online_for(client: Client) -> QuerySet[User]:
    """Select who could answer this client now."""
    return people_for(client).filter(_online())


def by_desk(people: Iterable[User]) -> list[DeskPresence]:
    """Group people by their desk, those without one last."""
    desks: dict[str, list[User]] = {}
    for person in people:
        desks.setdefault(person.desk.name if person.desk is not None else "", []).append(person)
    return [DeskPresence(name, desks[name]) for name in sorted(desks, key=lambda name: (not name, name))]


def desks_of(user: User) -> list[DeskPresence]:
    """Show who is available on the desks of the brands that a person works for."""
    rows = User.objects.filter(kind=UserKind.STAFF, is_active=True, chat_presence__is_available=True)
    rows = rows.filter(brand_id=user.brand_id) if user.brand_id else rows
    people = rows.select_related("desk").annotate(is_online=_online()).order_by(F("desk__name"), "first_name", "pk")
    return by_desk(people[:PEOPLE_MAX])


def _online() -> Exists:
    sessions = UserSession.objects.filter(user=OuterRef("user"), last_seen_at__gte=timezone.now() - ONLINE)
    return Exists(ChatPresence.objects.filter(Exists(sessions), user=OuterRef("pk"), is_available=True))
