"""Offboarding a leaver: their account ends with their last day, and somebody confirms that the checks find nothing left."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.db.locking import lock
from crm.due import DueKind, cancel, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.models import DueRow, StaffEmployment, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.leaver_policies import LEAVERS_LOSE_ACCESS
from crm.security.policies import Decision, has_permission, no
from crm.staff.employment import today_of
from crm.staff.people import switch_off
from monitoring.audit_codes import MonitoringAction
from monitoring.choices import MonitoringNotice
from monitoring.leaving.checks import CHECKS, results_of
from monitoring.policies import reaches

RIGHT = "monitoring.offboard_agents"


def can_offboard(user: User, agent: User) -> Decision:
    """Decide whether the user may offboard the agent: with the right, in reach, never themselves."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    if user.pk == agent.pk:
        return no(_("You can't offboard yourself."))
    return reaches(user, agent)


@transaction.atomic
def clear_check(*, agent_id: int, slug: str, actor: User) -> int:
    """Hand over or delete what one check finds of a leaver, where that is done here; returns how many.

    Who: `monitoring.offboard_agents`, on people in reach, not on oneself. Raises: NotAllowed, WrongState, DomainError.
    """
    row = lock(StaffEmployment, agent_id, "user")
    policies.require(can_offboard(actor, row.user))
    if row.leaves_on is None:
        raise WrongState(_("Enter the last day of work first."))
    check = next((check for check in CHECKS if check.slug == slug and check.clear), None)
    if check is None or check.clear is None:
        raise DomainError(_("This is done on another page."))
    done = check.clear(row.user, actor)
    audit.record(
        actor=actor,
        action=MonitoringAction.OFFBOARDING_STEP,
        target=row.user,
        brand_id=row.user.brand_id,
        after={"check": slug, "done": done, "left": check.count(row.user)},
    )
    return done


@transaction.atomic
def confirm_offboarding(*, agent_id: int, actor: User) -> StaffEmployment:
    """Confirm that nothing of a leaver is left. The checks run again, and their results are kept in the audit log.

    Who: as for `clear_check`. Raises: NotAllowed; WrongState before the last day or twice; DomainError while something is left.
    """
    row = lock(StaffEmployment, agent_id, "user")
    policies.require(can_offboard(actor, row.user))
    if row.offboarded_at is not None:
        raise WrongState(_("The offboarding is already confirmed."))
    if row.leaves_on is None or row.leaves_on > today_of(row.user):
        raise WrongState(_("The last day of work hasn't come yet."))
    results = results_of(row.user)
    left = [f"{result.check.label}: {formats.number(result.left, 0)}" for result in results if result.left]
    if left:
        raise DomainError(_("Still open: %(what)s") % {"what": "; ".join(left)})
    row.offboarded_at, row.offboarded_by = timezone.now(), actor
    row.save(update_fields=["offboarded_at", "offboarded_by"])
    audit.record(
        actor=actor,
        action=MonitoringAction.OFFBOARDING_CONFIRMED,
        target=row.user,
        brand_id=row.user.brand_id,
        evidence={"left": {result.check.slug: result.left for result in results}},
    )
    return row


def schedule(row: StaffEmployment) -> None:
    """Have the offboarding fall due at the end of the last day, where the person lives; without one, no longer."""
    if row.leaves_on is None or row.offboarded_at is not None:
        cancel(LAST_DAY, row.pk)
        return
    zone = ZoneInfo(row.user.time_zone or "UTC")
    at = dt.datetime.combine(row.leaves_on + dt.timedelta(days=1), dt.time(), tzinfo=zone)
    due(LAST_DAY, key=row.pk, at=at, brand_id=row.user.brand_id)


def _last_day_is_over(due_row: DueRow) -> None:
    """Deactivate a leaver's account where the brand's policy says so, and notify those who offboard."""
    row = StaffEmployment.objects.select_related("user__brand").filter(user_id=int(due_row.key)).first()
    if row is None or row.leaves_on is None or row.leaves_on >= today_of(row.user) or row.offboarded_at is not None:
        return
    agent = row.user
    if agent.is_active and (agent.brand is None or LEAVERS_LOSE_ACCESS.of(agent.brand)):
        switch_off(user_id=agent.pk, actor=None, reason=_("The last day of work is over"))
    may = User.objects.filter(pk__in=people_with(RIGHT, brand_id=agent.brand_id))
    notify(
        [user.pk for user in may if can_offboard(user, agent)],
        kind=MonitoringNotice.OFFBOARDING,
        title=phrase("%(agent)s has left: offboarding") % {"agent": agent},
        url=f"/monitoring/agents/{agent.pk}/offboarding/",
        dedupe_key=f"monitoring.offboarding:{agent.pk}:{row.leaves_on.isoformat()}",
    )


LAST_DAY = declare(
    DueKind("monitoring.last_day", gettext_lazy("A leaver's last day of work is over"), _last_day_is_over)
)
