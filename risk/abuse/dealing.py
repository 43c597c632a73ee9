"""The dealer's view: flagged clients of a brand by what they hold now, with their markout, result, and cases. For reading only.

Flagged is who has a part in an open episode, or in one that was confirmed in the last half year. Amounts are in the brand's base
currency; exposure is the value of all open positions, long and short added up. Simulated money at stake isn't counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from clients.models import Client
from crm.models import Brand, User
from crm.security.scope import reach_of
from risk.abuse.choices import Abuse, EpisodeState
from risk.abuse.detectors.prices import CURVE_MS
from risk.abuse.models import AbuseEpisode, EpisodeParty
from risk.abuse.queue import SEES
from risk.dealing.choices import ExecutionBook
from risk.dealing.models import ClientRouting
from risk.dealing.routing import SEES as SEES_ROUTING
from risk.dealing.routing import current_of, share_text

DEALS: Final = "trading.view_deal_list"
SHOWN: Final = 100
# Among the flagged, those with the most at stake are looked at.
FLAGGED_MAX: Final = 1_000
EPISODES_MAX: Final = 1_000
CONFIRMED_FOR: Final = dt.timedelta(days=182)
BOOKS: Final = (*ExecutionBook.values, "none")
MARKOUT_AT: Final = CURVE_MS.index(30_000)

SQL: Final = """
WITH flagged AS (
  SELECT e.client_id AS id, sum(e.stake) FILTER (WHERE e.state = 'open' AND r.has_real) AS stake,
    max(e.stake) FILTER (WHERE r.has_real) AS most
  FROM (SELECT DISTINCT p.client_id, n.id, n.stake, n.state FROM risk_abuseepisode n
    JOIN risk_episodeparty p ON p.episode_id = n.id JOIN clients_client c ON c.id = p.client_id
    WHERE (n.state = 'open' OR n.state = 'confirmed' AND n.decided_at > %(since)s)
      AND n.brand_id = %(brand)s AND c.book_id = ANY(%(books)s)) e
  CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM risk_episodeparty o JOIN trading_tradingaccount a ON a.id = o.account_id
    WHERE o.episode_id = e.id AND NOT a.is_demo) AS has_real) r
  GROUP BY 1 ORDER BY 3 DESC NULLS LAST, 1 LIMIT %(flagged)s
), held AS (
  SELECT f.id, count(*) AS positions, round(sum((p.profit + p.swap) * x.rate), 2) AS floating,
    round(sum(p.lots * p.contract_size * p.price_current * keelson_euro_rate(%(base)s, %(today)s)
      / keelson_euro_rate(nullif(s.currency_profit, ''), %(today)s)), 0) AS exposure
  FROM flagged f JOIN trading_tradingaccount a ON a.client_id = f.id AND NOT a.is_demo
  JOIN trading_position p ON p.account_id = a.id
  LEFT JOIN trading_symbolinfo s ON s.server_id = p.server_id AND s.name = p.symbol
  CROSS JOIN LATERAL (SELECT CASE WHEN a.equity <> 0 THEN a.equity_base / a.equity ELSE 0 END AS rate) x
  GROUP BY f.id
)
SELECT f.id, coalesce(h.exposure, 0), coalesce(h.positions, 0), coalesce(h.floating, 0), coalesce(m.net, 0), coalesce(f.stake, 0)
FROM flagged f LEFT JOIN held h ON h.id = f.id
LEFT JOIN LATERAL (SELECT sum(r.net_base) AS net FROM trading_tradingaccount a
  JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'm' AND r.start = %(month)s
  WHERE a.client_id = f.id AND NOT a.is_demo) m ON true
LEFT JOIN LATERAL (SELECT b.book FROM risk_clientrouting b WHERE b.client_id = f.id AND b.state = 'approved'
  ORDER BY b.decided_at DESC, b.id DESC LIMIT 1) r ON true
WHERE %(book)s IN ('', coalesce(r.book, 'none'))
ORDER BY 2 DESC, f.most DESC NULLS LAST, 1 LIMIT %(shown)s
"""


@dataclass(frozen=True)
class Flagged:
    """A flagged client. `curve`: the mean markout of the latest episode about prices, at the points of `CURVE_MS`, in spreads."""

    client: Client
    exposure: Decimal
    positions: int
    floating: Decimal
    month_net: Decimal
    stake: Decimal
    episodes: Sequence[AbuseEpisode]
    routing: ClientRouting | None = None

    @property
    def share(self) -> str:
        """The execution book in force, "" where none is recorded or the reader doesn't see books."""
        return share_text(self.routing) if self.routing else ""

    @property
    def equity(self) -> Decimal:
        facts = getattr(self.client, "trading_facts", None)
        return facts.equity if facts else Decimal(0)

    @property
    def curve(self) -> list[float] | None:
        for row in self.episodes:
            if row.kind in (Abuse.TOXIC, Abuse.LATENCY):
                curve = row.facts.get("curve") or [None]
                return None if None in curve or len(curve) != len(CURVE_MS) else curve
        return None

    @property
    def markout(self) -> float | None:
        """What the client's trades gain on the market in half a minute, in spreads; a fair flow is at −0.5."""
        return self.curve[MARKOUT_AT] if self.curve else None

    @property
    def open(self) -> list[AbuseEpisode]:
        return [row for row in self.episodes if row.state == EpisodeState.OPEN]

    @property
    def confirmed(self) -> list[AbuseEpisode]:
        return [row for row in self.episodes if row.state == EpisodeState.CONFIRMED]


def sees_dealing(user: User) -> bool:
    """Check whether somebody sees both suspected abuse and what clients trade."""
    return user.has_perm(SEES) and user.has_perm(DEALS)


def flagged_clients(user: User, brand: Brand, *, now: dt.datetime | None = None, book: str = "") -> list[Flagged]:
    """List a brand's flagged clients in reach, the largest exposure first. Four statements, each bounded.

    `book`: only clients on this execution book, "none" for those without one; ignored for who doesn't see books.
    """
    now = now or timezone.now()
    today = now.astimezone(dt.UTC).date()
    values: dict[str, Any] = {
        "brand": brand.pk,
        "base": brand.base_currency,
        "books": list(reach_of(user).books),
        "since": now - CONFIRMED_FOR,
        "today": today,
        "month": today.replace(day=1),
        "flagged": FLAGGED_MAX,
        "shown": SHOWN,
        "book": book if user.has_perm(SEES_ROUTING) and book in BOOKS else "",
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        rows = cursor.fetchall()
    ids = [row[0] for row in rows]
    clients = Client.objects.select_related("brand", "trading_facts").in_bulk(ids)
    episodes = _episodes(ids, brand, now)
    routings = current_of(ids) if user.has_perm(SEES_ROUTING) else {}
    return [
        Flagged(clients[pk], exposure, positions, floating, month_net, stake, episodes.get(pk, []), routings.get(pk))
        for pk, exposure, positions, floating, month_net, stake in rows
    ]


def _episodes(client_ids: Iterable[int], brand: Brand, now: dt.datetime) -> dict[int, list[AbuseEpisode]]:
    """Read what flags these clients, by client, the newest first."""
    rows = EpisodeParty.objects.filter(
        client__in=list(client_ids),
        episode__brand=brand,
        episode__state__in=[EpisodeState.OPEN, EpisodeState.CONFIRMED],
    ).select_related("episode")
    found: dict[int, dict[int, AbuseEpisode]] = {}
    for row in rows.order_by("-episode_id")[:EPISODES_MAX]:
        episode = row.episode
        if episode.state == EpisodeState.OPEN or (episode.decided_at and episode.decided_at > now - CONFIRMED_FOR):
            found.setdefault(row.client_id, {})[episode.pk] = episode
    return {pk: list(by_id.values()) for pk, by_id in found.items()}
