"""Setting and ending limits on an agent's access: `crm.security.staff_limits` holds them, and they end at their time."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import StaffLimitKind
from crm.db.locking import lock
from crm.due import DueKind, cancel, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, label_of, phrase
from crm.models import DueRow, StaffLimit, User
from crm.notices.notify import notify
from crm.security import audit, policies
from crm.security.policies import Decision, has_permission, no
from monitoring.audit_codes import MonitoringAction
from monitoring.choices import MonitoringNotice
from monitoring.policies import reaches

RIGHT = "monitoring.limit_agents"
DAYS_MAX = 180
PER_DAY_MAX = 1000


def can_limit(user: User, agent: User) -> Decision:
    """Decide whether the user may limit the agent's access: with the right, in reach, never their own."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    if user.pk == agent.pk:
        return no(_("You can't change limits on your own access."))
    return reaches(user, agent)


@transaction.atomic
def impose_limit(
    *,
    agent_id: int,
    kind: StaffLimitKind,
    until_on: dt.date,
    reason: str,
    actor: User,
    per_day: int | None = None,
    reference: str = "",
) -> StaffLimit:
    """Limit an agent's access from now through a day of the agent's own time zone; the agent is notified with the reason.

    per_day: how many contacts may be revealed each day, for that kind alone.
    Who: `monitoring.limit_agents`, on people in reach, not on oneself. Raises: NotAllowed, DomainError, WrongState.
    """
    agent = User.objects.get(pk=agent_id, kind="staff")
    policies.require(can_limit(actor, agent))
    if not reason.strip():
        raise DomainError(_("Enter a reason. The agent reads it."))
    now = timezone.now()
    zone = ZoneInfo(agent.time_zone or "UTC")
    today = now.astimezone(zone).date()
    if not today <= until_on <= today + dt.timedelta(days=DAYS_MAX):
        raise DomainError(
            _("Enter a day from today to %(last)s.") % {"last": formats.day(today + dt.timedelta(days=DAYS_MAX))}
        )
    if kind == StaffLimitKind.REVEALS and not (per_day is not None and 0 <= per_day <= PER_DAY_MAX):
        raise DomainError(_("Enter how many contacts may be revealed each day; 0 for none."))
    until_at = dt.datetime.combine(until_on + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    try:
        with transaction.atomic():
            row = StaffLimit.objects.create(
                user=agent,
                kind=kind,
                per_day=per_day if kind == StaffLimitKind.REVEALS else None,
                from_at=now,
                until_at=until_at,
                reason=reason.strip(),
                reference=reference,
                made_by=actor,
            )
    except IntegrityError:
        raise WrongState(_("%(agent)s already has this limit. End it first to change it.") % {"agent": agent}) from None
    due(ENDING, key=row.pk, at=until_at, brand_id=agent.brand_id)
    audit.record(
        actor=actor,
        action=MonitoringAction.LIMIT_SET,
        target=row,
        brand_id=agent.brand_id,
        reason=row.reason,
        after={
            "agent": agent.pk,
            "kind": str(kind),
            "per_day": row.per_day,
            "until": until_at.isoformat(),
            "reference": reference,
        },
    )
    _notify(row, [agent.pk], phrase("Your access is limited: %(what)s") % {"what": label_of(row, "kind")}, row.reason)
    return row


@transaction.atomic
def end_limit(*, limit_id: int, actor: User, reason: str) -> StaffLimit:
    """End a limit before its time. Who: as for setting one. Raises: NotAllowed, WrongState, DomainError (no reason)."""
    row = lock(StaffLimit, limit_id, "user", "made_by")
    policies.require(can_limit(actor, row.user))
    now = timezone.now()
    if row.ended_at is not None or row.until_at <= now:
        raise WrongState(_("This has already ended."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    row.ended_at, row.ended_by, row.end_reason = now, actor, reason.strip()
    row.save(update_fields=["ended_at", "ended_by", "end_reason"])
    cancel(ENDING, row.pk)
    audit.record(
        actor=actor,
        action=MonitoringAction.LIMIT_ENDED,
        target=row,
        brand_id=row.user.brand_id,
        reason=reason,
        after={"agent": row.user_id, "kind": row.kind},
    )
    _notify_end(row)
    return row


def _end(due_row: DueRow) -> None:
    """Notify both sides that a limit is over; it stopped holding at its time."""
    row = StaffLimit.objects.select_related("user").filter(pk=due_row.key, ended_at__isnull=True).first()
    if row is not None and row.until_at <= timezone.now():
        _notify_end(row)


def _notify_end(row: StaffLimit) -> None:
    title = phrase("Limit ended for %(agent)s: %(what)s") % {"agent": row.user, "what": label_of(row, "kind")}
    _notify(row, [row.user_id, row.made_by_id], title, row.end_reason, "ended")


def _notify(row: StaffLimit, people: list[int], title: LocalizedText, body: str, what: str = "set") -> None:
    notify(
        people,
        kind=MonitoringNotice.ACCESS_LIMITED,
        title=title,
        body=body,
        url="/monitoring/me/" if what == "set" else "",
        dedupe_key=f"monitoring.limit:{row.pk}:{what}",
    )


ENDING = declare(DueKind("monitoring.limit", gettext_lazy("Limit on an agent's access ends"), _end))
