"""Flags are raised, kept and ended by what the database says, for many clients in a few statements or for one after an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from clients.choices import Stage
from crm.models import Brand
from risk.brand_policies import THRESHOLDS
from risk.retention.flags import FLAGS, Flag
from risk.retention.flags.activity import GONE_DAYS
from risk.retention.rhythm import PARAMETERS

STEP: Final = 10_000
STAGES: Final = (Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT)

NAMES: Final = ", ".join(THRESHOLDS)
BEGINNING: Final = f"""
WITH brands AS (
  SELECT * FROM unnest(%(brands)s::bigint[], {", ".join(f"%({name})s::int[]" for name in THRESHOLDS)}) b (brand, {NAMES})
), step AS (
  SELECT c.id, c.brand_id, c.user_id, c.last_trade_at, c.registered_at, {NAMES}
  FROM clients_client c JOIN brands b ON b.brand = c.brand_id
  WHERE c.id = ANY(%(clients)s) AND c.stage = ANY(%(stages)s) AND c.merged_into_id IS NULL
)"""  # noqa: S608  constants of ours; values are parameters
# Ends what isn't found any more, raises what is new, and renews the others where their figures changed or an hour has passed.
# `since` goes back at most to before the flag, which a clock that runs ahead elsewhere could otherwise break.
ENDING: Final = """
, ended AS (
  UPDATE risk_retentionflag f SET ended_at = greatest(%(now)s::timestamptz, f.seen_at)
  WHERE f.client_id = ANY(%(clients)s) AND f.kind = %(kind)s AND f.ended_at IS NULL
    AND NOT EXISTS (SELECT FROM found WHERE found.client_id = f.client_id)
), kept AS (
  INSERT INTO risk_retentionflag AS f (client_id, brand_id, kind, since, figures, raised_at, seen_at)
  SELECT s.id, s.brand_id, %(kind)s, least(found.since, %(now)s::timestamptz), found.figures, %(now)s, %(now)s
  FROM found JOIN step s ON s.id = found.client_id ORDER BY s.id
  ON CONFLICT (client_id, kind) WHERE ended_at IS NULL DO UPDATE
    SET figures = EXCLUDED.figures, since = least(EXCLUDED.since, f.raised_at), seen_at = greatest(EXCLUDED.seen_at, f.seen_at)
    WHERE f.figures <> EXCLUDED.figures OR f.seen_at < EXCLUDED.seen_at - interval '1 hour'
  RETURNING f.id, f.client_id, f.xmax = 0 AS is_new
)
SELECT id, client_id FROM kept WHERE is_new
"""
STATEMENTS: Final = {kind: BEGINNING + flag.sql + ENDING for kind, flag in FLAGS.items()}
CLIENTS: Final = """
SELECT id FROM clients_client c WHERE c.id > %(after)s AND (c.stage = ANY(%(stages)s)
  OR EXISTS (SELECT FROM risk_retentionflag f WHERE f.client_id = c.id AND f.ended_at IS NULL))
ORDER BY id LIMIT %(step)s
"""


@dataclass(frozen=True, slots=True)
class Raised:
    """A flag that is new."""

    flag_id: int
    client_id: int
    kind: str


def thresholds() -> dict[str, Any]:
    """Read what each brand has set, as arrays by name."""
    brands = list(Brand.objects.order_by("pk"))
    values: dict[str, Any] = {name: [policy.of(brand) for brand in brands] for name, policy in THRESHOLDS.items()}
    return {"brands": [brand.pk for brand in brands], **values}


@transaction.atomic
def judge(
    client_ids: Iterable[int],
    *,
    now: dt.datetime | None = None,
    flags: Sequence[Flag] = (),
    given: dict[str, Any] | None = None,
) -> list[Raised]:
    """Judge clients by all flags, or by some; returns what is new. Two runs over the same client wait for one another."""
    now = now or timezone.now()
    values = {
        **(given or thresholds()),
        **PARAMETERS,
        "clients": sorted(set(client_ids)),
        "stages": list(STAGES),
        "now": now,
        "today": now.astimezone(dt.UTC).date(),
        "oldest": now - dt.timedelta(days=GONE_DAYS),
    }
    raised: list[Raised] = []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.retention_flags'))")
        for flag in flags or FLAGS.values():
            cursor.execute(STATEMENTS[flag.kind], {**values, "kind": flag.kind.value})
            raised += [Raised(pk, client_id, flag.kind) for pk, client_id in cursor.fetchall()]
    return raised


def steps(step: int = STEP) -> Iterator[list[int]]:
    """Go through the clients who are judged, or have a flag to end, so many at a time."""
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(CLIENTS, {"after": after, "stages": list(STAGES), "step": step})
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return
        yield ids
        after = ids[-1]
