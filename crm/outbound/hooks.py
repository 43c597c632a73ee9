"""Subscriptions in the shape of REST hooks, as Zapier, n8n and Make make and end them: one address, one event."""

from __future__ import annotations

from django.db import transaction

from crm.choices import WebhookState
from crm.db.locking import lock
from crm.models import Brand, User, WebhookEndpoint
from crm.outbound.endpoints import EndpointDetails, archive_endpoint, create_endpoint, endpoints_visible_to
from crm.security.policies import require
from crm.staff.event_subscriptions import can_subscribe


@transaction.atomic
def subscribe_hook(*, brand_id: int, url: str, event: str, actor: User) -> WebhookEndpoint:
    """Subscribe an integration's address to an event; asked again for the same, it is the same subscription.

    Who: `crm.manage_events`, reaching the whole brand. Raises: as creating a webhook.
    """
    require(can_subscribe(actor, brand_id))
    lock(Brand, brand_id, no_key=True)
    known = WebhookEndpoint.objects.filter(brand_id=brand_id, is_hook=True, url=url.strip())
    kept = known.exclude(state=WebhookState.ARCHIVED).filter(subscription__events=[event]).first()
    if kept is not None:
        return kept
    details = EndpointDetails(f"{event} ({actor})"[:80], url, [event])
    return create_endpoint(brand_id=brand_id, actor=actor, details=details, is_hook=True)


def unsubscribe_hook(*, endpoint_id: int, actor: User) -> WebhookEndpoint:
    """End an integration's subscription. Who: as for making it. Raises: NotFound, NotAllowed, WrongState."""
    return archive_endpoint(endpoint_id=endpoint_id, actor=actor, reason="Unsubscribed by the integration")


def hooks_visible_to(user: User) -> list[WebhookEndpoint]:
    """List the subscriptions that integrations made at the brands that a user reaches as a whole."""
    rows = endpoints_visible_to(user).filter(is_hook=True).exclude(state=WebhookState.ARCHIVED)
    return list(rows.select_related("brand", "subscription").order_by("pk")[:1000])
