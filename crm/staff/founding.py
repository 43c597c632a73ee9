"""An installation's first two administrators. Four eyes need two: from then on one asks and the other approves.

manage.py set_up_link      # prints the address of the form, while nobody can sign in; `make run` prints it too
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import Group
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from crm.accounts.passwords import absolute
from crm.choices import Role, UserKind
from crm.db.locking import lock_first
from crm.errors import DomainError, WrongState
from crm.models import Brand, User
from crm.security.scope import reach_of
from crm.staff import reach
from crm.staff.people import create_login, send_invitation
from crm.staff.roles import give_role

SALT: Final = "keelson.first_administrators"
LIFETIME_SECONDS: Final = 24 * 3600
ADMINISTRATORS_MAX: Final = 50


class Founded(WrongState):
    """Somebody can sign in already: from here on, administrators invite people."""


@dataclass(frozen=True, slots=True)
class Person:
    """One of the first administrators, as the form names them."""

    first_name: str
    last_name: str
    email: str


def is_founded() -> bool:
    """Check whether there is any staff login, even one that was deactivated."""
    return User.objects.filter(kind=UserKind.STAFF).exists()


def set_up_address() -> str:
    """Make the address of the form for the first administrators. Raises: Founded."""
    _require_unfounded()
    token = signing.TimestampSigner(salt=SALT).sign("open")
    return absolute(reverse("first_administrators", args=[token]))


def check_token(token: str) -> None:
    """Check that a set-up address may still be used. Raises: Founded; DomainError when it is broken or a day old."""
    try:
        signing.TimestampSigner(salt=SALT).unsign(token, max_age=LIFETIME_SECONDS)
    except signing.SignatureExpired:
        raise DomainError(
            _("This link has expired. Run “manage.py set_up_link” on the server for a new one."), code="link_expired"
        ) from None
    except signing.BadSignature:
        raise DomainError(
            _("This link is incomplete. Copy the whole address from the server's output."), code="link_broken"
        ) from None
    _require_unfounded()


def _require_unfounded() -> None:
    if is_founded():
        raise Founded(_("This installation already has staff. Ask an administrator to invite you."), code="link_used")


@transaction.atomic
def found(*, token: str, first: Person, second: Person) -> str:
    """Create the first two administrators, without a brand yet, and invite both. Returns the first one's invitation token.

    Who: whoever holds the set-up address, once. Raises: Founded, DomainError.
    """
    lock_first(Group.objects.filter(name=Role.ADMINISTRATOR))  # of two forms sent together, one is late
    check_token(token)
    if first.email.strip().lower() == second.email.strip().lower():
        raise DomainError(
            _("The two administrators need different e-mail addresses: neither approves their own requests.")
        )
    people = []
    for person in (first, second):
        user = create_login(
            actor=None, email=person.email, first_name=person.first_name, last_name=person.last_name, brand=None
        )
        give_role(user, Role.ADMINISTRATOR, actor=None)
        people.append(user)
    send_invitation(people[1], people[0])
    return send_invitation(people[0], None)


def let_in_administrators(brand: Brand, *, actor: User) -> None:
    """Give a new brand to each administrator who reached every brand until now: a brand with one administrator is stuck.

    Those without a brand of their own, the first administrators, work for it from now on.
    """
    others = set(Brand.objects.exclude(pk=brand.pk).values_list("pk", flat=True))
    people = User.objects.filter(kind=UserKind.STAFF, is_active=True, groups__name=Role.ADMINISTRATOR)
    for person in people.order_by("pk")[:ADMINISTRATORS_MAX]:
        if person.pk != actor.pk and others <= reach_of(person).whole_brands:
            reach.give(person, brand, actor=actor)
        if person.brand_id is None:
            person.brand = brand
            person.save(update_fields=["brand"])
