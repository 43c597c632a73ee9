"""Keep the figures per day equal to what happened, by what changed since the last time.

Triggers note every client of whom something counts, has changed (`ChangedClient`, append-only, so that nobody waits for anybody).
Every few minutes the figures of those clients are computed from nothing and compared with what each had given before
(`ClientDay`); the day figures take the difference. So an old day costs what today costs: a lead contacted after months, a
reversed deposit and a client who moves to another desk are right within minutes. Once a day everything is computed from
nothing and compared.
"""

from __future__ import annotations

import logging

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from reports.figures import FIGURES

logger = logging.getLogger(__name__)
# Clients of one transaction.
CLIENTS_AT_ONCE = 5_000

# What statements are put together from; none of it comes from outside.
PARTS = {
    "keys": "day, brand_id, desk_id, owner_id",
    "names": ", ".join(FIGURES),
    "sums": ", ".join(f"sum({name}) AS {name}" for name in FIGURES),
    "negative": ", ".join(f"-{name}" for name in FIGURES),
    "nothing": " AND ".join(f"{name} = 0" for name in FIGURES),
    "sums_are_nothing": " AND ".join(f"sum({name}) = 0" for name in FIGURES),
    "added": ", ".join(f"{name} = f.{name} + d.{name}" for name in FIGURES),
}
# Each branch gives (client, brand, desk, owner, instant, figures …); instants become days where the brand is.
COMPUTED = """
SELECT client_id, (h.at AT TIME ZONE b.time_zone)::date AS day, brand_id, desk_id, owner_id, {sums}
FROM (
  WITH of_client AS NOT MATERIALIZED (
    SELECT c.id AS client_id, c.brand_id, b.desk_id, c.owner_id, c.registered_at
    FROM clients_client c JOIN crm_book b ON b.id = c.book_id WHERE {chosen}
  )
  SELECT k.client_id, k.brand_id, k.desk_id, coalesce(l.assigned_to_id, k.owner_id) AS owner_id, l.captured_at AS at,
    1 AS leads, (l.touched_at IS NOT NULL)::int AS touched,
    CASE WHEN l.touched_at > coalesce(l.assigned_at, l.captured_at)
      THEN extract(epoch FROM l.touched_at - coalesce(l.assigned_at, l.captured_at))::bigint ELSE 0 END AS touch_seconds,
    (l.sla_missed > 0)::int AS late, 0 AS calls, 0::bigint AS call_seconds, 0 AS registrations, 0 AS first_deposits,
    0::numeric AS deposits, 0::numeric AS withdrawals, 0::numeric AS reversals
  FROM of_client k JOIN leads_lead l ON l.client_id = k.client_id AND NOT l.is_duplicate
  UNION ALL
  SELECT k.client_id, k.brand_id, k.desk_id, k.owner_id, k.registered_at, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0
  FROM of_client k WHERE k.registered_at IS NOT NULL
  UNION ALL
  SELECT k.client_id, k.brand_id, k.desk_id, a.agent_id, a.started_at, 0, 0, 0, 0, 1, a.duration_seconds, 0, 0, 0, 0, 0
  FROM of_client k JOIN clients_call a ON a.client_id = k.client_id
  UNION ALL
  SELECT k.client_id, k.brand_id, k.desk_id, k.owner_id, d.settled_at, 0, 0, 0, 0, 0, 0, 0, d.is_first::int, d.base_amount, 0, 0
  FROM of_client k JOIN wallet_deposit d ON d.client_id = k.client_id AND d.settled_at IS NOT NULL
  UNION ALL
  SELECT k.client_id, k.brand_id, k.desk_id, k.owner_id, j.posted_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, d.base_amount
  FROM of_client k JOIN wallet_deposit d ON d.client_id = k.client_id AND d.state = 'charged_back'
  JOIN wallet_journal j ON j.id = d.reversal_id
  UNION ALL
  SELECT k.client_id, k.brand_id, k.desk_id, k.owner_id, j.posted_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    round(d.base_amount * -m.amount_minor / d.received_minor, 2)
  FROM of_client k JOIN wallet_deposit d ON d.client_id = k.client_id AND d.settled_at IS NOT NULL
  JOIN wallet_pspmovement m ON m.psp_id = d.psp_id AND m.reference = d.reference AND m.kind = 'refund'
  JOIN wallet_journal j ON j.id = m.journal_id
  UNION ALL
  SELECT k.client_id, k.brand_id, k.desk_id, k.owner_id, w.finished_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, w.base_amount, 0
  FROM of_client k JOIN wallet_withdrawal w ON w.client_id = k.client_id AND w.state = 'settled' AND NOT w.from_suspense
    AND w.finished_at IS NOT NULL
) h JOIN crm_brand b ON b.id = h.brand_id
GROUP BY 1, 2, 3, 4, 5
"""
TAKE = """
DELETE FROM reports_changedclient WHERE id = ANY(ARRAY(SELECT id FROM reports_changedclient ORDER BY id LIMIT %s))
RETURNING client_id
"""
APPLY = """
WITH fresh AS MATERIALIZED ({of_clients}),
gone AS (DELETE FROM reports_clientday WHERE client_id = ANY(%(clients)s) RETURNING *),
given AS (INSERT INTO reports_clientday (client_id, {keys}, {names}) SELECT client_id, {keys}, {names} FROM fresh),
difference AS (
  SELECT {keys}, {sums} FROM (SELECT {keys}, {names} FROM fresh UNION ALL SELECT {keys}, {negative} FROM gone) d
  GROUP BY {keys} HAVING NOT ({sums_are_nothing})
), changed AS (
  UPDATE reports_dayfigure f SET {added} FROM difference d
  WHERE f.day = d.day AND f.brand_id = d.brand_id AND f.desk_id IS NOT DISTINCT FROM d.desk_id
    AND f.owner_id IS NOT DISTINCT FROM d.owner_id
  RETURNING f.day, f.brand_id, f.desk_id, f.owner_id
)
INSERT INTO reports_dayfigure ({keys}, {names}) SELECT {keys}, {names} FROM difference d WHERE NOT EXISTS (
  SELECT 1 FROM changed c WHERE c.day = d.day AND c.brand_id = d.brand_id AND c.desk_id IS NOT DISTINCT FROM d.desk_id
    AND c.owner_id IS NOT DISTINCT FROM d.owner_id)
"""
FORGET_EMPTY = "DELETE FROM reports_dayfigure WHERE {nothing}"
REBUILD = (
    "DELETE FROM reports_changedclient",
    "DELETE FROM reports_clientday",
    "INSERT INTO reports_clientday (client_id, {keys}, {names}) SELECT client_id, {keys}, {names} FROM ({everybody}) e",
    "DELETE FROM reports_dayfigure",
    "INSERT INTO reports_dayfigure ({keys}, {names}) SELECT {keys}, {sums} FROM reports_clientday GROUP BY {keys}"
    " HAVING NOT ({sums_are_nothing}) ORDER BY {keys}",
)
# Clients who wait for their turn may differ.
DIFFERING = """
WITH computed AS MATERIALIZED (SELECT client_id, {keys}, {names} FROM ({everybody}) e),
kept AS NOT MATERIALIZED (SELECT client_id, {keys}, {names} FROM reports_clientday),
days AS MATERIALIZED (
  SELECT {keys}, {sums} FROM reports_clientday GROUP BY {keys} HAVING NOT ({sums_are_nothing})
), figures AS NOT MATERIALIZED (SELECT {keys}, {names} FROM reports_dayfigure)
SELECT (
  SELECT count(DISTINCT client_id) FROM (
    (SELECT * FROM computed EXCEPT SELECT * FROM kept) UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM computed)
  ) d WHERE NOT EXISTS (SELECT 1 FROM reports_changedclient w WHERE w.client_id = d.client_id OR w.client_id IS NULL)
), (
  SELECT count(*) FROM (
    (SELECT * FROM days EXCEPT SELECT * FROM figures) UNION ALL (SELECT * FROM figures EXCEPT SELECT * FROM days)
  ) d
)
"""


def _sql(template: str) -> str:
    computed = {"everybody": "true", "of_clients": "c.id = ANY(%(clients)s)"}
    statements = {name: COMPUTED.format(chosen=chosen, **PARTS) for name, chosen in computed.items()}
    return template.format(**PARTS, **statements)


def refresh() -> int:
    """Take in whatever changed since the last time; returns how many clients that were. Run by beat."""
    done = 0
    while taken := _refresh_some():
        done += taken
    return done


@transaction.atomic
def _refresh_some() -> int:
    """Refresh the figures of some of the clients that were noted as changed. Returns how many.

    A note that is committed after these were read is read the next time, even if the figures have what it reports.
    """
    with connection.cursor() as cursor:
        _alone(cursor)
        cursor.execute(TAKE, [CLIENTS_AT_ONCE])
        clients = {pk for (pk,) in cursor.fetchall()}
        if None in clients:
            _rebuild(cursor)
        elif clients:
            cursor.execute(_sql(APPLY), {"clients": sorted(clients)})
            cursor.execute(_sql(FORGET_EMPTY))
    return len(clients)


@transaction.atomic
def rebuild() -> None:
    """Compute all figures from nothing."""
    with connection.cursor() as cursor:
        _alone(cursor)
        _rebuild(cursor)


@transaction.atomic
def check() -> int:
    """Compare what is kept with a computation from nothing, and rebuild where they differ. Returns in how many places."""
    with connection.cursor() as cursor:
        _alone(cursor)
        cursor.execute(_sql(DIFFERING))
        clients: int
        days: int
        clients, days = cursor.fetchone()
        if clients or days:
            logger.warning("figures of %s clients and %s days differed and are computed anew", clients, days)
            _rebuild(cursor)
    return clients + days


def _rebuild(cursor: CursorWrapper) -> None:
    for statement in REBUILD:
        cursor.execute(_sql(statement))


def _alone(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('reports.figures'))")
