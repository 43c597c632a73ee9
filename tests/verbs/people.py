"""Who calls: one person who may do everything here, and those who may not."""

from __future__ import annotations

from django.contrib.auth.models import Group
from guardian.shortcuts import assign_perm

from crm.choices import UserKind
from crm.models import Book, Brand, Desk, User
from tests.cast import make_client
from tests.verbs.calls import BRAND


def _member(name: str, *brands: Brand, groups: bool) -> User:
    """A member of staff who reaches these brands as a whole, in every role or in none."""
    email = f"{name}@verbs.example"
    desk = Desk.objects.filter(brand=brands[0]).first()
    person = User.objects.create_user(username=email, email=email, kind=UserKind.STAFF, brand=brands[0], desk=desk)
    for brand in brands:
        assign_perm("crm.access_brand", person, brand)
    if groups:
        person.groups.set(Group.objects.all())
    return User.objects.get(pk=person.pk)


def people() -> dict[str, User]:
    """`insider` may. `newcomer` has no role, `outsider` every role at another brand, `trader` is a new client: of what
    the demo holds, nothing is theirs."""
    brand = Brand.objects.get(code=BRAND)
    others = Brand.objects.exclude(pk=brand.pk)
    book = Book.objects.filter(brand=brand, owner__isnull=False).order_by("pk")[0]
    return {
        "insider": _member("insider", brand, *others, groups=True),
        "newcomer": _member("newcomer", brand, groups=False),
        "outsider": _member("outsider", *others, groups=True),
        "trader": make_client(brand=brand, book=book, email="trader@verbs.example").user,
    }
