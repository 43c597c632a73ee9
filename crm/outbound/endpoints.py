"""A brand's webhooks: set up, changed, paused, archived, their secret shown and rotated, a test sent."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import WebhookDeliveryState, WebhookState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events.conditions import path_of
from crm.models import Brand, EventSubscription, User, WebhookDelivery, WebhookEndpoint
from crm.models.webhooks import URL_CHARS_MAX
from crm.outbound.disabling import end_waiting, hear
from crm.outbound.recording import SENDING, WEBHOOK
from crm.outbound.secrets import sealed, secret_of
from crm.outbound.versions import present_versions
from crm.outside.destinations import require_public_url
from crm.outside.standard_webhooks import new_secret
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import audit
from crm.security.policies import require
from crm.security.scope import reach_of
from crm.staff.company import require_reason
from crm.staff.event_subscriptions import can_subscribe, check_events, subscribe_app

PER_BRAND_MAX: Final = 20
HOOKS_MAX: Final = 100  # of integrations, which make one for each event
TESTS_AN_HOUR: Final = 30
ROTATION_OVERLAP: Final = dt.timedelta(hours=24)
TEST_EVENT: Final = "webhook.test"


@dataclass(frozen=True, slots=True)
class EndpointDetails:
    """What is chosen for a webhook. condition: on the events' data; empty for every event."""

    name: str
    url: str
    events: list[str]
    condition: dict[str, Any] = field(default_factory=dict)


def endpoints_visible_to(user: User) -> QuerySet[WebhookEndpoint]:
    """Select the webhooks of the brands that a user reaches as a whole."""
    return WebhookEndpoint.objects.filter(brand__in=reach_of(user).whole_brands)


@transaction.atomic
def create_endpoint(*, brand_id: int, actor: User, details: EndpointDetails, is_hook: bool = False) -> WebhookEndpoint:
    """Have a brand's events sent to an address from now on, without personal data.

    Who: `crm.manage_events`, reaching the whole brand. Raises: NotAllowed; DomainError (a private address, an unknown event, a
    condition that an event can't answer, too many).
    """
    require(can_subscribe(actor, brand_id))
    brand = lock(Brand, brand_id, no_key=True)  # two at once wait for each other, so that neither goes over the limit
    kept = WebhookEndpoint.objects.filter(brand=brand, is_hook=is_hook).exclude(state=WebhookState.ARCHIVED)
    most = HOOKS_MAX if is_hook else PER_BRAND_MAX
    if kept.count() >= most:
        raise DomainError(
            _("There are already %(count)s webhooks. Archive one that you no longer need first.") % {"count": most}
        )
    subscription = EventSubscription(
        brand=brand, name=f"webhook {secrets.token_hex(6)}", target=WEBHOOK.code, created_by=actor
    )
    endpoint = WebhookEndpoint(brand=brand, created_by=actor, is_hook=is_hook, sealed_secret=sealed(new_secret()))
    _assign(endpoint, subscription, details)
    endpoint.subscription = subscribe_app(
        subscription, events=subscription.events, path=subscription.path, is_enabled=True
    )
    endpoint.save()
    _record(endpoint, actor, CrmAction.WEBHOOK_CREATED, after=_values(endpoint))
    return endpoint


@transaction.atomic
def change_endpoint(*, endpoint_id: int, actor: User, details: EndpointDetails) -> WebhookEndpoint:
    """Change a webhook. What waits goes to the new address; personal data, approved for the old one, doesn't.

    Who: as for a new one. Raises: NotAllowed, WrongState, DomainError.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    before = _values(endpoint)
    is_moved = details.url.strip() != endpoint.url
    _assign(endpoint, endpoint.subscription, details)
    if is_moved:
        endpoint.has_personal_data = False
        endpoint.failing_since, endpoint.failures, endpoint.held_until = None, 0, None
    endpoint.save()
    hear(endpoint)
    after = _values(endpoint)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        _record(
            endpoint,
            actor,
            CrmAction.WEBHOOK_CHANGED,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    return endpoint


@transaction.atomic
def pause_endpoint(*, endpoint_id: int, actor: User) -> WebhookEndpoint:
    """Pause a webhook: what happens meanwhile is never sent, what waits already is sent when it is resumed.

    Who: as for a new one. Raises: NotAllowed, WrongState.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    endpoint.move_to(WebhookState.PAUSED)
    endpoint.save(update_fields=["state"])
    hear(endpoint)
    _record(endpoint, actor, CrmAction.WEBHOOK_PAUSED)
    return endpoint


@transaction.atomic
def resume_endpoint(*, endpoint_id: int, actor: User) -> WebhookEndpoint:
    """Resume a webhook that was paused, or disabled after failures. Who: as for a new one. Raises: NotAllowed, WrongState."""
    endpoint = locked_endpoint(endpoint_id, actor)
    endpoint.move_to(WebhookState.ACTIVE)
    endpoint.failing_since, endpoint.failures, endpoint.held_until = None, 0, None
    endpoint.save(update_fields=["state", "failing_since", "failures", "held_until"])
    hear(endpoint)
    _record(endpoint, actor, CrmAction.WEBHOOK_RESUMED)
    enqueue_soon_on_commit(SENDING)
    return endpoint


@transaction.atomic
def archive_endpoint(*, endpoint_id: int, actor: User, reason: str) -> WebhookEndpoint:
    """End a webhook for good; its deliveries stay as the record, and what waits is cancelled.

    Who: as for a new one. Raises: NotAllowed, WrongState; DomainError without a reason.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    require_reason(reason)
    _archive(endpoint, actor, reason)
    return endpoint


def _archive(endpoint: WebhookEndpoint, actor: User, reason: str) -> None:
    endpoint.move_to(WebhookState.ARCHIVED)
    endpoint.has_personal_data = False
    endpoint.save(update_fields=["state", "has_personal_data"])
    hear(endpoint)
    endpoint.subscription.archived_at = timezone.now()
    endpoint.subscription.save(update_fields=["archived_at"])
    cancelled = end_waiting(endpoint, WebhookDeliveryState.CANCELLED)
    _record(endpoint, actor, CrmAction.WEBHOOK_ARCHIVED, reason=reason, evidence={"cancelled": cancelled})


@transaction.atomic
def show_secret(*, endpoint_id: int, actor: User) -> str:
    """Return a webhook's signing secret; the audit log says who read it. Who: as for a new one. Raises: NotAllowed, WrongState."""
    endpoint = locked_endpoint(endpoint_id, actor)
    _record(endpoint, actor, CrmAction.WEBHOOK_SECRET_SHOWN)
    return secret_of(endpoint)


@transaction.atomic
def rotate_secret(*, endpoint_id: int, actor: User) -> WebhookEndpoint:
    """Replace a webhook's signing secret; for ROTATION_OVERLAP messages are signed under both.

    Who: as for a new one. Raises: NotAllowed, WrongState.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    endpoint.sealed_old_secret, endpoint.old_secret_until = endpoint.sealed_secret, timezone.now() + ROTATION_OVERLAP
    endpoint.sealed_secret = sealed(new_secret())
    endpoint.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
    _record(endpoint, actor, CrmAction.WEBHOOK_SECRET_ROTATED, after={"old_secret_until": endpoint.old_secret_until})
    return endpoint


@transaction.atomic
def send_test(*, endpoint_id: int, actor: User) -> WebhookDelivery:
    """Send a test message; it is tried once, and its result is in the delivery log.

    Who: as for a new one. Raises: NotAllowed; WrongState unless active; DomainError above TESTS_AN_HOUR.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    if endpoint.state != WebhookState.ACTIVE:
        raise WrongState(_("Resume the webhook first."))
    now = timezone.now()
    tests = WebhookDelivery.objects.filter(endpoint=endpoint, event=None, created_at__gt=now - dt.timedelta(hours=1))
    if tests.count() >= TESTS_AN_HOUR:
        raise DomainError(_("Too many tests within an hour. Try again later."))
    at = now.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    message = {
        "id": None,
        "name": TEST_EVENT,
        "version": 1,
        "occurred_at": at,
        "brand": endpoint.brand_id,
        "client": None,
    }
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        event_name=TEST_EVENT,
        body=orjson.dumps({**message, "actor": {"kind": actor.kind, "id": actor.pk}, "data": {}}),
        next_at=now,
        created_at=now,
    )
    # A test is what one sends when a receiver is back: it doesn't wait until the last failure is forgotten.
    endpoint.held_until = None
    endpoint.save(update_fields=["held_until"])
    _record(endpoint, actor, CrmAction.WEBHOOK_TESTED)
    enqueue_soon_on_commit(SENDING)
    return delivery


def locked_endpoint(endpoint_id: int, actor: User) -> WebhookEndpoint:
    """Lock a webhook that the actor may manage. Raises: NotFound, NotAllowed; WrongState for an archived one."""
    endpoint = lock(WebhookEndpoint, endpoint_id, "brand", "subscription")
    require(can_subscribe(actor, endpoint.brand_id))
    if endpoint.state == WebhookState.ARCHIVED:
        raise WrongState(_("This webhook is archived."))
    return endpoint


def _assign(endpoint: WebhookEndpoint, subscription: EventSubscription, details: EndpointDetails) -> None:
    url = details.url.strip()
    if not details.name.strip():
        raise DomainError(_("Enter a name."))
    if len(url) > URL_CHARS_MAX:
        raise DomainError(_("The address is too long."))
    require_public_url(url)
    events, condition = check_events(details.events, details.condition)
    subscription.condition, subscription.path = ({}, None)
    if condition.fields():
        subscription.condition, subscription.path = condition.stored(), path_of(condition)
    subscription.events = events
    endpoint.name, endpoint.url = details.name.strip()[:80], url
    # A receiver that is set up keeps the version that it was built for.
    endpoint.versions = {**present_versions(events), **{k: v for k, v in endpoint.versions.items() if k in events}}


def _values(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "events": endpoint.subscription.events,
        "condition": endpoint.subscription.condition,
        "has_personal_data": endpoint.has_personal_data,
    }


def _record(endpoint: WebhookEndpoint, actor: User, action: CrmAction, **given: Mapping[str, Any] | str) -> None:
    audit.record(actor=actor, action=action, target=endpoint, brand_id=endpoint.brand_id, **given)  # type: ignore[arg-type]
