"""Marks by which the same document, or the same picture, is known again, without keeping what they are made of."""

from __future__ import annotations

import hashlib
import hmac
import re

from crm.security.crypto import lasting_key

BANDS = 16


def number_fingerprint(number: str) -> str:
    """Keyed hash of a document number: found again by whoever types the number, read by nobody from the table."""
    plain = re.sub(r"[^A-Z0-9]", "", number.upper())
    return hmac.new(lasting_key("kyc-document-number"), plain.encode(), hashlib.sha256).hexdigest() if plain else ""


def bands_of(phash: bytes) -> list[int]:
    """The coarse part in 16 pieces, each with its place: near hashes share at least one, so that an index finds them."""
    return [(place << 16) | int.from_bytes(phash[place * 2 : place * 2 + 2], "big") for place in range(BANDS)]


def distance(one: bytes, other: bytes) -> int:
    """Bits that differ, 0 to 1,024."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()
