"""How the demo's clients trade: habits, sizes and luck. Money is counted in whole cents, so that every sum is exact."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from trading.demo.market import CONTRACTS, Contract, PricePaths, rate

CENT = Decimal("0.01")
LOSS_SHARE_MAX = 0.12  # of the balance, in one trade: their stop-loss
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Habit:
    """Trades a week, minutes held, and the share of the balance used as margin."""

    name: str
    a_week: float
    minutes: float
    share: float
    symbols: tuple[str, ...]


HABITS = (
    Habit("steady", 5, 240, 0.05, ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCAD", "USDCHF")),
    Habit("scalper", 16, 12, 0.10, ("EURUSD", "XAUUSD", "US500")),
    Habit("gold bug", 6, 180, 0.10, ("XAUUSD", "XAUUSD", "EURUSD")),
    Habit("index trader", 5, 320, 0.08, ("US500", "DE40", "DE40")),
    Habit("crypto", 4, 900, 0.12, ("BTCUSD",)),
    Habit("crosses", 5, 400, 0.06, ("EURGBP", "EURJPY", "EURUSD", "GBPUSD")),
)


@dataclass
class Trade:
    """A position from open to close. `lots` in hundredths; amounts in cents of the account's currency."""

    symbol: Contract
    side: int
    lots: int
    opened: dt.datetime
    closed: dt.datetime
    price_open: Decimal
    price_close: Decimal
    profit: int
    commission: int  # of each side, negative
    rate: Decimal


@dataclass
class Ledger:
    """One account's journey: money in and out, trades, and what is left."""

    deposits: list[tuple[dt.datetime, int]] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    balance: int = 0


@dataclass(frozen=True)
class Setting:
    """The account around a trader."""

    currency: str
    leverage: int
    commission: int  # cents per lot and side


def trade_through(
    rng: random.Random, paths: PricePaths, setting: Setting, ledger: Ledger, *, start: dt.datetime, end: dt.datetime
) -> None:
    """Trades one after another between two instants, as long as there is money for the smallest size."""
    habit = rng.choice(HABITS)
    gap = 7 * 24 * 60 / habit.a_week
    at = start + dt.timedelta(minutes=rng.expovariate(1 / gap))
    while at < end:
        symbol = CONTRACTS[rng.choice(habit.symbols)]
        at = _into_hours(rng, symbol, at)
        closed = at + dt.timedelta(
            minutes=max(1.0, rng.expovariate(1 / habit.minutes)), milliseconds=rng.randrange(1000)
        )
        if closed >= end:
            return
        trade = _trade(rng, paths, setting, habit, symbol, ledger.balance, (at, closed))
        if trade is None:
            return
        ledger.trades.append(trade)
        ledger.balance += trade.profit + 2 * trade.commission
        at = closed + dt.timedelta(minutes=1 + rng.expovariate(1 / gap))


def trade_once(
    rng: random.Random, paths: PricePaths, setting: Setting, ledger: Ledger, *, start: dt.datetime, end: dt.datetime
) -> None:
    """At least one short trade between two instants, for those who are known to have traded."""
    for _try in range(20):
        symbol = CONTRACTS[rng.choice(("EURUSD", "EURUSD", "BTCUSD"))]
        opened = (start + (end - start) * rng.uniform(0.05, 0.8)).replace(microsecond=0) + dt.timedelta(seconds=1)
        closed = min(opened + dt.timedelta(minutes=rng.uniform(2, 40)), end)
        trade = _trade(rng, paths, setting, HABITS[0], symbol, ledger.balance, (opened, closed))
        if trade is not None:
            ledger.trades.append(trade)
            ledger.balance += trade.profit + 2 * trade.commission
            return


def _into_hours(rng: random.Random, symbol: Contract, at: dt.datetime) -> dt.datetime:
    """Markets sleep at the weekend (crypto does not), and most people trade by day. Never earlier than `at`."""
    if symbol.name != "BTCUSD":
        if not 6 <= at.hour <= 21 and rng.random() < 0.8:
            day = at + DAY if at.hour > 21 else at
            at = day.replace(hour=rng.randrange(7, 20), minute=rng.randrange(60))
        if at.weekday() >= 5:
            at += DAY * (7 - at.weekday())
    return at.replace(microsecond=0) + dt.timedelta(milliseconds=1000 + rng.randrange(1000))


def _trade(
    rng: random.Random,
    paths: PricePaths,
    setting: Setting,
    habit: Habit,
    symbol: Contract,
    balance: int,
    span: tuple[dt.datetime, dt.datetime],
) -> Trade | None:
    """Make up a position over a span, sized to the balance (in cents); a loss beyond the stop is cut there.

    Return None where the balance is too small for the smallest lot.
    """
    opened, closed = span
    side = rng.randrange(2)
    point = Decimal(1).scaleb(-symbol.digits)
    half = symbol.spread / 2 * float(point)
    start, end = paths.middle(symbol.name, opened), paths.middle(symbol.name, closed)
    sign = 1 if side == 0 else -1
    price_open = _price(start + sign * half, symbol)
    price_close = _price(end - sign * half, symbol)
    to_account = rate(symbol.profit, setting.currency)
    worth = float(symbol.size) * (start if not symbol.is_forex else 1.0)
    if symbol.is_forex:
        worth *= float(rate(symbol.base, setting.currency)) if symbol.base in ("EUR", "USD", "GBP") else 0.6
    else:
        worth *= float(to_account)
    one_lot_margin = worth / setting.leverage * (10 if symbol.name == "BTCUSD" else 1)
    lots = int(balance / 100 * habit.share / one_lot_margin * 100)
    if lots < 1:
        if balance / 100 * 0.5 < one_lot_margin / 100:
            return None
        lots = 1
    lots = min(lots, 1000)
    per_unit = Decimal(lots) / 100 * symbol.size * to_account
    limit = Decimal(int(balance * LOSS_SHARE_MAX)) / 100
    move = (price_close - price_open) * sign
    if move * per_unit < -limit:
        price_close = _price(float(price_open - sign * limit / per_unit), symbol)
        move = (price_close - price_open) * sign
    profit = (move * Decimal(lots) / 100 * symbol.size * to_account).quantize(CENT, ROUND_HALF_UP)
    commission = -int((Decimal(setting.commission * lots) / 100).to_integral_value(ROUND_HALF_UP))
    if int(profit * 100) + 2 * commission + balance <= 0:
        return None
    return Trade(symbol, side, lots, opened, closed, price_open, price_close, int(profit * 100), commission, to_account)


def _price(value: float, symbol: Contract) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-symbol.digits), ROUND_HALF_UP)
