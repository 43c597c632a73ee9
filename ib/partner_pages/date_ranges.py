"""The stretches of time that partner pages can show, each with the stretch it is compared with. Days are UTC, as in the sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

ONE_DAY = dt.timedelta(days=1)
ROLLING = {"7": 7, "30": 30, "90": 90}
LABELS: dict[str, Promise] = {
    "month": _("This month"),
    "last-month": _("Last month"),
    "7": _("7 days"),
    "30": _("30 days"),
    "90": _("90 days"),
}
TITLES: dict[str, Promise] = {
    "month": _("Earned this month"),
    "last-month": _("Earned last month"),
    "7": _("Earned in the last 7 days"),
    "30": _("Earned in the last 30 days"),
    "90": _("Earned in the last 90 days"),
}
VERSUS: dict[str, Promise] = {
    "month": _("same days last month"),
    "last-month": _("month before"),
    "7": _("7 days before"),
    "30": _("30 days before"),
    "90": _("90 days before"),
}
DEFAULT = "month"


@dataclass(frozen=True)
class DateRange:
    """Days from `first` to `last`, compared with `first_before` to `last_before`; all inclusive."""

    code: str
    first: dt.date
    last: dt.date
    first_before: dt.date
    last_before: dt.date

    @property
    def label(self) -> Promise:
        return LABELS[self.code]

    @property
    def title(self) -> Promise:
        return TITLES[self.code]

    @property
    def versus(self) -> Promise:
        return VERSUS[self.code]

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    @property
    def days_before(self) -> list[dt.date]:
        return [
            self.first_before + dt.timedelta(days=n) for n in range((self.last_before - self.first_before).days + 1)
        ]

    @property
    def starts_at(self) -> dt.datetime:
        return dt.datetime.combine(self.first, dt.time(), tzinfo=dt.UTC)

    @property
    def ends_at(self) -> dt.datetime:
        """Return the instant at which the last day is over."""
        return dt.datetime.combine(self.last + ONE_DAY, dt.time(), tzinfo=dt.UTC)

    @property
    def starts_at_before(self) -> dt.datetime:
        return dt.datetime.combine(self.first_before, dt.time(), tzinfo=dt.UTC)

    @property
    def ends_at_before(self) -> dt.datetime:
        return dt.datetime.combine(self.last_before + ONE_DAY, dt.time(), tzinfo=dt.UTC)


def date_range(code: str | None, *, today: dt.date | None = None) -> DateRange:
    """Return the range of an address's `period`; this month for anything unknown.

    This month is compared with the same days of last month, so that the third isn't compared with thirty days.
    """
    today = today or timezone.now().date()
    if code in ROLLING:
        length = dt.timedelta(days=ROLLING[str(code)])
        first = today - length + ONE_DAY
        return DateRange(str(code), first, today, first - length, first - ONE_DAY)
    this_month = today.replace(day=1)
    last_month = (this_month - ONE_DAY).replace(day=1)
    if code == "last-month":
        before = (last_month - ONE_DAY).replace(day=1)
        return DateRange("last-month", last_month, this_month - ONE_DAY, before, last_month - ONE_DAY)
    same_day = min(last_month + (today - this_month), this_month - ONE_DAY)
    return DateRange(DEFAULT, this_month, today, last_month, same_day)


def choices() -> Iterable[tuple[str, Promise]]:
    """List (code, label) for the switch."""
    return LABELS.items()
