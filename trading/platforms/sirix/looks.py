"""What was seen of each account the last time, shared by all processes: one request tells everything about an account.

The platform lists no accounts and answers about one at a time. So a reading goes round the accounts that the house knows:
those that matter first (open positions, or something happened within a day), the others when their turn comes, and always
the one that waited longest before the one that waited less. Nobody is read twice because two readers ask.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache

from trading.platforms.base import AccountMoney, PositionData

KEPT_SECONDS: Final = 3600
BUSY_SECONDS: Final = 86_400.0  # something happened on the account so shortly ago
QUIET_LATER: Final = 20.0  # so many seconds later than a busy account's comes a quiet one's turn
FRESH_SECONDS: Final = 1.0  # a look so young is not taken again
QUIET_FRESH_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Look:
    """An account at one moment. `money` is None for an account that is not there. Times are seconds of our clock."""

    login: str
    taken_at: float
    changed_at: float
    money: AccountMoney | None
    positions: tuple[PositionData, ...] = ()

    @property
    def is_busy(self) -> bool:
        return bool(self.positions) or time.time() - self.changed_at < BUSY_SECONDS

    @property
    def is_fresh(self) -> bool:
        return time.time() - self.taken_at < (FRESH_SECONDS if self.is_busy else QUIET_FRESH_SECONDS)

    @property
    def due_at(self) -> float:
        return self.taken_at + (0.0 if self.is_busy else QUIET_LATER)


class Looks:
    """The looks of one server, and until when each account's deals were read, in the shared cache.

    A cache that is empty costs a longer reading, never a deal: the caller's own cursor counts (`HistoryPart.deals_since`).
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def _key(self, kind: str, login: str) -> str:
        return f"sirix:{self.name}:{kind}:{login}"

    def of(self, logins: Iterable[str]) -> dict[str, Look]:
        found = cache.get_many([self._key("look", login) for login in logins])
        return {look.login: look for look in found.values()}

    def keep(self, look: Look) -> None:
        cache.set(self._key("look", look.login), look, KEPT_SECONDS)

    def forget(self, login: str) -> None:
        cache.delete(self._key("look", login))

    def read_until(self, logins: Iterable[str]) -> dict[str, int]:
        """Server milliseconds up to which an account's deals were handed out."""
        keys = {self._key("deals", login): login for login in logins}
        return {keys[key]: msc for key, msc in cache.get_many(list(keys)).items()}

    def keep_read(self, login: str, until_msc: int) -> None:
        cache.set(self._key("deals", login), until_msc, KEPT_SECONDS * 24)

    def by_turn(self, logins: Sequence[str]) -> list[str]:
        """Whose turn it is: never seen first, then by the time at which each is due."""
        seen = self.of(logins)
        return sorted(logins, key=lambda login: seen[login].due_at if login in seen else 0.0)
