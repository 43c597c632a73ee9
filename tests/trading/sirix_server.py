"""A running sandbox Sirix server, and the product's rows and platforms that point at it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import httpx

from sandbox.sirix.__main__ import TOKEN
from tests.trading.sandbox_process import SandboxProcess
from trading.models import TradingServer
from trading.platforms.circuit_breaker import Gate
from trading.platforms.pool import kind_of
from trading.platforms.sirix.adapter import SirixPlatform

MONEY_PATH = "/api/UserActions/CreateMonetaryTransaction"
OPTIONS = {"tls": "no", "pause": "0", "money_path": MONEY_PATH}
_numbers = itertools.count(960_001)
_made: list[SirixPlatform] = []


def call(process: SandboxProcess, name: str, token: str = TOKEN, **body: Any) -> httpx.Response:
    """A raw request, as public clients send it."""
    return httpx.post(
        f"http://127.0.0.1:{process.ports['sirix_port']}/api/{name}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
    )


def row(process: SandboxProcess, **fields: Any) -> TradingServer:
    values = {
        "name": "Sandbox Sirix",
        "kind": "sirix",
        "host": "127.0.0.1",
        "port": process.ports["sirix_port"],
        "manager_login": "api",
        "time_zone": "UTC",
        "options": OPTIONS,
    }
    server = TradingServer(**{**values, **fields})
    server.set_password(TOKEN)
    return server


def platform_on(server: TradingServer, known: Callable[[], Any] = list) -> SirixPlatform:
    """The platform behind a row. `known`: login and group of the accounts that the house has there."""
    platform = kind_of("sirix").factory(server, Gate())
    assert isinstance(platform, SirixPlatform)
    platform.known = known
    _made.append(platform)
    return platform


def close_platforms() -> None:
    while _made:
        _made.pop().close()


def new_account(process: SandboxProcess, *, money: str = "0", group: str = "real\\standard-EUR") -> str:
    login = next(_numbers)
    user = {"kind": "user", "login": login, "group": group, "leverage": 30, "name": "Test Trader"}
    assert process.http.post("/control/import", content=json.dumps(user)).status_code == 200
    if money != "0":
        process.post("balance", login=login, amount=money)
    return str(login)
