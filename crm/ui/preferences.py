"""What a person chose for their own pages: columns, cards of the home, favourites. Small lists and texts, kept with the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from crm.db.locking import lock
from crm.models import User


def preference(user: User | AnonymousUser | None, section: str, key: str) -> Any:
    """Read one choice of a person; None where they made none."""
    return ((getattr(user, "preferences", None) or {}).get(section) or {}).get(key)


def set_preference(*, user: User, section: str, key: str, value: Any) -> None:
    """Keep one choice of a person, beside their others; an empty value forgets it."""
    change_preference(user=user, section=section, key=key, change=lambda _kept: value)


@transaction.atomic
def change_preference(*, user: User, section: str, key: str, change: Callable[[Any], Any]) -> None:
    """Change one choice of a person by what is kept now: two clicks at once lose nothing. `change` may refuse."""
    locked = lock(User, user.pk)
    chosen = dict(locked.preferences.get(section) or {})
    value = change(chosen.get(key))
    if value:
        chosen[key] = value
    else:
        chosen.pop(key, None)
    locked.preferences[section] = chosen
    locked.save(update_fields=["preferences"])
    user.preferences = locked.preferences
