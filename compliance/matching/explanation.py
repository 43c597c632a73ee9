"""What a comparison says of itself: which word was taken for which, and what else counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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
    # Where a vendor scored: what its own comparisons say, and what our matcher would have scored.
    features: list[dict[str, object]] = field(default_factory=list)
    own_score: float | None = None


def never_common(_word: str) -> bool:
    """Treat no word as common, where no list is at hand."""
    return False
