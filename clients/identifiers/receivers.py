"""Learns identifiers wherever they show: from a saved record, and from a sign-in with its device and network."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save
from django.dispatch import receiver

from clients.choices import IdentifierKind
from clients.identifiers.keeping import Seen, learn_many, learn_of_staff
from clients.identifiers.places import note_country
from clients.identifiers.sources import now_of
from clients.models import Client
from crm.accounts.attempts import device_seen
from crm.models import User

CONTACTS = {"email", "phone"}


@receiver(post_save, sender=Client, dispatch_uid="clients.identifiers.contacts")
def learn_contacts(instance: Client, update_fields: Any = None, raw: bool = False, **_kwargs: Any) -> None:
    """Note the e-mail address and phone number of a record that was saved with them: no door forgets."""
    if not raw and (update_fields is None or CONTACTS & set(update_fields)):
        learn_many(now_of(instance))


@receiver(device_seen, dispatch_uid="clients.identifiers.device")
def learn_device(user: User, device: str, ip: str | None, at: Any, **_kwargs: Any) -> None:
    """Note the device and the network of whoever has just signed in, and the country of a client's address."""
    pairs = ((IdentifierKind.DEVICE, device), (IdentifierKind.IP_PREFIX, ip or ""))
    if user.is_client:
        client_id = Client.objects.filter(user_id=user.pk).values_list("pk", flat=True).first()
        if client_id is not None:
            learn_many(Seen(client_id, kind, value, at) for kind, value in pairs if value)
            note_country(client_id, ip, at)
    elif user.is_team or user.is_partner:
        for kind, value in pairs:
            learn_of_staff(user.pk, kind, value)
