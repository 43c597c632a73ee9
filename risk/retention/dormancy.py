"""Clients become dormant when they are inactive for longer than their own rhythm explains. A trade or a deposit ends it.

Without a rhythm (`risk.retention.rhythm`) the brand's days alone decide.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from clients.choices import Stage
from clients.models import Client
from clients.stages import move_stage
from crm.db.locking import lock
from crm.i18n.localized_text import Phrase, phrase
from crm.models import Brand
from risk.brand_policies import DORMANT_DAYS, DORMANT_GAPS
from risk.retention.rhythm import PARAMETERS, RHYTHM

# In one run; the next hour goes on.
MOST_PER_RUN = 2_000
STEP = 10_000
ACTIVE_STAGES = (Stage.FUNDED, Stage.ACTIVE)

# Clients of a step by id who have been inactive for their brand's days, with their last active moment and their usual gap.
BEGINNING = """
WITH brands AS (SELECT * FROM unnest(%(brands)s::bigint[], %(days)s::int[], %(gaps)s::int[]) b (brand, days, gaps)),
step AS (
  SELECT c.id, c.user_id, c.last_trade_at, c.registered_at, b.days, b.gaps
  FROM clients_client c JOIN brands b ON b.brand = c.brand_id
  WHERE c.stage = ANY(%(stages)s) AND c.id > %(after)s ORDER BY c.id LIMIT %(step)s
)"""
ENDING = """
SELECT i.id, i.at, u.gap FROM inactive i LEFT JOIN usual u USING (id)
WHERE i.at < %(now)s::timestamptz - make_interval(days => greatest(i.days, coalesce(i.gaps * u.gap, 0))) ORDER BY i.id
"""
INACTIVE = BEGINNING + RHYTHM + ENDING
LAST_OF_STEP = """
SELECT max(id) FROM (
  SELECT id FROM clients_client WHERE stage = ANY(%(stages)s) AND id > %(after)s ORDER BY id LIMIT %(step)s) s
"""


@dataclass(frozen=True, slots=True)
class Inactive:
    """A client without activity for longer than usual: since when, and the usual gap in days, if there is one."""

    client_id: int
    since: dt.datetime
    usual_gap: int | None

    @property
    def reason(self) -> Phrase:
        if self.usual_gap is None:
            return phrase("Inactive since %(day)s") % {"day": self.since.date()}
        return phrase("Inactive since %(day)s. Usual gap between active days: %(days)s") % {
            "day": self.since.date(),
            "days": self.usual_gap,
        }


def inactive_clients(now: dt.datetime, *, at_most: int = MOST_PER_RUN) -> list[Inactive]:
    """List funded and active clients who are inactive for longer than their rhythm explains, by id; at most so many."""
    given = _given(now)
    found: list[Inactive] = []
    after: int | None = 0
    while after is not None and len(found) < at_most:
        found += _inactive({**given, "after": after, "step": STEP})
        with connection.cursor() as cursor:
            cursor.execute(LAST_OF_STEP, {"stages": given["stages"], "after": after, "step": STEP})
            after = cursor.fetchone()[0]
    return found[:at_most]


def move_inactive(*, now: dt.datetime | None = None, at_most: int = MOST_PER_RUN) -> int:
    """Move inactive clients to dormant, each in a transaction of its own. Returns how many; the next run takes further ones."""
    now = now or timezone.now()
    given = _given(now)
    return sum(_move(one.client_id, given) for one in inactive_clients(now, at_most=at_most))


def _given(now: dt.datetime) -> dict[str, Any]:
    brands = list(Brand.objects.order_by("pk"))
    return {
        "brands": [brand.pk for brand in brands],
        "days": [DORMANT_DAYS.of(brand) for brand in brands],
        "gaps": [DORMANT_GAPS.of(brand) for brand in brands],
        "stages": list(ACTIVE_STAGES),
        "now": now,
        "oldest": "-infinity",
        **PARAMETERS,
    }


def _inactive(given: dict[str, Any]) -> list[Inactive]:
    with connection.cursor() as cursor:
        cursor.execute(INACTIVE, given)
        return [Inactive(*row) for row in cursor.fetchall()]


@transaction.atomic
def _move(client_id: int, given: dict[str, Any]) -> bool:
    """Judge a client once more under the lock: a trade, a deposit or a sign-in may have come since the list was made."""
    client = lock(Client, client_id)
    still = _inactive({**given, "after": client.pk - 1, "step": 1})
    if [one.client_id for one in still] != [client.pk]:
        return False
    move_stage(client_id=client.pk, to=Stage.DORMANT, reason=still[0].reason)
    return True
