"""Personal data in webhooks: what the app that holds clients says of them, for addresses for which two people allowed it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from crm.models import SubjectKey

People = dict[int, dict[str, Any]]
_READERS: Final[list[Callable[[Collection[int]], People]]] = []


def declare_people(reader: Callable[[Collection[int]], People]) -> None:
    """Register who reads clients' personal data: an app does this in its `panels.py`."""
    _READERS[:] = [reader]


def people_of(client_ids: Collection[int]) -> People:
    """Read the personal data of clients, by their id; without those who are gone or erased."""
    known = not_erased(client_ids)
    return _READERS[0](known) if _READERS and known else {}


def not_erased(client_ids: Collection[int]) -> set[int]:
    """Leave out the clients whose key was destroyed: nothing can be sealed for them any more."""
    if not client_ids:
        return set()
    erased = SubjectKey.objects.filter(client_id__in=client_ids, destroyed_at__isnull=False)
    return set(client_ids) - set(erased.values_list("client_id", flat=True))
