"""A rate that all processes share: whose turn it is, Redis knows. Without Redis each process keeps its own count."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Final

import redis
from django.conf import settings

logger = logging.getLogger(__name__)
SECONDS: Final = 0.25  # a count that is not there in time is not waited for
# The time at which the next command would be due if all came evenly (GCRA). A wait that is too long takes no turn.
SCRIPT: Final = """
local now = redis.call('TIME')
local t = tonumber(now[1]) + tonumber(now[2]) / 1000000
local interval, burst, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), t)
local wait = math.max(0, due - t - interval * (burst - 1))
if wait <= longest then
  redis.call('SET', KEYS[1], string.format('%.6f', due + interval), 'EX', math.ceil(due + interval - t) + 1)
end
return string.format('%.6f', wait)
"""


@functools.cache
def redis_client() -> redis.Redis:
    """Connect to Redis with short time-outs: a rate is no reason to wait."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)


def shared_turn(name: str) -> Callable[[float, int, float], float | None]:
    """Make a counter for `circuit_breaker.Limit` that takes a turn: seconds until it, or None without Redis.

    The same name is the same count in every process. A turn further away than `longest` is not taken.
    """
    key = f"trading-rate:{name}"

    def turn(per_second: float, burst: int, longest: float) -> float | None:
        try:
            return float(redis_client().eval(SCRIPT, 1, key, 1 / per_second, burst, longest))
        except (redis.RedisError, OSError) as problem:
            logger.debug("the shared rate is not counted: %s", problem)
            return None

    return turn
