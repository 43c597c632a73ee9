"""Accounts under their owner's user account: made once, read, changed under an optimistic version.

A user account has an e-mail address and the password; trading accounts belong to it. `remarks` of a trading account holds
our reference, by which a repeat finds what the first attempt made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trading.platforms.base import AccountData, NewAccount, Right
from trading.platforms.errors import FinalError, OutcomeUnknown
from trading.platforms.masks import matches
from trading.platforms.matchtrader import access, rows
from trading.platforms.matchtrader.parts import Part, reading
from trading.platforms.matchtrader.rest import is_missing

ATTEMPTS_MAX: Final = 5  # at an account that somebody else changes at the same time
ONE_BY_ONE_MAX: Final = 5
MISMATCH: Final = frozenset({400, 409, 412})  # how a changed version may be refused


class AccountsPart(Part):
    """The platform chooses logins. A password is the user account's: it opens all trading accounts of that person."""

    def create_account(self, new_account: NewAccount) -> AccountData:
        if new_account.may_exist:
            account = self._made_before(new_account)
            if account is not None:
                return account
        user = self._user_of(new_account)
        first, _space, last = new_account.name.partition(" ")
        body = {
            "group": new_account.group,
            "leverageRatioPercent": new_account.leverage * self.config.leverage_unit,
            "accessRight": access.FULL,
            "accountType": "DEMO" if matches(self.config.demo_groups, new_account.group) else "REAL",
            "accountDetails": {
                "firstName": first,
                "lastName": last or first,
                "email": new_account.email,
                "addressDetails": {"country": new_account.country},
            },
            "remarks": new_account.reference,
        }
        answer = self.client.write("new_account", body, user=user)
        self._listing.forget()
        login = rows.text((answer or {}).get("login")) if isinstance(answer, Mapping) else ""
        if login:
            made = self.read_account(login)
        else:
            made = self._made_before(new_account)
        if made is None:
            raise OutcomeUnknown("the new account is not listed yet", command="new_account")
        return made

    def _made_before(self, new_account: NewAccount) -> AccountData | None:
        """Find the account of this group whose remarks are our reference. Raises: FinalError when there are several."""
        listed = self.listing(group=new_account.group).values()
        same = [row for row in listed if rows.text(row.get("remarks")) == new_account.reference]
        if len(same) > 1:
            logins = ", ".join(rows.text(row["login"]) for row in same)
            raise FinalError(
                f"several accounts carry the reference {new_account.reference}: {logins}", command="accounts"
            )
        return self._account(same[0]) if same else None

    def _user_of(self, new_account: NewAccount) -> str:
        """Find or make the user account of this e-mail address; one that exists keeps its password."""
        if not new_account.email:
            raise FinalError("an account on this platform needs the client's e-mail address", command="users")
        try:
            user = self.client.read("user_by_email", email=new_account.email)
        except FinalError as problem:
            if not is_missing(problem):
                raise
            user = None
        if user is None:
            user = self.client.write("users", {"email": new_account.email, "password": new_account.main_password})
        try:
            return rows.text(user["uuid"])
        except (KeyError, TypeError) as problem:
            raise OutcomeUnknown("the user account's answer can't be read", command="users") from problem

    def _account(self, row: Mapping[str, Any]) -> AccountData:
        with reading("account"):
            return rows.account_from(row, leverage_unit=self.config.leverage_unit)

    # -- reading

    def read_account(self, login: str) -> AccountData | None:
        row = self.account_row(login)
        return None if row is None else self._account(row)

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        return [self._account(row) for row in self.rows_of(logins)]

    def rows_of(self, logins: Sequence[str]) -> list[Mapping[str, Any]]:
        """Read a few accounts one by one, as they are now; many from the list."""
        if len(logins) <= ONE_BY_ONE_MAX:
            return [row for row in map(self.account_row, logins) if row is not None]
        listed = self.listing(fresh=False)
        return [listed[login] for login in logins if login in listed]

    def is_archived(self, login: str) -> bool:
        """Answer no: there is no archive that could be asked."""
        return False

    def logins(self, mask: str) -> list[str]:
        names = set(self.group_names(mask))
        return [login for login, row in self.listing().items() if rows.text(row.get("group")) in names]

    # -- changing

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        """Read, send with the version that was read, and again while somebody else was quicker, a few times.

        A refusal of a version that is still the account's is a refusal of the change itself.
        """
        row = self._existing(login)
        for attempt in range(ATTEMPTS_MAX):
            changes: dict[str, Any] = {"group": group} if group else {}
            if leverage is not None:
                changes["leverageRatioPercent"] = leverage * self.config.leverage_unit
            now = rows.text(row.get("accessRight"))
            if rights and (word := access.word_for(now, rights)) != now:
                changes["accessRight"] = word
            if not changes:
                break
            try:
                self.client.write("account", {**changes, "version": row.get("version")}, method="PATCH", login=login)
                break
            except FinalError as problem:
                before, row = row, self._existing(login)
                if problem.code not in MISMATCH or row.get("version") == before.get("version"):
                    raise
                if attempt == ATTEMPTS_MAX - 1:
                    raise FinalError(
                        f"somebody else changed the account {ATTEMPTS_MAX} times meanwhile",
                        command="account",
                        code=problem.code,
                    ) from problem
        self._listing.forget()
        return self._account(self._existing(login))

    def _existing(self, login: str) -> Mapping[str, Any]:
        row = self.account_row(login)
        if row is None:
            raise FinalError("the account is not on the server", command="account", code=404)
        return row

    def disable_account(self, login: str) -> AccountData:
        return self.update_account(login, rights={Right.SIGN_IN: False, Right.TRADE: False})

    # -- passwords

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool:
        raise FinalError("the interface has no way to check a password", command="password")

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None:
        """Change the owner's password, which is one for all their accounts. There is none for investors."""
        if investor:
            raise FinalError("the platform has no investor password", command="password")
        row = self._existing(login)
        owner = rows.text(row.get("userAccountUuid")) or self._owner_of(row)
        self.client.write("password", {"newPassword": password}, user=owner)

    def _owner_of(self, row: Mapping[str, Any]) -> str:
        """Find an account's owner by e-mail address, where the account does not name the user account."""
        email = rows.text((row.get("accountDetails") or {}).get("email"))
        if not email:
            raise FinalError("the account has no owner", command="account")
        user = self.client.read("user_by_email", email=email)
        with reading("user_by_email"):
            return rows.text(user["uuid"])
