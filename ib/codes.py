"""Codes of partners and of their links."""

from __future__ import annotations

import secrets


def new_code() -> str:
    """Eight letters and digits that can't be misread."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _n in range(8))
