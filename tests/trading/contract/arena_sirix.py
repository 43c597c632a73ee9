"""Sirix: it lists nothing, so the arena tells which accounts there are, as the house's own table does."""

from __future__ import annotations

from typing import Any

from sandbox.sirix.__main__ import TOKEN
from sandbox.sirix.names import GROUP_NAMES, SYMBOL_NAMES
from tests.trading.contract.arena import Arena
from trading.models import TradingServer
from trading.platforms.base import Platform
from trading.platforms.sirix.adapter import SirixPlatform

MONEY_PATH = "/api/UserActions/CreateMonetaryTransaction"


class Sirix(Arena):
    kind = name = "sirix"
    commands = {"money": "CREATEMONETARYTRANSACTION", "create": "CREATEUSER", "read": "GETUSERTRANSACTIONS"}
    refusal_code = 400
    secret = TOKEN
    splits_charges = False

    def fields(self) -> dict[str, Any]:
        options = {"tls": "no", "pause": "0", "money_path": MONEY_PATH}
        return {
            "port": self.process.ports["sirix_port"],
            "manager_login": "api",
            "time_zone": "UTC",
            "options": options,
        }

    def group(self, engine: str) -> str:
        return GROUP_NAMES[engine]

    def symbol(self, engine: str) -> str:
        return SYMBOL_NAMES[engine]

    def make(self, server: TradingServer) -> Platform:
        platform = super().make(server)
        assert isinstance(platform, SirixPlatform)
        platform.known = self.groups.items
        return platform


ARENAS = [Sirix]
