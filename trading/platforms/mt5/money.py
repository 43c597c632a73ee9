"""Money: balance operations under our reference, their look-up, and what accounts are worth."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

from trading.choices import DealAction
from trading.core import clock
from trading.platforms.base import AccountMoney, BalanceKind, DealData
from trading.platforms.errors import FinalError, OutcomeUnknown
from trading.platforms.mt5 import units, wire
from trading.platforms.mt5.answers import DAY_MSC, HOUR_MSC, LOGINS_PER_REQUEST, Answers
from trading.platforms.mt5.rows import idle_money_from, money_from
from trading.platforms.references import LOOK_BACK, is_reference

KINDS: Final = {
    BalanceKind.BALANCE: DealAction.BALANCE,
    BalanceKind.CREDIT: DealAction.CREDIT,
    BalanceKind.BONUS: DealAction.BONUS,
    BalanceKind.CORRECTION: DealAction.CORRECTION,
}
MONEY_ACTIONS: Final = frozenset(range(DealAction.BALANCE, DealAction.BONUS + 1))


class MoneyPart(Answers):
    """A balance operation is sent once and never repeated here."""

    @abstractmethod
    def deals_of(self, login: str, *, from_msc: int, to_msc: int) -> Iterable[DealData]: ...

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Book money. Sent once; a reference that the server would cut is refused here, before anything moves."""
        if not units.reference_fits(reference):
            raise FinalError("the reference does not fit into a deal's comment", command=self.balance_command)
        if not amount or abs(amount) > units.AMOUNT_MAX:
            raise FinalError("the amount is zero or above the server's limit", command=self.balance_command)
        answer = self.client.write(
            self.balance_command,
            {
                "LOGIN": login,
                "TYPE": int(KINDS[kind]),
                "BALANCE": f"{amount:f}",
                "COMMENT": reference,
                "CHECK_MARGIN": int(check_margin),
            },
        )
        try:
            return answer.number("TICKET")
        except wire.WireError as problem:
            raise OutcomeUnknown(str(problem), command=self.balance_command) from problem

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        """Find our operation; an hour more on both sides covers the day on which the server's clock jumps."""
        from_msc = clock.to_server_seconds(since - LOOK_BACK, self.zone) * 1000 - HOUR_MSC
        deals = self.deals_of(login, from_msc=from_msc, to_msc=from_msc + 370 * DAY_MSC)
        return [
            deal
            for deal in deals
            if deal.action in MONEY_ACTIONS and deal.profit == amount and is_reference(deal.comment, reference)
        ]

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]:
        """Read accounts' money; those idle since the server's start are not in its list: theirs is read from the user."""
        money: list[AccountMoney] = []
        for start in range(0, len(logins), LOGINS_PER_REQUEST):
            part = logins[start : start + LOGINS_PER_REQUEST]
            rows = self._rows_or_none("USER_ACCOUNT_GET_BATCH", {"LOGIN": ",".join(part)})
            active = {str(units.whole(row["Login"])): money_from(row) for row in rows}
            idle = [login for login in part if login not in active]
            rows = self._rows_or_none("USER_GET_BATCH", {"LOGIN": ",".join(idle)}) if idle else []
            money += [*active.values(), *map(idle_money_from, rows)]
        return money

    def group_money(self, mask: str) -> Iterator[AccountMoney]:
        """Read money with two requests for any number of accounts: those with activity, and the users for the idle ones."""
        active = set()
        for row in self._rows_or_none("USER_ACCOUNT_GET_BATCH", {"GROUP": mask}):
            money = money_from(row)
            active.add(money.login)
            yield money
        for row in self._rows_or_none("USER_GET_BATCH", {"GROUP": mask}):
            if str(units.whole(row["Login"])) not in active:
                yield idle_money_from(row)
