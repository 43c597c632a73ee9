"""Work that is done once for each day that is over, however long nobody was there to do it.

A mark in the database says up to which day everything is done. A run does the days after it, oldest first and a bounded number
of them; the next run goes on. A day that fails holds the mark, not the days after it.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass

from django.db import transaction

from crm.models import DayMark

logger = logging.getLogger(__name__)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """The days of one task for one subject, from the first that may be missing to the last that is over."""

    task: str
    subject: str
    first: dt.date
    last: dt.date

    def missing(self, done: Collection[dt.date]) -> list[dt.date]:
        span = range((self.last - self.first).days + 1)
        return [day for day in (self.first + number * DAY for number in span) if day not in done]


def marks(task: str) -> dict[str, dt.date]:
    """Return by subject the day up to which everything is done."""
    return dict(DayMark.objects.filter(task=task).values_list("subject", "done_to"))


def catch_up(days: Days, *, done: Collection[dt.date], work: Callable[[dt.date], bool], at_most: int) -> int:
    """Do the missing days, at most so many; `work` returns whether it did one. Those that wait are named in the log.

    Returns how many were done. A day that fails is logged and tried again by the next run.
    """
    missing = days.missing(done)
    if waiting := missing[at_most:]:
        logger.warning(
            "%s %s: %d days wait for the next run: %s", days.task, days.subject, len(waiting), spans(waiting)
        )
    now_done = {day for day in missing[:at_most] if _is_done(days, work, day)}
    left = days.missing({*done, *now_done})
    _advance(days, left[0] - DAY if left else days.last)
    return len(now_done)


def _is_done(days: Days, work: Callable[[dt.date], bool], day: dt.date) -> bool:
    try:
        return work(day)
    except Exception:
        logger.exception("%s %s failed for %s", days.task, days.subject, day)
        return False


@transaction.atomic
def _advance(days: Days, done_to: dt.date) -> None:
    """Move the mark forward, never back: two runs at once do no harm."""
    mark, is_new = DayMark.objects.select_for_update().get_or_create(
        task=days.task, subject=days.subject, defaults={"done_to": done_to}
    )
    if not is_new and mark.done_to < done_to:
        mark.done_to = done_to
        mark.save(update_fields=["done_to"])


def spans(days: list[dt.date]) -> str:
    """Write ascending days as people do: `2026-10-01 to 2026-10-20, 2026-10-23`."""
    ranges: list[list[dt.date]] = []
    for day in days:
        if ranges and day - ranges[-1][-1] == DAY:
            ranges[-1] = [ranges[-1][0], day]
        else:
            ranges.append([day])
    return ", ".join(" to ".join(str(day) for day in span) for span in ranges)
