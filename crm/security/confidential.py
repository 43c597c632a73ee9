"""Entries of the audit log and the access log that only a circle may read: whoever is outside sees a log without them.

    declare("compliance.sar_", is_member)  # once, in the app whose secret it is

The hash chain covers these entries like all others; a pack for an authority that carries only some rows still proves each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from crm.models import AccessEvent, AuditEvent, User

_CIRCLES: Final[dict[str, Callable[[Any], bool]]] = {}


def declare(prefix: str, is_member: Callable[[Any], bool]) -> None:
    """Keep audit actions and access-log targets that begin so to the members of a circle."""
    _CIRCLES[prefix] = is_member


def audit_for(user: User | None, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
    """Leave out what the reader may not know of; user None: what no circle keeps, as for a file that leaves the house."""
    for prefix in _closed_to(user):
        rows = rows.exclude(action__startswith=prefix)
    return rows


def access_for(user: User | None, rows: QuerySet[AccessEvent]) -> QuerySet[AccessEvent]:
    """As `audit_for`, for the access log."""
    for prefix in _closed_to(user):
        rows = rows.exclude(target__startswith=prefix)
    return rows


def _closed_to(user: User | None) -> list[str]:
    return [prefix for prefix, is_member in _CIRCLES.items() if user is None or not is_member(user)]
