"""Setting, moving and cancelling due rows, in the transaction of the change that they follow from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from crm.choices import DueState
from crm.due.kinds import KINDS, DueKind
from crm.models import DueRow

OPEN = (DueState.PENDING, DueState.FAILED)
SET = """
INSERT INTO crm_duerow (kind, key, at, next_at, client_id, brand_id, payload, revision, state, attempts, error, created_at)
SELECT %(kind)s, key, at, at, client_id, brand_id, payload::jsonb, 1, 'pending', 0, '', %(now)s
FROM unnest(%(keys)s::text[], %(ats)s::timestamptz[], %(clients)s::bigint[], %(brands)s::bigint[], %(payloads)s::text[])
  AS item (key, at, client_id, brand_id, payload)
ORDER BY key
ON CONFLICT (kind, key) WHERE state IN ('pending', 'failed') DO UPDATE SET
  at = CASE WHEN %(only_sooner)s THEN least(crm_duerow.at, excluded.at) ELSE excluded.at END,
  next_at = CASE WHEN %(only_sooner)s THEN least(crm_duerow.next_at, excluded.next_at) ELSE excluded.next_at END,
  client_id = excluded.client_id, brand_id = excluded.brand_id,
  payload = excluded.payload, revision = crm_duerow.revision + 1, state = 'pending', attempts = 0, error = '',
  done_at = NULL
"""


@dataclass(frozen=True)
class DueItem:
    """One row to set: its key, its time and whose it is."""

    key: int | str
    at: dt.datetime
    client_id: int | None = None
    brand_id: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)


def due(
    kind: DueKind | str,
    *,
    key: int | str,
    at: dt.datetime,
    client_id: int | None = None,
    brand_id: int | None = None,
    payload: dict[str, Any] | None = None,
    only_sooner: bool = False,
) -> None:
    """Have something done at a time. An open row of the same kind and key moves to the new time.

    `kind`: what was declared, or its code where the handler's module can't be imported. `only_sooner`: an open row never
    moves to a later time, for what many may ask for and one answers.
    Raises RuntimeError outside a transaction: a due row without its change must be impossible.
    """
    due_many(kind, [DueItem(key, at, client_id, brand_id, payload or {})], only_sooner=only_sooner)


def due_many(kind: DueKind | str, items: Iterable[DueItem], *, only_sooner: bool = False) -> None:
    """Set many rows of a kind with one statement; see `due`."""
    by_key = {str(item.key): item for item in items}
    if not by_key:
        return
    if not connection.in_atomic_block:
        raise RuntimeError(f"due({_code(kind)}) outside a transaction: nothing is due without its change")
    values: dict[str, Any] = {
        "kind": _code(kind),
        "now": timezone.now(),
        "only_sooner": only_sooner,
        "keys": list(by_key),
        "ats": [item.at for item in by_key.values()],
        "clients": [item.client_id for item in by_key.values()],
        "brands": [item.brand_id for item in by_key.values()],
        "payloads": [orjson.dumps(item.payload).decode() for item in by_key.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(SET, values)


def cancel(kind: DueKind | str, key: int | str) -> bool:
    """Cancel the open row of a kind and key; False where there is none."""
    return bool(cancel_many(kind, [key]))


def cancel_many(kind: DueKind | str, keys: Iterable[int | str]) -> int:
    """Cancel the open rows of these keys; returns how many there were."""
    rows = DueRow.objects.filter(kind=_code(kind), key__in=[str(key) for key in keys], state__in=OPEN)
    return rows.update(state=DueState.CANCELLED, done_at=timezone.now())


def _code(kind: DueKind | str) -> str:
    return KINDS[kind].code if isinstance(kind, str) else kind.code
