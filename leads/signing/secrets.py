"""The signing secrets of a source, sealed under the instance's key. A secret is shown once, when it is made."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import WrongState
from crm.models import Actor
from crm.outside.standard_webhooks import new_secret
from crm.security import audit, crypto
from leads.audit_codes import LeadsAction
from leads.models import LeadSource
from leads.sources import locked_source

PURPOSE: Final = "leads.source-signature"
ROTATION_OVERLAP: Final = dt.timedelta(hours=24)
FIELDS: Final = ("needs_signature", "sealed_signing_secret", "sealed_old_signing_secret", "old_signing_secret_until")


@transaction.atomic
def require_signature(*, source_id: int, actor: Actor) -> tuple[LeadSource, str]:
    """Have a source sign its requests from now on. Returns it with its secret, which is never shown again.

    Who: `leads.manage_sources` on the brand. Raises: NotAllowed; WrongState where it signs already.
    """
    source = locked_source(source_id, actor)
    if source.needs_signature:
        raise WrongState(_("%(source)s signs its requests already.") % {"source": source.name})
    secret = new_secret()
    source.needs_signature, source.sealed_signing_secret = True, _sealed(secret)
    _save(source, actor, LeadsAction.SOURCE_SIGNATURE_REQUIRED)
    return source, secret


@transaction.atomic
def rotate_secret(*, source_id: int, actor: Actor) -> tuple[LeadSource, str]:
    """Replace a source's signing secret; for ROTATION_OVERLAP the old one counts too. Returns the new one, never shown again.

    Who: `leads.manage_sources` on the brand. Raises: NotAllowed; WrongState where it doesn't sign.
    """
    source = locked_source(source_id, actor)
    _require_signing(source)
    secret = new_secret()
    source.sealed_old_signing_secret, source.sealed_signing_secret = source.sealed_signing_secret, _sealed(secret)
    source.old_signing_secret_until = timezone.now() + ROTATION_OVERLAP
    _save(source, actor, LeadsAction.SOURCE_SECRET_ROTATED)
    return source, secret


@transaction.atomic
def stop_requiring_signature(*, source_id: int, actor: Actor) -> LeadSource:
    """Take a source's requests by its key alone again; its secrets are deleted.

    Who: `leads.manage_sources` on the brand. Raises: NotAllowed; WrongState where it doesn't sign.
    """
    source = locked_source(source_id, actor)
    _require_signing(source)
    source.needs_signature, source.sealed_signing_secret = False, None
    source.sealed_old_signing_secret = source.old_signing_secret_until = None
    _save(source, actor, LeadsAction.SOURCE_SIGNATURE_ENDED)
    return source


def secrets_of(source: LeadSource, now: dt.datetime) -> list[str]:
    """Open the secrets that count now: the present one, and during a rotation the one before."""
    sealed = [source.sealed_signing_secret]
    if source.old_signing_secret_until is not None and source.old_signing_secret_until > now:
        sealed.append(source.sealed_old_signing_secret)
    return [crypto.decrypt(value, purpose=PURPOSE).decode() for value in sealed if value is not None]


def _sealed(secret: str) -> bytes:
    return crypto.encrypt(secret.encode(), purpose=PURPOSE)


def _require_signing(source: LeadSource) -> None:
    if not source.needs_signature:
        raise WrongState(_("%(source)s doesn't sign its requests.") % {"source": source.name})


def _save(source: LeadSource, actor: Actor, action: LeadsAction) -> None:
    source.save(update_fields=FIELDS)
    audit.record(actor=actor, action=action, target=source, brand_id=source.brand_id)
