"""Times on this wire: the server's wall clock in whole seconds, 32 bits of it; or UTC, from a bridge that converts."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.engine.clock import ServerClock

INT32_MAX = 2**31 - 1


class Times:
    """`in_utc`: the bridge shows instants in UTC with a `Z` instead of the server's wall clock."""

    def __init__(self, clock: ServerClock, *, in_utc: bool = False) -> None:
        self.clock, self.in_utc = clock, in_utc

    def text(self, server_msc: int) -> str:
        """Zero, which stands for "never", is the beginning of 1970."""
        seconds = min(server_msc // 1000, INT32_MAX)
        wall = datetime.fromtimestamp(seconds, UTC)
        if not self.in_utc or not seconds:
            return wall.strftime("%Y-%m-%dT%H:%M:%S")
        instant = wall.replace(tzinfo=self.clock.zone).astimezone(UTC)
        return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

    def seconds(self, text: str | None, otherwise: int) -> int:
        """Convert a bound of a request to seconds of the server's clock. Raises ValueError."""
        if not text:
            return otherwise
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if self.in_utc:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            moment = moment.astimezone(self.clock.zone)
        return int(moment.replace(tzinfo=UTC).timestamp())
