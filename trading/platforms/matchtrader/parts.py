"""What every part of the adapter builds on: the client, lists that are read page by page, groups by mask, contract sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.matchtrader import access, rows
from trading.platforms.matchtrader.quote_stream import QuoteStream
from trading.platforms.matchtrader.rest import NO_SUCH_PATH, RestClient, is_missing
from trading.platforms.matchtrader.streams import Streams
from trading.platforms.matchtrader.tickets import Numbers

PAGE: Final = 1000
PAGES_MAX: Final = 2000
LISTING_SECONDS: Final = 5.0
GROUPS_SECONDS: Final = 60.0
SYMBOLS_SECONDS: Final = 600.0
NAMES_PER_REQUEST: Final = 200
Row = Mapping[str, Any]


@contextmanager
def reading(command: str) -> Iterator[None]:
    """Treat an answer that can't be read as no answer. Raises: ReadTimedOut for it."""
    try:
        yield
    except (KeyError, ValueError, TypeError, AttributeError, InvalidOperation) as problem:
        raise ReadTimedOut(f"the answer can't be read ({problem!r})", command=command) from problem


class TimedValue:
    """A value that is good for some seconds."""

    def __init__(self, seconds: float, make: Callable[[], Any]) -> None:
        self.seconds, self.make = seconds, make
        self._value: Any = None
        self._until = 0.0

    def get(self, *, fresh: bool = False) -> Any:
        if fresh or time.monotonic() >= self._until:
            self._value = self.make()
            self._until = time.monotonic() + self.seconds
        return self._value

    def forget(self) -> None:
        self._until = 0.0


@dataclass
class Sizes:
    """Contract sizes by symbol, and the groups that were not asked yet."""

    groups: list[str]
    found: dict[str, Decimal] = field(default_factory=dict)


class Part:
    """One server through one client; `streams` are the process's own, shared by the purposes of a server."""

    def __init__(self, client: RestClient, streams: Streams | None = None, quotes: QuoteStream | None = None) -> None:
        self.client, self.config, self.streams, self.quotes = client, client.config, streams, quotes
        self.numbers = Numbers()
        self._listing = TimedValue(LISTING_SECONDS, self._list_accounts)
        self._group_names = TimedValue(GROUPS_SECONDS, self._read_group_names)
        self._sizes = TimedValue(SYMBOLS_SECONDS, lambda: Sizes(self.group_names("*")))

    def close(self) -> None:
        self.client.close()
        for streams in (self.streams, self.quotes):
            if streams is not None:
                streams.close()

    # -- accounts, page by page

    def listing(self, *, group: str = "", fresh: bool = True) -> dict[str, Row]:
        """List accounts with any access right, by login: all, or those of a group. Not fresh: at most a few seconds old."""
        return self._list_accounts(group) if group else self._listing.get(fresh=fresh)

    def _list_accounts(self, group: str = "") -> dict[str, Row]:
        """Read pages until one is not full. A server that counts pages from 1 sends the first one twice: that does no harm."""
        accounts: dict[str, Row] = {}
        filters = [("group", group)] if group else []
        rights = [("accessRightsFilter", word) for word in access.ALL]
        for page in range(PAGES_MAX):
            query = [*filters, ("page", str(page)), ("size", str(PAGE)), *rights]
            answer = self.client.read("accounts", query=query)
            with reading("accounts"):
                part = (
                    (answer["content"] if "content" in answer else answer["items"])
                    if isinstance(answer, Mapping)
                    else answer
                )
                accounts.update({rows.text(row["login"]): row for row in part if not row.get("missingInTradingSystem")})
            if len(part) < PAGE:
                return accounts
        raise ReadTimedOut(f"more than {PAGES_MAX} pages of accounts", command="accounts")

    def account_row(self, login: str) -> Row | None:
        """Read one account as it is now; None when the platform does not know the login."""
        try:
            row = self.client.read("account", login=login)
        except FinalError as problem:
            if is_missing(problem):
                return None
            raise
        with reading("account"):
            return None if row is None or row.get("missingInTradingSystem") else {**row, "login": row["login"]}

    # -- groups

    def group_names(self, mask: str) -> list[str]:
        """List the groups that a mask takes in: those that are set, or else all that the platform lists."""
        return [name for name in self._group_names.get() if matches(mask, name)]

    def _read_group_names(self) -> list[str]:
        return list(self.config.groups) or self.listed_groups()

    def listed_groups(self) -> list[str]:
        """Ask for the names of all groups; where that path is not there, those that accounts are in."""
        try:
            answer = self.client.read("group_names")
        except FinalError as problem:
            if problem.message != NO_SUCH_PATH:
                raise
            with reading("accounts"):
                return sorted({rows.text(row["group"]) for row in self.listing(fresh=False).values()})
        with reading("group_names"):
            if isinstance(answer, Mapping):
                (answer,) = answer.values()
            return sorted({rows.text(row["name"] if isinstance(row, Mapping) else row) for row in answer})

    def per_groups(self, command: str, mask: str, **body: Any) -> Iterator[Any]:
        """Yield the answers of a list command for the groups of a mask, some groups at a time."""
        names = self.group_names(mask)
        for start in range(0, len(names), NAMES_PER_REQUEST):
            yield self.ask(command, groups=names[start : start + NAMES_PER_REQUEST], **body)

    def per_logins(self, command: str, logins: Sequence[str], **body: Any) -> Iterator[Any]:
        for start in range(0, len(logins), NAMES_PER_REQUEST):
            yield self.ask(command, logins=list(logins[start : start + NAMES_PER_REQUEST]), **body)

    def ask(self, command: str, **body: Any) -> Any:
        """Ask a list command. All access rights are named: the lists' own default is accounts with full rights only."""
        return self.client.read(command, body={**body, "accessRightsFilter": list(access.ALL)})

    # -- symbols

    def symbol_rows(self) -> dict[str, Row]:
        """List instruments of all groups by name, the first group's where groups differ."""
        symbols: dict[str, Row] = {}
        for name in self.group_names("*"):
            for symbol, row in self._symbols_of(name).items():
                symbols.setdefault(symbol, row)
        return symbols

    def _symbols_of(self, group: str) -> dict[str, Row]:
        answer = self.client.read("symbols", query=[("group", group)])
        with reading("symbols"):
            return {rows.text(row["symbol"]): row for row in answer}

    def contract_size(self, symbol: str) -> Decimal:
        """Group by group, as far as needed: groups mostly have the same. 0 where the platform does not list it (any more)."""
        known: Sizes = self._sizes.get()
        while symbol not in known.found and known.groups:
            listed = self._symbols_of(known.groups.pop(0))
            with reading("symbols"):
                for name, row in listed.items():
                    known.found.setdefault(name, rows.decimal(row.get("contractSize")))
        return known.found.get(symbol, Decimal(0))
