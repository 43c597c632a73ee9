"""Servers, account types and accounts for tests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from clients.models import Client
from crm.models import Brand
from trading.models import AccountType, TradingAccount, TradingServer

PASSWORD = "Sandbox-1000!"


def make_server(*, name: str = "Sandbox MT5", password: str = PASSWORD, **fields: Any) -> TradingServer:
    server = TradingServer(name=name, **{"host": "127.0.0.1", "port": 1, "manager_login": "1000", **fields})
    server.set_password(password)
    server.save()
    return server


def make_type(brand: Brand, server: TradingServer, **fields: Any) -> AccountType:
    values = {
        "name": "Standard", "group": "real\\standard-EUR", "currency": "EUR", "leverages": [10, 20, 30],
        "default_leverage": 30, "kyc_level": 1, "is_default": True,
    }  # fmt: skip
    if fields.get("is_demo"):
        values["kind"] = "demo"
    return AccountType.objects.create(brand=brand, server=server, **{**values, **fields})


def make_account(client: Client, server: TradingServer, *, login: str = "", **fields: Any) -> TradingAccount:
    """An open account; the login is made up unless given. Nothing is created on a platform."""
    number = 500_100 + TradingAccount.objects.count()
    values = {
        "group": "real\\standard-EUR", "currency": "EUR", "leverage": 30, "state": "open",
        "opened_at": timezone.now(), "request_key": f"test-{number}",
    }  # fmt: skip
    return TradingAccount.objects.create(
        client=client, server=server, login=login or str(number), **{**values, **fields}
    )
