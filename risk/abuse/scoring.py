"""Judge deals as they come: from a watermark on, the accounts that traded and those they may have traded with.

Runs come after one another under one lock. Deals are taken a minute late, since ids are given before their transaction commits,
and never past one that is younger; edits and deletions afterwards are seen by `grounds.recheck`, which looks at the evidence again.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from crm.models import Brand
from risk.abuse.engine import judge
from risk.abuse.loading import JUDGED, WINDOW, load
from risk.abuse.models import AbuseEpisode, PairCount, ScoredTo
from risk.abuse.raising import raise_found
from risk.abuse.thresholds import limits_of, pair_seconds

LOCK: Final = 0x4B_41_42_55
DEALS_AT_ONCE: Final = 10_000
SETTLE: Final = dt.timedelta(seconds=60)
PAIR_SECONDS: Final = 10
NEIGHBOURS_MAX: Final = 40
# From here on a pair is compared trade by trade.
PAIR_TIMES: Final = 4
PARTNERS_MAX: Final = 5_000
NEXT: Final = """
SELECT max(id), count(*) FROM (
  SELECT id, max(synced_at) OVER (ORDER BY id) AS settled_at FROM (
    SELECT id, synced_at FROM trading_deal WHERE id > %(after)s ORDER BY id LIMIT %(most)s
  ) next
) d WHERE settled_at <= %(until)s
"""
TOUCHED: Final = f"""
SELECT c.brand_id, array_agg(DISTINCT d.account_id) FROM trading_deal d
JOIN trading_tradingaccount a ON a.id = d.account_id AND {JUDGED} JOIN clients_client c ON c.id = a.client_id
WHERE d.id > %(after)s AND d.id <= %(to)s AND d.executed_at >= %(since)s GROUP BY 1
"""  # noqa: S608 - constants
# Openings of others on the same server and symbol around each new one; each pair of openings is counted by the later deal.
COUNT_PAIRS: Final = f"""
INSERT INTO risk_paircount (first_id, second_id, times, last_at)
SELECT least(n.account_id, o.account_id), greatest(n.account_id, o.account_id), count(*), max(n.executed_at)
FROM trading_deal n
JOIN trading_tradingaccount a ON a.id = n.account_id AND {JUDGED}
JOIN LATERAL (
  SELECT x.account_id FROM trading_deal x
  WHERE x.executed_at BETWEEN n.executed_at - %(near)s AND n.executed_at + %(near)s AND x.server_id = n.server_id
    AND x.symbol = n.symbol AND x.entry = 0 AND x.action IN (0, 1) AND x.account_id <> n.account_id AND x.id < n.id
    AND x.deleted_at IS NULL LIMIT %(neighbours)s
) o ON true
WHERE n.id > %(after)s AND n.id <= %(to)s AND n.entry = 0 AND n.action IN (0, 1) AND n.executed_at >= %(since)s
GROUP BY 1, 2
ON CONFLICT (first_id, second_id) DO UPDATE
SET times = risk_paircount.times + excluded.times, last_at = greatest(risk_paircount.last_at, excluded.last_at)
"""  # noqa: S608 - constants
PARTNERS: Final = """
SELECT DISTINCT CASE WHEN p.first_id = t.id THEN p.second_id ELSE p.first_id END
FROM unnest(%(accounts)s::bigint[]) AS t(id)
JOIN risk_paircount p ON (p.first_id = t.id OR p.second_id = t.id) AND p.times >= %(times)s LIMIT %(most)s
"""


@transaction.atomic
def score_next(*, now: dt.datetime | None = None, most: int = DEALS_AT_ONCE) -> tuple[int, list[AbuseEpisode]]:
    """Judge the next deals. Returns how many there were, and the episodes that are new."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0, []
        mark, _is_new = ScoredTo.objects.get_or_create(pk=1)
        cursor.execute(NEXT, {"after": mark.deal_id, "until": now - SETTLE, "most": most})
        last, count = cursor.fetchone()
        if not count:
            return 0, []
        values = {
            "after": mark.deal_id,
            "to": last,
            "since": now - WINDOW,
            "near": dt.timedelta(seconds=pair_seconds(PAIR_SECONDS)),
            "neighbours": NEIGHBOURS_MAX,
        }
        cursor.execute(COUNT_PAIRS, values)
        cursor.execute(TOUCHED, values)
        touched = dict(cursor.fetchall())
    raised = []
    for brand in Brand.objects.filter(pk__in=touched).order_by("pk"):
        raised += score_accounts(brand, touched[brand.pk], now=now)
    mark.deal_id = last
    mark.save(update_fields=["deal_id"])
    return count, raised


def score_accounts(brand: Brand, account_ids: list[int], *, now: dt.datetime | None = None) -> list[AbuseEpisode]:
    """Judge accounts of a brand and their partners now. Returns the episodes that are new."""
    now = now or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(PARTNERS, {"accounts": account_ids, "times": PAIR_TIMES, "most": PARTNERS_MAX})
        partners = [row[0] for row in cursor]
    live = load(brand, [*account_ids, *partners], now=now)
    limits = limits_of(live)
    return raise_found(live, limits, judge(live.book, limits), set(account_ids), now=now)


def score_all(*, runs: int = 20) -> int:
    """Judge what has come, up to a number of runs. Returns how many deals."""
    total = 0
    for _n in range(runs):
        count, _raised = score_next()
        total += count
        if count < DEALS_AT_ONCE:
            break
    return total


def forget(*, now: dt.datetime | None = None) -> int:
    """Delete counts of pairs that haven't met for two windows."""
    return PairCount.objects.filter(last_at__lt=(now or timezone.now()) - 2 * WINDOW).delete()[0]
