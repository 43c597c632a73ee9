"""A trader's or partner's own MetaTrader 5 terminal, read only: balances, open positions and deals of one account.

This is the terminal on somebody's Windows desktop, reached by MetaQuotes' package `MetaTrader5`, not a broker's server: one
account, no clients, no deposits. The package exists for Windows only; it is the optional extra `mt5` and is imported when it
is first used. Nothing here places, changes or closes an order. Sign in with the investor password: then the terminal could
not trade if it were asked to.

The package gives amounts as floats; they are rounded to the account's digits at once and are exact Decimals from then on.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from importlib import import_module
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.core import clock
from trading.platforms.base import AccountMoney, DealData, PositionData
from trading.platforms.errors import FinalError, NotStarted, ReadTimedOut
from trading.platforms.mt5 import units

PACKAGE: Final = "MetaTrader5"
TIMEOUT_MS: Final = 20_000
# The package's error numbers: https://www.mql5.com/en/docs/python_metatrader5/mt5lasterror_py
AUTH_FAILED, INTERNAL_TIMEOUT, NO_IPC = -6, -10005, frozenset({-10000, -10001, -10002, -10003, -10004})
PRICE_PLACES, LOT_PLACES = Decimal("0.00000001"), Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class TerminalAccount:
    """The account that the terminal is signed in to. `can_trade`: the master password was used."""

    login: str
    name: str
    server: str
    company: str
    currency: str
    digits: int
    leverage: int
    can_trade: bool
    money: AccountMoney


def load() -> Any:
    """Import the terminal's package. Raises: NotStarted, with why it is not there and what to do."""
    if sys.platform != "win32":
        raise NotStarted(
            "the terminal's package exists for Windows only; a broker's accounts are read over the Web API instead",
            command="TERMINAL",
        )
    try:
        return import_module(PACKAGE)
    except ImportError as problem:
        raise NotStarted("MetaTrader5 is not installed: pip install MetaTrader5", command="TERMINAL") from problem


@contextmanager
def terminal(
    *, login: int, password: str, server: str, zone: ZoneInfo, path: str = "", api: Any = None
) -> Iterator[Terminal]:
    """Sign in to the terminal on this machine, and out again. Raises: NotStarted, FinalError.

    `server` is the name in the terminal's list; `path` names one of several terminals. One account at a time per process:
    the package has one connection.
    """
    api = api or load()
    where = (path,) if path else ()
    if not api.initialize(*where, login=login, password=password, server=server, timeout=TIMEOUT_MS):
        problem = _problem(api)
        api.shutdown()
        raise problem
    try:
        yield Terminal(api, zone)
    finally:
        api.shutdown()


class Terminal:
    """What may be read from a terminal that is signed in."""

    def __init__(self, api: Any, zone: ZoneInfo) -> None:
        self._api, self._zone = api, zone

    def account(self) -> TerminalAccount:
        """Read the terminal's account and its money. Raises: NotStarted, ReadTimedOut, FinalError."""
        info = self._given(self._api.account_info())
        digits = int(info.currency_digits)
        balance, credit, equity, margin, free, profit = (
            _amount(getattr(info, name), digits)
            for name in ("balance", "credit", "equity", "margin", "margin_free", "profit")
        )
        money = AccountMoney(
            login=str(info.login),
            balance=balance,
            credit=credit,
            floating=profit,
            equity=equity,
            margin=margin,
            margin_free=free,
            margin_level=_amount(info.margin_level, 2),
        )
        return TerminalAccount(
            login=str(info.login),
            name=units.text(info.name),
            server=units.text(info.server),
            company=units.text(info.company),
            currency=units.text(info.currency),
            digits=digits,
            leverage=int(info.leverage),
            can_trade=bool(info.trade_allowed),
            money=money,
        )

    def deals(self, since: dt.datetime, until: dt.datetime) -> list[DealData]:
        """Read deals between two instants, as far as the terminal keeps its history. Raises as `account`."""
        first, last = (
            dt.datetime.fromtimestamp(clock.to_server_seconds(at, self._zone), dt.UTC) for at in (since, until)
        )
        digits = int(self._given(self._api.account_info()).currency_digits)
        rows: Sequence[Any] = self._given(self._api.history_deals_get(first, last))
        return [self._deal(row, digits) for row in rows]

    def positions(self) -> list[PositionData]:
        """Read the open positions. Raises as `account`."""
        digits = int(self._given(self._api.account_info()).currency_digits)
        login = str(self._given(self._api.account_info()).login)
        return [
            PositionData(
                ticket=int(row.ticket),
                login=login,
                symbol=units.text(row.symbol),
                action=int(row.type),
                lots=_lots(row.volume),
                contract_size=Decimal(0),
                price_open=_price(row.price_open),
                price_current=_price(row.price_current),
                profit=_amount(row.profit, digits),
                swap=_amount(row.swap, digits),
                server_msc=int(row.time_msc),
                opened_at=clock.to_utc(int(row.time_msc), self._zone),
                comment=units.text(row.comment),
            )
            for row in self._given(self._api.positions_get())
        ]

    def _deal(self, row: Any, digits: int) -> DealData:
        """Read a deal: the terminal's `type` is the server's action; closed lots of INOUT deals and contract sizes are unknown."""
        entry, lots, msc = int(row.entry), _lots(row.volume), int(row.time_msc)
        raw = {name: str(value) for name, value in row._asdict().items()}
        return DealData(
            ticket=int(row.ticket),
            login=str(self._api.account_info().login),
            server_msc=msc,
            executed_at=clock.to_utc(msc, self._zone),
            action=int(row.type),
            entry=entry,
            reason=int(row.reason),
            symbol=units.text(row.symbol),
            lots=lots,
            closed_lots=lots if entry in (1, 3) else Decimal(0),
            contract_size=Decimal(0),
            price=_price(row.price),
            price_position=Decimal(0),
            profit=_amount(row.profit, digits),
            commission=_amount(row.commission, digits),
            swap=_amount(row.swap, digits),
            fee=_amount(row.fee, digits),
            position_id=int(row.position_id),
            order_id=int(row.order),
            comment=units.text(row.comment),
            raw=raw,
        )

    def _given(self, answer: Any) -> Any:
        """Require an answer: the package answers None when something went wrong, and keeps what in `last_error`."""
        if answer is None:
            raise _problem(self._api)
        return answer


def _problem(api: Any) -> NotStarted | ReadTimedOut | FinalError:
    number, error = api.last_error()
    if number == INTERNAL_TIMEOUT:
        return ReadTimedOut(f"the terminal did not answer ({error})", command="TERMINAL")
    if number in NO_IPC:
        return NotStarted(f"no terminal was found on this machine, or it did not start ({error})", command="TERMINAL")
    if number == AUTH_FAILED:
        return FinalError("the terminal refused login, password or server name", command="TERMINAL", code=number)
    return FinalError(f"the terminal reports: {error}", command="TERMINAL", code=number)


def _amount(value: float, digits: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)


def _price(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(PRICE_PLACES, ROUND_HALF_EVEN)


def _lots(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(LOT_PLACES, ROUND_HALF_EVEN)


__all__ = ["Terminal", "TerminalAccount", "load", "terminal"]
