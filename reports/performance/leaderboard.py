"""The leaderboard: agents by one figure of some days, with their places in the days before, targets and how far ahead they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from reports import people
from reports.filters import Selection
from reports.links import Links
from reports.people import Cell, Line
from reports.performance.definitions import RANKED, Figure

ROWS_MAX = 200


@dataclass(frozen=True)
class Place:
    """An agent's place. number: None without a value; moved: how many places up since the days before; share: of the leader's."""

    line: Line
    number: int | None
    moved: int | None
    share: int
    cell: Cell
    others: Sequence[Cell]

    @property
    def steps(self) -> int:
        return abs(self.moved or 0)


@dataclass(frozen=True)
class Board:
    """One board: everyone's, or for a figure of money one per currency."""

    currency: str
    places: Sequence[Place]
    count: int


def boards(selection: Selection, links: Links, figure: Figure) -> list[Board]:
    """Rank the agents in reach by a figure. Three statements and two of names, however many agents."""
    lines = [line for line in people.lines_of(selection, "agent") if line.key[0]]
    earlier = replace(selection, span=selection.before) if selection.before else None
    before = [line for line in people.lines_of(earlier, "agent") if line.key[0]] if earlier else []
    people.fill_cells(lines, RANKED, selection, links)
    groups = sorted({line.currency for line in lines}) if figure.is_money else [""]
    return [
        _board(code, [line for line in lines if code in ("", line.currency)], _numbers(before, figure, code), figure)
        for code in groups
        if lines
    ]


def _board(currency: str, lines: Sequence[Line], before: dict[Any, int], figure: Figure) -> Board:
    numbers = _numbers(lines, figure, currency)
    ordered = sorted(lines, key=lambda line: (numbers.get(line.key, len(lines) + 1), line.name, line.desk))
    best = _worth(ordered[0], figure) if ordered and ordered[0].key in numbers else None
    places = [_place(line, numbers.get(line.key), before.get(line.key), best, figure) for line in ordered[:ROWS_MAX]]
    return Board(currency, places, len(lines))


def _place(line: Line, number: int | None, before: int | None, best: Any, figure: Figure) -> Place:
    by_code = {cell.code: cell for cell in line.cells}
    cell = by_code.pop(figure.code)
    moved = before - number if before and number else None
    return Place(
        line, number, moved, _share(_worth(line, figure), best, figure) if number else 0, cell, [*by_code.values()]
    )


def _worth(line: Line, figure: Figure) -> Any:
    return figure.value(line.totals, line.currency)


def _share(value: Any, best: Any, figure: Figure) -> int:
    """Return a bar's length in per cent of the leader's."""
    part, whole = (best, value) if figure.is_less_better else (value, best)
    return max(0, min(100, round(100 * part / whole))) if whole and whole > 0 else 0


def _numbers(lines: Sequence[Line], figure: Figure, currency: str) -> dict[Any, int]:
    """Give each agent who has the figure a place: equal ones share it, and the next place is left out."""
    values = {line.key: _worth(line, figure) for line in lines if currency in ("", line.currency)}
    known = {key: value for key, value in values.items() if value}
    first: dict[Any, int] = {}
    for number, value in enumerate(sorted(known.values(), reverse=not figure.is_less_better), start=1):
        first.setdefault(value, number)
    return {key: first[value] for key, value in known.items()}
