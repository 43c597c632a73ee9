"""What the judge reads: equity samples, deals and balance operations of one account, in the order of their times.

Times are milliseconds since 1970 (UTC), money is in the account's minor units, lots in units of 0.00000001.
At one instant operations come first, then deals, then samples: a sample shows what happened until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class OperationKind(StrEnum):
    """Why money came or went without a trade. A result (dividend, interest, fee) counts as profit or loss."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    CORRECTION = "correction"
    PAYOUT = "payout"
    RESULT = "result"


@dataclass(frozen=True, slots=True)
class Operation:
    """Money that came into the account (above zero) or left it."""

    rank: ClassVar[int] = 0
    at: int
    amount: int
    kind: OperationKind = OperationKind.DEPOSIT


@dataclass(frozen=True, slots=True)
class Deal:
    """One deal: what it opened or closed, and what it did to the balance (profit, commission, swap, fee).

    A reversal is two deals, a close and an opening. `notional` is the opened volume's worth, None where it isn't known.
    """

    rank: ClassVar[int] = 1
    at: int
    position: str
    symbol: str
    is_opening: bool
    lots: int
    net: int = 0
    notional: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Balance and equity (without credit) at an instant; `worst` is the lowest equity since the last sample where the platform
    reports it."""

    rank: ClassVar[int] = 2
    at: int
    balance: int
    equity: int
    worst: int | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """Time has come this far: nothing earlier will be read any more."""

    rank: ClassVar[int] = 3
    at: int


Input = Operation | Deal | Sample | Clock


@dataclass(frozen=True, slots=True)
class NewsEvent:
    """A scheduled release; it concerns symbols that contain one of the currencies."""

    at: int
    currencies: tuple[str, ...]

    def concerns(self, symbol: str) -> bool:
        """Say whether a symbol is traded in one of the release's currencies."""
        return any(currency in symbol.upper() for currency in self.currencies)


def in_order(inputs: list[Input]) -> list[Input]:
    """Sort inputs as the judge reads them; what comes in one instant keeps its order within its kind."""
    return sorted(inputs, key=lambda each: (each.at, each.rank))
