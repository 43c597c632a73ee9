"""Accounts: made once with their cTID, read, changed, disabled; their passwords, which are never kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from trading.platforms.base import AccountData, NewAccount, Right
from trading.platforms.ctrader import codes, units
from trading.platforms.ctrader.parts import TRADERS
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.roll import RollPart
from trading.platforms.ctrader.rows import ACCESS, ALLOWED, FULL_ACCESS, NO_LOGIN, access_with
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.masks import matches

logger = logging.getLogger(__name__)
SINGLE_MAX: Final = 3  # accounts that are asked for one by one; more by one list
SEARCH: Final = dt.timedelta(days=60)  # how long ago an unanswered attempt may have made an account
CHANGE_ATTEMPTS: Final = 3
ALREADY_LINKED: Final = "CH_CTID_TRADER_ACCOUNT_ALREADY_EXISTS"
MASTER_ONLY: Final = "cTrader has no investor password"


class AccountsPart(RollPart):
    """The platform chooses the login; our reference stands in the account's description."""

    # -- making -------------------------------------------------------------------------------------------------------

    def create_account(self, new_account: NewAccount) -> AccountData:
        """Make the trader, then the cTID, then the link between them.

        Without the last two nobody could sign in: when they fail the trader is disabled again, and a repeat finds it by our
        reference, gives it the new password and goes on from there. Raises: FinalError, NotStarted, OutcomeUnknown,
        PlatformBusy.
        """
        account = self._find(new_account.reference) if new_account.may_exist else None
        if account is None:
            made = self._make(new_account)
        else:
            change = {"hashedPassword": units.password_hash(new_account.main_password), "accessRights": FULL_ACCESS}
            self._patch(account.login, change)
            made = replace(account, rights=ACCESS.index(FULL_ACCESS), allowed=ALLOWED[FULL_ACCESS])
        if self.config.links_ctid and new_account.email:
            self._link_or_disable(made.login, new_account)
        return made

    def _make(self, new_account: NewAccount) -> AccountData:
        first, _space, last = new_account.name.strip().rpartition(" ")
        body: dict[str, Any] = {
            "accessRights": FULL_ACCESS,
            "accountType": self.config.account_type,
            "balance": 0,
            "brokerName": self.config.broker,
            "depositCurrency": new_account.currency or self._currency_of(new_account.group),
            "groupName": new_account.group,
            "hashedPassword": units.password_hash(new_account.main_password),
            "leverageInCents": new_account.leverage * 100,
            "totalMarginCalculationType": "MAX",
            "name": units.text(first),
            "lastName": units.text(last),
            "contactDetails": {"email": new_account.email} if new_account.email else {},
            "description": new_account.reference,
            "isLimitedRisk": False,
            "sendOwnStatement": False,
            "sendStatementToBroker": False,
        }
        answer = self.rest.write("TRADER_ADD", "POST", TRADERS, body)
        try:
            return self._account("TRADER_ADD", {**body, **answer})
        except (TypeError, PlatformError) as problem:
            raise OutcomeUnknown(f"the new account's data can't be read ({problem})", command="TRADER_ADD") from None

    def _currency_of(self, group: str) -> str:
        """Find the currency that the accounts of a group have in common. Raises: FinalError."""
        match = next((row for row in self.groups() if row.name == group), None)  # type: ignore[attr-defined]
        if match is None or not match.currency:
            raise FinalError("the account's currency is not given, and its group has none", command="TRADER_ADD")
        return str(match.currency)

    def _find(self, reference: str) -> AccountData | None:
        """Find the account that an earlier attempt made. Raises: NotStarted where that can't be known now."""
        now = dt.datetime.now(dt.UTC)
        first, last = now - SEARCH, now + dt.timedelta(days=1)
        try:
            if not self.manager.is_there:
                listed = (self._account("TRADERS", row) for row in self._registered_in(first, last))
                return next((account for account in listed if account.reference == reference), None)
            traders = self.manager.pages(
                lambda start, end: pb.ProtoTraderListReq(fromTimestamp=start, toTimestamp=end),
                pb.ProtoTraderListRes,
                "trader",
                lambda row: row.registrationTimestamp,
                lambda row: row.traderId,
                units.milliseconds(first),
                units.milliseconds(last),
            )
            for row in traders:
                if row.description == reference and not row.deleted:
                    self.directory.note(row)
                    return self.read_account(str(row.login))
        except ReadTimedOut as problem:
            message = f"whether the account is there already can't be told now ({problem})"
            raise NotStarted(message, command="TraderList", code=problem.code) from None
        return None

    def _link_or_disable(self, login: str, new_account: NewAccount) -> None:
        try:
            self._link(login, new_account)
        except PlatformError as problem:
            with contextlib.suppress(PlatformError):  # a repeat or a person finds it as it is
                self._patch(login, {"accessRights": NO_LOGIN})
            message = f"the account {login} was made and disabled again: its cTID could not be linked ({problem})"
            kind = FinalError if isinstance(problem, FinalError) else OutcomeUnknown
            raise kind(message, command=problem.command, code=problem.code) from None

    def _link(self, login: str, new_account: NewAccount) -> None:
        """Link the account to its e-mail's cTID, made where there is none; a link that exists already is no error."""
        person = self.rest.write(
            "CTID_CREATE",
            "POST",
            "/cid/ctid/create",
            {
                "email": new_account.email,
                "brokerName": self.config.broker,
                **({"preferredLanguage": new_account.language} if new_account.language else {}),
            },
        )
        if not isinstance(person, dict) or "userId" not in person:
            raise OutcomeUnknown("the answer names no cTID", command="CTID_CREATE")
        try:
            self.rest.write(
                "CTID_LINK",
                "POST",
                "/cid/ctid/link",
                {
                    "traderLogin": int(login),
                    "traderPasswordHash": units.password_hash(new_account.main_password),
                    "userId": person["userId"],
                    "brokerName": self.config.broker,
                    "environmentName": self.config.environment,
                    "returnAccountDetails": True,
                },
            )
        except FinalError as problem:
            if ALREADY_LINKED not in problem.message:
                raise

    # -- reading ------------------------------------------------------------------------------------------------------

    def read_account(self, login: str) -> AccountData | None:
        row = self._row(login)
        return None if row is None else self._account("TRADER_GET", row)

    def _rows_of(self, logins: Sequence[str]) -> Iterator[Any]:
        """Read some accounts: a few one by one, many from the list."""
        if len(logins) <= SINGLE_MAX:
            return (row for row in map(self._row, logins) if row is not None)
        return self._from_list(logins)

    def read_accounts(self, logins: Sequence[str]) -> list[AccountData]:
        return [self._account("TRADERS", row) for row in self._rows_of(logins)]

    def is_archived(self, login: str) -> bool:
        """Answer no: cTrader deletes accounts, and keeps no list of those."""
        return False

    def logins(self, mask: str) -> list[str]:
        return [str(row["login"]) for row in self._everyone() if matches(mask, str(row.get("groupName") or ""))]

    # -- changing -----------------------------------------------------------------------------------------------------

    def update_account(
        self, login: str, *, group: str = "", leverage: int | None = None, rights: Mapping[Right, bool] | None = None
    ) -> AccountData:
        """Change an account, under the version that was read where the Manager API has one: no other change is overwritten."""
        if self.manager.is_there:
            self._update_versioned(login, group, leverage, rights)
        else:
            self._update_plainly(login, group, leverage, rights)
        return self._existing(login)

    def _update_versioned(
        self, login: str, group: str, leverage: int | None, rights: Mapping[Right, bool] | None
    ) -> None:
        """Change an account; one that met somebody else's change is read and tried again, three times in all."""
        for attempt in range(CHANGE_ATTEMPTS):
            now = self._trader_row(self._trader(login))
            then = pb.ProtoTrader(
                traderId=now.traderId, login=now.login, groupId=now.groupId, balance=now.balance, version=now.version
            )
            was = ACCESS[now.accessRights] if now.accessRights < len(ACCESS) else FULL_ACCESS
            access = access_with(was, rights) if rights else was
            if group:
                then.groupId = self.directory.group_id(group)
            if leverage is not None:
                then.leverageInCents = leverage * 100
            if access != was:
                then.accessRights = ACCESS.index(access)
            request = pb.ProtoCrudTraderReq(operation=pb.PROTO_UPDATE_DIFF, trader=then, validateVersion=True)
            try:
                self.manager.write(request, pb.ProtoCrudTraderRes)
                return
            except PlatformBusy as problem:
                if problem.code != codes.CODES["CONCURRENT_MODIFICATION"] or attempt == CHANGE_ATTEMPTS - 1:
                    raise

    def _update_plainly(
        self, login: str, group: str, leverage: int | None, rights: Mapping[Right, bool] | None
    ) -> None:
        change: dict[str, object] = {}
        if group:
            change["groupName"] = group
        if leverage is not None:
            change["leverageInCents"] = leverage * 100
        if rights:
            number = self._existing(login).rights
            now = ACCESS[number] if number < len(ACCESS) else FULL_ACCESS
            if (access := access_with(now, rights)) != now:
                change["accessRights"] = access
        if change:
            self._patch(login, change)

    def _patch(self, login: str, change: Mapping[str, object]) -> None:
        self.rest.write("TRADER_PATCH", "PATCH", f"{TRADERS}/{login}", change)

    def _existing(self, login: str) -> AccountData:
        account = self.read_account(login)
        if account is None:
            raise FinalError("the account is not on the server (TRADER_NOT_FOUND)", command="TRADER_GET", code=11)
        return account

    def disable_account(self, login: str) -> AccountData:
        return self.update_account(login, rights={Right.SIGN_IN: False, Right.TRADE: False})

    def check_password(self, login: str, password: str, *, investor: bool = False) -> bool:
        """Check the master password's hash, by the Manager API."""
        if investor:
            raise FinalError(MASTER_ONLY, command="CheckTraderPassword")
        self._needs_manager("CheckTraderPassword")
        trader = self._trader(login)
        request = pb.ProtoCheckTraderPasswordReq(
            traderId=trader.trader_id, login=int(login), passwordHash=units.password_hash(password)
        )
        try:
            self.manager.read(request, pb.ProtoCheckTraderPasswordRes)
        except FinalError as problem:
            if problem.code == codes.CODES["WRONG_PASSWORD"]:
                return False
            raise
        return True

    def change_password(self, login: str, password: str, *, investor: bool = False) -> None:
        """Change the account's own password (FIX and older sign-ins); those who sign in by cTID have theirs at cTrader."""
        if investor:
            raise FinalError(MASTER_ONLY, command="TRADER_PATCH")
        self._patch(login, {"hashedPassword": units.password_hash(password)})
