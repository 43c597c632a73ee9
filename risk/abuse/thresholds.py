"""From where on trading counts as abuse, by a brand's dated policies: for all clients, for professional ones, and by segment.

The most specific value wins, limit by limit: that of the client's segment (of several: a list that people picked before one by
conditions, then the one with fewer members, then the newer), else the professional clients' score where it is the higher one,
else the brand's, else the default. Accounts that are judged together are judged by the strictest of theirs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _

from clients.segments.membership import fitting
from crm.brand_policies import Policy
from crm.brand_policies.registry import segment_names, today
from crm.i18n import formats
from crm.models import Brand, User
from crm.security.policies import on_whole_brand
from crm.staff.policy_changes import address_of
from risk.abuse.brand_policies import (
    ABUSE_BONUS_DAYS,
    ABUSE_COPY_SECONDS,
    ABUSE_HEDGE_SECONDS,
    ABUSE_LAUNDERING_AMOUNT,
    ABUSE_SCALP_SECONDS,
    ABUSE_SCORE,
    ABUSE_SCORE_PRO,
    ABUSE_SIZE_TIMES,
)
from risk.abuse.choices import Abuse
from risk.abuse.findings import Finding, Limits
from risk.abuse.loading import LiveBook

POLICIES: Final[Mapping[str, Policy[Any]]] = {
    "score": ABUSE_SCORE,
    "scalp_seconds": ABUSE_SCALP_SECONDS,
    "hedge_seconds": ABUSE_HEDGE_SECONDS,
    "copy_seconds": ABUSE_COPY_SECONDS,
    "size_times": ABUSE_SIZE_TIMES,
    "bonus_days": ABUSE_BONUS_DAYS,
    "laundering_amount": ABUSE_LAUNDERING_AMOUNT,
}
# Beside the score, which all have.
USED: Final[Mapping[str, tuple[str, ...]]] = {
    Abuse.SCALPING: ("scalp_seconds",),
    Abuse.HEDGE: ("hedge_seconds",),
    Abuse.COPY: ("copy_seconds",),
    Abuse.SIZE: ("size_times",),
    Abuse.BONUS: ("bonus_days", "hedge_seconds"),
    Abuse.LAUNDERING: ("laundering_amount",),
}


def limits_of(live: LiveBook) -> Limits:
    """Return what holds today for the clients of a book. Two queries where segments have values, else none."""
    brand, day = live.brand, today(live.brand)
    segments = [
        number
        for number in sorted({number for policy in POLICIES.values() for number in policy.segments(brand)})
        if any(policy.for_segment(number).own(brand, day) for policy in POLICIES.values())
    ]
    fits = fitting(live.client_ids, segments) if segments else {}
    names = segment_names(brand) if fits else {}
    made: dict[tuple[Any, ...], Limits] = {}
    own: dict[int, Limits] = {}
    for place in range(len(live.book.accounts)):
        client = live.client_id(place)
        found, is_professional = fits.get(client, []), client in live.professionals
        if not found and not is_professional:
            continue
        key = (*found, is_professional)
        if key not in made:
            made[key] = _limits(brand, day, [(number, names.get(number, "")) for number in found], is_professional)
        own[place] = made[key]
    return replace(_limits(brand, day), own=own)


def pair_seconds(least: int) -> int:
    """Return within how many seconds openings may belong together for any brand or segment."""
    widest = [least]
    for brand in Brand.objects.filter(archived_at=None):
        for policy in (ABUSE_HEDGE_SECONDS, ABUSE_COPY_SECONDS):
            widest += [policy.for_segment(number).of(brand) for number in (0, *policy.segments(brand))]
    return max(widest)


def _limits(
    brand: Brand, day: dt.date, segments: Sequence[tuple[int, str]] = (), is_professional: bool = False
) -> Limits:
    values: dict[str, Any] = {}
    origins: dict[str, Mapping[str, Any]] = {}
    for name, policy in POLICIES.items():
        stored, origin = _most_specific(policy, brand, day, segments)
        if name == "score" and is_professional and "segment" not in origin:
            bar = ABUSE_SCORE_PRO.stored(brand, day)
            if Decimal(bar) > Decimal(stored):
                stored, origin = bar, {"of": "professional", **_since(ABUSE_SCORE_PRO, brand, day)}
        value = policy.kind.read(stored)
        values[name] = float(value) if isinstance(value, Decimal) else value
        origins[name] = {"value": stored, **origin}
    return Limits(**values, origins=origins)


def _most_specific(
    policy: Policy[Any], brand: Brand, day: dt.date, segments: Sequence[tuple[int, str]]
) -> tuple[Any, dict[str, Any]]:
    for number, name in segments:
        own = policy.for_segment(number).own(brand, day)
        if own is not None:
            return own[1], {"of": "segment", "segment": number, "name": name, "since": own[0].isoformat()}
    since = _since(policy, brand, day)
    return policy.stored(brand, day), {"of": "brand" if since else "default", **since}


def _since(policy: Policy[Any], brand: Brand, day: dt.date) -> dict[str, str]:
    own = policy.own(brand, day)
    return {"since": own[0].isoformat()} if own else {}


def used_for(limits: Limits, row: Finding) -> list[dict[str, Any]]:
    """List the thresholds that a finding rests on, each with who set it, as facts."""
    found = []
    for name in ("score", *USED.get(row.kind, ())):
        origin = limits.strictest(name, row.accounts).origins.get(name)
        if origin is not None:
            found.append({"limit": name, **origin})
    return found


@dataclass(frozen=True)
class Threshold:
    """A threshold as an episode's page shows it. url: where it is set, for those who may."""

    label: str
    value: str
    origin: str
    url: str


def thresholds_shown(user: User, brand: Brand, facts: Mapping[str, Any]) -> list[Threshold]:
    """Write the thresholds that a finding was judged by, and why these."""
    return list(_shown(user, brand, facts.get("thresholds", ())))


def _shown(user: User, brand: Brand, rows: Iterable[Mapping[str, Any]]) -> Iterable[Threshold]:
    for row in rows:
        policy = ABUSE_SCORE_PRO if row["of"] == "professional" else POLICIES[row["limit"]]
        sees = user.has_perm("crm.propose_policies") and on_whole_brand(user, policy.right, brand.pk)
        url = address_of(brand.pk, policy.key, row.get("segment", 0)) if sees else ""
        yield Threshold(str(policy.label), policy.kind.show(row["value"], brand), _origin(row), url)


def _origin(row: Mapping[str, Any]) -> str:
    day = formats.day(dt.date.fromisoformat(row["since"])) if "since" in row else ""
    if row["of"] == "segment":
        return _("Segment “%(segment)s”, since %(day)s") % {"segment": row["name"], "day": day}
    if row["of"] == "professional":
        text = _("Professional clients, since %(day)s") if day else _("Professional clients, default")
    else:
        text = _("All clients of the brand, since %(day)s") if day else _("All clients, default")
    return text % {"day": day} if day else text
