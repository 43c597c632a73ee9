"""What is done with the legs of a call at an exchange that waits for each instruction (Asterisk).

Every step looks at what is there now and does what follows from it, under names that the exchange takes once: so an event that
comes twice, late or never changes nothing that looking again wouldn't mend. The one thing that must not be done twice, ringing the
client, is written down before it is asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone

from clients.models import PhoneCall, PhoneExchange
from clients.telephony import calls
from clients.telephony.asterisk import OUR_LEG, OUR_RECORDING, RECORDING_ENDS, UP, AsteriskAdapter, leg_name
from clients.telephony.choices import LIVE, LegEnd, PhoneState
from clients.telephony.incoming import take_call
from clients.telephony.protocol import IncomingCall, LegReport, Step
from crm.connections.http import watched
from crm.connections.protocol import ServiceRefused, ServiceUnknown
from crm.db.locking import lock
from crm.errors import OutsideWorldError

log = logging.getLogger(__name__)
CALLS_MAX: Final = 1_000
# A call's own channels, by name, each with its state.
Legs = Mapping[str, str]


def follow_event(exchange: PhoneExchange, adapter: AsteriskAdapter, body: bytes) -> None:
    """Do what an accepted event calls for. Raises: as requests to the exchange."""
    caller = adapter.incoming(body)
    if caller is not None:
        take_caller(exchange, adapter, caller)
        return
    event = json.loads(body)
    is_recording = event["type"] in RECORDING_ENDS
    name = event["recording"]["name"] if is_recording else event["channel"]["id"]
    match = (OUR_RECORDING if is_recording else OUR_LEG).fullmatch(name)
    rows = PhoneCall.objects.filter(exchange=exchange)
    call = (rows.filter(reference=match[1]) if match else rows.filter(leg_id=name)).first()
    if call is not None:
        steer(call, adapter)


def take_caller(exchange: PhoneExchange, adapter: AsteriskAdapter, caller: IncomingCall) -> None:
    """Ring the phones that an incoming call goes to; one that is known already is only looked at."""
    known = PhoneCall.objects.filter(exchange=exchange, leg_id=caller.leg_id).first()
    if known is not None:
        steer(known, adapter)
        return
    routing = take_call(exchange, caller)
    adapter.indicate_ringing(caller.leg_id)
    for number, address in enumerate(routing.addresses, start=2):
        try:
            name = leg_name(routing.reference, number)
            adapter.dial(name, address, caller_id=caller.number, originator=caller.leg_id)
        except OutsideWorldError as error:  # the other phones still ring
            log.warning("%s: a phone wasn't rung: %s", exchange, error.message)
    steer(PhoneCall.objects.get(reference=routing.reference), adapter)


def steer(call: PhoneCall, adapter: AsteriskAdapter) -> None:
    """Bring a call's channels to where they should be."""
    first = call.leg_id or leg_name(call.reference, 1)
    mine = [name for name in adapter.channel_ids() or [] if name.startswith(f"{call.reference}-")]
    states = {name: adapter.state_of(name) for name in [first, *sorted(set(mine) - {first})]}
    legs = {name: state for name, state in states.items() if state is not None}
    if first not in legs:
        _end(call, adapter, legs)
    elif call.is_outbound:
        _steer_outgoing(call, adapter, first, legs)
    else:
        _steer_incoming(call, adapter, first, legs)


def _end(call: PhoneCall, adapter: AsteriskAdapter, legs: Legs) -> None:
    for name in legs:
        adapter.hang_up(name)
    adapter.drop_bridge(call.reference)


def _steer_outgoing(call: PhoneCall, adapter: AsteriskAdapter, first: str, legs: Legs) -> None:
    """Once the agent is there the client is rung, once; who answers is connected; who is left alone is hung up."""
    if legs[first] != UP:
        return
    second = leg_name(call.reference, 2)
    if second in legs:
        if legs[second] == UP:
            adapter.connect(call.reference, [first, second], is_recorded=call.is_recorded)
    elif _mark_dialled(call.pk):
        _ring_client(call, adapter, first, second)
    else:
        adapter.hang_up(first)


def _ring_client(call: PhoneCall, adapter: AsteriskAdapter, first: str, second: str) -> None:
    try:
        adapter.dial(second, call.number, caller_id=adapter.exchange.caller_number, originator=first)
    except (ServiceRefused, ServiceUnknown) as error:
        log.warning("%s: a client wasn't rung: %s", adapter.exchange, error.message)
        if isinstance(error, ServiceUnknown) and adapter.state_of(second) is not None:
            return  # its answer was lost, and it rings
        with transaction.atomic():
            report = LegReport(second, Step.ENDED, timezone.now(), first, LegEnd.FAILED)
            calls.apply_reports(lock(PhoneCall, call.pk, "client__brand", "exchange"), [report])
        adapter.hang_up(first)


@transaction.atomic
def _mark_dialled(call_id: int) -> bool:
    """Write down that the client is being rung; False where they were, or the call is over for us."""
    call = lock(PhoneCall, call_id)
    if call.was_dialled or call.state not in LIVE:
        return False
    call.was_dialled = True
    call.save(update_fields=["was_dialled"])
    return True


def _steer_incoming(call: PhoneCall, adapter: AsteriskAdapter, first: str, legs: Legs) -> None:
    """Connect the phone that answers first; without any left, take a message."""
    agents = [name for name in legs if name != first]
    answered = [name for name in agents if legs[name] == UP]
    if answered:
        adapter.pick_up(first)
        adapter.connect(call.reference, [first, answered[0]], is_recorded=call.is_recorded)
        for name in agents:
            if name != answered[0]:
                adapter.hang_up(name)
    elif not agents:
        _after_agents(call, adapter, first)


def _after_agents(call: PhoneCall, adapter: AsteriskAdapter, first: str) -> None:
    if adapter.has_bridge(call.reference):  # they have talked
        adapter.hang_up(first)
        return
    adapter.pick_up(first)
    if not adapter.take_voicemail(first, call.reference):
        adapter.hang_up(first)


def look_at_all(exchange: PhoneExchange, adapter: AsteriskAdapter, *, is_new_connection: bool) -> None:
    """Look at every call that is there, as after events that were lost. is_new_connection: their ends may be lost too."""
    with watched(exchange):
        names = adapter.channel_ids() or []
    rows = PhoneCall.objects.filter(exchange=exchange)
    live = rows.filter(state__in=LIVE).exclude(state=PhoneState.REQUESTED)
    if is_new_connection:
        live.update(due_at=timezone.now())
    references = {match[1] for name in names if (match := OUR_LEG.fullmatch(name))}
    known = {*live.values_list("pk", flat=True)[:CALLS_MAX], *_by_reference(exchange, references)}
    for call in rows.filter(pk__in=known).order_by("pk"):
        steer(call, adapter)
    callers = [name for name in names if not OUR_LEG.fullmatch(name)]
    taken = set(rows.filter(leg_id__in=callers).values_list("leg_id", flat=True))
    for name in callers:
        if name not in taken and (found := adapter.caller(name)) is not None:
            take_caller(exchange, adapter, found)


def _by_reference(exchange: PhoneExchange, references: set[str]) -> Sequence[int]:
    rows = PhoneCall.objects.filter(exchange=exchange, reference__in=references)
    return list(rows.values_list("pk", flat=True)[:CALLS_MAX])
