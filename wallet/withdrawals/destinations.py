"""Payout destinations: sealed for the payout, masked for people, hashed so that they can be compared."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from django.utils.translation import gettext as _

from clients.identifiers import IdentifierKind, Seen
from crm.errors import DomainError
from crm.security import crypto
from wallet.models import Withdrawal

FIELDS_MAX = 12
DECRYPTED_AT_ONCE: Final = 1_000


def hash_of(*parts: object) -> str:
    """Compute a keyed hash: values can be compared without being stored."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.blake2b(text.encode(), key=crypto.lasting_key("destination-mark"), digest_size=16).hexdigest()


def hash_destination(destination: Mapping[str, str]) -> str:
    """Hash a destination's normalised fields with a key, so that destinations can be compared without being stored."""
    text = json.dumps({name: "".join(value.split()).lower() for name, value in sorted(destination.items())})
    return hashlib.blake2b(text.encode(), key=crypto.lasting_key("destination-mark"), digest_size=16).hexdigest()


def destination_label(destination: Mapping[str, str]) -> str:
    """Describe a destination for people: the kind and the last four characters."""
    names = {"iban": "IBAN", "card": _("Card"), "address": _("Wallet address"), "account": _("Account")}
    for field, name in names.items():
        value = "".join(destination.get(field, "").split())
        if value:
            return f"{name} •••• {value[-4:]}"
    value = "".join(next(iter(destination.values())).split())
    return f"•••• {value[-4:]}"


def filled(destination: Mapping[str, str]) -> dict[str, str]:
    """Return the fields that aren't blank. Raises DomainError for more fields than any method asks for."""
    fields = {name: value for name, value in destination.items() if value.strip()}
    if len(fields) > FIELDS_MAX:
        raise DomainError(_("Enter where to send the money."))
    return fields


def seal(client_id: int, destination: Mapping[str, str]) -> bytes:
    """Encrypt a destination with the client's own key, as the withdrawal stores it."""
    return crypto.encrypt_for_client(client_id, json.dumps(dict(destination)).encode())


def destination_of(withdrawal: Withdrawal) -> dict[str, str]:
    """Decrypt where a withdrawal goes, for the payout and for people who may see it."""
    destination: dict[str, str] = json.loads(
        crypto.decrypt_for_client(withdrawal.client_id, bytes(withdrawal.sealed_destination))
    )
    return destination


LINKING: Final = {
    "iban": IdentifierKind.BANK_ACCOUNT,
    "account": IdentifierKind.BANK_ACCOUNT,
    "address": IdentifierKind.CRYPTO_ADDRESS,
    "card": IdentifierKind.CARD,
}


def sightings_of(client_id: int, destination: Mapping[str, str], at: dt.datetime) -> list[Seen]:
    """List what a destination links its client by: account, crypto address, card."""
    return [Seen(client_id, LINKING[name], value, at) for name, value in destination.items() if name in LINKING]


def payout_destinations() -> Iterator[Seen]:
    """Yield where clients were paid or asked to be, each place once; those of an erased client can't be read."""
    rows = Withdrawal.objects.order_by("client_id", "destination_hash", "requested_at").distinct(
        "client_id", "destination_hash"
    )
    waiting = rows.values_list("client_id", "sealed_destination", "requested_at").iterator(chunk_size=DECRYPTED_AT_ONCE)
    while batch := list(islice(waiting, DECRYPTED_AT_ONCE)):
        opened = crypto.decrypt_many_for_clients([(client_id, sealed) for client_id, sealed, _at in batch])
        for (client_id, _sealed, at), plain in zip(batch, opened, strict=True):
            if isinstance(plain, bytes):
                yield from sightings_of(client_id, json.loads(plain), at)
