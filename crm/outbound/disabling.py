"""Switching off an address that has taken nothing for days, or says that it is gone."""

from __future__ import annotations

from django.utils import timezone

from crm.audit_codes import CrmAction
from crm.choices import CallFailure, WebhookDeliveryState, WebhookState
from crm.i18n.localized_text import phrase
from crm.models import WebhookDelivery, WebhookEndpoint
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.staff.event_subscriptions import MANAGES, subscribe_app


def disable_endpoint(endpoint: WebhookEndpoint, *, is_gone: bool = False) -> None:
    """Disable an address that the caller has locked; what waits has failed, and can be sent again. Who: the system."""
    endpoint.move_to(WebhookState.DISABLED)
    endpoint.save(update_fields=["state"])
    hear(endpoint)
    failed = end_waiting(endpoint, WebhookDeliveryState.FAILED)
    audit.record(
        actor=None,
        action=CrmAction.WEBHOOK_DISABLED,
        target=endpoint,
        brand_id=endpoint.brand_id,
        after={"state": endpoint.state, "failed": failed},
        evidence={"is_gone": is_gone, "failing_since": endpoint.failing_since},
    )
    notify(
        people_with(MANAGES, brand_id=endpoint.brand_id),
        kind=CrmNotice.WEBHOOK_DISABLED,
        title=phrase("Webhook disabled: %(name)s") % {"name": endpoint.name},
        body=phrase("Check the address, resume the webhook and send the failed events again."),
        url=endpoint.get_absolute_url(),
        dedupe_key=f"{CrmNotice.WEBHOOK_DISABLED}:{endpoint.pk}:{timezone.now():%Y-%m-%d}",
    )


def hear(endpoint: WebhookEndpoint) -> None:
    """Switch the subscription of an address on or off, as its state says."""
    row = endpoint.subscription
    subscribe_app(row, events=row.events, path=row.path, is_enabled=endpoint.state == WebhookState.ACTIVE)


def end_waiting(endpoint: WebhookEndpoint, state: WebhookDeliveryState) -> int:
    """End what waits for an address, which the caller has locked; returns how many."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDeliveryState.WAITING)
    return waiting.update(state=state, done_at=timezone.now(), leased_until=None, failure=CallFailure.DISABLED)
