"""Switches that make the server misbehave the way real ones do, to be thrown by tests and from the state page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

KINDS = {
    "slow": "does the command, answers `value` seconds later",
    "drop_before": "closes the connection and does nothing",
    "drop_after": "does the command, closes the connection instead of answering",
    "never_before": "does nothing and never answers",
    "never_after": "does the command and never answers",
    "duplicate": "does the command once and answers twice",
    "book_twice": "does the command twice and answers once",
    "split": "sends the answer in TCP pieces of `value` bytes",
    "drip": "sends the answer a byte at a time, `value` seconds apart",
    "retcode": "does nothing, answers with the platform's error `value`",
    "retcode_after": "does the command, answers with the platform's error `value`",
    "too_frequent": "does nothing, says that requests come too often",
    "garbage": "does the command, answers with bytes that are no answer",
    "cut_off": "does the command, closes the connection after `value` bytes of the answer",
    "restart": "does the command, answers, then restarts: all connections end",
    "cut_comment": "books with the comment cut to `value` characters",
}
DONE_KINDS = {"drop_before", "never_before", "retcode", "too_frequent"}  # kinds that keep the command from being done


@dataclass
class Fault:
    """One armed switch: for a command (`*` for any), so many times."""

    kind: str
    command: str = "*"
    times: int = 1
    value: float = 0
    hits: int = 0
    does: str = ""

    def show(self) -> dict[str, object]:
        return asdict(self)


class Faults:
    """The switches of one server. `more` are kinds of its own, beside those of every server."""

    def __init__(self, more: Mapping[str, str] | None = None) -> None:
        self.kinds = {**KINDS, **(more or {})}
        self.armed: list[Fault] = []

    def arm(self, kind: str, command: str = "*", times: int = 1, value: float = 0) -> Fault:
        """Arm a fault. Raises ValueError for an unknown kind or a senseless number."""
        if kind not in self.kinds:
            raise ValueError(f"unknown fault {kind!r}; there are: {', '.join(self.kinds)}")
        if times < 1:
            raise ValueError("times must be at least 1")
        if kind in ("split", "parts", "cut_off") and value < 1:
            raise ValueError(f"{kind} needs a value of at least 1 byte")
        fault = Fault(kind, command.upper(), int(times), float(value), does=self.kinds[kind])
        self.armed.append(fault)
        return fault

    def take(self, command: str) -> dict[str, Fault]:
        """Take the faults that hit this command, by kind; each is used up by one."""
        hit: dict[str, Fault] = {}
        for fault in list(self.armed):
            if fault.command not in ("*", command.upper()) or fault.kind in hit:
                continue
            hit[fault.kind] = fault
            fault.hits += 1
            fault.times -= 1
            if fault.times <= 0:
                self.armed.remove(fault)
        return hit

    def clear(self) -> None:
        self.armed.clear()
