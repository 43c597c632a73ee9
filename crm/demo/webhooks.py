"""Webhooks, a service account and API tokens of the demo: a dialler, and an ad network whose address was down for four days."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.conf import settings

from crm import approvals
from crm.api.service_accounts import create_service_account
from crm.api.tokens import TokenDetails, create_token
from crm.audit_codes import CrmAction
from crm.choices import CallFailure, Role, WebhookDeliveryState
from crm.demo import Demo
from crm.events.bus import Event
from crm.events.envelope import Envelope
from crm.models import (
    ApiScopeRequest,
    ApiToken,
    Brand,
    EventSubscription,
    GrantRequest,
    OutboxEvent,
    User,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from crm.outbound import endpoints
from crm.outbound.recording import WEBHOOK, body_of
from crm.outbound.results import BACK_OFF_SECONDS
from crm.outbound.secrets import sealed
from crm.outbound.versions import present_versions
from crm.outside.standard_webhooks import new_secret
from crm.security import audit, crypto
from crm.staff.event_subscriptions import subscribe_app

TAKEN: Final = b'{"received": true}'
BROKEN: Final = b'{"error": "upstream connect error or disconnect/reset before headers"}'
SET_UP_AGO: Final = dt.timedelta(days=40)
Dated = tuple[dt.datetime, Event]


@dataclass(frozen=True, slots=True)
class Outage:
    """When an address took nothing."""

    begins: dt.datetime
    ends: dt.datetime

    def covers(self, at: dt.datetime) -> bool:
        """Tell whether a call at that time failed."""
        return self.begins <= at < self.ends


@dataclass(frozen=True, slots=True)
class _Message:
    """An event of the past that an address is sent, away during an outage."""

    at: dt.datetime
    event: Event
    endpoint: WebhookEndpoint
    outage: Outage | None


def write_webhooks(demo: Demo, brand: Brand, *, assigned: Sequence[Dated], settled: Sequence[Dated]) -> None:
    """Set up a brand's webhooks as its administrator would, with what was sent since. The events are dated, oldest first."""
    actor = demo.by_role[Role.ADMINISTRATOR][0]
    dialler = _endpoint(demo, brand, actor, "Call-centre dialler", "dialler", ["lead.assigned"])
    network = _endpoint(demo, brand, actor, "Ad network conversions", "conversions", ["wallet.deposit_settled"])
    books = _endpoint(
        demo, brand, actor, "Accounting import", "accounting", ["wallet.period_closed", "wallet.manual_journal_posted"]
    )
    endpoints.pause_endpoint(endpoint_id=books.pk, actor=actor)
    since = demo.now - dt.timedelta(days=29)  # what was delivered earlier isn't kept
    outage = _outage(settled, demo.now)
    messages = [_Message(at, event, dialler, None) for at, event in assigned if at > since]
    messages += [_Message(at, event, network, outage) for at, event in settled if at > since]
    _write_deliveries(demo, sorted(messages, key=lambda message: message.at))


def write_principals(demo: Demo, brand: Brand) -> None:
    """Set up the dialler's service account, which a second administrator approves, and a token of an administrator."""
    maker, checker = demo.by_role[Role.ADMINISTRATOR][:2]
    reason = "The call centre dials new leads and logs its calls"
    account = create_service_account(
        brand=brand, name="Call-centre dialler", role=Role.AGENT, reason=reason, actor=maker
    )
    for grant in GrantRequest.objects.filter(user=account).order_by("pk"):
        approvals.approve(GrantRequest, grant.pk, actor=checker, note="Contract with the call centre seen")
    scopes = ["leads:read", "clients:read", "clients:write", "contacts:read"]
    details = TokenDetails("Dialler, production", scopes, days=180, networks=["203.0.113.0/28"], reason=reason)
    dialler, _secret = create_token(user_id=account.pk, actor=maker, details=details)
    request = ApiScopeRequest.objects.get(token=dialler)
    approvals.approve(ApiScopeRequest, request.pk, actor=checker, note="Phone numbers are what a dialler needs")
    zapier, _secret = create_token(
        user_id=maker.pk, actor=maker, details=TokenDetails("Zapier", ["webhooks:write", "leads:read"], days=90)
    )
    for token, ago, address in (
        (dialler, dt.timedelta(minutes=1), "203.0.113.7"),
        (zapier, dt.timedelta(days=2), "198.51.100.24"),
    ):
        ApiToken.objects.filter(pk=token.pk).update(
            created_at=demo.now - SET_UP_AGO, last_used_at=demo.now - ago, last_used_ip=address
        )


def _endpoint(demo: Demo, brand: Brand, actor: User, name: str, path: str, events: list[str]) -> WebhookEndpoint:
    # Past the form, which takes https alone: the sandbox has no certificate.
    subscription = EventSubscription(brand=brand, name=f"webhook {path}", target=WEBHOOK.code, created_by=actor)
    endpoint = WebhookEndpoint.objects.create(
        brand=brand,
        name=name,
        url=f"{settings.SANDBOX_RECEIVER_URL}/{path}",
        versions=present_versions(events),
        subscription=subscribe_app(subscription, events=events, path=None, is_enabled=True),
        sealed_secret=sealed(new_secret()),
        created_by=actor,
    )
    after = {"name": name, "url": endpoint.url, "events": events}
    audit.record(actor=actor, action=CrmAction.WEBHOOK_CREATED, target=endpoint, brand_id=brand.pk, after=after)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(created_at=demo.now - SET_UP_AGO)
    return endpoint


def _write_deliveries(demo: Demo, messages: Sequence[_Message]) -> None:
    """Write events that are over, what addresses were sent about them, and each attempt."""
    rows = OutboxEvent.objects.bulk_create(_row(message.event, message.at) for message in messages)
    sealers = crypto.sealers_for_clients({row.client_id for row in rows if row.client_id is not None})
    rng = random.Random("webhooks")
    calls = [_calls(message.at, message.outage, rng, until=demo.now) for message in messages]
    deliveries = [
        WebhookDelivery(
            endpoint=message.endpoint,
            event=row,
            event_name=row.name,
            client_id=row.client_id,
            message_id=uuid.UUID(int=rng.getrandbits(128)),
            body=body_of(message.endpoint, Envelope.of(row), None),
            state=WebhookDeliveryState.FAILED if made[-1]["failure"] else WebhookDeliveryState.DELIVERED,
            attempts=len(made),
            next_at=made[-1]["at"],
            status_code=made[-1]["status_code"],
            failure=made[-1]["failure"],
            created_at=message.at,
            done_at=made[-1]["at"],
        )
        for message, row, made in zip(messages, rows, calls, strict=True)
    ]
    WebhookDelivery.objects.bulk_create(deliveries)
    attempts = []
    for delivery, made in zip(deliveries, calls, strict=True):
        seal = sealers.get(delivery.client_id or 0, bytes)
        attempts += [WebhookAttempt(delivery=delivery, **{**call, "answer": seal(call["answer"])}) for call in made]
    WebhookAttempt.objects.bulk_create(sorted(attempts, key=lambda attempt: attempt.at))
    for endpoint in {message.endpoint for message in messages}:
        mine = [row.done_at for row in deliveries if row.endpoint_id == endpoint.pk and row.done_at and not row.failure]
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(taken_at=max(mine, default=None))


def _outage(dated: Sequence[Dated], now: dt.datetime) -> Outage | None:
    """Choose an outage that some messages didn't outlive: longer than all their attempts, shorter than what disables a webhook."""
    lost = [at for at, _event in dated if at < now - dt.timedelta(days=4)][-3:]
    if not lost:
        return None
    begins = max(lost[0], lost[-1] - dt.timedelta(days=1))
    return Outage(begins, lost[-1] + dt.timedelta(seconds=sum(BACK_OFF_SECONDS), hours=2))


def _row(event: Event, at: dt.datetime) -> OutboxEvent:
    return OutboxEvent(
        name=event.name,
        version=event.version,
        payload=orjson.loads(event.to_payload()),
        client_id=event.client_id,
        brand_id=event.brand_id,
        occurred_at=at,
    )


def _calls(at: dt.datetime, outage: Outage | None, rng: random.Random, *, until: dt.datetime) -> list[dict[str, Any]]:
    """List the calls about one event, until one is taken or the last was tried."""
    calls: list[dict[str, Any]] = []
    at += dt.timedelta(milliseconds=rng.randint(300, 900))
    for pause in (*BACK_OFF_SECONDS, None):
        is_away = outage is not None and outage.covers(at)
        is_hiccup = not calls and rng.random() < 0.06
        if not is_away and not is_hiccup:
            calls.append(
                {"at": at, "duration_ms": rng.randint(18, 260), "status_code": 200, "failure": "", "answer": TAKEN}
            )
            break
        is_late = rng.random() < 0.3
        calls.append(
            {
                "at": at,
                "duration_ms": 10_000 + rng.randint(0, 40) if is_late else rng.randint(40, 900),
                "status_code": None if is_late else 503,
                "failure": CallFailure.TIMEOUT if is_late else CallFailure.REFUSED,
                "answer": b"" if is_late else BROKEN,
            }
        )
        if pause is None or at + dt.timedelta(seconds=pause) > until:
            break
        at += dt.timedelta(seconds=pause)
    return calls
