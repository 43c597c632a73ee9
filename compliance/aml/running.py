"""Running rules: over a period for a back-test, and over clients with new movements as they come.

Both are the measure's one statement (`compliance.aml.measures`) with another scope before it. A back-test from an instant on
raises what the version would have raised had it gone live then.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.utils import timezone

from clients.models import Client
from compliance.aml.attaching import attach
from compliance.aml.choices import RUNNING, Severity, VersionState
from compliance.aml.measures import MEASURES
from compliance.aml.models import AmlRuleVersion
from compliance.aml.stream import Movement
from compliance.aml.vocabulary import POPULATION
from crm.conditions import readable

LOCK: Final = 0x4B_41_4D_4C  # an advisory lock of our own: one run at a time
CLIENTS_PER_STEP: Final = 10_000  # a step reads all peers of the brand once, whatever its size
STEPS_MAX: Final = 20
EVIDENCE_MAX: Final = 200
FOREVER: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
STREAM: Final = "compliance_amlmovement"
MONTHS: Final = "compliance_amlmonth"
MONTHS_WITH_ASKED: Final = f"""(
  SELECT brand_id, client_id, month, sum(total) AS total FROM (
    SELECT brand_id, client_id, month, total FROM {MONTHS} UNION ALL
    SELECT %(asked_brand_id)s::bigint, %(asked_client_id)s::bigint,
      date_trunc('month', %(asked_at)s::timestamptz AT TIME ZONE 'UTC')::date, %(asked_base_amount)s::numeric
    WHERE %(asked_kind)s::varchar = 'deposit'
  ) j GROUP BY 1, 2, 3)"""  # noqa: S608 - a name of ours
READ: Final = {
    "id": "bigint",
    "client_id": "bigint",
    "brand_id": "bigint",
    "kind": "varchar",
    "at": "timestamptz",
    "method": "varchar",
    "instrument_mark": "varchar",
    "is_third_party": "bool",
    "is_return": "bool",
    "amount": "numeric",
    "base_amount": "numeric",
    "country": "varchar",
    "bank_country": "varchar",
    "card_country": "varchar",
    "counterpart_id": "bigint",
}
OF_PERIOD: Final = "scope AS (SELECT p.id AS client_id, %(since)s::timestamptz AS since FROM ({population}) p (id))"
OF_CLIENTS: Final = """scope AS (
  SELECT k.client_id, greatest(k.since, %(since)s) AS since
  FROM unnest(%(clients)s::text::bigint[], %(sinces)s::text::timestamptz[]) k (client_id, since) WHERE k.client_id IN ({population})
)"""
FIRST: Final = """
SELECT DISTINCT ON (h.client_id, e.episode) h.client_id, e.episode, h.movement_id, h.at, h.value::numeric FROM ({held}) h,
  LATERAL (SELECT floor(extract(epoch FROM h.at) / %(repeat_seconds)s)::bigint AS episode) e
ORDER BY h.client_id, e.episode, h.at, h.movement_id
"""
RAISE: Final = """
INSERT INTO compliance_amlalert (version_id, is_shadow, raised_at, base_amount, client_id, episode, movement_id, at, value)
SELECT %(version)s, %(is_shadow)s, %(now)s, 0, f.* FROM ({first}) f
ON CONFLICT (version_id, client_id, episode, is_shadow) DO NOTHING RETURNING id
"""
BEHIND: Final = """LATERAL (
  SELECT m.id FROM {movement} m WHERE m.client_id = a.client_id AND m.kind = ANY(%(kinds)s)
    AND m.at BETWEEN {since} AND a.at AND ({picked}) ORDER BY m.at DESC, m.id DESC LIMIT %(most)s) e
"""
EVIDENCE: Final = """
WITH kept AS (
  INSERT INTO compliance_amlevidence (alert_id, movement_id)
  SELECT a.id, e.id FROM compliance_amlalert a, {behind} WHERE a.id = ANY(%(alerts)s) RETURNING alert_id, movement_id
)
UPDATE compliance_amlalert a SET base_amount = s.total FROM (
  SELECT k.alert_id, sum(m.base_amount) AS total FROM kept k JOIN compliance_amlmovement m ON m.id = k.movement_id GROUP BY 1
) s WHERE a.id = s.alert_id
"""
EVIDENCE_OF: Final = """
SELECT a.client_id, a.episode, array_agg(e.id ORDER BY e.id)
FROM unnest(%(clients)s::bigint[], %(episodes)s::bigint[], %(movements)s::bigint[], %(ats)s::timestamptz[])
  a (client_id, episode, movement_id, at), {behind} GROUP BY 1, 2
"""
TAKE: Final = """
DELETE FROM compliance_amlpending p USING (
  SELECT client_id FROM compliance_amlpending ORDER BY client_id LIMIT %s FOR UPDATE SKIP LOCKED
) c WHERE p.client_id = c.client_id RETURNING p.client_id, p.since
"""


@dataclass(frozen=True, slots=True)
class Raised:
    """What a version raises for a client: the first movement of an episode at which it holds, and what was measured there."""

    client_id: int
    episode: int
    movement_id: int
    at: dt.datetime
    value: Decimal


def population_of(version: AmlRuleVersion) -> tuple[str, dict[str, Any]]:
    """Write whom a version is for, as a subquery of client ids. Empty: its condition can't be read any more."""
    condition = readable(version.population, POPULATION)
    if condition is None:
        return "", {}
    clients = Client.objects.filter(condition.q(timezone.now()), brand_id=version.rule.brand_id).order_by().values("pk")
    try:
        sql, values = clients.query.sql_with_params()
    except EmptyResultSet:
        return "", {}
    places = count()
    named = re.sub(r"%%|%s", lambda mark: mark[0] if mark[0] == "%%" else f"%(who_{next(places)})s", sql)
    return named, {f"who_{place}": value for place, value in enumerate(values)}


def _parameters(version: AmlRuleVersion, since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    measure = MEASURES[version.measure]
    history = dt.timedelta(hours=measure.history_hours(version.window_hours, version.threshold))
    numbers = {entry.name for entry in measure.parameters if entry.choices is None}
    return {
        **{name: Decimal(str(value)) if name in numbers else value for name, value in version.parameters.items()},
        "kinds": [kind.value for kind in measure.reads],
        "threshold": version.threshold,
        "window": dt.timedelta(hours=version.window_hours),
        "history": history,
        "first": since - history,
        "since": since,
        "until": until,
        "brand": version.rule.brand_id,
        "repeat_seconds": version.repeat_hours * 3600,
    }


def _held(version: AmlRuleVersion, scope: str, movement: str = STREAM, months: str = MONTHS) -> str:
    sql = MEASURES[version.measure].sql.replace("{scope}", scope)
    sql = sql.replace("{movement}", movement).replace("{months}", months)
    return sql.replace("{peers}", str(version.parameters.get("peers", "")))


def raised_in(version: AmlRuleVersion, start: dt.datetime, end: dt.datetime) -> list[Raised]:
    """Compute what a version raises from `start` to before `end`; nothing is written."""
    who, values = population_of(version)
    if not who:
        return []
    values |= _parameters(version, start, end)
    scope = OF_PERIOD.replace("{population}", who)
    with connection.cursor() as cursor:
        cursor.execute(FIRST.replace("{held}", _held(version, scope)), values)
        return [Raised(*row) for row in cursor.fetchall()]


def raised_by(version: AmlRuleVersion, movement: Movement) -> list[Raised]:
    """Compute what a version would raise if this movement took place; nothing is written."""
    who, values = population_of(version)
    if not who:
        return []
    values |= _parameters(version, movement.at, FOREVER)
    values |= _as_arrays([(movement.client_id, movement.at)])
    asked = {name: 0 if name == "id" else getattr(movement, name) for name in READ}
    values |= {f"asked_{name}": value for name, value in asked.items()}
    one = ", ".join(f"%(asked_{name})s::{type_}" for name, type_ in READ.items())
    both = f"(SELECT {', '.join(READ)} FROM {STREAM} UNION ALL SELECT {one})"  # noqa: S608 - names of columns
    scope = OF_CLIENTS.replace("{population}", who)
    with connection.cursor() as cursor:
        cursor.execute(FIRST.replace("{held}", _held(version, scope, both, MONTHS_WITH_ASKED)), values)
        return [Raised(*row) for row in cursor.fetchall()]


def would_alert(movement: Movement, *, severity: Severity = Severity.HIGH) -> list[AmlRuleVersion]:
    """List the live rules of a severity that would raise an alert if this movement took place.

    A rule alerts at movements of the kinds that it reads only: of no other it is asked.
    """
    versions = running().filter(state=VersionState.LIVE, severity=severity, rule__brand_id=movement.brand_id)
    read = [version for version in versions if movement.kind in MEASURES[version.measure].reads]
    return [version for version in read if raised_by(version, movement)]


def running() -> Any:
    """Select the versions that run, live ones and shadows."""
    return AmlRuleVersion.objects.filter(state__in=RUNNING).select_related("rule__brand").order_by("pk")


def run_pending(*, steps: int = STEPS_MAX) -> int:
    """Have the running rules see what moved since they last ran; returns the number of new alerts. Each step is a transaction."""
    raised = 0
    for _step in range(steps):
        found = _step_once()
        if found is None:
            break
        raised += found
    return raised


@transaction.atomic
def _step_once() -> int | None:
    """Do one step; None when nothing is left to do here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(TAKE, [CLIENTS_PER_STEP])
        taken = cursor.fetchall()
    if not taken:
        return None
    raised, live, first, arrays = 0, [], min(since for _client, since in taken), _as_arrays(taken)
    for version in running():
        alerts = _raise_for(version, first, arrays)
        raised += len(alerts)
        if version.state == VersionState.LIVE:
            live += alerts
    attach(live)
    return raised


def _as_arrays(taken: Sequence[tuple[int, dt.datetime]]) -> dict[str, str]:
    """Write clients and instants as PostgreSQL's arrays, once for all rules: adapting them cost more than most rules."""
    clients = ",".join(str(client_id) for client_id, _since in taken)
    sinces = ",".join(f'"{since.isoformat()}"' for _client, since in taken)
    return {"clients": f"{{{clients}}}", "sinces": f"{{{sinces}}}"}


def _raise_for(version: AmlRuleVersion, earliest: dt.datetime, arrays: dict[str, str]) -> list[int]:
    """Write the alerts of a running version for clients from their instants on, with their evidence; returns their ids."""
    begins = version.live_since if version.state == VersionState.LIVE else version.shadow_since
    assert begins is not None
    who, values = population_of(version)
    if not who:
        return []
    values |= _parameters(version, max(begins, earliest), FOREVER) | arrays
    values |= {
        "since": begins,
        "version": version.pk,
        "is_shadow": version.state == VersionState.SHADOW,
        "now": timezone.now(),
    }
    scope = OF_CLIENTS.replace("{population}", who)
    statement = RAISE.replace("{first}", FIRST.replace("{held}", _held(version, scope)))
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        alerts = [pk for (pk,) in cursor.fetchall()]
    keep_evidence(version, alerts)
    return alerts


def _behind(version: AmlRuleVersion, statement: str) -> str:
    measure = MEASURES[version.measure]
    behind = BEHIND.replace("{since}", measure.evidence_from).replace("{picked}", measure.evidence)
    return statement.replace("{behind}", behind).replace("{movement}", STREAM)


def keep_evidence(version: AmlRuleVersion, alerts: list[int]) -> None:
    """Keep the movements behind new alerts, at most 200 of each: the latest."""
    if alerts:
        values = _parameters(version, FOREVER, FOREVER) | {"alerts": alerts, "most": EVIDENCE_MAX}
        with connection.cursor() as cursor:
            cursor.execute(_behind(version, EVIDENCE), values)


def evidence_of(version: AmlRuleVersion, raised: Sequence[Raised]) -> dict[tuple[int, int], list[int]]:
    """Find the movements behind what a version raises, by client and episode; nothing is written."""
    values = _parameters(version, FOREVER, FOREVER) | {"most": EVIDENCE_MAX}
    values |= {
        "clients": [entry.client_id for entry in raised],
        "episodes": [entry.episode for entry in raised],
        "movements": [entry.movement_id for entry in raised],
        "ats": [entry.at for entry in raised],
    }
    with connection.cursor() as cursor:
        cursor.execute(_behind(version, EVIDENCE_OF), values)
        return {(client_id, episode): pks for client_id, episode, pks in cursor.fetchall()}
