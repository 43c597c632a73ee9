"""Marks by which the same document, or the same picture, is known again, without keeping what they are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from clients.identifiers import IdentifierKind, Seen
from clients.identifiers.keeping import document_value, official_value
from kyc.examination.states import alpha2_of
from kyc.models import Document
from kyc.models.corporate import Company

BANDS = 16


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
        issuer = document.issuing_country
        value = document_value(alpha2_of(issuer) or issuer, document.number_fingerprint)
        found.append(Seen(document.client_id, IdentifierKind.DOCUMENT_NUMBER, value, at))
    if document.phash:
        found.append(Seen(document.client_id, IdentifierKind.PHOTO, bytes(document.phash).hex(), at))
    return found


def sightings_of_company(company: Company) -> list[Seen]:
    """List the numbers that name a company: its register's and its LEI."""
    official = official_value(company.country, company.registration_number)
    found = [
        Seen(company.client_id, kind, value, company.created_at)
        for kind, value in ((IdentifierKind.OFFICIAL_NUMBER, official), (IdentifierKind.LEI, company.lei))
    ]
    return [seen for seen in found if seen.value]


def sightings_of_answers(client_id: int, answers: Mapping[str, Any], at: dt.datetime) -> list[Seen]:
    """List the tax numbers that somebody gave in a questionnaire."""
    rows = [row for answer in answers.values() if isinstance(answer, list) for row in answer if isinstance(row, dict)]
    numbers = [official_value(str(row.get("country", "")), str(row.get("tin", ""))) for row in rows]
    return [Seen(client_id, IdentifierKind.OFFICIAL_NUMBER, value, at) for value in numbers if value]
