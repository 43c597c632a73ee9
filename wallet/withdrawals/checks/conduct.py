"""Checks of a withdrawal that look at the client's behaviour: velocity, amounts, and recent changes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from crm import audit_codes
from crm.audit_codes import CrmAction
from crm.i18n import formats
from crm.models import AuditEvent
from crm.money.amounts import from_minor
from crm.security import audit
from wallet.choices.checks import CheckName
from wallet.choices.withdrawals import Purpose, WithdrawalRoute, WithdrawalState
from wallet.core.limits import exceeds, in_base, limit
from wallet.models import Withdrawal
from wallet.withdrawals.checks.registry import Finding, Request, check, passed, review

CAME_BACK = (WithdrawalState.REJECTED, WithdrawalState.CANCELLED, WithdrawalState.FAILED, WithdrawalState.CAME_BACK)
# What was done to the login or the profile. A profile change counts when it touched one of CONTACTS.
LOGIN_ACTIONS = (
    CrmAction.PASSWORD_CHANGED,
    CrmAction.PASSWORD_RESET,
    CrmAction.SECOND_FACTOR_ADDED,
    CrmAction.SECOND_FACTOR_REMOVED,
    CrmAction.SECOND_FACTOR_RESET,
    CrmAction.RECOVERY_CODES_RENEWED,
)
PROFILE_ACTIONS = (ClientsAction.PROFILE_CHANGED, ClientsAction.DETAILS_CHANGED)
CONTACTS = {"email": gettext_lazy("E-mail address changed"), "phone": gettext_lazy("Phone number changed")}
EVENTS_READ_MAX = 20


@check(CheckName.VELOCITY)
def velocity(request: Request) -> Finding:
    """Review many requests, or much money, within a day or a week."""
    brand, now = request.client.brand, timezone.now()
    asked = list(
        request.others.filter(requested_at__gte=now - dt.timedelta(days=7)).values_list("requested_at", flat=True)[:200]
    )
    day = sum(at >= now - dt.timedelta(days=1) for at in asked)
    for count, key, words in (
        (day, "withdrawal_requests_per_day", gettext_lazy("More than %(most)s requests within a day.")),
        (len(asked), "withdrawal_requests_per_week", gettext_lazy("More than %(most)s requests within a week.")),
    ):
        most = limit(brand, key)
        if count >= most:
            return review(str(words) % {"most": most})
    return _how_much(request) or passed(_("Other requests within a day: %(count)s.") % {"count": day})


def _how_much(request: Request) -> Finding | None:
    brand, now = request.client.brand, timezone.now()
    this = in_base(brand, from_minor(request.amount_minor, request.currency), request.currency)
    for days, key in ((1, "withdrawal_amount_per_day_minor"), (7, "withdrawal_amount_per_week_minor")):
        rows = Withdrawal.objects.filter(
            client=request.client, purpose=Purpose.WITHDRAWAL, requested_at__gte=now - dt.timedelta(days=days)
        ).exclude(state__in=CAME_BACK)
        if request.known:
            rows = rows.exclude(request_reference=request.known.request_reference)
        total = (rows.aggregate(total=Sum("base_amount"))["total"] or Decimal(0)) + this
        if exceeds(brand, total, key):
            words = {"total": formats.money(total, brand.base_currency), "days": days}
            return review(_("%(total)s within %(days)s days, above the brand's limit.") % words)
    return None


@check(CheckName.COOLING_OFF)
def cooling_off(request: Request) -> Finding:
    """Review a request soon after a new password, second factor, e-mail, phone or destination (account takeover)."""
    hours = limit(request.client.brand, "withdrawal_cooling_off_hours")
    since = timezone.now() - dt.timedelta(hours=hours)
    changes = _changes(request.client.pk, since)
    if changes:
        return review(_("%(what)s within the last %(hours)s hours.") % {"what": ", ".join(changes), "hours": hours})
    earlier = Withdrawal.objects.filter(client=request.client, way=WithdrawalRoute.PAYOUT, purpose=Purpose.WITHDRAWAL)
    known = earlier.filter(destination_hash=request.mark, requested_at__lt=since)
    if request.mark and earlier.exists() and not known.exists():
        return review(_("The destination is new or was changed within the last %(hours)s hours.") % {"hours": hours})
    return passed(_("No recent changes."))


def _changes(client_id: int, since: dt.datetime) -> list[str]:
    """List the labels of what was changed since a time, each once, the latest first."""
    events = AuditEvent.objects.filter(
        client_id=client_id, action__in=[*LOGIN_ACTIONS, *PROFILE_ACTIONS], at__gte=since
    ).order_by("-id")[:EVENTS_READ_MAX]
    labels: dict[str, None] = {}
    for event in events:
        if event.action in LOGIN_ACTIONS:
            labels[audit_codes.label_of(event.action)] = None
            continue
        body = audit.body_of(event)
        touched = {*(body.get("before") or {}), *(body.get("after") or {})}
        labels.update({str(words): None for field, words in CONTACTS.items() if field in touched})
    return list(labels)
