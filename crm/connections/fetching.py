"""Files that another system holds for us: each is a row that waits, is claimed for some minutes, and tried again with back-off."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.db.locking import lock, lock_or_none
from crm.db.states import HasState

T = TypeVar("T", bound=HasState)
BACK_OFF_SECONDS: Final = (30, 120, 600, 3_600, 6 * 3_600)
CLAIMED: Final = dt.timedelta(minutes=10)


@transaction.atomic
def claim_due(waiting: QuerySet[T], pk: int, *related: str) -> T | None:
    """Claim a row that waits and is due, and count the try; None where it isn't, or another worker has it."""
    row: Any = lock_or_none(waiting.filter(due_at__lte=timezone.now()), pk, *related)
    if row is None:
        return None
    row.due_at = timezone.now() + CLAIMED
    row.attempts += 1
    row.save(update_fields=["due_at", "attempts"])
    return row  # type: ignore[no-any-return]


@transaction.atomic
def note_failure(model: type[T], pk: int, problem: str, *, failed: str, for_good: bool = False) -> None:
    """Note why a try failed: the next one is due later, or after the last one, or `for_good`, none is."""
    row: Any = lock(model, pk)
    row.problem = problem[:300]
    if for_good or row.attempts > len(BACK_OFF_SECONDS):
        row.move_to(failed)
        row.due_at = None
    else:
        row.due_at = timezone.now() + dt.timedelta(seconds=BACK_OFF_SECONDS[row.attempts - 1])
    row.save(update_fields=["state", "problem", "due_at"])
