"""Webhooks of an exchange: stored before they are judged, believed by their signature only, harmless in any order."""

import datetime as dt

import pytest
from django.utils import timezone

from clients.models import PhoneCall, PhoneEvent
from clients.telephony import calls, hearing
from crm.connections import webhooks
from crm.errors import NotAllowed, WrongState
from tests.clients.telephony.running import Callback, make_due, post, work

pytestmark = pytest.mark.django_db


def _start(cast) -> PhoneCall:
    return calls.start_call(client_id=cast.client.pk, actor=cast.agent)


def test_messages_in_reverse_and_twice_end_the_same(cast, sandbox, exchange):
    call = work(_start(cast))
    fresh = sandbox.fresh()
    assert {post(callback) for callback in [*reversed(fresh), *fresh]} == {200}
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.end) == ("ended", "completed")
    assert PhoneEvent.objects.count() == len(fresh) and set(PhoneEvent.objects.values_list("repeats", flat=True)) == {1}
    assert call.legs.count() == 2


def test_a_message_before_its_call_waits_for_it(cast, sandbox, exchange):
    call = work(_start(cast))
    fresh = sandbox.fresh()
    reference, leg_id = call.reference, call.leg_id
    PhoneCall.objects.filter(pk=call.pk).update(reference="0" * 32, leg_id="", state="unknown")
    assert {post(callback) for callback in fresh} == {200}
    hearing.process_due()
    assert set(PhoneEvent.objects.values_list("state", flat=True)) == {"waiting"}
    PhoneCall.objects.filter(pk=call.pk).update(reference=reference)
    PhoneEvent.objects.update(due_at=timezone.now())
    hearing.process_due()
    call.refresh_from_db()
    assert (call.state, call.leg_id) == ("ended", leg_id)
    assert set(PhoneEvent.objects.values_list("state", flat=True)) == {"done"}


def test_a_message_about_nobodys_call_is_kept_and_can_be_retried(cast, sandbox, exchange):
    call = work(_start(cast))
    callback = sandbox.fresh()[0]
    call.legs.all().delete()
    PhoneCall.objects.filter(pk=call.pk).update(reference="0" * 32, leg_id="")
    post(callback)
    for _ in range(len(hearing.WAITS_SECONDS) + 1):
        PhoneEvent.objects.update(due_at=timezone.now())
        hearing.process_due()
    event = PhoneEvent.objects.get()
    assert (event.state, event.outcome) == ("unmatched", "None of our calls is meant by this message")
    with pytest.raises(NotAllowed):
        hearing.retry_event(event_id=event.pk, actor=cast.agent)
    hearing.retry_event(event_id=event.pk, actor=cast.mlro)
    with pytest.raises(WrongState):
        hearing.retry_event(event_id=event.pk, actor=cast.mlro)


def test_what_is_not_signed_right_is_refused_and_changes_nothing(cast, sandbox, exchange):
    sandbox.fault("forge", times=None)
    call = work(_start(cast))
    fresh = sandbox.fresh()
    assert {post(callback) for callback in fresh} == {400}
    genuine = fresh[0]
    genuine.headers.pop("x-twilio-signature")
    assert post(genuine) == 400
    hearing.process_due()
    call.refresh_from_db()
    assert call.state == "sent"
    assert set(PhoneEvent.objects.values_list("verdict", flat=True)) == {"wrong_signature", "no_signature"}
    for _ in range(webhooks.REFUSED_KEPT_A_DAY + 2):
        post(genuine)
    assert PhoneEvent.objects.count() == webhooks.REFUSED_KEPT_A_DAY


def test_a_signature_holds_for_its_own_address_and_parameters_only(cast, sandbox, exchange):
    work(_start(cast))
    callback = sandbox.fresh()[-1]
    callback.body = callback.body.replace(b"completed", b"busy")
    assert post(callback) == 400
    callback.body = callback.body.replace(b"busy", b"completed")
    path = callback.path
    callback.path = path.replace(path.split("/")[-2], "f" * 32)
    assert post(callback) == 400
    callback.path = path
    assert post(callback) == 200


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"&" * 5_000, b"CallSid=CA1", b"=" * 10])
def test_garbage_is_refused(cast, sandbox, exchange, body):

    assert post(Callback("/webhooks/phone/twilio/", {"x-twilio-signature": "AAAA"}, body)) == 400


def test_an_unknown_exchange_is_not_found_and_a_huge_body_refused(cast, sandbox, exchange):

    assert post(Callback("/webhooks/phone/nobody/", {}, b"a=b")) == 404
    huge = Callback("/webhooks/phone/twilio/", {}, b"a" * (webhooks.BODY_BYTES_MAX + 1))
    assert post(huge) == 413


def test_a_late_report_after_a_look_up_changes_nothing(cast, sandbox, exchange):
    call = work(_start(cast))
    fresh = sandbox.fresh()
    make_due(call)
    call = work(call)
    assert call.state == "ended"
    before = (call.ended_at, call.duration_seconds, call.due_at)
    for callback in fresh:
        post(callback)
    hearing.process_due()
    call.refresh_from_db()
    assert call.state == "ended" and call.ended_at - before[0] < dt.timedelta(seconds=2)
    assert (call.duration_seconds, call.due_at) == before[1:]
