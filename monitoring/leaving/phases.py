"""Where somebody is in their employment on a day: joined, in a new role, leaving. From the HR dates on the staff record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import StaffEmployment, User

JOINED_DAYS = 60
CHANGED_DAYS = 30


def leaving_on(day: dt.date, agent_ids: Iterable[int]) -> set[int]:
    """Find who had given notice by a day, or whose last day had passed."""
    rows = StaffEmployment.objects.filter(user_id__in=list(agent_ids))
    return set(rows.filter(Q(notice_on__lte=day) | Q(leaves_on__lt=day)).values_list("user_id", flat=True))


def changed_role_between(first: dt.date, last: dt.date) -> list[int]:
    """List whose role changed on one of these days."""
    rows = StaffEmployment.objects.filter(role_changed_on__gte=first, role_changed_on__lte=last)
    return list(rows.order_by("user_id").values_list("user_id", flat=True))


def phases_of(agent: User, day: dt.date) -> list[str]:
    """Describe the agent's employment on a day for a reviewer: only what explains an unusual day."""
    row = StaffEmployment.objects.filter(user=agent).first()
    if row is None:
        return []
    found = []
    if row.joined_on is not None and 0 <= (day - row.joined_on).days <= JOINED_DAYS:
        found.append(_("Joined on %(day)s") % {"day": formats.day(row.joined_on)})
    if row.role_changed_on is not None and 0 <= (day - row.role_changed_on).days <= CHANGED_DAYS:
        found.append(_("Changed role on %(day)s") % {"day": formats.day(row.role_changed_on)})
    if row.notice_on is not None and row.notice_on <= day:
        found.append(_("Gave notice on %(day)s") % {"day": formats.day(row.notice_on)})
    if row.leaves_on is not None:
        found.append(_("Last day: %(day)s") % {"day": formats.day(row.leaves_on)})
    return found
