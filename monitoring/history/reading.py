"""Read another system's history: JSONL in any order, however long, into events of one day after another.

The file is first cut into one file a day, so that late and unordered events come where they belong and memory holds one day's
chunk at most. Nothing is dropped in silence: `Report` counts whatever could not be used.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from monitoring.history import mapping, moments, recognition
from monitoring.history.counting import Event
from monitoring.history.moments import clock, moment, number, seconds
from monitoring.history.tables import FILE, ROW

SAMPLE = 2000
# A day's events are ordered by time in chunks of so many; a longer day is ordered chunk by chunk.
CHUNK = 200_000
OPEN_FILES_MAX = 60
BUFFER_BYTES = 1 << 22
ERRORS_MAX = 20
# What the name of the file may make clear.
VAGUE = ("", "context")
STRAY_GAP_DAYS = 45
STRAY_SHARE = 0.001
LONGEST_LINE = 1 << 20


@dataclass
class Report:
    """What was read, and what could not be."""

    events: int = 0
    unreadable: int = 0
    without_time: int = 0
    without_agent: int = 0
    duplicates: int = 0
    stray: int = 0
    unknown_kinds: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    unused_fields: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def fault(self, where: str, column: str, value: object) -> None:
        """Name the line and the field that can't be read, the first ones."""
        if len(self.errors) < ERRORS_MAX:
            shown = "".join(sign if sign.isprintable() else "?" for sign in str(value)[:40])
            self.errors.append(f"{where}, {column[:80]}: “{shown}” can't be read")

    def as_json(self) -> dict[str, Any]:
        return {
            "events": self.events,
            "unreadable_lines": self.unreadable,
            "without_time": self.without_time,
            "without_agent": self.without_agent,
            "duplicates": self.duplicates,
            "stray_days": self.stray,
            "fields": self.fields,
            "unused_fields": self.unused_fields,
            "kinds": self.kinds,
            "unknown_kinds": dict(self.unknown_kinds.most_common(50)),
            "errors": self.errors,
        }


class Reader:
    """The events of a file, one day after another."""

    def __init__(
        self,
        path: Path,
        *,
        fields: dict[str, str] | None = None,
        kinds: dict[str, str] | None = None,
        work: Path | None = None,
    ) -> None:
        """work: where the files of days lie meanwhile; the system's own place for such if None."""
        self.path, self.stated_fields, self.stated_kinds, self.work = path, fields or {}, kinds or {}, work
        self.report = Report()
        self.sizes: Counter[int] = Counter()
        self.is_month_first = False

    def days(self) -> Iterator[tuple[int, Iterator[Event]]]:
        """Iterate over (day, its events in order). The day's events must be used up before the next day is asked for."""
        with tempfile.TemporaryDirectory(prefix="keelson-history-", dir=self.work) as folder:
            self._cut(Path(folder))
            for day in self._kept_days():
                yield day, self._events_of(Path(folder) / str(day))

    def _cut(self, folder: Path) -> None:
        """Cut the file into a file a day of the raw lines."""
        self._learn_fields()
        with ExitStack() as stack, self.path.open("rb") as lines:
            spool = _Spool(folder, stack)
            for row, line in enumerate(iter(lambda: lines.readline(LONGEST_LINE), b""), start=1):
                if len(line) < 3:
                    continue
                try:
                    event = orjson.loads(line)
                    found = self._moment(event)
                except (orjson.JSONDecodeError, AttributeError, TypeError):
                    self.report.unreadable += 1
                    self.report.fault(f"line {row}", "event", line[:40].decode(errors="replace"))
                    continue
                if found is None:
                    self.report.without_time += 1
                    where = f"{event[FILE]}, row {event[ROW]}" if FILE in event else f"line {row}"
                    key = self.report.fields.get("ts", "ts")
                    self.report.fault(where, key, mapping.flat(event).get(key, ""))
                    continue
                self.sizes[found[0]] += 1
                spool.write(found[0], line)
            spool.flush()

    def _moment(self, event: dict[str, Any]) -> tuple[int, int] | None:
        """Return the day and second of an event, of one field or of a date and a time of day."""
        key, at = self.report.fields.get("ts", "ts"), self.report.fields.get("clock")
        value = event.get(key)
        if value is None or at:
            event = mapping.flat(event)
            value = event.get(key)
        when = moment(value, is_month_first=self.is_month_first)
        if at and when is not None:
            return when[0], clock(event.get(at)) or 0
        return when

    def _learn_fields(self) -> None:
        """Look at lines from the beginning, the middle and the end: which key is what."""
        sample = []
        size = self.path.stat().st_size
        with self.path.open("rb") as lines:
            for start in (0, size // 3, 2 * size // 3):
                lines.seek(start)
                if start:
                    lines.readline(LONGEST_LINE)
                for _n in range(SAMPLE):
                    line = lines.readline(LONGEST_LINE)
                    if not line:
                        break
                    try:
                        event = orjson.loads(line)
                    except orjson.JSONDecodeError:
                        continue
                    if isinstance(event, dict):
                        sample.append(mapping.flat(event))
        self.report.fields = recognition.fields_of(sample, self.stated_fields)
        self.is_month_first = moments.is_month_first([event.get(self.report.fields.get("ts", "")) for event in sample])
        keys = {key for event in sample for key in event} - {FILE, ROW}
        self.report.unused_fields = sorted(keys - set(self.report.fields.values()))[:60]

    def _kept_days(self) -> list[int]:
        """Leave out days far from all others that hold next to nothing: clocks that were wrong by months or years."""
        days = sorted(self.sizes)
        total = sum(self.sizes.values())
        runs: list[list[int]] = []
        for day in days:
            if runs and day - runs[-1][-1] <= STRAY_GAP_DAYS:
                runs[-1].append(day)
            else:
                runs.append([day])
        kept = [run for run in runs if sum(self.sizes[day] for day in run) > STRAY_SHARE * total] or runs
        left = [day for run in runs if run not in kept for day in run]
        self.report.stray = sum(self.sizes[day] for day in left)
        return [day for run in kept for day in run]

    def _events_of(self, path: Path) -> Iterator[Event]:
        chunk: list[Event] = []
        seen: set[int] = set()
        with path.open("rb") as lines:
            for line in lines:
                mark = hash(line)
                if mark in seen:
                    self.report.duplicates += 1
                    continue
                if len(seen) < 4 * CHUNK:
                    seen.add(mark)
                event = self._read(orjson.loads(line), seen)
                if event is not None:
                    self.report.events += 1
                    chunk.append(event)
                if len(chunk) >= CHUNK:
                    yield from sorted(chunk, key=_order)
                    chunk = []
        yield from sorted(chunk, key=_order)
        path.unlink()

    def _read(self, raw: dict[str, Any], seen: set[int]) -> Event | None:
        names = self.report.fields
        flat = raw if all(type(value) not in (dict, list) for value in raw.values()) else mapping.flat(raw)
        if flat is raw and names["ts"] not in raw:
            flat = mapping.flat(raw)

        def text(field: str) -> str:
            key = names.get(field)
            value = flat.get(key) if key else None
            return "" if value is None else str(value)[:80]

        when = self._moment(flat)
        assert when is not None
        word = text("kind")
        if FILE in flat and word not in self.stated_kinds and mapping.kind_of(word) in VAGUE:
            whole = f"{flat[FILE]} {word}".strip()
            word = whole if mapping.kind_of(whole) not in VAGUE or not word else word
        kind = self.report.kinds.get(word)
        if kind is None:
            kind = self.report.kinds[word] = self.stated_kinds.get(word) or mapping.kind_of(word) or "other"
        if kind == "other":
            self.report.unknown_kinds[word] += 1
        agent = text("agent")
        if not agent or (len(agent) < 12 and mapping.plain(agent) in mapping.NOBODY):
            agent = ""
            if kind not in ("deposit", "withdrawal"):
                self.report.without_agent += 1
        number_of_event = text("id")
        if number_of_event:
            mark = hash((agent, word, number_of_event, when))
            if mark in seen:
                self.report.duplicates += 1
                return None
            if len(seen) < 8 * CHUNK:
                seen.add(mark)
        client = text("client")
        owner: str | None = text("owner") if names.get("owner") in flat else None
        if owner and len(owner) < 12 and mapping.plain(owner) in mapping.NOBODY:
            owner = ""
        return Event(
            when[1],
            agent,
            kind,
            "" if client in ("None", "null", "-") else client,
            owner,
            self._value(flat),
            self._duration(flat),
            _network(text("ip")),
            text("device"),
            text("country"),
            int(min(max(number(flat.get(names.get("rows", ""))) or 1, 0), 1e9)),
            number(flat.get(names.get("amount", ""))),
            _answered(word, flat.get(names.get("outcome", "")) if "outcome" in names else None)
            if kind == "call"
            else None,
            _dormant(names.get("dormant", ""), flat.get(names.get("dormant", ""))),
            "/".join(part for part in (text("role"), text("desk"), text("shift")) if part),
            text("partner"),
            text("receiver") if kind == "assign" else "",
        )

    def _value(self, flat: dict[str, Any]) -> float | None:
        value = flat.get(self.report.fields.get("value", ""))
        if isinstance(value, str):
            tier = mapping.TIERS.get(value.strip().lower())
            if tier is not None:
                return tier
            return number(value) if any(c.isdigit() for c in value) else 0.0
        return number(value)

    def _duration(self, flat: dict[str, Any]) -> float | None:
        key = self.report.fields.get("duration", "")
        return seconds(flat.get(key), key)


def _order(event: Event) -> tuple[int, str, str, str]:
    return event.second, event.agent, event.kind, event.client


def _network(ip: str) -> str:
    """Return the network of an address: /16 of IPv4, three groups of IPv6; a home line changes within it."""
    parts = ip.split(":")[:3] if ":" in ip else ip.split(".")[:2]
    return ".".join(parts)


def _answered(word: str, outcome: object) -> bool | None:
    """Whether a call was answered; None: only its length says."""
    for said in (outcome, word):
        if isinstance(said, bool):
            return said
        name = mapping.plain(said) if said is not None else ""
        if name in mapping.UNANSWERED or any(name.endswith("_" + end) for end in mapping.UNANSWERED if len(end) > 3):
            return False
    return None


def _dormant(key: str, value: object) -> bool | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    figure = (
        number(value) if isinstance(value, int | float) or str(value).strip().replace(".", "", 1).isdigit() else None
    )
    if figure is not None and ("day" in key or figure > 1):
        return figure >= mapping.DORMANT_DAYS
    return mapping.plain(value) in mapping.DORMANT_WORDS


class _Spool:
    """Lines per day, gathered in memory and written out a few megabytes at a time."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.waiting: dict[int, list[bytes]] = {}
        self.bytes = 0

    def write(self, day: int, line: bytes) -> None:
        self.waiting.setdefault(day, []).append(line if line.endswith(b"\n") else line + b"\n")
        self.bytes += len(line)
        if self.bytes > BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        for day, lines in self.waiting.items():
            out: BinaryIO
            with (self.folder / str(day)).open("ab") as out:
                out.writelines(lines)
        self.waiting, self.bytes = {}, 0
