"""Loads accounts and their history from a file of JSON lines, so that the server knows what a seeded back office knows.

Lines: `{"kind": "user", "login", "group", "leverage", "balance", "credit", "name", …}`, `{"kind": "deal", …}` with the
deal's own field names, `{"kind": "price", "symbol", "level"}`. What is there already stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox.engine.books import RIGHTS_DEFAULT, Books
from sandbox.engine.contracts import GROUPS, SYMBOLS
from sandbox.engine.store import PERSONAL, User, hash_password

BATCH = 5000
DEAL_DEFAULTS: dict[str, Any] = {
    "ExternalID": "",
    "Dealer": "0",
    "Order": "0",
    "Action": "0",
    "Entry": "0",
    "Reason": "0",
    "Digits": "0",
    "DigitsCurrency": "2",
    "ContractSize": "0.00000000",
    "Symbol": "",
    "Price": "0",
    "PriceSL": "0",
    "PriceTP": "0",
    "VolumeExt": "0",
    "VolumeClosedExt": "0",
    "Profit": "0.00",
    "Value": "0.00",
    "Storage": "0.00",
    "Commission": "0.00",
    "Fee": "0.00",
    "RateProfit": "1.00000000",
    "RateMargin": "1.00000000",
    "ExpertID": "0",
    "PositionID": "0",
    "Comment": "",
    "ProfitRaw": "0.00000000",
    "PricePosition": "0",
    "TickValue": "0.00000000",
    "TickSize": "0.00000000",
    "Flags": "0",
    "Gateway": "",
    "PriceGateway": "0",
    "MarketBid": "0",
    "MarketAsk": "0",
    "MarketLast": "0",
    "ModificationFlags": "0",
}


def load(books: Books, text: str) -> dict[str, int]:
    """Take in every line; how many of each kind were new. Raises ValueError, and then nothing was taken in."""
    store, added = books.store, {"user": 0, "deal": 0, "price": 0}
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    with store.transaction():
        deals: list[dict[str, Any]] = []
        for row in rows:
            kind = row.pop("kind", "")
            if kind == "user":
                added[kind] += _user(books, row)
            elif kind == "deal":
                deals.append(_deal(row))
            elif kind == "price" and row["symbol"] in SYMBOLS:
                prices = {row["symbol"]: float(row["level"])}
                books.market.restore(prices)
                books.market.anchor(prices)
                added[kind] += 1
            elif kind != "price":
                raise ValueError(f"unknown kind {kind!r}")
        known = {ticket for (ticket,) in store.db.execute("SELECT ticket FROM deals")}
        fresh = [deal for deal in deals if int(deal["Deal"]) not in known]
        store.add_deals(fresh)
        added["deal"] = len(fresh)
        if fresh:
            store.raise_ticket("deal", max(int(deal["Deal"]) for deal in fresh))
            store.raise_ticket("order", max(max(int(d["PositionID"]), int(d["Order"])) for d in fresh))
    return added


def _user(books: Books, row: dict[str, Any]) -> int:
    login = int(row["login"])
    if login in books.store.users:
        return 0
    if row["group"] not in GROUPS:
        raise ValueError(f"no group {row['group']!r}")
    password = hash_password(login, secrets.token_urlsafe(12))
    now = int(row.get("registration") or books.clock.now())
    fields = {shown: str(row[shown.lower()]) for shown in PERSONAL if shown.lower() in row}
    books.store.save_user(
        User(
            login,
            row["group"],
            int(row.get("leverage", 30)),
            RIGHTS_DEFAULT,
            Decimal(row.get("balance", "0")),
            Decimal(row.get("credit", "0")),
            password,
            password,
            now,
            now,
            fields,
        )
    )
    return 1


def _deal(row: dict[str, Any]) -> dict[str, Any]:
    deal = {**DEAL_DEFAULTS, **{key: str(value) for key, value in row.items()}, "ApiData": []}
    deal["Time"] = str(int(deal["TimeMsc"]) // 1000)
    deal["Volume"] = str(int(deal["VolumeExt"]) // 10_000)
    deal["VolumeClosed"] = str(int(deal["VolumeClosedExt"]) // 10_000)
    return deal


class WatchedFile:
    """Loads a file as soon as it is there, and once for each content."""

    def __init__(self, books: Books, path: Path) -> None:
        self.books, self.path = books, path
        self.seen: tuple[int, int] | None = None

    def look(self) -> dict[str, int] | None:
        try:
            info = self.path.stat()
        except OSError:
            return None
        stamp = (info.st_mtime_ns, info.st_size)
        if stamp == self.seen:
            return None
        self.seen = stamp
        text = self.path.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        if self.books.store.get("imported") == digest:
            return None
        added = load(self.books, text)
        self.books.store.put("imported", digest)
        return added
