"""The watchlist: people to watch more closely for a time, and why."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security import audit, policies
from monitoring.audit_codes import MonitoringAction
from monitoring.choices import WatchKind
from monitoring.models import Watch
from monitoring.policies import can_watch


@transaction.atomic
def watch(*, agent_id: int, kind: WatchKind, from_on: dt.date, to_on: dt.date, reason: str, actor: User) -> Watch:
    """Put somebody on the watchlist: until then less is needed for an alert, and leavers' exports are one.

    Who: `monitoring.manage_watchlist`, on people of desks one reaches, not on oneself.
    """
    agent = User.objects.get(pk=agent_id, kind="staff")
    policies.require(can_watch(actor, agent))
    if not reason.strip():
        raise DomainError(_("Enter a reason: the person may ask for it."))
    if to_on < from_on:
        raise DomainError(_("The end date is before the start date."))
    try:
        with transaction.atomic():
            row = Watch.objects.create(
                agent=agent, kind=kind, from_on=from_on, to_on=to_on, reason=reason.strip(), made_by=actor
            )
    except IntegrityError:
        raise WrongState(_("%(agent)s is already on the watchlist in that period.") % {"agent": agent})
    audit.record(
        actor=actor,
        action=MonitoringAction.WATCH_STARTED,
        target=row,
        brand_id=agent.brand_id,
        reason=reason,
        after={"agent": agent.pk, "kind": str(kind), "from": from_on.isoformat(), "to": to_on.isoformat()},
    )
    return row


@transaction.atomic
def end_watch(*, watch_id: int, actor: User, reason: str) -> Watch:
    """Take somebody off the watchlist before the time. Who: as for putting on."""
    row = lock(Watch, watch_id, "agent")
    policies.require(can_watch(actor, row.agent))
    if row.ended_at is not None:
        raise WrongState(_("This has already ended."))
    row.ended_at = timezone.now()
    row.save(update_fields=["ended_at"])
    audit.record(
        actor=actor, action=MonitoringAction.WATCH_ENDED, target=row, brand_id=row.agent.brand_id, reason=reason
    )
    return row
