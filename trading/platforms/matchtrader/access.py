"""What an account's owner may do, in Match-Trader's five words and in ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trading.platforms.base import Right

FULL, CLOSE_ONLY, TRADING_DISABLED = "FULL", "CLOSE_ONLY", "TRADING_DISABLED"
LOGIN_DISABLED, LOCKED_CLOSE_ONLY = "TRADING_AND_LOGIN_DISABLED", "LOCKED_CLOSE_ONLY"
ALL: Final = (FULL, CLOSE_ONLY, TRADING_DISABLED, LOGIN_DISABLED, LOCKED_CLOSE_ONLY)
"""Lists name them all: some of the interface's lists show accounts with full rights only, unless told otherwise."""


def allowed_by(word: str) -> frozenset[Right]:
    """Translate the platform's word into rights. Closing what is open is not trading; an unknown word allows nothing."""
    if word == FULL:
        return frozenset({Right.SIGN_IN, Right.TRADE})
    return frozenset({Right.SIGN_IN}) if word in (CLOSE_ONLY, TRADING_DISABLED, LOCKED_CLOSE_ONLY) else frozenset()


def number_of(word: str) -> int:
    """Find the number of a word for the account's rights: its place in the list, from 1; 0 is an unknown word."""
    return ALL.index(word) + 1 if word in ALL else 0


def word_for(now: str, changes: Mapping[Right, bool]) -> str:
    """Choose the word for the wanted rights. A broker's own CLOSE_ONLY stays until the right to trade is given back."""
    allowed = set(allowed_by(now))
    for right, is_wanted in changes.items():
        (allowed.add if is_wanted else allowed.discard)(right)
    if Right.SIGN_IN not in allowed:
        return LOGIN_DISABLED
    if Right.TRADE in allowed:
        return FULL
    return now if allowed_by(now) == {Right.SIGN_IN} else TRADING_DISABLED
