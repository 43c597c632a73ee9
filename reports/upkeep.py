"""Keep the figures per day equal to what happened, by what changed since the last time.

Triggers note every client of whom something counts, has changed (`ChangedClient`, append-only, so that nobody waits for anybody).
Every few minutes the figures of those clients are computed from nothing and compared with what each had given before
(`ClientDay`); the summaries (days, origins, cohorts) take the difference. So an old day costs what today costs: a lead
contacted after months, a reversed deposit and a client who moves to another desk are right within minutes. Once a day
everything is computed from nothing and compared.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from reports.figures import COHORT_FIGURES, FIGURES, ORIGIN_FIGURES

logger = logging.getLogger(__name__)
# Clients of one transaction.
CLIENTS_AT_ONCE = 5_000

# What statements are put together from; none of it comes from outside.
TYPES = {"touch_seconds": "bigint", "call_seconds": "bigint"} | dict.fromkeys(COHORT_FIGURES[2:], "numeric")


def _branch(source: str, at: str, owner: str = "k.owner_id", **figures: str) -> str:
    """Select one kind of thing that counts: whose, when, and the figures that it gives; all others are nothing."""
    columns = (f"{figures.get(name, '0')}::{TYPES.get(name, 'int')} AS {name}" for name in ORIGIN_FIGURES)
    return f"SELECT k.*, {owner} AS agent_id, {at} AS at, {', '.join(columns)} FROM of_client k {source}"  # noqa: S608


# Instants become days where the brand is.
BRANCHES = (
    _branch(
        "JOIN leads_lead l ON l.client_id = k.client_id AND NOT l.is_duplicate",
        "l.captured_at",
        "coalesce(l.assigned_to_id, k.owner_id)",
        leads="1",
        touched="(l.touched_at IS NOT NULL)",
        touch_seconds="CASE WHEN l.touched_at > coalesce(l.assigned_at, l.captured_at)"
        " THEN extract(epoch FROM l.touched_at - coalesce(l.assigned_at, l.captured_at))::bigint ELSE 0 END",
        late="(l.sla_missed > 0)",
    ),
    _branch("WHERE k.registered_at IS NOT NULL", "k.registered_at", registrations="1", verified="k.is_verified"),
    _branch(
        "",
        "k.created_at",
        seen="1",
        seen_contacted="k.is_contacted",
        seen_registered="(k.registered_at IS NOT NULL)",
        seen_verified="k.is_verified",
        seen_funded="k.is_funded",
        seen_active="k.is_active",
    ),
    _branch(
        "JOIN clients_call a ON a.client_id = k.client_id",
        "a.started_at",
        "a.agent_id",
        calls="1",
        call_seconds="a.duration_seconds",
    ),
    _branch(
        "JOIN wallet_deposit d ON d.client_id = k.client_id AND d.settled_at IS NOT NULL",
        "d.settled_at",
        first_deposits="d.is_first",
        deposits="d.base_amount",
    ),
    _branch(
        "JOIN wallet_deposit d ON d.client_id = k.client_id AND d.state = 'charged_back'"
        " JOIN wallet_journal j ON j.id = d.reversal_id",
        "j.posted_at",
        reversals="d.base_amount",
    ),
    _branch(
        "JOIN wallet_deposit d ON d.client_id = k.client_id AND d.settled_at IS NOT NULL"
        " JOIN wallet_pspmovement m ON m.psp_id = d.psp_id AND m.reference = d.reference AND m.kind = 'refund'"
        " JOIN wallet_journal j ON j.id = m.journal_id",
        "j.posted_at",
        reversals="round(d.base_amount * -m.amount_minor / d.received_minor, 2)",
    ),
    _branch(
        "JOIN wallet_withdrawal w ON w.client_id = k.client_id AND w.state = 'settled' AND NOT w.from_suspense"
        " AND w.finished_at IS NOT NULL",
        "w.finished_at",
        withdrawals="w.base_amount",
    ),
)
CLIENT_KEYS = "client_id, day, brand_id, desk_id, owner_id, country, campaign, source, registered_month"
COMPUTED = f"""
SELECT client_id, (h.at AT TIME ZONE b.time_zone)::date AS day, brand_id, desk_id, agent_id AS owner_id, country, campaign,
  source, date_trunc('month', h.registered_at AT TIME ZONE b.time_zone)::date AS registered_month,
  {", ".join(f"sum({name}) AS {name}" for name in ORIGIN_FIGURES)}
FROM (
  WITH of_client AS NOT MATERIALIZED (
    SELECT c.id AS client_id, c.brand_id, b.desk_id, c.owner_id, c.registered_at, c.created_at, c.country, c.campaign,
      c.source, c.last_contact_at IS NOT NULL AS is_contacted, c.kyc_level > 0 AS is_verified,
      c.first_deposit_at IS NOT NULL AS is_funded, c.last_trade_at IS NOT NULL AS is_active
    FROM clients_client c JOIN crm_book b ON b.id = c.book_id WHERE {{chosen}}
  )
  {" UNION ALL ".join(BRANCHES)}
) h JOIN crm_brand b ON b.id = h.brand_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608 — of constants


@dataclass(frozen=True)
class Summary:
    """A derived table: its keys, its figures, and how the days of clients (`{rows}`) add up to them."""

    table: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    contributed: str = "SELECT * FROM {rows}"

    def parts(self) -> dict[str, str]:
        """Return what the statements are put together from."""
        same = " AND ".join(
            f"{{0}}.{key} {'IS NOT DISTINCT FROM' if key in NULLABLE else '='} {{1}}.{key}" for key in self.keys
        )
        return {
            "table": self.table,
            "keys": ", ".join(self.keys),
            "names": ", ".join(self.names),
            "sums": ", ".join(f"sum({name}) AS {name}" for name in self.names),
            "negative": ", ".join(f"-{name}" for name in self.names),
            "added": ", ".join(f"{name} = f.{name} + d.{name}" for name in self.names),
            "left_nothing": " AND ".join(f"f.{name} + d.{name} = 0" for name in self.names),
            "sums_are_nothing": " AND ".join(f"sum({name}) = 0" for name in self.names),
            "fresh": self.contributed.format(rows="fresh"),
            "gone": self.contributed.format(rows="gone"),
            "kept": self.contributed.format(rows="reports_clientday"),
            "of_f_and_d": same.format("f", "d"),
            "of_c_and_d": same.format("c", "d"),
            "returned": ", ".join(f"f.{key}" for key in self.keys),
        }


NULLABLE = ("desk_id", "owner_id")
COHORT_KEYS = ("brand_id", "registered_month", "month", "country", "campaign", "desk_id")
SUMMARIES = (
    Summary("reports_dayfigure", ("day", "brand_id", "desk_id", "owner_id"), FIGURES),
    Summary(
        "reports_originday", ("day", "brand_id", "country", "campaign", "source", "desk_id", "owner_id"), ORIGIN_FIGURES
    ),
    Summary(
        "reports_cohortmonth",
        COHORT_KEYS,
        COHORT_FIGURES,
        "SELECT brand_id, registered_month, date_trunc('month', day)::date AS month, country, campaign, desk_id,"
        " sum(registrations) AS clients, (sum(deposits) > 0)::int AS depositors, sum(deposits) AS deposits,"
        " sum(withdrawals) AS withdrawals, sum(reversals) AS reversals"
        " FROM {rows} WHERE registered_month IS NOT NULL GROUP BY client_id, 1, 2, 3, 4, 5, 6",
    ),
)
TAKE = """
DELETE FROM reports_changedclient WHERE id = ANY(ARRAY(SELECT id FROM reports_changedclient ORDER BY id LIMIT %s))
RETURNING client_id
"""
# One statement: its parts see the same rows. `{table}_difference` is what a summary takes up.
APPLY = """
WITH fresh AS MATERIALIZED ({of_clients}),
gone AS (DELETE FROM reports_clientday WHERE client_id = ANY(%(clients)s) RETURNING *),
given AS (INSERT INTO reports_clientday ({client_keys}, {client_names}) SELECT {client_keys}, {client_names} FROM fresh)
{taken_up}
SELECT 1
"""
TAKEN_UP = """
, {table}_difference AS (
  SELECT {keys}, {sums} FROM (
    SELECT {keys}, {names} FROM ({fresh}) a UNION ALL SELECT {keys}, {negative} FROM ({gone}) b
  ) d GROUP BY {keys} HAVING NOT ({sums_are_nothing})
), {table}_changed AS (
  UPDATE {table} f SET {added} FROM {table}_difference d WHERE {of_f_and_d} AND NOT ({left_nothing}) RETURNING {returned}
), {table}_emptied AS (
  DELETE FROM {table} f USING {table}_difference d WHERE {of_f_and_d} AND {left_nothing} RETURNING {returned}
), {table}_known AS (
  SELECT * FROM {table}_changed UNION ALL SELECT * FROM {table}_emptied
), {table}_added AS (
  INSERT INTO {table} ({keys}, {names}) SELECT {keys}, {names} FROM {table}_difference d
  WHERE NOT EXISTS (SELECT 1 FROM {table}_known c WHERE {of_c_and_d})
)
"""
REBUILD = (
    "DELETE FROM reports_changedclient",
    "DELETE FROM reports_clientday",
    "INSERT INTO reports_clientday ({client_keys}, {client_names}) SELECT {client_keys}, {client_names} FROM ({everybody}) e",
)
REBUILD_SUMMARY = (
    "DELETE FROM {table}",
    "INSERT INTO {table} ({keys}, {names}) SELECT {keys}, {sums} FROM ({kept}) k GROUP BY {keys}"
    " HAVING NOT ({sums_are_nothing}) ORDER BY {keys}",
)
# Clients who wait for their turn may differ.
DIFFERING = """
WITH computed AS MATERIALIZED (SELECT {client_keys}, {client_names} FROM ({everybody}) e),
kept AS NOT MATERIALIZED (SELECT {client_keys}, {client_names} FROM reports_clientday)
SELECT count(DISTINCT client_id) FROM (
  (SELECT * FROM computed EXCEPT SELECT * FROM kept) UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM computed)
) d WHERE NOT EXISTS (SELECT 1 FROM reports_changedclient w WHERE w.client_id = d.client_id OR w.client_id IS NULL)
"""
DIFFERING_SUMMARY = """
WITH added AS MATERIALIZED (
  SELECT {keys}, {sums} FROM ({kept}) k GROUP BY {keys} HAVING NOT ({sums_are_nothing})
), figures AS NOT MATERIALIZED (SELECT {keys}, {names} FROM {table})
SELECT count(*) FROM (
  (SELECT * FROM added EXCEPT SELECT * FROM figures) UNION ALL (SELECT * FROM figures EXCEPT SELECT * FROM added)
) d
"""
NOTE_TIME = """
INSERT INTO reports_figuresstate (id, refreshed_at) VALUES (1, now())
ON CONFLICT (id) DO UPDATE SET refreshed_at = excluded.refreshed_at
"""


def _sql(template: str) -> str:
    computed = {"everybody": "true", "of_clients": "c.id = ANY(%(clients)s)"}
    statements = {name: COMPUTED.format(chosen=chosen) for name, chosen in computed.items()}
    taken_up = "".join(TAKEN_UP.format(**summary.parts()) for summary in SUMMARIES)
    return template.format(
        client_keys=CLIENT_KEYS, client_names=", ".join(ORIGIN_FIGURES), taken_up=taken_up, **statements
    )


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
        cursor.execute(NOTE_TIME)
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
        clients = _count(cursor, _sql(DIFFERING))
        rows = sum(_count(cursor, DIFFERING_SUMMARY.format(**summary.parts())) for summary in SUMMARIES)
        if clients or rows:
            logger.warning("figures of %s clients and %s rows differed and are computed again", clients, rows)
            _rebuild(cursor)
    return clients + rows


def _count(cursor: CursorWrapper, statement: str) -> int:
    cursor.execute(statement)
    return int(cursor.fetchone()[0])


def _rebuild(cursor: CursorWrapper) -> None:
    for statement in REBUILD:
        cursor.execute(_sql(statement))
    for summary in SUMMARIES:
        for statement in REBUILD_SUMMARY:
            cursor.execute(statement.format(**summary.parts()))
    cursor.execute(NOTE_TIME)


def _alone(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('reports.figures'))")
