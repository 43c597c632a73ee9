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
from reports.choices import TargetFigure
from reports.figures import COUNTS, FIGURES, SUMS, Totals, _add, figures_of
from reports.filters import Selection
from reports.links import Links
from reports.models import Target
from reports.performance import definitions
from reports.performance.definitions import Figure
from reports.texts import whole_money

# A curve of more points than this is made of weeks, or of months.
POINTS_MAX = 45
DEFAULT_SORT = "-net"
# What an address has in place of an agent's number: the clients of a desk who had no agent.
NO_AGENT = "none"
# (desk, agent or None for the desk, figure)
Goal = tuple[int, int | None, str]
KEYS: dict[str, tuple[str, ...]] = {
    "agent": ("owner_id", "desk_id", "brand_id"),
    "desk": ("desk_id", "brand_id"),
    "brand": ("brand_id",),
}


@dataclass(frozen=True)
class Cell:
    """One figure of a line as it is shown: with its target, how much of that is reached, and the rows behind it."""

    code: str
    text: str
    url: str = ""
    target: str = ""
    reached: int | None = None
    is_met: bool = False
    is_negative: bool = False


@dataclass
class Line:
    """One agent (or desk) of one brand; money is in the brand's base currency. `cells` are those of the shown figures."""

    name: str
    desk: str
    brand: str
    currency: str
    totals: Totals
    key: tuple[Any, ...] = ()
    trend: list[float] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)

    @property
    def net(self) -> Any:
        return origins.net_of(self.totals, self.currency)

    @property
    def deposits(self) -> Any:
        return origins.deposits_of(self.totals, self.currency)

    @property
    def net_text(self) -> str:
        """Write the net deposits without cents."""
        return whole_money(Decimal(self.net), self.currency)

    @property
    def place(self) -> dict[str, int | None]:
        """Name whose line it is: agent, desk and brand."""
        return {"agent": None, "desk": None, **dict(zip(PLACES[len(self.key)], self.key, strict=True))}


PLACES = {3: ("agent", "desk", "brand"), 2: ("desk", "brand"), 1: ("brand",), 0: ()}


def _by(figure: Figure) -> Callable[[Line], Any]:
    return lambda line: figure.sort_key(line.totals, line.currency)


SORTS: dict[str, Callable[[Line], Any]] = {
    "name": lambda line: line.name.lower(),
    **{figure.code: _by(figure) for figure in definitions.ALL},
}


@dataclass
class Ranking:
    """The lines in their order, and what all of them add up to."""

    lines: Sequence[Line]
    total: Totals
    count: int
    sort: str
    by: str
    figures: tuple[Figure, ...]

    @property
    def sums(self) -> list[list[str]]:
        """Write the totals of each figure: sums of money one per currency."""
        currencies = sorted(self.total.money) or [""]
        return [
            [figure.shown(self.total, code) for code in (currencies if figure.is_money else currencies[:1])]
            for figure in self.figures
        ]


def ranking(
    selection: Selection,
    links: Links,
    *,
    by: str = "agent",
    sort: str = DEFAULT_SORT,
    shown: tuple[Figure, ...] = definitions.TABLE,
    limit: int | None = None,
) -> Ranking:
    """Rank agents or desks: best net deposits first, or by the column `sort` ("-" in front: largest first)."""
    lines = lines_of(selection, by)
    key = sort.removeprefix("-")
    if key not in SORTS:
        sort, key = DEFAULT_SORT, "net"
    lines.sort(key=lambda line: (-line.totals.first_deposits, line.name))
    lines.sort(key=SORTS[key], reverse=sort.startswith("-"))
    first, total = lines[:limit] if limit else lines, figures.add_up(line.totals for line in lines)
    _draw_trends(first, selection, by)
    kept = tuple(figure for figure in shown if figure.code != "late" or total.late)
    fill_cells(first, kept, selection, links)
    return Ranking(first, total, len(lines), sort, by, kept)


def fill_cells(lines: Sequence[Line], shown: Sequence[Figure], selection: Selection, links: Links) -> None:
    """Give lines their figures with targets and the pages of rows behind them, where this person may see these."""
    goals = targets_of(lines, selection)
    for line in lines:
        line.cells = [_cell(line, figure, goals, selection if links.sees_clients else None) for figure in shown]


def _cell(line: Line, figure: Figure, goals: Mapping[Goal, Decimal], selection: Selection | None) -> Cell:
    value = figure.value(line.totals, line.currency)
    place = line.place
    is_pool = len(line.key) == len(PLACES[3]) and not place["agent"]
    goal = None if is_pool else goals.get((place["desk"] or 0, place["agent"], figure.target or ""))
    reached, is_met = None, False
    if goal and value is not None:
        part = Decimal(value) / figure.unit / goal
        reached = max(0, min(999, int(100 * part)))
        is_met = part <= 1 if figure.is_less_better else part >= 1
    return Cell(
        code=figure.code,
        text=figure.written(value, line.currency),
        url=_behind(line, figure, selection) if selection and value else "",
        target=figure.written(goal * figure.unit, line.currency) if goal else "",
        reached=reached,
        is_met=is_met,
        is_negative=figure.is_money and value < 0,
    )


def _behind(line: Line, figure: Figure, selection: Selection) -> str:
    """Link to the rows that a figure is added up from. What lies in no desk has no page of its own."""
    place = line.place
    if not place["desk"]:
        return ""
    narrowed = {"desk": str(place["desk"]), "brand": str(place["brand"])}
    if place["agent"] and figure.code in ("contacted", "speed"):
        return f"{reverse('reports_first_contacts', args=[place['agent']])}?{selection.query(**narrowed)}"
    agent = ({"agent": str(place["agent"] or NO_AGENT)}) if len(line.key) == len(PLACES[3]) else {}
    return f"{reverse('reports_behind', args=[figure.code])}?{selection.query(**narrowed, **agent)}"


def targets_of(lines: Sequence[Line], selection: Selection) -> dict[Goal, Decimal]:
    """Read the targets of some lines, by desk, agent (None: of the desk) and figure, where the chosen days can be compared."""
    span = selection.span
    held = [figure for figure in TargetFigure if definitions.target_holds(figure, span.first, span.last)]
    desks = {line.place["desk"] for line in lines if line.place["desk"]}
    if not held or not desks or selection.country or selection.campaign:
        return {}
    rows = Target.objects.filter(desk_id__in=desks, month=span.first.replace(day=1), figure__in=held)
    return {(row.desk_id, row.agent_id, row.figure): row.value for row in rows}


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
