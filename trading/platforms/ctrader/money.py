"""Money: deposits, withdrawals, credit and bonus under our reference, their look-up, and what accounts are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.platforms.aside import each_row
from trading.platforms.base import AccountMoney, BalanceKind, DealData
from trading.platforms.ctrader import units
from trading.platforms.ctrader.accounts import AccountsPart
from trading.platforms.ctrader.directory import Trader, is_in
from trading.platforms.ctrader.parts import DAY_MSC, TRADERS
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.rows import (
    CORRECTION_SOURCE,
    DEPOSIT,
    DEPOSIT_CREDIT,
    SOURCE,
    WITHDRAW,
    WITHDRAW_CREDIT,
    balance_from,
    bonus_from,
    money_from,
)
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.references import LOOK_BACK, is_reference

AMOUNT_MAX: Final = Decimal(1_000_000_000)
COMMAND: Final = "CHANGEBALANCE"
# By kind and direction: the type in WebServices and in the Manager API.
TYPES: Final[Mapping[tuple[BalanceKind, bool], tuple[str, int]]] = {
    (BalanceKind.BALANCE, True): ("DEPOSIT", DEPOSIT),
    (BalanceKind.BALANCE, False): ("WITHDRAW", WITHDRAW),
    (BalanceKind.CORRECTION, True): ("DEPOSIT", DEPOSIT),
    (BalanceKind.CORRECTION, False): ("WITHDRAW", WITHDRAW),
    (BalanceKind.CREDIT, True): ("DEPOSIT_NONWITHDRAWABLE_BONUS", DEPOSIT_CREDIT),
    (BalanceKind.CREDIT, False): ("WITHDRAW_NONWITHDRAWABLE_BONUS", WITHDRAW_CREDIT),
}


class MoneyPart(AccountsPart):
    """A change is sent once. Our reference is its `externalId`, which the balance history tells again; a bonus has none, so
    there it is the comment. What can't be looked up afterwards is not sent: without the Manager API no money is moved."""

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Book money once, through the interface that the server's settings name. Raises: the five errors but ReadTimedOut."""
        self._needs_manager(COMMAND)
        if not units.reference_fits(reference):
            raise FinalError("the reference is too long or has odd characters", command=COMMAND)
        if not amount or abs(amount) > AMOUNT_MAX:
            raise FinalError("the amount is zero or above the limit", command=COMMAND)
        if kind == BalanceKind.BONUS:
            return units.BONUS_TICKETS + self._change_bonus(login, amount, reference)
        source = CORRECTION_SOURCE if kind == BalanceKind.CORRECTION else SOURCE
        word, number = TYPES[kind, amount > 0]
        if self.config.money_by_manager:
            return units.BALANCE_TICKETS + self._by_manager(login, number, amount, reference, source)
        body = {
            "login": int(login),
            "preciseAmount": abs(amount),
            "type": word,
            "comment": reference,
            "externalId": reference,
            "source": source,
        }
        answer = self.rest.write(COMMAND, "POST", f"{TRADERS}/{login}/changebalance", body)
        try:
            return units.BALANCE_TICKETS + int(answer["balanceHistoryId"])
        except (KeyError, ValueError, TypeError):
            raise OutcomeUnknown("the answer names no balanceHistoryId", command=COMMAND) from None

    def _units(self, trader: Trader, amount: Decimal) -> int:
        """Convert an amount to the smallest units of the account's currency. Raises: FinalError for one with more digits."""
        asset = self.directory.assets().get(trader.asset_id)
        try:
            return units.smallest_units(abs(amount), asset.digits if asset else units.MONEY_DIGITS)
        except ValueError as problem:
            raise FinalError(str(problem), command=COMMAND) from None

    def _by_manager(self, login: str, number: int, amount: Decimal, reference: str, source: str) -> int:
        trader, whole = self._prepared(login, amount)
        request = pb.ProtoChangeBalanceReq(
            traderId=trader.trader_id,
            amount=whole,
            comment=reference,
            type=number,
            source=source,
            externalId=reference,
            newWay=True,
        )
        return self.manager.write(request, pb.ProtoChangeBalanceRes).balanceHistoryId

    def _change_bonus(self, login: str, amount: Decimal, reference: str) -> int:
        trader, whole = self._prepared(login, amount)
        request = pb.ProtoManagerChangeBonusReq(
            traderId=trader.trader_id,
            amount=whole,
            comment=reference,
            newWay=True,
            type=pb.BONUS_DEPOSIT if amount > 0 else pb.BONUS_WITHDRAW,
        )
        return self.manager.write(request, pb.ProtoManagerChangeBonusRes).bonusHistoryId

    def _prepared(self, login: str, amount: Decimal) -> tuple[Trader, int]:
        """Look up account and amount as the Manager API takes them, before money is sent: without an answer nothing was started.

        Raises: FinalError, NotStarted, PlatformBusy.
        """
        try:
            trader = self._trader(login)
            return trader, self._units(trader, amount)
        except ReadTimedOut as problem:
            raise NotStarted(f"the account could not be looked up ({problem})", command=COMMAND) from None

    # -- look up ------------------------------------------------------------------------------------------------------

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        """Search both ledgers. A manager's change of the comment hides nothing: `externalId` stays."""
        self._needs_manager("BalanceHistoryList")
        trader = self._trader(login)
        first = units.milliseconds(since - LOOK_BACK)
        deals = self._ledgers(trader.trader_id, first, first + 370 * DAY_MSC)
        return [deal for deal in deals if deal.profit == amount and _is_reference(deal, reference)]

    def _ledgers(
        self, trader_id: int | None, from_msc: int, to_msc: int, *, groups: set[int] | None = None
    ) -> Iterator[DealData]:
        """Yield balance history and bonus history, of one account, of some groups or of all.

        Rows of accounts that we may not see keep a number.
        """
        whose = {} if trader_id is None else {"traderId": trader_id}
        balance = list(
            self.manager.pages(
                lambda first, last: pb.ProtoBalanceHistoryListReq(fromTimestamp=first, toTimestamp=last, **whose),
                pb.ProtoBalanceHistoryListRes,
                "depositWithdraw",
                lambda row: row.changeBalanceTimestamp,
                lambda row: row.balanceHistoryId,
                from_msc,
                to_msc,
            )
        )
        bonus = list(
            self.manager.pages(
                lambda first, last: pb.ProtoBonusHistoryListReq(fromTimestamp=first, toTimestamp=last, **whose),
                pb.ProtoBonusHistoryListRes,
                "bonusDepositWithdraw",
                lambda row: row.changeBonusTimestamp,
                lambda row: row.bonusHistoryId,
                from_msc,
                to_msc,
            )
        )
        owners = self.directory.named(row.traderId for row in (*balance, *bonus))
        for row in (*balance, *bonus):
            owner = owners.get(row.traderId)
            tell = balance_from if isinstance(row, pb.ProtoDepositWithdraw) else bonus_from
            deal = None
            with each_row(row):
                deal = tell(row, owner)
            if is_in(owner, groups) and deal is not None:
                yield deal

    # -- what accounts are worth --------------------------------------------------------------------------------------

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]:
        return [_money(row) for row in self._rows_of(logins)]

    def group_money(self, mask: str) -> Iterator[AccountMoney]:
        for row in self._everyone():
            if matches(mask, str(row.get("groupName") or "")):
                yield _money(row)


def _money(row: Mapping[str, Any]) -> AccountMoney:
    try:
        return money_from(row)
    except (KeyError, ValueError, TypeError, AttributeError) as problem:
        raise ReadTimedOut(f"an account's money can't be read ({problem!r})", command="TRADERS") from None


def _is_reference(deal: DealData, reference: str) -> bool:
    """Compare our `externalId`; where there is none, the comment or what a manager left of it."""
    if deal.raw.get("externalId"):
        return bool(deal.raw["externalId"] == reference)
    return is_reference(deal.comment, reference)
