"""Where the contract of `trading.platforms.base.Platform` is fought out: one sandbox server, reached by the product's own way.

Every kind of platform has a file `arena_<kind>.py` beside this one with its `Arena` classes; they register by being there.
The scenarios are the same for all. What a platform has no interface for it must deny: a capability that is off and a method
that raises `FinalError` in words (`absent`); no scenario is skipped.
"""

from __future__ import annotations

import itertools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.test import override_settings

from tests.trading.sandbox_process import SandboxProcess
from trading.models import TradingServer
from trading.platforms.base import AccountData, NewAccount, Platform
from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import FinalError
from trading.platforms.pool import kind_of

LOT_EXT = 100_000_000
_numbers = itertools.count(910_001)


class Arena(ABC):
    """A sandbox server and the row by which the product reaches it.

    `name`: of the form in test ids. `arguments`: of `python -m sandbox.<kind>`. `commands`: how the sandbox's faults and
    counts call what the scenarios speak of: `money` (books a balance operation), `create` (makes an account), `read` (the
    request of `read_account`). `refusal_code`: of the error that says "not enough money".
    Groups and symbols are given by the engine's names, see `group` and `symbol`.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    arguments: ClassVar[tuple[str, ...]] = ("--port", "0")
    commands: ClassVar[Mapping[str, str]]
    refusal_code: ClassVar[int]
    secret: ClassVar[str]
    secret_options: ClassVar[Mapping[str, str]] = {}
    splits_charges: ClassVar[bool] = True
    """Commission, swap and fee of a trade come apart; else only their sum."""
    has_quotes: ClassVar[bool] = True
    """Where the platform gives quotes at all, this way of reaching it does."""

    def __init__(self, process: SandboxProcess) -> None:
        self.process = process
        self.groups: dict[str, str] = {}  # of the accounts made here, by login: for a platform that lists neither

    # -- what a kind says of itself

    @abstractmethod
    def fields(self) -> dict[str, Any]:
        """What the server's row says: port, manager_login, options, certificate …; kind, host and name are given."""

    def group(self, engine: str) -> str:
        """The platform's name for a group of the engine."""
        return engine

    def symbol(self, engine: str) -> str:
        """The platform's name for a symbol of the engine."""
        return engine

    def kept_name(self, name: str) -> str:
        """What the platform keeps of an account owner's name."""
        return name

    # -- what every kind has

    def row(self, **fields: Any) -> TradingServer:
        """The server's row, not saved."""
        values = {"name": f"Arena {self.name}", "kind": self.kind, "host": "127.0.0.1", **self.fields()}
        zone = kind_of(self.kind).time_zone
        server = TradingServer(**{**values, **({"time_zone": zone} if zone else {}), **fields})
        server.set_password(self.secret)
        for name, value in self.secret_options.items():
            server.set_secret_option(name, value)
        return server

    def make(self, server: TradingServer) -> Platform:
        """A platform as the pool makes it, with a gate of its own that lets everything pass."""
        return kind_of(self.kind).factory(server, Gate())

    @contextmanager
    def platform(self, *, read: float = 8.0, write: float = 2.0, **fields: Any) -> Iterator[Platform]:
        with override_settings(TRADING_READ_SECONDS=read, TRADING_WRITE_SECONDS=write):
            platform = self.make(self.row(**fields))
        try:
            yield platform
        finally:
            platform.close()

    def free_login(self) -> str:
        """A login that nobody has, where the house chooses it; else nothing."""
        return str(next(_numbers)) if kind_of(self.kind).capabilities.own_logins else ""

    def account(self, group: str = "real\\standard-EUR", money: str = "0", **fields: Any) -> str:
        """An account put on the server behind the platform's back, with a deposit of so much; its login."""
        login = next(_numbers)
        user = {"kind": "user", "login": login, "group": group, "leverage": 30, "name": "Test Trader", **fields}
        answer = self.process.http.post("/control/import", content=json.dumps(user))
        assert answer.status_code == 200, answer.text
        if Decimal(money):
            self.process.post("balance", login=login, amount=money, comment="first money")
        self.groups[str(login)] = self.group(group)
        return str(login)

    def truth(self, login: str) -> dict[str, Any]:
        """The account as the server's books have it, numbers in text as they keep them."""
        return self.process.post("look", login=int(login))

    def trade(self, login: str, symbol: str = "EURUSD", lots: str = "0.10", side: str = "buy") -> int:
        """Open a position; its number in the books."""
        return int(self.process.post("trade", login=int(login), symbol=symbol, lots=lots, side=side)["position"])

    def close(self, position: int, lots: str = "") -> None:
        self.process.post("close", position=position, **({"lots": lots} if lots else {}))

    def fault(self, kind: str, command: str, value: float = 0, times: int = 1) -> None:
        """`command` is one of `commands`, or a name of the wire."""
        self.process.fault(kind, self.commands.get(command, command), times, value)

    def asked(self, command: str) -> int:
        """How often a command came, of `commands` or a name of the wire."""
        return self.process.command_count(self.commands.get(command, command))

    def asked_in_all(self) -> int:
        return sum(self.process.state()["commands"].values())

    def wanted(self, login: str = "", **fields: Any) -> NewAccount:
        """An account to be made, under a reference of its own."""
        values = {
            "group": self.group("real\\standard-EUR"),
            "leverage": 30,
            "name": "Zoë Trader",
            "reference": f"keelson-{next(_numbers)}",
            "main_password": "Abcdef1!",
            "investor_password": "Abcdef2!",
            "email": "zoe@traders.example",
            **fields,
        }
        return NewAccount(login=login or self.free_login(), **values)

    def made(self, platform: Platform, **fields: Any) -> AccountData:
        """An account made by the platform."""
        account = platform.create_account(self.wanted(**fields))
        self.groups[account.login] = account.group
        return account


def absent(is_able: bool, work: Callable[[], object]) -> bool:
    """True when the platform lacks it, and then it says so: `FinalError` with words, not a number."""
    if is_able:
        return False
    with pytest.raises(FinalError) as problem:
        result = work()
        if isinstance(result, Iterator):
            next(result)
    assert " " in problem.value.message, "a refusal in words"
    return True


def arenas() -> list[type[Arena]]:
    """Every arena of every `arena_<kind>.py` here."""
    found: list[type[Arena]] = []
    for path in sorted(Path(__file__).parent.glob("arena_*.py")):
        found += import_module(f"{__package__}.{path.stem}").ARENAS
    return found
