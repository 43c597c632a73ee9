"""A calendar month by its name, e.g. 2026-10."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

NAME = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    first: dt.date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def last(self) -> dt.date:
        return self.after.first - dt.timedelta(days=1)

    @property
    def after(self) -> Month:
        return Month((self.first + dt.timedelta(days=31)).replace(day=1))

    @property
    def before(self) -> Month:
        return Month((self.first - dt.timedelta(days=1)).replace(day=1))

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def month_named(name: str) -> Month | None:
    """Parse a month's name, e.g. 2026-10; None where it is none."""
    return Month(dt.date.fromisoformat(f"{name}-01")) if NAME.fullmatch(name) else None
