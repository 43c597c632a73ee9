# ruff: noqa: S608 - statements made of constants of this module
"""Clients' result of the day in steps: each step that a brand, a symbol or a platform group passes notifies the dealers once a day.

The result is what was closed today (UTC) and what open positions show now, in the brand's base currency at today's reference rates.
Checked each time positions of a server were read, for the brands that have accounts on it. A position counts once, however far the
reading of deals is ahead of the list of positions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.i18n.localized_text import label_of, phrase
from crm.models import Actor, Brand
from crm.money.amounts import Money
from crm.notices.notify import notify, people_with
from crm.security.scope import reach_of
from risk.abuse.choices import RiskNotice
from risk.dealing.brand_policies import STEPS
from risk.dealing.choices import ResultScope
from risk.dealing.models import DayResultAlert
from trading.models import AccountType, TradingServer

SEES: Final = "risk.view_dayresultalert"
LOCK: Final = 0x4B_44_41_59
POSITIONS_KEPT: Final = 20
AT_ONCE_MAX: Final = 200

# `still`: which part of a listed position is open by its deals. Deals are read every second, positions less often: what was closed
# since the last list is in the day's closed result already. A position whose opening deals aren't known counts in full.
PARTS: Final = """
WITH accounts AS MATERIALIZED (
  SELECT a.id, a.server_id, a.login, a.currency, a."group" AS account_group, a.last_trade_at FROM trading_tradingaccount a
  JOIN clients_client c ON c.id = a.client_id WHERE c.brand_id = %(brand)s AND NOT a.is_demo
), rates AS MATERIALIZED (
  SELECT code, keelson_euro_rate(%(base)s, %(today)s) / nullif(keelson_euro_rate(code, %(today)s), 0) AS rate
  FROM (SELECT DISTINCT currency AS code FROM accounts) d
), parts AS (
  SELECT a.id AS account_id, p.ticket, p.symbol, p.lots * k.still AS lots, (p.profit + p.swap) * r.rate * k.still AS floating,
    0::numeric AS closed
  FROM accounts a JOIN rates r ON r.code = a.currency JOIN trading_position p ON p.account_id = a.id
  CROSS JOIN LATERAL (SELECT CASE WHEN a.last_trade_at >= %(midnight)s THEN coalesce((
    SELECT greatest(least((sum(d.lots - d.closed_lots) FILTER (WHERE d.entry IN (0, 2)) - sum(d.closed_lots)) / p.lots, 1), 0)
    FROM trading_deal d WHERE d.account_id = a.id AND d.position_id = p.ticket AND d.position_id <> 0
      AND d.executed_at >= p.opened_at - interval '1 day' AND d.action IN (0, 1) AND d.deleted_at IS NULL AND p.lots > 0
  ), 1) ELSE 1 END AS still) k
  WHERE k.still > 0
  UNION ALL
  SELECT a.id, NULL, d.symbol, NULL, 0, d.net * r.rate
  FROM accounts a JOIN rates r ON r.code = a.currency
  JOIN trading_symbolresult d ON d.account_id = a.id AND d.day = %(today)s AND a.last_trade_at >= %(midnight)s
), named AS (
  SELECT p.*, a.login, a.account_group, coalesce(nullif(s.canonical, ''), p.symbol) AS house
  FROM parts p JOIN accounts a ON a.id = p.account_id
  LEFT JOIN trading_symbolinfo s ON s.server_id = a.server_id AND s.name = p.symbol
)
"""
SUMS: Final = (
    PARTS
    + f"""
SELECT grouping(house, account_group), coalesce(house, account_group, ''), round(sum(closed), 2), round(sum(floating), 2)
FROM named GROUP BY GROUPING SETS ((house), (account_group), ())
HAVING sum(closed + floating) >= %(least)s ORDER BY 3 DESC LIMIT {AT_ONCE_MAX}
"""
)
MADE_BY: Final = (
    PARTS
    + f"""
SELECT ticket, login, house, trim_scale(round(lots, 8)), round(floating, 2) FROM named
WHERE ticket IS NOT NULL AND (%(scope)s = 'brand' OR %(scope)s = 'symbol' AND house = %(key)s
  OR %(scope)s = 'group' AND account_group = %(key)s)
ORDER BY floating DESC, ticket LIMIT {POSITIONS_KEPT}
"""
)
SCOPES: Final = {1: ResultScope.SYMBOL, 2: ResultScope.GROUP, 3: ResultScope.BRAND}


@dataclass(frozen=True)
class Passed:
    """A step that was passed: by what, and the sums that make it."""

    scope: ResultScope
    key: str
    step: Decimal
    closed: Decimal
    floating: Decimal


def alerts_visible_to(user: Actor) -> QuerySet[DayResultAlert]:
    """Select alerts of brands that the user reaches as a whole."""
    if user is None or not user.is_team or not user.has_perm(SEES):
        return DayResultAlert.objects.none()
    return DayResultAlert.objects.filter(brand__in=reach_of(user).whole_brands)


def follow_positions(server: TradingServer) -> list[DayResultAlert]:
    """Check the brands with accounts on a server whose positions were just read. Returns what is new."""
    brands = AccountType.objects.filter(server=server).order_by().values("brand")
    return [row for brand in Brand.objects.filter(pk__in=brands).order_by("pk") for row in check_brand(brand)]


@transaction.atomic
def check_brand(brand: Brand, *, now: dt.datetime | None = None) -> list[DayResultAlert]:
    """Raise each step that a brand's clients have passed today and that wasn't raised yet."""
    now = now or timezone.now()
    steps = {scope: sorted(Decimal(text) for text in policy.of(brand)) for scope, policy in STEPS.items()}
    every = [step for found in steps.values() for step in found]
    if not every:
        return []
    values = _values(brand, now) | {"least": min(every)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK, brand.pk])
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(SUMS, values)
        sums = [(SCOPES[level], key, closed, floating) for level, key, closed, floating in cursor]
    passed = [
        Passed(scope, key[:120], step, closed, floating)
        for scope, key, closed, floating in sums
        for step in steps[scope]
        if closed + floating >= step
    ]
    today = values["today"]
    raised = set(DayResultAlert.objects.filter(brand=brand, day=today).values_list("scope", "key", "step"))
    new = [row for row in passed if (row.scope, row.key, row.step) not in raised]
    return [_raise(brand, row, values, now) for row in new[:AT_ONCE_MAX]]


def _values(brand: Brand, now: dt.datetime) -> dict[str, Any]:
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"brand": brand.pk, "base": brand.base_currency, "today": midnight.date(), "midnight": midnight}


def _raise(brand: Brand, passed: Passed, values: dict[str, Any], now: dt.datetime) -> DayResultAlert:
    """Write it down with the positions that make it, and notify those of the brand who see such alerts."""
    with connection.cursor() as cursor:
        cursor.execute(MADE_BY, values | {"scope": passed.scope.value, "key": passed.key})
        positions = [_position(row) for row in cursor]
    row = DayResultAlert.objects.create(
        brand=brand,
        scope=passed.scope,
        key=passed.key,
        day=values["today"],
        step=passed.step,
        closed=passed.closed,
        floating=passed.floating,
        positions=positions,
        raised_at=now,
    )
    notify(
        people_with(SEES, brand_id=brand.pk),
        kind=RiskNotice.DAY_RESULT,
        title=phrase("Clients’ result of the day above %(step)s: %(what)s")
        % {"step": Money(passed.step, brand.base_currency), "what": passed.key or str(brand)},
        body=label_of(row, "scope"),
        url=row.get_absolute_url(),
        dedupe_key=f"risk.day_result:{row.pk}",
    )
    return row


def _position(row: Iterable[Any]) -> dict[str, Any]:
    ticket, login, symbol, lots, floating = row
    return {"ticket": ticket, "login": login, "symbol": symbol, "lots": str(lots), "floating": str(floating)}
