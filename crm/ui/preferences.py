"""What a person chose for their own pages: columns, cards of the home, favourites. Small lists and texts, kept with the user."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from crm.db.locking import lock
from crm.models import User


def preference(user: User | AnonymousUser | None, section: str, key: str) -> Any:
    """Read one choice of a person; None where they made none."""
    return ((getattr(user, "preferences", None) or {}).get(section) or {}).get(key)


@transaction.atomic
def set_preference(*, user: User, section: str, key: str, value: Any) -> None:
    """Keep one choice of a person, beside their others; an empty value forgets it."""
    locked = lock(User, user.pk)
    chosen = dict(locked.preferences.get(section) or {})
    if value:
        chosen[key] = value
    else:
        chosen.pop(key, None)
    locked.preferences[section] = chosen
    locked.save(update_fields=["preferences"])
    user.preferences = locked.preferences
