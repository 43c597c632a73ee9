"""Reads of due rows: each kind's figures with its lag, and what is due next for a client."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from crm.choices import DueState
from crm.due.kinds import KINDS, label_of
from crm.models import DueRow, User

COUNT_MAX = 1_000
SHOWN_MAX = 6
FIGURES = """
SELECT code,
  (SELECT count(*) FROM (SELECT FROM crm_duerow WHERE kind = code AND state = 'pending' LIMIT %(most)s) p),
  (SELECT count(*) FROM (
    SELECT FROM crm_duerow WHERE kind = code AND state = 'pending' AND next_at <= %(now)s LIMIT %(most)s) o),
  (SELECT min(at) FROM (
    SELECT at FROM crm_duerow WHERE kind = code AND state = 'pending' AND next_at <= %(now)s
    ORDER BY next_at LIMIT %(most)s) l),
  (SELECT count(*) FROM (SELECT FROM crm_duerow WHERE kind = code AND state = 'failed' LIMIT %(most)s) f)
FROM unnest(%(codes)s::text[]) code
"""


@dataclass(frozen=True)
class KindFigures:
    """How a kind is doing. Counts end at `COUNT_MAX`; `oldest_at` is the time of the row that has been due for longest."""

    code: str
    label: str
    pending: int
    overdue: int
    oldest_at: dt.datetime | None
    failed: int


def figures() -> list[KindFigures]:
    """Count each kind's rows, and find the one that has been due for longest, with one query of bounded work."""
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, {"codes": sorted(KINDS), "now": timezone.now(), "most": COUNT_MAX})
        return [KindFigures(code, label_of(code), *counts) for code, *counts in cursor.fetchall()]


def next_of_client(user: User, client_id: int) -> list[DueRow]:
    """List what is due next for a client whom this person sees, of the kinds that they may see."""
    codes = [kind.code for kind in KINDS.values() if not kind.permission or user.has_perm(kind.permission)]
    rows = DueRow.objects.filter(client_id=client_id, state=DueState.PENDING, kind__in=codes)
    return list(rows.order_by("at", "id")[:SHOWN_MAX])
