"""The one gate of limits on staff: exports and reveals pass it, for both write their access row first.

Masked contact details need no gate: `crm_rights` leaves the right to see them out while the limit is in force.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core import context
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.choices import AccessKind, StaffLimitKind
from crm.errors import NotAllowed
from crm.i18n import formats
from crm.models import AccessEvent, StaffLimit, User

GATED = frozenset({AccessKind.EXPORT, AccessKind.REVEAL})


def limits_of(user: User, at: dt.datetime | None = None) -> QuerySet[StaffLimit]:
    """Select the limits in force of a person."""
    return StaffLimit.objects.filter(user=user).active(at or timezone.now())


def require_within_limits(user: User, kind: AccessKind) -> None:
    """Refuse an export or reveal that a limit in force excludes, with the plain reason.

    Raises: NotAllowed; ReauthenticationRequired where the person has to confirm who they are first.
    """
    limits = {StaffLimitKind(row.kind): row for row in limits_of(user)}
    if not limits:
        return
    exports = limits.get(StaffLimitKind.EXPORTS)
    if exports is not None and kind == AccessKind.EXPORT:
        raise NotAllowed(
            _("Your exports are suspended until %(end)s: %(reason)s")
            % {"end": formats.moment(exports.until_at), "reason": exports.reason}
        )
    cap = limits.get(StaffLimitKind.REVEALS)
    if cap is not None and kind == AccessKind.REVEAL and revealed_today(user, cap.per_day or 0) >= (cap.per_day or 0):
        raise NotAllowed(
            _("You may reveal %(count)s contacts a day until %(end)s: %(reason)s")
            % {"count": formats.number(cap.per_day, 0), "end": formats.moment(cap.until_at), "reason": cap.reason}
        )
    request = context.request
    if StaffLimitKind.STEP_UP in limits and request is not None and request.user.pk == user.pk:
        raise_if_reauthentication_required(request, app="crm.accounts")


def revealed_today(user: User, most: int) -> int:
    """Count what a person revealed since midnight of their own time zone, up to `most`."""
    zone = ZoneInfo(user.time_zone or "UTC")
    midnight = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = AccessEvent.objects.filter(user=user, kind=AccessKind.REVEAL, at__gte=midnight)
    return rows.order_by()[:most].count()
