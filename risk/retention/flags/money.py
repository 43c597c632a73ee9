"""Clients who deposit less, take their money out, or whose payments are declined."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import from_minor
from risk.retention.choices import FlagKind
from risk.retention.flags.base import Figures, Flag, money, percent

# The window against the average of as many days in the half year before it; three deposits make a habit.
DEPOSITS_SQL = """
, paid AS (
  SELECT s.id, s.deposit_points, s.window_days, d.base_amount,
    d.settled_at, d.settled_at > %(now)s::timestamptz - make_interval(days => s.window_days) AS is_new
  FROM step s JOIN wallet_deposit d ON d.client_id = s.id
    AND d.settled_at > %(now)s::timestamptz - make_interval(days => s.window_days + 180)
), sums AS (
  SELECT id, deposit_points, window_days, coalesce(sum(base_amount) FILTER (WHERE is_new), 0) AS now_paid,
    sum(base_amount) FILTER (WHERE NOT is_new) * window_days / 180 AS usual, max(settled_at) AS last_at
  FROM paid GROUP BY id, deposit_points, window_days
  HAVING count(*) FILTER (WHERE NOT is_new) >= 3
    AND max(settled_at) FILTER (WHERE NOT is_new) - min(settled_at) FILTER (WHERE NOT is_new) >= interval '60 days'
), found AS (
  SELECT id AS client_id, last_at AS since, jsonb_build_object('usual', round(usual, 2)::text, 'paid', round(now_paid, 2)::text,
    'days', window_days, 'last', last_at::date) AS figures
  FROM sums WHERE (usual - now_paid) * 10000 >= usual * deposit_points AND usual > 0
)"""


def _usual_deposits(figures: Figures, currency: str) -> str:
    return _("%(money)s in %(days)s days") % {
        "money": money(figures["usual"], currency),
        "days": formats.number(figures["days"]),
    }


def _deposits(figures: Figures, currency: str) -> str:
    return _("%(money)s in the last %(days)s days") % {
        "money": money(figures["paid"], currency),
        "days": formats.number(figures["days"]),
    }


DEPOSITS = Flag(FlagKind.DEPOSITS, DEPOSITS_SQL, _usual_deposits, _deposits)

# What left, or is about to, against that and what is left: equity, and the wallet in the same currency.
WITHDRAWN_SQL = """
, taken AS (
  SELECT s.id, s.withdrawn_points, s.window_days, w.currency, sum(w.base_amount) AS base,
    sum(w.base_amount) / nullif(sum(w.amount_minor), 0) AS rate, min(w.requested_at) AS since
  FROM step s JOIN wallet_withdrawal w ON w.client_id = s.id
    AND w.requested_at > %(now)s::timestamptz - make_interval(days => s.window_days)
    AND w.state NOT IN ('rejected', 'cancelled', 'failed', 'came_back')
  GROUP BY s.id, s.withdrawn_points, s.window_days, w.currency
), wallets AS (
  SELECT t.id, sum((b.credits_posted - b.debits_posted) * t.rate) AS cash
  FROM taken t JOIN wallet_account k ON k.client_id = t.id AND k.currency = t.currency AND k.kind = 'client_wallet'
  JOIN wallet_balance b ON b.account_id = k.id GROUP BY t.id
), sums AS (
  SELECT t.id, t.withdrawn_points, t.window_days, sum(t.base) AS taken, min(t.since) AS since,
    greatest(coalesce(max(f.equity), 0) + coalesce(max(c.cash), 0), 0) AS money_left
  FROM taken t LEFT JOIN trading_tradingfacts f ON f.client_id = t.id LEFT JOIN wallets c ON c.id = t.id
  GROUP BY t.id, t.withdrawn_points, t.window_days
), found AS (
  SELECT id AS client_id, since, jsonb_build_object('taken', round(taken, 2)::text, 'left', round(money_left, 2)::text,
    'days', window_days) AS figures
  FROM sums WHERE taken > 0 AND taken * 10000 >= (taken + money_left) * withdrawn_points
)"""


def _total(figures: Figures) -> Decimal:
    return Decimal(figures["taken"]) + Decimal(figures["left"])


def _had(figures: Figures, currency: str) -> str:
    return _("%(money)s before the withdrawals") % {"money": money(_total(figures), currency)}


def _taken(figures: Figures, currency: str) -> str:
    return _("Withdrew %(share)s in %(days)s days: %(money)s, left: %(left)s") % {
        "share": percent(figures["taken"], _total(figures)),
        "days": formats.number(figures["days"]),
        "money": money(figures["taken"], currency),
        "left": money(figures["left"], currency),
    }


WITHDRAWN = Flag(FlagKind.WITHDRAWN, WITHDRAWN_SQL, _had, _taken, weight=2)

# Declined lately, and none went through afterwards.
DECLINED_SQL = """
, declined AS (
  SELECT s.id, d.updated_at AS at, 'deposit' AS what, d.amount_minor, d.currency FROM step s
  JOIN wallet_deposit d ON d.client_id = s.id AND d.state = 'failed' AND d.updated_at > %(now)s::timestamptz - interval '7 days'
  WHERE NOT EXISTS (SELECT FROM wallet_deposit x WHERE x.client_id = s.id AND x.settled_at > d.updated_at)
  UNION ALL
  SELECT s.id, w.finished_at, 'withdrawal', w.amount_minor, w.currency FROM step s
  JOIN wallet_withdrawal w ON w.client_id = s.id AND w.state IN ('rejected', 'failed', 'came_back')
    AND w.finished_at > %(now)s::timestamptz - interval '14 days'
  WHERE NOT EXISTS (
    SELECT FROM wallet_withdrawal x WHERE x.client_id = s.id AND x.state = 'settled' AND x.finished_at > w.finished_at)
), found AS (
  SELECT d.id AS client_id, min(d.at) AS since, (array_agg(jsonb_build_object(
    'what', d.what, 'amount_minor', d.amount_minor, 'currency', d.currency) ORDER BY d.at DESC))[1]
    || jsonb_build_object('count', count(*), 'settled', (
      SELECT count(*) FROM wallet_deposit x WHERE x.client_id = d.id AND x.settled_at > %(now)s::timestamptz - interval '90 days')
    ) AS figures
  FROM declined d GROUP BY d.id
)"""


def _settled(figures: Figures, _currency: str) -> str:
    return _("Deposits that settled in three months: %(count)s") % {"count": formats.number(figures["settled"])}


def _declined(figures: Figures, _currency: str) -> str:
    amount = formats.money(from_minor(figures["amount_minor"], figures["currency"]), figures["currency"])
    text = (
        _("Deposit of %(money)s declined") if figures["what"] == "deposit" else _("Withdrawal of %(money)s declined")
    ) % {"money": amount}
    if figures["count"] > 1:
        text = _("%(text)s, %(count)s declined in all") % {"text": text, "count": formats.number(figures["count"])}
    return text


DECLINED = Flag(FlagKind.DECLINED, DECLINED_SQL, _settled, _declined)
