"""Who and what the Manager API's numbers are: traders, groups, symbols, currencies. Read when needed, and again in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading.platforms.ctrader import units
from trading.platforms.ctrader.manager import CtraderManager
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.errors import FinalError
from trading.platforms.masks import matches

FRESH_SECONDS: Final = 600.0
DAY_MSC: Final = 86_400_000
SECOND_MSC: Final = 1000
IDS_PER_REQUEST: Final = 500


@dataclass(frozen=True, slots=True)
class Trader:
    """`trader_id` is the server's own number, `login` the one that people see."""

    trader_id: int
    login: str
    group_id: int
    asset_id: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """`lot_units`: units of the base asset in a lot; 0 where the server does not say."""

    name: str
    digits: int
    lot_units: Decimal
    base: str
    quote: str


@dataclass(frozen=True, slots=True)
class Asset:
    name: str
    digits: int


def is_in(trader: Trader | None, groups: set[int] | None) -> bool:
    """Tell whether a trader is in one of the groups; None: all there are."""
    return groups is None or (trader is not None and trader.group_id in groups)


class Directory:
    """Of one connection. A number that is not known yet is asked for; what is known is read again after ten minutes."""

    def __init__(self, manager: CtraderManager) -> None:
        self.manager = manager
        self._lock = threading.RLock()
        self._traders: dict[int, Trader] = {}
        self._by_login: dict[str, Trader] = {}
        self._seen_at: dict[int, float] = {}
        self._listed_at = 0.0
        self._kept: dict[str, tuple[float, object]] = {}

    def _cached(self, name: str, load: Callable[[], dict[int, object]], *, anew: bool = False) -> dict[int, object]:
        with self._lock:
            at, value = self._kept.get(name, (0.0, None))
            if value is None or anew or time.monotonic() - at > FRESH_SECONDS:
                value = load()
                self._kept[name] = (time.monotonic(), value)
            return value  # type: ignore[return-value]

    # -- currencies, symbols, groups ----------------------------------------------------------------------------------

    def assets(self) -> dict[int, Asset]:
        def load() -> dict[int, object]:
            listed = self.manager.read(pb.ProtoAssetListReq(), pb.ProtoAssetListRes).asset
            return {
                asset.assetId: Asset(asset.name, asset.digits if asset.HasField("digits") else units.MONEY_DIGITS)
                for asset in listed
            }

        return self._cached("assets", load)  # type: ignore[return-value]

    def raw_symbols(self, *, anew: bool = False) -> dict[int, pb.ProtoManagerSymbol]:
        def load() -> dict[int, object]:
            listed = self.manager.read(pb.ProtoManagerSymbolListReq(), pb.ProtoManagerSymbolListRes).symbol
            return {symbol.symbolId: symbol for symbol in listed}

        return self._cached("symbols", load, anew=anew)  # type: ignore[return-value]

    def symbol(self, symbol_id: int) -> Symbol:
        """Find a symbol. One that the server does not list (any more) is named by its number, without a contract size."""
        row = self.raw_symbols().get(symbol_id) or self._listed_lately(symbol_id)
        if row is None:
            return Symbol(f"#{symbol_id}", 5, Decimal(0), "", "")
        return self.as_symbol(row)

    def _listed_lately(self, symbol_id: int) -> pb.ProtoManagerSymbol | None:
        missing = f"symbol {symbol_id}"
        with self._lock:
            if missing in self._kept and time.monotonic() - self._kept[missing][0] < FRESH_SECONDS:
                return None
            self._kept[missing] = (time.monotonic(), None)
        return self.raw_symbols(anew=True).get(symbol_id)

    def as_symbol(self, row: pb.ProtoManagerSymbol) -> Symbol:
        assets = self.assets()
        base, quote = assets.get(row.baseAssetId), assets.get(row.quoteAssetId)
        return Symbol(
            units.text(row.name, 32),
            row.digits,
            self.lot_units(row.lotSize),
            base.name if base else "",
            quote.name if quote else "",
        )

    def lot_units(self, lot_size: int) -> Decimal:
        return Decimal(lot_size).scaleb(-self.manager.config.lot_size_digits)

    def groups(self, *, anew: bool = False) -> dict[int, pb.ProtoLightGroup]:
        def load() -> dict[int, object]:
            listed = self.manager.read(pb.ProtoLightGroupListReq(), pb.ProtoLightGroupListRes).lightGroup
            return {group.groupId: group for group in listed if not group.deleted}

        return self._cached("groups", load, anew=anew)  # type: ignore[return-value]

    def group_id(self, name: str) -> int:
        """Find a group's number. Raises: FinalError when there is no such group."""
        for anew in (False, True):
            for group_id, group in self.groups(anew=anew).items():
                if group.name == name:
                    return group_id
        raise FinalError(f"the group {name} is not on the server", command="LightGroupList")

    def groups_of(self, mask: str) -> set[int] | None:
        """Find the groups of a mask; None: all there are, also those that we can't see."""
        if mask == "*":
            return None
        return {group_id for group_id, group in self.groups().items() if matches(mask, group.name)}

    # -- traders ------------------------------------------------------------------------------------------------------

    def note(self, trader: pb.ProtoTrader) -> None:
        """Remember what an event or an answer says of a trader."""
        self._keep(Trader(trader.traderId, str(trader.login), trader.groupId, trader.depositAssetId))

    def _keep(self, trader: Trader) -> None:
        with self._lock:
            self._traders[trader.trader_id] = self._by_login[trader.login] = trader
            self._seen_at[trader.trader_id] = time.monotonic()

    def _load(self, from_msc: int, to_msc: int) -> None:
        """Load the traders that were registered between two times."""
        rows = self.manager.pages(
            lambda first, last: pb.ProtoManagerLightTraderListReq(fromTimestamp=first, toTimestamp=last),
            pb.ProtoManagerLightTraderListRes,
            "trader",
            lambda row: row.registrationTimestamp,
            lambda row: row.traderId,
            max(0, from_msc),
            to_msc,
        )
        for row in rows:
            self._keep(Trader(row.traderId, str(row.login), row.groupId, row.depositAssetId))

    def traders(self) -> list[Trader]:
        """List everybody, from a list that is read again after ten minutes."""
        with self._lock:
            if not self._listed_at or time.monotonic() - self._listed_at > FRESH_SECONDS:
                self._load(0, int(time.time() * 1000) + DAY_MSC)
                self._listed_at = time.monotonic()
            return list(self._traders.values())

    def trader(self, login: str) -> Trader | None:
        """Find a trader by login, among those who are known already."""
        with self._lock:
            return self._by_login.get(login)

    def registered(self, login: str, at_msc: int) -> Trader | None:
        """Find a trader by login and time of registration: a list of a moment instead of one of everybody."""
        self._load(at_msc - SECOND_MSC, at_msc + SECOND_MSC)
        return self.trader(login)

    def named(self, trader_ids: Iterable[int]) -> dict[int, Trader]:
        """Find traders by the server's own numbers, none older than ten minutes; those that we may not see are missing."""
        trader_numbers, fresh = set(trader_ids), time.monotonic() - FRESH_SECONDS
        with self._lock:
            unknown = sorted(number for number in trader_numbers if self._seen_at.get(number, float("-inf")) < fresh)
        for start in range(0, len(unknown), IDS_PER_REQUEST):
            request = pb.ProtoTraderByIdReq(traderId=unknown[start : start + IDS_PER_REQUEST])
            for trader in self.manager.read(request, pb.ProtoTraderByIdRes).trader:
                self.note(trader)
        with self._lock:
            return {trader_id: self._traders[trader_id] for trader_id in trader_numbers if trader_id in self._traders}
