"""cTrader: WebServices with the Manager API beside it; money by either."""

from __future__ import annotations

from typing import Any

from sandbox.ctrader.names import wire_group
from tests.trading.contract.arena import Arena
from trading.models import TradingServer
from trading.platforms.base import NewAccount


class Ctrader(Arena):
    kind, name = "ctrader", "ctrader"
    arguments = ("--port", "0", "--manager-port", "0", "--chunk", "3", "--heartbeat-seconds", "0.5")
    commands = {"money": "CHANGEBALANCE", "create": "TRADER_ADD", "read": "TRADER_GET"}
    refusal_code = 1
    secret = "Sandbox-3000!"
    money = "rest"

    def fields(self) -> dict[str, Any]:
        ports = self.process.ports
        options = {
            "environment": "live",
            "broker": "keelson",
            "plant": "sandbox",
            "manager_port": str(ports["manager_port"]),
            "money": self.money,
        }
        return {
            "port": ports["ctrader_port"],
            "manager_login": "3000",
            "certificate": self.process.certificate,
            "options": options,
        }

    def group(self, engine: str) -> str:
        return wire_group(engine)

    def wanted(self, login: str = "", **fields: Any) -> NewAccount:
        return super().wanted(login, **{"currency": "EUR", **fields})


class CtraderManager(Ctrader):
    """The same server; deposits and withdrawals go by the Manager API."""

    name, money = "ctrader-manager", "manager"
    commands = {**Ctrader.commands, "money": "CHANGE_BALANCE"}

    def row(self, **fields: Any) -> TradingServer:
        server = super().row(**fields)
        if "port" in fields:  # another server altogether
            server.options = {**server.options, "manager_port": str(fields["port"])}
        return server


ARENAS = [Ctrader, CtraderManager]
