# ruff: noqa: S608 - statements made of constants of this module
"""What PSPs, payment methods, trading servers and queues did in the last ten minutes, kept for three weeks to compare with."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from django.db import connection

from monitoring.anomalies.judging import Figures
from monitoring.anomalies.signals import SIGNALS
from monitoring.choices import Queue, Watched
from monitoring.models import ServiceSlot

SLOT = dt.timedelta(minutes=10)
KEPT_SLOTS = 6 * 24 * 21
# Of a PSP the newest payments of a day are read, at most so many.
PAYMENTS_MAX = 2_000
NOTE = "INSERT INTO monitoring_serviceslot (signal, subject, at, count, trials) "
ONCE = " ON CONFLICT (signal, subject, at) DO NOTHING"
# When a failed payment failed isn't kept: it is the last change of a row that nothing changes afterwards.
ENDED = """
WITH ended AS (
  SELECT p.id AS psp_id, d.payment_method_id, d.state = 'failed' AS is_failed
  FROM wallet_psp p CROSS JOIN LATERAL (
    SELECT payment_method_id, state, coalesce(settled_at, updated_at) AS ended_at, settled_at FROM wallet_deposit
    WHERE psp_id = p.id AND created_at > %(at)s - interval '1 day' ORDER BY id DESC LIMIT %(most)s
  ) d
  WHERE p.is_enabled AND (d.settled_at IS NOT NULL OR d.state = 'failed') AND d.ended_at >= %(at)s AND d.ended_at < %(until)s
)
"""
DECLINES = (
    f"{ENDED} {NOTE} SELECT 'declines', psp_id, %(at)s, count(*) FILTER (WHERE is_failed), count(*) FROM ended GROUP BY psp_id"
    f" UNION ALL SELECT 'method_declines', payment_method_id, %(at)s, count(*) FILTER (WHERE is_failed), count(*)"
    f" FROM ended WHERE payment_method_id IS NOT NULL GROUP BY payment_method_id {ONCE}"
)
LATENCY = f"""
{NOTE} SELECT 'psp_latency', p.id, %(at)s, sum(c.milliseconds) / 100.0, count(*)
FROM wallet_psp p CROSS JOIN LATERAL (
  SELECT milliseconds, at FROM wallet_pspcall WHERE psp_id = p.id ORDER BY id DESC LIMIT 200
) c
WHERE p.is_enabled AND c.at >= %(at)s AND c.at < %(until)s GROUP BY p.id {ONCE}
"""
READING = f"""
WITH read AS (
  SELECT s.server_id, sum(s.runs) AS runs, sum(s.failures) AS failures, sum(s.duration_ms) / 100.0 AS took
  FROM trading_syncsample s JOIN trading_tradingserver t ON t.id = s.server_id AND t.is_enabled
  WHERE s.at >= %(at)s AND s.at < %(until)s GROUP BY s.server_id
)
{NOTE} SELECT 'reading_failures', server_id, %(at)s, failures, runs FROM read
UNION ALL SELECT 'reading_time', server_id, %(at)s, took, runs FROM read {ONCE}
"""
AGES = f"""
{NOTE} SELECT 'queue_age', q.queue, %(at)s, coalesce(greatest(extract(epoch FROM %(now)s - q.since), 0), 0), 1 FROM (
  SELECT {Queue.JOBS:d} AS queue, (SELECT min(created_at) FROM crm_job WHERE state = 'queued') AS since
  UNION ALL SELECT {Queue.EVENTS:d}, (SELECT min(due_at) FROM crm_eventdelivery WHERE state = 'pending')
  UNION ALL SELECT {Queue.DUE:d}, (SELECT min(next_at) FROM crm_duerow WHERE state = 'pending')
  UNION ALL SELECT {Queue.MAIL:d}, (SELECT min(due_at) FROM crm_outgoingmail WHERE state = 'waiting')
  UNION ALL SELECT {Queue.WEBHOOKS:d}, (SELECT min(due_at) FROM wallet_webhookmessage WHERE state = 'waiting')
) q {ONCE}
"""


def slot_before(now: dt.datetime) -> dt.datetime:
    """Return the start of the last ten minutes that are over."""
    start = now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0)
    return start - SLOT


def note_slot(now: dt.datetime) -> dt.datetime:
    """Write down the last ten minutes, once, and forget what is older than three weeks."""
    at = slot_before(now)
    given: dict[str, Any] = {"at": at, "until": at + SLOT, "now": now, "most": PAYMENTS_MAX}
    with connection.cursor() as cursor:
        for statement in (DECLINES, LATENCY, READING, AGES):
            cursor.execute(statement, given)
    ServiceSlot.objects.filter(at__lt=at - KEPT_SLOTS * SLOT).delete()
    return at


def figures_of(signal: Watched, at: dt.datetime) -> Figures:
    """Read three weeks of one signal for the subjects that have a figure in the slot at `at`."""
    newest = ServiceSlot.objects.filter(signal=signal, at=at).values("subject")
    rows = ServiceSlot.objects.filter(signal=signal, at__gt=at - KEPT_SLOTS * SLOT, at__lte=at, subject__in=newest)
    found = list(rows.order_by().values_list("subject", "at", "count", "trials"))
    subjects = np.array(sorted({row[0] for row in found}), dtype=np.int64)
    place = {int(pk): n for n, pk in enumerate(subjects)}
    count, exposure = np.zeros((2, len(subjects), KEPT_SLOTS))
    for subject, slot, seen, trials in found:
        column = KEPT_SLOTS - 1 - (at - slot) // SLOT
        count[place[subject], column], exposure[place[subject], column] = seen, trials
    return Figures(subjects, count, exposure, np.arange(len(subjects), dtype=np.int64))


def signals_of_services() -> list[Watched]:
    """List what is watched about services."""
    return [code for code, signal in SIGNALS.items() if signal.is_service]
