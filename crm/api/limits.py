"""How many requests a token and a brand may send in a minute. Counted in the cache; without one, everyone is let in."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from crm.models import ApiToken

logger = logging.getLogger(__name__)
PER_TOKEN: Final = 600
PER_BRAND: Final = 6000
WINDOW_SECONDS: Final = 60
ATTEMPTS_PER_ADDRESS: Final = 60


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of the narrower limit; `reset`: seconds until the window ends."""

    limit: int
    remaining: int
    reset: int

    @property
    def is_exceeded(self) -> bool:
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """Write the headers that each answer carries (IETF draft-ietf-httpapi-ratelimit-headers, as GitHub writes them)."""
        left = max(0, self.remaining)
        values = {"X-RateLimit-Limit": self.limit, "X-RateLimit-Remaining": left, "X-RateLimit-Reset": self.reset}
        if self.is_exceeded:
            values["Retry-After"] = self.reset
        return {name: str(value) for name, value in values.items()}


def count_request(token: ApiToken) -> RateLimit:
    """Count one more request of the token and of its brand in the current minute."""
    now = int(time.time())
    window, reset = now // WINDOW_SECONDS, WINDOW_SECONDS - now % WINDOW_SECONDS
    counted = [(PER_TOKEN, f"api:token:{token.user_id}:{window}")]
    if token.user.brand_id:
        counted.append((PER_BRAND, f"api:brand:{token.user.brand_id}:{window}"))
    limits = [RateLimit(limit, limit - _count(key), reset) for limit, key in counted]
    return min(limits, key=lambda limit: limit.remaining)


def _count(key: str) -> int:
    try:
        cache.add(key, 0, timeout=2 * WINDOW_SECONDS)
        return cache.incr(key)
    except ValueError:  # it expired between the two lines
        return 1
    except RedisError:
        logger.warning("the cache is away: API requests aren't counted")
        return 0


def is_guessing(address: str | None) -> bool:
    """Count an attempt to get an access token; more than a few dozen a minute from one address is no program of ours."""
    return _count(f"api:oauth:{address}:{int(time.time()) // WINDOW_SECONDS}") > ATTEMPTS_PER_ADDRESS
