"""Payout destinations: sealed for the payout, masked for people, hashed so that they can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.security import crypto
from wallet.models import Withdrawal

FIELDS_MAX = 12


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
