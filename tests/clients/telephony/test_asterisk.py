"""Asterisk: calls that we steer leg by leg, over real sockets, through lost, late and doubled events and broken connections."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.choices import CallOutcome
from clients.models import PhoneCall, PhoneEvent, PhoneRecording, TimelineEntry
from clients.telephony import calls, exchange_work, hearing, listening, recordings
from clients.telephony.adapters import adapter_of
from clients.telephony.asterisk import AsteriskAdapter
from clients.telephony.steering import look_at_all
from crm.connections.protocol import ServiceTemporary
from sandbox.phone import ari
from tests.brand_policies import set_policies
from tests.clients.telephony.conftest import CLIENT_NUMBER
from tests.clients.telephony.running import (
    AGENT_NUMBER,
    AROUND_THE_CLOCK,
    OUR_NUMBER,
    Callback,
    give_phone,
    make_due,
    make_exchange,
    post,
    work,
)

pytestmark = pytest.mark.django_db
KEYS = {"username": ari.USER, "password": ari.PASSWORD, "application": ari.APPLICATION, "trunk": ari.TRUNK}
DESCRIPTION = json.loads(Path("tests/data/asterisk_ari.json").read_text())


class Ear:
    """The listener's work in the test's own thread, over its real connection."""

    def __init__(self, exchange: Any, sandbox: Any) -> None:
        self.listener = listening.Listener(exchange)
        self.asterisk = sandbox.server.exchange.asterisk
        self.open()

    def open(self) -> None:
        self.socket = listening.open_socket(self.listener.adapter)

    def hear(self, count: int | None = None) -> None:
        """Take what comes until nothing has come for a while and no call is left, or `count` events."""
        silent = 0
        while silent < 2 and count != 0:
            try:
                self.listener.take(str(self.socket.recv(timeout=0.06)).encode())
            except TimeoutError:
                silent += not self.asterisk.channels
                continue
            silent, count = 0, None if count is None else count - 1
        hearing.process_due()


@pytest.fixture
def asterisk(cast, sandbox) -> Any:
    set_policies(cast.brand, calls_through_exchange=True, calls_are_recorded=True, **AROUND_THE_CLOCK)
    give_phone(cast.agent)
    cast.client.phone, cast.client.country, cast.client.owner = CLIENT_NUMBER, "DE", cast.agent
    cast.client.save()
    keys = {"sealed_credentials": listening.PhoneExchange.sealed(KEYS)}
    return make_exchange(cast.brand, sandbox.url, code="pbx", name="PBX", adapter="asterisk", **keys)


@pytest.fixture
def ear(asterisk, sandbox) -> Iterator[Ear]:
    ear = Ear(asterisk, sandbox)
    yield ear
    ear.socket.close()


def _start(cast) -> PhoneCall:
    return work(calls.start_call(client_id=cast.client.pk, actor=cast.agent))


def test_a_call_goes_from_click_to_the_timeline_and_its_recording(cast, sandbox, asterisk, ear, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path
    call = _start(cast)
    ear.hear()
    call.refresh_from_db()
    assert (call.state, call.end, call.leg_id) == ("ended", "completed", f"{call.reference}-1")
    assert [number for _id, number in ear.asterisk.dialled] == [AGENT_NUMBER, CLIENT_NUMBER]
    assert call.answered_at and call.ended_at >= call.answered_at and not ear.asterisk.bridges
    calls.log_outcome(call_id=call.pk, actor=cast.agent, outcome=CallOutcome.REACHED, notes="Wants MT5")
    assert TimelineEntry.objects.get(client=cast.client, kind="call").data["phone_call_id"] == call.pk
    assert recordings.keep_due() == 1 and PhoneRecording.objects.get(phone_call=call).state == "kept"
    _assert_as_described(ear.asterisk)


@pytest.mark.parametrize(
    ("plan", "state", "end"),
    [("busy", "missed", "busy"), ("no-answer", "missed", "no_answer"), ("failed", "failed", "failed")],
)
def test_who_is_not_reached_ends_the_agents_leg_too(cast, sandbox, asterisk, ear, plan, state, end):
    sandbox.plan(CLIENT_NUMBER, plan)
    call = _start(cast)
    ear.hear()
    call.refresh_from_db()
    assert (call.state, call.end, call.was_dialled) == (state, end, True)
    assert not ear.asterisk.channels and len(ear.asterisk.dialled) == 2


def test_an_agent_who_does_not_answer_keeps_the_client_unrung(cast, sandbox, asterisk, ear):
    sandbox.plan(AGENT_NUMBER, "no-answer")
    call = _start(cast)
    ear.hear()
    call.refresh_from_db()
    assert (call.state, call.was_dialled, len(ear.asterisk.dialled)) == ("missed", False, 1)


def test_events_twice_and_in_reverse_end_the_same_and_ring_once(cast, sandbox, asterisk, ear):
    sandbox.fault("duplicate", 1, times=None)
    call = _start(cast)
    ear.hear()
    call.refresh_from_db()
    assert (call.state, len(ear.asterisk.dialled)) == ("ended", 2)
    before = (call.ended_at, call.duration_seconds)
    rows = list(PhoneEvent.objects.order_by("-pk"))
    assert rows and {row.repeats for row in rows} == {1}
    for row in rows:
        ear.listener.take(row.body)
    hearing.process_due()
    call.refresh_from_db()
    assert (call.ended_at, call.duration_seconds, len(ear.asterisk.dialled)) == (*before, 2)


def test_a_lost_answer_to_placing_rings_nobody_twice(cast, sandbox, asterisk, ear):
    sandbox.fault("lose_answer")
    call = _start(cast)
    assert (call.state, call.leg_id) == ("unknown", "")
    ear.hear()
    call.refresh_from_db()
    assert (call.state, len(ear.asterisk.dialled)) == ("ended", 2)


def test_lost_events_are_made_up_for_by_looking(cast, sandbox, asterisk, ear):
    """Every event is lost: looking, as the listener does twice a minute, still brings the call to its end."""
    sandbox.server.exchange.pace.talk = 0.4
    sandbox.fault("drop", times=None)
    call = _start(cast)
    sandbox.wait(lambda: [one for one in ear.asterisk.channels.values() if one.is_in_stasis])
    look_at_all(asterisk, ear.listener.adapter, is_new_connection=False)
    sandbox.wait(lambda: len([one for one in ear.asterisk.channels.values() if one.is_in_stasis]) == 2)
    look_at_all(asterisk, ear.listener.adapter, is_new_connection=False)
    call = work(call)
    assert call.state == "answered" and set(next(iter(ear.asterisk.bridges.values()))) == set(ear.asterisk.channels)
    sandbox.wait(lambda: len(ear.asterisk.channels) == 1)
    look_at_all(asterisk, ear.listener.adapter, is_new_connection=True)
    assert not ear.asterisk.channels and len(ear.asterisk.dialled) == 2
    assert work(call).state == "ended"


def test_a_broken_connection_is_opened_again_and_the_call_goes_on(cast, sandbox, asterisk, ear):
    call = _start(cast)
    sandbox.fault("cut_socket")
    with pytest.raises(listening.ConnectionClosed):
        ear.hear()
    ear.open()
    look_at_all(asterisk, ear.listener.adapter, is_new_connection=True)
    ear.hear()
    work(call)
    call.refresh_from_db()
    assert call.state in ("ended", "missed") and not ear.asterisk.channels
    assert len([one for one in ear.asterisk.dialled if one[1] == CLIENT_NUMBER]) <= 1


def test_without_a_listener_no_call_is_placed(cast, sandbox, asterisk):
    adapter = AsteriskAdapter(asterisk)
    assert "events" in adapter.check_connection()
    call = _start(cast)
    assert call.state == "failed" and not sandbox.server.exchange.asterisk.dialled
    sandbox.fault("no_socket")
    with pytest.raises(ServiceTemporary, match="400"):
        listening.open_socket(adapter)


def test_hanging_up_ends_both_legs(cast, sandbox, asterisk, ear):
    sandbox.server.exchange.pace.talk = 30
    call = _start(cast)
    while len(ear.asterisk.dialled) < 2 or not next(iter(ear.asterisk.bridges.values()), []):
        ear.hear(1)
    calls.hang_up(call_id=call.pk, actor=cast.agent)
    exchange_work.hang_up(call.pk)
    ear.hear()
    call.refresh_from_db()
    assert call.state == "ended" and not ear.asterisk.channels


def test_an_incoming_call_rings_the_owner_who_answers(cast, sandbox, asterisk, ear):
    sandbox.server.exchange.asterisk.ring_in(from_=CLIENT_NUMBER, to=OUR_NUMBER)
    ear.hear()
    call = PhoneCall.objects.get()
    assert (call.client, call.agent, call.state) == (cast.client, cast.agent, "ended")
    assert [number for _id, number in ear.asterisk.dialled] == [AGENT_NUMBER] and not ear.asterisk.channels
    _assert_as_described(ear.asterisk)


def test_nobody_there_takes_a_message(cast, sandbox, asterisk, ear):
    sandbox.plan(AGENT_NUMBER, "busy")
    sandbox.server.exchange.asterisk.ring_in(from_=CLIENT_NUMBER, to=OUR_NUMBER)
    ear.hear()
    call = PhoneCall.objects.get()
    assert (call.state, call.has_voicemail) == ("voicemail", True) and not ear.asterisk.channels
    assert PhoneRecording.objects.get(phone_call=call).is_voicemail


def test_an_event_that_comes_by_http_is_refused(cast, sandbox, asterisk):
    assert post(Callback("/webhooks/phone/pbx/", {}, b'{"type": "StasisStart", "application": "keelson"}')) == 400
    assert PhoneEvent.objects.get().verdict == "no_signature"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"type": "StasisStart"}', b'{"type": "ChannelDestroyed", "channel": 3}']
)
def test_an_event_that_cannot_be_read_is_kept(cast, sandbox, asterisk, body):
    listening.Listener(asterisk).take(body)
    assert PhoneEvent.objects.get().verdict == "malformed"


def test_a_call_that_asterisk_forgot_is_not_called_answered(cast, sandbox, asterisk, ear):
    sandbox.fault("drop", times=None)
    sandbox.plan(AGENT_NUMBER, "busy")
    call = _start(cast)
    sandbox.wait(lambda: not ear.asterisk.channels)
    assert adapter_of(asterisk).look_up(call.leg_id) is None
    make_due(call)
    call = work(call)
    assert (call.state, call.problem) == ("failed", "The exchange has no such call.")


# ── Asterisk's own description ───────────────────────────────────────────────────────────────────────────────────────


def _assert_as_described(asterisk: Any) -> None:
    """Compare what was asked and sent with what Asterisk's repository publishes: no other path, parameter, type or field."""
    for method, path, query in asterisk.asked:
        names = [
            name
            for name in DESCRIPTION["operations"]
            if name.startswith(f"{method} ") and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name.split()[1]), path)
        ]
        # A fixed path is meant before one with a place for a name in it.
        operation = DESCRIPTION["operations"][min(names, key=lambda name: name.count("{"))]
        known = {name for name, (place, _kind, _needed) in operation.items() if place == "query"}
        needed = {name for name, (place, _kind, is_needed) in operation.items() if place == "query" and is_needed}
        assert needed <= set(query) <= known, (method, path, query)
    models = DESCRIPTION["models"]
    for event in asterisk.sent:
        assert event["type"] in models["Event"]["<"]
        _assert_model(event, {**models["Message"], **models["Event"], **models[event["type"]]}, event["type"])


def _assert_model(value: dict[str, Any], model: dict[str, Any], where: str) -> None:
    fields = {name: facts for name, facts in model.items() if name != "<"}
    needed = {name for name, facts in fields.items() if facts[1]}
    assert needed <= set(value) <= set(fields), where
    for name, held in value.items():
        kind, _is_needed, *allowed = fields[name]
        if isinstance(held, dict):
            _assert_model(held, DESCRIPTION["models"][kind], f"{where}.{name}")
        elif allowed:
            assert held in allowed[0], (where, name)
        else:
            expected = {"int": int, "long": int, "boolean": bool, "string": str, "Date": str}.get(kind, list)
            assert isinstance(held, expected), (where, name)


def test_every_request_of_the_adapter_is_described(cast, sandbox, asterisk, ear):
    """Those that a call doesn't need each time, too; the sandbox refuses none for being unknown."""
    adapter = ear.listener.adapter
    assert adapter.check_connection() == ""
    reference = "0" * 32
    adapter.indicate_ringing("x")
    adapter.pick_up("x")
    adapter.connect(reference, ["x"], is_recorded=True)
    assert adapter.has_bridge(reference) and not adapter.take_voicemail("x", reference)
    adapter.drop_bridge(reference)
    assert adapter.caller("x") is None and adapter.state_of("x") is None
    list(adapter._stored(reference, "x"))
    _assert_as_described(ear.asterisk)
    assert DESCRIPTION["version"] == "23.4.1"
