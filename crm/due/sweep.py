"""The sweeper: claims due rows, runs their handler and marks them as done in one transaction, or notes why not."""

from __future__ import annotations

import datetime as dt
import logging
import time
import traceback
from collections.abc import Iterable
from functools import partial

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import DueState
from crm.db.locking import lock
from crm.due.kinds import KINDS, DueKind
from crm.errors import WrongState, outcome_of
from crm.models import Actor, DueRow
from crm.security import audit, policies

logger = logging.getLogger(__name__)
SWEEP_SECONDS = 20.0
SINGLES_PER_TURN = 50
# A verb holds its record and then moves the due row; a handler holds the due row and then wants the record. The sweeper is
# the one that gives way, before PostgreSQL looks for a deadlock (deadlock_timeout, 1 s) and picks either of them.
LOCK_TIMEOUT = "300ms"
BUSY_SECONDS = 2
BUSY_STATES = {"55P03", "40P01", "40001"}  # lock not available, deadlock detected, serialization failure
KEPT = dt.timedelta(days=30)
PRUNE_BATCH, PRUNE_MAX = 5_000, 50_000

DONE = """
UPDATE crm_duerow d SET state = 'done', attempts = d.attempts + 1, error = '', done_at = %s
FROM unnest(%s::bigint[], %s::int[]) AS handled (id, revision)
WHERE d.id = handled.id AND d.revision = handled.revision AND d.state = 'pending'
"""


def sweep(*, kinds: Iterable[DueKind] | None = None, seconds: float = SWEEP_SECONDS) -> int:
    """Handle what is due, kind by kind in turns, until nothing is left or the time is over. Returns how many rows."""
    until, worked = time.monotonic() + seconds, 0
    waiting = list(KINDS.values() if kinds is None else kinds)
    while waiting and time.monotonic() < until:
        counts = [(kind, _turn(kind)) for kind in waiting]
        worked += sum(count for _kind, count in counts)
        waiting = [kind for kind, count in counts if count]
    return worked


def _turn(kind: DueKind) -> int:
    """Give a kind its turn: one batch, or some rows one by one. A kind that can't be worked on holds up no other."""
    try:
        if kind.rows_at_once > 1:
            return _handle_due(kind)
        worked = 0
        while worked < SINGLES_PER_TURN and _handle_due(kind):
            worked += 1
        return worked
    except Exception:
        logger.exception("due rows of %s can't be swept; they stay due", kind.code)
        return 0


@transaction.atomic
def _handle_due(kind: DueKind) -> int:
    now = timezone.now()
    claimed = DueRow.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        kind=kind.code, state=DueState.PENDING, next_at__lte=now
    )
    rows = list(claimed.order_by("next_at", "id")[: kind.rows_at_once])
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        error = _try(kind, rows)
        if error is not None and len(rows) > 1:
            for row in rows:
                if one_error := _try(kind, [row]):
                    _note_failure(kind, row, one_error)
        elif error is not None:
            _note_failure(kind, rows[0], error)
    return len(rows)


def _try(kind: DueKind, rows: list[DueRow]) -> Exception | None:
    try:
        with transaction.atomic():
            kind.handle(rows)
            with connection.cursor() as cursor:  # a row that its handler set again has another revision, and stays
                cursor.execute(DONE, [timezone.now(), [row.pk for row in rows], [row.revision for row in rows]])
    except Exception as error:  # a handler's any failure is kept, shown and retried
        return error
    return None


def _note_failure(kind: DueKind, row: DueRow, error: Exception) -> None:
    if isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", "") in BUSY_STATES:
        row.next_at = timezone.now() + dt.timedelta(seconds=BUSY_SECONDS)
        row.save(update_fields=["next_at"])
        return
    logger.error("%s failed", row, exc_info=error)
    row.error = "".join(traceback.format_exception(error))[-8000:]
    row.attempts += 1
    if row.attempts > len(kind.back_off_seconds):
        row.move_to(DueState.FAILED)
        row.done_at = timezone.now()
    else:
        row.next_at = timezone.now() + dt.timedelta(seconds=kind.back_off_seconds[row.attempts - 1])
    row.save(update_fields=["state", "attempts", "next_at", "error", "done_at"])


def prune(*, at_most: int = PRUNE_MAX) -> int:
    """Delete rows that were done or cancelled a month ago, a bounded number in small transactions; returns how many."""
    old = DueRow.objects.filter(
        state__in=[DueState.DONE, DueState.CANCELLED], done_at__lt=timezone.now() - KEPT
    ).order_by("done_at", "id")
    deleted = 0
    while deleted < at_most:
        ids = list(old.values_list("pk", flat=True)[: min(PRUNE_BATCH, at_most - deleted)])
        if not ids:
            break
        deleted += DueRow.objects.filter(pk__in=ids).delete()[0]
    return deleted


@transaction.atomic
def replay(*, due_id: int, actor: Actor) -> DueRow:
    """Try a failed row again, now. Who: `crm.manage_events`. Raises: NotAllowed, WrongState."""
    policies.require_permission(actor, "crm.manage_events")
    row = lock(DueRow, due_id)
    if row.state != DueState.FAILED:
        raise WrongState(
            _("Only a failed row can be run again; this one is %(state)s.") % {"state": row.get_state_display()}
        )
    row.move_to(DueState.PENDING)
    row.attempts, row.next_at, row.done_at = 0, timezone.now(), None
    row.save(update_fields=["state", "attempts", "next_at", "done_at"])
    audit.record(
        actor=actor,
        action=CrmAction.DUE_REPLAYED,
        target=row,
        client_id=row.client_id,
        brand_id=row.brand_id,
        evidence={"kind": row.kind, "key": row.key},
    )
    return row


def replay_each(*, due_ids: Iterable[int], actor: Actor) -> int:
    """Try failed rows again, each in its own transaction: one that is no longer failed stops no other.

    Returns how many are due again. Who: `crm.manage_events`.
    """
    return sum(bool(outcome_of(partial(replay, due_id=pk, actor=actor), only=WrongState)) for pk in due_ids)
