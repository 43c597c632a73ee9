"""Pausing an automation that fails: it stops, says why, and those who make automations are notified."""

from __future__ import annotations

from crm.db.locking import lock
from crm.i18n.localized_text import phrase
from crm.models import EventSubscription
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.staff.event_subscriptions import subscribe_app
from leads.audit_codes import LeadsAction
from leads.automations.choices import AutomationState
from leads.choices import LeadsNotice
from leads.models import Automation


def pause_after_failures(automation: Automation, why: str) -> None:
    """Pause an automation in the transaction of what failed. Who: the system."""
    row = lock(Automation, automation.pk, "brand")
    if row.state != AutomationState.ACTIVE:
        return
    row.move_to(AutomationState.PAUSED)
    row.pause_reason = why[:300]
    row.save(update_fields=["state", "pause_reason"])
    hear(row)
    audit.record(
        actor=None,
        action=LeadsAction.AUTOMATION_PAUSED,
        target=row,
        brand_id=row.brand_id,
        after={"state": row.state},
        reason=row.pause_reason,
    )
    notify(
        people_with("leads.manage_automation", brand_id=row.brand_id),
        kind=LeadsNotice.AUTOMATION_PAUSED,
        title=phrase("Automation paused: %(name)s") % {"name": row.name},
        body=row.pause_reason,
        url=row.get_absolute_url(),
        dedupe_key=f"leads.automation_paused:{row.pk}:{row.version_id}:{row.failures}",
    )


def hear(automation: Automation) -> None:
    """Switch the subscription of an automation on or off, as its state says; what waits for one that is off is skipped."""
    if automation.subscription_id is None:
        return
    row = EventSubscription.objects.get(pk=automation.subscription_id)
    is_on = automation.state == AutomationState.ACTIVE and bool(row.events)
    subscribe_app(row, events=row.events, path=row.path, is_enabled=is_on)
