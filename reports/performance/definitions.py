"""Each figure of people, defined once: what it counts, how it is computed from day figures, written and aimed at.

The table of agents and desks, its export, the leaderboard, the pages of rows behind a figure and the list of definitions on
these pages all read this list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from reports import origins
from reports.choices import TargetFigure
from reports.figures import Totals
from reports.texts import time_text, whole_money

Value = Callable[[Totals, str], Any]
MINUTE: Final = Decimal(60)


def _count(value: Any, _currency: str) -> str:
    return formats.number(value, 0)


def _time(value: Any, _currency: str) -> str:
    return time_text(None if value is None else int(value))


def _share(value: Any, _currency: str) -> str:
    return "–" if value is None else f"{formats.number(value, 1)} %"


def _amount(value: Any, currency: str) -> str:
    return whole_money(Decimal(value), currency)


def _sum(name: str) -> Value:
    return lambda totals, currency: origins.deposits_of(totals, currency, name)


def _number(name: str) -> Value:
    return lambda totals, _currency: getattr(totals, name)


@dataclass(frozen=True)
class Figure:
    """One figure.

    columns: the day figures that it is made of; rows behind it have any of them. parts: what such a row shows, if not itself.
    unit: how much one unit of its target is; is_less_better: a target is what it shouldn't exceed.
    """

    code: str
    label: str | Promise
    meaning: str | Promise
    value: Value
    written: Callable[[Any, str], str]
    columns: tuple[str, ...]
    parts: tuple[str, ...] = ()
    target: TargetFigure | None = None
    unit: Decimal = Decimal(1)
    is_less_better: bool = False
    is_money: bool = False

    def shown(self, totals: Totals, currency: str) -> str:
        """Write the figure of some totals."""
        return self.written(self.value(totals, currency), currency)

    def sort_key(self, totals: Totals, currency: str) -> Any:
        """Return what it is sorted by: without a value comes before nothing."""
        value = self.value(totals, currency)
        return -1 if value is None else value


ALL: Final = (
    Figure(
        "leads",
        _("Leads"),
        _(
            "New leads, repeated enquiries left out. Each counts for who had it at its first contact, at the latest at the "
            "end of its first day."
        ),
        _number("leads"),
        _count,
        ("leads",),
    ),
    Figure(
        "contacted",
        _("Contacted"),
        _("Of these leads, those contacted so far."),
        _number("touched"),
        _count,
        ("touched",),
    ),
    Figure(
        "speed",
        _("First contact"),
        _("Average time from the assignment to the first contact, of the leads contacted."),
        _number("speed_seconds"),
        _time,
        ("touched",),
        target=TargetFigure.CONTACT_MINUTES,
        unit=MINUTE,
        is_less_better=True,
    ),
    Figure(
        "calls",
        _("Calls"),
        _("Calls with clients and leads, whatever their outcome. Each counts for who called."),
        _number("calls"),
        _count,
        ("calls",),
        target=TargetFigure.CALLS,
    ),
    Figure(
        "talk",
        _("Talk time"),
        _("The length of these calls, added up: as measured by the phone exchange, else as entered."),
        _number("call_seconds"),
        _time,
        ("call_seconds",),
        target=TargetFigure.TALK_MINUTES,
        unit=MINUTE,
    ),
    Figure(
        "registrations",
        _("Registrations"),
        _("People who registered. Each counts for who had them at that moment, or first got them within three days."),
        _number("registrations"),
        _count,
        ("registrations",),
        target=TargetFigure.REGISTRATIONS,
    ),
    Figure(
        "ftds",
        _("FTDs"),
        _("First deposits that arrived. Each counts for who had the client at that moment."),
        _number("first_deposits"),
        _count,
        ("first_deposits",),
        target=TargetFigure.FIRST_DEPOSITS,
    ),
    Figure(
        "rate",
        _("FTD rate"),
        _(
            "FTDs per 100 leads of the same days; none where there are more FTDs than leads, as these people were leads before."
        ),
        _number("conversion"),
        _share,
        ("leads", "first_deposits"),
        parts=("leads", "ftds", "rate"),
        target=TargetFigure.FTD_RATE,
    ),
    Figure(
        "net",
        _("Net deposits"),
        _(
            "Deposits less withdrawals, refunds and chargebacks, in the brand's currency at each day's rate. Each "
            "counts for who had the client at that moment."
        ),
        origins.net_of,
        _amount,
        ("deposits", "withdrawals", "reversals"),
        parts=("deposits", "withdrawals", "reversals", "net"),
        target=TargetFigure.NET_DEPOSITS,
        is_money=True,
    ),
    Figure(
        "deposits", _("Deposits"), _("Deposits that arrived."), _sum("deposits"), _amount, ("deposits",), is_money=True
    ),
    Figure(
        "withdrawals",
        _("Withdrawals"),
        _("Withdrawals that were paid out."),
        _sum("withdrawals"),
        _amount,
        ("withdrawals",),
        is_money=True,
    ),
    Figure(
        "reversals",
        _("Refunds and chargebacks"),
        _("Deposits that were refunded or charged back, on the day when that happened."),
        _sum("reversals"),
        _amount,
        ("reversals",),
        is_money=True,
    ),
    Figure(
        "late",
        _("Late"),
        _("Leads reassigned because their first agent didn't respond in time."),
        _number("late"),
        _count,
        ("late",),
        is_less_better=True,
    ),
)
BY_CODE: Final = {figure.code: figure for figure in ALL}


def chosen(*codes: str) -> tuple[Figure, ...]:
    """Return the figures with these codes, in this order."""
    return tuple(BY_CODE[code] for code in codes)


TABLE: Final = chosen(*(figure.code for figure in ALL if figure.code != "reversals"))
SHORT: Final = chosen("leads", "contacted", "calls", "registrations", "ftds", "rate", "net")
RANKED: Final = chosen("ftds", "net", "registrations", "rate", "calls", "talk", "speed")


def target_holds(figure: TargetFigure, first: dt.date, last: dt.date) -> bool:
    """Check whether days can be compared with a target: those per day with one day, those per month with a month so far."""
    if (first.year, first.month) != (last.year, last.month):
        return False
    if figure in (TargetFigure.CONTACT_MINUTES, TargetFigure.FTD_RATE):
        return True
    return first == last if figure in (TargetFigure.CALLS, TargetFigure.TALK_MINUTES) else first.day == 1
