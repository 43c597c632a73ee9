"""HR dates on the staff record: who sets them, and what happens from them."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.db.locking import lock, lock_or_none
from crm.errors import DomainError
from crm.events import StaffDatesChanged, publish
from crm.models import StaffEmployment, User
from crm.security import audit
from crm.security.policies import require
from crm.staff import policies


@dataclass(frozen=True, slots=True)
class StaffDates:
    """The four HR dates, each of them the person's own calendar day; None where there is none."""

    joined_on: dt.date | None = None
    role_changed_on: dt.date | None = None
    notice_on: dt.date | None = None
    leaves_on: dt.date | None = None


def dates_of(user_id: int) -> StaffDates:
    """Return a person's HR dates; all None where none were ever set."""
    row = StaffEmployment.objects.filter(user_id=user_id).values(*StaffDates.__dataclass_fields__).first()
    return StaffDates(**row) if row else StaffDates()


def today_of(user: User) -> dt.date:
    """Return today's date where the person lives."""
    return timezone.now().astimezone(ZoneInfo(user.time_zone or "UTC")).date()


@transaction.atomic
def set_dates(*, user_id: int, actor: User, dates: StaffDates, reason: str = "") -> StaffEmployment:
    """Set a person's HR dates. A reason is needed where notice or the last day changes.

    From the day of notice on exports are blocked where the brand's policy says so, and monitoring judges more strictly;
    a changed last day opens the offboarding again.

    Who: `crm.manage_staff` within reach, never for oneself. Raises: NotAllowed, DomainError.
    """
    user = lock(User, user_id)
    require(policies.can_manage_other(actor, user))
    if not user.is_team:
        raise DomainError(_("Only staff have employment dates."))
    row = lock_or_none(StaffEmployment, user_id) or StaffEmployment(user=user)
    before = StaffDates(row.joined_on, row.role_changed_on, row.notice_on, row.leaves_on)
    if before == dates:
        return row
    _require_order(dates)
    is_about_leaving = (before.notice_on, before.leaves_on) != (dates.notice_on, dates.leaves_on)
    if is_about_leaving and not reason.strip():
        raise DomainError(_("Enter a reason. It's kept in the audit log."))
    for name, value in asdict(dates).items():
        setattr(row, name, value)
    if before.leaves_on != dates.leaves_on:
        row.offboarded_at = row.offboarded_by = None
    row.save()
    was, becomes = asdict(before), asdict(dates)
    changed = [name for name in becomes if was[name] != becomes[name]]
    audit.record(
        actor=actor,
        action=CrmAction.STAFF_DATES_CHANGED,
        target=user,
        brand_id=user.brand_id,
        reason=reason.strip(),
        before={name: _iso(was[name]) for name in changed},
        after={name: _iso(becomes[name]) for name in changed},
    )
    publish(
        StaffDatesChanged(
            user_id=user.pk,
            is_role_change="role_changed_on" in changed,
            is_about_leaving=is_about_leaving,
            brand_id=user.brand_id,
        ),
        actor=actor,
    )
    return row


def _require_order(dates: StaffDates) -> None:
    if dates.notice_on is not None and dates.leaves_on is None:
        raise DomainError(_("Enter the last day of work, too."))
    if dates.leaves_on is None:
        return
    if dates.notice_on is not None and dates.leaves_on < dates.notice_on:
        raise DomainError(_("The last day is before the notice."))
    if dates.joined_on is not None and dates.leaves_on < dates.joined_on:
        raise DomainError(_("The last day is before the first."))


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
