"""What prevents a change of a brand, desk or book: apps above declare it, because the ground floor knows no clients and no money.

blocks_archiving(Book, has_clients)
blocks_change(Brand, "base_currency", has_journals)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from django.db.models import Model

from crm.errors import DomainError

# Says what is in the way and what to do about it, in the reader's language; empty where nothing is.
Check: TypeAlias = Callable[[Any], str]
ARCHIVED = "archived_at"
_CHECKS: dict[tuple[type[Model], str], list[Check]] = {}


def blocks_archiving(model: type[Model], check: Check) -> None:
    """Let an app prevent that a row of the model is archived; called once, when the app starts."""
    blocks_change(model, ARCHIVED, check)


def blocks_change(model: type[Model], field: str, check: Check) -> None:
    """Let an app prevent that a field changes; called once, when the app starts."""
    checks = _CHECKS.setdefault((model, field), [])
    if check not in checks:
        checks.append(check)


def blocker_of(row: Model, field: str) -> str:
    """Return what prevents a change of a field, for a form's hint; empty where nothing does."""
    words = (check(row) for check in _CHECKS.get((type(row), field), ()))
    return next((said for said in words if said), "")


def require_changeable(row: Model, field: str) -> None:
    """Raise with the words of the first blocker. Raises: DomainError."""
    if words := blocker_of(row, field):
        raise DomainError(words, code="blocked")


def require_archivable(row: Model) -> None:
    """Raise with the words of the first blocker. Raises: DomainError."""
    require_changeable(row, ARCHIVED)
