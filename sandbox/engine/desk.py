"""What dealers and administrators do behind a trader's back: edit and delete deals, archive and restore accounts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.engine.books import BONUS, CREDIT, Books, Refused

EDITABLE = frozenset({"Profit", "Commission", "Storage", "Fee", "Price", "Comment", "TimeMsc", "Action", "Symbol"})
MODIFIED_BY_DEALER = 0x1


def _worth(deal: dict[str, Any]) -> Decimal:
    return sum((Decimal(deal[name]) for name in ("Profit", "Commission", "Storage", "Fee")), Decimal(0))


class Desk:
    """The same rules of money as everywhere: an account follows what is done to its deals."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def edit_deal(self, ticket: int, changes: dict[str, str]) -> dict[str, Any]:
        """Correct a deal as a dealer does: the account follows the difference, the deal is marked as modified."""
        deal = self.books.store.deal(ticket)
        if deal is None:
            raise Refused(13)
        if unknown := changes.keys() - EDITABLE:
            raise Refused(3) from KeyError(*unknown)
        after = {**deal, **{key: str(value) for key, value in changes.items()}}
        after["Time"] = str(int(after["TimeMsc"]) // 1000)
        after["ModificationFlags"] = str(int(deal["ModificationFlags"]) | MODIFIED_BY_DEALER)
        with self.books.store.transaction():
            self.books.store.change_deal(after)
            self._follow(after, _worth(after) - _worth(deal))
        return after

    def delete_deal(self, ticket: int) -> None:
        """Delete a deal as a dealer does: it is gone from every answer, and what it was worth from the account."""
        deal = self.books.store.deal(ticket)
        if deal is None:
            raise Refused(13)
        with self.books.store.transaction():
            self.books.store.delete_deal(ticket)
            self._follow(deal, -_worth(deal))

    def _follow(self, deal: dict[str, Any], change: Decimal) -> None:
        user = self.books.store.users.get(int(deal["Login"]))
        if user is None:
            return
        if int(deal["Action"]) in (CREDIT, BONUS):
            self.books.store.save_user(replace(user, credit=user.credit + change))
        else:
            self.books.store.save_user(replace(user, balance=user.balance + change))

    def check_balance(self, login: int, *, fix: bool = False) -> dict[str, str]:
        """Compare the account with the sum of its deals. `fix` sets the account to that sum."""
        user = self.books.user(login)
        balance = credit = Decimal(0)
        for _owner, deal in self.books.store.deals_between(0, 2**62, login):
            if int(deal["Action"]) in (CREDIT, BONUS):
                credit += _worth(deal)
            else:
                balance += _worth(deal)
        shown = {
            "Login": str(login),
            "BalanceUser": str(user.balance),
            "BalanceHistory": str(balance),
            "CreditUser": str(user.credit),
            "CreditHistory": str(credit),
        }
        if fix and (balance, credit) != (user.balance, user.credit):
            with self.books.store.transaction():
                self.books.store.save_user(replace(user, balance=balance, credit=credit))
        return shown

    def archive(self, login: int) -> None:
        """Move an account without positions to the archive: it vanishes from every list, its deals stay."""
        self.books.user(login)
        if self.books.store.positions_of(login):
            raise Refused(3008)
        with self.books.store.transaction():
            self.books.store.archive_user(login)
        self.books.active.discard(login)

    def restore(self, login: int) -> None:
        """Bring an account back from the archive, with a new time of last access."""
        with self.books.store.transaction():
            if not self.books.store.restore_user(login, self.books.clock.now()):
                raise Refused(13)
