"""The daily figures behind the sales reports in the API."""

from __future__ import annotations

from typing import Final

from django.db.models import Q, QuerySet
from ninja import Router

from crm.api.fields import day, integer, money, text
from crm.api.reading import register
from crm.api.resources import Resource
from crm.models import User
from reports.models import DayFigure
from reports.queries import reach_of_reports

router = Router()


def _figures(user: User) -> QuerySet[DayFigure]:
    reach = reach_of_reports(user)
    return DayFigure.objects.filter(Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks))


FIGURES: Final = Resource(
    "figures",
    "figure",
    scope="reports:read",
    permission="reports.view_performance",
    rows=_figures,
    summary="What happened on one day with the clients of one agent's book: the rows that the performance report sums. "
    "Late facts change earlier days; `id` isn't kept when a day is counted again.",
    fields=(
        integer("id"),
        day("day", note="Of the brand's time zone"),
        text("brand", "brand__code"),
        integer("desk_id"),
        integer("owner_id", note="The agent; empty: the desk's pool"),
        integer("book_id"),
        integer("leads"),
        integer("touched", note="Of these leads, contacted so far"),
        integer("touch_seconds", note="Total time from assignment to first contact"),
        integer("late"),
        integer("calls"),
        integer("call_seconds"),
        integer("registrations"),
        integer("first_deposits"),
        money("deposits", currency="brand__base_currency"),
        money("withdrawals", currency="brand__base_currency"),
        money("reversals", currency="brand__base_currency", note="Refunds and chargebacks"),
    ),
    filters=("day", "brand", "desk_id", "owner_id"),
)
register(router, FIGURES)
