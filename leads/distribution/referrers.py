"""Who looks after the partner that referred a lead: asked of the apps above, which register the answer here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

# A brand's id and referral codes → the staff member who owns the referrer's record, by code.
Owners = Callable[[int, Collection[str]], Mapping[str, int]]
_OWNERS: list[Owners] = []


def register_owners(owners: Owners) -> Owners:
    """Register who knows the owners of referrers."""
    _OWNERS.append(owners)
    return owners


def owners_of(brand_id: int, codes: Collection[str]) -> dict[str, int]:
    """Find the owners of those who referred with these codes; codes of nobody are left out."""
    found: dict[str, int] = {}
    for owners in _OWNERS if codes else ():
        found.update(owners(brand_id, codes))
    return found
