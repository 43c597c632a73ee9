"""How surely two records are one person, by what they share, in the brand's points; or that they are one household."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

import orjson

from clients.identifiers.keeping import PURPOSE
from crm.models import Brand
from crm.security.crypto import lasting_key
from leads import brand_policies as policies
from leads.dedupe import EMAIL, OTHER_NAME, first_of, folded

# From this likeness on two spellings are one name: Meier and Meyer, Katharina and Catharina.
ALIKE: Final = 0.79
SHARED: Final = ("email", "phone", "device")


@dataclass(frozen=True, slots=True)
class Points:
    """What a brand gives for what two records share, and from how many points on a pair is listed."""

    phone: int
    device: int
    birth_date: int
    country: int
    first_name: int
    last_name: int
    listed_from: int

    def of(self, name: str) -> int:
        if name.startswith("other_"):
            return OTHER_NAME
        return EMAIL if name == "email" else int(getattr(self, name.removeprefix("similar_")))


@dataclass(frozen=True, slots=True)
class Facts:
    """What is compared of a record."""

    first_name: str
    last_name: str
    country: str
    birth_date: dt.date | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What two records share. `is_household`: they share an address, number or device, and aren't one person."""

    points: int
    reasons: list[dict[str, Any]]
    is_household: bool
    is_listed: bool
    facts_hash: str


def points_of(brand: Brand) -> Points:
    """Return what the brand has set."""
    return Points(
        policies.DEDUPE_PHONE.of(brand),
        policies.DEDUPE_DEVICE.of(brand),
        policies.DEDUPE_BIRTH_DATE.of(brand),
        policies.DEDUPE_COUNTRY.of(brand),
        policies.DEDUPE_FIRST_NAME.of(brand),
        policies.DEDUPE_LAST_NAME.of(brand),
        policies.DUPLICATES_LISTED_FROM.of(brand),
    )


def weigh_pair(one: Facts, other: Facts, shared: Collection[str], points: Points) -> Weighed:
    """Weigh two records. shared: the kinds of identifiers that both used.

    Without one of them, the same date of birth and country count only with both names alike.
    """
    codes = [kind for kind in SHARED if kind in shared] + _person(one, other)
    differs = {"other_first_name", "other_birth_date"} & set(codes)
    by_identifier = any(code in SHARED for code in codes)
    both_names = {code.removeprefix("similar_") for code in codes} >= {"first_name", "last_name"}
    total = sum(points.of(code) for code in codes)
    is_household = by_identifier and bool(differs)
    is_one = not differs and total >= points.listed_from and (by_identifier or ("birth_date" in codes and both_names))
    return Weighed(
        total,
        [{"code": code, "weight": points.of(code)} for code in codes],
        is_household,
        is_household or is_one,
        _hash(one, other, codes),
    )


def _person(one: Facts, other: Facts) -> list[str]:
    codes = []
    if one.birth_date and other.birth_date:
        codes.append("birth_date" if one.birth_date == other.birth_date else "other_birth_date")
    if one.country and one.country == other.country:
        codes.append("country")
    mine = (first_of(one.first_name), folded(one.last_name))
    theirs = (first_of(other.first_name), folded(other.last_name))
    if all(mine) and _are_alike(mine[0], theirs[1]) and _are_alike(mine[1], theirs[0]):
        theirs = (theirs[1], theirs[0])  # first and last name in each other's place
    for name, left, right in zip(("first_name", "last_name"), mine, theirs, strict=True):
        if left and right:
            alike = "similar_" if _are_alike(left, right) else "other_"
            codes.append(name if left == right else f"{alike}{name}")
    return codes


def _are_alike(left: str, right: str) -> bool:
    return left == right or (bool(left and right) and SequenceMatcher(None, left, right).ratio() >= ALIKE)


def _hash(one: Facts, other: Facts, codes: list[str]) -> str:
    facts = [(f.first_name, f.last_name, f.country, f.birth_date) for f in (one, other)]
    return hmac.new(lasting_key(PURPOSE), orjson.dumps(["pair", facts, codes]), hashlib.sha256).hexdigest()
