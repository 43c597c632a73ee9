"""MetaTrader 5 over both forms of its Web API."""

from __future__ import annotations

from typing import Any

from tests.trading.contract.arena import Arena


class Mt5Raw(Arena):
    kind, name = "mt5", "mt5-raw"
    arguments = ("--port", "0", "--rest-port", "0", "--ping-seconds", "0.5")
    commands = {"money": "TRADE_BALANCE", "create": "USER_ADD", "read": "USER_GET"}
    refusal_code = 10019
    secret = "Sandbox-1000!"

    def fields(self) -> dict[str, Any]:
        return {"port": self.process.ports["mt5_port"], "manager_login": "1000", "time_zone": "EET"}


class Mt5Rest(Mt5Raw):
    name = "mt5-rest"

    def fields(self) -> dict[str, Any]:
        port = self.process.ports["rest_port"]
        return {**super().fields(), "port": port, "transport": "rest", "certificate": self.process.certificate}


ARENAS = [Mt5Raw, Mt5Rest]
