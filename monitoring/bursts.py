"""Who did much within minutes: their running day is scored again, so that a burst raises its alert within a minute.

This only decides whose day is looked at again; whether it is an alert is decided by the scorer, the rules and the budget as ever.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.utils import timezone

MINUTES = 5
# In so many minutes: different clients opened, contacts revealed, rows exported or records listed.
CLIENTS, REVEALS, ROWS = 15, 6, 200
# Scored again only if something was added in about the time between two runs.
FRESH_SECONDS = 45

IN_A_BURST = """
SELECT e.user_id FROM crm_accessevent e JOIN crm_user u ON u.id = e.user_id AND u.kind = 'staff'
WHERE e.at >= %(since)s AND e.at <= %(now)s
GROUP BY e.user_id
HAVING max(e.at) >= %(fresh)s AND (
  count(DISTINCT e.client_id) FILTER (WHERE e.kind = 'view') >= %(clients)s
  OR count(*) FILTER (WHERE e.kind = 'reveal') >= %(reveals)s
  OR coalesce(sum(e.rows) FILTER (WHERE e.kind = 'export' OR (e.kind = 'view' AND e.client_id IS NULL)), 0) >= %(rows)s)
ORDER BY e.user_id
"""


def agents_in_a_burst(*, now: dt.datetime | None = None) -> list[int]:
    """Find staff who just did much within minutes. One read of the last minutes of the access log. `now` is for tests."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            IN_A_BURST,
            {
                "now": now,
                "since": now - dt.timedelta(minutes=MINUTES),
                "fresh": now - dt.timedelta(seconds=FRESH_SECONDS),
                "clients": CLIENTS,
                "reveals": REVEALS,
                "rows": ROWS,
            },
        )
        return [agent_id for (agent_id,) in cursor.fetchall()]
