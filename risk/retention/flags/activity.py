"""Clients who come less often than they did, or come and don't trade."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.i18n import formats
from risk.retention.choices import FlagKind
from risk.retention.flags.base import Figures, Flag
from risk.retention.rhythm import RHYTHM

# Who has been gone for longer is won back by campaigns, not by a call today.
GONE_DAYS = 180

INACTIVE_FOUND = """
, found AS (
  SELECT i.id AS client_id, i.at AS since,
    jsonb_build_object('days', extract(day FROM %(now)s::timestamptz - i.at)::int, 'gap', u.gap) AS figures
  FROM inactive i LEFT JOIN usual u USING (id)
  WHERE i.at < %(now)s::timestamptz - make_interval(days => greatest(i.days, coalesce(i.gaps * u.gap, 0)))
)"""


def _usual_gap(figures: Figures, _currency: str) -> str:
    if figures["gap"] is None:
        return _("No rhythm known yet")
    if figures["gap"] == 1:
        return _("Active every day")
    return _("Active every %(days)s days") % {"days": formats.number(figures["gap"])}


def _inactive_days(figures: Figures, _currency: str) -> str:
    days = figures["days"]
    return ngettext(
        "No sign-in, trade or deposit for %(days)s day", "No sign-in, trade or deposit for %(days)s days", days
    ) % {"days": formats.number(days)}


INACTIVE = Flag(FlagKind.INACTIVE, RHYTHM + INACTIVE_FOUND, _usual_gap, _inactive_days, weight=2)

LOGINS_SQL = """
, signed_in AS (
  SELECT s.id, s.last_trade_at, count(DISTINCT l.day) AS days
  FROM step s JOIN clients_signincountry l ON l.client_id = s.id AND l.day > %(today)s::date - 14
  WHERE s.last_trade_at < %(now)s::timestamptz - interval '14 days'
  GROUP BY s.id, s.last_trade_at, s.sign_ins HAVING count(DISTINCT l.day) >= s.sign_ins
), found AS (
  SELECT i.id AS client_id, i.last_trade_at AS since,
    jsonb_build_object('days', i.days, 'trade_days', count(DISTINCT r.start)) AS figures
  FROM signed_in i JOIN trading_tradingaccount a ON a.client_id = i.id AND NOT a.is_demo
  JOIN trading_accountresult r ON r.account_id = a.id AND r.period = 'd'
    AND r.start > i.last_trade_at::date - 90 AND r.start <= i.last_trade_at::date
  WHERE NOT EXISTS (SELECT FROM trading_tradingaccount b JOIN trading_position p ON p.account_id = b.id
                    WHERE b.client_id = i.id AND NOT b.is_demo)
  GROUP BY i.id, i.last_trade_at, i.days HAVING count(DISTINCT r.start) >= 4
)"""


def _trade_days(figures: Figures, _currency: str) -> str:
    return _("Traded on %(days)s days in three months") % {"days": formats.number(figures["trade_days"])}


def _sign_ins(figures: Figures, _currency: str) -> str:
    return _("Signed in on %(days)s days of the last 14, without a trade") % {"days": formats.number(figures["days"])}


LOGINS = Flag(FlagKind.LOGINS, LOGINS_SQL, _trade_days, _sign_ins)
