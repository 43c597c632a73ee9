"""Money: booked by the broker's own call, found again among the account's monetary transactions by our reference."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from trading.platforms.base import AccountMoney, BalanceKind, DealData
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformError, ReadTimedOut
from trading.platforms.references import LOOK_BACK, is_reference
from trading.platforms.sirix.rows import BALANCE, BONUS, CORRECTION, CREDIT
from trading.platforms.sirix.status import STATUS, StatusPart, readable

MONEY: Final = "CreateMonetaryTransaction"
REFERENCE_CHARS_MAX: Final = 31  # not known for Sirix: what every other platform takes
AMOUNT_MAX: Final = Decimal(1_000_000_000)
MONEY_ACTIONS: Final = frozenset({BALANCE, CREDIT, CORRECTION, BONUS})
MONEY_SECONDS: Final = 60.0


class MoneyPart(StatusPart):
    """A balance operation is sent once and never repeated here. No public description of the call is known."""

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Book money; the platform itself decides about margin.

        The ticket is that of the transaction which then appears in the account: the call's answer has none that could
        be found again.
        """
        call = self.client.config.money
        if not call.path:
            raise FinalError("no call that moves money is set for this server", command=MONEY, code=0)
        if kind != BalanceKind.BALANCE:
            raise FinalError("of Sirix only deposits and withdrawals are known", command=MONEY, code=0)
        if not 0 < len(reference) <= REFERENCE_CHARS_MAX:
            raise FinalError("the reference is empty or too long for a comment", command=MONEY, code=0)
        if not amount or abs(amount) > AMOUNT_MAX:
            raise FinalError("the amount is zero or above any limit", command=MONEY, code=0)
        started = dt.datetime.now(dt.UTC)
        answer = self.client.write(MONEY, call.path, call.body(login, amount, reference))
        self.looks.forget(login)
        result = call.result_text(answer)
        if not result:
            raise OutcomeUnknown(f"the answer has no {call.answer}", command=MONEY)
        if result != call.done:
            raise FinalError(f"refused: {result[:100]}", command=MONEY, code=200)
        return self._ticket(login, amount, reference, started)

    def _ticket(self, login: str, amount: Decimal, reference: str, since: dt.datetime) -> int:
        """Find the booked operation's number: only what appears among the transactions has one."""
        try:
            deals = self.find_operations(login, amount, reference, since=since)
        except PlatformError as problem:
            raise OutcomeUnknown(f"booked, and not seen yet: {problem.message}", command=MONEY) from problem
        if len(deals) != 1:
            raise OutcomeUnknown(f"booked, and {len(deals)} transactions carry the reference", command=MONEY)
        return deals[0].ticket

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        since = since - LOOK_BACK
        status = self.status(login, history=True, since=since)
        if status is None:
            return []
        with readable():
            booked = self.reader.deals(login, [], [], status.money)
        return [
            deal
            for deal in booked
            if deal.action in MONEY_ACTIONS
            and deal.profit == amount
            and deal.executed_at >= since
            and is_reference(deal.comment, reference)
        ]

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]:
        """Read accounts' money. Raises: ReadTimedOut when there is not time for all: none is to count as missing."""
        seen, round_seconds = self.looks.of(logins), self.round_seconds(len(logins))
        stale = [
            login for login in self.by_turn(logins) if login not in seen or not seen[login].is_fresh(round_seconds)
        ]
        for login in self.each(stale, seconds=MONEY_SECONDS):
            seen[login] = self.look(login, self.status(login))
        if len(seen) < len(set(logins)):
            raise ReadTimedOut("there was no time to ask for every account", command=STATUS)
        return [look.money for login in logins if (look := seen[login]).money is not None]

    def group_money(self, mask: str) -> Iterable[AccountMoney]:
        return iter(self.account_money(self.in_mask(mask)))
