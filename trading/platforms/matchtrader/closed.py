"""Closed positions, and whose they are: the list's rows name no account.

A list of groups or of several accounts shows only whether something was closed. Whose it was follows from the ledger, which has
an entry of each closed position under its account; these accounts are then asked one at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trading.platforms.errors import ReadTimedOut
from trading.platforms.matchtrader import rows
from trading.platforms.matchtrader.money import MoneyPart
from trading.platforms.matchtrader.parts import NAMES_PER_REQUEST, reading

# A position closed at neither profit nor loss may have no entry: so many further accounts are asked for it.
FURTHER_MAX: Final = 200
Owned = tuple[str, Mapping[str, Any]]
"""A login and a row."""


class ClosedPart(MoneyPart):
    """Both methods return rows with their logins. Raises: ReadTimedOut also where a row's account isn't found."""

    def closed_of(self, logins: Sequence[str], **window: str) -> list[Owned]:
        """List what some accounts closed in a window."""
        closed: list[Owned] = []
        for start in range(0, len(logins), NAMES_PER_REQUEST):
            part = list(logins[start : start + NAMES_PER_REQUEST])
            closed += self._owned(self._closed({"logins": part}, window), {"logins": part}, part, window)
        return closed

    def closed_in(self, mask: str, **window: str) -> list[Owned]:
        """List what the accounts of groups closed in a window."""
        closed: list[Owned] = []
        names = self.group_names(mask)
        for start in range(0, len(names), NAMES_PER_REQUEST):
            part = names[start : start + NAMES_PER_REQUEST]
            if found := self._closed({"groups": part}, window):
                listed = self.listing(fresh=False).items()
                theirs = [login for login, row in listed if rows.text(row.get("group")) in part]
                closed += self._owned(found, {"groups": part}, theirs, window)
        return closed

    def _closed(self, whose: Mapping[str, Any], window: Mapping[str, str]) -> list[Mapping[str, Any]]:
        answer = self.ask("closed_positions", **whose, **window)
        with reading("closed_positions"):
            return list(answer["closedPositions"])

    def _owned(
        self, found: list[Mapping[str, Any]], whose: Mapping[str, Any], logins: Sequence[str], window: Mapping[str, str]
    ) -> list[Owned]:
        """Find whose the rows are. `logins`: who may have closed them; only an answer about one account needs no search."""
        if len(whose.get("logins", ())) == 1:
            return [(logins[0], row) for row in found]
        with reading("closed_positions"):
            if all(row.get("login") for row in found):
                return [(rows.text(row["login"]), row) for row in found]
            missing = Counter(map(_key, found))
        answer = self.ask("ledgers", types=[rows.CLOSED_POSITION], **whose, **window)
        with reading("ledgers"):
            likely = [rows.text(account["login"]) for account in answer if account["operations"]]
        owned: list[Owned] = []
        further = [login for login in logins if login not in set(likely)][:FURTHER_MAX]
        for login in (*likely, *further):
            if not +missing:
                break
            mine = self._closed({"logins": [login]}, window)
            owned += [(login, row) for row in mine]
            with reading("closed_positions"):
                missing.subtract(map(_key, mine))
        if left := +missing:
            raise ReadTimedOut(f"{left.total()} closed positions are no account's", command="closed_positions")
        return owned


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Tell one closing from another: the same position may be closed in parts."""
    return (rows.text(row["id"]), rows.closing_order(row), rows.text(row["closeTime"]), rows.spelled(row["volume"]))
