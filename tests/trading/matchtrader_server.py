"""The client under test against a sandbox Match-Trader: over a configuration of its own, and with its streams open."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.trading.contract.arena_matchtrader import MatchTrader
from trading.platforms.base import DealData
from trading.platforms.circuit_breaker import Gate
from trading.platforms.matchtrader.adapter import platform_of
from trading.platforms.matchtrader.options import Config
from trading.platforms.matchtrader.platform import MatchTraderPlatform

OVERLAP = dt.timedelta(seconds=30)


def config(arena: MatchTrader, **fields: Any) -> Config:
    values = {
        "host": "127.0.0.1",
        "port": arena.process.ports["matchtrader_port"],
        "key": arena.secret,
        "is_tls": False,
        "groups": ("real-pro-EUR",),
        "heartbeat_seconds": 2.0,
        "read_seconds": 3.0,
        "write_seconds": 1.0,
    }
    return Config(**{**values, **fields})


@contextmanager
def over(
    arena: MatchTrader, *, streams: bool = False, gate: Gate | None = None, target: str = "", **fields: Any
) -> Iterator[MatchTraderPlatform]:
    target = target or f"127.0.0.1:{arena.process.ports['grpc_port']}" if streams else ""
    platform = platform_of(config(arena, grpc_target=target, **fields), gate)
    try:
        yield platform
    finally:
        platform.close()


def until(look: Callable[[], Any], seconds: float = 4.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


@contextmanager
def following(
    arena: MatchTrader, **fields: Any
) -> Iterator[tuple[MatchTraderPlatform, Callable[[], dict[int, DealData]]]]:
    """A platform whose streams are open, and what reads on from its cursor."""
    with over(arena, streams=True, **fields) as platform:
        cursor = None

        def read() -> dict[int, DealData]:
            nonlocal cursor
            page = platform.deals_since(cursor, mask="*", overlap=OVERLAP)
            while page.has_more:
                page = platform.deals_since(page.cursor, mask="*", overlap=OVERLAP)
            cursor = page.cursor
            return {deal.ticket: deal for deal in page.deals}

        asked = -1
        while asked != arena.asked("CLOSED_POSITIONS"):  # until nothing is asked for any more
            asked = arena.asked("CLOSED_POSITIONS")
            read()
            time.sleep(0.05)
        yield platform, read


def mine(read: Callable[[], dict[int, DealData]], login: str) -> Callable[[], list[DealData]]:
    return lambda: [deal for deal in read().values() if deal.login == login]


def requests(arena: MatchTrader) -> int:
    """How often the server was asked over REST: streams that open late are counted with the commands, too."""
    commands: dict[str, int] = arena.process.state()["commands"]
    return sum(count for name, count in commands.items() if not name.endswith("_STREAM"))
