"""Days on which banks in euro are open: no weekends, none of the six closing days of T2 (before: TARGET).

https://www.ecb.europa.eu/paym/target/t2/html/index.en.html: 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December.
The ECB publishes its reference rates on these days, around 16:00 in Frankfurt.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

CLOSED_EVERY_YEAR = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
DAY = dt.timedelta(days=1)
# The ECB's rates of a day are out by then, in summer and in winter.
PUBLISHED_BY = dt.time(17, 0)


@cache
def easter_sunday(year: int) -> dt.date:
    """Compute Easter Sunday in the Gregorian calendar (the anonymous algorithm, as Meeus gives it)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, years = divmod(century, 4)
    moon = (19 * golden + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * years + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return dt.date(year, month, day + 1)


def is_bank_day(day: dt.date) -> bool:
    """Check whether the euro's settlement system works on a day: neither at weekends nor on its six holidays."""
    if day.weekday() >= 5 or (day.month, day.day) in CLOSED_EVERY_YEAR:
        return False
    return (day - easter_sunday(day.year)).days not in (-2, 1)


def bank_days_after(day: dt.date, until: dt.date) -> int:
    """Count the bank days after `day`, `until` included: the age of what was published on `day`."""
    weeks, days = divmod(max(0, (until - day).days), 7)
    if weeks > 52:
        return weeks * 5  # past counting: nothing that old is wanted
    return sum(is_bank_day(day + DAY * back) for back in range(1, weeks * 7 + days + 1))


def last_published(now: dt.datetime) -> dt.date:
    """Find the bank day whose reference rates must be out by now."""
    day = now.date() if now.time() >= PUBLISHED_BY else now.date() - DAY
    while not is_bank_day(day):
        day -= DAY
    return day
