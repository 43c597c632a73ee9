"""A phase's server days as months of a calendar: what each day won or lost, how often it traded, when news is due."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.dates import MONTHS, WEEKDAYS_ABBR
from django.utils.translation import ngettext

from crm.i18n import formats
from prop.models import ChallengeDay, NewsRelease, PhaseAccount

MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Cell:
    """One date. `number`: of its day, empty outside of the month. `text`: its result as money, `short` in whole units, both empty
    where nothing was traded and nothing changed."""

    number: str = ""
    text: str = ""
    short: str = ""
    tone: str = ""
    trades: str = ""
    news: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Month:
    """`name`: `2026-11`. `text`: its result as money. `earlier`, `later`: names of months that have days; empty where none."""

    name: str
    title: str
    weekdays: list[str]
    weeks: list[list[Cell]]
    text: str
    earlier: str
    later: str


def month_of(
    row: PhaseAccount, days: Sequence[ChallengeDay], releases: Iterable[NewsRelease], chosen: str
) -> Month | None:
    """Lay out the chosen month (`2026-10`), else the newest, of an account's days in their order; None without days.

    All days are the server's, those of the releases too.
    """
    if not days or row.account is None:
        return None
    zone, currency = row.account.server.zone, row.challenge.currency
    months = sorted({f"{day.day:%Y-%m}" for day in days})
    name = chosen if MONTH.fullmatch(chosen) and chosen in months else months[-1]
    year, number = int(name[:4]), int(name[5:])
    kept = {day.day: day for day in days if f"{day.day:%Y-%m}" == name}
    news: dict[dt.date, list[str]] = {}
    for release in releases:
        news.setdefault(release.at.astimezone(zone).date(), []).append(f"{release.currency} {release.title}")
    weeks = [
        [_cell(date, kept.get(date), news.get(date, ()), currency) if date.month == number else Cell() for date in week]
        for week in calendar.Calendar().monthdatescalendar(year, number)
    ]
    place = months.index(name)
    return Month(
        name=name,
        title=f"{MONTHS[number]} {year}",
        weekdays=[str(WEEKDAYS_ABBR[weekday]) for weekday in range(7)],
        weeks=weeks,
        text=formats.money(sum((_result(day) for day in kept.values()), Decimal(0)), currency),
        earlier=months[place - 1] if place else "",
        later=months[place + 1] if place + 1 < len(months) else "",
    )


def days_in(days: Sequence[ChallengeDay], month: Month | None) -> list[ChallengeDay]:
    """List the days of the month that is shown, the newest first."""
    return [day for day in reversed(days) if month is not None and f"{day.day:%Y-%m}" == month.name]


def _cell(date: dt.date, row: ChallengeDay | None, news: Sequence[str], currency: str) -> Cell:
    number = str(date.day)
    if row is None or not (row.trades or _result(row)):
        return Cell(number, news=news)
    result = _result(row)
    tone = "success" if result > 0 else "danger" if result else "neutral"
    trades = (
        ngettext("%(trades)s trade", "%(trades)s trades", row.trades) % {"trades": row.trades} if row.trades else ""
    )
    return Cell(number, formats.money(result, currency), formats.number(result, 0), tone, trades, news)


def _result(row: ChallengeDay) -> Decimal:
    return row.closing_equity - row.opening_equity
