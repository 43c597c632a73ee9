"""The sandbox MT4 server for tests: as the product reaches it, and by raw requests that know nothing of our client."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
from django.utils import timezone

from sandbox.mt4.__main__ import PLATFORM
from sandbox.mt4.bridge import PREFIX
from tests.cast import Cast
from tests.trading.contract.arena_mt4 import Mt4Sync
from tests.trading.factories import make_account
from tests.trading.sandbox_process import SandboxProcess
from trading.accounts import balance_operations
from trading.choices import OperationKind
from trading.models import BalanceOperation, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import Purpose
from trading.platforms.mt4.adapter import configuration, habits_of
from trading.platforms.mt4.client import Mt4Client
from trading.platforms.mt4.platform import Mt4Platform

HOUR = dt.timedelta(hours=1)
ARGUMENTS = ("--port", "0", "--quote-port", "0", "--world", "seeded")


class Mt4Lab(Mt4Sync):
    """`call` is a plain HTTP client with a token of its own."""

    def __init__(self, process: SandboxProcess) -> None:
        super().__init__(process)
        self.url = f"http://127.0.0.1:{process.ports['mt4_port']}"
        self.http = httpx.Client(base_url=self.url, timeout=5)

    def log_in(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": "keelson", "client_secret": self.secret}
        answer = self.http.post("/connect/token", data=form)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def call(self, method: str, path: str, *, json: Any = None, params: Any = None, **headers: str) -> httpx.Response:
        if "Authorization" not in self.http.headers:
            self.log_in()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.http.request(method, f"{PREFIX}{PLATFORM}/{path}", json=json, params=params, headers=names)
        if answer.status_code == 401:
            del self.http.headers["Authorization"]
        return answer

    def data(self, path: str, **params: Any) -> Any:
        """What a GET brings. An error is a failed test."""
        envelope = self.call("GET", path, params=params).json()
        assert envelope["error"] is None, envelope["error"]
        return envelope["data"]

    def book(
        self, login: str, amount: Any, comment: str = "", command: str = "Balance", **headers: str
    ) -> httpx.Response:
        body = {
            "tradeTransactionType": "BrBalance",
            "tradeCommand": command,
            "orderBy": int(login),
            "price": amount,
            "comment": comment,
        }
        return self.call("POST", "TradeTransaction", json=body, **headers)

    def rows(self, login: str) -> list[dict[str, Any]]:
        return self.data(f"TradesUserHistory/{login}")

    def booked(self, login: str) -> list[str]:
        """Amounts of the account's deals, by the books."""
        return [deal["Profit"] for deal in self.truth(login)["deals"]]

    def balance(self, login: str) -> Decimal:
        """As the bridge shows it."""
        return Decimal(str(self.data(f"UserRecordGet/{login}")["balance"]))

    @contextmanager
    def adapter(self, **changes: Any) -> Iterator[Mt4Platform]:
        """The adapter itself. `changes` are of its configuration."""
        row = self.row(**changes.pop("row", {}))
        platform = Mt4Platform(Mt4Client(replace(configuration(row), **changes)), habits_of(row))
        try:
            yield platform
        finally:
            platform.close()


def account_on(
    cast: Cast, server: TradingServer, mt4: Mt4Lab, group: str = "real\\standard-EUR", amount: str = "0"
) -> TradingAccount:
    return make_account(
        cast.client,
        server,
        login=mt4.account(group, money=amount),
        group=mt4.group(group),
        currency=group.rpartition("-")[2],
    )


def reserve(account: TradingAccount, amount: str, key: str = "transfer:1") -> BalanceOperation:
    kind = OperationKind.WITHDRAWAL if amount.startswith("-") else OperationKind.DEPOSIT
    return balance_operations.reserve_operation(
        account_id=account.pk, kind=kind, amount=Decimal(amount), idempotency_key=key, actor=None
    )


def due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)


def reads(server: TradingServer) -> Mt4Platform:
    platform = pool.platform_for(server, Purpose.READS)
    assert isinstance(platform, Mt4Platform)
    return platform
