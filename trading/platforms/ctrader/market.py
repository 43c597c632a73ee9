"""The server itself, its groups and its symbols."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from trading.platforms.base import GroupData, Health, QuoteData, ServerTime, SymbolData
from trading.platforms.ctrader import csvs, units
from trading.platforms.ctrader.history import HistoryPart
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.errors import FinalError, ReadTimedOut

NETTED = "NETTED"


class MarketPart(HistoryPart):
    """cTrader keeps UTC. A group has no currency of its own: each account brings one."""

    def health(self) -> Health:
        """Ask both interfaces: the time is that of the slower one."""
        started = time.monotonic()
        self.rest.read("GROUPS", "/v2/webserv/tradergroups")
        version = "WebServices v2"
        if self.manager.is_there:
            answer = self.manager.read(pb.ProtoVersionReq(), pb.ProtoVersionRes)
            version = f"WebServices v2, Manager API {answer.version}"
        latency = round((time.monotonic() - started) * 1000)
        return Health(version=version, latency_ms=latency, time=self.server_time())

    def server_time(self) -> ServerTime:
        """Read the Manager API's clock; else the web server's `Date`, to the second; else ours."""
        if self.manager.is_there:
            answer = self.manager.read(pb.ProtoServerTimeReq(), pb.ProtoServerTimeRes)
            return ServerTime(server_msc=answer.timeInMillis, offset_seconds=0)
        self.rest.read("GROUPS", "/v2/webserv/tradergroups")
        return ServerTime(server_msc=int((self.rest.clock_seconds or time.time()) * 1000), offset_seconds=0)

    # -- groups -------------------------------------------------------------------------------------------------------

    def groups(self) -> list[GroupData]:
        """List the groups; the currency of each is the one that all its accounts have in common, or empty."""
        is_hedging = self.config.account_type != NETTED
        if not self.manager.is_there:
            return self._plain_groups(is_hedging)
        currencies: dict[int, set[int]] = {}
        for trader in self.directory.traders():
            currencies.setdefault(trader.group_id, set()).add(trader.asset_id)
        assets = self.directory.assets()
        rows = []
        for group_id, group in self.directory.groups(anew=True).items():
            shared = currencies.get(group_id, set())
            asset = assets.get(next(iter(shared))) if len(shared) == 1 else None
            rows.append(
                GroupData(
                    name=units.text(group.name),
                    currency=asset.name if asset else "",
                    currency_digits=asset.digits if asset else units.MONEY_DIGITS,
                    is_hedging=is_hedging,
                    margin_call=Decimal(0),
                    stop_out=(units.price(group.marginStopout) * 100).normalize() + Decimal("0.00"),
                    company=units.text(self.config.broker, 120),
                )
            )
        return rows

    def _plain_groups(self, is_hedging: bool) -> list[GroupData]:
        answer = self.rest.read("GROUPS", "/v2/webserv/tradergroups")
        listed = (answer or {}).get("traderGroup") or []
        currencies: dict[str, set[str]] = {}
        for row in self._everyone():
            currencies.setdefault(str(row.get("groupName")), set()).add(str(row.get("depositCurrency") or ""))
        return [
            GroupData(
                name=units.text(str(row["name"])),
                currency=_only(currencies.get(str(row["name"]), set())),
                currency_digits=units.MONEY_DIGITS,
                is_hedging=is_hedging,
                margin_call=Decimal(0),
                stop_out=Decimal(0),
                company=units.text(self.config.broker, 120),
            )
            for row in listed
        ]

    # -- symbols ------------------------------------------------------------------------------------------------------

    def symbols(self) -> Iterator[SymbolData]:
        """Yield symbols with lot, digits and volumes by the Manager API; WebServices knows names and classes only."""
        if not self.manager.is_there:
            yield from self._plain_symbols()
            return
        profiles = self._volume_profiles()
        for row in self.directory.raw_symbols(anew=True).values():
            symbol = self.directory.as_symbol(row)
            smallest, step, largest = (
                units.lots(units.volume(number), symbol.lot_units)
                for number in profiles.get(row.defaultVolumeProfileId, (0, 0, 0))
            )
            yield SymbolData(
                name=symbol.name,
                path=symbol.name,
                description=units.text(row.description, 120),
                digits=symbol.digits,
                contract_size=symbol.lot_units,
                currency_base=symbol.base,
                currency_profit=symbol.quote,
                currency_margin=symbol.base,
                volume_min_lots=smallest,
                volume_step_lots=step,
                volume_max_lots=largest,
                swap_long=units.price(row.defaultSwapLong),
                swap_short=units.price(row.defaultSwapShort),
                tick_size=Decimal(1).scaleb(-symbol.digits),
            )

    # -- quotes -------------------------------------------------------------------------------------------------------

    def quotes_since(self, names: Sequence[str]) -> list[QuoteData]:
        """Take what the Manager API has pushed of these symbols; none without it.

        A quote names no time of its own: it bears that of its arrival, by the server's clock.
        """
        if not self.manager.is_there:
            return []
        chosen, wanted = set(names), dict[int, str]()
        for symbol_id, row in self.directory.raw_symbols().items():
            if (name := units.text(row.name, 32)) in chosen:
                wanted[symbol_id] = name
        taken = self.stream.take_ticks()
        missing = sorted(wanted.keys() - self.stream.followed)
        if missing:
            answer = self.manager.read(pb.ProtoServerTimeReq(), pb.ProtoServerTimeRes)
            self.stream.offset_msc = answer.timeInMillis - time.time_ns() // 1_000_000
            self.manager.read(pb.ProtoSubscribeSpotQuotesReq(symbolId=missing), pb.ProtoSubscribeSpotQuotesRes)
            self.stream.followed.update(missing)
        return [
            QuoteData(
                symbol=wanted[symbol_id],
                bid=units.money(bid, units.SPOT_DIGITS),
                ask=units.money(ask, units.SPOT_DIGITS),
                at=units.instant(at_msc + self.stream.offset_msc),
            )
            for symbol_id, at_msc, bid, ask in taken
            if symbol_id in wanted and bid <= ask
        ]

    def _volume_profiles(self) -> dict[int, tuple[int, int, int]]:
        """Read smallest, step and largest volume by profile; a server that does not list them has none."""
        try:
            answer = self.manager.read(pb.ProtoVolumeProfileListReq(), pb.ProtoVolumeProfileListRes)
        except FinalError:
            return {}
        return {
            profile.volumeProfileId: (profile.minVolume, profile.stepVolume, profile.maxVolume)
            for profile in answer.volumeProfile
        }

    def _plain_symbols(self) -> Iterator[SymbolData]:
        answer = self.rest.read("SYMBOLS", "/v2/webserv/symbols")
        listed: list[Any] = (answer or {}).get("symbol") or []
        classes = {str(row.get("name")): str(row.get("assetClass") or "") for row in listed}
        sizes, zero = csvs.LotSizes(self.config.contract_sizes, classes), Decimal(0)
        try:
            for row in listed:
                name = units.text(str(row["name"]), 32)
                yield SymbolData(
                    name=name,
                    path=f"{row.get('assetClass') or ''}\\{name}",
                    digits=5,
                    contract_size=sizes.of(name),
                    description=units.text(str(row.get("description") or ""), 120),
                    currency_base="",
                    currency_profit="",
                    currency_margin="",
                    volume_min_lots=zero,
                    volume_step_lots=zero,
                    volume_max_lots=zero,
                    swap_long=zero,
                    swap_short=zero,
                )
        except (KeyError, AttributeError, TypeError) as problem:
            raise ReadTimedOut(f"a symbol can't be read ({problem!r})", command="SYMBOLS") from None


def _only(names: set[str]) -> str:
    return next(iter(names)) if len(names) == 1 else ""
