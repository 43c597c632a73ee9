"""Group masks as MetaTrader writes them, for platforms that can't be asked by one: `real*,!real\\test`."""

from __future__ import annotations


def matches(mask: str, name: str) -> bool:
    """Tell whether a mask takes a group in: a list with `*` for anything; `!` takes away, wherever it stands."""
    is_match = False
    for item in filter(None, (part.strip() for part in mask.split(","))):
        if _fits(item.removeprefix("!"), name):
            if item.startswith("!"):
                return False
            is_match = True
    return is_match


def _fits(mask: str, name: str) -> bool:
    """Match a part, `*` for anything, from the left: a mask of many `*` takes no longer than one of few."""
    first, *parts = mask.split("*")
    if not parts:
        return name == mask
    at = len(first)
    for part in parts[:-1]:
        place = name.find(part, at)
        if place < 0:
            return False
        at = place + len(part)
    return name.startswith(first) and name.endswith(parts[-1]) and len(name) - at >= len(parts[-1])
