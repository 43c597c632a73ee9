"""What every part of the cTrader adapter builds on: its two connections, and who is who on the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trading.platforms.base import AccountData
from trading.platforms.circuit_breaker import Gate
from trading.platforms.ctrader import codes, units
from trading.platforms.ctrader.config import CtraderConfig
from trading.platforms.ctrader.directory import Directory, Trader
from trading.platforms.ctrader.manager import NEEDED, CtraderManager
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.rest import CtraderRest
from trading.platforms.ctrader.rows import account_from
from trading.platforms.ctrader.stream import Stream
from trading.platforms.errors import FinalError, ReadTimedOut

DAY_MSC: Final = 86_400_000
TRADERS: Final = "/v2/webserv/traders"


class Parts:
    """`rest` answers about accounts and books money; `manager` reports what happens, where it is set up."""

    def __init__(self, config: CtraderConfig, gate: Gate) -> None:
        self.config = config
        self.rest = CtraderRest(config, gate)
        self.manager = CtraderManager(config, gate)
        self.directory = Directory(self.manager)
        self.stream = Stream()
        self.manager.listener, self.manager.opened = self.stream.heard, self.stream.opened

    def close(self) -> None:
        self.rest.close()
        self.manager.close()

    def _needs_manager(self, command: str) -> None:
        """Refuse a command that only the Manager API has where the server is without it. Raises: FinalError."""
        if not self.manager.is_there:
            raise FinalError(NEEDED, command=command)

    def _row(self, login: str) -> Any:
        """Read an account from WebServices; None when there is no such account."""
        if not login.isdigit():
            return None
        try:
            return self.rest.read("TRADER_GET", f"{TRADERS}/{login}")
        except FinalError as problem:
            if problem.code in codes.GONE or problem.code == 404:
                return None
            raise

    def _find_trader(self, login: str) -> Trader | None:
        """Find the server's own number of an account, by when it was registered; None when there is no such account."""
        trader = self.directory.trader(login)
        if trader is None and (row := self._row(login)) is not None:
            account = self._account("TRADER_GET", row)
            at = units.milliseconds(account.registered_at) if account.registered_at else 0
            trader = self.directory.registered(login, at)
        return trader

    def _trader(self, login: str) -> Trader:
        """Find the trader with this login. Raises: FinalError when nobody has it."""
        trader = self._find_trader(login)
        if trader is None:
            raise FinalError("the account is not on the server (TRADER_NOT_FOUND)", command="LightTraderList", code=11)
        return trader

    def _trader_row(self, trader: Trader) -> pb.ProtoTrader:
        rows = self.manager.read(pb.ProtoTraderByIdReq(traderId=[trader.trader_id]), pb.ProtoTraderByIdRes).trader
        if not rows or rows[0].deleted:
            raise FinalError("the account is not on the server (TRADER_NOT_FOUND)", command="TraderById", code=11)
        self.directory.note(rows[0])
        return rows[0]

    @staticmethod
    def _account(command: str, row: Mapping[str, Any]) -> AccountData:
        """Read an account from its row. Raises: ReadTimedOut when the row can't be read."""
        try:
            return account_from(row)
        except (KeyError, ValueError, TypeError, AttributeError) as problem:
            raise ReadTimedOut(f"an account's data can't be read ({problem!r})", command=command) from None
