"""Writing messages down: what an event's delivery to a webhook does, in one transaction with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import orjson
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.choices import WebhookState
from crm.events.envelope import Envelope
from crm.events.targets import Target
from crm.models import EventSubscription, User, WebhookDelivery, WebhookEndpoint
from crm.outbound.personal import people_of
from crm.outbound.versions import in_version
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import crypto

SENDING: Final = "crm.send_webhooks"


def _record(subscription: EventSubscription, envelopes: list[Envelope]) -> None:
    """Write one message for each event, in their order; an event that comes twice is written once."""
    endpoint = WebhookEndpoint.objects.get(subscription=subscription)
    if endpoint.state != WebhookState.ACTIVE:
        return
    clients = {envelope.client for envelope in envelopes if envelope.client is not None}
    people = people_of(clients) if endpoint.has_personal_data else {}
    sealers = crypto.sealers_for_clients(people) if people else {}
    now = timezone.now()
    deliveries = []
    for envelope in envelopes:
        person = people.get(envelope.client or 0)
        body = body_of(endpoint, envelope, person)
        is_sealed = person is not None and envelope.client is not None
        deliveries.append(
            WebhookDelivery(
                endpoint=endpoint,
                event_id=envelope.id,
                event_name=envelope.name,
                client_id=envelope.client,
                body=sealers[envelope.client](body) if is_sealed and envelope.client is not None else body,
                is_sealed=is_sealed,
                next_at=now,
                created_at=now,
            )
        )
    WebhookDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    enqueue_soon_on_commit(SENDING)


def body_of(endpoint: WebhookEndpoint, envelope: Envelope, person: Mapping[str, Any] | None) -> bytes:
    """Write a message: the event's envelope in the version that the receiver was built for, with the person where allowed."""
    wanted = endpoint.versions.get(envelope.name, envelope.version)
    data, version = in_version(envelope.name, envelope.data, version=envelope.version, wanted=wanted)
    message = dataclasses.replace(envelope, data=data, version=version).as_json()
    return orjson.dumps({**message, "person": person} if person is not None else message)


def _no_fields(_user: User) -> Mapping[str, forms.Field]:
    return {}


WEBHOOK: Final = Target("webhook", gettext_lazy("Webhook"), _no_fields, dict, lambda row: {}, _record, is_managed=True)
