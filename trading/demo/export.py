"""The file from which the sandbox server learns what the demo made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from trading.demo import rows
from trading.demo.market import PricePaths
from trading.models import TradingAccount


def import_path(server: str = "mt5") -> Path:
    """Where a sandbox server looks for what the demo made."""
    return Path(settings.SANDBOX_IMPORTS) / f"{server}-import.jsonl"


def write_import(
    accounts: Mapping[TradingAccount, int],
    deals: list[dict[str, Any]],
    paths: PricePaths,
    strangers: list[dict[str, Any]],
    server: str = "mt5",
    groups: Mapping[str, str] | None = None,
) -> None:
    """One JSON line per account, deal and price; written beside and moved into place, so that no half file is read.

    `groups`: the engine's name of a group, by the platform's.
    """
    path = import_path(server)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as out:
        for account, balance in accounts.items():
            assert account.opened_at is not None
            user = {
                "kind": "user",
                "login": account.login,
                "group": (groups or {}).get(account.group, account.group),
                "leverage": account.leverage,
                "balance": rows.cents(balance),
                "credit": "0.00",
                "name": account.client.full_name,
                "email": account.client.email,
                "country": account.client.country,
                "comment": f"keelson-{account.pk}",
                "registration": rows.server_msc(account.opened_at, account.server.zone) // 1000,
            }
            out.write(orjson.dumps(user) + b"\n")
        for user in strangers:  # logins that nobody here has
            out.write(orjson.dumps(user) + b"\n")
        for symbol, path_of in paths.paths.items():
            out.write(orjson.dumps({"kind": "price", "symbol": symbol, "level": path_of[-1]}) + b"\n")
        for deal in deals:
            out.write(orjson.dumps({"kind": "deal", **rows.without_defaults(deal)}) + b"\n")
    draft.replace(path)
