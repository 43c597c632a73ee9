"""What a comparison says of itself: which word was taken for which, and what else counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

IsCommon = Callable[[str], bool]


@dataclass
class Explanation:
    """What was compared and what it counted; kept with every hit."""

    score: float
    client_name: str = ""
    listed_name: str = ""
    pairs: list[dict[str, object]] = field(default_factory=list)
    left_over_client: list[str] = field(default_factory=list)
    left_over_listed: list[str] = field(default_factory=list)
    name_score: float = 0.0
    notes: list[str] = field(default_factory=list)
    birth: str = "unknown"
    birth_points: float = 0.0
    country: str = "unknown"
    country_points: float = 0.0
    identifiers: list[dict[str, object]] = field(default_factory=list)
    identifier_points: float = 0.0
    address: str = "unknown"
    address_words: list[str] = field(default_factory=list)
    address_points: float = 0.0
    # Where a vendor scored: what its own comparisons say, and what our matcher would have scored.
    features: list[dict[str, object]] = field(default_factory=list)
    own_score: float | None = None


def shared_evidence(explained: dict[str, Any]) -> list[str]:
    """List what client and entry have in common beside name, birth and country: a number, or the house they live in.

    It takes the dict that is kept with a match. A decision that was made without it is asked again when it appears.
    """
    numbers = [f"{one['kind']}:{one['value']}" for one in explained.get("identifiers", ()) if one["result"] == "same"]
    return sorted(numbers) + (["address"] if explained.get("address") == "same_street" else [])


def never_common(_word: str) -> bool:
    """Treat no word as common, where no list is at hand."""
    return False
