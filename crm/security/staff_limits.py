"""The one gate of limits on staff: exports and reveals pass it, for both write their access row first.

Masked contact details need no gate: `crm_rights` leaves the right to see them out while the limit is in force.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.core import context
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.choices import AccessKind, StaffLimitKind
from crm.errors import NotAllowed
from crm.i18n import formats
from crm.models import AccessEvent, StaffEmployment, StaffLimit, User
from crm.security.leaver_policies import NOTICE_BLOCKS_EXPORTS

GATED = frozenset({AccessKind.EXPORT, AccessKind.REVEAL})
# One cheap question first: nearly everyone has neither limits nor a last day, and each page of the API passes here.
# Takes the user, the user again, and the moment; a condition of the access row's own INSERT, too (`crm.security.access_log`).
CONCERNS = """
EXISTS (SELECT FROM crm_staffemployment WHERE user_id = %s AND leaves_on IS NOT NULL)
  OR EXISTS (SELECT FROM crm_stafflimit WHERE user_id = %s AND ended_at IS NULL AND until_at > %s)
"""
# What the row of a refused export says where no limit that a person set is behind it.
NOTICE = "notice"


class LimitExceeded(NotAllowed):
    """A limit excludes the export or reveal. `limit`: which one, for the row of the access log that is kept of it."""

    def __init__(self, message: str, *, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


def limits_of(user: User, at: dt.datetime | None = None) -> QuerySet[StaffLimit]:
    """Select the limits in force of a person."""
    return StaffLimit.objects.filter(user=user).active(at or timezone.now())


def is_barred_from_exports(user: User) -> bool:
    """Check whether notice was given, or the last day has passed, and the brand's policy blocks exports from then on."""
    row = StaffEmployment.objects.filter(user=user, leaves_on__isnull=False).first()
    today = timezone.now().astimezone(ZoneInfo(user.time_zone or "UTC")).date()
    if row is None or not row.has_given_notice(today):
        return False
    return NOTICE_BLOCKS_EXPORTS.of(user.brand) if user.brand else bool(NOTICE_BLOCKS_EXPORTS.default)


def require_within_limits(user: User, kind: AccessKind) -> None:
    """Refuse an export or reveal that a limit in force or a notice excludes, with the plain reason.

    Raises: LimitExceeded; ReauthenticationRequired where the person has to confirm who they are first.
    """
    if not _is_concerned(user):
        return
    if kind == AccessKind.EXPORT and is_barred_from_exports(user):
        raise LimitExceeded(_("Exports are blocked from the day of notice on."), limit=NOTICE)
    limits = {StaffLimitKind(row.kind): row for row in limits_of(user)}
    if not limits:
        return
    exports = limits.get(StaffLimitKind.EXPORTS)
    if exports is not None and kind == AccessKind.EXPORT:
        raise LimitExceeded(
            _("Your exports are suspended until %(end)s: %(reason)s")
            % {"end": formats.moment(exports.until_at), "reason": exports.reason},
            limit=StaffLimitKind.EXPORTS,
        )
    cap = limits.get(StaffLimitKind.REVEALS)
    if cap is not None and kind == AccessKind.REVEAL and revealed_today(user, cap.per_day or 0) >= (cap.per_day or 0):
        raise LimitExceeded(
            _("You may reveal %(count)s contacts a day until %(end)s: %(reason)s")
            % {"count": formats.number(cap.per_day, 0), "end": formats.moment(cap.until_at), "reason": cap.reason},
            limit=StaffLimitKind.REVEALS,
        )
    request = context.request
    if StaffLimitKind.STEP_UP in limits and request is not None and request.user.pk == user.pk:
        raise_if_reauthentication_required(request, app="crm.accounts")


def _is_concerned(user: User) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {CONCERNS}", [user.pk, user.pk, timezone.now()])
        return bool(cursor.fetchone()[0])


def revealed_today(user: User, most: int) -> int:
    """Count what a person revealed since midnight of their own time zone, up to `most`."""
    zone = ZoneInfo(user.time_zone or "UTC")
    midnight = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = AccessEvent.objects.filter(user=user, kind=AccessKind.REVEAL, at__gte=midnight)
    return rows.order_by()[:most].count()
