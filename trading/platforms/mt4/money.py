"""Money: balance operations under our reference, their look-up, and what accounts are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.core import clock
from trading.platforms.aside import UNREADABLE
from trading.platforms.base import AccountMoney, BalanceKind, DealData
from trading.platforms.errors import FinalError, OutcomeUnknown, ReadTimedOut
from trading.platforms.mt4 import text, units
from trading.platforms.mt4.accounts import AccountsPart
from trading.platforms.mt4.answers import DAY_MSC, HOUR_MSC
from trading.platforms.mt4.client import Work
from trading.platforms.mt4.rows import BALANCE, CREDIT, command_of, money_of
from trading.platforms.references import LOOK_BACK, is_reference

COMMANDS: Final = {BalanceKind.BALANCE: "Balance", BalanceKind.CREDIT: "Credit"}


class MoneyPart(AccountsPart):
    """A balance operation is sent once and never repeated here."""

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Book money, with our reference as its comment and, with the login, its Idempotency-Key: one key books once.

        The server has balance and credit only: bonus and corrections are refused. It checks free margin itself.
        """
        if kind not in COMMANDS:
            raise FinalError(f"this server books balance and credit, no {kind.value}", command="TradeTransaction")
        if not text.is_reference(reference):
            raise FinalError("the reference does not fit into an order's comment", command="TradeTransaction")
        if not units.is_sum(amount):
            raise FinalError(
                "the amount is zero, too large, or has more than two decimal places", command="TradeTransaction"
            )
        body = {
            "tradeTransactionType": "BrBalance",
            "tradeCommand": COMMANDS[kind],
            "orderBy": int(login),
            "price": amount,
            "comment": reference,
        }
        answer = self.client.write("TradeTransaction", body=body, work=Work.TRADE, key=f"{login}:{reference}")
        try:
            order = units.whole(answer["order"])
        except (*UNREADABLE, AttributeError) as problem:
            raise OutcomeUnknown("the answer has no order number", command="TradeTransaction") from problem
        if order <= 0:
            raise OutcomeUnknown("the answer has no order number", command="TradeTransaction")
        return order

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        """Search the account's closed rows; an hour more on both sides covers the day on which the server's clock jumps."""
        first = clock.to_server_seconds(since - LOOK_BACK, self.habits.zone) * 1000 - HOUR_MSC
        query = [("fromTime", self._time(first)), ("toTime", self._time(first + 370 * DAY_MSC))]
        rows = self._rows("TradesUserHistory", login, query=query, work=Work.HISTORY)
        try:
            money = [row for row in rows if command_of(row) in (BALANCE, CREDIT)]
        except UNREADABLE as problem:
            raise ReadTimedOut("an order can't be read", command="TradesUserHistory") from problem
        return [
            deal
            for deal in self._deals(money, command="TradesUserHistory")
            if deal.profit == amount and is_reference(deal.comment, reference)
        ]

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]:
        """Read user records by login, and the margin list of everybody with open trades: a few requests for any number."""
        if not logins:
            return []
        users = list(self._rows_of("UserRecordsRequest", "logins", logins))
        return list(self._with_margins(users))

    def group_money(self, mask: str) -> Iterator[AccountMoney]:
        yield from self._with_margins(self._users(mask))

    def _with_margins(self, users: Sequence[Mapping[str, Any]]) -> Iterator[AccountMoney]:
        try:
            margins = {units.whole(row["login"]): row for row in self._rows("MarginsGet")}
            for user in users:
                yield money_of(user, margins.get(units.whole(user["login"])))
        except UNREADABLE as problem:
            raise ReadTimedOut("an account's money can't be read", command="MarginsGet") from problem
