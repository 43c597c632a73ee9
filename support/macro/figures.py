"""How quickly and how well tickets are answered: by agent, by category, over a time. One statement for each table."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Avg, Count, F, Q, QuerySet
from django.utils import timezone

from crm.i18n import formats
from crm.models import User
from support.choices import TicketCategory
from support.models import Ticket
from support.queries import tickets_visible_to

DAYS: Final = (7, 30, 90)
ROWS_MAX: Final = 100
REPLIED = F("first_replied_at") - F("opened_at")
SOLVED = F("solved_at") - F("opened_at")


@dataclass(frozen=True)
class Line:
    """The figures of an agent or a category; times are by the clock, from the opening; late is by working hours."""

    label: str
    opened: int
    reply_time: dt.timedelta | None
    reply_late: int
    solved: int
    solution_time: dt.timedelta | None
    solution_late: int
    rated: int
    rating: float | None

    @property
    def reply_text(self) -> str:
        return _duration(self.reply_time)

    @property
    def solution_text(self) -> str:
        return _duration(self.solution_time)


def _duration(span: dt.timedelta | None) -> str:
    return formats.duration(span.total_seconds(), to_minute=True) if span is not None else "–"


def _measured(rows: QuerySet[Ticket], *group: str) -> list[dict[str, Any]]:
    figures = {
        "opened": Count("pk"),
        "reply_time": Avg(REPLIED, filter=Q(first_replied_at__isnull=False)),
        "reply_late": Count("pk", filter=Q(first_replied_at__gt=F("first_reply_due_at")) | Q(is_reply_late=True)),
        "solved": Count("solved_at"),
        "solution_time": Avg(SOLVED, filter=Q(solved_at__isnull=False)),
        "solution_late": Count("pk", filter=Q(is_solution_late=True)),
        "rated": Count("rating"),
        "average": Avg("rating"),
    }
    return list(rows.order_by().values(*group).annotate(**figures).order_by("-opened")[:ROWS_MAX])


def _line(row: dict[str, Any], label: str) -> Line:
    names = ("opened", "reply_time", "reply_late", "solved", "solution_time", "solution_late", "rated")
    return Line(label, **{name: row[name] for name in names}, rating=row["average"])


def opened_within(user: User, days: int) -> QuerySet[Ticket]:
    """Select the tickets in reach that were opened in the last days."""
    since = timezone.now() - dt.timedelta(days=days)
    return tickets_visible_to(user).filter(opened_at__gte=since).exclude(state="merged")


def by_agent(rows: QuerySet[Ticket]) -> list[Line]:
    """Measure tickets by the agent who replied first."""
    replied = rows.filter(first_replied_by__isnull=False)
    measured = _measured(replied, "first_replied_by", "first_replied_by__first_name", "first_replied_by__last_name")
    return [
        _line(row, f"{row['first_replied_by__first_name']} {row['first_replied_by__last_name']}".strip() or "–")
        for row in measured
    ]


def by_category(rows: QuerySet[Ticket]) -> list[Line]:
    """Measure tickets by what they are about."""
    return [_line(row, str(TicketCategory(row["category"]).label)) for row in _measured(rows, "category")]
