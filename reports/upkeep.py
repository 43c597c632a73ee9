"""Keep the figures per day equal to what happened, by what changed since the last time.

Triggers note every client of whom something counts, has changed (`ChangedClient`, append-only, so that nobody waits for anybody).
Every few minutes the figures of those clients are computed from nothing and compared with what each had given before
(`ClientDay`); the summaries (days, origins, cohorts) take the difference. So an old day costs what today costs: a lead
contacted after months and a reversed deposit are right within minutes. A day's agent, book and desk are those that the client
had then (`clients_ownership_period`), whenever it is computed. Once a day everything is computed from nothing and compared.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from clients.ownership.check import close_gaps
from reports.figures import COHORT_FIGURES, FIGURES, ORIGIN_FIGURES

logger = logging.getLogger(__name__)
# Clients of one transaction.
CLIENTS_AT_ONCE = 5_000

# What statements are put together from; none of it comes from outside.
TYPES = {"touch_seconds": "bigint", "call_seconds": "bigint"} | dict.fromkeys(COHORT_FIGURES[2:], "numeric")


# A lead, a registration or a new person that nobody owns yet counts for the first agent who gets the client within this time.
FIRST_OWNER_WITHIN = "3 days"
# What tells whose a thing is.
MOMENT = {"moment": "timestamptz", "awaits_owner": "boolean", "agent_id": "bigint", "touched_at": "timestamptz"}


def _branch(source: str, at: str, *, moment: str = "", awaits_owner: bool = False, **figures: str) -> str:
    """Select one kind of thing that counts: whose, when, and the figures that it gives; all others are nothing.

    moment: when its owner is the one it counts for, where that is not when it happened.
    awaits_owner: it came to the broker, and may do so before an agent has the client.
    """
    columns = [f"{figures.get(name, '0')}::{TYPES.get(name, 'int')} AS {name}" for name in ORIGIN_FIGURES]
    known = {"moment": moment or at, "awaits_owner": str(awaits_owner), **figures}
    columns += (f"{known.get(name, 'NULL')}::{kind} AS {name}" for name, kind in MOMENT.items())
    return f"SELECT k.*, {at} AS at, {', '.join(columns)} FROM of_client k {source}"  # noqa: S608


# Instants become days where the brand is. What is done or paid counts for whom the client belonged to at that instant.
BRANCHES = (
    _branch(
        "JOIN leads_lead l ON l.client_id = k.client_id AND NOT l.is_duplicate",
        "l.captured_at",
        # Routing may try several agents on the first day; who contacted the lead, or had it in the end, has it counted.
        moment="least(l.touched_at, (date_trunc('day', l.captured_at AT TIME ZONE k.time_zone) + interval '1 day')"
        " AT TIME ZONE k.time_zone - interval '1 microsecond')",
        awaits_owner=True,
        leads="1",
        touched="(l.touched_at IS NOT NULL)",
        touched_at="l.touched_at",
        late="(l.sla_missed > 0)",
    ),
    _branch(
        "WHERE k.registered_at IS NOT NULL",
        "k.registered_at",
        awaits_owner=True,
        registrations="1",
        verified="k.is_verified",
    ),
    _branch(
        "",
        "k.created_at",
        awaits_owner=True,
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
        agent_id="a.agent_id",
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
CLIENT_KEYS = "client_id, day, brand_id, desk_id, owner_id, book_id, country, campaign, source, registered_month"
SUMMED = {name: f"sum({name})" for name in ORIGIN_FIGURES} | {
    # From the assignment, or the capture, to the first contact.
    "touch_seconds": "sum(CASE WHEN touched_at > greatest(at, owned_since)"
    " THEN extract(epoch FROM touched_at - greatest(at, owned_since))::bigint ELSE 0 END)"
}
COMPUTED = f"""
WITH of_client AS NOT MATERIALIZED (
  SELECT c.id AS client_id, c.brand_id, b.time_zone, c.registered_at, c.created_at, c.country, c.campaign,
    c.source, c.last_contact_at IS NOT NULL AS is_contacted, c.kyc_level > 0 AS is_verified,
    c.first_deposit_at IS NOT NULL AS is_funded, c.last_trade_at IS NOT NULL AS is_active
  FROM clients_client c JOIN crm_brand b ON b.id = c.brand_id WHERE {{chosen}}
), owned AS MATERIALIZED (
  SELECT p.* FROM clients_ownership_period p WHERE {{owned}}
), counted AS (
  SELECT h.*, coalesce(h.agent_id, n.owner_id, o.owner_id) AS owner_id, coalesce(n.book_id, o.book_id) AS book_id,
    CASE WHEN n.client_id IS NULL THEN o.desk_id ELSE n.desk_id END AS desk_id,
    coalesce(n.owned_since, o.owned_since) AS owned_since
  FROM ({" UNION ALL ".join(BRANCHES)}) h
  JOIN owned o ON o.client_id = h.client_id AND o.since <= h.moment AND o.until > h.moment
  LEFT JOIN owned n ON n.client_id = o.client_id AND n.since = o.next_owner_at AND h.awaits_owner
    AND o.next_owner_at < h.at + interval '{FIRST_OWNER_WITHIN}'
)
SELECT client_id, (at AT TIME ZONE time_zone)::date AS day, brand_id, desk_id, owner_id, book_id, country, campaign,
  source, date_trunc('month', registered_at AT TIME ZONE time_zone)::date AS registered_month,
  {", ".join(f"{summed} AS {name}" for name, summed in SUMMED.items())}
FROM counted GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
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
    Summary("reports_dayfigure", ("day", "brand_id", "desk_id", "owner_id", "book_id"), FIGURES),
    Summary(
        "reports_originday",
        ("day", "brand_id", "country", "campaign", "source", "desk_id", "owner_id", "book_id"),
        ORIGIN_FIGURES,
    ),
    Summary(
        "reports_cohortmonth",
        COHORT_KEYS,
        COHORT_FIGURES,
        # A client counts once a month, wherever it was, and for the desk that registered it.
        "SELECT r.brand_id, r.registered_month, date_trunc('month', r.day)::date AS month, r.country, r.campaign, g.desk_id,"
        " sum(r.registrations) AS clients, (sum(r.deposits) > 0)::int AS depositors, sum(r.deposits) AS deposits,"
        " sum(r.withdrawals) AS withdrawals, sum(r.reversals) AS reversals"
        " FROM {rows} r JOIN {rows} g ON g.client_id = r.client_id AND g.registrations > 0"
        " GROUP BY r.client_id, 1, 2, 3, 4, 5, 6",
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
    statements = {
        "everybody": COMPUTED.format(chosen="true", owned="true"),
        "of_clients": COMPUTED.format(chosen="c.id = ANY(%(clients)s)", owned="p.client_id = ANY(%(clients)s)"),
    }
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
        if unowned := close_gaps():
            logger.warning("the history of owners of %s clients and books was incomplete and is completed", unowned)
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
