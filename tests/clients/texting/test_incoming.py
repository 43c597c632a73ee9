"""Incoming messages: kept once under their client's key, or for a person to assign."""

import pytest
from django.utils import timezone

from clients.choices import IdentifierKind
from clients.identifiers.keeping import learn
from clients.models import Client, TextMessage, TextThread, TimelineEntry
from clients.texting import incoming, numbers
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification, SubjectKey
from crm.security.crypto import KeyDestroyed
from tests.cast import signed_in
from tests.clients.telephony.running import post
from tests.clients.texting.running import write_in

pytestmark = pytest.mark.django_db
STRANGER = "+447700900123"


def test_a_client_is_found_by_number_and_the_owner_notified(cast, sandbox, service):
    assert write_in(sandbox, "When do you call?") == {200}
    thread = TextThread.objects.get()
    assert (thread.client_id, thread.awaits_reply, thread.channel) == (cast.client.pk, True, "sms")
    row = thread.messages.get()
    assert row.opened == "When do you call?" and b"call" not in bytes(row.for_client)
    assert TimelineEntry.objects.get(dedupe_key=f"text:{row.pk}").body == "When do you call?"
    assert Notification.objects.filter(user=cast.client.owner, kind="clients.text_received").count() == 1
    assert [post(sandbox.received[-1]) for _ in range(2)] == [200, 200]
    incoming.take_text(service, incoming.IncomingText(row.remote_id, "sms", "+4915112345678", "again", row.created_at))
    assert TextMessage.objects.count() == 1
    incoming.close_thread(thread_id=thread.pk, actor=cast.agent)
    assert not TextThread.objects.get().awaits_reply


def test_an_erased_client_leaves_nothing_readable(cast, sandbox, service):
    write_in(sandbox, "My name is Clara")
    row = TextMessage.objects.get()
    SubjectKey.objects.filter(client_id=cast.client.pk).update(wrapped=None, destroyed_at=timezone.now())
    with pytest.raises(KeyDestroyed):
        _ = TextMessage.objects.get(pk=row.pk).opened
    assert TextThread.objects.get().number_mark is None


def test_an_unknown_number_waits_to_be_assigned(cast, sandbox, service):
    write_in(sandbox, "Hello, who are you?", from_=STRANGER)
    thread = TextThread.objects.get()
    assert thread.client is None and thread.opened == STRANGER
    page = signed_in(cast.support).get(f"/sms/threads/{thread.pk}/")
    assert "Hello, who are you?" in page.content.decode()
    assert signed_in(cast.agent).get(f"/sms/threads/{thread.pk}/").status_code == 404
    with pytest.raises(NotAllowed):
        incoming.assign_thread(thread_id=thread.pk, client_id=cast.client.pk, actor=cast.agent)
    with pytest.raises(DomainError):
        incoming.discard_thread(thread_id=thread.pk, actor=cast.support, reason=" ")
    incoming.discard_thread(thread_id=thread.pk, actor=cast.support, reason="Spam")
    incoming.restore_thread(thread_id=thread.pk, actor=cast.support)
    incoming.assign_thread(thread_id=thread.pk, client_id=cast.client.pk, actor=cast.support)
    row = TextMessage.objects.get()
    assert row.sealed is None and row.sealed_for_id == cast.client.pk and row.opened == "Hello, who are you?"
    assert TimelineEntry.objects.filter(client=cast.client, kind="text").count() == 1
    with pytest.raises(WrongState):
        incoming.assign_thread(thread_id=thread.pk, client_id=cast.client.pk, actor=cast.support)
    write_in(sandbox, "Again me", from_=STRANGER)
    assert TextThread.objects.get().messages.count() == 2


def test_a_number_that_becomes_a_clients_takes_its_messages_along(cast, sandbox, service):
    write_in(sandbox, "First", from_=STRANGER)
    client = Client.objects.get(pk=cast.client.pk)
    client.phone = STRANGER
    client.save()
    learn(client.pk, IdentifierKind.PHONE, STRANGER)
    write_in(sandbox, "Second", from_=STRANGER)
    thread = TextThread.objects.get()
    assert thread.client_id == client.pk and [row.opened for row in thread.messages.all()] == ["First", "Second"]


def test_forged_messages_are_refused(cast, sandbox, service):
    sandbox.fault("forge")
    assert write_in(sandbox, "I am your client") == {400}
    assert not TextThread.objects.exists()


def test_opting_out_by_hand(cast, sandbox, service):
    write_in(sandbox, "Hello")
    thread = TextThread.objects.get()
    with pytest.raises(NotAllowed):
        numbers.change_opt_out(thread_id=thread.pk, actor=cast.agent, reason="Asked")
    assert numbers.change_opt_out(thread_id=thread.pk, actor=cast.mlro, reason="Asked") is False
    write_in(sandbox, "START")  # what a person added, a person lifts
    assert numbers.opt_out_of(cast.brand.pk, "sms", bytes(thread.number_mark)) is not None
    assert numbers.change_opt_out(thread_id=thread.pk, actor=cast.mlro, reason="Called") is True


def test_pages_and_their_queries(cast, sandbox, service, django_assert_max_num_queries):
    write_in(sandbox, "Hello <b>there</b>")
    thread, browser = TextThread.objects.get(), signed_in(cast.agent)
    page = f"/sms/threads/{thread.pk}/"
    browser.get(page)
    for number in range(10):
        write_in(sandbox, f"Line {number}")
    with django_assert_max_num_queries(30):
        shown = browser.get(page).content.decode()
    assert "Line 9" in shown and "&lt;b&gt;there" in shown
    assert str(cast.client) in browser.get("/sms/threads/").content.decode()
    address = f"/clients/{cast.client.pk}/sms/"
    preview = browser.post(f"{address}preview/", {"channel": "sms", "message": "ш" * 71}).content.decode()
    assert "2 SMS" in preview
    assert browser.post(address, {"channel": "sms", "template": "", "message": ""}).status_code == 422
    assert browser.post(address, {"channel": "sms", "template": "", "message": "On my way"}).status_code == 302
    assert "On my way" in browser.get(page).content.decode()
    assert "SMS" in browser.get(f"/clients/{cast.client.pk}/tab/sms/").content.decode()
