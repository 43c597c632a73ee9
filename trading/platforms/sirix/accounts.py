"""Accounts: made once, read. Everything else about them is done on the platform itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from trading.platforms.base import AccountData, GroupData, Health, NewAccount, Right, ServerTime, SymbolData
from trading.platforms.errors import FinalError, OutcomeUnknown
from trading.platforms.sirix.rows import account_from, money_from
from trading.platforms.sirix.status import Status, StatusPart, readable

CREATE: Final = "CreateUser"
NOBODY: Final = "0"


class AccountsPart(StatusPart):
    """`UserActions/CreateUser` takes group, name, e-mail and password and tells the new user's number. No call is known that
    finds an account by anything else than that number: an answer that was lost is for a person."""

    def health(self) -> Health:
        started = time.monotonic()
        time_now = self.server_time()
        return Health("REST", round((time.monotonic() - started) * 1000), time_now)

    def server_time(self) -> ServerTime:
        """Read the web server's clock from any answer: there is no call for it. Asks for a number that no account has."""
        self.status(NOBODY)
        return self.clock()

    def groups(self) -> list[GroupData]:
        _absent("groups", "Sirix has no public call that lists groups")

    def symbols(self) -> Iterable[SymbolData]:
        _absent("symbols", "Sirix has no public call that lists symbols")

    def logins(self, mask: str) -> list[str]:
        _absent("logins", "Sirix has no public call that lists accounts")

    def create_account(self, new_account: NewAccount) -> AccountData:
        body = {
            "GroupName": new_account.group,
            "UserDetails": {"FullName": new_account.name, "Email": new_account.email},
            "Passwords": {"Password": new_account.main_password},
        }
        answer = self.client.write(CREATE, self.client.config.create_path, body)
        created: Any = answer.get("User") or {}
        login = str(created.get("UserID") or "") if isinstance(created, Mapping) else ""
        if not login:
            raise OutcomeUnknown("the answer has no number of the new account", command=CREATE)
        details = {"UserDetails": {"FullName": new_account.name, "Email": new_account.email}}
        return account_from(login, details, group=new_account.group)

    def read_account(self, login: str) -> AccountData | None:
        status = self.status(login)
        self.look(login, status)
        return None if status is None else self._account(login, status)

    def _account(self, login: str, status: Status) -> AccountData:
        with readable():
            positions = self.reader.positions(login, status.opened)
            return account_from(login, status.user, money_from(login, status.user, positions).credit)

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        return [account for login in logins if (account := self.read_account(login)) is not None]

    def is_archived(self, login: str) -> bool:
        """Answer no: an account that is not there gives no reason, so nobody can know."""
        return False

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        _absent("update_account", "Sirix has no public call that changes group, leverage or rights of an account")

    def disable_account(self, login: str) -> AccountData:
        _absent("disable_account", "Sirix has no public call that stops an account")

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool:
        _absent("check_password", "Sirix has no public call that checks a password")

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None:
        _absent("change_password", "Sirix has no public call that changes a password")


def _absent(command: str, message: str) -> NoReturn:
    raise FinalError(message, command=command, code=0)
