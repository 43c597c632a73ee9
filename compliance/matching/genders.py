"""What a name says about its bearer's gender, where it says anything."""

from __future__ import annotations

import re
from functools import lru_cache

from compliance.matching import tables
from compliance.matching import text as spelling

FEMALE_GROUPS = frozenset(
    group
    for name in """
    alexandra anastasia catherine elizabeth helen irina julia margaret martha mary natalia oksana olga sophia svetlana tatiana
    valentina susan barbara rebecca deborah judith patricia anna martina marina daria karina christina alina polina diana
    larissa marianna romana viktoria veronica ludmila galina nina vera inna jane laura sara rosa amina karima samira jamila salma
    nadia rashida farida michelle stephanie
    """.split()
    for group in tables.FORM_GROUPS[name]
)
# Names that both have: Andrea is a man in Italy, Sasha and Zhenya are either.
BOTH = frozenset(
    "andrea alex alexis sasha zhenya jean simone nicola pat chris kim luca misha gabriele gabriel valery michele".split()
)
FEMALE_END = re.compile(r"(?:[aeoiy]vna|[iy]chna)$")
MALE_END = re.compile(r"v[iy]ch$")


@lru_cache(maxsize=100_000)
def gender_of(name: str) -> str:
    """Tell "f" or "m" by the first given name or a Slavic ending; "" where the name doesn't say."""
    words = spelling.words(name)
    for word in words:
        if FEMALE_END.search(word):
            return "f"
        if MALE_END.search(word):
            return "m"
    first = words[0] if len(words) > 1 else ""
    groups = tables.FORM_GROUPS.get(first)
    if not groups or first in BOTH:
        return ""
    female = groups & FEMALE_GROUPS
    return "f" if female == groups else "" if female else "m"
