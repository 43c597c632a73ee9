"""The rules of one phase of a challenge, as one plan version has them; what they mean in an account's money.

Shares are percentages (`Decimal("5")` is 5 %) of the starting balance, so that no rate of exchange moves a limit or a target
after an account was opened in another currency. Money is in integer minor units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from zoneinfo import available_timezones

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.money.amounts import exponent

HUNDRED = Decimal(100)
LOT_UNITS = 10**8  # lots are counted in units of 0.00000001, as platforms send them at most
DAYS_MAX = 3_660
SHARE_DECIMALS = 4
SHARE_UNITS = 1_000_000  # of a whole, as a percentage with four decimal places counts it
WARN_AT_PERCENT = 80


class DailyLossBase(StrEnum):
    """What a day's loss is counted from, at the server's cut-off."""

    BALANCE = "balance"
    EQUITY = "equity"
    HIGHER = "higher"


class LossShare(StrEnum):
    """What the daily percentage is a share of."""

    START = "start"
    DAY = "day"


class MaximumLoss(StrEnum):
    """What the maximum loss is counted from."""

    STATIC = "static"
    TRAILING_BALANCE = "trailing_balance"
    TRAILING_EQUITY = "trailing_equity"


class Operations(StrEnum):
    """What deposits, withdrawals and corrections in a challenge account do to profit and loss."""

    SET_ASIDE = "set_aside"
    COUNTED = "counted"


class RuleCode(StrEnum):
    """A rule, as evidence, notices and pages name it."""

    MAXIMUM_LOSS = "maximum_loss"
    DAILY_LOSS = "daily_loss"
    MAXIMUM_DAYS = "maximum_days"
    INACTIVITY = "inactivity"
    WEEKEND = "weekend"
    NEWS = "news"
    LOTS = "lots"
    TRADE_LOTS = "trade_lots"
    LEVERAGE = "leverage"
    MINIMUM_DAYS = "minimum_days"
    CONSISTENCY = "consistency"
    PROFIT_TARGET = "profit_target"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field of the rules."""

    field: str
    message: str | Promise


class InvalidRules(ValueError):
    """Rules that contradict themselves; `problems` names each field."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.field}: {problem.message}" for problem in problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Rules of one phase. None means that a rule isn't part of the phase; a phase without a target is never passed (funded)."""

    currency: str
    starting_balance: Decimal
    zone: str = "Europe/Athens"
    cut_off: dt.time = dt.time(0)
    profit_target: Decimal | None = None
    daily_loss: Decimal | None = None
    daily_loss_base: DailyLossBase = DailyLossBase.HIGHER
    daily_loss_of: LossShare = LossShare.START
    maximum_loss: Decimal | None = None
    maximum_loss_kind: MaximumLoss = MaximumLoss.STATIC
    maximum_loss_locks: bool = False
    minimum_days: int | None = None
    maximum_days: int | None = None
    inactive_days: int | None = None
    largest_day: Decimal | None = None
    weekend_holding: bool = True
    weekend_close: dt.time = dt.time(22)
    news_minutes: int | None = None
    lots_max: Decimal | None = None
    trade_lots_max: Decimal | None = None
    leverage_max: Decimal | None = None
    operations: Operations = Operations.SET_ASIDE
    limits_of: Decimal | None = None  # what losses are a percentage of, where the account has grown

    def to_json(self) -> dict[str, Any]:
        """Return plain values: decimals and times as text."""
        return {
            name: value if value is None or isinstance(value, bool | int) else str(value)
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Rules:
        """Read plain values, as JSON and YAML have them. Raises: InvalidRules."""
        known = {each.name: each for each in fields(cls)}
        problems = [Problem(str(name), _("There is no such rule.")) for name in values if name not in known]
        read: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known or value is None:
                continue
            try:
                read[name] = READERS.get(str(known[name].type), str)(value)
            except (InvalidOperation, ValueError, TypeError, ArithmeticError):
                problems.append(Problem(name, _("Enter a valid value.")))
        problems += [
            Problem(name, _("Enter a value.")) for name in ("currency", "starting_balance") if name not in read
        ]
        if problems:
            raise InvalidRules(problems)
        rules = cls(**read)
        rules.require_valid()
        return rules

    def require_valid(self) -> None:
        """Refuse rules that can't be judged. Raises: InvalidRules."""
        problems = list(self._problems())
        if problems:
            raise InvalidRules(problems)

    def _problems(self) -> Iterator[Problem]:
        if not (len(self.currency) in (3, 4) and self.currency.isalpha() and self.currency.isupper()):
            yield Problem("currency", _("Enter a currency code such as EUR."))
            return
        places = exponent(self.currency)
        if not self.starting_balance.is_finite() or self.starting_balance <= 0:
            yield Problem("starting_balance", _("Enter an amount above zero."))
        elif self.starting_balance != round(self.starting_balance, places) or self.starting_balance >= 10**12:
            yield Problem("starting_balance", _("Enter an amount with the decimal places of its currency."))
        if self.zone not in available_timezones():
            yield Problem("zone", _("Enter a time zone such as Europe/Athens."))
        for name in ("profit_target", "daily_loss", "maximum_loss", "largest_day"):
            yield from self._share_problems(name)
        for name in ("minimum_days", "maximum_days", "inactive_days"):
            days = getattr(self, name)
            if days is not None and not 1 <= days <= DAYS_MAX:
                yield Problem(name, _("Enter a number of days between 1 and 3,660."))
        for name in ("lots_max", "trade_lots_max", "leverage_max"):
            size = getattr(self, name)
            if size is not None and not (
                size.is_finite() and 0 < size <= 100_000 and size == round(size, 8 if "lots" in name else 2)
            ):
                yield Problem(name, _("Enter a number above zero."))
        if self.news_minutes is not None and not 1 <= self.news_minutes <= 240:
            yield Problem("news_minutes", _("Enter between 1 and 240 minutes."))
        yield from self._contradictions()

    def _share_problems(self, name: str) -> Iterator[Problem]:
        share = getattr(self, name)
        if share is None:
            return
        if not share.is_finite() or not 0 < share <= (1000 if name == "profit_target" else HUNDRED):
            yield Problem(name, _("Enter a percentage above zero and at most 100."))
        elif share != round(share, SHARE_DECIMALS):
            yield Problem(name, _("Enter at most four decimal places."))

    def _contradictions(self) -> Iterator[Problem]:
        if (
            self.daily_loss
            and self.maximum_loss
            and self.daily_loss > self.maximum_loss
            and self.daily_loss_of == LossShare.START
        ):
            yield Problem("daily_loss", _("The daily loss can’t be larger than the maximum loss."))
        if self.minimum_days and self.maximum_days and self.minimum_days > self.maximum_days:
            yield Problem("minimum_days", _("The minimum can’t be more days than the maximum."))
        if self.maximum_loss_locks and self.maximum_loss_kind == MaximumLoss.STATIC:
            yield Problem("maximum_loss_locks", _("Only a trailing loss can lock at the starting balance."))
        if self.largest_day is not None and self.profit_target is None:
            yield Problem("largest_day", _("A largest day needs a profit target."))
        if self.minimum_days is not None and self.profit_target is None:
            yield Problem("minimum_days", _("Minimum days need a profit target."))


def _yes_or_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != Decimal(str(value)):
        raise TypeError
    return int(value)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or len(str(value)) > 40:
        raise TypeError
    return Decimal(str(value))


READERS: dict[str, Callable[[Any], Any]] = {
    "Decimal": _decimal,
    "Decimal | None": _decimal,
    "int | None": _whole,
    "bool": _yes_or_no,
    "dt.time": lambda value: dt.time.fromisoformat(str(value)),
    "DailyLossBase": DailyLossBase,
    "LossShare": LossShare,
    "MaximumLoss": MaximumLoss,
    "Operations": Operations,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules in one account's minor units. Where a share isn't a whole unit, the trader has the benefit: losses are rounded
    up, the target down."""

    rules: Rules
    start: int = field(init=False)
    target: int | None = field(init=False)
    daily: int | None = field(init=False)
    maximum: int | None = field(init=False)

    def __post_init__(self) -> None:
        start = int(self.rules.starting_balance.scaleb(exponent(self.rules.currency)))
        target = self.rules.profit_target
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "target", None if target is None else start + share_down(start, target))
        grown = self.rules.limits_of
        size = start if grown is None else int(grown.scaleb(exponent(self.rules.currency)))
        object.__setattr__(self, "daily", self._loss(self.rules.daily_loss, size))
        object.__setattr__(self, "maximum", self._loss(self.rules.maximum_loss, size))

    @staticmethod
    def _loss(share: Decimal | None, of: int) -> int | None:
        return None if share is None else share_up(of, share)

    def daily_loss(self, base: int) -> int | None:
        """Return the most that may be lost in a day that began with `base`."""
        if self.rules.daily_loss is None or self.rules.daily_loss_of == LossShare.START:
            return self.daily
        return share_up(max(base, 0), self.rules.daily_loss)


def share_down(of: int, share: Decimal) -> int:
    """Return a percentage of whole units, rounded down."""
    return of * int(share.scaleb(SHARE_DECIMALS)) // SHARE_UNITS


def share_up(of: int, share: Decimal) -> int:
    """Return a percentage of whole units, rounded up."""
    return -(-of * int(share.scaleb(SHARE_DECIMALS)) // SHARE_UNITS)
