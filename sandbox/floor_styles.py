"""Floors that work otherwise than those of `sandbox.floor`: other jobs, fields, clocks and sizes, and misuse by other scripts.

`bench monitoring` reports them apart: what was tuned on one way of working must hold on another. A style is how people work, how
their system writes it down, and which misuse is planted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.floor import Agent, SalesFloor, Size, _AgentDay

Json = dict[str, Any]


@dataclass(frozen=True)
class Style:
    """How a floor works and writes.

    busy, calls, quiet, outside: factors of records opened, calls made, silent looks and looks outside the own book. pool: share of
    clients that are no one's. leads: new clients per agent and day. moves: clients that change hands per day. hot_desks: people
    share so many devices. rotating: shifts change weekly. weekend: share of people who work on Saturdays and Sundays.
    """

    sizes: tuple[Size, ...]
    write: Callable[[Json, dt.datetime], Json]
    busy: float = 1.0
    calls: float = 1.0
    quiet: float = 1.0
    outside: float = 1.0
    pool: float = 0.0
    leads: float = 0.0
    moves: int = 0
    hot_desks: int = 0
    rotating: bool = False
    weekend: float = 0.0
    density: float = 0.48
    kinds: tuple[str, ...] = ()


def _written(
    event: Json, names: Mapping[str, str], kinds: Mapping[str, str], ts: object, left_out: frozenset[str] = frozenset()
) -> Json:
    """Write an event in another system's words, without the fields that it doesn't have."""
    words = {**event, "ts": ts, "kind": kinds.get(event["kind"], event["kind"])}
    return {names.get(key, key): value for key, value in words.items() if key not in left_out}


def _dialler(event: Json, at: dt.datetime) -> Json:
    names = {
        "ts": "started_at",
        "agent": "operator_id",
        "kind": "event_name",
        "client": "lead_id",
        "client_owner": "assigned_to",
        "duration_s": "talk_time",
        "outcome": "disposition",
        "desk": "team",
    }
    kinds = {"view": "lead.opened", "call": "dial.completed", "unlock": "number.shown", "login": "agent.signed_in"}
    kinds |= {"logout": "agent.signed_out", "document": "attachment.downloaded", "edit": "lead.updated"}
    if event["kind"] == "call" and event.get("outcome") == "answered":
        event = {**event, "outcome": "ANSWER"}
    stamp = int(at.timestamp() * 1000)
    return _written(event, names, kinds, stamp, frozenset({"device", "country", "client_value", "role"}))


def _private(event: Json, at: dt.datetime) -> Json:
    kinds = {"view": "ClientCardOpened", "unlock": "ContactRevealed", "call": "OutboundCall", "mail": "EmailSent"}
    kinds |= {"list_open": "ClientListViewed", "document": "DocumentOpened", "edit": "ClientUpdated"}
    tier = event.get("client_value", 0)
    out: Json = {
        "occurredAt": at.replace(tzinfo=dt.timezone(dt.timedelta(hours=2))).isoformat(),
        "user": {"id": event["agent"], "team": event.get("desk")},
        "eventType": kinds.get(event["kind"], event["kind"]),
    }
    if "client" in event:
        segment = "Platinum" if tier > 20_000 else "Gold" if tier > 5_000 else "Standard"
        out["customer"] = {"id": event["client"], "accountManager": event.get("client_owner"), "segment": segment}
    if "duration_s" in event:
        out |= {"durationMs": event["duration_s"] * 1000, "callStatus": event.get("outcome")}
    if "rows" in event:
        out["recordCount"] = event["rows"]
    if "device" in event:
        out["session"] = {"id": f"{event['agent']}-{at:%j}", "userAgent": event["device"], "ipAddress": event["ip"]}
    return out


def _lean(event: Json, at: dt.datetime) -> Json:
    left_out = frozenset(
        {"client_owner", "client_value", "device", "ip", "country", "duration_s", "role", "desk", "outcome"}
    )
    return _written(event, {"client": "customer"}, {"unlock": "reveal"}, f"{at:%Y-%m-%d %H:%M:%S}", left_out)


def _regional(event: Json, at: dt.datetime) -> Json:
    """Write in UTC, eight hours behind the floor's clock: days are cut in the middle of a shift."""
    names = {"client_owner": "owner", "client_value": "equity", "device": "fingerprint", "role": "job_title"}
    return _written(
        event,
        names,
        {"view": "view_client", "list_open": "view_list"},
        f"{at - dt.timedelta(hours=8):%Y-%m-%dT%H:%M:%S}Z",
    )


def _plain(event: Json, at: dt.datetime) -> Json:
    return _written(event, {}, {}, at.isoformat(), frozenset({"role", "desk", "country"}))


OTHERS: tuple[str, ...] = (
    "slow_leak",
    "bulk_export",
    "leavers_export",
    "list_dump",
    "partner_network",
    "vip_snooping",
    "deposit_snooping",
)
OTHERS += ("dormant_sweep", "padding", "weekend_work", "shared_login", "slow_reveals")
STYLES: dict[str, Style] = {
    "dialler": Style(
        (Size(80, 60, 60, 12.0), Size(120, 45, 40, 9.0)),
        _dialler,
        calls=1.6,
        pool=0.5,
        leads=3.0,
        rotating=True,
        kinds=("padding", "dormant_sweep", "slow_leak", "bulk_export", "contact_harvest", "poaching", "list_dump"),
    ),
    "private": Style(
        (Size(30, 180, 35, 14.0), Size(34, 150, 25, 10.0)),
        _private,
        calls=0.5,
        quiet=1.3,
        outside=0.6,
        density=0.4,
        kinds=tuple(kind for kind in OTHERS if kind != "deposit_snooping"),
    ),
    "lean": Style(
        (Size(60, 100, 70, 24.0), Size(45, 90, 60, 20.0)),
        _lean,
        moves=4,
        kinds=("bulk_export", "slow_leak", "contact_harvest", "night_work", "scraping", "weekend_work", "list_dump"),
    ),
    "regional": Style(
        (Size(300, 45, 60, 16.0), Size(150, 70, 60, 20.0)),
        _regional,
        outside=1.3,
        moves=20,
        leads=0.6,
        hot_desks=40,
        rotating=True,
        weekend=0.5,
        density=0.35,
        kinds=OTHERS,
    ),
    "open": Style(
        (Size(55, 120, 80, 35.0), Size(90, 75, 80, 30.0)),
        _plain,
        outside=2.5,
        leads=1.0,
        moves=6,
        weekend=0.15,
        density=0.6,
        kinds=OTHERS,
    ),
}


class StyledFloor(SalesFloor):
    """A floor of a style. Its misuse begins after a fortnight to a month, whatever the length of the history."""

    least_attacks = 4
    lengths: Mapping[str, tuple[int, int]] = {
        "slow_leak": (12, 25),
        "slow_reveals": (12, 25),
        "padding": (2, 8),
        "vip_snooping": (2, 6),
        "deposit_snooping": (3, 8),
        "partner_network": (3, 8),
        "leavers_export": (3, 6),
        "weekend_work": (1, 2),
    }

    def __init__(self, seed: int, style: Style, *, attacks: bool = True) -> None:
        self.style, self.kinds = style, style.kinds
        size = style.sizes[seed % len(style.sizes)]
        self.quiet_days = max(16, min(35, size.days // 3))
        super().__init__(seed, size, density=style.density, attacks=attacks)

    def _agent(self, n: int) -> Agent:
        r, style = self.random, self.style
        agent = super()._agent(n)
        weekdays = agent.weekdays | {5, 6} if r.random() < style.weekend else agent.weekdays
        device = f"pos-{r.randrange(style.hot_desks)}" if style.hot_desks else agent.device
        return replace(
            agent,
            joined=agent.joined if self.size.days >= 75 else 0,
            weekdays=frozenset(sorted(weekdays)[-5:] if style.weekend else weekdays),
            views=agent.views * style.busy,
            call=min(0.97, agent.call * style.calls),
            silent=min(0.9, agent.silent * style.quiet),
            outside=min(0.9, agent.outside * style.outside),
            device=device,
        )

    def _clients(self) -> None:
        super()._clients()
        for client in self.clients:
            if self.random.random() < self.style.pool:
                self.owner[client] = ""
        # Clients that one partner brought: spread over everybody's books.
        self.partners = [self.random.sample(self.clients, min(60, len(self.clients) // 4)) for _n in range(8)]

    def events(self) -> Iterator[Json]:
        for event in super().events():
            yield self.style.write(event, dt.datetime.fromisoformat(event["ts"]))

    def _day_of(self, agent: Agent, day: int, shared: float) -> list[Json]:
        style, r = self.style, self.random
        if style.rotating and day % 7 == 0:
            agent.start = r.choice([6.0, 9.0, 14.0]) if r.random() < 0.8 else 21.5
        if style.hot_desks and r.random() < 0.6:
            agent.device = f"pos-{r.randrange(style.hot_desks)}"
        return _StyledDay(self, agent, day, shared).run()

    def new_lead(self, agent: Agent) -> int:
        client = self.clients[-1] + self.random.randint(1, 3)
        self.clients.append(client)
        self.owner[client], self.idle[client], self.value[client] = agent.name, False, 0.0
        agent.book.append(client)
        return client


class _StyledDay(_AgentDay):
    """The day of one agent in a style, with misuse by scripts of its own."""

    floor: StyledFloor

    def run(self) -> list[Json]:
        style, agent, r = self.floor.style, self.agent, self.r
        if agent.role in ("sales", "retention"):
            for _n in range(self.floor.numbers.poisson(style.leads)):
                lead = self.floor.new_lead(agent)
                self.add(self.start + 60, "assign", lead)
                self._look(lead)
            if r.random() < style.moves / len(self.floor.agents):
                other = r.choice(self.floor.agents)
                for client in r.sample(other.book, min(3, len(other.book))):
                    self.floor.owner[client] = agent.name
                    agent.book.append(client)
                    self.add(self.start + 90, "assign", client)
        return super().run()

    def _slow_leak(self, strength: float) -> None:
        """Open two to four clients of others each day, and nothing else."""
        for client in self._others(self.floor.clients, self.r.uniform(2, 4.5) * strength):
            self.add(self.moment(), "view", client)

    def _slow_reveals(self, strength: float) -> None:
        """Reveal a few contacts more each day, of the own book, without a call."""
        book = self.agent.book
        for client in self.r.sample(book, min(len(book), int(self.r.uniform(3, 6) * strength))):
            moment = self.moment()
            self.add(moment, "view", client)
            self.add(moment + 6, "unlock", client)

    def _leavers_export(self, strength: float) -> None:
        self.add(self.moment(), "export", rows=int(self.r.uniform(120, 500) * strength))
        for client in self.r.sample(self.agent.book, min(len(self.agent.book), int(4 * strength))):
            self.add(self.moment(), "document", client)

    def _list_dump(self, strength: float) -> None:
        moment = self.moment()
        for _n in range(int(self.r.uniform(12, 25) * strength)):
            moment += self.r.uniform(5, 40)
            self.add(moment, "list_open", rows=self.r.randint(100, 250))

    def _partner_network(self, strength: float) -> None:
        among = self.floor.partners[int(self.agent.name[1:]) % len(self.floor.partners)]
        for client in self._others(among, self.r.uniform(4, 9) * strength):
            self.add(self.moment(), "view", client)

    def _weekend_work(self, strength: float) -> None:
        """Work from home, five hours before the own day begins."""
        moment = (self.start - 5 * 3600) % 86400
        for _n in range(int(self.r.uniform(8, 20) * strength)):
            moment += self.r.uniform(30, 300)
            self.add(moment % 86400, "view", self._whom([]), ip=f"{self.agent.home}1.1")


def styled(name: str, seed: int) -> StyledFloor:
    """Make a floor of a style; equal seeds make equal floors."""
    return StyledFloor(seed, STYLES[name])
