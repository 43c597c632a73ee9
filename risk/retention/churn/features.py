"""What is known of each client on a day, for the churn score: read in one statement, the same for training and for today.

Who traded in the `HORIZON_DAYS` before is scored. Departed is who then makes no trade for as long.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.utils.translation import gettext_lazy as _

from clients.choices import Stage
from crm.brand_policies.kinds import Label
from crm.learning.logistic import Array
from risk.retention.flags.judging import STAGES

HORIZON_DAYS: Final = 45

# In the order of the columns; the label is the reason that a page gives where it raises a client's score.
FEATURES: Final[dict[str, Label]] = {
    "since": _("Days since the last trade"),
    "rhythm": _("Longer without a trade than their usual gap"),
    "days": _("Few trading days in the last month"),
    "trend": _("Fewer trading days than in the months before"),
    "losses": _("Losses, compared with deposits"),
    "wins": _("Wins less often than before"),
    "deposits": _("Deposits less than in the months before"),
    "withdrawn": _("Withdrawals, compared with deposits"),
    "sign_ins": _("Rarely signs in"),
    "tenure": _("Time with us"),
}

SQL = """
WITH chosen AS (
  SELECT c.id, c.brand_id, c.registered_at FROM clients_client c
  WHERE c.stage = ANY(%(stages)s) AND c.merged_into_id IS NULL AND c.last_trade_at > %(day)s::date - %(horizon)s
), days AS (
  SELECT c.id, r.start, sum(r.trades) AS trades, sum(r.wins) AS wins, sum(r.net_base) AS net, sum(r.lots) AS lots
  FROM chosen c JOIN trading_tradingaccount a ON a.client_id = c.id AND NOT a.is_demo
  JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd'
    AND r.start > %(day)s::date - 180 AND r.start <= %(day)s::date + %(horizon)s
  GROUP BY c.id, r.start
), traded AS (
  SELECT id, %(day)s::date - max(start) AS since, count(*) AS days, max(start) - min(start) AS span,
    count(*) FILTER (WHERE start > %(day)s::date - 30) AS days_new,
    count(*) FILTER (WHERE start <= %(day)s::date - 30 AND start > %(day)s::date - 120) / 3.0 AS days_old,
    coalesce(sum(net) FILTER (WHERE start > %(day)s::date - 30), 0) AS net_new, sum(trades) AS trades, sum(wins) AS wins,
    coalesce(sum(trades) FILTER (WHERE start > %(day)s::date - 30), 0) AS trades_new,
    coalesce(sum(wins) FILTER (WHERE start > %(day)s::date - 30), 0) AS wins_new, sum(lots) AS lots
  FROM days WHERE start <= %(day)s::date GROUP BY id HAVING max(start) > %(day)s::date - %(horizon)s
), paid AS (
  SELECT t.id, sum(d.base_amount) AS whole, coalesce(sum(d.base_amount) FILTER (WHERE d.settled_at > %(day)s::date - 29), 0) AS new
  FROM traded t JOIN wallet_deposit d ON d.client_id = t.id AND d.settled_at > %(day)s::date - 180
    AND d.settled_at < %(day)s::date + 1
  GROUP BY t.id
), taken AS (
  SELECT t.id, sum(w.base_amount) AS new FROM traded t JOIN wallet_withdrawal w ON w.client_id = t.id
    AND w.requested_at > %(day)s::date - 29 AND w.requested_at < %(day)s::date + 1
    AND w.state NOT IN ('rejected', 'cancelled', 'failed', 'came_back') GROUP BY t.id
), seen AS (
  SELECT t.id, count(DISTINCT s.day) AS days FROM traded t JOIN clients_signincountry s ON s.client_id = t.id
    AND s.day > %(day)s::date - 14 AND s.day <= %(day)s::date GROUP BY t.id
), later AS (SELECT DISTINCT id FROM days WHERE start > %(day)s::date)
SELECT t.id, c.brand_id, t.since, t.days, t.span, t.days_new, t.days_old, t.net_new, t.trades, t.wins, t.trades_new, t.wins_new,
  t.lots, coalesce(p.whole, 0), coalesce(p.new, 0), coalesce(w.new, 0), coalesce(s.days, 0),
  greatest(%(day)s::date - coalesce(c.registered_at::date, %(day)s::date), 0), (l.id IS NULL)::int
FROM traded t JOIN chosen c USING (id) LEFT JOIN paid p USING (id) LEFT JOIN taken w USING (id) LEFT JOIN seen s USING (id)
LEFT JOIN later l USING (id) ORDER BY t.id
"""
# The filter on the last trade only spares work for today; in the past it would leave out who has departed since.
PAST_SQL = SQL.replace(" AND c.last_trade_at > %(day)s::date - %(horizon)s", "")
COLUMNS: Final = 19


@dataclass(frozen=True)
class Snapshot:
    """Clients on a day: ids, brands, features, whether they departed afterwards, monthly lots, and the yardstick."""

    clients: npt.NDArray[np.int64]
    brands: npt.NDArray[np.int64]
    features: Array
    departed: Array
    monthly_lots: Array
    since: Array


def snapshot(day: dt.date, *, is_past: bool) -> Snapshot:
    """Read all clients who were alive on a day, as the end of that day knew them."""
    with connection.cursor() as cursor:
        stages = [*STAGES, Stage.CLOSED] if is_past else list(STAGES)  # who closed the account has left, too
        cursor.execute(PAST_SQL if is_past else SQL, {"day": day, "horizon": HORIZON_DAYS, "stages": stages})
        rows: Sequence[Sequence[float]] = cursor.fetchall()
    table = np.array(rows, dtype=np.float64).reshape(-1, COLUMNS)
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return _built(ids, table)


def join(parts: Sequence[Snapshot]) -> tuple[Array, Array]:
    """Put features and departures of several days together."""
    return np.concatenate([part.features for part in parts]), np.concatenate([part.departed for part in parts])


def _built(ids: npt.NDArray[np.int64], table: Array) -> Snapshot:
    _id, brand, since, days, span, new, old, net, trades, wins, trades_new, wins_new, lots = table.T[:13]
    paid, paid_new, taken, seen, tenure, departed = table.T[13:]
    gap = np.maximum(span / np.maximum(days - 1, 1), 1.0)
    rate = (wins + 5) / (trades + 10)
    loss = np.maximum(-net, 0)
    features = np.column_stack(
        [
            np.log1p(since),
            np.log1p(since / gap),
            -np.log1p(new),
            np.log((old + 1) / (new + 1)),
            loss / (paid + loss + 100),
            rate - (wins_new + 10 * rate) / (trades_new + 10),
            np.log(((paid - paid_new) / 5 + 50) / (paid_new + 50)),
            taken / (taken + paid + 100),
            -np.log1p(seen),
            np.log1p(tenure),
        ]
    )
    months = np.clip(tenure / 30, 1.0, 6.0)
    return Snapshot(ids, brand.astype(np.int64), features, departed, lots / months, since)
