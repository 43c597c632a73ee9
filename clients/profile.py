"""Changing what is known about a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.db import models, transaction
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.canonical import canonical_phone
from clients.choices import TimelineKind
from clients.models import Client
from clients.record.access import log_access
from crm.choices import AccessKind
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import ClientProfileChanged, publish
from crm.i18n.localized_text import joined, phrase
from crm.models import Actor
from crm.security import audit

PERSONAL = (
    "first_name",
    "last_name",
    "country",
    "language",
    "time_zone",
    "date_of_birth",
    "nationality",
    "address_line",
    "city",
    "postal_code",
    "marketing_consent",
)
CONTACT = ("email", "phone")


@transaction.atomic
def change_profile(*, client_id: int, actor: Actor, changes: Mapping[str, Any], reason: str = "") -> Client:
    """Correct a client's personal details; what is equal to the record is no change.

    Who: `clients.change_client` in reach. Phone and e-mail: only who sees them unmasked, or may reveal them, knows what
    is being replaced. What a document has proved of a verified client: `clients.correct_identity`. Raises: NotAllowed;
    DomainError for an invalid phone or an e-mail that another client has.
    """
    client = lock(Client, client_id, "brand")
    policies.require(policies.can(actor, client, "clients.change_client"))
    requested = {name: value for name, value in changes.items() if name in PERSONAL + CONTACT}
    if "email" in requested:
        requested["email"] = requested["email"].strip().lower()
    if requested.get("phone"):
        requested["phone"] = canonical_phone(requested["phone"], requested.get("country") or client.country)
        if not requested["phone"]:
            raise DomainError(_("Enter a valid phone number with its country code."))
    changed = {name: value for name, value in requested.items() if getattr(client, name) != value}
    if not changed:
        return client
    policies.require(policies.can_change(actor, client, changed))
    _check_email_is_free(client, changed.get("email", ""))
    before = {name: getattr(client, name) for name in changed}
    for name, value in changed.items():
        setattr(client, name, value)
    client.save(update_fields=list(changed))
    audit.record(
        actor=actor,
        action=ClientsAction.PROFILE_CHANGED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before=before,
        after=changed,
        reason=reason,
    )
    publish(
        ClientProfileChanged(client_id=client.pk, brand_id=client.brand_id, fields=tuple(sorted(changed))), actor=actor
    )
    if actor is not None and actor.is_team:
        log_access(actor, client, "clients.profile", kind=AccessKind.EDIT, rows=len(changed))
    labels = [cast("models.Field[Any, Any]", Client._meta.get_field(name)).verbose_name for name in changed]
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.NOTE,
        actor=actor,
        body=reason,
        title=phrase("Personal details changed: %(fields)s") % {"fields": joined(labels, ", ")},
    )
    return client


def _check_email_is_free(client: Client, email: str) -> None:
    if email and Client.objects.filter(brand_id=client.brand_id, email=email).exclude(pk=client.pk).exists():
        raise DomainError(_("Another client of this brand already uses this e-mail address."))
