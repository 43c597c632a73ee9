"""Our references of money movements: short, unique, readable aloud, with no letter that looks like a digit."""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 12


def new_reference(letter: str) -> str:
    """Draw a new reference: `D-` deposits, `W-` withdrawals, `T-` transfers; 31^12 possibilities."""
    return f"{letter}-" + "".join(secrets.choice(ALPHABET) for _position in range(LENGTH))
