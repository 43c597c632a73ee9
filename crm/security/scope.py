"""Which brands, desks and books a user reaches: the first step of every read.

Grants (django-guardian) are held by users, or by groups, on Brand, Desk and Book. A grant on a brand reaches all its
desks and books, one on a desk all its books. An owner reaches their own books. Superusers reach everything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from django.db import connection

if TYPE_CHECKING:
    from crm.models import Actor, User

# Grants of the user and of the user's groups, spread downwards to books, and the rights of their roles: one round trip.
RIGHTS = "SELECT permissions, whole_brands, books FROM crm_rights(%s, %s, %s)"


@dataclass(frozen=True)
class Reach:
    """Ids a user reaches. `own_books` are those the user owns: what monitoring calls "in the book"."""

    books: frozenset[int]
    own_books: frozenset[int]
    desks: frozenset[int]
    brands: frozenset[int]
    whole_brands: frozenset[int]
    why: dict[int, tuple[str, ...]]


NOTHING = Reach(frozenset(), frozenset(), frozenset(), frozenset(), frozenset(), {})


def reach_of(user: Actor) -> Reach:
    """Return the user's reach, read once per user object (so once per request)."""
    if not user or not user.is_authenticated or not user.is_active or not user.is_team:
        return NOTHING
    cached = getattr(user, "_keelson_reach", None)
    if cached is None:
        read_rights(user)
        cached = user._keelson_reach
    return cached


def read_rights(user: User) -> None:
    """Set on a user what they may do (Django's own cache of permissions) and, for the team, whom they reach.

    A superuser's permissions are left to Django: whoever may do everything is not asked for a list.
    """
    with connection.cursor() as cursor:
        cursor.execute(RIGHTS, [user.pk, user.is_team, user.is_superuser])
        permissions, whole_brands, books = cursor.fetchone()
    if permissions is not None:
        user._perm_cache = set(permissions)
    if not user.is_team:
        return
    rows = orjson.loads(books or "[]")
    labels = ("brand", "desk", "book", "owner")
    brands = frozenset(whole_brands)
    user._keelson_reach = Reach(
        books=frozenset(row[0] for row in rows),
        own_books=frozenset(row[0] for row in rows if row[6]),
        desks=frozenset(row[1] for row in rows if row[1]),
        brands=frozenset(row[2] for row in rows) | brands | ({user.brand_id} if user.brand_id else set()),
        whole_brands=brands,
        why={
            row[0]: tuple(label for label, held in zip(labels, row[3:], strict=True) if held) or ("superuser",)
            for row in rows
        },
    )


def staff_of_brand(brand_id: int) -> list[int]:
    """List the ids of staff who reach any book of a brand, or the brand itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT g.user_id FROM guardian_userobjectpermission g
            JOIN django_content_type ct ON ct.id = g.content_type_id AND ct.app_label = 'crm'
            WHERE (ct.model = 'brand' AND g.object_pk = %(brand)s::text)
               OR (ct.model = 'desk' AND g.object_pk IN (SELECT id::text FROM crm_desk WHERE brand_id = %(brand)s))
               OR (ct.model = 'book' AND g.object_pk IN (SELECT id::text FROM crm_book WHERE brand_id = %(brand)s))
            UNION SELECT m.user_id FROM guardian_groupobjectpermission g
            JOIN crm_user_groups m ON m.group_id = g.group_id
            JOIN django_content_type ct ON ct.id = g.content_type_id AND ct.app_label = 'crm'
            WHERE ct.model = 'brand' AND g.object_pk = %(brand)s::text
            UNION SELECT owner_id FROM crm_book WHERE brand_id = %(brand)s AND owner_id IS NOT NULL
            """,
            {"brand": brand_id},
        )
        return [pk for (pk,) in cursor.fetchall()]
