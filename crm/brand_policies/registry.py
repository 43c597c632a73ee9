"""The registry of policies, and reading one: the brand's value of the day, else the default."""

from __future__ import annotations

import datetime as dt
import functools
import secrets
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Generic, Self, TypeVar

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.brand_policies.kinds import Kind
from crm.errors import DomainError
from crm.i18n import formats
from crm.models import Brand, PolicyValue

V = TypeVar("V")
Dated = Mapping[tuple[str, int], tuple[tuple[dt.date, Any], ...]]
OF_SETTINGS, OF_MONEY, OF_IDENTITY = "crm.manage_policies", "crm.manage_money_policies", "crm.manage_identity_policies"
NONE: Final[Dated] = {}


class PolicyArea(StrEnum):
    """Sections of the page, with the right that proposes and decides a change in each."""

    REGISTRATION = "registration", _("Registration"), OF_IDENTITY
    IDENTITY = "identity", _("Identity and screening"), OF_IDENTITY
    DEPOSITS = "deposits", _("Deposits"), OF_MONEY
    WITHDRAWALS = "withdrawals", _("Withdrawals"), OF_MONEY
    EXCHANGE = "exchange", _("Currency exchange"), OF_MONEY
    BONUSES = "bonuses", _("Bonuses and disputes"), OF_MONEY
    CLIENT_MONEY = "client_money", _("Client money"), OF_MONEY
    LEADS = "leads", _("Leads"), OF_SETTINGS
    CALLS = "calls", _("Calls"), OF_SETTINGS
    MESSAGES = "messages", _("E-mails"), OF_SETTINGS
    MONITORING = "monitoring", _("Monitoring"), OF_SETTINGS
    RETENTION = "retention", _("Client retention"), OF_SETTINGS
    PLAYBOOK = "playbook", _("Retention playbook"), OF_SETTINGS
    ABUSE = "abuse", _("Abuse by traders"), OF_SETTINGS
    CHALLENGES = "challenges", _("Challenges"), OF_SETTINGS
    ACCESS = "access", _("Access and sessions"), OF_SETTINGS
    PROMISES = "promises", _("Expected times"), OF_SETTINGS

    label: Promise
    right: str

    def __new__(cls, code: str, label: Promise, right: str) -> Self:
        member = str.__new__(cls, code)
        member._value_, member.label, member.right = code, label, right
        return member


@dataclass(frozen=True)
class Policy(Generic[V]):
    """One declared policy. `default` is a stored value of its kind: a safe one.

    needs_four_eyes: another person with the same right approves a change; where money, identity or limits are concerned.
    per_segment: segments of clients may have values of their own. segment: whose values this one reads; 0: the brand's.
    """

    key: str
    area: PolicyArea
    label: Promise
    kind: Kind[V]
    default: Any
    help: Promise | str = ""
    needs_four_eyes: bool = True
    per_segment: bool = False
    segment: int = 0

    @property
    def right(self) -> str:
        return self.area.right

    def of(self, brand: Brand) -> V:
        """Return what holds today, by the brand's own calendar."""
        return self.kind.read(self.stored(brand, today(brand)))

    def on(self, brand: Brand, day: dt.date) -> V:
        """Return what held on a day."""
        return self.kind.read(self.stored(brand, day))

    def stored(self, brand: Brand, day: dt.date) -> Any:
        """Return the stored value of a day: the segment's, else the brand's; the default where none was set by then."""
        own = self.own(brand, day)
        if own is not None:
            return own[1]
        return self.for_segment(0).stored(brand, day) if self.segment else self.default

    def own(self, brand: Brand, day: dt.date) -> tuple[dt.date, Any] | None:
        """Return what was set here for a day, and from when it holds; None where nothing is, or the default came back."""
        for effective_on, value in _values(brand).get((self.key, self.segment), ()):
            if effective_on <= day:
                return None if value is None else (effective_on, value)
        return None

    def for_segment(self, segment: int) -> Self:
        """Return the policy as a segment has it; 0: as the brand has it."""
        return replace(self, segment=segment)

    def segments(self, brand: Brand) -> list[int]:
        """List the segments for which a value was ever set."""
        return sorted(segment for key, segment in _values(brand) if key == self.key and segment)

    def name_in(self, brand: Brand) -> str:
        """Name the policy with the segment that it is read for."""
        if not self.segment:
            return str(self.label)
        name = segment_names(brand).get(self.segment, str(self.segment))
        return gettext("%(policy)s: segment “%(segment)s”") % {"policy": self.label, "segment": name}


_policies: dict[str, Policy[Any]] = {}
_names: list[Callable[[int], dict[int, str]]] = []


def segments_are_named_by(names: Callable[[int], dict[int, str]]) -> None:
    """Take what names a brand's segments: they belong to an app above this one."""
    _names[:] = [names]


def segment_names(brand: Brand) -> dict[int, str]:
    """Name the segments of a brand, by number."""
    return _names[0](brand.pk) if _names else {}


def declare(policy: Policy[V]) -> Policy[V]:
    """Make a policy known to the pages. Raises: TypeError for a second one of its key."""
    if policy.key in _policies:
        raise TypeError(f"two policies are called {policy.key!r}")
    _policies[policy.key] = policy
    return policy


def find(key: str, segment: int = 0) -> Policy[Any] | None:
    """Find a policy by its key; None for one that only an older version knew, or that has no values by segment."""
    policy = _policies.get(key)
    if policy is None or not segment:
        return policy
    return policy.for_segment(segment) if policy.per_segment else None


def all_policies() -> list[Policy[Any]]:
    """List all policies by area, as declared."""
    areas = list(PolicyArea)
    return sorted(_policies.values(), key=lambda policy: areas.index(policy.area))


def today(brand: Brand) -> dt.date:
    """Return the day of the brand's own time zone."""
    return timezone.now().astimezone(_zone(brand.time_zone or "UTC")).date()


def require_day(day: dt.date | None, *, first: dt.date, last: dt.date) -> None:
    """Raise DomainError, with both ends, for a day that isn't between them, or is missing."""
    if day is None or not first <= day <= last:
        raise DomainError(
            gettext("Enter a day from %(first)s to %(last)s.")
            % {"first": formats.day(first), "last": formats.day(last)}
        )


@functools.cache
def _zone(name: str) -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(name)


def new_version() -> str:
    """Return a mark of a brand's set of values, as every change sets one: the brand's row says which set to read."""
    return secrets.token_urlsafe(9)


def _values(brand: Brand) -> Dated:
    """Read a brand's values, the newest first. Kept in this process under the mark in the brand's row, so never outdated."""
    return _read(brand.pk, brand.policies_version) if brand.policies_version else NONE


@functools.lru_cache(maxsize=256)
def _read(brand_id: int, version: str) -> Dated:
    """Read all values; `version` is the key under which they are kept."""
    found: dict[tuple[str, int], list[tuple[dt.date, Any]]] = {}
    rows = PolicyValue.objects.filter(brand_id=brand_id).order_by("-effective_on", "-pk")
    for key, segment, effective_on, value in rows.values_list("key", "segment", "effective_on", "value"):
        found.setdefault((key, segment), []).append((effective_on, value))
    return {place: tuple(values) for place, values in found.items()}
