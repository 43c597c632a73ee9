"""Group masks as MetaTrader writes them, for platforms that can't be asked by one: `real*,!real\\test`."""

from __future__ import annotations

import re


def matches(mask: str, name: str) -> bool:
    """Whether a mask takes a group in: a list with `*` for anything; `!` takes away, wherever it stands."""
    wanted = False
    for item in filter(None, (part.strip() for part in mask.split(","))):
        if re.fullmatch(re.escape(item.removeprefix("!")).replace(r"\*", ".*"), name, re.DOTALL):
            if item.startswith("!"):
                return False
            wanted = True
    return wanted
