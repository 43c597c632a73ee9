"""What a detector says: a finding with its evidence, or that it could not judge an account, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from risk.abuse.book import SECOND, Book, Whole
from risk.abuse.choices import Abuse

EVIDENCE_MAX: Final = 50
LOWER_IS_STRICTER: Final = ("score", "size_times", "laundering_amount")


@dataclass(frozen=True)
class Limits:
    """From where on trading counts as abuse, and whose accounts have limits of their own (`risk.abuse.thresholds`).

    own: by the account's place in the book. origins: by limit, who set it; nothing where a file is judged.
    """

    score: float = 0.5
    scalp_seconds: int = 60
    scalp_trades: int = 20
    scalp_share: float = 0.6
    latency_trades: int = 20
    hedge_seconds: int = 10
    hedge_lots: float = 0.25
    copy_seconds: int = 5
    matches: int = 4
    news_trades: int = 5
    rollover_minute: int = 0
    size_times: float = 8.0
    bonus_days: int = 30
    laundering_amount: int = 1_000
    laundering_days: int = 30
    laundering_trades: int = 5
    own: Mapping[int, Limits] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, account: int) -> Limits:
        """Return what holds for an account."""
        return self.own.get(account, self)

    def strictest(self, name: str, accounts: Iterable[int]) -> Limits:
        """Return the limits of that one among the accounts for whom `name` is strictest: several are judged by it together."""
        parts = [self.of(account) for account in accounts] or [self]
        return (min if name in LOWER_IS_STRICTER else max)(parts, key=lambda part: getattr(part, name))

    def seconds(self, name: str, accounts: int) -> Whole:
        """Return a limit in seconds for each account of a book, in milliseconds."""
        each = np.full(accounts, getattr(self, name) * SECOND, dtype=np.int64)
        for account, part in self.own.items():
            each[account] = getattr(part, name) * SECOND
        return each


@dataclass(frozen=True)
class Finding:
    """Abuse of a kind by an account, or by several together. `facts` are the figures of its sentence (`risk.abuse.texts`).

    accounts: places in the book; stake: money units of `currency`; rows: the evidence trades, the most telling first.
    """

    kind: Abuse
    accounts: tuple[int, ...]
    score: float
    stake: int
    rows: tuple[int, ...]
    facts: Mapping[str, Any]
    since_ms: int
    until_ms: int


@dataclass(frozen=True)
class Unjudged:
    """An account that a detector could not judge: how many of its trades lacked quotes."""

    kind: Abuse
    account: int
    trades: int
    without_quotes: int


@dataclass
class Judgement:
    """What all detectors found in a book."""

    findings: list[Finding] = field(default_factory=list)
    unjudged: list[Unjudged] = field(default_factory=list)


Detector = Callable[[Book, Limits, Judgement], Iterator[Finding | Unjudged]]


def finding(
    book: Book,
    kind: Abuse,
    accounts: tuple[int, ...],
    score: float,
    rows: Any,
    *,
    stake: int | None = None,
    **facts: Any,
) -> Finding:
    """Make a finding of evidence rows; without `stake`, what they won is at stake."""
    chosen = [int(row) for row in rows]
    times = [int(book.open_ms[row]) for row in chosen]
    return Finding(
        kind,
        accounts,
        round(float(min(max(score, 0.0), 1.0)), 3),
        max(book.net_of(chosen), 0) if stake is None else stake,
        tuple(chosen[:EVIDENCE_MAX]),
        {"trades": len(chosen), **facts},
        min(times, default=0),
        max(times, default=0),
    )
