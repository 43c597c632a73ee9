"""Matches a payer's name with the client's, as banks print names.

Any order, transliterated umlauts, initials, joint accounts.
"""

from __future__ import annotations

from rapidfuzz import fuzz

from kyc.names import folded, variants

LIKE_MIN = 85  # per cent; a letter off in an ordinary name, not another name


def is_payer(first_name: str, last_name: str, payer: str) -> bool:
    """Tell whether a payer's name is the client's.

    An empty name counts as the client: cards and chains often have none. A company has its name as the last one and no first.
    """
    words = folded(payer).split()
    if not words:
        return True
    if not folded(f"{first_name}{last_name}"):
        return False
    return any(_surname_in(words, spelling) for spelling in variants(last_name)) and (
        not folded(first_name) or any(_given_name_in(words, spelling) for spelling in variants(first_name))
    )


def _surname_in(words: list[str], surname: str) -> bool:
    """Tell whether every word of the surname is there, or all of it as one word."""
    parts = surname.split()
    return all(_has(words, part) for part in parts) or _has(words, "".join(parts))


def _given_name_in(words: list[str], given: str) -> bool:
    """Tell whether one of the given names is there, or an initial of one."""
    parts = given.split()
    if any(_has(words, part) for part in parts):
        return True
    return bool({part[0] for part in parts} & {word for word in words if len(word) == 1})


def _has(words: list[str], name: str) -> bool:
    return any(word == name or (len(name) > 2 and fuzz.ratio(word, name) >= LIKE_MIN) for word in words)
