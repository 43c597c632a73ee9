"""What open positions are worth now: the server pushes quotes of the symbols that we ask for, and profits follow from them.

The account's equity is the platform's own; no interface has a single position's profit, so it is worked out here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from trading.platforms.base import PositionData
from trading.platforms.ctrader import units
from trading.platforms.ctrader.directory import Directory, Trader
from trading.platforms.ctrader.manager import CtraderManager
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.rows import BUY
from trading.platforms.ctrader.stream import Stream

WAIT_SECONDS: Final = 0.5  # for first quotes; what is not quoted by then is valued the next time
BRIDGE: Final = "USD"

Held = tuple[PositionData, pb.ProtoPosition, Trader]
Path = list[tuple[int, bool]]
"""Symbols on the way from one currency to another, and whether each is gone forwards."""


class Quotes:
    """One look at the prices of one connection."""

    def __init__(self, manager: CtraderManager, stream: Stream, directory: Directory) -> None:
        self.manager, self.stream, self.directory = manager, stream, directory
        assets = directory.assets()
        self.pairs: dict[tuple[str, str], int] = {}
        for symbol_id, symbol in directory.raw_symbols().items():
            base, quote = assets.get(symbol.baseAssetId), assets.get(symbol.quoteAssetId)
            if base and quote:
                self.pairs.setdefault((base.name, quote.name), symbol_id)

    def valued(self, held: Sequence[Held]) -> list[PositionData]:
        """Add price and profit to positions; those without a quote stay without them."""
        paths = {}
        for _position, row, trader in held:
            symbol = self.directory.symbol(row.tradeData.symbolId)
            paths[row.positionId] = self._path(symbol.quote, self._currency(trader))
        symbol_ids = {row.tradeData.symbolId for _position, row, _trader in held}
        symbol_ids.update(symbol_id for path in paths.values() for symbol_id, _forwards in path or [])
        self._subscribe(symbol_ids)
        return [self._valued(position, row, trader, paths[row.positionId]) for position, row, trader in held]

    def _currency(self, trader: Trader) -> str:
        asset = self.directory.assets().get(trader.asset_id)
        return asset.name if asset else ""

    def _path(self, source: str, target: str) -> Path | None:
        """Find the symbols from one currency to another: directly, or by way of the dollar. None: there is no way."""
        if source == target:
            return []
        direct = self._step(source, target)
        if direct is not None:
            return [direct]
        first, second = self._step(source, BRIDGE), self._step(BRIDGE, target)
        return [first, second] if first and second else None

    def _step(self, source: str, target: str) -> tuple[int, bool] | None:
        if (source, target) in self.pairs:
            return self.pairs[source, target], True
        if (target, source) in self.pairs:
            return self.pairs[target, source], False
        return None

    def _subscribe(self, symbols: Iterable[int]) -> None:
        """Ask for quotes of what is not quoted yet, and wait a moment for the first."""
        missing = sorted(set(symbols) - self.stream.spots.keys())
        if not missing:
            return
        self.manager.read(pb.ProtoSubscribeSpotQuotesReq(symbolId=missing), pb.ProtoSubscribeSpotQuotesRes)
        deadline = time.monotonic() + WAIT_SECONDS
        with self.stream.quoted:
            while set(missing) - self.stream.spots.keys():
                left = deadline - time.monotonic()
                if left <= 0 or not self.stream.quoted.wait(left):
                    return

    def _spot(self, symbol_id: int) -> tuple[Decimal, Decimal]:
        bid, ask = self.stream.spots.get(symbol_id, (0, 0))
        return units.money(bid, units.SPOT_DIGITS), units.money(ask, units.SPOT_DIGITS)

    def _rate(self, path: Path) -> Decimal | None:
        rate = Decimal(1)
        for symbol_id, forwards in path:
            bid, ask = self._spot(symbol_id)
            if not bid or not ask:
                return None
            middle = (bid + ask) / 2
            rate = rate * middle if forwards else rate / middle
        return rate

    def _valued(self, position: PositionData, row: pb.ProtoPosition, trader: Trader, path: Path | None) -> PositionData:
        bid, ask = self._spot(row.tradeData.symbolId)
        price = bid if position.action == BUY else ask
        if not price:
            return position
        rate = self._rate(path) if path is not None else None
        profit = Decimal(0)
        if rate is not None:
            move = price - position.price_open if position.action == BUY else position.price_open - price
            asset = self.directory.assets().get(trader.asset_id)
            smallest = Decimal(1).scaleb(-(asset.digits if asset else units.MONEY_DIGITS))
            profit = (move * units.volume(row.tradeData.volume) * rate).quantize(smallest, ROUND_HALF_UP)
        return replace(position, price_current=price, profit=profit)
