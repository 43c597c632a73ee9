"""Money: balance operations that carry our reference in their comment, their look-up in the ledger, what accounts are worth."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from trading.platforms.aside import read_each
from trading.platforms.base import AccountMoney, BalanceKind, DealData
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformError
from trading.platforms.matchtrader import rows
from trading.platforms.matchtrader.accounts import ONE_BY_ONE_MAX, AccountsPart
from trading.platforms.matchtrader.parts import reading
from trading.platforms.references import LOOK_BACK, is_reference

AHEAD_MSC: Final = 86_400_000
REFERENCE_CHARS_MAX: Final = 31
AMOUNT_MAX: Final = Decimal(1_000_000_000)
LEDGER_WAITS: Final = (0.0, 0.1, 0.4)  # seconds, for the ledger entry of what was just booked
COMMANDS: Final = {
    (BalanceKind.BALANCE, True): ("deposit", "NONE"),
    (BalanceKind.BALANCE, False): ("withdraw", "NONE"),
    (BalanceKind.CORRECTION, True): ("deposit", "CORRECTION"),
    (BalanceKind.CORRECTION, False): ("withdraw", "CORRECTION"),
    (BalanceKind.CREDIT, True): ("credit_in", ""),
    (BalanceKind.CREDIT, False): ("credit_out", ""),
}


class MoneyPart(AccountsPart):
    """A balance operation is sent once and never repeated here. It is answered without a number (204): the ticket is that of
    its ledger entry, looked up at once by our reference."""

    def balance_operation(
        self, login: str, kind: BalanceKind, amount: Decimal, reference: str, *, check_margin: bool = True
    ) -> int:
        """Book money. Raises OutcomeUnknown, too, when it was accepted and its ledger entry is missing (or there twice)."""
        if not reference or len(reference) > REFERENCE_CHARS_MAX or not reference.isascii():
            raise FinalError("the reference does not fit into a comment", command="deposit")
        if not amount or abs(amount) > AMOUNT_MAX:
            raise FinalError("the amount is zero or above what is believable", command="deposit")
        if (kind, amount > 0) not in COMMANDS:
            raise FinalError(f"the interface has no operation for a {kind.value}", command="deposit")
        command, more = COMMANDS[kind, amount > 0]
        started = dt.datetime.fromtimestamp(self.client.now_msc() / 1000, dt.UTC)
        if check_margin and command == "withdraw":
            self._check_free(login, -amount)
        body: dict[str, Any] = {"amount": abs(amount), "comment": reference}
        if more:
            body["additionalType"] = more
        self.client.write(command, body, login=login)
        return self._ticket_of(login, amount, reference, started)

    def _check_free(self, login: str, amount: Decimal) -> None:
        """Refuse a withdrawal of what is needed as margin: the platform's command has no such check."""
        money = self.account_money([login])
        if not money:
            raise FinalError("the account is not on the server", command="withdraw", code=404)
        if money[0].margin_free < amount:
            raise FinalError(f"only {money[0].margin_free} is free of margin", command="withdraw", code=400)

    def _ticket_of(self, login: str, amount: Decimal, reference: str, since: dt.datetime) -> int:
        deals: list[DealData] = []
        for wait in LEDGER_WAITS:
            time.sleep(wait)
            try:
                deals = self.find_operations(login, amount, reference, since=since)
            except PlatformError as problem:
                raise OutcomeUnknown(
                    f"accepted; its ledger entry could not be read ({problem})", command="ledgers"
                ) from problem
            if deals:
                break
        if len(deals) != 1:
            raise OutcomeUnknown(f"accepted; {len(deals)} ledger entries carry its reference", command="ledgers")
        return deals[0].ticket

    def find_operations(self, login: str, amount: Decimal, reference: str, *, since: dt.datetime) -> list[DealData]:
        """Find ledger entries with our reference (or what is left of it) and the amount, not older than `since`."""
        window = {
            "from": rows.written(rows.msc_of(since - LOOK_BACK)),
            "to": rows.written(self.client.now_msc() + AHEAD_MSC),
        }
        deals = self.ledger_deals(self.per_logins("ledgers", [login], types=list(rows.MONEY_TYPES), **window))
        return [deal for deal in deals if deal.profit == amount and is_reference(deal.comment, reference)]

    def ledger_deals(self, answers: Iterable[Any]) -> list[DealData]:
        """Read entries of ledger lists, each as a deal of its own."""
        return self.entries_as_deals(ledger_rows(answers))

    def entries_as_deals(self, entries: Iterable[tuple[str, Mapping[str, Any]]]) -> list[DealData]:
        """Read ledger entries as deals. Raises: FinalError when two entries have one number."""
        with reading("ledgers"):
            made = list(read_each(lambda entry: rows.ledger_deal(entry[1], entry[0]), entries))
        deals = [deal for deal in made if deal is not None]
        for deal in deals:
            self.numbers.check(deal.ticket, str(deal.raw["id"]))
        return deals

    # -- what accounts are worth

    def account_money(self, logins: Sequence[str]) -> list[AccountMoney]:
        """Read the money of accounts: a few by request; many from the list, with what the equity stream has sent since."""
        with reading("accounts"):
            asked = [_money(row) for row in self.rows_of(logins)]
        return list(self._newest(asked)) if len(logins) > ONE_BY_ONE_MAX else asked

    def group_money(self, mask: str) -> Iterator[AccountMoney]:
        names = set(self.group_names(mask))
        listed = self.listing().values()
        with reading("accounts"):
            theirs = [_money(row) for row in listed if rows.text(row.get("group")) in names]
        yield from self._newest(theirs)

    def _newest(self, listed: Sequence[AccountMoney]) -> Iterator[AccountMoney]:
        """Bring listed money up to date: the stream is the newer one, and tells equity, balance and credit."""
        latest = self.streams.money([money.login for money in listed]) if self.streams is not None else {}
        for money in listed:
            yield rows.with_equity(money, latest[money.login]) if money.login in latest else money


def ledger_rows(answers: Iterable[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield login and entry of `[{login, group, operations: […]}]`."""
    for answer in answers:
        with reading("ledgers"):
            for account in answer:
                for row in account["operations"]:
                    yield rows.text(account["login"]), row


def _money(row: Mapping[str, Any]) -> AccountMoney:
    return rows.money_from(rows.text(row["login"]), row.get("financeInfo") or {})
