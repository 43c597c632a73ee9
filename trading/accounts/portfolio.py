"""What a client's real accounts are worth together: now, how the day went, and day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from clients.models import Client
from crm.money.amounts import Money
from crm.rates import fx
from trading.choices import AccountState, DealAction
from trading.models import Deal, TradingAccount

CURVE_DAYS: Final = (30, 90)
# What moves equity without being a result: deposits and withdrawals, credit, bonuses.
FLOWS: Final = (DealAction.BALANCE, DealAction.CREDIT, DealAction.BONUS)

# The last point before each of these instants, whenever it was: a probe of the index per account and day.
POINTS: Final = """
SELECT a.id, e.n, p.equity
FROM unnest(%(accounts)s::bigint[]) a(id), unnest(%(ends)s::timestamptz[]) WITH ORDINALITY e(at, n),
  LATERAL (SELECT q.equity FROM trading_equitypoint q WHERE q.account_id = a.id AND q.at < e.at ORDER BY q.at DESC LIMIT 1) p
"""


@dataclass(frozen=True)
class Portfolio:
    """The open real accounts of a client in the brand's base currency, at the reference rates of today.

    `sums` are the same per currency of the accounts. `equity`, `result` and `curve` are of the accounts whose currency has a
    rate; `is_complete` is false where one has none. `result` is what trading brought since midnight where the reader is:
    deposits, withdrawals and credit don't count. None where no account was followed at midnight.
    """

    currency: str
    equity: Decimal
    sums: tuple[Money, ...]
    is_complete: bool
    result: Decimal | None
    result_percent: Decimal | None
    days: tuple[dt.date, ...]
    curve: tuple[Decimal, ...]

    @property
    def is_converted(self) -> bool:
        return any(money.currency != self.currency for money in self.sums)

    @property
    def lowest(self) -> Decimal:
        return min(self.curve, default=self.equity)

    @property
    def highest(self) -> Decimal:
        return max(self.curve, default=self.equity)

    @property
    def has_curve(self) -> bool:
        return len(self.curve) > 2 and any(self.curve)


def portfolio_of(client: Client, accounts: Sequence[TradingAccount], *, days: int = CURVE_DAYS[0]) -> Portfolio:
    """Sum up the real accounts of a client, which were read for a user. Three queries at most, however many accounts."""
    currency, now = client.brand.base_currency, timezone.now()
    real = [account for account in accounts if not account.is_demo and account.opened_at]
    live = [account for account in real if account.state == AccountState.OPEN]
    rates = _rates_into(currency, real)
    counted = [account for account in live if account.currency in rates]
    ends = _midnights(now, days)
    points = _points(real, ends) if live else {}
    sums: dict[str, Decimal] = {}
    for account in live:
        sums[account.currency] = sums.get(account.currency, Decimal(0)) + account.equity
    equity = sum((account.equity * rates[account.currency] for account in counted), Decimal(0))
    result, percent = _result(counted, rates, ends[-1], {pk: row[-1] for pk, row in points.items()})
    curve = _curve([account for account in real if account.currency in rates], rates, ends, points)
    first = next((place for place, value in enumerate(curve) if value), len(curve))
    start = (first // 7) * 7 if first < len(curve) - 2 else len(curve)  # no week of zeros before the first account
    shown = [*curve[start:], equity] if start < len(curve) else []
    dates = [(end - dt.timedelta(hours=1)).date() for end in ends[start:]] + [timezone.localtime(now).date()]
    return Portfolio(
        currency=currency,
        equity=equity,
        sums=tuple(Money(amount, code) for code, amount in sorted(sums.items(), key=lambda row: row[0] != currency)),
        is_complete=len(counted) == len(live),
        result=result,
        result_percent=percent,
        days=tuple(dates) if shown else (),
        curve=tuple(shown),
    )


def _rates_into(currency: str, accounts: Sequence[TradingAccount]) -> dict[str, Decimal]:
    """Return today's rate of each currency that has one; no query where all are the brand's own."""
    others = {account.currency for account in accounts} - {currency}
    rates = {currency: Decimal(1)}
    if others:
        found = fx.rates_into(currency, others, on=timezone.now().date())
        rates |= {code: rate.rate for code, rate in found.items() if rate is not None}
    return rates


def _midnights(now: dt.datetime, days: int) -> list[dt.datetime]:
    """List the ends of the last days where the reader is, oldest first; the last one is when today began."""
    today = timezone.localtime(now).date()
    zone = timezone.get_current_timezone()
    return [
        dt.datetime.combine(today - dt.timedelta(days=back), dt.time(), tzinfo=zone) for back in range(days - 1, -1, -1)
    ]


def _points(accounts: Sequence[TradingAccount], ends: list[dt.datetime]) -> dict[int, list[Decimal | None]]:
    """Read each account's equity at each of these instants; None before its first point."""
    equities: dict[int, list[Decimal | None]] = {account.pk: [None] * len(ends) for account in accounts}
    with connection.cursor() as cursor:
        cursor.execute(POINTS, {"accounts": list(equities), "ends": ends})
        for account_id, place, equity in cursor.fetchall():
            equities[account_id][place - 1] = equity
    return equities


def _result(
    accounts: Sequence[TradingAccount],
    rates: dict[str, Decimal],
    midnight: dt.datetime,
    before: dict[int, Decimal | None],
) -> tuple[Decimal | None, Decimal | None]:
    """Compute what trading brought since midnight, and how much of what there was that is in percent."""
    known = {account.pk: before.get(account.pk) for account in accounts}
    known |= {a.pk: Decimal(0) for a in accounts if known[a.pk] is None and a.opened_at and a.opened_at >= midnight}
    followed = [account for account in accounts if known[account.pk] is not None]
    if not followed:
        return None, None
    flows = dict(
        Deal.objects.filter(
            account_id__in=[account.pk for account in followed], executed_at__gte=midnight, action__in=FLOWS
        )
        .values_list("account_id")
        .annotate(total=Sum("profit"))
    )
    result, base = Decimal(0), Decimal(0)
    for account in followed:
        start, moved = known[account.pk] or Decimal(0), flows.get(account.pk, Decimal(0))
        result += (account.equity - start - moved) * rates[account.currency]
        base += (start + max(moved, Decimal(0))) * rates[account.currency]
    return result, (result / base * 100 if base > 0 else None)


def _curve(
    accounts: Sequence[TradingAccount],
    rates: dict[str, Decimal],
    ends: list[dt.datetime],
    points: dict[int, list[Decimal | None]],
) -> list[Decimal]:
    """Sum the accounts at the end of each day; one that was closed counts until then."""
    curve = [Decimal(0)] * len(ends)
    for account in accounts:
        gone = account.archived_at if account.state != AccountState.OPEN else None
        for place, equity in enumerate(points.get(account.pk, ())):
            if equity is not None and not (gone and gone < ends[place]):
                curve[place] += equity * rates[account.currency]
    return curve
