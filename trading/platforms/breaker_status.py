"""What the connections of all processes are doing, for the page of platform health: breaker and rate of each purpose.

A breaker lives in its process. Each gate tells Redis how it is when that changes, and every few seconds while it is used;
without Redis nothing is told and nothing is slowed down.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import redis

from trading.platforms.circuit_breaker import Gate
from trading.platforms.shared import redis_client

logger = logging.getLogger(__name__)
AGAIN_SECONDS: Final = 10.0
STALE_SECONDS: Final = 120.0


@dataclass(frozen=True)
class GateState:
    """One purpose of a server over all processes that used it lately: the worst breaker, the slowest rate."""

    purpose: str
    processes: int
    is_open: bool
    failures: int
    opens_in: float
    share: float
    per_second: float
    seen_at: float

    @property
    def share_percent(self) -> int:
        return round(self.share * 100)


def watcher(server_id: int, purpose: str) -> Callable[[Gate], None]:
    """Make what a gate calls after each command: it reports changes to Redis, and now and then that the connection is alive."""
    name, reported = f"{purpose}:{socket.gethostname()}", {"state": (), "at": 0.0}

    def tell(gate: Gate) -> None:
        breaker, limit, now = gate.breaker, gate.limit, time.time()
        is_open = bool(breaker and breaker.is_open)
        failures = breaker.failures if breaker else 0
        share = limit.share if limit else 1.0
        state = (is_open, failures, round(share, 1))
        if state == reported["state"] and now - float(reported["at"]) < AGAIN_SECONDS:  # type: ignore[arg-type]
            return
        reported.update(state=state, at=now)
        left = max(0.0, breaker.open_until - breaker.clock()) if breaker and is_open else 0.0
        row = {
            "at": now,
            "open": is_open,
            "failures": failures,
            "left": left,
            "share": share,
            "rate": limit.per_second if limit else 0,
        }
        try:
            client, key = redis_client(), f"trading-gates:{server_id}"
            client.hset(key, f"{name}:{os.getpid()}", json.dumps(row))
            client.expire(key, 3600)
        except (redis.RedisError, OSError) as problem:
            logger.debug("the state of a gate is not told: %s", problem)

    return tell


def states_of(server_ids: Iterable[int]) -> dict[int, list[GateState]]:
    """List for each server the purposes that were used in the last two minutes; empty without Redis."""
    ids = list(server_ids)
    try:
        pipeline = redis_client().pipeline(transaction=False)
        for server_id in ids:
            pipeline.hgetall(f"trading-gates:{server_id}")
        answers = pipeline.execute() if ids else []
    except (redis.RedisError, OSError):
        return {}
    return {server_id: _summed(answer) for server_id, answer in zip(ids, answers, strict=True)}


def _summed(fields: dict[bytes, bytes]) -> list[GateState]:
    now = time.time()
    rows_by_server: dict[str, list[dict[str, Any]]] = {}
    for name, text in fields.items():
        row: dict[str, Any] = json.loads(text)
        if now - row["at"] <= STALE_SECONDS:
            rows_by_server.setdefault(name.decode().split(":")[0], []).append(row)
    return [
        GateState(
            purpose,
            len(rows),
            any(row["open"] for row in rows),
            max(row["failures"] for row in rows),
            max(max(0.0, row["left"] - (now - row["at"])) for row in rows),
            min(row["share"] for row in rows),
            min(row["rate"] for row in rows),
            max(row["at"] for row in rows),
        )
        for purpose, rows in sorted(rows_by_server.items())
    ]
