"""The table of agents, or of desks: what each did in the period, sortable, with a curve and totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.db.models.functions import TruncMonth, TruncWeek
from django.urls import reverse

from crm.models import Desk, User
from reports import figures, origins
from reports.figures import COUNTS, FIGURES, SUMS, Totals, _add, figures_of
from reports.filters import Selection
from reports.links import Links
from reports.texts import whole_money

# A curve of more points than this is made of weeks, or of months.
POINTS_MAX = 45
DEFAULT_SORT = "-net"
KEYS: dict[str, tuple[str, ...]] = {
    "agent": ("owner_id", "desk_id", "brand_id"),
    "desk": ("desk_id", "brand_id"),
    "brand": ("brand_id",),
}


@dataclass
class Line:
    """One agent (or desk) of one brand; money is in the brand's base currency."""

    name: str
    desk: str
    brand: str
    currency: str
    totals: Totals
    key: tuple[Any, ...] = ()
    trend: list[float] = field(default_factory=list)
    leads_url: str = ""
    speed_url: str = ""
    registered_url: str = ""
    paid_in_url: str = ""

    @property
    def net(self) -> Any:
        return origins.net_of(self.totals, self.currency)

    @property
    def deposits(self) -> Any:
        return origins.deposits_of(self.totals, self.currency)

    @property
    def withdrawals(self) -> Any:
        return origins.deposits_of(self.totals, self.currency, "withdrawals")

    @property
    def shown(self) -> dict[str, str]:
        """Write the sums without cents."""
        amounts = {"deposits": self.deposits, "withdrawals": self.withdrawals, "net": self.net}
        return _written(amounts, self.currency)


SORTS: dict[str, Callable[[Line], Any]] = {
    "name": lambda line: line.name.lower(),
    "leads": lambda line: line.totals.leads,
    "contacted": lambda line: line.totals.touched,
    "speed": lambda line: -1 if line.totals.speed_seconds is None else line.totals.speed_seconds,
    "late": lambda line: line.totals.late,
    "calls": lambda line: line.totals.calls,
    "registrations": lambda line: line.totals.registrations,
    "ftds": lambda line: line.totals.first_deposits,
    "rate": lambda line: -1 if line.totals.conversion is None else line.totals.conversion,
    "deposits": lambda line: line.deposits,
    "withdrawals": lambda line: line.withdrawals,
    "net": lambda line: line.net,
}


@dataclass
class Ranking:
    """The lines in their order, and what all of them add up to."""

    lines: Sequence[Line]
    total: Totals
    count: int
    sort: str
    by: str

    @property
    def sums(self) -> list[dict[str, str]]:
        """Write the sums of money, one line per currency."""
        return [_written({**of, "net": self.total.net[code]}, code) for code, of in sorted(self.total.money.items())]


def _written(amounts: Mapping[str, Any], currency: str) -> dict[str, str]:
    return {name: whole_money(Decimal(amounts[name]), currency) for name in ("deposits", "withdrawals", "net")}


def ranking(
    selection: Selection, links: Links, *, by: str = "agent", sort: str = DEFAULT_SORT, limit: int | None = None
) -> Ranking:
    """Rank agents or desks: best net deposits first, or by the column `sort` ("-" in front: largest first)."""
    lines = lines_of(selection, by)
    key = sort.removeprefix("-")
    if key not in SORTS:
        sort, key = DEFAULT_SORT, "net"
    lines.sort(key=lambda line: (-line.totals.first_deposits, line.name))
    lines.sort(key=SORTS[key], reverse=sort.startswith("-"))
    shown = lines[:limit] if limit else lines
    _draw_trends(shown, selection, by)
    if by == "agent":
        for line in shown:
            if line.key[0]:
                owner = {"owner": str(line.key[0])}
                line.leads_url, line.registered_url = links.seen(**owner), links.registered(**owner)
                line.paid_in_url = links.paid_in(**owner)
                if links.sees_clients and line.totals.touched:
                    address = reverse("reports_first_contacts", args=[line.key[0]])
                    line.speed_url = f"{address}?{selection.query()}"
    return Ranking(shown, figures.add_up(line.totals for line in lines), len(lines), sort, by)


def _rows(selection: Selection) -> Any:
    """Select day figures; the wider rows by origin only where a country or campaign is asked for."""
    if selection.country or selection.campaign:
        return origins.days_of(selection, selection.span)
    return figures_of(selection.reach, selection.span.first, selection.span.last)


def _keys(by: str) -> tuple[str, ...]:
    return KEYS[by]


def lines_of(selection: Selection, by: str) -> list[Line]:
    """Add up the day figures per agent, desk or brand, in no order; what did nothing is left out."""
    keys = _keys(by)
    rows = list(
        _rows(selection)
        .values(*keys, "brand__name", "brand__base_currency")
        .annotate(**{f"sum_{name}": Sum(name) for name in (*COUNTS, *SUMS)})
    )
    agents = User.objects.in_bulk({row["owner_id"] for row in rows if row.get("owner_id")}) if by == "agent" else {}
    desks = Desk.objects.in_bulk({row["desk_id"] for row in rows if row.get("desk_id")})
    lines = []
    for row in rows:
        if not any(row[f"sum_{name}"] for name in FIGURES):
            continue
        totals = Totals()
        _add(totals, row, row["brand__base_currency"])
        desk = str(desks.get(row.get("desk_id"), ""))
        name = str(agents.get(row["owner_id"], "")) if by == "agent" else desk if by == "desk" else row["brand__name"]
        key = tuple(row[name] for name in keys)
        lines.append(Line(name, desk, row["brand__name"], row["brand__base_currency"], totals, key))
    return lines


def _draw_trends(lines: Sequence[Line], selection: Selection, by: str) -> None:
    """Give each line its net deposits by day; by week or by month where the days are many."""
    days = len(selection.span.days)
    rows, step = _rows(selection), "day"
    if days > POINTS_MAX:
        step = "step"
        rows = rows.annotate(step=(TruncWeek if days <= 7 * POINTS_MAX else TruncMonth)("day"))
    net = Sum("deposits") - Sum("withdrawals") - Sum("reversals")
    if by == "agent":
        rows = rows.filter(owner_id__in=[line.key[0] for line in lines if line.key[0]])
    found: dict[tuple[Any, ...], dict[Any, float]] = {}
    steps = set(selection.span.days) if step == "day" else set()
    for *key, at, value in rows.values_list(*_keys(by), step).annotate(net=net).order_by():
        found.setdefault(tuple(key), {})[at] = float(value)
        steps.add(at)
    ordered = sorted(steps)
    for line in lines:
        values = found.get(line.key, {})
        line.trend = [values.get(at, 0.0) for at in ordered] if any(values.values()) else []
