"""A cache that may be away: while Redis restarts, reads miss and writes are dropped, and every page goes on.

Nothing but speed depends on the cache. Sessions fall back to the database; rate limits of sign-in count from zero until Redis
is back, and the lock-out after failed attempts starts from zero.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis import Redis
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
SAY_AGAIN_SECONDS = 30
_said_at = 0.0


def _log_outage(error: Exception) -> None:
    """Log that the cache is away, once in a while and not once per page."""
    global _said_at
    if time.monotonic() - _said_at > SAY_AGAIN_SECONDS:
        _said_at = time.monotonic()
        logger.warning("the cache is away, going on without it: %s", error)


def _patient(name: str, without: Callable[[Any], Any]) -> Callable[..., Any]:
    """Make the cache operation of that name fall back on `without`, which gets the arguments, while Redis is away."""
    plain = getattr(RedisCache, name)

    @functools.wraps(plain)
    def operation(self: RedisCache, *args: Any, **kwargs: Any) -> Any:
        try:
            return plain(self, *args, **kwargs)
        except (RedisError, OSError) as error:
            _log_outage(error)
            return without((args, kwargs))

    return operation


def _default(call: Any) -> Any:
    args, kwargs = call
    return kwargs.get("default", args[1] if len(args) > 1 else None)


_pools: dict[str, dict[int, Any]] = {}
_clients: dict[str, dict[Any, Any]] = {}


class LastingClient(RedisCacheClient):
    """Keeps the client of each server: making one, as Django does for every call, costs more than the call.

    All threads of a process share them. Django has a cache for each thread, and the connections of one that ends would be
    closed by the search for garbage, some time later.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = f"{self._servers} {self._pool_options}"  # type: ignore[attr-defined]
        self._pools = _pools.setdefault(places, {})
        self._kept = _clients.setdefault(places, {})

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]
        if pool not in self._kept:
            self._kept[pool] = Redis(connection_pool=pool)
        return self._kept[pool]


class PatientRedisCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = LastingClient

    get = _patient("get", _default)
    get_many = _patient("get_many", lambda call: {})
    has_key = _patient("has_key", lambda call: False)
    set = _patient("set", lambda call: None)
    set_many = _patient("set_many", lambda call: [])
    # "It was not there, and is now": what depends on being first must not be refused because nobody keeps count.
    add = _patient("add", lambda call: True)
    touch = _patient("touch", lambda call: False)
    delete = _patient("delete", lambda call: False)
    delete_many = _patient("delete_many", lambda call: None)
    clear = _patient("clear", lambda call: False)

    def count(self, keys: Sequence[str], timeout: int) -> list[int]:
        """Count one more of each: see `count`."""
        names = [self.make_and_validate_key(key) for key in keys]
        try:
            pipeline = self._cache.get_client(write=True).pipeline(transaction=False)
            for name in names:
                pipeline.set(name, 0, ex=timeout, nx=True)
                pipeline.incr(name)
            return [int(counted) for counted in pipeline.execute()[1::2]]
        except (RedisError, OSError) as error:
            _log_outage(error)
            return [0] * len(keys)


def count(*keys: str, timeout: int) -> list[int]:
    """Count one more of each in one round trip. A count begins with its first and ends `timeout` seconds later.

    While Redis is away each is 0: whoever asks lets everyone in.
    """
    return cast("PatientRedisCache", cache).count(keys, timeout)
