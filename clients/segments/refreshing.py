"""Keeping members true: who fits now enters, who doesn't any more leaves, in one statement per segment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from psycopg.errors import QueryCanceled

from clients.models import Client, Segment, SegmentMember
from clients.models.segments import SegmentKind, SegmentProblem
from clients.vocabulary import CLIENT
from crm.conditions import Condition, read
from crm.db.locking import lock_or_none
from crm.errors import outcome_of
from crm.events import ClientEnteredSegment, ClientLeftSegment
from crm.events.publishing import publish_set

# A condition over a million records takes a second or two; one that takes longer is refused in words.
SECONDS_MAX: Final = 60
NONE: Final = "SELECT NULL::bigint WHERE false"
# `left_at` of the rows that are written here is the same instant for all, by which they are found again for their events.
CHANGE: Final = """
WITH fit(id) AS MATERIALIZED ({fit}), gone AS (
  UPDATE clients_segmentmember m SET left_at = %s
  WHERE m.segment_id = %s AND m.left_at IS NULL AND NOT EXISTS (SELECT 1 FROM fit WHERE fit.id = m.client_id) RETURNING 1
), came AS (
  INSERT INTO clients_segmentmember (segment_id, client_id, entered_at, is_initial)
  SELECT %s, fit.id, %s, %s FROM fit
  WHERE NOT EXISTS (SELECT 1 FROM clients_segmentmember m WHERE m.segment_id = %s AND m.client_id = fit.id AND m.left_at IS NULL)
  ORDER BY fit.id RETURNING 1
)
SELECT (SELECT count(*) FROM came), (SELECT count(*) FROM gone), (SELECT count(*) FROM fit)
"""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How many entered and left a segment, and how many are in it."""

    entered: int = 0
    left: int = 0
    size: int = 0


def records_of(brand_id: int, condition: Condition, now: dt.datetime) -> QuerySet[Client]:
    """Select the brand's records that meet a condition; not those that were merged into another."""
    rows = Client.objects.filter(brand_id=brand_id).exclude(stage="closed", merged_into__isnull=False)
    return rows.filter(condition.q(now)).order_by()


def refresh(segment_id: int) -> Refreshed:
    """Bring a segment by conditions up to date, in a transaction of its own, and publish who entered and left.

    Nobody "enters" a segment that is filled for the first time. Two at the same moment wait for each other. A condition that
    can't be used or takes too long changes nothing and is noted on the segment. Who: the system's own.
    """
    try:
        with transaction.atomic():
            return _refresh(segment_id)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):  # a lost connection, a deadlock: the next round tries again
            raise
        _note(segment_id, SegmentProblem.SLOW)
        return Refreshed()


def _refresh(segment_id: int) -> Refreshed:
    segment = lock_or_none(Segment, segment_id)
    if segment is None or segment.kind != SegmentKind.RULE or segment.archived_at is not None:
        return Refreshed()
    found = outcome_of(lambda: read(segment.condition, CLIENT))
    if not found:
        _note(segment_id, SegmentProblem.UNREADABLE)
        return Refreshed()
    now, is_first = timezone.now(), segment.refreshed_at is None
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = %s", [SECONDS_MAX * 1000])
        try:
            fit, values = records_of(segment.brand_id, found.result, now).values("pk").query.sql_with_params()
        except EmptyResultSet:  # Django knows that nothing can match
            fit, values = NONE, ()
        cursor.execute(CHANGE.format(fit=fit), [*values, now, segment.pk, segment.pk, now, is_first, segment.pk])
        entered, left, size = cursor.fetchone()
        cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    Segment.objects.filter(pk=segment.pk).update(size=size, refreshed_at=now, problem=SegmentProblem.NONE)
    announce(segment, now, entered=0 if is_first else entered, left=left)
    return Refreshed(entered, left, size)


def announce(segment: Segment, at: dt.datetime, *, entered: int, left: int) -> None:
    """Publish the entries and leavings of one instant, inside the database."""
    rows = SegmentMember.objects.filter(segment=segment)
    if entered:
        publish_set(ClientEnteredSegment, _events(rows.filter(entered_at=at)))
    if left:
        publish_set(ClientLeftSegment, _events(rows.filter(left_at=at)))


def _events(rows: QuerySet[SegmentMember]) -> QuerySet[SegmentMember]:
    return rows.order_by("client_id").values("client_id", "segment_id", brand_id=F("segment__brand_id"))  # type: ignore[return-value]


def _note(segment_id: int, problem: SegmentProblem) -> None:
    Segment.objects.filter(pk=segment_id).update(problem=problem)


def refresh_all() -> int:
    """Refresh every open segment by conditions, the one that waited longest first; returns how many changed."""
    rows = Segment.objects.filter(Q(kind=SegmentKind.RULE), archived_at=None)
    waiting = list(rows.order_by(F("refreshed_at").asc(nulls_first=True), "pk").values_list("pk", flat=True))
    done = [refresh(pk) for pk in waiting]
    return sum(1 for one in done if one.entered or one.left)
