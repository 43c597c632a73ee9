"""Identifiers are normalised, hashed with a lasting key, and written set-based; a known one only counts on."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.db import connection
from django.utils import timezone

from clients.canonical import canonical_email
from clients.choices import IdentifierKind
from crm.security.crypto import lasting_key

PURPOSE: Final = "client-identifier"
DOCUMENT_PURPOSE: Final = "kyc-document-number"
# Numbers of five digits and less are counted from one in many registers of a country.
OFFICIAL_CHARS_MIN: Final = 6
VALUE_MAX: Final = 500
BATCH: Final = 5_000
# Shorter than the shortest real one (a Norwegian IBAN has 15, a Bitcoin address 26 characters): a typo, or nothing.
SHORTEST: Final = 4
WRITE: Final = """
INSERT INTO clients_identifier (kind, mark, {subject}, first_seen, last_seen, times)
SELECT * FROM unnest(%s::text[], %s::bytea[], %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::int[])
ON CONFLICT (kind, mark, {subject}) WHERE {subject} IS NOT NULL DO UPDATE SET
  first_seen = least(clients_identifier.first_seen, excluded.first_seen),
  last_seen = greatest(clients_identifier.last_seen, excluded.last_seen),
  times = {times}
"""
COUNTED: Final = "clients_identifier.times + excluded.times"
KEPT: Final = "greatest(clients_identifier.times, excluded.times)"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a client used, as it was written, at one instant or over a time."""

    client_id: int
    kind: IdentifierKind
    value: str
    first: dt.datetime
    last: dt.datetime | None = None
    times: int = 1


def ip_prefix(address: str) -> str:
    """Cut an address to its network: /24 of IPv4, /48 of IPv6. Empty for one that isn't of the public internet."""
    try:
        ip = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if not ip.is_global:
        return ""
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def _joined(value: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", value)


def crypto_address(value: str) -> str:
    """Write a crypto address in one way: only hexadecimal ones (0x…) and Bitcoin's bc1… don't depend on the case."""
    plain = "".join(value.split())
    return plain.lower() if plain.lower().startswith(("0x", "bc1")) else plain


NORMAL: Final[dict[IdentifierKind, Callable[[str], str]]] = {
    IdentifierKind.EMAIL: canonical_email,
    IdentifierKind.PHONE: lambda value: re.sub(r"[^0-9+]", "", value),
    IdentifierKind.IP_PREFIX: ip_prefix,
    IdentifierKind.BANK_ACCOUNT: lambda value: _joined(value).upper(),
    IdentifierKind.CRYPTO_ADDRESS: crypto_address,
    IdentifierKind.LEI: lambda value: _joined(value).upper(),
}


def number_fingerprint(number: str) -> str:
    """Hash a document number with a key: whoever types the number finds it again, nobody reads it from the table."""
    plain = _joined(number).upper()
    return hmac.new(lasting_key(DOCUMENT_PURPOSE), plain.encode(), hashlib.sha256).hexdigest() if plain else ""


def document_value(country: str, fingerprint: str) -> str:
    """Name a document by its issuing country (ISO 3166-1 alpha-2, or the zone's code where it is no country's) and its number."""
    return f"{country}:{fingerprint}"


def official_value(country: str, number: str) -> str:
    """Name a person or company by a number that a country's register or tax office gave; empty for one that is too short."""
    plain = _joined(number).upper()
    return f"{country}:{plain}" if country and len(plain) >= OFFICIAL_CHARS_MIN else ""


def mark_of(kind: IdentifierKind, value: str, *, key: bytes | None = None) -> bytes:
    """Hash a value with the installation's key; empty for a value that identifies nobody."""
    normal = NORMAL.get(kind, str.strip)(value[:VALUE_MAX])
    if len(normal) < SHORTEST:
        return b""
    return hmac.digest(key or lasting_key(PURPOSE), f"{kind.value}:{normal}".encode(), "sha256")


def learn(client_id: int, kind: IdentifierKind, value: str, *, at: dt.datetime | None = None) -> None:
    """Note that a client used this thing. In the caller's transaction; a value that identifies nobody is left out."""
    learn_many([Seen(client_id, kind, value, at or timezone.now())])


def learn_many(seen: Iterable[Seen], *, is_rebuild: bool = False) -> int:
    """Note many, in statements of at most 5,000 rows each; returns how many rows were written.

    is_rebuild: the same sightings again, from the tables they came from, so that they aren't counted twice.
    """
    statement = WRITE.format(subject="client_id", times=KEPT if is_rebuild else COUNTED)
    key, rows, count = lasting_key(PURPOSE), iter(seen), 0
    while batch := list(islice(rows, BATCH)):
        merged: dict[tuple[str, bytes, int], list[dt.datetime | int]] = {}
        for one in batch:
            mark = mark_of(one.kind, one.value, key=key)
            if not mark:
                continue
            last = one.last or one.first
            known = merged.setdefault((one.kind.value, mark, one.client_id), [one.first, last, 0])
            known[:] = [min(known[0], one.first), max(known[1], last), known[2] + one.times]  # type: ignore[operator]
        _write(statement, merged)
        count += len(merged)
    return count


def learn_of_staff(user_id: int, kind: IdentifierKind, value: str) -> None:
    """Note that a member of staff used this device or network: a client who uses it too is a question."""
    mark, now = mark_of(kind, value), timezone.now()
    if mark:
        _write(WRITE.format(subject="user_id", times=COUNTED), {(kind.value, mark, user_id): [now, now, 1]})


def _write(statement: str, merged: dict[tuple[str, bytes, int], list[dt.datetime | int]]) -> None:
    if not merged:
        return
    # In one order, so that two writers of the same rows wait for each other in it.
    ordered = sorted(merged.items())
    columns = zip(*((*key, *values) for key, values in ordered), strict=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(column) for column in columns])
