"""Is this someone we know? Points for what matches, set by the brand, and how many make a person.

The same e-mail address is the same person: no two clients of a brand have one. By phone it takes the brand's points
and, whatever they are, the same first name and no other last name: families and offices share a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anyascii import anyascii
from django.db import connection
from django.db.models import Case, Q, When

from clients.canonical import canonical_email
from clients.choices import Stage
from clients.merging.merge import survivor_of
from clients.models import Client
from crm.models import Brand
from leads import brand_policies as policies

EMAIL = 4
OTHER_NAME = -3
COMPARED_MAX = 20
LOCK_CLASS = 7402


@dataclass(frozen=True, slots=True)
class Weights:
    """The brand's points for what two have in common, and how many make them one person."""

    phone: int = 3
    first_name: int = 1
    last_name: int = 1
    country: int = 1
    threshold: int = 4

    def points(self, name: str) -> int:
        if name.startswith("other_"):
            return OTHER_NAME
        return EMAIL if name == "email" else int(getattr(self, name))


DEFAULT: Final = Weights()


def weights_of(brand: Brand) -> Weights:
    """Return what the brand has set."""
    return Weights(
        policies.DEDUPE_PHONE.of(brand),
        policies.DEDUPE_FIRST_NAME.of(brand),
        policies.DEDUPE_LAST_NAME.of(brand),
        policies.DEDUPE_COUNTRY.of(brand),
        policies.DEDUPE_THRESHOLD.of(brand),
    )


@dataclass(frozen=True, slots=True)
class Person:
    """What dedupe compares, in its canonical spelling."""

    email: str
    phone: str
    country: str
    last_name: str
    first_name: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    client: Client
    weight: int
    reasons: list[dict[str, Any]]
    threshold: int

    @property
    def is_certain(self) -> bool:
        return is_one(self.weight, self.reasons, self.threshold)


def person(*, email: str, phone: str, country: str, last_name: str, first_name: str = "") -> Person:
    """email as typed; phone in E.164. Of several first names the first counts."""
    return Person(canonical_email(email) if email else "", phone, country, folded(last_name), first_of(first_name))


def first_of(names: str) -> str:
    """Fold the first of several first names: `Anna Maria` and `ANNA` are equal."""
    return next((folded(name) for name in names.split() if folded(name)), "")


def folded(name: str) -> str:
    """Fold case, accents and punctuation of a name: `Müller-Lüdenscheidt` and `MULLER LUDENSCHEIDT` are equal."""
    return "".join(char for char in anyascii(name).lower() if char.isalpha())


def weigh(one: Person, other: Person, weights: Weights = DEFAULT) -> tuple[int, list[dict[str, Any]]]:
    """Weigh how surely two are one person: (points, what matched).

    Country and names count only beside an e-mail address or phone, another name only against a phone.
    """
    hits = [name for name in ("email", "phone") if getattr(one, name) and getattr(one, name) == getattr(other, name)]
    if hits:
        hits += [
            name
            for name in ("country", "first_name", "last_name")
            if getattr(one, name) and getattr(one, name) == getattr(other, name)
        ]
    if hits and hits[0] == "phone":
        hits += [
            f"other_{name}"
            for name in ("first_name", "last_name")
            if getattr(one, name) and getattr(other, name) and getattr(one, name) != getattr(other, name)
        ]
    reasons = [{"code": name, "weight": weights.points(name)} for name in hits]
    return sum(weights.points(name) for name in hits), reasons


def is_one(weight: int, reasons: Sequence[Mapping[str, Any]], threshold: int) -> bool:
    """Decide by points and reasons. By phone, the first name has to be the same and no name another one."""
    codes = {reason["code"] for reason in reasons}
    if "email" in codes:
        return True
    return weight >= threshold and "first_name" in codes and not codes & {"other_first_name", "other_last_name"}


def lock_person(brand_id: int, who: Person) -> None:
    """Lock an e-mail address and a phone, in one order: two captures of one person wait for each other."""
    keys = sorted(f"{brand_id}:{kind}:{value}" for kind, value in (("mail", who.email), ("phone", who.phone)) if value)
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK_CLASS, key])


def find_matches(brand: Brand, who: Person) -> list[Match]:
    """Find clients of the brand with the same e-mail address or phone: heaviest first, then the oldest.

    A record that was merged stands for the one that it was merged into.
    """
    same = Q(pk__in=[])
    if who.email:
        same |= Q(email_canonical=who.email) & ~Q(email="")
    if who.phone:
        same |= Q(phone=who.phone)
    # A switchboard's number belongs to hundreds: whoever has the mailbox is compared first, so that nobody hides them.
    is_mailbox = Case(When(email_canonical=who.email or None, then=0), default=1)
    ordered = Client.objects.filter(same, brand=brand).order_by(is_mailbox, "pk")
    # Most captures are of somebody new: the wide statement with its joins is only put together where there is a row for it.
    found = list(ordered.values_list("pk", flat=True)[:COMPARED_MAX])
    weights = weights_of(brand)
    rows = ordered.filter(pk__in=found).select_related("owner", "book", "brand") if found else ()
    matches = []
    for client in rows:
        other = person(
            email=client.email,
            phone=client.phone,
            country=client.country,
            last_name=client.last_name,
            first_name=client.first_name,
        )
        weight, reasons = weigh(who, other, weights)
        matches.append(Match(survivor_of(client), weight, reasons, weights.threshold))
    return sorted(matches, key=lambda match: (-match.weight, match.client.stage == Stage.CLOSED, match.client.pk))


def explain(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    """Translate why two records are one person for the agent's page, with each reason's weight."""
    from django.utils.translation import gettext as _

    labels = {
        "device": _("same device"),
        "birth_date": _("same date of birth"),
        "other_birth_date": _("different date of birth"),
        "similar_first_name": _("similar first name"),
        "similar_last_name": _("similar last name"),
        "email": _("same e-mail address"),
        "phone": _("same phone number"),
        "country": _("same country"),
        "first_name": _("same first name"),
        "last_name": _("same last name"),
        "other_first_name": _("different first name"),
        "other_last_name": _("different last name"),
    }
    return [f"{labels.get(reason['code'], reason['code'])} ({reason['weight']:+})" for reason in reasons]
