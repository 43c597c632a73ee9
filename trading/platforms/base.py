"""The one small protocol class that every trading platform's adapter implements, and the values that cross it.

Amounts are exact Decimals in the account's currency; volumes are lots; instants are UTC, with the server's own time in
milliseconds beside them where it matters. Every method may raise the five errors of `errors`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Protocol, runtime_checkable

from trading.choices import MarginFormula
from trading.platforms.circuit_breaker import Gate
from trading.platforms.download_options import options_of
from trading.platforms.options import Option
from trading.platforms.sample_options import sample_option

LEVERAGE_MAX: Final = 500
"""Highest leverage of any platform; above it somebody mistyped."""


class Purpose(StrEnum):
    """Separate connections, so that a long read never holds up money."""

    MONEY = "money"
    READS = "reads"
    BACKFILL = "backfill"
    SAMPLES = "samples"


class BalanceKind(StrEnum):
    """What a balance operation is on the platform; withdrawals are deposits with a negative amount."""

    BALANCE = "balance"
    CREDIT = "credit"
    BONUS = "bonus"
    CORRECTION = "correction"


class Right(StrEnum):
    """What an account's owner may do, where the platform distinguishes these. Every other right stays the broker's."""

    SIGN_IN = "sign_in"
    TRADE = "trade"
    CHANGE_PASSWORD = "change_password"  # noqa: S105 - the name of a right
    EXPERTS = "experts"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do; what it can't is hidden, not attempted.

    `own_logins`: we choose the login, from the server's range; else the platform does and `create_account` brings it.
    `finds_accounts`: an account whose making was not answered can be found again by our reference.
    `lists_groups`, `lists_symbols`, `lists_accounts`: the platform lists which there are. Without the last, `logins` is
    refused, and whatever takes a mask speaks of the accounts that we have on the server.
    `finds_deals`: deals can be asked for by their tickets alone. `tells_profiles`: group, leverage and rights of an account
    are listed; else they are what we know. `lists_money`: `group_money` is one pass over a list that holds everybody,
    and asking for some thousands reads most of it: all are better read at once.
    `finds_by_reference`: a balance operation can be looked up under our reference; without it no money is moved.
    `unverified`: names of `choices.Ability` for which no public description of the real interface was found: pages say so.
    """

    creates_accounts: bool = True
    own_logins: bool = True
    changes_group: bool = True
    changes_leverage: bool = True
    rights: frozenset[Right] = frozenset(Right)
    sets_passwords: bool = True
    checks_passwords: bool = True
    balance_kinds: frozenset[BalanceKind] = frozenset(BalanceKind)
    finds_by_reference: bool = True
    reads_many_accounts: bool = True
    reads_many_deals: bool = True
    pushes_deals: bool = False
    reference_chars_max: int = 31
    password_chars_max: int = 16
    finds_accounts: bool = True
    lists_groups: bool = True
    lists_symbols: bool = True
    lists_accounts: bool = True
    finds_deals: bool = True
    tells_profiles: bool = True
    lists_money: bool = False
    unverified: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MarginRule:
    """What a group sets for symbols of a path (a mask): its own margin rate and fixed margin of a lot (zero: none), or None
    for the symbol's; traded or not."""

    path: str
    rate: Decimal | None = None
    is_traded: bool | None = None
    fixed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class GroupData:
    """A group of accounts. `currency` is empty where each account of a group has its own.

    `margin_rules` are None where the platform does not list what a group gives on single symbols. `margin_profile`: name of
    a table by which margins go up with volume, whose figures are unknown. `uses_discounts`: an exchange's risk model, where
    margin comes from discounts of instruments and not from rates.
    """

    name: str
    currency: str
    currency_digits: int
    is_hedging: bool
    margin_call: Decimal
    stop_out: Decimal
    company: str = ""
    leverage: int | None = None
    margin_rules: tuple[MarginRule, ...] | None = None
    margin_profile: str = ""
    uses_discounts: bool = False


@dataclass(frozen=True, slots=True)
class SymbolData:
    """A symbol. Margin of a lot is `lot_value` × `margin_rate`, or `margin_fixed` (in the margin currency) × `margin_rate`
    where there is one or the formula knows nothing else; divided by the account's leverage where `margin_by_leverage`.

    A rate of None is unknown. `lot_value`, in `lot_currency`, is what a lot is worth: None where no price is known.
    """

    name: str
    path: str
    description: str
    digits: int
    contract_size: Decimal
    currency_base: str
    currency_profit: str
    currency_margin: str
    volume_min_lots: Decimal
    volume_step_lots: Decimal
    volume_max_lots: Decimal
    swap_long: Decimal
    swap_short: Decimal
    tick_size: Decimal = Decimal(0)
    tick_value: Decimal = Decimal(0)
    margin_rate: Decimal | None = None
    margin_by_leverage: bool = True
    margin_formula: MarginFormula = MarginFormula.VALUE
    margin_fixed: Decimal = Decimal(0)
    lot_value: Decimal | None = None
    lot_currency: str = ""
    is_traded: bool = True


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Wanted account. `reference` is ours: by it a repeated request finds what the first one made.

    `login` is empty where the platform chooses it. `may_exist`: an earlier attempt was not answered, or its answer was lost.
    `currency` is for platforms whose groups have none.
    """

    login: str
    group: str
    leverage: int
    name: str
    reference: str
    main_password: str = field(repr=False)
    investor_password: str = field(repr=False)
    email: str = ""
    country: str = ""
    language: str = ""
    may_exist: bool = False
    currency: str = ""


@dataclass(frozen=True, slots=True)
class QuoteData:
    """The last prices of a symbol, and when they were."""

    symbol: str
    bid: Decimal
    ask: Decimal
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class AccountData:
    """An account as the platform describes it. `rights` are the platform's own bits, `allowed` what they mean.

    Personal data is as it was typed there: `country` may be a name or a code.
    """

    login: str
    group: str
    leverage: int
    rights: int
    reference: str
    name: str
    balance: Decimal
    credit: Decimal
    allowed: frozenset[Right] = frozenset()
    email: str = ""
    phone: str = ""
    country: str = ""
    registered_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountMoney:
    """What an account is worth now. `margin_level` is in per cent, 0 without open positions."""

    login: str
    balance: Decimal
    credit: Decimal
    floating: Decimal
    equity: Decimal
    margin: Decimal
    margin_free: Decimal
    margin_level: Decimal


@dataclass(frozen=True, slots=True)
class DealData:
    """One deal. `action`, `entry` and `reason` are MetaTrader 5's numbers, which we count with, also when nobody
    knows them yet; an adapter of another platform translates, and keeps what it received in `raw`.

    `ticket` is unique on its server and never changes for one deal. Where a platform numbers deals and money apart, or not
    at all, the adapter says how it makes one number of them (docs/platforms.md).
    """

    ticket: int
    login: str
    server_msc: int
    executed_at: dt.datetime
    action: int
    entry: int
    reason: int
    symbol: str
    lots: Decimal
    closed_lots: Decimal
    contract_size: Decimal
    price: Decimal
    price_position: Decimal
    profit: Decimal
    commission: Decimal
    swap: Decimal
    fee: Decimal
    position_id: int
    order_id: int
    comment: str
    raw: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PositionData:
    ticket: int
    login: str
    symbol: str
    action: int
    lots: Decimal
    contract_size: Decimal
    price_open: Decimal
    price_current: Decimal
    profit: Decimal
    swap: Decimal
    server_msc: int
    opened_at: dt.datetime
    comment: str


@dataclass(frozen=True, slots=True)
class ServerTime:
    """The server's clock: its own seconds, and how far that is from UTC by its own settings."""

    server_msc: int
    offset_seconds: int


@dataclass(frozen=True, slots=True)
class DealPage:
    """Deals that are new or changed since a cursor, and the cursor to ask with the next time.

    The cursor is the adapter's own number (server milliseconds, or a change stamp); callers keep it and never count with it.
    Deals may come again: the same ticket is the same deal.
    """

    deals: list[DealData]
    cursor: int
    clock: ServerTime
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    version: str
    latency_ms: int
    time: ServerTime


class DealSource(Protocol):
    """Something that new deals are read from: a platform, or a broker's export of its tables."""

    def deals_since(self, cursor: int | None, *, mask: str, overlap: dt.timedelta) -> DealPage:
        """Read what is new or changed since `cursor`; without one, of the last two days. `overlap` is read once more."""
        ...

    def close(self) -> None: ...


class Export(DealSource, Protocol):
    """A broker's copy of its tables: the same rows without asking the platform. What it does not keep is a `FinalError`."""

    def accounts(self, *, mask: str) -> Iterable[AccountData]: ...

    def group_money(self, mask: str) -> Iterable[AccountMoney]: ...

    def positions(self, *, mask: str) -> list[PositionData]: ...


class Platform(DealSource, Protocol):
    """One server of one platform, over one connection, for one purpose."""

    capabilities: Capabilities

    def health(self) -> Health: ...

    def server_time(self) -> ServerTime: ...

    def groups(self) -> list[GroupData]: ...

    def symbols(self) -> Iterable[SymbolData]: ...

    def create_account(self, new_account: NewAccount) -> AccountData:
        """Make the account, or find the one that an earlier attempt under this reference made."""
        ...

    def read_account(self, login: str) -> AccountData | None: ...

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        """Read those of the logins that the platform lists, in a few large requests; without the others."""
        ...

    def is_archived(self, login: str) -> bool:
        """Tell whether an account that is no longer listed lies in the platform's archive; False where that can't be known."""
        ...

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        """Change what is given. Rights that are not named stay as they are on the platform."""
        ...

    def disable_account(self, login: str) -> AccountData:
        """Take away sign-in and trading; the account and its history stay. Undone by `update_account` with both rights."""
        ...

    def logins(self, mask: str) -> list[str]:
        """List all logins in the groups of `mask`, one request; archived ones are not among them."""
        ...

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool: ...

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None: ...

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Book once and return the ticket. Never repeats on its own."""
        ...

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        """Find deals that may be this operation: its reference (or what is left of it), its amount, not older than `since`."""
        ...

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]: ...

    def group_money(self, mask: str) -> Iterable[AccountMoney]:
        """Read the money of every account in the groups of `mask`, in a few large requests."""
        ...

    def deals(self, *, mask: str, from_msc: int, to_msc: int) -> list[DealData]:
        """Read the deals of all accounts in the groups of `mask` between two server times, both ends included."""
        ...

    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterable[DealData]: ...

    def deals_by_ticket(self, tickets: Sequence[int]) -> list[DealData]:
        """Read those of the tickets that exist now, whatever their account and time."""
        ...

    def positions(self, *, mask: str) -> list[PositionData]:
        """List all open positions of the groups: what is not in the list is closed."""
        ...


@dataclass(frozen=True, slots=True)
class PastPiece:
    """Some deals of a span, and how far the reading is once they are kept: `past` goes on from there."""

    deals: list[DealData]
    position_msc: int


@runtime_checkable
class ReadsPast(Protocol):
    """A platform on which windows of a span would ask for the same rows again and again: it reads a span in one pass."""

    def past(self, *, mask: str, from_msc: int, to_msc: int, position_msc: int) -> Iterator[PastPiece]:
        """Yield deals between two server times, both included, in pieces that fit into memory; some may come twice.

        `position_msc`: `from_msc`, or what the last piece that was kept said. It may lie behind the span's end.
        """
        ...


@runtime_checkable
class GivesQuotes(Protocol):
    """A platform whose interface has prices as they change, which fills are judged by."""

    def quotes_since(self, names: Sequence[str]) -> list[QuoteData]:
        """Read the prices of some symbols since the last call of this process, the oldest first.

        Where the platform has only last prices, these; where it pushes them, each that came. Symbols without a price are left out.
        """
        ...


SANDBOX_HOST: Final = "sandbox"
"""A server row with this host is wherever the settings say that the sandbox server of its kind is."""

Factory = Callable[[Any, Gate], Platform]
Finding = tuple[bool, str, str]
"""What a doctor's check found: is it well, what is told, and what to do when it is not."""
Examination = Callable[[Any, Platform], Finding]
"""A read-only check of a server's row and its platform. Raises: PlatformError."""
EXPORTS: dict[str, Callable[[Any], Export]] = {}
"""By platform: what makes the reader of a server's export, where that platform has one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a kind of platform before any server of it is connected.

    `capabilities`: what a manager with every right can do there; `abilities` knows what one server's manager can.
    `time_zone`: where all its servers keep one clock. `manager_pattern`: what a manager's login looks like.
    `manager_label`, `secret_label`: what the platform calls the two, where not manager login and API password.
    `checks`: the doctor's own for this kind, by name, for one server; `advice`: what to do about an error of a number.
    `lacking`: abilities (`choices.Ability`) that one server's own settings leave out.
    `rates`: by purpose, where its servers take fewer requests than `settings.TRADING_RATES` would send.
    """

    factory: Factory
    capabilities: Capabilities
    options: tuple[Option, ...] = ()
    time_zone: str = ""
    manager_pattern: str = r"\S+"
    manager_label: Any = ""
    secret_label: Any = ""
    rates: Mapping[str, tuple[float, int, float]] = field(default_factory=dict)
    lacking: Callable[[Any], frozenset[str]] = lambda _server: frozenset()
    checks: Callable[[Any], Mapping[str, Examination]] = lambda _server: {}
    advice: Mapping[int, str] = field(default_factory=dict)

    def option(self, name: str) -> Option:
        for option in self.options:
            if option.name == name:
                return option
        raise KeyError(name)


KINDS: dict[str, Kind] = {}


def platform_kind(kind: str, capabilities: Capabilities, **known: Any) -> Callable[[Factory], Factory]:
    """Register the function that makes a platform of this kind from a `TradingServer` row and its connection's gate.

    `known`: the other fields of `Kind`.
    """

    def register(factory: Factory) -> Factory:
        options = (*known.pop("options", ()), sample_option(kind), *options_of(kind))
        KINDS[kind] = Kind(factory, capabilities, options=options, **known)
        return factory

    return register
