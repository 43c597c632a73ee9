"""Reports' part of the demo: the day figures of the months, made from what the others loaded, and targets of two months."""

import datetime as dt
from decimal import Decimal

from django.db.models import Avg, Sum

from crm.demo import Demo
from crm.models import Desk
from reports import targets, upkeep
from reports.choices import TargetFigure
from reports.models import DayFigure

FIGURES = ("registrations", "first_deposits")
# A little more than an average month brings.
STRETCH = Decimal("1.15")


def load(demo: Demo) -> None:
    """Compute the figures of the demo's days once everything else is loaded, and set targets for this month and the last."""
    demo.progress("Figures for dashboards", 0, 2)
    upkeep.rebuild()
    demo.progress("Figures for dashboards", 1, 2)
    this_month = demo.now.date().replace(day=1)
    for desk in Desk.objects.order_by("pk"):
        for month in ((this_month - dt.timedelta(days=1)).replace(day=1), this_month):
            targets.set_targets(desk_id=desk.pk, month=month, values=_targets(desk, demo.now.date()), actor=None)
    demo.progress("Figures for dashboards", 2, 2)


def _targets(desk: Desk, today: dt.date) -> dict[targets.Cell, Decimal | None]:
    """Take a target of each person from the last ninety days."""
    rows = DayFigure.objects.filter(desk=desk, day__gte=today - dt.timedelta(days=90)).order_by()
    people = [None, *(agent.pk for agent in targets.agents_of(desk))]
    values: dict[targets.Cell, Decimal | None] = {}
    for agent_id in people:
        mine = rows if agent_id is None else rows.filter(owner_id=agent_id)
        sums = mine.aggregate(
            registrations=Sum("registrations"),
            first_deposits=Sum("first_deposits"),
            net=Sum("deposits") - Sum("withdrawals") - Sum("reversals"),
        )
        calls = mine.filter(calls__gt=0).values("day").annotate(count=Sum("calls")).aggregate(usual=Avg("count"))
        values[agent_id, TargetFigure.CALLS.value] = Decimal(
            max(5, round(Decimal(calls["usual"] or 0) * STRETCH / 5) * 5)
        )
        for figure in FIGURES:
            values[agent_id, figure] = Decimal(max(1, round((sums[figure] or 0) * STRETCH / 3)))
        net = (sums["net"] or Decimal(0)) / 3 * STRETCH
        values[agent_id, TargetFigure.NET_DEPOSITS.value] = Decimal(max(5, round(net / 1000))) * 1000
    return values
