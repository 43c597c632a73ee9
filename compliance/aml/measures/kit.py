"""What a measure is: its statement, parameters and sentence, and the pieces that statements share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import ngettext

from compliance.aml.choices import MovementKind
from crm.i18n import formats
from crm.money.amounts import Money

Label = str | Promise


class Unit(StrEnum):
    """What a threshold, a value or a parameter counts in."""

    COUNT = "count"
    MONEY = "money"
    PERCENT = "percent"
    DAYS = "days"
    NUMBER = "number"


@dataclass(frozen=True)
class Parameter:
    """A number that a rule sets, or a choice of codes."""

    name: str
    label: Label
    unit: Unit = Unit.NUMBER
    default: Any = None
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(10**12)
    choices: Mapping[str, Label] | None = None
    is_many: bool = False

    def show(self, value: Any, currency: str) -> str:
        """Write a value for a reader."""
        if self.choices is not None:
            picked = value if isinstance(value, list) else [value]
            return ", ".join(str(self.choices.get(code, code)) for code in picked)
        return shown(self.unit, Decimal(value), currency)


def shown(unit: Unit, value: Decimal, currency: str) -> str:
    """Write a measured value, or a threshold, with its unit."""
    if unit is Unit.MONEY:
        return formats.money(Money(value, currency))
    text = formats.number(value.normalize() if value == value.to_integral() else value)
    if unit is Unit.PERCENT:
        return f"{text} %"
    if unit is Unit.DAYS:
        return ngettext("%(count)s day", "%(count)s days", int(value)) % {"count": text}
    return text


@dataclass(frozen=True)
class Measure:
    """A measure.

    sql: the movements at which it holds, as client_id, at, movement_id, value. reads: kinds of movements that it looks at.
    evidence: which of them are behind an alert (`m`; the alert's movement is `a`), from `evidence_from` on. sentence: with
    %(threshold)s, %(window)s and the parameters' names. looks_back: hours of history that it needs, if not the window.
    """

    code: str
    label: Label
    sentence: Label
    unit: Unit
    sql: str
    reads: tuple[MovementKind, ...]
    parameters: tuple[Parameter, ...] = ()
    evidence: str = "true"
    evidence_from: str = "a.at - %(window)s"
    looks_back: Callable[[int, Decimal], int] | None = None
    has_window: bool = True

    def history_hours(self, window_hours: int, threshold: Decimal) -> int:
        """Return how far back from a movement it looks."""
        return self.looks_back(window_hours, threshold) if self.looks_back else window_hours


MEASURES: Final[dict[str, Measure]] = {}


IN, OUT = (MovementKind.DEPOSIT,), (MovementKind.WITHDRAWAL, MovementKind.WITHDRAWAL_BACK)


# The movements of the scope that a window ending in it can reach.
READ: Final = """
m AS (
  SELECT m.*, s.since FROM scope s JOIN {movement} m ON m.client_id = s.client_id
  WHERE m.kind = ANY(%(kinds)s) AND m.at >= s.since - %(history)s AND m.at >= %(first)s AND m.at < %(until)s
)"""


ROLLING: Final = "(PARTITION BY client_id ORDER BY at RANGE BETWEEN %(window)s PRECEDING AND CURRENT ROW)"


SIGNED: Final = "CASE kind WHEN 'withdrawal' THEN base_amount WHEN 'withdrawal_back' THEN -base_amount ELSE 0 END"


def rolling(aggregate: str, picked: str = "true") -> str:
    """Write a count or a sum of the picked movements over the window that ends at each of them."""
    return f"""
    WITH {{scope}}, {READ}
    SELECT client_id, at, id AS movement_id, value FROM (
      SELECT client_id, at, id, since, {aggregate} OVER {ROLLING} AS value FROM m WHERE {picked}
    ) r WHERE at >= since AND value >= %(threshold)s"""  # noqa: S608 - constants of this module


def register(measure: Measure) -> None:
    """Make a measure one that rules can use."""
    MEASURES[measure.code] = measure
