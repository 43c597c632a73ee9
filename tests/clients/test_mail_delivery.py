"""Handing letters to the mail server: when it is away, when it refuses, and who is notified."""

import datetime as dt
import smtplib

import pytest
import time_machine
from django.core import mail as outbox
from django.db import IntegrityError, transaction

from clients import tasks
from clients.mail import BACK_OFF_SECONDS, LEASE_SECONDS, deliver, deliver_due, send_mail_to, write_to_client
from clients.models import Client, Message, TimelineEntry
from crm.errors import DomainError
from crm.models import Notification
from tests.outbox import send_now
from tests.texts import set_text

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
CONTEXT = {"platform": "MT5", "login": "100001", "server": "Keelson-Live"}


def welcome(client, **fields) -> Message:
    message = send_mail_to(client_id=client.pk, template="clients.welcome", context=CONTEXT, **fields)
    assert message is not None
    return message


@pytest.fixture
def away(monkeypatch):
    def send(self, fail_silently=False):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", send)


@pytest.mark.parametrize(("before", "wait"), [*enumerate(BACK_OFF_SECONDS), (6, None), (7, None)])
@time_machine.travel(NOW, tick=False)
def test_an_absent_server_is_tried_six_times(cast, away, before, wait):
    message = welcome(cast.client)
    Message.objects.filter(pk=message.pk).update(attempts=before)
    assert deliver(message.pk)
    message.refresh_from_db()
    if wait is None:
        assert (message.state, message.attempts) == ("failed", before + 1)
    else:
        assert (message.state, message.attempts) == ("queued", before + 1)
        assert message.due_at == NOW + dt.timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("later", "is_sent"), [(LEASE_SECONDS - 1, False), (LEASE_SECONDS, True), (LEASE_SECONDS + 1, True)]
)
def test_a_lost_letter_is_sent_after_the_lease(cast, later, is_sent):
    with time_machine.travel(NOW, tick=False):
        message = welcome(cast.client)
        Message.objects.filter(pk=message.pk).update(state="sending", due_at=NOW + dt.timedelta(seconds=LEASE_SECONDS))
    with time_machine.travel(NOW + dt.timedelta(seconds=later), tick=False):
        assert deliver(message.pk) is is_sent
    assert len(outbox.outbox) == is_sent


@pytest.mark.parametrize(("due", "is_sent"), [(-1, True), (0, True), (1, False)])
def test_a_letter_waits_for_its_time(cast, due, is_sent):
    with time_machine.travel(NOW, tick=False):
        message = welcome(cast.client)
        Message.objects.filter(pk=message.pk).update(due_at=NOW + dt.timedelta(seconds=due))
        assert deliver_due() == is_sent
        assert tasks.send_waiting_mail() == 0 and len(outbox.outbox) == is_sent


@pytest.mark.parametrize("state", ["sent", "failed"])
def test_a_finished_letter_is_not_sent_again(cast, state):
    message = welcome(cast.client)
    Message.objects.filter(pk=message.pk).update(state=state, sent_at=NOW)
    assert tasks.send_message(message.pk) is False and not outbox.outbox


def test_waiting_letters_go_oldest_first_up_to_the_limit(cast):
    for number, client in enumerate((cast.client, cast.other_client, cast.client)):
        message = welcome(client)
        Message.objects.filter(pk=message.pk).update(due_at=NOW - dt.timedelta(hours=number))
    assert deliver_due(limit=2) == 2
    assert [sent.to for sent in outbox.outbox] == [["clara@example.com"], ["oscar@example.com"]]
    assert Message.objects.filter(state="queued").count() == 1


def refuse(monkeypatch) -> None:
    def send(self, fail_silently=False):
        raise smtplib.SMTPRecipientsRefused({"x": (550, b"no such user")})

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", send)


def test_who_wrote_a_refused_letter_is_notified(cast, monkeypatch):
    refuse(monkeypatch)
    sent = write_to_client(
        client_id=cast.client.pk, actor=cast.desk_head, template="clients.free_text", subject="Hi", message="x"
    )
    send_now()
    assert Notification.objects.get(kind="clients.mail_failed").user == cast.desk_head
    assert TimelineEntry.objects.filter(client=cast.client, dedupe_key=f"message-failed:{sent.pk}").count() == 1


def test_nobody_is_notified_where_nobody_owns_the_client(cast, monkeypatch):
    refuse(monkeypatch)
    Client.objects.filter(pk=cast.client.pk).update(book=cast.pool, owner=None)
    deliver(welcome(cast.client).pk)
    assert Message.objects.get().state == "failed" and not Notification.objects.exists()


def test_the_same_key_of_two_clients_is_two_letters(cast):
    assert welcome(cast.client, dedupe_key="k").pk != welcome(cast.other_client, dedupe_key="k").pk
    with pytest.raises(IntegrityError, match="a_letter_is_sent_once"), transaction.atomic():
        Message.objects.create(client=cast.client, dedupe_key="k", language="de", to_address="x@example.com")


def test_the_database_wants_a_time_of_a_sent_letter(cast):
    with pytest.raises(IntegrityError, match="sent_message_has_a_time"), transaction.atomic():
        Message.objects.filter(pk=welcome(cast.client).pk).update(state="sent")


# ── what a person sends ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("subject", "text"), [("", "x"), ("Hi", ""), ("  ", "x"), ("Hi", " \n"), ("", "")])
def test_a_letter_of_ones_own_needs_subject_and_text(cast, subject, text):
    with pytest.raises(DomainError, match="subject and a text"):
        write_to_client(
            client_id=cast.client.pk, actor=cast.agent, template="clients.free_text", subject=subject, message=text
        )
    assert not Message.objects.exists()


def test_letters_of_the_system_are_not_sent_by_hand(cast):
    with pytest.raises(DomainError, match="Only the system"):
        write_to_client(client_id=cast.client.pk, actor=cast.agent, template="clients.welcome")
    assert not Message.objects.exists()


def test_a_ready_letter_is_sent_by_hand(cast):
    sent = write_to_client(client_id=cast.client.pk, actor=cast.agent, template="clients.we_tried_to_reach_you")
    assert (sent.sender, sent.language) == (cast.agent, "de")
    assert "Guten Tag Clara" in sent.body and "Alice Tester" in sent.body


def test_without_an_address_nothing_is_written(cast):
    Client.objects.filter(pk=cast.client.pk).update(email="")
    with pytest.raises(DomainError, match="no e-mail address"):
        write_to_client(
            client_id=cast.client.pk, actor=cast.agent, template="clients.free_text", subject="Hi", message="x"
        )


def test_the_page_offers_only_letters_a_person_can_send(cast, browse):
    page = browse(cast.agent).get(f"/clients/{cast.client.pk}/mail/").content.decode()
    assert 'value="clients.we_tried_to_reach_you"' in page and 'value="clients.welcome"' not in page


def test_the_page_keeps_what_was_typed(cast, browse):
    answer = browse(cast.agent).post(
        f"/clients/{cast.client.pk}/mail/", {"template": "clients.free_text", "subject": "", "message": "Kept words"}
    )
    assert answer.status_code == 422 and "Kept words" in answer.content.decode()
    assert "Enter a subject and a text." in answer.content.decode()


# ── which text ───────────────────────────────────────────────────────────────────────────────────────────────────────
def own_text(brand, language: str, subject: str) -> None:
    set_text(brand, "clients.welcome", subject, "x", language)


def test_the_text_of_another_brand_or_letter_is_not_used(cast):
    own_text(cast.other_brand, "de", "Theirs")
    own_text(cast.brand, "de", "Retired")
    set_text(cast.brand, "clients.welcome", language="de")
    set_text(cast.brand, "clients.free_text", "Other", "x", "de")
    assert welcome(cast.client).subject == "Ihr MT5-Konto ist eröffnet"


@pytest.mark.parametrize(
    ("language", "used", "subject"),
    [("de", "de", "Deutsch"), ("de-AT", "de", "Deutsch"), ("fr", "en", "English"), ("", "en", "English")],
)
def test_the_clients_language_comes_before_the_brands(cast, language, used, subject):
    own_text(cast.brand, "de", "Deutsch")
    own_text(cast.brand, "en", "English")
    Client.objects.filter(pk=cast.client.pk).update(language=language)
    message = welcome(cast.client)
    assert (message.language, message.subject) == (used, subject)
