"""Did the client pay, or somebody else? Names as banks print them: any order, umlauts either way, initials, joint accounts."""

from __future__ import annotations

from rapidfuzz import fuzz

from kyc.names import folded, variants

LIKE_MIN = 85  # per cent; a letter off in an ordinary name, not another name


def is_payer(first_name: str, last_name: str, payer: str) -> bool:
    """Is this the client's name? Nothing said counts as the client: cards and chains often name nobody."""
    words = folded(payer).split()
    if not words:
        return True
    if not folded(f"{first_name}{last_name}"):
        return False
    return any(_surname_in(words, spelling) for spelling in variants(last_name)) and any(
        _given_name_in(words, spelling) for spelling in variants(first_name)
    )


def _surname_in(words: list[str], surname: str) -> bool:
    """Every word of it, or all of it written as one word."""
    parts = surname.split()
    return all(_has(words, part) for part in parts) or _has(words, "".join(parts))


def _given_name_in(words: list[str], given: str) -> bool:
    """One of the given names, or an initial of one."""
    parts = given.split()
    if any(_has(words, part) for part in parts):
        return True
    return bool({part[0] for part in parts} & {word for word in words if len(word) == 1})


def _has(words: list[str], name: str) -> bool:
    return any(word == name or (len(name) > 2 and fuzz.ratio(word, name) >= LIKE_MIN) for word in words)
