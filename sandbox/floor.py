"""A made-up sales floor: the events of its agents as another CRM would export them, with labelled misuse and look-alikes.

For development and for `manage.py bench monitoring`. Each seed is a floor of its own: who works part-time or at night, how spread
out days are, how much is opened outside the own book, which fields the export has. Misuse follows a script per kind; what only
looks like it (a colleague's book covered during leave, campaigns, a new laptop, a monthly report) is planted as well.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FIRST = dt.date(2025, 1, 6)  # a Monday
QUIET_DAYS = 35
KINDS = (
    "padding",
    "slow_leak",
    "bulk_export",
    "vip_snooping",
    "deposit_snooping",
    "dormant_sweep",
    "poaching",
    "contact_harvest",
    "night_work",
    "shared_login",
    "takeover",
    "scraping",
)
SLOW = ("slow_leak", "slow_reveals")


@dataclass
class Attack:
    kind: str
    agent: str
    first: dt.date
    last: dt.date


@dataclass
class Agent:
    """One person's habits."""

    name: str
    role: str
    desk: str
    start: float
    hours: float
    weekdays: frozenset[int]
    joined: int
    left: int
    views: float
    shape: float
    outside: float
    reveal: float
    call: float
    answer: float
    short: float
    silent: float
    search: float
    export: float
    export_rows: float
    download: float
    edit: float
    laptop: float
    overtime: float
    leave: set[int] = field(default_factory=set)
    book: list[int] = field(default_factory=list)
    device: str = ""
    second: str = ""
    network: str = ""
    home: str = ""


@dataclass(frozen=True)
class Size:
    agents: int = 55
    days: int = 130
    clients_each: int = 90
    views: float = 28.0


class SalesFloor:
    """One floor. `events()` yields its events day by day; `attacks` says what was planted."""

    kinds: tuple[str, ...] = KINDS
    quiet_days = QUIET_DAYS
    least_attacks = len(KINDS)
    # How many worked days an attack lasts, where it isn't one to three.
    lengths: Mapping[str, tuple[int, int]] = {
        "slow_leak": (12, 22),
        "padding": (2, 7),
        "vip_snooping": (2, 7),
        "deposit_snooping": (2, 7),
    }

    def __init__(self, seed: int, size: Size | None = None, *, density: float = 0.48, attacks: bool = True) -> None:
        self.size = size or Size()
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        r = self.random
        self.has_device, self.has_country = r.random() < 0.9, r.random() < 0.8
        self.has_role, self.has_money = r.random() < 0.6, r.random() < 0.75
        self.day_spread, self.lift = r.uniform(0.08, 0.3), r.uniform(0.6, 1.6)
        self.strength = r.uniform(0.7, 1.3)
        self.agents = [self._agent(n) for n in range(self.size.agents)]
        self._clients()
        self.campaigns = {
            (day, r.choice(["north", "south", "vip"])): r.uniform(1.4, 2.4)
            for day in r.sample(range(self.size.days), self.size.days // 18)
        }
        self.holidays = set(r.sample(range(self.size.days), self.size.days // 45))
        self.covers: dict[tuple[str, int], str] = {}
        self._absences()
        self.oddities: dict[tuple[str, int], str] = {}
        self._look_alikes()
        self.attacks: list[Attack] = []
        self.planned: dict[tuple[str, int], tuple[str, int, int, float]] = {}
        if attacks:
            self._plan(density)
        self.money: dict[int, list[int]] = {}

    def _agent(self, n: int) -> Agent:
        r = self.random
        role = r.choices(["sales", "retention", "support", "manager"], [5, 4, 2, 1])[0]
        night = r.random() < 0.12
        part_time = r.random() < 0.18
        days = self.size.days
        joined = r.randint(min(40, days - 31), days - 30) if r.random() < 0.12 else 0
        weekdays = r.sample(range(5), 3) if part_time else list(range(5))
        if r.random() < 0.1:
            weekdays.append(5)
        busy = {"sales": 1.0, "retention": 0.9, "support": 1.2, "manager": 0.7}[role]
        outside = {"sales": 0.06, "retention": 0.08, "support": 0.85, "manager": 0.6}[role]
        return Agent(
            f"a{n:03d}",
            role,
            r.choice(["north", "south", "vip"]),
            start=(21.5 if night else r.choice([7.5, 8.5, 9.0, 9.0, 10.0, 13.0])),
            hours=r.choice([4, 5]) if part_time else r.uniform(7, 9),
            weekdays=frozenset(weekdays),
            joined=joined,
            left=days,
            views=self.size.views * busy * r.lognormvariate(0, 0.35),
            shape=r.uniform(2.2, 7.0),
            outside=min(0.9, outside * self.lift * r.lognormvariate(0, 0.4)),
            reveal=r.uniform(0.08, 0.4),
            call=r.uniform(0.3, 0.75),
            answer=r.uniform(0.25, 0.55),
            short=r.uniform(0.03, 0.16),
            silent=r.uniform(0.1, 0.5),
            search=r.uniform(0.1, 0.5),
            export=0.12 if role == "manager" else r.uniform(0.0, 0.03),
            export_rows=r.lognormvariate(4.3, 0.6),
            download=r.uniform(0.0, 0.2),
            edit=r.uniform(0.02, 0.25),
            laptop=r.uniform(0, 0.25) if r.random() < 0.5 else 0.0,
            overtime=r.uniform(0.0, 0.06),
            device=f"pc-{n}",
            second=f"nb-{n}",
            network=f"10.{n % 6}.",
            home=f"{80 + n}.{n * 7 % 250}.",
        )

    def _clients(self) -> None:
        r = self.random
        self.owner: dict[int, str] = {}
        self.idle: dict[int, bool] = {}
        number = 1000
        for agent in self.agents:
            for _n in range(int(self.size.clients_each * r.uniform(0.5, 1.5))):
                number += r.randint(1, 3)
                self.owner[number] = agent.name if agent.role in ("sales", "retention") else ""
                agent.book.append(number)
                self.idle[number] = r.random() < 0.3
        self.clients = sorted(self.owner)
        self.value = {client: r.lognormvariate(7, 1.6) for client in self.clients}
        ranked = sorted(self.value.values())
        self.vip_from = ranked[int(len(ranked) * r.uniform(0.9, 0.96))]
        self.vips = [client for client in self.clients if self.value[client] >= self.vip_from]
        self.dormant = [client for client in self.clients if self.idle[client]]

    def _absences(self) -> None:
        r = self.random
        for agent in self.agents:
            for _n in range(r.randint(0, 2)):
                start = r.randrange(self.size.days)
                agent.leave |= set(range(start, start + r.choice([1, 2, 5, 7, 12])))
            if len(agent.leave) >= 5 and agent.role in ("sales", "retention"):
                cover = r.choice(self.agents)
                for day in agent.leave:
                    self.covers[cover.name, day] = agent.name

    def _look_alikes(self) -> None:
        r = self.random
        for agent in self.agents:
            for kind, chance in (
                ("new_laptop", 0.5),
                ("travel", 0.25),
                ("research", 1.0),
                ("big_report", 0.35),
                ("late", 1.0),
                ("bad_line", 0.5),
                ("review", 0.3),
            ):
                if r.random() < chance:
                    self.oddities[agent.name, r.randrange(20, self.size.days)] = kind

    def _plan(self, density: float) -> None:
        r = self.random
        work_days = sum(sum(1 for day in range(self.size.days) if self._works(a, day)) for a in self.agents)
        quiet = self.quiet_days
        count = max(self.least_attacks, round(work_days * (1 - quiet / self.size.days) * density / 100))
        kinds = list(self.kinds) * (count // len(self.kinds) + 1)
        r.shuffle(kinds)
        taken: set[str] = set()
        for kind in kinds[:count]:
            people = [a for a in self.agents if a.name not in taken] or self.agents
            agent = r.choice([a for a in people if a.role != "support"] or people)
            taken.add(agent.name)
            begin = r.randint(max(quiet, agent.joined + 10), max(self.size.days - 24, agent.joined + 12, quiet + 1))
            length = r.randint(*self.lengths.get(kind, (1, 3)))
            days = [day for day in range(begin, self.size.days) if self._works(agent, day)][:length]
            if not days or any((agent.name, day) in self.planned for day in days):
                continue
            strength = self.strength * r.uniform(0.7, 1.4)
            for n, day in enumerate(days):
                self.planned[agent.name, day] = (kind, n, len(days), strength)
            self.attacks.append(
                Attack(kind, agent.name, FIRST + dt.timedelta(days=days[0]), FIRST + dt.timedelta(days=days[-1]))
            )

    def _works(self, agent: Agent, day: int) -> bool:
        return (
            agent.joined <= day < agent.left
            and day not in agent.leave
            and day % 7 in agent.weekdays
            and (day not in self.holidays or agent.role == "support")
        )

    def events(self) -> Iterator[dict[str, Any]]:
        for day in range(self.size.days):
            shared = self.random.lognormvariate(0, self.day_spread)
            out = list(self._payments(day)) if self.has_money else []
            for agent in self.agents:
                if self._works(agent, day):
                    out += self._day_of(agent, day, shared)
            out.sort(key=lambda event: event["ts"])
            yield from out

    def _payments(self, day: int) -> Iterator[dict[str, Any]]:
        self.money[day] = []
        for client in self.random.sample(self.clients, max(1, len(self.clients) // 120)):
            amount = self.random.lognormvariate(6, 1.3)
            if amount > 1500:
                self.money[day].append(client)
            kind = "deposit" if self.random.random() < 0.7 else "withdrawal"
            yield self._event(day, self.random.uniform(0, 86399), None, kind, client, amount=round(amount, 2))

    def _event(
        self, day: int, second: float, agent: Agent | None, kind: str, client: int | None = None, **more: Any
    ) -> dict[str, Any]:
        moment = dt.datetime.combine(FIRST, dt.time()) + dt.timedelta(days=day, seconds=int(second))
        event: dict[str, Any] = {"ts": moment.isoformat(), "agent": agent.name if agent else None, "kind": kind}
        if client is not None:
            event |= {
                "client": f"c{client}",
                "client_owner": self.owner[client] or None,
                "client_value": round(self.value[client]),
            }
        if agent and self.has_role:
            event |= {"role": agent.role, "desk": agent.desk}
        return event | more

    def _day_of(self, agent: Agent, day: int, shared: float) -> list[dict[str, Any]]:
        return _AgentDay(self, agent, day, shared).run()


class _AgentDay:
    """One agent's day: the ordinary work, then what is odd about it."""

    def __init__(self, floor: SalesFloor, agent: Agent, day: int, shared: float) -> None:
        self.floor, self.agent, self.day, self.shared, self.r = floor, agent, day, shared, floor.random
        self.out: list[dict[str, Any]] = []
        oddity = floor.oddities.get((agent.name, day), "")
        self.oddity = oddity
        self.device = agent.second if self.r.random() < agent.laptop else agent.device
        self.ip = f"{agent.home if self.device == agent.second else agent.network}{self.r.randint(1, 3)}.{self.r.randint(1, 250)}"
        self.country = "CY"
        if oddity == "new_laptop":
            agent.device = self.device = f"{agent.device}x"
        if oddity == "travel":
            self.ip, self.country, self.device = (
                f"{self.r.randint(100, 200)}.{self.r.randint(1, 250)}.1.1",
                "DE",
                agent.second,
            )
        self.start = (agent.start + self.r.gauss(0, 0.35)) * 3600
        self.length = agent.hours * 3600 * self.r.uniform(0.85, 1.05)

    def add(
        self,
        second: float,
        kind: str,
        client: int | None = None,
        *,
        device: str = "",
        ip: str = "",
        country: str = "",
        **more: Any,
    ) -> None:
        where: dict[str, Any] = {"ip": ip or self.ip}
        if self.floor.has_device:
            where["device"] = device or self.device
        if self.floor.has_country:
            where["country"] = country or self.country
        self.out.append(self.floor._event(self.day, second, self.agent, kind, client, **where, **more))

    def moment(self) -> float:
        return self.start + self.r.random() * self.length

    def run(self) -> list[dict[str, Any]]:
        agent, r, floor = self.agent, self.r, self.floor
        self.add(self.start, "login")
        factor = self.shared * floor.campaigns.get((self.day, agent.desk), 1.0)
        if self.day - agent.joined < 12 and agent.joined:
            factor *= 0.3 + 0.06 * (self.day - agent.joined)
        mean = agent.views * factor * len(range(int(agent.hours))) / 8
        count = int(floor.numbers.negative_binomial(agent.shape, agent.shape / (agent.shape + mean)))
        cover = floor.covers.get((agent.name, self.day))
        covered = next((a.book for a in floor.agents if a.name == cover), []) if cover else []
        for _n in range(count):
            self._look(self._whom(covered))
        for _n in range(floor.numbers.poisson(agent.search * count * 0.4)):
            self.add(self.moment(), "search")
        for _n in range(floor.numbers.poisson(2.5)):
            self.add(self.moment(), "list_open", rows=r.randint(10, 80))
        if r.random() < agent.export:
            self.add(self.moment(), "export", rows=int(agent.export_rows * r.lognormvariate(0, 0.5)) + 1)
        if r.random() < agent.overtime:
            for _n in range(r.randint(2, 10)):
                self._look(self._whom([]), at=self.start + self.length + r.uniform(1800, 9000))
        self._odd()
        planned = floor.planned.get((agent.name, self.day))
        if planned:
            getattr(self, f"_{planned[0]}")(planned[3])
        self.add(self.start + self.length + 60, "logout")
        return self.out

    def _whom(self, covered: list[int]) -> int:
        agent, r = self.agent, self.r
        if covered and r.random() < 0.5:
            return r.choice(covered)
        if r.random() < agent.outside or not agent.book:
            return r.choice(self.floor.clients)
        return agent.book[int(len(agent.book) * r.random() ** 1.6)]

    def _look(self, client: int, *, at: float | None = None, quiet: bool = False) -> None:
        agent, r = self.agent, self.r
        moment = self.moment() if at is None else at
        self.add(moment, "view", client)
        if quiet:
            return
        if r.random() < agent.reveal:
            self.add(moment + 8, "unlock", client)
        if r.random() < agent.call:
            self._call(client, moment + 20)
        elif r.random() > agent.silent:
            self.add(moment + 60, r.choice(["note", "mail"]), client)
        if r.random() < agent.edit:
            self.add(moment + 90, "edit", client)
        if r.random() < agent.download * 0.2:
            self.add(moment + 30, "document", client)

    def _call(self, client: int, moment: float) -> None:
        agent, r = self.agent, self.r
        short = 0.35 if self.oddity == "bad_line" else agent.short
        if r.random() < agent.answer:
            duration = r.uniform(1, 9) if r.random() < short else 10 + r.lognormvariate(4.3, 0.9)
            self.add(moment, "call", client, duration_s=int(duration), outcome="answered")
        else:
            self.add(moment, "call", client, duration_s=0, outcome="no_answer")

    def _odd(self) -> None:
        r, floor = self.r, self.floor
        if self.oddity == "research":
            for client in r.sample(floor.clients, r.randint(3, 9)):
                self._look(client)
        elif self.oddity == "big_report" and self.agent.role in ("manager", "support"):
            self.add(self.moment(), "export", rows=int(self.agent.export_rows * r.uniform(2, 6)))
        elif self.oddity == "late":
            for _n in range(r.randint(4, 15)):
                self._look(self._whom([]), at=self.start + self.length + r.uniform(1800, 14000))
        elif self.oddity == "review" and self.agent.role == "manager":
            for client in r.sample(floor.vips, min(12, len(floor.vips))):
                self._look(client)

    # Misuse, a script per kind; `strength` about 1.

    def _others(self, among: list[int], count: float) -> list[int]:
        foreign = [
            client
            for client in self.r.sample(among, min(len(among), int(count * 3) + 5))
            if self.floor.owner[client] != self.agent.name
        ]
        return foreign[: max(1, int(count))]

    def _padding(self, strength: float) -> None:
        for _n in range(int(self.r.uniform(12, 26) * strength)):
            self.add(
                self.moment(),
                "call",
                self.r.choice(self.agent.book),
                duration_s=self.r.randint(1, 8),
                outcome="answered",
            )

    def _slow_leak(self, strength: float) -> None:
        for client in self._others(
            self.floor.dormant if self.r.random() < 0.5 else self.floor.clients, self.r.uniform(2, 5) * strength
        ):
            moment = self.moment()
            self.add(moment, "view", client)
            if self.r.random() < 0.8:
                self.add(moment + 10, "unlock", client)

    def _bulk_export(self, strength: float) -> None:
        self.add(self.moment(), "export", rows=int(self.r.uniform(400, 3000) * strength))

    def _vip_snooping(self, strength: float) -> None:
        for client in self._others(self.floor.vips, self.r.uniform(4, 10) * strength):
            self.add(self.moment(), "view", client)

    def _deposit_snooping(self, strength: float) -> None:
        recent = self.floor.money.get(self.day - 1, []) + self.floor.money.get(self.day - 2, [])
        among = recent if len(recent) > 5 else self.floor.vips
        for client in self._others(among, self.r.uniform(4, 10) * strength):
            self.add(self.moment(), "view", client)

    def _dormant_sweep(self, strength: float) -> None:
        moment = self.moment()
        for client in self._others(self.floor.dormant, self.r.uniform(15, 40) * strength):
            moment += self.r.uniform(15, 120)
            self.add(moment, "view", client)

    def _poaching(self, strength: float) -> None:
        victim = self.r.choice(
            [a for a in self.floor.agents if a is not self.agent and a.role in ("sales", "retention")]
        )
        for client in self.r.sample(victim.book, min(len(victim.book), int(self.r.uniform(10, 25) * strength))):
            moment = self.moment()
            self.add(moment, "view", client)
            if self.r.random() < 0.4:
                self.add(moment + 9, "unlock", client)

    def _contact_harvest(self, strength: float) -> None:
        for client in self.r.sample(self.agent.book, min(len(self.agent.book), int(self.r.uniform(15, 35) * strength))):
            moment = self.moment()
            self.add(moment, "view", client)
            self.add(moment + 6, "unlock", client)

    def _night_work(self, strength: float) -> None:
        moment = (self.start + self.length + self.r.uniform(4, 7) * 3600) % 86400
        for _n in range(int(self.r.uniform(8, 22) * strength)):
            moment += self.r.uniform(30, 200)
            self.add(moment % 86400, "view", self._whom([]))

    def _shared_login(self, strength: float) -> None:
        moment = self.moment()
        for _n in range(int(self.r.uniform(5, 14) * strength)):
            moment += self.r.uniform(60, 500)
            self.add(moment, "view", self._whom([]), device="kiosk", ip=f"{self.agent.network}9.9")

    def _takeover(self, strength: float) -> None:
        moment = self.moment()
        place: dict[str, Any] = {"device": "unknown-7", "ip": "185.77.3.4", "country": "NG"}
        self.add(moment, "login", **place)
        for client in self._others(self.floor.clients, self.r.uniform(6, 18) * strength):
            moment += self.r.uniform(20, 90)
            self.add(moment, "view", client, **place)
            if self.r.random() < 0.5:
                self.add(moment + 5, "unlock", client, **place)

    def _scraping(self, strength: float) -> None:
        moment, step = self.moment(), self.r.uniform(3, 12)
        start = self.r.randrange(len(self.floor.clients) - 60)
        for client in self.floor.clients[start : start + int(self.r.uniform(25, 50) * strength)]:
            moment += step + self.r.uniform(-0.4, 0.4)
            self.add(moment, "view", client)
