"""MetaTrader 4 through its bridge: with the sync session, and by time from a bridge that shows UTC over TLS."""

from __future__ import annotations

from typing import Any

from sandbox.mt4.__main__ import PLATFORM
from sandbox.mt4.names import WIRE_GROUPS, WIRE_SYMBOLS
from tests.trading.contract.arena import Arena
from trading.platforms.mt4.text import NAME_MAX, personal


class Mt4Sync(Arena):
    kind, name = "mt4", "mt4-sync"
    arguments = ("--port", "0", "--quote-port", "0")
    commands = {"money": "TradeTransaction", "create": "UserRecordNew", "read": "UserRecordRequest"}
    refusal_code = 134
    secret = "Sandbox-4000!"
    options = {"trade_platform": PLATFORM, "connection": "http"}

    def fields(self) -> dict[str, Any]:
        return {
            "port": self.process.ports["mt4_port"],
            "manager_login": "keelson",
            "time_zone": "EET",
            "options": {**self.options, "quote_port": str(self.process.ports["quote_port"])},
        }

    def group(self, engine: str) -> str:
        return WIRE_GROUPS.get(engine, engine)

    def symbol(self, engine: str) -> str:
        return WIRE_SYMBOLS[engine]

    def kept_name(self, name: str) -> str:
        return personal(name, "cp1252", NAME_MAX, what="name")


class Mt4ByTime(Mt4Sync):
    name = "mt4-time"
    arguments = ("--port", "0", "--quote-port", "0", "--utc", "--tls")
    options = {"trade_platform": PLATFORM, "reads_by": "time", "times": "utc"}

    def fields(self) -> dict[str, Any]:
        return {**super().fields(), "certificate": self.process.certificate}


ARENAS = [Mt4Sync, Mt4ByTime]
