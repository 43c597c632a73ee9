"""Our messages: sent once whatever the service answers, followed in any order, and never to who opted out."""

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from clients.models import Client, TextEvent, TextMessage, TextOptOut, TextThread, TimelineEntry
from clients.telephony import do_not_call
from clients.telephony.choices import DoNotCallReason
from clients.texting import hearing, writing
from clients.texting.choices import TextChannel
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from tests.brand_policies import set_policies
from tests.clients.texting.running import CLIENT_NUMBER, deliver, reports, work, write_in

pytestmark = pytest.mark.django_db
SMS, WHATSAPP = TextChannel.SMS, TextChannel.WHATSAPP


def send(cast, message="Your documents are here.", channel=SMS, **fields) -> TextMessage:
    [row] = writing.send_text(client_id=cast.client.pk, actor=cast.agent, channel=channel, message=message, **fields)
    return row


def test_a_message_is_sealed_sent_and_delivered(cast, sandbox, service):
    row = send(cast)
    assert (row.state, row.segments) == ("queued", 1) and row.opened == "Your documents are here."
    assert b"documents" not in bytes(row.for_client) and row.sealed is None
    assert row.thread.opened == CLIENT_NUMBER and CLIENT_NUMBER.encode() not in bytes(row.thread.for_client)
    assert TimelineEntry.objects.get(dedupe_key=f"text:{row.pk}").kind == "text"
    row = work(row)
    assert (row.state, bool(row.remote_id)) == ("sent", True)
    fresh = reports(sandbox, 3)
    assert deliver([*reversed(fresh), *fresh]) == {200}
    row.refresh_from_db()
    assert (row.state, row.due_at, row.problem) == ("delivered", None, "")
    assert set(TextEvent.objects.values_list("state", "repeats")) == {("done", 1)}
    assert AuditEvent.objects.filter(action="clients.text_sent").count() == 1
    assert len(sandbox.server.exchange.texts.rows) == 1


def test_a_lost_answer_is_looked_up_and_never_sent_twice(cast, sandbox, service):
    sandbox.fault("lose_answer")
    sandbox.fault("drop", times=None)
    row = work(send(cast))
    assert row.state == "unknown"
    row = work(row)
    assert row.state in ("sent", "delivered") and len(sandbox.server.exchange.texts.rows) == 1
    sandbox.wait(lambda: all(one.status == "delivered" for one in sandbox.server.exchange.texts.rows.values()))
    work(row)
    row.refresh_from_db()
    assert row.state == "delivered"


def test_one_that_never_arrived_fails_and_is_not_sent_again(cast, sandbox, service):
    sandbox.fault("reset")
    row = work(send(cast))
    assert row.state == "unknown"
    assert work(row).state == "unknown"
    TextMessage.objects.filter(pk=row.pk).update(sent_at=timezone.now() - dt.timedelta(minutes=6))
    row = work(row)
    assert (row.state, sandbox.server.exchange.texts.rows) == ("failed", {}) and "wasn't sent" in row.problem
    assert Notification.objects.filter(user=cast.agent, kind="clients.text_failed").exists()


def test_what_was_not_taken_is_tried_later(cast, sandbox, service):
    sandbox.fault("rate_limit", 90)
    row = work(send(cast))
    assert (row.state, row.attempts) == ("queued", 1) and row.due_at > timezone.now() + dt.timedelta(seconds=80)
    sandbox.plan(CLIENT_NUMBER, "undelivered")
    row = work(row)
    deliver(reports(sandbox, 3))
    row.refresh_from_db()
    assert row.state == "undelivered" and "30003" in row.problem


def test_forged_reports_change_nothing(cast, sandbox, service):
    sandbox.fault("forge", times=None)
    row = work(send(cast))
    assert deliver(reports(sandbox, 3)) == {400}
    row.refresh_from_db()
    assert row.state == "sent"
    assert set(TextEvent.objects.values_list("verdict", flat=True)) == {"wrong_signature"}


def test_a_report_of_no_message_waits_then_is_unmatched(cast, sandbox, service):
    row = work(send(cast))
    fresh = reports(sandbox, 3)
    TextMessage.objects.filter(pk=row.pk).update(reference="0" * 32, remote_id="SM" + "0" * 32)
    deliver(fresh[:1])
    for _ in hearing.WAITS_SECONDS:
        TextEvent.objects.update(due_at=timezone.now())
        hearing.process_due()
    event = TextEvent.objects.get()
    assert event.state == "unmatched"
    with pytest.raises(NotAllowed):
        hearing.retry_event(event_id=event.pk, actor=cast.agent)
    hearing.retry_event(event_id=event.pk, actor=cast.mlro)
    with pytest.raises(WrongState):
        hearing.retry_event(event_id=event.pk, actor=cast.mlro)


def test_it_can_be_undone_until_it_is_sent(cast, sandbox, service):
    row = send(cast)
    with pytest.raises(NotAllowed):
        writing.undo_text(message_id=row.pk, actor=cast.support)
    assert Client.objects.get(pk=cast.client.pk).last_contact_at == row.created_at
    assert writing.undo_text(message_id=row.pk, actor=cast.agent).state == "undone"
    assert Client.objects.get(pk=cast.client.pk).last_contact_at is None
    assert not work(row).remote_id and not sandbox.server.exchange.texts.rows
    row = work(send(cast))
    with pytest.raises(WrongState):
        writing.undo_text(message_id=row.pk, actor=cast.agent)


def test_who_must_not_be_written_to(cast, sandbox, service):
    with pytest.raises(DomainError, match="Enter a text"):
        send(cast, "  ")
    with pytest.raises(DomainError, match="too long"):
        send(cast, "ш" * 1_000)
    with pytest.raises(DomainError, match="agreed to news"):
        send(cast, template="clients.sms_news")
    with pytest.raises(NotAllowed):
        writing.send_text(client_id=cast.client.pk, actor=cast.marketing, channel=SMS, message="Hello")
    write_in(sandbox, " Stop. ")
    assert TextOptOut.objects.get().reason == "stop"
    with pytest.raises(DomainError, match="Replied STOP"):
        send(cast)
    write_in(sandbox, "START")
    assert TextOptOut.objects.get().lifted_at is not None
    send(cast)
    do_not_call.mark(client_id=cast.client.pk, actor=cast.agent, reason=next(iter(DoNotCallReason)))
    with pytest.raises(DomainError, match="must not be contacted"):
        send(cast)
    assert TextMessage.objects.filter(state="queued").count() == 1


def test_stop_after_writing_still_keeps_it_from_being_sent(cast, sandbox, service):
    row = send(cast)
    write_in(sandbox, "STOP")
    row = work(row)
    assert (row.state, next(iter(sandbox.server.exchange.texts.rows.values())).direction) == ("failed", "inbound")


def test_an_opt_out_that_only_the_service_knows_is_learnt(cast, sandbox, service):
    sandbox.server.exchange.texts.opted_out.add(("+442071838750", CLIENT_NUMBER))
    row = work(send(cast))
    assert (row.state, TextOptOut.objects.get().reason) == ("failed", "refused")


def test_quiet_hours_by_the_clients_clock(cast, sandbox, service):
    set_policies(cast.brand, marketing_hour_from=8, marketing_hour_until=21)
    Client.objects.filter(pk=cast.client.pk).update(time_zone="Asia/Tokyo")
    with time_machine.travel(dt.datetime(2026, 3, 4, 15, 0, tzinfo=dt.UTC), tick=False):  # midnight in Tokyo
        row = send(cast)
        assert row.due_at == dt.datetime(2026, 3, 4, 23, 0, tzinfo=dt.UTC)
        TextThread.objects.update(last_received_at=timezone.now() - dt.timedelta(hours=2))
        assert send(cast, "An answer").due_at == timezone.now() + dt.timedelta(seconds=writing.UNDO_SECONDS)


def test_whatsapp_takes_free_text_for_a_day_and_then_templates(cast, sandbox, service):
    with pytest.raises(DomainError, match="24 hours"):
        send(cast, channel=WHATSAPP)
    set_policies(cast.brand, whatsapp_templates=["clients.sms_documents en HX" + "a" * 32])
    Client.objects.filter(pk=cast.client.pk).update(language="en")
    row = work(send(cast, "", channel=WHATSAPP, template="clients.sms_documents"))
    sent = sandbox.server.exchange.texts.rows[row.remote_id]
    assert sent.to == f"whatsapp:{CLIENT_NUMBER}" and sent.body.startswith("[HX" + "a" * 32) and '"1": ' in sent.body
    deliver(reports(sandbox, 4))
    row.refresh_from_db()
    assert row.state == "read"
    write_in(sandbox, "Thanks", from_=f"whatsapp:{CLIENT_NUMBER}", to="whatsapp:+442071838751")
    assert send(cast, "You're welcome", channel=WHATSAPP).thread == row.thread
