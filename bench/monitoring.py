"""`bench monitoring`: found misuse at an alert budget on made-up floors, beside plain yardsticks on the same days; and speed.

Floors are those of `sandbox.floor` with seeds that nothing was tuned on. Days are ranked by score, days of one person within ten
days of one another are one case, and cases are taken until the budget is used up. A case is right if one of its days, or the two
after, is of an attack. Yardsticks see the same counts: a flat threshold (records opened), and mean + 3σ of each own signal, ranked.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from django.db import connection, transaction

from bench import anomalies
from bench.harness import Figure, at_least, at_most, own_database, say
from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from monitoring.engine.budget import EPISODE_DAYS
from monitoring.engine.scoring import Day, Scorer
from monitoring.engine.signals import FEATURES
from monitoring.history.counting import CountedDay, Floor
from monitoring.history.judging import Judge
from monitoring.history.reading import Reader
from sandbox.floor import SLOW, Attack, SalesFloor, Size
from sandbox.floor_styles import STYLES, styled

# Seeds of floors and of each style's floors; agents and days of the speed part; rows of the access log.
SIZES = {
    "tiny": ((901,), (), 40, 30, 200),
    "quick": ((901, 902, 903, 904), (901,), 1000, 180, 2000),
    "full": (tuple(range(901, 913)), (901, 902, 903), 1000, 180, 20_000),
}
HELD_OUT = (Size(40, 120, 60, 22.0), Size(60, 110, 110, 32.0), Size(30, 150, 90, 18.0), Size(50, 130, 70, 40.0))
BUDGETS = (0.5, 1.0)
STILL_DAYS = 2
Row = tuple[str, dt.date, float]


@dataclass
class Tally:
    """Cases, right ones, and attacks found, over floors."""

    cases: int = 0
    right: int = 0
    found: Counter[str] = field(default_factory=Counter)

    def add(self, rows: list[Row], attacks: list[Attack], most: int) -> None:
        cases = as_cases(rows, most)
        hits: set[int] = set()
        for agent, days in cases:
            hit = {
                n for n, attack in enumerate(attacks) if attack.agent == agent and any(_within(attack, d) for d in days)
            }
            self.right += bool(hit)
            hits |= hit
        self.cases += len(cases)
        self.found.update(attacks[n].kind for n in hits)


def _within(attack: Attack, day: dt.date) -> bool:
    return attack.first <= day <= attack.last + dt.timedelta(days=STILL_DAYS)


def as_cases(rows: Iterable[Row], limit: int) -> list[tuple[str, list[dt.date]]]:
    """Take the highest days until they make `limit` cases."""
    cases: list[tuple[str, list[dt.date]]] = []
    of_agent: dict[str, list[list[dt.date]]] = defaultdict(list)
    for agent, day, _score in sorted(rows, key=lambda row: -row[2]):
        near = next((days for days in of_agent[agent] if min(abs((day - d).days) for d in days) <= EPISODE_DAYS), None)
        if near is not None:
            near.append(day)
            continue
        if len(cases) == limit:
            break
        cases.append((agent, [day]))
        of_agent[agent].append(cases[-1][1])
    return cases


def count_floor(floor: SalesFloor) -> tuple[list[CountedDay], Floor, list[Row], list[Row], float]:
    """Write a floor's events as a file, read and judge them; returns the counted days, ours, alerts, and events per second."""
    counted: list[CountedDay] = []
    rows: list[Row] = []
    alerts: list[Row] = []
    memory = Floor()
    judge = Judge(memory)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        with path.open("w") as out:
            for event in floor.events():
                out.write(json.dumps(event) + "\n")
        reader = Reader(path)
        began = time.perf_counter()
        for day, events in reader.days():
            for event in events:
                memory.add(event, day)
            counted.append(memory.close(day))
            if len(counted[-1].agents):
                judged = judge.judge(counted[-1])
                rows += [(row.agent, row.day, row.score) for row in judged]
                alerts += [(row.agent, row.day, row.score) for row in judged if row.is_alert]
        took = time.perf_counter() - began
    return counted, memory, rows, alerts, reader.report.events / took


def yardsticks(counted: list[CountedDay], names: list[str]) -> dict[str, list[Row]]:
    """Rank the same agent-days by records opened, and by the largest z of any signal against the own past."""
    views = FEATURES.index(next(iter(FEATURES)))
    flat: list[Row] = []
    ranked: list[Row] = []
    sums = np.zeros((len(names), len(FEATURES)))
    squares, days = np.zeros_like(sums), np.zeros((len(names), 1))
    for day in counted:
        at, when = day.agents, dt.date.fromordinal(day.day)
        known = np.maximum(days[at], 1)
        mean = sums[at] / known
        sigma = np.sqrt(np.maximum(squares[at] / known - mean**2, 0)) + 0.5
        z = np.where(days[at] >= 10, (day.counts - mean) / sigma, 0).max(axis=1, initial=0)
        flat += [(names[int(pk)], when, float(value)) for pk, value in zip(at, day.counts[:, views], strict=True)]
        ranked += [(names[int(pk)], when, float(value)) for pk, value in zip(at, z, strict=True)]
        sums[at] += day.counts
        squares[at] += day.counts**2
        days[at] += 1
    return {"flat threshold": flat, "mean + 3σ": ranked}


def run(size: str) -> list[Figure]:
    seeds, style_seeds, agents, days, rows = SIZES[size]
    floors = [SalesFloor(seed, HELD_OUT[n % len(HELD_OUT)]) for n, seed in enumerate(seeds)]
    found = _found(floors)
    others = [styled(style, seed) for style in STYLES for seed in style_seeds]
    if others:
        found += [replace(figure, name=f"other styles: {figure.name}") for figure in _found(others)]
    return [*found, *anomalies.measure(size), *_speed(agents, days), *_access_row(rows)]


def _found(floors: Sequence[SalesFloor]) -> list[Figure]:
    tallies: dict[tuple[str, float], Tally] = defaultdict(Tally)
    planted: Counter[str] = Counter()
    speeds, judged, raised = [], 0, Tally()
    for n, floor in enumerate(floors, 1):
        say(f"floor {n} of {len(floors)}")
        counted, memory, ours, alerts, speed = count_floor(floor)
        speeds.append(speed)
        planted.update(attack.kind for attack in floor.attacks)
        first = dt.date.fromordinal(counted[0].day + floor.quiet_days)
        for name, scored in {"ours": ours, **yardsticks(counted, memory.names)}.items():
            late = [row for row in scored if row[1] >= first]
            for budget in BUDGETS:
                tallies[name, budget].add(late, floor.attacks, round(len(late) * budget / 100))
        judged += sum(row[1] >= first for row in ours)
        raised.add([row for row in alerts if row[1] >= first], floor.attacks, len(alerts))
    return [
        *_figures(tallies, planted),
        Figure("alerts raised day by day within 0.5, per 100 agent-days", 100 * raised.cases / judged, "cases"),
        at_least(Figure("their recall", raised.found.total() / planted.total(), ""), 0.70),
        at_least(Figure("their precision", raised.right / max(raised.cases, 1), ""), 0.75),
        Figure("events read, counted and judged", sum(speeds) / len(speeds), "events/s"),
    ]


def _figures(tallies: dict[tuple[str, float], Tally], planted: Counter[str]) -> list[Figure]:
    figures = []
    goals = {("recall", 0.5): 0.70, ("precision", 0.5): 0.75, ("recall", 1.0): 0.88}
    for budget in BUDGETS:
        for measure in ("recall", "precision"):
            values = {
                name: tally.found.total() / planted.total()
                if measure == "recall"
                else tally.right / max(tally.cases, 1)
                for (name, at), tally in tallies.items()
                if at == budget
            }
            figure = Figure(f"{measure} at {budget:g} per 100", values["ours"], "", values["mean + 3σ"], "mean + 3σ")
            goal = goals.get((measure, budget))
            figures.append(at_least(figure, goal) if goal else figure)
            figures.append(Figure(f"{measure} at {budget:g} per 100, flat threshold", values["flat threshold"], ""))
    ours = tallies["ours", 0.5]
    kinds = ", ".join(f"{kind} {ours.found[kind]}/{count}" for kind, count in sorted(planted.items()))
    say(f"found at 0.5 by kind: {kinds}")
    slow = sum(planted[kind] for kind in SLOW)
    figures.append(Figure(f"slow and low found at 0.5, of {slow}", sum(ours.found[kind] for kind in SLOW), "attacks"))
    return figures


def _speed(agents: int, days: int) -> list[Figure]:
    """Score and learn days of counts for a large floor, then one more."""
    random = np.random.default_rng(1)
    everybody, hours = np.arange(agents), np.full(agents, 8.0)
    scorer = Scorer(everybody, 20)
    group = random.integers(0, 20, agents)
    habit = random.lognormal(0, 0.4, (agents, len(FEATURES))) * 3

    def day_of(n: int) -> Day:
        counts = random.poisson(habit * random.lognormal(0, 0.2)).astype(float)
        on = dt.date(2025, 1, 1) + dt.timedelta(days=n)
        return Day(on, everybody, group, counts, hours, np.ones(agents, dtype=np.bool_), counts + 5)

    say(f"{agents} agents, {days} days")
    began = time.perf_counter()
    for _scored in scorer.run(day_of(n) for n in range(days)):
        pass
    whole = time.perf_counter() - began
    began = time.perf_counter()
    for _scored in scorer.run([day_of(days)]):
        pass
    return [
        at_most(Figure(f"score {agents} agents × {days} days", whole, "s"), 60),
        at_most(Figure("score one more day", time.perf_counter() - began, "s"), 5),
    ]


def _access_row(rows: int) -> list[Figure]:
    """Time an access row alone, beside a plain row: most of it is the disk's commit; and within a transaction, without one."""
    with own_database("monitoring"):
        user = User.objects.create(email="bench@keelson.example", kind="staff")

        def write(n: int) -> None:
            access_log.note(user=user, kind=AccessKind.VIEW, client_id=n, in_book=True)

        def plain(n: int) -> None:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_row VALUES (%s)", [n])

        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE bench_row (n bigint)")
        alone, yardstick = _microseconds(write, rows), _microseconds(plain, rows)
        with transaction.atomic():
            within = _microseconds(write, rows)
        return [
            at_most(Figure("write an access row", alone, "µs", yardstick, "a plain row with its commit"), 300),
            at_most(Figure("write an access row within a transaction", within, "µs"), 300),
        ]


def _microseconds(write: Callable[[int], None], rows: int) -> float:
    write(0)
    began = time.perf_counter()
    for n in range(rows):
        write(n)
    return (time.perf_counter() - began) / rows * 1e6
