"""Days counted from today, in UTC as the books count them: asked for when a test runs, for a run may cross midnight."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    return now().date()


def yesterday() -> dt.date:
    return today() - dt.timedelta(days=1)


def this_month() -> dt.date:
    """Its first day, as of the other months."""
    return today().replace(day=1)


def last_month_end() -> dt.date:
    return this_month() - dt.timedelta(days=1)


def last_month() -> dt.date:
    return last_month_end().replace(day=1)


def month_before_last() -> dt.date:
    return (last_month() - dt.timedelta(days=1)).replace(day=1)
