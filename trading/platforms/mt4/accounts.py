"""Accounts on the server: made once, given their passwords, read, changed, disabled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trading.platforms.aside import UNREADABLE
from trading.platforms.base import AccountData, NewAccount, Right
from trading.platforms.errors import FinalError, LoginTaken, OutcomeUnknown, PlatformError, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.mt4 import codes, text, units
from trading.platforms.mt4.answers import Answers
from trading.platforms.mt4.rows import ENABLE_FLAGS, RIGHT_BITS, with_rights

ABSENT: Final = "not on the trade server"


class AccountsPart(Answers):
    """A repeat of "create" finds what the first attempt made; bits that are not ours stay the broker's."""

    def create_account(self, new_account: NewAccount) -> AccountData:
        """Make an account with a login of our own range: a repeat is refused and finds the first one by its reference.

        The server takes an account without passwords; they are set afterwards, and again when the request is repeated.
        Raises: LoginTaken when the login belongs to somebody else; FinalError for what the server could not keep.
        """
        body = self._new_record(new_account)
        try:
            made = self._account(self.client.write("UserRecordNew", body=body), "UserRecordNew", is_write=True)
        except (FinalError, OutcomeUnknown) as problem:
            made = self._made_before(new_account, problem)
        for password, investor in ((new_account.main_password, False), (new_account.investor_password, True)):
            self.change_password(new_account.login, password, investor=investor)
        return made

    def _new_record(self, new_account: NewAccount) -> dict[str, Any]:
        page, login = self.habits.code_page, int(new_account.login)
        if not 0 < login <= units.INT32_MAX:
            raise FinalError(f"a login of this server is at most {units.INT32_MAX}", command="UserRecordNew")
        return {
            "login": login,
            "group": text.exact(new_account.group, page, text.GROUP_MAX, what="group"),
            "name": text.personal(new_account.name, page, text.NAME_MAX, what="name"),
            "externalId": text.exact(new_account.reference, page, text.EXTERNAL_ID_MAX, what="reference"),
            "country": text.personal(new_account.country, page, text.COUNTRY_MAX, what="country"),
            "email": new_account.email
            if text.fits(new_account.email, page) and len(new_account.email) <= text.EMAIL_MAX
            else "",
            "leverage": new_account.leverage,
            "enableFlags": ENABLE_FLAGS,
            "sendReports": 1,
        }

    def _made_before(self, new_account: NewAccount, problem: FinalError | OutcomeUnknown) -> AccountData:
        """Find what an earlier attempt under this reference made. Raises: LoginTaken, or the refusal that came.

        Servers refuse a taken login with one result or another: after any of them the login is read.
        """
        if problem.code not in codes.OF_SERVER:
            raise problem  # the server itself said nothing
        account = self.read_account(new_account.login)
        if account is None:
            raise problem
        if account.reference != new_account.reference:
            raise LoginTaken(problem.message, command=problem.command, code=problem.code) from problem
        return account

    def _account(self, row: Mapping[str, Any], command: str, *, is_write: bool = False) -> AccountData:
        try:
            return self.reader.account(row)
        except (*UNREADABLE, AttributeError) as problem:
            kind: type[PlatformError] = OutcomeUnknown if is_write else ReadTimedOut
            raise kind("the account's record can't be read", command=command) from problem

    def read_account(self, login: str) -> AccountData | None:
        row = self._row("UserRecordRequest", login)
        return None if row is None else self._account(row, "UserRecordRequest")

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        rows = self._rows_of("UserRecordsRequest", "logins", logins)
        return [self._account(row, "UserRecordsRequest") for row in rows]

    def is_archived(self, login: str) -> bool:
        """Answer no: the bridge shows no archive, so nobody knows."""
        return False

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        """Change only what is named. Rights are read first: the other bits are the broker's."""
        changes: dict[str, Any] = {}
        if group:
            changes["group"] = text.exact(group, self.habits.code_page, text.GROUP_MAX, what="group")
        if leverage is not None:
            changes["leverage"] = leverage
        if rights:
            if unknown := rights.keys() - RIGHT_BITS.keys():
                raise FinalError(
                    f"this server has no right “{', '.join(sorted(unknown))}” of its own", command="UserRecord"
                )
            now = self._existing(login).rights
            if (flags := with_rights(now, rights)) != now:
                changes["enableFlags"] = flags
        if changes:
            self.client.write("UserRecord", login, body=changes, method="PATCH")
        return self._existing(login)

    def disable_account(self, login: str) -> AccountData:
        return self.update_account(login, rights={Right.SIGN_IN: False, Right.TRADE: False})

    def _existing(self, login: str) -> AccountData:
        account = self.read_account(login)
        if account is None:
            raise FinalError(ABSENT, command="UserRecordRequest", code=codes.NOT_FOUND)
        return account

    def logins(self, mask: str) -> list[str]:
        return [str(units.whole(row["login"])) for row in self._users(mask)]

    def _users(self, mask: str) -> list[Mapping[str, Any]]:
        """Read the user records of the groups of a mask. The bridge lists all: the mask is applied here."""
        try:
            return [row for row in self.client.pages("UsersRequest") if matches(mask, str(row["group"]))]
        except UNREADABLE as problem:
            raise ReadTimedOut("a user record can't be read", command="UsersRequest") from problem

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool:
        """Check the main password: the server's API does not check the other one. Raises: FinalError for that."""
        if investor:
            raise FinalError("the server does not check investor passwords", command="UserPasswordCheck")
        try:
            return self.client.write("UserPasswordCheck", login, body=password, changes=False) is True
        except FinalError as problem:
            if problem.code == codes.BAD_ACCOUNT:
                return False
            raise

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None:
        """Change a password, in the request's body only. Setting it twice does no harm."""
        if len(password) > text.PASSWORD_MAX or not password.isascii():
            raise FinalError(
                f"a password has at most {text.PASSWORD_MAX} characters, all of them ASCII", command="UserPasswordSet"
            )
        query = [("changeInvestor", "true")] if investor else []
        self.client.write("UserPasswordSet", login, body=password, query=query)
