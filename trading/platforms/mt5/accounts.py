"""Accounts on the server: made once, read, changed, disabled; their passwords, which are never kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trading.platforms.base import AccountData, NewAccount, Right
from trading.platforms.errors import FinalError, LoginTaken, OutcomeUnknown
from trading.platforms.mt5 import retcodes, units, wire
from trading.platforms.mt5.answers import LOGINS_PER_REQUEST, Answers, json_of, row_of
from trading.platforms.mt5.enums import RIGHTS_DEFAULT, Rights
from trading.platforms.mt5.rows import RIGHT_BITS, account_from


class AccountsPart(Answers):
    """A repeat of "create" finds what the first attempt made; rights that are not named stay the broker's."""

    def create_account(self, new_account: NewAccount) -> AccountData:
        """Make an account with a login of our own range: a repeat gets 3004 and finds the first one by its reference.

        Raises: LoginTaken (retcode 3004) when the login belongs to somebody else.
        """
        parameters = {
            "LOGIN": new_account.login,
            "PASS_MAIN": new_account.main_password,
            "PASS_INVESTOR": new_account.investor_password,
            "RIGHTS": RIGHTS_DEFAULT,
            "GROUP": new_account.group,
            "NAME": units.shorten(new_account.name, units.NAME_CHARS_MAX),
            "LANGUAGE": new_account.language,
            "COUNTRY": new_account.country,
            "EMAIL": new_account.email,
            "COMMENT": new_account.reference,
            "LEVERAGE": new_account.leverage,
        }
        try:
            answer = self.client.write("USER_ADD", parameters)
        except FinalError as problem:
            if problem.code != retcodes.LOGIN_EXISTS:
                raise
            account = self.read_account(new_account.login)
            if account is None or account.reference != new_account.reference:
                raise LoginTaken(problem.message, command=problem.command, code=problem.code) from problem
            # An earlier attempt made it and its answer was lost: it gets the password that we are about to tell.
            self.change_password(new_account.login, new_account.main_password)
            self.change_password(new_account.login, new_account.investor_password, investor=True)
            return account
        try:
            return account_from(answer.row(), self.zone)
        except (wire.WireError, KeyError, ValueError) as problem:
            raise OutcomeUnknown(f"the new account's data can't be read ({problem})", command="USER_ADD") from problem

    def read_account(self, login: str) -> AccountData | None:
        try:
            return account_from(row_of(self.client.read("USER_GET", {"LOGIN": login})), self.zone)
        except FinalError as problem:
            if problem.code == retcodes.NOT_FOUND:
                return None
            raise

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        accounts: list[AccountData] = []
        for start in range(0, len(logins), LOGINS_PER_REQUEST):
            part = logins[start : start + LOGINS_PER_REQUEST]
            rows = self._rows_or_none("USER_GET_BATCH", {"LOGIN": ",".join(part)})
            accounts += [account_from(row, self.zone) for row in rows]
        return accounts

    def is_archived(self, login: str) -> bool:
        """Ask whether an account is archived; no, where the server or the manager is without the archive command."""
        try:
            self.client.read("USER_ARCHIVE_GET", {"LOGIN": login})
        except FinalError:
            return False
        return True

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        """Change an account; rights are read before some are changed, since the other bits are the broker's."""
        changes: dict[str, object] = {}
        if group:
            changes["GROUP"] = group
        if leverage is not None:
            changes["LEVERAGE"] = leverage
        if rights:
            now = Rights(self._existing(login).rights)
            changed = _with_rights(now, rights)
            if changed != now:
                changes["RIGHTS"] = int(changed)
        if changes:
            self.client.write("USER_UPDATE", {"LOGIN": login, **changes})
        return self._existing(login)

    def disable_account(self, login: str) -> AccountData:
        return self.update_account(login, rights={Right.SIGN_IN: False, Right.TRADE: False})

    def _existing(self, login: str) -> AccountData:
        account = self.read_account(login)
        if account is None:
            raise FinalError("the account is not on the server", command="USER_GET", code=retcodes.NOT_FOUND)
        return account

    def logins(self, mask: str) -> list[str]:
        data = json_of(self.client.read("USER_LOGINS", {"GROUP": mask}))
        return [str(units.whole(login)) for login in data or []]

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool:
        """Check a password; the server answers 3006 for a wrong one."""
        kind = "INVESTOR" if investor else "MAIN"
        try:
            self.client.read("USER_PASS_CHECK", {"LOGIN": login, "TYPE": kind, "PASSWORD": password})
        except FinalError as problem:
            if problem.code == 3006:
                return False
            raise
        return True

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None:
        kind = "INVESTOR" if investor else "MAIN"
        self.client.write("USER_PASS_CHANGE", {"LOGIN": login, "TYPE": kind, "PASSWORD": password})


def _with_rights(now: Rights, changes: Mapping[Right, bool]) -> Rights:
    for right, allowed in changes.items():
        bit, takes_away = RIGHT_BITS[right]
        now = now | bit if allowed != takes_away else now & ~bit
    return now
