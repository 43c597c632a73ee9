"""The rows behind a figure of people: the very client days that it is added up from, by who had the client on the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse

from clients.models import Client
from clients.queries import clients_visible_to
from crm.models import Brand, User
from crm.ui.views import may_open
from reports.figures import COUNTS, SUMS, Totals, _add
from reports.filters import Selection
from reports.models import ClientDay, DayFigure
from reports.performance.definitions import BY_CODE, Figure

SHOWN_MAX: Final = 200


def sees_rows(user: User) -> bool:
    """Check for the figures and for the people behind them."""
    return user.has_perm("reports.view_performance") and may_open(user, reverse("clients"))


def agent_in_reach(selection: Selection, agent_id: int) -> User | None:
    """Find an agent who has figures within reach, of whatever day."""
    reach = selection.reach
    rows = DayFigure.objects.filter(Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks), owner_id=agent_id)
    return User.objects.filter(pk=agent_id).first() if rows.exists() else None


def client_days(selection: Selection, agent_id: int | None, *, is_anyone: bool = False) -> QuerySet[ClientDay]:
    """Select what clients gave to an agent (None: to a pool) in the chosen days; is_anyone: to whomever in reach."""
    reach, span = selection.reach, selection.span
    rows = ClientDay.objects.filter(
        Q(brand_id__in=reach.brands) | Q(desk_id__in=reach.desks), day__gte=span.first, day__lte=span.last
    )
    if not is_anyone:
        rows = rows.filter(owner_id=agent_id)
    if selection.country:
        rows = rows.filter(country=selection.country)
    if selection.campaign:
        rows = rows.filter(campaign=selection.campaign)
    return rows.order_by()


@dataclass(frozen=True)
class Row:
    """What one client gave to the figure on one day. `client` is None out of the reader's reach."""

    client: Client | None
    day: dt.date
    agent: User | None
    values: Sequence[str]


@dataclass(frozen=True)
class Rows:
    """The newest of them, how many there are, and what all add up to, one line per currency."""

    shown: Sequence[Row]
    count: int
    columns: Sequence[Figure]
    totals: Sequence[Sequence[str]]


def rows_behind(user: User, figure: Figure, days: QuerySet[ClientDay]) -> Rows:
    """List the client days with anything of a figure, newest first: five statements however many they are."""
    some = Q()
    for column in figure.columns:
        some |= Q(**{f"{column}__gt": 0})
    days = days.filter(some)
    columns = tuple(BY_CODE[code] for code in figure.parts) or (figure,)
    newest = list(days.order_by("-day", "-client_id")[:SHOWN_MAX])
    known = clients_visible_to(user).filter(pk__in={row.client_id for row in newest}).select_related("brand")
    clients = known.defer("search_text").in_bulk()
    agents = User.objects.in_bulk({row.owner_id for row in newest if row.owner_id})
    currencies = dict(Brand.objects.values_list("pk", "base_currency"))
    shown = [
        Row(
            clients.get(row.client_id),
            row.day,
            agents.get(row.owner_id or 0),
            [
                column.shown(_totals(vars(row), currencies[row.brand_id]), currencies[row.brand_id])
                for column in columns
            ],
        )
        for row in newest
    ]
    sums: Any = {f"sum_{name}": Sum(name) for name in (*COUNTS, *SUMS)}
    added: dict[str, Totals] = {}
    count = 0
    for of_brand in days.values("brand_id").annotate(rows=Count("pk"), **sums):
        currency = currencies[of_brand["brand_id"]]
        _add(added.setdefault(currency, Totals()), of_brand, currency)
        count += of_brand["rows"]
    totals = [[column.shown(added[currency], currency) for column in columns] for currency in sorted(added)]
    return Rows(shown, count, columns, totals)


def _totals(row: dict[str, Any], currency: str) -> Totals:
    counts = {name: row[name] for name in COUNTS}
    return Totals(**counts, money={currency: {name: Decimal(row[name]) for name in SUMS}})
