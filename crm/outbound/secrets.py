"""The signing secrets of an address, sealed under the instance's key."""

from __future__ import annotations

import datetime as dt
from typing import Final

from crm.models import WebhookEndpoint
from crm.security import crypto

SECRET_PURPOSE: Final = "crm.webhook-secret"  # noqa: S105 - names a key, is none


def sealed(secret: str) -> bytes:
    """Seal a secret."""
    return crypto.encrypt(secret.encode(), purpose=SECRET_PURPOSE)


def secret_of(endpoint: WebhookEndpoint) -> str:
    """Open an address's present secret: for signing, and for who may read it."""
    return crypto.decrypt(endpoint.sealed_secret, purpose=SECRET_PURPOSE).decode()


def signing_secrets(endpoint: WebhookEndpoint, now: dt.datetime) -> list[str]:
    """Open the secrets that sign now: the present one, and during a rotation the one before."""
    found = [secret_of(endpoint)]
    if endpoint.sealed_old_secret is not None and endpoint.has_old_secret(now):
        found.append(crypto.decrypt(endpoint.sealed_old_secret, purpose=SECRET_PURPOSE).decode())
    return found
