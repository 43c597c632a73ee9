"""Servers, account types and accounts for tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils import timezone

from clients.models import Client
from crm.models import Brand
from trading.models import AccountType, TradingAccount, TradingServer
from trading.platforms.base import GroupData, MarginRule, SymbolData
from trading.sync import symbols
from trading.sync.settings import store_groups

PASSWORD = "Sandbox-1000!"


def make_server(*, name: str = "Sandbox MT5", password: str = PASSWORD, **fields: Any) -> TradingServer:
    server = TradingServer(name=name, **{"host": "127.0.0.1", "port": 1, "manager_login": "1000", **fields})
    server.set_password(password)
    server.save()
    return server


def make_type(brand: Brand, server: TradingServer, **fields: Any) -> AccountType:
    values = {
        "name": "Standard",
        "group": "real\\standard-EUR",
        "currency": "EUR",
        "leverages": [10, 20, 30],
        "default_leverage": 30,
        "kyc_level": 1,
        "is_default": True,
    }
    if fields.get("is_demo"):
        values["kind"] = "demo"
    return AccountType.objects.create(brand=brand, server=server, **{**values, **fields})


def make_account(client: Client, server: TradingServer, *, login: str = "", **fields: Any) -> TradingAccount:
    """An open account; the login is made up unless given. Nothing is created on a platform."""
    number = 585_000 + TradingAccount.objects.count()  # far from the logins that a sandbox gives
    values = {
        "group": "real\\standard-EUR",
        "currency": "EUR",
        "leverage": 30,
        "state": "open",
        "opened_at": timezone.now(),
        "request_key": f"test-{number}",
    }
    return TradingAccount.objects.create(
        client=client, server=server, login=login or str(number), **{**values, **fields}
    )


PATHS = {"EURUSD": "Forex", "AUDUSD": "Forex", "XAUUSD": "Metals", "BTCUSD": "Crypto", "DE40": "Indices"}


def tell_margins(
    account_type: AccountType,
    rates: dict[str, str],
    rules: tuple[MarginRule, ...] = (),
    *,
    of_symbols: dict[str, Any] | None = None,
    **of_group: Any,
) -> None:
    """What the server tells of its symbols (a margin rate each; `of_symbols`: all of them besides) and of the type's group."""
    symbols.store(
        account_type.server,
        [
            SymbolData(
                name=name,
                path=f"{PATHS[name]}\\{name}",
                description="",
                digits=5,
                contract_size=Decimal({"X": 100, "B": 1, "D": 1}.get(name[0], 100_000)),
                currency_base=name[:3],
                currency_profit="USD",
                volume_min_lots=Decimal("0.01"),
                volume_step_lots=Decimal("0.01"),
                volume_max_lots=Decimal(100),
                swap_long=Decimal(0),
                swap_short=Decimal(0),
                tick_size=Decimal("0.00001"),
                **{"currency_margin": name[:3], "margin_rate": Decimal(rate), **(of_symbols or {})},
            )
            for name, rate in rates.items()
        ],
    )
    group = {"name": account_type.group, "currency": account_type.currency, "currency_digits": 2, "is_hedging": True}
    limits = {"margin_call": Decimal(100), "stop_out": Decimal(50), "margin_rules": rules}
    store_groups(account_type.server, [GroupData(**{**group, **limits, **of_group})])
