"""Somebody rings: their record opens on the owner's page, an unknown number is offered as a lead, a missed call is told."""

import pytest

from clients.choices import CallOutcome, IdentifierKind, SalesStatus
from clients.identifiers.keeping import learn
from clients.models import AgentPhone, Call, Client, PhoneCall
from clients.telephony import calls, hearing, incoming
from clients.telephony.queries import phone_calls_visible_to
from crm.errors import DomainError, NotAllowed
from crm.models import Notification
from tests.clients.telephony.conftest import CLIENT_NUMBER
from tests.clients.telephony.running import AGENT_NUMBER, send, work

pytestmark = pytest.mark.django_db
STRANGER = "+4915199999998"


@pytest.fixture
def known(cast, exchange) -> Client:
    """A client whose owner is the agent, and whose number is known."""
    learn(cast.client.pk, IdentifierKind.PHONE, CLIENT_NUMBER)
    Client.objects.filter(pk=cast.client.pk).update(owner=cast.agent)
    return Client.objects.get(pk=cast.client.pk)


@pytest.fixture
def pushed(monkeypatch) -> list[tuple[int, str, dict]]:
    """What was sent to open pages."""
    sent: list[tuple[int, str, dict]] = []
    monkeypatch.setattr(calls, "push_live", lambda user, *, event, data: sent.append((user, event, data)))
    return sent


def test_the_owners_phone_rings_and_the_record_opens(cast, sandbox, known, pushed):
    answer = sandbox.ring_in(CLIENT_NUMBER)
    assert answer["Content-Type"] == "text/xml" and AGENT_NUMBER in answer.content.decode()
    call = PhoneCall.objects.get()
    assert (call.client_id, call.agent_id, call.direction, call.state) == (
        known.pk,
        cast.agent.pk,
        "inbound",
        "ringing",
    )
    assert (cast.agent.pk, "dialog") in [(user, event) for user, event, _data in pushed]
    sandbox.deliver()
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.end) == ("ended", "completed")
    logged = calls.log_outcome(call_id=call.pk, actor=cast.agent, outcome=CallOutcome.REACHED)
    assert logged.direction == "inbound"


def test_the_same_call_asked_about_again_is_the_same_call(cast, sandbox, known):
    sandbox.ring_in(CLIENT_NUMBER)
    first = send(sandbox.received[0])
    again = send(sandbox.received[0])
    assert first.content == again.content and PhoneCall.objects.count() == 1


def test_a_missed_call_is_told_and_logged(cast, sandbox, known):
    sandbox.plan(AGENT_NUMBER, "no-answer")
    sandbox.ring_in(CLIENT_NUMBER)
    fresh = sandbox.fresh()
    for callback in fresh:
        if "RecordingSid" not in callback.fields:
            send(callback)
    hearing.process_due()
    call = PhoneCall.objects.get()
    assert (call.state, call.end) == ("missed", "no_answer")
    assert Notification.objects.get(user=cast.agent, kind="clients.call_missed").title == f"Missed call from {known}"
    for callback in fresh:
        send(callback)  # the voicemail is reported late
    hearing.process_due()
    call.refresh_from_db()
    assert call.state == "voicemail"
    work(call)
    assert Call.objects.get().outcome == "voicemail"


def test_an_unknown_number_rings_who_takes_such_calls_and_becomes_a_lead(cast, sandbox, exchange, pushed):
    AgentPhone.objects.filter(user=cast.agent).update(takes_unknown=True)
    sandbox.ring_in(STRANGER)
    call = PhoneCall.objects.get()
    assert (call.client, call.agent) == (None, None)
    assert [user for user, _event, _data in pushed] == [cast.agent.pk]
    assert phone_calls_visible_to(cast.agent).count() == 1
    assert not phone_calls_visible_to(cast.other_agent).exists()
    sandbox.deliver()
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.agent) == ("ended", cast.agent)
    with pytest.raises(DomainError):
        incoming.link_caller(call_id=call.pk, actor=cast.agent)
    learn(cast.client.pk, IdentifierKind.PHONE, STRANGER)
    with pytest.raises(NotAllowed):
        incoming.link_caller(call_id=call.pk, actor=cast.other_agent)
    call = incoming.link_caller(call_id=call.pk, actor=cast.agent)
    assert call.client_id == cast.client.pk and call.due_at is not None


def test_an_unknown_number_that_nobody_takes_goes_to_voicemail(cast, sandbox, exchange):
    answer = sandbox.ring_in(STRANGER)
    assert b"<Dial" not in answer.content and b"<Record" in answer.content
    sandbox.deliver()
    hearing.process_due()
    assert PhoneCall.objects.get().state == "voicemail"


def test_a_number_of_another_brand_is_unknown(cast, sandbox, exchange):
    learn(cast.client.pk, IdentifierKind.PHONE, STRANGER)
    assert incoming.client_of_number(cast.brand.pk, STRANGER).pk == cast.client.pk
    assert incoming.client_of_number(cast.other_brand.pk, STRANGER) is None


def test_a_withheld_number_is_nobodys(cast, sandbox, known):
    sandbox.ring_in("Anonymous")
    call = PhoneCall.objects.get()
    assert (call.number, call.client) == ("", None)


def test_a_lead_not_to_be_called_may_ring(cast, sandbox, known):
    Client.objects.filter(pk=known.pk).update(sales_status=SalesStatus.DO_NOT_CALL)
    sandbox.ring_in(CLIENT_NUMBER)
    assert PhoneCall.objects.get().client_id == known.pk
