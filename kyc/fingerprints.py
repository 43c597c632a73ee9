"""Marks by which the same document, or the same picture, is known again, without keeping what they are made of."""

from __future__ import annotations

import hashlib
import hmac
import re

from clients.identifiers import IdentifierKind, Seen
from crm.security.crypto import lasting_key
from kyc.models import Document

BANDS = 16


def number_fingerprint(number: str) -> str:
    """Hash a document number with a key: whoever types the number finds it again, nobody reads it from the table."""
    plain = re.sub(r"[^A-Z0-9]", "", number.upper())
    return hmac.new(lasting_key("kyc-document-number"), plain.encode(), hashlib.sha256).hexdigest() if plain else ""


def bands_of(phash: bytes) -> list[int]:
    """Split the coarse part into 16 pieces, each with its place: near hashes share at least one, so that an index finds them."""
    return [(place << 16) | int.from_bytes(phash[place * 2 : place * 2 + 2], "big") for place in range(BANDS)]


def distance(one: bytes, other: bytes) -> int:
    """Count the bits that differ, 0 to 1,024."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def sightings_of(document: Document) -> list[Seen]:
    """List what a checked document links its client by: its number with the issuing country, and its picture."""
    at, found = document.uploaded_at, []
    if document.number_fingerprint:
        value = f"{document.issuing_country}:{document.number_fingerprint}"
        found.append(Seen(document.client_id, IdentifierKind.DOCUMENT_NUMBER, value, at))
    if document.phash:
        found.append(Seen(document.client_id, IdentifierKind.PHOTO, bytes(document.phash).hex(), at))
    return found
