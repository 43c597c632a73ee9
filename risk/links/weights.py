"""How much a shared thing says of two people being one, in bits of evidence; after Fellegi and Sunter's record linkage.

A document number is one person's. A device, a card or a line is a household's or an office's: however much of that two people
share, it stays below what is needed, and only trading as one, or an identity shared, lifts them over it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2
from typing import Final

# What more people than this share says nothing of any two of them.
SHARED_MAX: Final = 25
NEEDED: Final = 7.0
# From here on a link is shown as strong.
STRONG: Final = 5.0
PERSON: Final = {"document": 8.0, "photo": 8.0, "official": 8.0, "email": 4.5, "name": 3.0}
HOUSEHOLD: Final = {
    "bank_account": 5.0,
    "crypto_address": 5.0,
    "card": 4.0,
    "phone": 4.0,
    "device": 4.0,
    "ip_prefix": 1.0,
}
HOUSEHOLD_MAX: Final = 5.5
# So many users of a thing are still one group of people; each doubling beyond takes off a half.
FEW: Final = 4


@dataclass(frozen=True)
class Shared:
    """A kind of thing that two people share, and how many people use it."""

    kind: str
    users: int


def weight_of(shared: Shared) -> float:
    """Return the weight of one shared thing; 0 for what says nothing."""
    weight = PERSON.get(shared.kind) or HOUSEHOLD.get(shared.kind, 0.0)
    if shared.users > FEW and shared.kind in HOUSEHOLD:
        weight /= 1 + log2(shared.users / FEW)
    return weight


def strength(shared: Iterable[Shared]) -> float:
    """Add up what two people share: each kind once, and a household's things only so far."""
    best: dict[str, float] = {}
    for thing in shared:
        best[thing.kind] = max(best.get(thing.kind, 0.0), weight_of(thing))
    person = sum(weight for kind, weight in best.items() if kind in PERSON)
    return person + min(sum(weight for kind, weight in best.items() if kind in HOUSEHOLD), HOUSEHOLD_MAX)
