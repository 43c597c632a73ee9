"""One line of the checklist before a month is closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.functional import Promise

from wallet.models import Period

COUNT_MAX = 100


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist. A blocking one with findings prevents the closing; the others need a note."""

    label: str | Promise
    count: int
    words: str
    url: str
    blocks: bool

    @property
    def is_fine(self) -> bool:
        return not self.count

    @property
    def count_text(self) -> str:
        return f"{COUNT_MAX}+" if self.count >= COUNT_MAX else str(self.count)


def end_of_month(period: Period) -> dt.datetime:
    """Return the first instant after the month; business days are days in UTC."""
    return dt.datetime.combine(period.last_day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)


def midnight(day: dt.date) -> dt.datetime:
    """Return the first instant of a business day, in UTC."""
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
