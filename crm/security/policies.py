"""Decisions with their reasons. Each app's `policies.py` answers `can_<verb>(user, obj)` with a Decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.errors import NotAllowed
from crm.security import rights
from crm.security.scope import reach_of

if TYPE_CHECKING:
    from crm.models import Actor


@dataclass(frozen=True)
class Decision:
    """A yes, or a no with its reason. A page asks dozens of times and shows few reasons: one may be worded when read."""

    allowed: bool
    explanation: str | Callable[[], str] = ""

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def reason(self) -> str:
        """Say why not, in the reader's language."""
        return self.explanation() if callable(self.explanation) else self.explanation


YES = Decision(True)


def no(reason: str | Callable[[], str]) -> Decision:
    """Refuse, with the reason that the person reads, or with what words it."""
    return Decision(False, reason)


def require(decision: Decision) -> None:
    """Raise NotAllowed with the decision's reason unless it is a yes."""
    if not decision:
        raise NotAllowed(decision.reason)


def has_permission(user: Actor, permission: str) -> Decision:
    """Decide by a role's permission. The system itself (user None) may do what its own tasks do."""
    if user is None or (user.is_active and user.has_perm(permission)):
        return YES
    return no(partial(rights.lacking, permission))


def require_permission(user: Actor, permission: str) -> None:
    """Require a role's permission. Raises: NotAllowed."""
    require(has_permission(user, permission))


def on_whole_brand(actor: Actor, permission: str, brand_id: int) -> Decision:
    """Decide by a role's permission on a brand that the person reaches as a whole. None is the system itself."""
    allowed = has_permission(actor, permission)
    if not allowed or actor is None or brand_id in reach_of(actor).whole_brands:
        return allowed
    return no(_("You don't have access to this brand."))
