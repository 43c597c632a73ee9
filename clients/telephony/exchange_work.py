"""What workers do with calls: place one, look up what became of one, end one, and log one whose agent entered nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import PhoneCall
from clients.telephony import calls
from clients.telephony.adapters import adapter_of
from clients.telephony.choices import ENDS, PhoneState
from clients.telephony.protocol import Report
from crm.connections.http import watched
from crm.connections.protocol import ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.db.locking import lock, lock_or_none
from crm.errors import OutsideWorldError

BACK_OFF_SECONDS: Final = (15, 30, 60, 300, 900, 3_600)
# By then a call that was asked for is in the exchange's list, or it never arrived there.
NOT_THERE_AFTER: Final = dt.timedelta(minutes=2)
ATTEMPTS_MAX: Final = 60
CLAIMED: Final = dt.timedelta(minutes=2)
BATCH: Final = 100


def work_due(*, limit: int = BATCH) -> int:
    """Work on calls that are due, the oldest first; returns how many were."""
    due = PhoneCall.objects.filter(due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(work_on(pk) for pk in ids)


def work_on(call_id: int) -> bool:
    """Do what is due for a call; False where nothing is, or another worker does it."""
    state = _claim(call_id)
    if state is None:
        return False
    if state == PhoneState.REQUESTED:
        _place(call_id)
    elif state in ENDS:
        calls.log_without_agent(call_id)
    else:
        _look_up(call_id)
    return True


@transaction.atomic
def _claim(call_id: int) -> str | None:
    """Take a call that is due. One to place counts as sent from now on: if this process dies, it is looked up."""
    now = timezone.now()
    call = lock_or_none(PhoneCall.objects.filter(due_at__lte=now), call_id)
    if call is None:
        return None
    state = call.state
    if state == PhoneState.REQUESTED:
        call.move_to(PhoneState.SENT)
        call.sent_at = now
    if state not in ENDS:
        call.due_at = now + CLAIMED
        call.save(update_fields=["state", "sent_at", "due_at"])
    return state


def _read(call_id: int) -> PhoneCall:
    return PhoneCall.objects.select_related("exchange", "client__brand").get(pk=call_id)


def _place(call_id: int) -> None:
    call = _read(call_id)
    try:
        with watched(call.exchange):
            leg_id = adapter_of(call.exchange).place(calls.order_of(call))
    except (ServiceRefused, ServiceTemporary) as error:  # nothing was done
        _close(call_id, error.message)
    except ServiceUnknown as error:
        _leave_open(call_id, error.message)
    else:
        with transaction.atomic():
            calls.join(lock(PhoneCall, call_id), leg_id)


@transaction.atomic
def _close(call_id: int, problem: str) -> None:
    call = lock(PhoneCall, call_id)
    if call.is_live:
        calls.close(call, PhoneState.FAILED, problem)


@transaction.atomic
def _leave_open(call_id: int, problem: str) -> None:
    """Keep a call whose outcome isn't known, to be looked up; reports of it may have come meanwhile."""
    call = lock(PhoneCall, call_id)
    if not call.is_live:
        return
    if call.state == PhoneState.SENT:
        call.move_to(PhoneState.UNKNOWN)
    wait = BACK_OFF_SECONDS[min(call.attempts, len(BACK_OFF_SECONDS) - 1)]
    call.attempts, call.problem = call.attempts + 1, problem[:300]
    call.due_at = timezone.now() + dt.timedelta(seconds=wait) if call.attempts < ATTEMPTS_MAX else None
    call.save(update_fields=["state", "attempts", "problem", "due_at"])
    calls.show_live(call)


def _look_up(call_id: int) -> None:
    """Ask the exchange what became of a call."""
    call = _read(call_id)
    try:
        with watched(call.exchange):
            leg_id = call.leg_id or _find(call)
            known = list(call.legs.values_list("leg_id", flat=True))
            reports = adapter_of(call.exchange).look_up(leg_id, legs=known) if leg_id else None
    except OutsideWorldError as error:
        _leave_open(call_id, error.message)
        return
    if reports is not None:
        _apply(call_id, leg_id, reports)
    elif call.leg_id or timezone.now() > (call.sent_at or call.requested_at) + NOT_THERE_AFTER:
        _close(call_id, _("The exchange has no such call."))
    else:
        _leave_open(call_id, _("The exchange doesn't list the call yet."))


def _find(call: PhoneCall) -> str:
    """Find a call whose answer was lost; "" where the exchange lists none, or more than one that it may be."""
    since = (call.sent_at or call.requested_at).replace(microsecond=0)
    others = PhoneCall.objects.filter(exchange=call.exchange_id, requested_at__gte=since).exclude(leg_id="")
    known = list(others.values_list("leg_id", flat=True)[:1_000])
    candidates = adapter_of(call.exchange).find(calls.order_of(call), since=since, known=known)
    if len(candidates) > 1:
        raise ServiceUnknown(_("The exchange lists several calls that this may be."))
    return candidates[0] if candidates else ""


@transaction.atomic
def _apply(call_id: int, leg_id: str, reports: Sequence[Report]) -> None:
    call = lock(PhoneCall, call_id)
    if call.is_live:
        calls.join(call, leg_id)
        calls.apply_reports(call, reports, is_whole=True)


def hang_up(call_id: int) -> None:
    """Have the exchange end a call, then ask for its state."""
    call = _read(call_id)
    if not call.is_live:
        return
    try:
        with watched(call.exchange):
            leg_id = call.leg_id or _find(call)
            if leg_id:
                adapter_of(call.exchange).hang_up(leg_id)
    except OutsideWorldError as error:
        _leave_open(call_id, error.message)
        return
    with transaction.atomic():
        call = lock(PhoneCall, call_id)
        if call.is_live:
            call.due_at = timezone.now() + calls.LOOK_UP_ENDED
            call.save(update_fields=["due_at"])
