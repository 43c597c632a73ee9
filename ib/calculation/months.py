"""The SQL of what is paid by month: what the broker earned from each referred client, and lots, laid out as deals of a pass.

Net revenue is what happened in the month, in the brand's time zone, while a partner referred the client: the deals of all real
accounts, and what the ledger booked with the client's accounts as fees or bonuses. Each day's money is converted into the brand's
base currency at that day's reference rate, summed up exactly, and cut at eight places. Agreement, network, ranks and status are
those of the referral's last instant in the month. A month in which nothing happened has no row.

`ib.calculation.monthly` fills in scopes as text; every value is a parameter.
"""

from __future__ import annotations

from typing import Final

from ib.calculation import facts
from ib.calculation.facts import COUNTRY_AT, LOTS, SYMBOL
from ib.calculation.writing import ADD_UP, CORRECTIONS
from ib.choices import FIXED, MONTHLY, Reason
from wallet.choices.ledger import AccountKind, Layer

_MONTHLY: Final = tuple(map(str, MONTHLY))
# Clients referred in the months by a partner in whose upline some plan pays by month.
SPELLS: Final = f"""
CREATE TEMP TABLE ib_spell ON COMMIT DROP AS
SELECT m.month, m.part, att.client_id, att.partner_id, att.link_id, greatest(m.from_at, att.starts_at) AS from_at,
  least(m.to_at, att.ends_at) AS to_at
FROM unnest(%(months)s::date[], %(from)s::timestamptz[], %(to)s::timestamptz[], %(parts)s::numeric[])
  AS m(month, from_at, to_at, part)
JOIN ib_attribution att ON att.starts_at < m.to_at AND (att.ends_at IS NULL OR att.ends_at > m.from_at)
JOIN clients_client c ON c.id = att.client_id AND c.brand_id = %(brand)s
WHERE att.partner_id IN (
  SELECT u.partner_id FROM ib_upline u JOIN {{agreements}} h ON h.partner_id = u.ancestor_id
  JOIN ib_version v ON v.plan_id = h.plan_id
  JOIN ib_plancomponent k ON k.version_id = v.id AND k.component IN {_MONTHLY}) AND {{clients}}
"""  # noqa: S608
_KEY: Final = "s.month, s.client_id, s.partner_id"
_PIP: Final = "power(10::numeric, CASE WHEN i.digits IN (3, 5) THEN 1 ELSE 0 END - coalesce(i.digits, 5)::numeric)"
# As deals count, by what the symbol was mapped to then.
_LOTS: Final = LOTS.replace("s.house", "i.house")
_SYMBOL: Final = SYMBOL.replace(" s ON s.", " i ON i.").replace("s.name", "i.name").replace("= s.id", "= i.id")
# Money per day and currency. A journal that moves both wallet and credit of a client is one.
MONEY: Final = (
    f"""
CREATE TEMP TABLE ib_money ON COMMIT DROP AS
SELECT {_KEY}, a.currency::text AS currency, (d.executed_at AT TIME ZONE 'UTC')::date AS day, -sum(d.commission) AS charged,
  -sum(d.swap) AS swaps, -sum(d.profit) AS lost, 0::numeric AS pip_worth, 0::numeric AS minor,
  0::numeric AS lots
FROM ib_spell s
JOIN trading_tradingaccount a ON a.client_id = s.client_id AND NOT a.is_demo
JOIN trading_deal d ON d.account_id = a.id AND d.executed_at >= s.from_at AND d.executed_at < s.to_at
WHERE d.action IN (0, 1) AND d.deleted_at IS NULL
GROUP BY 1, 2, 3, 4, 5""",  # noqa: S608
    f"""
INSERT INTO ib_money (month, client_id, partner_id, currency, day, charged, swaps, lost, pip_worth, minor, lots)
SELECT {_KEY}, coalesce(i.currency_profit, ''), (d.executed_at AT TIME ZONE 'UTC')::date, 0, 0, 0,
  sum(round(d.closed_lots * d.contract_size * {_PIP}, 8)), 0, sum({_LOTS})
FROM ib_spell s
JOIN trading_tradingaccount a ON a.client_id = s.client_id AND NOT a.is_demo
JOIN trading_deal d ON d.account_id = a.id AND d.executed_at >= s.from_at AND d.executed_at < s.to_at
{_SYMBOL}
WHERE d.action IN (0, 1) AND d.entry IN (1, 2, 3) AND d.deleted_at IS NULL
GROUP BY 1, 2, 3, 4, 5""",  # noqa: S608
    f"""
INSERT INTO ib_money (month, client_id, partner_id, currency, day, charged, swaps, lost, pip_worth, minor, lots)
SELECT {_KEY}, q.currency, (q.posted_at AT TIME ZONE 'UTC')::date, 0, 0, 0, 0, sum(q.amount_minor), 0
FROM (
  SELECT DISTINCT {_KEY}, p.journal_id FROM ib_spell s
  JOIN wallet_account w ON w.client_id = s.client_id AND w.kind IN ('{AccountKind.CLIENT_WALLET}', '{AccountKind.BONUS}')
  JOIN wallet_posting p ON p.account_id = w.id AND p.version IS NOT NULL AND p.layer = {int(Layer.MONEY)}
    AND p.posted_at >= s.from_at AND p.posted_at < s.to_at
) s
JOIN wallet_posting q ON q.journal_id = s.journal_id AND q.layer = {int(Layer.MONEY)}
JOIN wallet_account h ON h.id = q.account_id AND h.kind IN ('{AccountKind.FEES}', '{AccountKind.BONUS_COST}')
GROUP BY 1, 2, 3, 4, 5""",  # noqa: S608
    "ANALYZE ib_spell, ib_money",
)
ASKED: Final = "SELECT DISTINCT currency, day FROM ib_money"
RATES: Final = "CREATE TEMP TABLE ib_base (currency text, day date, rate numeric(20,10), unit numeric) ON COMMIT DROP"


def _sum(column: str, worth: str = "") -> str:
    """Sum a column in the base currency: unknown where a day's rate is missing that some money needs."""
    return f"""CASE WHEN bool_or(m.{column} <> 0 AND r.rate IS NULL) THEN NULL
    ELSE trunc(coalesce(sum(m.{column}{worth} * r.rate), 0), 8) END AS {column if not worth else "booked"}"""


SUMMED: Final = f"""
CREATE TEMP TABLE ib_month ON COMMIT DROP AS
SELECT s.*, m.pip_worth, m.charged, m.swaps, m.lost, m.booked, m.lots
FROM (SELECT month, client_id, partner_id, max(part) AS part, max(to_at) - interval '1 microsecond' AS decided_at,
        (array_agg(link_id ORDER BY to_at DESC))[1] AS link_id FROM ib_spell GROUP BY 1, 2, 3) s
JOIN (SELECT m.month, m.client_id, m.partner_id, {_sum("pip_worth")}, {_sum("charged")}, {_sum("swaps")}, {_sum("lost")},
        {_sum("minor", " * r.unit")}, sum(m.lots) AS lots
      FROM ib_money m LEFT JOIN ib_base r ON r.currency = m.currency AND r.day = m.day GROUP BY 1, 2, 3) m
  USING (month, client_id, partner_id)
"""  # noqa: S608
# Nothing happened any more where a deal was deleted or a client was moved; what was calculated then is taken back.
KEPT: Final = (
    """
UPDATE ib_revenuemonth k SET pip_worth = 0, charged = 0, swaps = 0, lost = 0, booked = 0, lots = 0,
  calculated_at = %(now)s
FROM clients_client c WHERE c.id = k.client_id AND c.brand_id = %(brand)s AND k.month = ANY (%(months)s) AND {clients}
  AND NOT EXISTS (SELECT FROM ib_month m WHERE m.month = k.month AND m.client_id = k.client_id AND m.partner_id = k.partner_id)""",
    """
INSERT INTO ib_revenuemonth AS k (client_id, partner_id, month, decided_at, currency, pip_worth, charged, swaps, lost, booked,
  lots, calculated_at)
SELECT client_id, partner_id, month, decided_at, %(base)s, pip_worth, charged, swaps, lost, booked, lots, %(now)s FROM ib_month
ORDER BY month, client_id, partner_id
ON CONFLICT ON CONSTRAINT one_revenue_month_per_client_and_partner DO UPDATE SET decided_at = EXCLUDED.decided_at,
  currency = EXCLUDED.currency, pip_worth = EXCLUDED.pip_worth, charged = EXCLUDED.charged, swaps = EXCLUDED.swaps,
  lost = EXCLUDED.lost, booked = EXCLUDED.booked, lots = EXCLUDED.lots, calculated_at = EXCLUDED.calculated_at
WHERE (k.decided_at, k.currency, k.pip_worth, k.charged, k.swaps, k.lost, k.booked, k.lots) IS DISTINCT FROM (EXCLUDED.decided_at,
  EXCLUDED.currency, EXCLUDED.pip_worth, EXCLUDED.charged, EXCLUDED.swaps, EXCLUDED.lost, EXCLUDED.booked, EXCLUDED.lots)""",
)
# A month that is new gets its number, so that a replay's lines have the same one when they are applied.
NAMED: Final = """
INSERT INTO ib_revenuemonth (client_id, partner_id, month, decided_at, currency, pip_worth, charged, swaps, lost, booked,
  lots, calculated_at)
SELECT client_id, partner_id, month, decided_at, %(base)s, 0, 0, 0, 0, 0, 0, %(now)s FROM ib_month
ORDER BY month, client_id, partner_id
ON CONFLICT ON CONSTRAINT one_revenue_month_per_client_and_partner DO NOTHING
"""
# All months of the scope: those that are gone, too, have lines to compare.
IDS: Final = """
SELECT -k.id FROM ib_revenuemonth k JOIN clients_client c ON c.id = k.client_id AND c.brand_id = %(brand)s
WHERE k.month = ANY (%(months)s) AND {clients}
"""
NUMBERED: Final = {"number": "k.id", "months": "ib_month m JOIN ib_revenuemonth k USING (month, client_id, partner_id)"}
# Tried out, months have numbers of their own.
TRIED: Final = {
    "number": "m.id",
    "months": "(SELECT row_number() OVER (ORDER BY month, client_id, partner_id) AS id, * FROM ib_month) m",
}
CLOSING: Final = f"""
CREATE TEMP TABLE ib_closing ON COMMIT DROP AS
SELECT -{{number}} AS deal_id, 0::bigint AS ticket, m.decided_at AS closed_at, 0::bigint AS account_id, 0::bigint AS position_id,
  to_char(m.month, 'YYYY-MM') AS symbol, 0::numeric AS lots, m.client_id, ''::text AS platform, ''::text AS account_group,
  ''::text AS symbol_group,
  m.partner_id AS introducer_id, m.link_id, %(base)s::text AS account_currency, {COUNTRY_AT.format(at="m.decided_at")} AS country,
  m.pip_worth AS pip_value, m.charged, m.swaps, m.lost, m.booked, m.lots AS volume, m.part, 0::numeric AS pips,
  m.decided_at AS agreed_at
FROM {{months}}
JOIN clients_client c ON c.id = m.client_id
"""  # noqa: S608
# What a pass over deals gathers otherwise; `components`: those that are paid.
BESIDE: Final = (
    """CREATE TEMP TABLE ib_opened (account_id bigint, position_id bigint, opened_at timestamptz, since timestamptz,
  until timestamptz) ON COMMIT DROP""",
    f"""
CREATE TEMP TABLE ib_cell ON COMMIT DROP AS
SELECT DISTINCT k.version_id, k.component, true AS is_only, false AS is_lot, true AS for_client,
  k.component NOT IN {tuple(map(str, FIXED))} AS has_factors, ''::text AS symbol_group, ''::text AS account_group,
  false AS is_eligible, true AS has_rate, k.value, k.cap, k.markup
FROM ib_plancomponent k JOIN ib_version v ON v.id = k.version_id WHERE k.component = ANY (%(components)s)""",  # noqa: S608
    facts.LEVELS,
    facts.ABOVE,
    "CREATE TEMP TABLE ib_fx (base text, quote text, day date, rate numeric(20,10), rate_on date) ON COMMIT DROP",
)
# A month is no trade.
ADD_UP_MONTHS: Final = ADD_UP.format(
    source="(SELECT partner_id, period_id, day, currency, amount, 0 AS lots, 0 AS trades, 0 AS unpaid FROM ib_wanted) w"
)
CORRECTED: Final = CORRECTIONS.replace(f"'{Reason.DEAL_CHANGED}'", f"'{Reason.RECALCULATED}'")
TABLES: Final = ("ib_spell", "ib_money", "ib_base", "ib_month")
