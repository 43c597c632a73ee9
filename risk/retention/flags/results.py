"""Clients who lose: several trades in a row, a large part of their money, or margin calls."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from crm.i18n import formats
from risk.retention.choices import FlagKind
from risk.retention.flags.base import Figures, Flag, money, percent

# The streak is counted among the last closed trades of each account, of two months.
LOSSES_SQL = """
, closed AS (
  SELECT s.id, s.streak, d.executed_at, d.net, a.currency, sum((d.net >= 0)::int) OVER (
    PARTITION BY s.id ORDER BY d.executed_at DESC, d.ticket DESC) AS wins
  FROM step s JOIN trading_tradingaccount a ON a.client_id = s.id AND NOT a.is_demo CROSS JOIN LATERAL (
    SELECT x.executed_at, x.ticket, x.profit + x.commission + x.swap + x.fee AS net FROM trading_deal x
    WHERE x.account_id = a.id AND x.executed_at > %(now)s::timestamptz - interval '60 days' AND x.closed_lots > 0
      AND x.action IN (0, 1) AND x.deleted_at IS NULL
    ORDER BY x.executed_at DESC, x.id DESC LIMIT 20) d
  WHERE s.last_trade_at > %(now)s::timestamptz - interval '60 days'
), streaks AS (
  SELECT id, count(*) AS losses, min(executed_at) AS since, max(executed_at) AS last_at, sum(net) AS net, min(currency) AS currency,
    min(currency) = max(currency) AS is_one
  FROM closed WHERE wins = 0 GROUP BY id, streak HAVING count(*) >= streak
), found AS (
  SELECT k.id AS client_id, k.since, jsonb_build_object('losses', k.losses, 'last', k.last_at::date,
    'net', CASE WHEN k.is_one THEN k.net::text END, 'currency', k.currency, 'trades', t.trades, 'wins', t.wins) AS figures
  FROM streaks k CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.trades), 0) AS trades, coalesce(sum(r.wins), 0) AS wins
    FROM trading_tradingaccount a JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'm'
    WHERE a.client_id = k.id AND NOT a.is_demo AND r.start > %(today)s::date - 365) t
)"""


def _win_rate(figures: Figures, _currency: str) -> str:
    if not figures["trades"]:
        return _("No earlier trades")
    return _("Wins %(share)s of their trades") % {"share": percent(figures["wins"], figures["trades"])}


def _losses(figures: Figures, _currency: str) -> str:
    text = _("Lost the last %(count)s trades") % {"count": formats.number(figures["losses"])}
    return f"{text}: {money(figures['net'], figures['currency'])}" if figures["net"] is not None else text


LOSSES = Flag(FlagKind.LOSSES, LOSSES_SQL, _win_rate, _losses)

# Money lost: closed and open losses of the window, against the equity that there would be without them.
DROP_SQL = """
, money AS (
  SELECT s.id, s.window_days, s.drop_points, sum(a.equity_base) AS equity,
    sum(coalesce(a.floating * a.equity_base / nullif(a.equity, 0), 0)) AS floating
  FROM step s JOIN trading_tradingaccount a ON a.client_id = s.id AND NOT a.is_demo
  WHERE s.last_trade_at IS NOT NULL GROUP BY s.id, s.window_days, s.drop_points
), closed AS (
  SELECT m.id, sum(r.net_base) AS net, min(r.start) FILTER (WHERE r.net_base < 0) AS since
  FROM money m JOIN trading_tradingaccount a ON a.client_id = m.id AND NOT a.is_demo
  JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd' AND r.start > %(today)s::date - m.window_days
  GROUP BY m.id
), sums AS (
  SELECT m.*, c.since, -least(coalesce(c.net, 0) + m.floating, 0) AS lost FROM money m LEFT JOIN closed c USING (id)
), found AS (
  SELECT id AS client_id, coalesce(since::timestamptz, %(now)s::timestamptz) AS since, jsonb_build_object(
    'lost', round(lost, 2)::text, 'before', round(equity + lost, 2)::text, 'equity', round(equity, 2)::text, 'days', window_days
    ) AS figures
  FROM sums WHERE lost > 0 AND equity >= 0 AND lost * 10000 >= (equity + lost) * drop_points
)"""


def _before(figures: Figures, currency: str) -> str:
    return _("%(money)s without the losses") % {"money": money(figures["before"], currency)}


def _lost(figures: Figures, currency: str) -> str:
    return _("Lost %(share)s in %(days)s days: %(money)s, equity now %(equity)s") % {
        "share": percent(figures["lost"], figures["before"]),
        "days": formats.number(figures["days"]),
        "money": money(figures["lost"], currency),
        "equity": money(figures["equity"], currency),
    }


DROP = Flag(FlagKind.DROP, DROP_SQL, _before, _lost)

MARGIN_SQL = """
, crossings AS (
  SELECT s.id, m.at, m.severity, m.level, m.at > %(now)s::timestamptz - interval '14 days' AS is_new
  FROM step s JOIN trading_tradingaccount a ON a.client_id = s.id AND NOT a.is_demo
  JOIN trading_marginalert m ON m.account_id = a.id AND m.severity IN ('call', 'stop')
    AND m.at > %(now)s::timestamptz - interval '104 days'
), found AS (
  SELECT id AS client_id, min(at) FILTER (WHERE is_new) AS since, jsonb_build_object(
    'calls', count(*) FILTER (WHERE is_new AND severity = 'call'), 'stops', count(*) FILTER (WHERE is_new AND severity = 'stop'),
    'level', min(level) FILTER (WHERE is_new)::text, 'before', count(*) FILTER (WHERE NOT is_new)) AS figures
  FROM crossings GROUP BY id HAVING bool_or(is_new)
)"""


def _earlier_calls(figures: Figures, _currency: str) -> str:
    if not figures["before"]:
        return _("None in the three months before")
    return _("In the three months before: %(count)s") % {"count": formats.number(figures["before"])}


def _calls(figures: Figures, _currency: str) -> str:
    return _("In 14 days, margin calls: %(calls)s, stop-outs: %(stops)s, lowest level %(level)s %%") % {
        "calls": formats.number(figures["calls"]),
        "stops": formats.number(figures["stops"]),
        "level": formats.number(Decimal(figures["level"]), 0),
    }


MARGIN = Flag(FlagKind.MARGIN, MARGIN_SQL, _earlier_calls, _calls)
