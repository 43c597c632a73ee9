"""Groups of countries that a rule is often set for at once. Source: the member states of the EU and the EEA Agreement, 2026."""

from typing import Final

EU: Final = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(" "))
EEA: Final = EU | {"IS", "LI", "NO"}
GROUPS: Final = {"eu": ("EU", EU), "eea": ("EEA", EEA)}
