"""Where money goes: sealed for the payout, masked for people, marked so that one is told from another."""

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
    """A keyed hash: tells one from another without holding it."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.blake2b(text.encode(), key=crypto.lasting_key("destination-mark"), digest_size=16).hexdigest()


def hash_destination(destination: Mapping[str, str]) -> str:
    """Tells one destination from another: a keyed hash of its normalised fields."""
    text = json.dumps({name: "".join(value.split()).lower() for name, value in sorted(destination.items())})
    return hashlib.blake2b(text.encode(), key=crypto.lasting_key("destination-mark"), digest_size=16).hexdigest()


def destination_label(destination: Mapping[str, str]) -> str:
    """For people: the kind and the last four characters."""
    names = {"iban": "IBAN", "card": _("Card"), "address": _("Wallet address"), "account": _("Account")}
    for field, name in names.items():
        value = "".join(destination.get(field, "").split())
        if value:
            return f"{name} •••• {value[-4:]}"
    value = "".join(next(iter(destination.values())).split())
    return f"•••• {value[-4:]}"


def filled(destination: Mapping[str, str]) -> dict[str, str]:
    """What was typed, without blanks. Raises DomainError for more than any method asks for."""
    found = {name: value for name, value in destination.items() if value.strip()}
    if len(found) > FIELDS_MAX:
        raise DomainError(_("Say where the money should go."))
    return found


def seal(client_id: int, destination: Mapping[str, str]) -> bytes:
    return crypto.encrypt_for_client(client_id, json.dumps(dict(destination)).encode())


def destination_of(withdrawal: Withdrawal) -> dict[str, str]:
    """Where it goes, in the clear; for the payout and for people who may see it."""
    destination: dict[str, str] = json.loads(
        crypto.decrypt_for_client(withdrawal.client_id, bytes(withdrawal.sealed_destination))
    )
    return destination
