"""How many requests a token and a brand may send in a minute. Counted in the cache; without one, everyone is let in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from crm.models import ApiToken
from crm.project.cache import count

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
    counts = count(*(key for _limit, key in counted), timeout=2 * WINDOW_SECONDS)
    limits = [
        RateLimit(limit, limit - counted_now, reset) for (limit, _key), counted_now in zip(counted, counts, strict=True)
    ]
    return min(limits, key=lambda limit: limit.remaining)


def is_guessing(address: str | None) -> bool:
    """Count an attempt to get an access token; more than a few dozen a minute from one address is no program of ours."""
    key = f"api:oauth:{address}:{int(time.time()) // WINDOW_SECONDS}"
    return count(key, timeout=2 * WINDOW_SECONDS)[0] > ATTEMPTS_PER_ADDRESS
