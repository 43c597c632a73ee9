"""Calls through an exchange: placing one, what is reported of it, and how it ends up on the client's record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.brand_policies import CALL_OUTCOME_MINUTES, CALLS_ARE_RECORDED
from clients.calls import CallDetails, FollowUp, record_call, set_follow_up
from clients.canonical import canonical_phone
from clients.choices import CallDirection, CallOutcome, ClientsNotice
from clients.models import AgentPhone, Call, Client, PhoneCall, PhoneEvent, PhoneExchange, PhoneLeg
from clients.policies import can
from clients.telephony import do_not_call, hours, policies
from clients.telephony.choices import ENDS, LIVE, UNANSWERED_OUTCOMES, PhoneState, outcome_by_exchange
from clients.telephony.legs import Standing, note_report, standing_of
from clients.telephony.own_phones import require_allowed
from clients.telephony.protocol import CallOrder, RecordingReport, Report, Step
from clients.telephony.recordings import note_recording
from crm.connections.choices import WebhookState
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.notify import notify, push_live
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require

WORK: Final = "clients.work_on_phone_call"
LIVE_EVENT: Final = "phone"
# A report may be lost: after so long without one the exchange is asked.
LOOK_UP_RINGING: Final = dt.timedelta(minutes=2)
LOOK_UP_TALKING: Final = dt.timedelta(minutes=15)
LOOK_UP_ENDED: Final = dt.timedelta(seconds=20)


# ── placing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def start_call(*, client_id: int, actor: User) -> PhoneCall:
    """Ring the agent's phone, then the client: placed by a worker once this is committed.

    Who: `clients.log_call` in reach, at a brand that calls through its exchange. Raises: NotAllowed; DomainError without an
    exchange, a phone of the agent's or a valid number; WrongState while the agent is on another call.
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_call(actor, client))
    exchange = PhoneExchange.objects.filter(brand=client.brand_id, is_enabled=True).first()
    if exchange is None:
        raise DomainError(_("No phone exchange is in use at this brand."))
    phone = AgentPhone.objects.filter(user=actor).first()
    if phone is None:
        raise DomainError(_("Enter the phone that you want to be called on."), code="no_phone")
    require_allowed(phone.address, client.brand)
    number = canonical_phone(client.phone, client.country)
    if not number:
        raise DomainError(_("The number on this record isn't a valid phone number."))
    require_callable(client)
    if live_call_of(actor) is not None:
        raise WrongState(_("You're already on a call. End it first."))
    now = timezone.now()
    call = PhoneCall.objects.create(
        exchange=exchange,
        client=client,
        agent=actor,
        direction=CallDirection.OUTBOUND,
        sealed_number=PhoneCall.sealed(number),
        agent_address=phone.address,
        is_recorded=CALLS_ARE_RECORDED.of(client.brand),
        requested_at=now,
        due_at=now,
    )
    _audit(call, ClientsAction.PHONE_CALL_PLACED, actor, {"exchange": exchange.code, "is_recorded": call.is_recorded})
    enqueue_on_commit(WORK, call.pk)
    return call


def require_callable(client: Client) -> None:
    """Refuse to call who must not be called, or not at this hour. Raises: DomainError, which says until when."""
    mark = do_not_call.mark_of(client)
    if mark is not None:
        raise DomainError(
            _("This client must not be called: %(reason)s (%(person)s, %(day)s).")
            % {"reason": mark.get_reason_display(), "person": mark.set_by, "day": formats.day(mark.set_at)}
        )
    at = hours.allowed_from(client)
    if at is not None:
        raise DomainError(
            _("It's outside calling hours where this client lives. Call from %(time)s on %(day)s, local time.")
            % {"time": at.strftime("%H:%M"), "day": formats.day(at.date())}
        )


def live_call_of(agent: User) -> PhoneCall | None:
    """Find the outgoing call that an agent is on."""
    rows = PhoneCall.objects.filter(agent=agent, state__in=LIVE, direction=CallDirection.OUTBOUND)
    return rows.select_related("client", "exchange").first()


def order_of(call: PhoneCall) -> CallOrder:
    """Write a call as an exchange is asked for it."""
    return CallOrder(call.reference, call.agent_address, call.number, call.is_recorded)


@transaction.atomic
def hang_up(*, call_id: int, actor: User) -> PhoneCall:
    """End a live call. The exchange is asked by a worker; that it has ended is only said once it reports so.

    Who: the agent whose call it is. Raises: NotAllowed, WrongState.
    """
    call = lock(PhoneCall, call_id, "client")
    require(policies.is_own(actor, call))
    if not call.is_live:
        raise WrongState(_("This call has already ended."))
    _audit(call, ClientsAction.PHONE_CALL_HUNG_UP, actor, {"state": call.state})
    if call.state == PhoneState.REQUESTED:
        close(call, PhoneState.FAILED, _("Cancelled before it was placed."))
    else:
        enqueue_on_commit("clients.hang_up_phone_call", call.pk)
    return call


# ── what is reported ─────────────────────────────────────────────────────────────────────────────────────────────────


def join(call: PhoneCall, leg_id: str) -> None:
    """Note the exchange's id of a call's first leg; reports that came before it are read now. The caller holds the lock."""
    if call.leg_id or not leg_id:
        return
    call.leg_id, call.problem = leg_id, ""
    call.save(update_fields=["leg_id", "problem"])
    waiting = PhoneEvent.objects.filter(connection=call.exchange_id, state=WebhookState.WAITING)
    if waiting.filter(subject_id=leg_id).update(due_at=timezone.now()):
        enqueue_on_commit("clients.process_phone_events")


def apply_reports(call: PhoneCall, reports: Iterable[Report], *, is_whole: bool = False) -> bool:
    """Follow reports about a call whose lock the caller holds; returns whether any was new.

    is_whole: all that the exchange knows of the call.
    """
    legs = {leg.leg_id: leg for leg in call.legs.all()}
    is_new = False
    for report in reports:
        if isinstance(report, RecordingReport):
            is_new |= _note_recording(call, report)
            continue
        if not call.leg_id:
            join(call, report.parent_id or report.leg_id)
        leg = legs.get(report.leg_id)
        if leg is None:
            is_first = report.leg_id == call.leg_id
            leg = legs[report.leg_id] = PhoneLeg(phone_call=call, leg_id=report.leg_id, is_first=is_first)
        if note_report(leg, report):
            leg.save()
            is_new = True
        if report.step == Step.ANSWERED and call.agent_id is None and not leg.is_first:
            call.agent = _who_answers(report.address)
    _follow(call, standing_of(call, list(legs.values()), is_whole=is_whole))
    return is_new


def _who_answers(address: str) -> User | None:
    """Find whose phone it is that an incoming call was answered on."""
    phone = AgentPhone.objects.filter(address=address).select_related("user").first() if address else None
    return phone.user if phone is not None else None


def _note_recording(call: PhoneCall, report: RecordingReport) -> bool:
    call.has_voicemail |= report.is_voicemail
    return note_recording(call, report)


def _follow(call: PhoneCall, standing: Standing) -> None:
    """Bring a call to where its legs stand."""
    now, before = timezone.now(), call.state
    if before in ENDS and standing.state not in (None, before) and not call.can_move_to(standing.state or ""):
        return  # a report that comes after the end changes nothing
    call.was_dialled |= standing.was_dialled
    call.answered_at = standing.answered_at or call.answered_at
    if standing.state is not None and standing.state != before:
        call.move_to(standing.state)
    if call.state in ENDS:
        call.ended_at = call.ended_at or max(standing.ended_at or now, call.answered_at or now)
        call.end, call.duration_seconds = standing.end or call.end, standing.seconds or call.duration_seconds
        if before not in ENDS:
            call.due_at = _outcome_due(call, now)
    else:
        wait = LOOK_UP_TALKING if call.state in (PhoneState.ANSWERED, PhoneState.HELD) else LOOK_UP_RINGING
        call.due_at = now + (LOOK_UP_ENDED if standing.must_look_up else wait)
    call.problem, call.attempts = "", 0
    call.save()
    if call.state != before:
        show_live(call)
        if call.state in ENDS:
            _after_end(call)


def _after_end(call: PhoneCall) -> None:
    """Ask the agent for the outcome, and tell the owner of a call that they missed."""
    if not call.is_outbound and call.state in (PhoneState.MISSED, PhoneState.VOICEMAIL):
        _notify_missed(call)
    elif call.agent_id is not None and call.was_dialled:
        show_dialog(call.agent_id, call)


def _notify_missed(call: PhoneCall) -> None:
    client = call.client
    if client is None or client.owner_id is None:
        return
    title = phrase("Voicemail from %(client)s") if call.has_voicemail else phrase("Missed call from %(client)s")
    notify(
        [client.owner_id],
        kind=ClientsNotice.CALL_MISSED,
        title=title % {"client": str(client)},
        url=client.get_absolute_url(),
        dedupe_key=f"clients.call_missed:{call.pk}:{call.state}",
    )


def _outcome_due(call: PhoneCall, now: dt.datetime) -> dt.datetime | None:
    """When a call is logged without the agent; a client who was never rung wasn't contacted."""
    if call.client is None or not _was_contact(call):
        return None
    return now + dt.timedelta(minutes=CALL_OUTCOME_MINUTES.of(call.client.brand))


def _was_contact(call: PhoneCall) -> bool:
    return call.agent_id is not None and call.was_dialled and call.state != PhoneState.FAILED


def close(call: PhoneCall, state: PhoneState, problem: str) -> None:
    """End a call of which nothing more will be reported. The caller holds the lock."""
    call.move_to(state)
    call.ended_at, call.due_at, call.problem = timezone.now(), None, problem[:300]
    call.save()
    show_live(call)


def show_live(call: PhoneCall) -> None:
    """Tell the agent's open pages that a call of theirs moved."""
    if call.agent_id is not None:
        push_live(call.agent_id, event=LIVE_EVENT, data={"id": call.pk, "state": call.state})


def show_dialog(user_id: int, call: PhoneCall) -> None:
    """Open a call's dialog on somebody's page, where no other dialog is open."""
    title = str(call.client) if call.client is not None else _("Incoming call")
    data: dict[str, object] = {"url": f"/phone/calls/{call.pk}/", "key": f"phone:{call.pk}", "title": title}
    push_live(user_id, event="dialog", data=data)


# ── the outcome ──────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def log_outcome(
    *, call_id: int, actor: User, outcome: CallOutcome, notes: str = "", follow_up: FollowUp | None = None
) -> Call:
    """Enter the outcome of a call that has ended. Its times and length are the exchange's.

    Who: the agent whose call it was, with `clients.log_call` in reach. Raises: NotAllowed; WrongState while it lasts, or once it
    is logged; DomainError for an outcome that can't be.
    """
    client_id = PhoneCall.objects.values_list("client_id", flat=True).get(pk=call_id)
    client = lock(Client, client_id, "brand") if client_id is not None else None
    call = lock(PhoneCall, call_id)
    require(policies.is_own(actor, call))
    if client is None:
        raise WrongState(_("This call isn't linked to a client."))
    require(can(actor, client, policies.CALLS))
    if call.state not in ENDS or call.call_id is not None:
        raise WrongState(_("The outcome can be entered once, after the call has ended."))
    if call.state != PhoneState.ENDED and outcome not in UNANSWERED_OUTCOMES:
        raise DomainError(_("The call wasn't answered. Choose another outcome."))
    logged = _log(call, client, outcome, notes, actor)
    set_follow_up(client, actor, follow_up)
    return logged


@transaction.atomic
def log_without_agent(call_id: int) -> Call | None:
    """Log a call whose agent entered nothing in time, with what the exchange reports; None where that isn't due."""
    client_id = PhoneCall.objects.values_list("client_id", flat=True).get(pk=call_id)
    if client_id is None:
        return None
    client = lock(Client, client_id, "brand")
    call = lock(PhoneCall, call_id, "agent")
    is_due = call.due_at is not None and call.due_at <= timezone.now()
    if call.state not in ENDS or call.call_id is not None or not is_due or not _was_contact(call):
        return None
    return _log(call, client, outcome_by_exchange(call.state, call.end), "", None)


def _log(call: PhoneCall, client: Client, outcome: CallOutcome, notes: str, actor: User | None) -> Call:
    agent = call.agent
    assert agent is not None
    details = CallDetails(
        outcome, call.duration_seconds, notes, CallDirection(call.direction), call.answered_at or call.requested_at
    )
    call.call = record_call(
        client=client,
        agent=agent,
        details=details,
        actor=actor,
        data={"phone_call_id": call.pk},
        url=f"/phone/calls/{call.pk}/",
    )
    call.due_at = None
    call.save(update_fields=["call", "due_at"])
    show_live(call)
    return call.call


def note_client(call: PhoneCall, actor: User) -> None:
    """Save whom a call is with, which a person has found out; once it has ended its outcome is due."""
    if call.state in ENDS:
        call.due_at = _outcome_due(call, timezone.now())
    call.save(update_fields=["client", "due_at"])
    _audit(call, ClientsAction.PHONE_CALL_LINKED, actor, {"client": call.client_id})


def _audit(call: PhoneCall, action: ClientsAction, actor: User | None, after: dict[str, object]) -> None:
    audit.record(
        actor=actor, action=action, target=call, client_id=call.client_id, brand_id=call.exchange.brand_id, after=after
    )


def legs_of(call: PhoneCall) -> Sequence[PhoneLeg]:
    """List the legs of a call, the first one first."""
    return sorted(call.legs.all(), key=lambda leg: (not leg.is_first, leg.pk))
