"""Two clients of the demo who take opposite sides of the same trades within seconds: what suspected abuse looks like.

Both trade little besides, share a device where a household of the demo has two such clients, and keep the money they had: sizes are
small, and dice of their own leave everybody else's history as it is. Nothing here says that it is abuse; the detectors find it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Final

from clients.choices import Stage
from clients.identifiers import IdentifierKind
from clients.models import Identifier
from crm.demo import Demo
from trading.demo.market import CONTRACTS, Contract, PricePaths, rate
from trading.demo.setup import commission_of
from trading.demo.traders import CENT, Trade

if TYPE_CHECKING:
    from trading.demo import AccountJourney

TRADES: Final = 12
BACK_DAYS: Final = 24
SYMBOL: Final = "EURUSD"
LOTS: Final = 25  # hundredths
CHALLENGE_LOTS: Final = 5  # so few that they hardly count towards a target or a limit
CHALLENGE_TRADES_MIN: Final = 6
HELD: Final = dt.timedelta(hours=3)
BALANCE_MIN: Final = 60_000  # cents
BALANCE_LEFT: Final = 20_000
OTHER_TRADES_MAX: Final = 20
CANDIDATES_MAX: Final = 60
MARKET_HOURS: Final = range(8, 18)


def plant(demo: Demo, paths: PricePaths, journeys: Sequence[AccountJourney]) -> list[AccountJourney]:
    """Add the trades of one pair to what two accounts did. Returns the two; nobody where the demo is too small for a pair."""
    rng = random.Random("hedgers")
    pair = _pair(demo, journeys)
    if pair:
        _oppose(rng, paths, pair, list(_times(rng, demo.now)), LOTS)
    return pair


def plant_on_challenge(
    demo: Demo, paths: PricePaths, challengers: Sequence[AccountJourney], journeys: Sequence[AccountJourney]
) -> list[AccountJourney]:
    """Let a client hedge their young simulated account with their own real one, in small lots: `prop.demo` makes a challenge of it.

    Chosen are the two that traded least besides. Returns the simulated and the real one; nobody where no client has both.
    """
    real = {
        (journey.client.pk, journey.account.server_id): journey
        for journey in journeys
        if not journey.account.is_demo and journey.withdrawal is None and journey.balance >= BALANCE_MIN
    }
    pairs = []
    for number, journey in enumerate(challengers):
        other = real.get((journey.client.pk, journey.account.server_id))
        since = max(at for one in (journey, other) if one for at, _amount in one.ledger.deposits)
        times = [at for at in _times(random.Random("challenge"), demo.now, a_day=2) if at > since]
        if other is not None and len(times) >= CHALLENGE_TRADES_MIN:
            pairs.append((len(journey.ledger.trades) + _recent(demo, other), number, [journey, other], times))
    if not pairs:
        return []
    _trades, _number, pair, times = min(pairs, key=lambda row: row[:2])
    _oppose(random.Random("challenge"), paths, pair, times, CHALLENGE_LOTS)
    return pair


def _oppose(
    rng: random.Random, paths: PricePaths, pair: Sequence[AccountJourney], times: Sequence[dt.datetime], lots: int
) -> None:
    """Add opposite trades to what two accounts did, until one of them has too little left."""
    for number, opened in enumerate(times):
        if min(journey.balance for journey in pair) < BALANCE_LEFT:
            break
        # The first one wins most of them, at the other one's cost.
        has_risen = paths.middle(SYMBOL, opened + HELD) > paths.middle(SYMBOL, opened)
        side = int(has_risen == (number % 6 == 5))
        late = dt.timedelta(milliseconds=rng.randrange(900, 2_600))
        for journey, turned, delay in ((pair[0], side, dt.timedelta(0)), (pair[1], 1 - side, late)):
            trade = _trade(paths, journey, turned, opened + delay, lots)
            journey.ledger.trades.append(trade)
            journey.ledger.balance += trade.profit + 2 * trade.commission
    for journey in pair:
        journey.ledger.trades.sort(key=lambda trade: trade.opened)


def _recent(demo: Demo, journey: AccountJourney) -> int:
    since = demo.now - dt.timedelta(days=30)
    return sum(trade.opened > since for trade in journey.ledger.trades)


def _pair(demo: Demo, journeys: Sequence[AccountJourney]) -> list[AccountJourney]:
    """Choose two quiet accounts of different clients on one server: of one household if there is one, else the quietest."""
    fit = [
        journey
        for journey in journeys
        if journey.client.stage == Stage.ACTIVE
        and not journey.account.is_demo
        and journey.withdrawal is None
        and journey.balance >= BALANCE_MIN
        and _recent(demo, journey) <= OTHER_TRADES_MAX
        and max(at for at, _amount in journey.ledger.deposits) < demo.now - dt.timedelta(days=BACK_DAYS + 1)
    ]
    fit = sorted(fit, key=lambda journey: (_recent(demo, journey), journey.client.pk))[:CANDIDATES_MAX]
    devices = dict(
        Identifier.objects.filter(
            client__in=[journey.client.pk for journey in fit], kind=IdentifierKind.DEVICE
        ).values_list("client_id", "mark")
    )
    marks = {pk: bytes(mark) for pk, mark in devices.items()}
    pairs = [
        (
            marks.get(one.client.pk) != marks.get(two.client.pk, b""),
            _recent(demo, one) + _recent(demo, two),
            number,
            one,
            two,
        )
        for number, (one, two) in enumerate(combinations(fit, 2))
        if one.client.pk != two.client.pk and one.account.server_id == two.account.server_id
    ]
    if not pairs:
        return []
    _is_apart, _trades, _number, one, two = min(pairs, key=lambda row: row[:3])
    return [one, two]


def _times(rng: random.Random, now: dt.datetime, *, a_day: int = 1) -> Iterator[dt.datetime]:
    """Choose moments on each of the last working days, in market hours."""
    days = [now.date() - dt.timedelta(days=ago) for ago in range(1, BACK_DAYS)]
    for day in [day for day in days for _time in range(a_day) if day.weekday() < 5][:TRADES]:
        at = dt.time(rng.choice(MARKET_HOURS), rng.randrange(60), rng.randrange(50), rng.randrange(1, 99) * 10_000)
        yield dt.datetime.combine(day, at, tzinfo=dt.UTC)


def _trade(paths: PricePaths, journey: AccountJourney, side: int, opened: dt.datetime, lots: int) -> Trade:
    """Make one position of the pair, at the price of its moment and side."""
    symbol, account = CONTRACTS[SYMBOL], journey.account
    closed, sign = opened + HELD, 1 if side == 0 else -1
    half = symbol.spread / 2 * 10.0**-symbol.digits
    price_open = _price(paths.middle(symbol.name, opened) + sign * half, symbol)
    price_close = _price(paths.middle(symbol.name, closed) - sign * half, symbol)
    to_account = rate(symbol.profit, account.currency)
    won = (price_close - price_open) * sign * Decimal(lots) / 100 * symbol.size * to_account
    profit = int(won.quantize(CENT, ROUND_HALF_UP) * 100)
    each_side = commission_of(journey.client.brand, account.group)
    commission = -int((Decimal(each_side * lots) / 100).to_integral_value(ROUND_HALF_UP))
    return Trade(symbol, side, lots, opened, closed, price_open, price_close, profit, commission, to_account)


def _price(value: float, symbol: Contract) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-symbol.digits), ROUND_HALF_UP)
