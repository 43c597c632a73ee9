"""Count the days of another system's agents from its events, a day at a time, with what must be remembered between days."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from monitoring.engine.signals import MEASURES, counts_and_trials
from monitoring.features import COVERED_FROM_SHARE, FAST_STEP_SECONDS, SHORT_CALL_SECONDS, STEP_SECONDS_MAX

MONEY_DAYS = 3
STALE_DAYS = 45
# A device that comes back within this time while another worked between is a second one.
OVERLAP_SECONDS = 1800
KNOWN_FROM_DAYS = 5
# A device is the agent's own once it was used on so many days.
DEVICE_KNOWN_DAYS = 3
FORGET_CLIENT_DAYS = 240
HIGH_VALUE_QUANTILE = 0.9
LARGE_MONEY_QUANTILE = 0.8
VALUES_FROM = 30
EXPORTS_KNOWN_FROM = 10
MONEY_KEPT = 5000
CONTACTS = {"call", "mail", "note", "edit"}
UNUSUAL_HOUR = 0.08
HISTOGRAM_DECAY = 0.98


class Event(NamedTuple):
    """One event in our words; `second` of its day, texts as they came, figures where they could be read."""

    second: int
    agent: str
    kind: str
    client: str
    owner: str | None  # None: not stated; "": nobody's
    value: float | None
    duration: float | None
    network: str
    device: str
    country: str
    rows: int
    amount: float | None
    answered: bool | None
    dormant: bool | None
    group: str
    partner: str = ""
    receiver: str = ""


class AgentMemory:
    """What is remembered of an agent between days."""

    __slots__ = ("clients", "countries", "days", "devices", "exports", "first", "group", "index", "networks")

    def __init__(self, index: int, first: int) -> None:
        self.index, self.first, self.days, self.group = index, first, 0, ""
        self.clients: dict[str, int] = {}
        self.devices: Counter[str] = Counter()
        self.countries: set[str] = set()
        self.networks: set[str] = set()
        self.exports: list[tuple[int, int]] = []


class AgentTally:
    """The counts of one agent's day while its events pass."""

    __slots__ = (
        "answered",
        "assigned",
        "called",
        "calls",
        "contacted",
        "countries",
        "devices",
        "dormant",
        "downloads",
        "edits",
        "edits_outside",
        "events",
        "export_rows",
        "exports",
        "fast",
        "gap",
        "high",
        "high_outside",
        "hours",
        "last_client",
        "last_device",
        "last_view",
        "list_rows",
        "lists",
        "money",
        "networks",
        "new",
        "outside",
        "outside_views",
        "owners",
        "partners",
        "prints",
        "repeats",
        "revealed",
        "reveals",
        "reveals_outside",
        "searches",
        "second_devices",
        "sequential",
        "short",
        "steady",
        "steps",
        "viewed",
        "views",
        "views_by_hour",
    )

    def __init__(self) -> None:
        self.events = self.views = self.searches = self.lists = self.exports = self.export_rows = self.downloads = 0
        self.prints = self.edits = self.calls = self.answered = self.short = self.reveals = 0
        self.steps = self.steady = self.fast = self.second_devices = 0
        self.sequential: list[str] = []
        self.repeats = self.list_rows = 0
        self.last_view = self.gap = -1
        self.last_client, self.last_device = "", ""
        self.hours, self.views_by_hour = [0] * 24, [0] * 24
        self.viewed: set[str] = set()
        self.outside: set[str] = set()
        self.outside_views: Counter[str] = Counter()
        self.edits_outside: Counter[str] = Counter()
        self.new: set[str] = set()
        self.dormant: set[str] = set()
        self.high: set[str] = set()
        self.high_outside: set[str] = set()
        self.money: set[str] = set()
        self.revealed: set[str] = set()
        self.reveals_outside: set[str] = set()
        self.called: Counter[str] = Counter()
        self.contacted: set[str] = set()
        self.assigned: set[str] = set()
        self.owners: Counter[str] = Counter()
        self.partners: dict[str, str] = {}
        self.devices: dict[str, int] = {}
        self.countries: set[str] = set()
        self.networks: set[str] = set()

    def of_one_partner(self) -> int:
        """Count the clients of one partner that were opened outside the own book and not worked with."""
        partners = Counter(partner for client, partner in self.partners.items() if client not in self.contacted)
        return max(partners.values(), default=0)


@dataclass
class CountedDay:
    """A day's counts as arrays over its agents; `exported` are rows."""

    day: int
    agents: npt.NDArray[np.int64]
    groups: list[str]
    counts: npt.NDArray[np.float64]
    trials: npt.NDArray[np.float64]
    hours: npt.NDArray[np.float64]
    exported: npt.NDArray[np.float64]
    export_limits: npt.NDArray[np.float64]
    records: list[tuple[str, ...]] = field(default_factory=list)


class Floor:
    """Everybody of another system's floor, and what of their days must outlive a day."""

    def __init__(self) -> None:
        self.agents: dict[str, AgentMemory] = {}
        self.names: list[str] = []
        self.touched: dict[str, int] = {}
        self.owners: dict[str, str] = {}
        self.values: dict[str, float] = {}
        self.high_value = float("inf")
        self.large_money = float("inf")
        self.amounts: list[float] = []
        self.money: dict[str, int] = {}
        self.tallies: dict[str, AgentTally] = {}
        self.first_day: int | None = None
        self.last_day = 0
        self.active = np.zeros((0, 2, 24))
        self.elapsed = np.zeros((0, 2))
        self.everybody = np.zeros((2, 24))
        self.attended: list[int] = []

    def agent(self, name: str, day: int) -> AgentMemory:
        known = self.agents.get(name)
        if known is None:
            known = self.agents[name] = AgentMemory(len(self.names), day)
            self.names.append(name)
        return known

    def add(self, event: Event, day: int) -> None:
        """Count one event of the running day. Events of a day come in the order of their time."""
        kind, client = event.kind, event.client
        if client:
            self._know_client(event)
        if kind in ("deposit", "withdrawal"):
            self._move_money(event, day)
            if not event.agent:
                return
        if event.receiver and client:
            self.owners[client] = event.receiver
            if event.receiver in self.agents:
                self.agents[event.receiver].clients.setdefault(client, day)
        if not event.agent:
            return
        memory = self.agents.get(event.agent) or self.agent(event.agent, day)
        if event.group:
            memory.group = event.group
        tally = self.tallies.get(event.agent)
        if tally is None:
            tally = self.tallies[event.agent] = AgentTally()
        if kind in ("assign", "campaign", "context", "deposit", "withdrawal"):
            if client:
                tally.assigned.add(client)
                memory.clients.setdefault(client, day)
            return
        tally.events += 1
        hour = event.second // 3600
        if kind not in ("logout", "login_failed"):
            tally.hours[hour] += 1
        self._identify(event, tally, memory)
        owner = self.owners.get(client) if client else None
        is_outside = bool(owner) and owner != event.agent
        if kind == "view" and client:
            tally.views += 1
            tally.views_by_hour[hour] += 1
            self._step(event, tally)
            if is_outside:
                tally.outside_views[client] += 1
            if client not in tally.viewed:
                tally.viewed.add(client)
                self._look(event, day, memory, tally, owner or "", is_outside=is_outside)
        elif kind == "view":
            tally.lists += 1
        elif kind == "call":
            tally.calls += 1
            if client:
                if client in tally.called:
                    tally.repeats += 1
                tally.called[client] += 1
            answered = event.answered if event.answered is not None else bool(event.duration)
            if answered and event.duration is not None:
                tally.answered += 1
                tally.short += event.duration < SHORT_CALL_SECONDS
        elif kind == "search":
            tally.searches += 1
        elif kind == "list":
            tally.lists += 1
            tally.list_rows += event.rows
        elif kind == "reveal":
            tally.reveals += 1
            if client:
                tally.revealed.add(client)
                if is_outside:
                    tally.reveals_outside.add(client)
        elif kind == "export":
            tally.exports += 1
            tally.export_rows += max(event.rows, 1)
        elif kind == "download":
            tally.downloads += 1
        elif kind == "print":
            tally.prints += 1
        elif kind == "edit":
            tally.edits += 1
            if is_outside:
                tally.edits_outside[client] += 1
        if client and kind in CONTACTS:
            tally.contacted.add(client)

    def _know_client(self, event: Event) -> None:
        if event.owner is not None:
            self.owners[event.client] = event.owner
        if event.value is not None:
            self.values[event.client] = event.value

    def _move_money(self, event: Event, day: int) -> None:
        if not event.client:
            return
        if event.amount is None:
            if not self.amounts:  # a file that never states them
                self.money[event.client] = day
            return
        if len(self.amounts) < MONEY_KEPT:
            self.amounts.append(event.amount)
        else:
            self.amounts[hash((event.client, day, event.second)) % MONEY_KEPT] = event.amount
        if event.amount >= self.large_money:
            self.money[event.client] = day

    def _identify(self, event: Event, tally: AgentTally, memory: AgentMemory) -> None:
        if event.network:
            tally.networks.add(event.network)
        if event.country:
            tally.countries.add(event.country)
        device = event.device
        if not device:
            return
        if event.kind == "logout":
            tally.devices.pop(device, None)
            return
        if device != tally.last_device:
            before = tally.devices.get(device)
            other = tally.devices.get(tally.last_device)
            back = before is not None and event.second - before < OVERLAP_SECONDS
            beside = before is None and other is not None and event.second - other < OVERLAP_SECONDS / 2
            is_strange = (
                min(memory.devices.get(device, 0), memory.devices.get(tally.last_device, 0)) < DEVICE_KNOWN_DAYS
            )
            tally.second_devices += is_strange and ((back and other is not None) or beside)
            tally.last_device = device
        tally.devices[device] = event.second

    @staticmethod
    def _step(event: Event, tally: AgentTally) -> None:
        if tally.last_view >= 0 and event.client != tally.last_client:
            gap = event.second - tally.last_view
            if gap <= STEP_SECONDS_MAX:
                tally.steps += 1
                tally.fast += gap <= FAST_STEP_SECONDS
                tally.steady += tally.gap >= 0 and abs(gap - tally.gap) <= max(1, gap // 12)
                tally.gap = gap
                if _follows(event.client, tally.last_client):
                    tally.sequential.append(event.client)
            else:
                tally.gap = -1
        tally.last_view, tally.last_client = event.second, event.client

    def _look(
        self, event: Event, day: int, memory: AgentMemory, tally: AgentTally, owner: str, *, is_outside: bool
    ) -> None:
        client = event.client
        if is_outside:
            if event.partner:
                tally.partners[client] = event.partner
            tally.outside.add(client)
            tally.owners[owner] += 1
        if client not in memory.clients and owner != event.agent and client not in tally.assigned:
            tally.new.add(client)
        stale = event.dormant
        if stale is None and self.first_day is not None and day - self.first_day > STALE_DAYS:
            stale = client in self.touched and day - self.touched[client] > STALE_DAYS
        if (stale and owner != event.agent) or (stale and event.dormant):
            tally.dormant.add(client)
        if self.values.get(client, 0.0) >= self.high_value:
            tally.high.add(client)
            if owner != event.agent:
                tally.high_outside.add(client)
        if owner != event.agent and day - self.money.get(client, -99) <= MONEY_DAYS:
            tally.money.add(client)

    def close(self, day: int) -> CountedDay:
        """Finish the running day: its counts as arrays, and what it leaves in memory."""
        self.first_day = day if self.first_day is None else self.first_day
        self._grow()
        worked = {name: tally for name, tally in self.tallies.items() if tally.events}
        for tally in worked.values():
            self._leave_out_covered(tally, worked)
        is_rest = self._is_rest(day, len(worked))
        unusual = self._unusual_hours(is_rest)
        names = sorted(worked, key=lambda name: self.agents[name].index)
        measures = [self._measures(worked[name], self.agents[name], unusual[self.agents[name].index]) for name in names]
        table = np.array([[m[name] for name in MEASURES] for m in measures], dtype=np.float64)
        counts, trials = counts_and_trials(table.reshape(len(names), len(MEASURES)))
        counted = CountedDay(
            day,
            np.array([self.agents[name].index for name in names], dtype=np.int64),
            [self.agents[name].group for name in names],
            counts,
            trials,
            np.array([sum(1 for n in worked[name].hours if n) for name in names], dtype=np.float64),
            np.array([worked[name].export_rows for name in names], dtype=np.float64),
            self._export_limits(names, day),
            [tuple(sorted(worked[name].outside or worked[name].viewed)[:5]) for name in names],
        )
        self._remember(day, worked, is_rest=is_rest)
        self.tallies = {}
        return counted

    def _leave_out_covered(self, tally: AgentTally, worked: dict[str, AgentTally]) -> None:
        """Count the clients of a colleague who is away as the agent's own for the day, where the agent works with them: so many of
        those opened were called, written to or noted."""
        by_owner: dict[str, set[str]] = {}
        for client in tally.outside | tally.edits_outside.keys() | tally.reveals_outside:
            owner = self.owners.get(client, "")
            if owner in self.agents and owner not in worked:
                by_owner.setdefault(owner, set()).add(client)
        for owner, clients in by_owner.items():
            if len(clients & tally.contacted) < COVERED_FROM_SHARE * len(clients):
                continue
            del tally.owners[owner]
            for of_day in (tally.outside, tally.high_outside, tally.money, tally.new, tally.reveals_outside):
                of_day.difference_update(clients)
            for client in clients:
                del tally.outside_views[client], tally.edits_outside[client]

    def _measures(self, t: AgentTally, memory: AgentMemory, unusual: npt.NDArray[np.bool_]) -> dict[str, float]:
        is_known = memory.days >= KNOWN_FROM_DAYS
        seen = t.viewed | t.revealed
        return {
            "views": t.views,
            "clients": len(t.viewed),
            "busiest_hour": max(t.views_by_hour),
            "searches": t.searches,
            "lists": t.lists,
            "list_rows": t.list_rows,
            "outside_views": t.outside_views.total(),
            "outside_clients": len(t.outside),
            "outside_silent": len(t.outside - t.contacted),
            "silent_clients": len(t.viewed - t.contacted),
            "new_clients": len(t.new - t.contacted) if is_known else 0,
            "one_owner": max(t.owners.values(), default=0),
            "dormant_views": len(t.dormant - t.contacted),
            "high_value_outside": len(t.high_outside - t.contacted),
            "high_value_clients": len(t.high),
            "money_looks": len(t.money),
            "reveals": t.reveals,
            "reveals_without_call": len(t.revealed - set(t.called)),
            "revealed_clients": len(t.revealed),
            "reveals_outside": len(t.reveals_outside),
            "exports": t.exports,
            "downloads": t.downloads,
            "prints": t.prints,
            "odd_hours": sum(n for n, odd in zip(t.hours, unusual, strict=True) if odd),
            "short_calls": t.short,
            "answered_calls": t.answered,
            "calls": t.calls,
            "calls_without_record": sum(n for client, n in t.called.items() if client not in seen),
            "repeat_calls": t.repeats,
            "new_devices": len(t.devices.keys() - memory.devices.keys()) if is_known and memory.devices else 0,
            "new_countries": len(t.countries - memory.countries) if is_known and memory.countries else 0,
            "new_networks": len(t.networks - memory.networks) if is_known and memory.networks else 0,
            "second_devices": min(t.second_devices, 3),
            "steps": t.steps,
            "steady_pace": t.steady,
            "fast_steps": t.fast,
            "sequential": sum(client not in t.contacted for client in t.sequential),
            "edits": t.edits,
            "edits_outside": t.edits_outside.total(),
            "one_partner": t.of_one_partner(),
            "left_after_looks": 0,
            "no_result": 0,
            "reached_before": 0,
        }

    def _grow(self) -> None:
        missing = len(self.names) - len(self.active)
        if missing > 0:
            self.active = np.concatenate([self.active, np.zeros((missing, 2, 24))])
            self.elapsed = np.concatenate([self.elapsed, np.zeros((missing, 2))])

    def _is_rest(self, day: int, present: int) -> int:
        """Whether a day is one of rest: the weekend, or a holiday that shows by who stayed away (1), else 0."""
        usual = sorted(self.attended[-30:])
        empty = len(usual) >= 10 and present < 0.35 * usual[len(usual) * 3 // 4]
        return int((day + 6) % 7 >= 5 or empty)

    def _unusual_hours(self, is_rest: int) -> npt.NDArray[np.bool_]:
        """Mark the hours in which an agent is hardly ever active on such a day, smoothed to the neighbouring hours."""
        if not len(self.active):
            return np.zeros((0, 24), dtype=np.bool_)
        habit = self.active[:, is_rest] + 2.0 * self.everybody[is_rest] * (
            self.elapsed[:, is_rest, None] < KNOWN_FROM_DAYS
        )
        weight = self.elapsed[:, is_rest, None] + 2.0 * (self.elapsed[:, is_rest, None] < KNOWN_FROM_DAYS)
        rate = habit / np.maximum(weight, 1.0)
        smooth = 0.5 * rate + 0.25 * np.roll(rate, 1, axis=1) + 0.25 * np.roll(rate, -1, axis=1)
        marked: npt.NDArray[np.bool_] = smooth < UNUSUAL_HOUR
        known: npt.NDArray[np.bool_] = self.elapsed.sum(axis=1) >= KNOWN_FROM_DAYS
        return np.logical_and(marked, known[:, None])

    def _export_limits(self, names: list[str], day: int) -> npt.NDArray[np.float64]:
        """From how many rows on a day's exports are a bulk export: see `monitoring.rules.export_limit`."""
        from monitoring.rules import export_limit

        exporting = [name for name in names if self.tallies[name].export_rows]
        limits = np.full(len(names), np.inf)
        if not exporting:
            return limits
        by_group: dict[str, list[int]] = {}
        for memory in self.agents.values():
            memory.exports = [entry for entry in memory.exports if day - entry[0] <= 90]
            by_group.setdefault(memory.group, []).extend(rows for _day, rows in memory.exports)
        for name in exporting:
            memory = self.agents[name]
            peers = by_group[memory.group]
            # Where hardly any have exported: those of the role, then everybody's.
            for wider in (memory.group.partition("/")[0], ""):
                if len(peers) < EXPORTS_KNOWN_FROM:
                    peers = [rows for group, all_ in by_group.items() if group.startswith(wider) for rows in all_]
            limits[names.index(name)] = export_limit([rows for _day, rows in memory.exports], peers)
        return limits

    def _remember(self, day: int, worked: dict[str, AgentTally], *, is_rest: int) -> None:
        for name, tally in worked.items():
            memory = self.agents[name]
            memory.days += 1
            for client in tally.viewed | tally.revealed | tally.contacted:
                memory.clients[client] = day
                self.touched[client] = day
            memory.devices.update(tally.devices.keys())
            memory.countries |= tally.countries
            memory.networks |= tally.networks
            if tally.export_rows:
                memory.exports.append((day, tally.export_rows))
        self._remember_hours(day, worked, is_rest)
        self.attended.append(len(worked))
        if len(self.values) >= VALUES_FROM:
            self.high_value = float(np.quantile(np.fromiter(self.values.values(), dtype=float), HIGH_VALUE_QUANTILE))
            if self.high_value <= min(self.values.values()):
                self.high_value = float("inf")
        if len(self.amounts) >= VALUES_FROM:
            self.large_money = float(np.quantile(np.array(self.amounts), LARGE_MONEY_QUANTILE))
        if day % 30 == 0:
            for memory in self.agents.values():
                memory.clients = {c: last for c, last in memory.clients.items() if day - last <= FORGET_CLIENT_DAYS}
            self.money = {c: last for c, last in self.money.items() if day - last <= MONEY_DAYS}
        self.last_day = day

    def _remember_hours(self, day: int, worked: dict[str, AgentTally], is_rest: int) -> None:
        known = np.array([memory.first <= day for memory in self.agents.values()], dtype=np.bool_)
        skipped = range(self.last_day + 1, day) if self.last_day else ()
        for missing in skipped:  # days on which nobody worked count for the histograms, too
            if (missing + 6) % 7 >= 5:
                self.active[:, 1] *= HISTOGRAM_DECAY
                self.elapsed[:, 1] = self.elapsed[:, 1] * HISTOGRAM_DECAY + 1
        if is_rest:  # staying at home on a day of rest is a habit; on a working day it is a holiday
            self.active[:, 1] *= HISTOGRAM_DECAY
            self.elapsed[known, 1] = self.elapsed[known, 1] * HISTOGRAM_DECAY + 1
        for name, tally in worked.items():
            place = self.agents[name].index
            if not is_rest:
                self.active[place, 0] *= HISTOGRAM_DECAY
                self.elapsed[place, 0] = self.elapsed[place, 0] * HISTOGRAM_DECAY + 1
            self.active[place, is_rest] += np.array([n > 0 for n in tally.hours])
        if len(worked):
            total = np.array([[n > 0 for n in tally.hours] for tally in worked.values()], dtype=float).mean(axis=0)
            self.everybody[is_rest] += 0.1 * (total - self.everybody[is_rest])


def _follows(client: str, before: str) -> bool:
    """Whether one record's number comes right after another's."""
    a = "".join(filter(str.isdigit, client))[-12:]
    b = "".join(filter(str.isdigit, before))[-12:]
    return bool(a) and bool(b) and 1 <= int(a) - int(b) <= 2
