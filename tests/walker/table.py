"""The permission table: for every URL, who may open it and with which objects. Read by the walker and by people.

"clients:list": Rule(STAFF_WHO_SEE_CLIENTS),
"clients:detail": Rule(STAFF_WHO_SEE_CLIENTS, kwargs=lambda world: {"client_id": world.samples["client"].pk}),
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from crm.choices import Role

PUBLIC: Final = frozenset({"*"})
NOBODY: Final[frozenset[str]] = frozenset()
STAFF: Final = frozenset(role.value for role in Role)
EVERYONE_SIGNED_IN: Final = STAFF | {"client", "partner"}
CLIENT: Final = frozenset({"client"})
PARTNER: Final = frozenset({"partner"})
# Pages of libraries that guard themselves; sign-in pages have their own tests.
THIRD_PARTY_PREFIXES = ("admin:", "account_", "mfa_", "usersessions_", "socialaccount_", "rq_", "set_language")


def roles(*names: Role) -> frozenset[str]:
    return frozenset(role.value for role in names)


@dataclass(frozen=True)
class Rule:
    """`good`: answers that count as "may": 200, a redirect onwards, 405 where only POST is served, 400 without input."""

    allows: frozenset[str]
    kwargs: Callable[[Any], dict[str, Any]] = lambda _world: {}
    query: str = ""
    good: tuple[int, ...] = (200, 302, 405)


TABLE: dict[str, Rule] = {}
