"""A readable sentence per rule, for the shop, the trader's pages and staff: translated, with money in the account's currency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.money.amounts import from_minor
from prop.judge.rules import DailyLossBase, Limits, LossShare, MaximumLoss, RuleCode, Rules


@dataclass(frozen=True, slots=True)
class Sentence:
    """A rule in words."""

    rule: RuleCode
    text: str


def sentences(rules: Rules) -> list[Sentence]:
    """Describe every rule of a phase in the active language, in the order in which people ask."""
    limits = Limits(rules)
    described = [(rule, write(rules, limits)) for rule, write in WRITERS.items()]
    return [Sentence(rule, text) for rule, texts in described for text in texts]


def _money(minor: int, rules: Rules) -> str:
    return f"{formats.number_format(from_minor(minor, rules.currency), use_l10n=True, force_grouping=True)} {rules.currency}"


def _number(value: object) -> str:
    return str(formats.localize(value))


def _target(rules: Rules, limits: Limits) -> Iterator[str]:
    if limits.target is None:
        yield _("There is no profit target: the account is funded.")
        return
    values = {"share": _number(rules.profit_target), "money": _money(limits.target - limits.start, rules)}
    yield _("Make a profit of %(share)s %% (%(money)s), with every position closed.") % values


def _daily_loss(rules: Rules, limits: Limits) -> Iterator[str]:
    if limits.daily is None:
        return
    values = {"share": _number(rules.daily_loss), "money": _money(limits.daily, rules)}
    values |= {"time": f"{rules.cut_off:%H:%M}", "zone": rules.zone}
    base = {
        DailyLossBase.BALANCE: _("The day’s loss is counted from the balance at %(time)s (%(zone)s)."),
        DailyLossBase.EQUITY: _("The day’s loss is counted from the equity at %(time)s (%(zone)s)."),
        DailyLossBase.HIGHER: _(
            "The day’s loss is counted from the higher of balance and equity at %(time)s (%(zone)s)."
        ),
    }[rules.daily_loss_base]
    if rules.daily_loss_of == LossShare.START:
        limit = _("Lose less than %(share)s %% of the starting balance (%(money)s) in a day, open positions included.")
    else:
        limit = _("Lose less than %(share)s %% in a day, open positions included.")
    yield f"{limit % values} {base % values}"


def _maximum_loss(rules: Rules, limits: Limits) -> Iterator[str]:
    if limits.maximum is None:
        return
    values = {
        "share": _number(rules.maximum_loss),
        "money": _money(limits.maximum, rules),
        "floor": _money(limits.start - limits.maximum, rules),
        "start": _money(limits.start, rules),
    }
    text = {
        MaximumLoss.STATIC: _(
            "Keep the equity above %(floor)s: the maximum loss is %(share)s %% of the starting balance."
        ),
        MaximumLoss.TRAILING_BALANCE: _(
            "Keep the equity less than %(money)s below the highest balance (%(share)s %%)."
        ),
        MaximumLoss.TRAILING_EQUITY: _("Keep the equity less than %(money)s below the highest equity (%(share)s %%)."),
    }[rules.maximum_loss_kind]
    yield text % values
    if rules.maximum_loss_locks:
        yield _("The limit rises no further than the starting balance of %(start)s.") % values


def _days(field: str, one: Callable[[int], str]) -> Callable[[Rules, Limits], Iterator[str]]:
    def write(rules: Rules, _limits: Limits) -> Iterator[str]:
        count = getattr(rules, field)
        if count is not None:
            yield one(count) % {"count": count}

    return write


def _largest_day(rules: Rules, _limits: Limits) -> Iterator[str]:
    if rules.largest_day is not None:
        yield _("Make no more than %(share)s %% of the profit in one day.") % {"share": _number(rules.largest_day)}


def _weekend(rules: Rules, _limits: Limits) -> Iterator[str]:
    if rules.weekend_holding:
        yield _("Positions may stay open over the weekend.")
        return
    values = {"time": f"{rules.weekend_close:%H:%M}", "zone": rules.zone}
    yield _("Close every position before the weekend: on Friday by %(time)s (%(zone)s).") % values


def _sized(field: str, text: Callable[[], str]) -> Callable[[Rules, Limits], Iterator[str]]:
    def write(rules: Rules, _limits: Limits) -> Iterator[str]:
        size = getattr(rules, field)
        if size is not None:
            yield text() % {"size": _number(size)}

    return write


WRITERS: dict[RuleCode, Callable[[Rules, Limits], Iterator[str]]] = {
    RuleCode.PROFIT_TARGET: _target,
    RuleCode.DAILY_LOSS: _daily_loss,
    RuleCode.MAXIMUM_LOSS: _maximum_loss,
    RuleCode.MINIMUM_DAYS: _days(
        "minimum_days", lambda n: ngettext("Trade on at least %(count)s day.", "Trade on at least %(count)s days.", n)
    ),
    RuleCode.MAXIMUM_DAYS: _days(
        "maximum_days",
        lambda n: ngettext("Reach the target within %(count)s day.", "Reach the target within %(count)s days.", n),
    ),
    RuleCode.INACTIVITY: _days(
        "inactive_days",
        lambda n: ngettext("Trade again within %(count)s full day.", "Trade again within %(count)s full days.", n),
    ),
    RuleCode.CONSISTENCY: _largest_day,
    RuleCode.WEEKEND: _weekend,
    RuleCode.NEWS: _days(
        "news_minutes",
        lambda n: ngettext(
            "Don’t trade a release’s currency within %(count)s minute of it.",
            "Don’t trade a release’s currency within %(count)s minutes of it.",
            n,
        ),
    ),
    RuleCode.LOTS: _sized("lots_max", lambda: _("Keep at most %(size)s lots open together.")),
    RuleCode.TRADE_LOTS: _sized("trade_lots_max", lambda: _("Open at most %(size)s lots in one trade.")),
    RuleCode.LEVERAGE: _sized(
        "leverage_max", lambda: _("Use a leverage of at most 1:%(size)s over all open positions.")
    ),
}
