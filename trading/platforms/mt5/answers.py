"""What every part of the MT5 adapter builds on: its client, its clock's zone, and how an answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.core import clock
from trading.platforms.base import DealData
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.mt5 import retcodes, wire
from trading.platforms.mt5.commands import Mt5Commands
from trading.platforms.mt5.deal import deal_from, msc_of

DAY_MSC: Final = 86_400_000
HOUR_MSC: Final = 3_600_000
LOGINS_PER_REQUEST: Final = 400


class Answers:
    """An answer that can't be read is no answer: `ReadTimedOut`, as if it had never come."""

    def __init__(self, client: Mt5Commands, zone: ZoneInfo, *, balance_command: str = "TRADE_BALANCE") -> None:
        self.client, self.zone, self.balance_command = client, zone, balance_command

    def close(self) -> None:
        self.client.close()

    def _deal(self, row: Mapping[str, Any]) -> DealData:
        return deal_from(row, executed_at=clock.to_utc(msc_of(row, "Time"), self.zone))

    def _rows_or_none(self, command: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """Read the rows of a list command; "not found" is an empty list."""
        try:
            return self.client.read(command, parameters).rows()
        except FinalError as problem:
            if problem.code == retcodes.NOT_FOUND:
                return []
            raise
        except wire.WireError as problem:
            raise ReadTimedOut(str(problem), command=command) from problem

    @staticmethod
    def _parameter(answer: wire.Answer, name: str) -> str:
        value = answer.parameters.get(name, "")
        if not value:
            raise ReadTimedOut(f"the answer has no {name}", command=answer.name)
        return value


def json_of(answer: wire.Answer) -> Any:
    """Read an answer's JSON. Raises: ReadTimedOut when it can't be read."""
    try:
        return answer.json()
    except wire.WireError as problem:
        raise ReadTimedOut(str(problem), command=answer.name) from problem


def row_of(answer: wire.Answer) -> dict[str, Any]:
    """Read an answer's one row. Raises: ReadTimedOut when there is none or it can't be read."""
    try:
        return answer.row()
    except wire.WireError as problem:
        raise ReadTimedOut(str(problem), command=answer.name) from problem
