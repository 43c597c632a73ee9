"""Match-Trader: everything asked for over REST, and the same with its streams."""

from __future__ import annotations

from typing import Any

from sandbox.matchtrader.names import wire_group
from tests.trading.contract.arena import Arena

GROUPS = [f"real-{kind}-{currency}" for kind in ("standard", "pro", "vip") for currency in ("EUR", "USD", "GBP")]


class MatchTrader(Arena):
    kind, name = "matchtrader", "matchtrader"
    arguments = ("--port", "0", "--grpc-port", "0", "--per-minute", "0", "--heartbeat-seconds", "0.5")
    commands = {"money": "DEPOSIT", "create": "NEW_ACCOUNT", "read": "ACCOUNT"}
    refusal_code = 400
    secret = "Sandbox-key-0!"
    has_quotes = False

    def fields(self) -> dict[str, Any]:
        options = {
            "security": "plain",
            "grpc_port": str(self.process.ports["grpc_port"]),
            "grpc_heartbeat": "2",
            "groups": ",".join(GROUPS),
            **self.more(),
        }
        return {"port": self.process.ports["matchtrader_port"], "manager_login": "keelson", "options": options}

    def more(self) -> dict[str, str]:
        return {"grpc": "off"}

    def group(self, engine: str) -> str:
        return wire_group(engine)


class MatchTraderStreams(MatchTrader):
    name = "matchtrader-grpc"
    has_quotes = True

    def more(self) -> dict[str, str]:
        return {"grpc": "on"}


ARENAS = [MatchTrader, MatchTraderStreams]
