"""What a client changes about themselves. Who they are is theirs to say until a document has said it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.db import models, transaction
from django.utils.translation import gettext as _

from clients import timeline
from clients.audit_codes import ClientsAction
from clients.canonical import canonical_phone
from clients.choices import TimelineKind
from clients.models import Client
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed
from crm.events import ClientProfileChanged, publish
from crm.i18n.localized_text import joined, phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from crm.security import audit
from kyc.choices import IDENTITY_KINDS, DocumentState
from kyc.models import Document
from portal import eligibility
from portal.choices import PortalNotice

IDENTITY = ("first_name", "last_name", "date_of_birth", "nationality")
ADDRESS = ("address_line", "postal_code", "city")
REACH = ("phone", *ADDRESS)
STATES_THAT_FIX = (DocumentState.PENDING_REVIEW, DocumentState.APPROVED, DocumentState.EXPIRED)


def identity_is_fixed(client: Client) -> bool:
    """Tell whether an identity document is under review or approved: names and date of birth are then what it says."""
    return (
        client.kyc_level > 0
        or Document.objects.filter(client=client, kind__in=IDENTITY_KINDS, state__in=STATES_THAT_FIX).exists()
    )


def address_is_proven(client: Client) -> bool:
    """Tell whether a proof of the client's address is approved."""
    return Document.objects.filter(client=client, kind="proof_of_address", state=DocumentState.APPROVED).exists()


@transaction.atomic
def change_own_details(*, client_id: int, actor: User, changes: Mapping[str, Any]) -> Client:
    """Change a client's own details as they correct or complete them; what is equal to the record is no change.

    Who: the client, for themselves. Names, birth and citizenship that a document fixed stay (what is blank may be
    filled). After a move the officers are notified, because the proof is of the old address. Raises: NotAllowed,
    DomainError (telephone, age, citizenship).
    """
    client = lock(Client, client_id, "brand")
    if client.user_id != actor.pk:
        raise NotAllowed(_("This isn't your account."))
    typed = {name: value for name, value in changes.items() if name in IDENTITY + REACH}
    if typed.get("phone"):
        typed["phone"] = canonical_phone(typed["phone"], client.country)
        if not typed["phone"]:
            raise DomainError(_("Enter a valid phone number, starting with the country code."), code="bad_phone")
    changed = {name: value for name, value in typed.items() if getattr(client, name) != value}
    if not changed:
        return client
    if set(changed) & set(IDENTITY):
        _check_identity(client, changed)
    before = {name: getattr(client, name) for name in changed}
    for name, value in changed.items():
        setattr(client, name, value)
    client.save(update_fields=list(changed))
    audit.record(
        actor=actor,
        action=ClientsAction.DETAILS_CHANGED,
        target=client,
        client_id=client.pk,
        brand_id=client.brand_id,
        before=before,
        after=changed,
    )
    publish(
        ClientProfileChanged(client_id=client.pk, brand_id=client.brand_id, fields=tuple(sorted(changed))), actor=actor
    )
    if set(changed) & set(ADDRESS) and address_is_proven(client):
        notify(
            people_with("kyc.review_document", brand_id=client.brand_id),
            kind=PortalNotice.ADDRESS_CHANGED,
            title=phrase("%(client)s has moved: request a new proof of address") % {"client": client},
            body=f"{client.address_line}, {client.postal_code} {client.city}",
            url=client.get_absolute_url(),
        )
    fields = [cast("models.Field[Any, Any]", Client._meta.get_field(name)) for name in changed]
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.NOTE,
        actor=actor,
        is_visible_to_client=True,
        title=phrase("Personal details changed: %(fields)s")
        % {"fields": joined((field.verbose_name for field in fields), ", ")},
    )
    return client


def _check_identity(client: Client, changed: Mapping[str, Any]) -> None:
    known = [name for name in changed if name in IDENTITY and getattr(client, name)]
    if known and identity_is_fixed(client):
        raise NotAllowed(
            _("Your name and date of birth are confirmed by your identity document. If they're wrong, contact support.")
        )
    obstacles = eligibility.problems(
        client.brand, country="", date_of_birth=changed.get("date_of_birth"), nationality=changed.get("nationality", "")
    )
    if obstacles:
        raise DomainError(obstacles[0].message)
