"""A client's own rhythm, in SQL: when they were last active, and the usual gap between their active days.

Active days are days (UTC) with a closed trade, a deposit or a sign-in. The usual gap is the median of the gaps between them in the
year before the last one; with fewer than four gaps there is none.
"""

from typing import Any

DAYS_OF_RHYTHM = 365
LEAST_GAPS = 4
PARAMETERS: dict[str, Any] = {"rhythm": DAYS_OF_RHYTHM, "least": LEAST_GAPS}

# CTEs over `step` (id, user_id, last_trade_at, registered_at, days): `inactive`, who had no activity for `days` and holds no
# position, with the last active moment `at`, which is after `oldest`; and `usual`, their gaps.
RHYTHM = """
, seen AS (
  SELECT s.*, greatest(s.last_trade_at, s.registered_at, u.last_login,
    (SELECT max(d.settled_at) FROM wallet_deposit d WHERE d.client_id = s.id)) AS at
  FROM step s LEFT JOIN crm_user u ON u.id = s.user_id
), inactive AS (
  SELECT * FROM seen WHERE at < %(now)s::timestamptz - make_interval(days => days) AND at > %(oldest)s::timestamptz AND NOT EXISTS (
    SELECT FROM trading_tradingaccount a JOIN trading_position p ON p.account_id = a.id
    WHERE a.client_id = seen.id AND NOT a.is_demo)
), active_days AS (
  SELECT i.id, r.start AS day FROM inactive i JOIN trading_tradingaccount a ON a.client_id = i.id AND NOT a.is_demo
  JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd' AND r.start > i.at::date - %(rhythm)s
  UNION
  SELECT i.id, (d.settled_at AT TIME ZONE 'UTC')::date FROM inactive i JOIN wallet_deposit d ON d.client_id = i.id
  WHERE d.settled_at > i.at - make_interval(days => %(rhythm)s)
  UNION
  SELECT i.id, s.day FROM inactive i JOIN clients_signincountry s ON s.client_id = i.id AND s.day > i.at::date - %(rhythm)s
), day_gaps AS (SELECT id, day - lag(day) OVER (PARTITION BY id ORDER BY day) AS gap FROM active_days),
usual AS (
  SELECT id, percentile_disc(0.5) WITHIN GROUP (ORDER BY gap) AS gap FROM day_gaps WHERE gap IS NOT NULL
  GROUP BY id HAVING count(*) >= %(least)s
)"""
