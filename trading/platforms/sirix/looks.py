"""What was seen of each account the last time, shared by all processes: one request tells everything about an account.

The platform lists no accounts and answers about one at a time. So a reading goes round the accounts that the house knows.
While a round is short the one that waited longest comes first. Where there are more accounts, those come more often on which
more happens: with readings in proportion to the root of how often something happens, what happens waits least over all, and
nobody waits longer than two rounds. Nobody is read twice because two readers ask.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.core.cache import cache

from trading.platforms.base import AccountMoney, PositionData

KEPT_SECONDS: Final = 3600
BUSY_SECONDS: Final = 86_400.0  # something happened on the account so shortly ago
FRESH_SECONDS: Final = 1.0  # a look so young is not taken again
QUIET_FRESH_SECONDS: Final = 30.0
ROUNDS_FRESH: Final = 3.0  # nor one that is younger than so many rounds over all that are asked for
LONG_SECONDS: Final = 9.0  # up to a round so long everybody has their turn in it
ROUNDS_WAIT_MAX: Final = 2.0  # nobody waits longer, however much happens elsewhere
HALF_LIFE: Final = 600.0  # seconds in which what happened counts half
SELDOM: Final = 1 / 259_200  # events a second on an account of which nothing is known: one in three days
HOLDS: Final = 1 / 7_200  # and on one with open positions


@dataclass(frozen=True, slots=True)
class Look:
    """An account at one moment. `money` is None for an account that is not there. Times are seconds of our clock.

    `activity`: changes that were seen, each counting half after `HALF_LIFE`.
    """

    login: str
    taken_at: float
    changed_at: float
    money: AccountMoney | None
    positions: tuple[PositionData, ...] = ()
    activity: float = 0.0

    @property
    def is_busy(self) -> bool:
        return bool(self.positions) or time.time() - self.changed_at < BUSY_SECONDS

    def is_fresh(self, round_seconds: float) -> bool:
        """Tell whether it is recent enough. `round_seconds`: how long it takes to ask for all that are needed with it."""
        least = FRESH_SECONDS if self.is_busy else QUIET_FRESH_SECONDS
        return time.time() - self.taken_at < max(least, ROUNDS_FRESH * round_seconds)

    def activity_at(self, now: float) -> float:
        activity: float = self.activity * 0.5 ** (max(0.0, now - self.taken_at) / HALF_LIFE)
        return activity

    def urgency(self, now: float) -> float:
        """Estimate how much is likely to wait on it: its age by the root of how often something happens there."""
        often = self.activity_at(now) * math.log(2) / HALF_LIFE + (HOLDS if self.positions else SELDOM)
        return max(0.0, now - self.taken_at) * math.sqrt(often)


class Looks:
    """The looks of one server, and until when each account's deals were read, in the shared cache.

    A cache that is empty costs a longer reading, never a deal: the caller's own cursor counts (`HistoryPart.deals_since`).
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def _key(self, kind: str, login: str) -> str:
        return f"sirix:{self.name}:{kind}:{login}"

    def of(self, logins: Iterable[str]) -> dict[str, Look]:
        cached = cache.get_many([self._key("seen", login) for login in logins])
        return {look.login: look for look in cached.values()}

    def keep(self, look: Look) -> None:
        cache.set(self._key("seen", look.login), look, KEPT_SECONDS)

    def forget(self, login: str) -> None:
        cache.delete(self._key("seen", login))

    def read_until(self, logins: Iterable[str]) -> dict[str, int]:
        """Read the server milliseconds up to which an account's deals were handed out."""
        keys = {self._key("deals", login): login for login in logins}
        return {keys[key]: msc for key, msc in cache.get_many(list(keys)).items()}

    def keep_read(self, marks: Mapping[str, int]) -> None:
        cache.set_many({self._key("deals", login): msc for login, msc in marks.items()}, KEPT_SECONDS * 24)

    def by_turn(self, logins: Sequence[str], *, pause: float) -> list[str]:
        """Order the logins: never read first, then those that waited longest; where a round takes long, the urgent ones."""
        seen, now, round_seconds = self.of(logins), time.time(), len(logins) * pause

        def turn(login: str) -> tuple[int, float]:
            look = seen.get(login)
            if look is None:
                return 0, 0.0
            if round_seconds <= LONG_SECONDS or now - look.taken_at > ROUNDS_WAIT_MAX * round_seconds:
                return 1, look.taken_at
            return 2, -look.urgency(now)

        return sorted(logins, key=turn)
