import smtplib
from datetime import timedelta

import pytest
from django.core import mail as outbox
from django.utils import timezone

from clients.choices import MessageState
from clients.mail import deliver, deliver_due, send_mail_to, write_to_client
from clients.models import Message, TimelineEntry
from clients.texts.letters import letter
from crm.errors import DomainError, NotAllowed
from crm.models import Notification
from crm.texts.catalogue import TEXTS, Text, Variable
from tests.outbox import send_now
from tests.texts import set_text

pytestmark = pytest.mark.django_db
WELCOME = {"platform": "MT5", "login": "100001", "server": "Keelson-Live"}


def welcome(cast, **fields):
    return send_mail_to(client_id=cast.client.pk, template="clients.welcome", context=WELCOME, **fields)


@pytest.fixture
def secret_letter():
    letter(
        "tests.secret",
        title="Secret",
        variables=(Variable("link", "Link", "https://x.example/", is_secret=True, is_link=True),),
        texts={"en": Text("Your link", "Hello {{ first_name }}\n\n[Open]({{ link }})")},
    )
    yield "tests.secret"
    del TEXTS["tests.secret"]


def test_a_letter_goes_out_in_the_clients_language_with_a_text_and_an_html_part(cast):
    message = welcome(cast)
    assert deliver_due() == 1
    sent = outbox.outbox[0]
    assert sent.to == ["clara@example.com"]
    assert sent.subject == "Ihr MT5-Konto ist eröffnet"
    assert "Kontonummer: 100001" in sent.body
    assert sent.reply_to == [cast.brand.support_email]
    assert cast.brand.colour in sent.alternatives[0][0]
    message.refresh_from_db()
    assert message.state == MessageState.SENT and message.sent_at
    assert TimelineEntry.objects.get(client=cast.client, kind="email").title == sent.subject


def test_a_letter_comes_from_the_brands_sender(cast):
    cast.brand.sender_email = "hello@meridian.example"
    cast.brand.save()
    welcome(cast)
    assert deliver_due() == 1
    sent = outbox.outbox[0]
    assert sent.from_email == "Meridian Markets <hello@meridian.example>"
    assert sent.extra_headers["Message-ID"].endswith("@meridian.example>")


def test_the_same_key_twice_is_one_letter(cast):
    first = welcome(cast, dedupe_key="welcome:1")
    second = welcome(cast, dedupe_key="welcome:1")
    assert first.pk == second.pk
    deliver_due()
    deliver_due()
    assert len(outbox.outbox) == 1
    assert TimelineEntry.objects.filter(client=cast.client, kind="email").count() == 1


def test_a_brands_own_text_comes_before_the_built_in_one(cast):
    set_text(cast.brand, "clients.welcome", "Willkommen, {{ first_name }}!", "Konto {{ login }}", "de")
    assert welcome(cast).subject == "Willkommen, Clara!"


def test_a_language_without_a_text_falls_back_to_the_brands(cast):
    cast.client.language = "fr"
    cast.client.save()
    assert welcome(cast).language == "en"


def test_a_missing_value_is_named(cast):
    with pytest.raises(DomainError, match="login"):
        send_mail_to(client_id=cast.client.pk, template="clients.welcome", context={"platform": "MT5", "server": "x"})


def test_an_unknown_letter_is_named(cast):
    with pytest.raises(DomainError, match=r"no\.such"):
        send_mail_to(client_id=cast.client.pk, template="no.such")


def test_a_letter_with_an_unknown_placeholder_is_refused_when_it_is_registered():
    with pytest.raises(ValueError, match="nickname"):
        letter("tests.bad", title="Bad", texts={"en": Text("Hi", "{{ nickname }}")})


def test_a_secret_link_is_in_the_mail_but_never_readable_in_the_archive(cast, secret_letter):
    message = send_mail_to(
        client_id=cast.client.pk, template=secret_letter, context={"link": "https://x.example/t0k3n"}
    )
    assert "t0k3n" not in message.body and b"t0k3n" not in bytes(message.secret)
    deliver_due()
    assert "https://x.example/t0k3n" in outbox.outbox[0].body
    assert 'href="https://x.example/t0k3n"' in outbox.outbox[0].alternatives[0][0]
    message.refresh_from_db()
    assert message.secret is None
    assert (
        TimelineEntry.objects.get(client=cast.client, kind="email").body == f"Hello {cast.client.first_name}\n\n[Open]"
    )


def test_words_of_a_person_cannot_inject_markup(cast):
    write_to_client(
        client_id=cast.client.pk,
        actor=cast.agent,
        template="clients.free_text",
        subject="Hi\nBcc: x@y.example",
        message="<script>alert(1)</script>",
    )
    send_now()
    assert outbox.outbox[0].subject == "Hi Bcc: x@y.example"
    assert "<script>" not in outbox.outbox[0].alternatives[0][0]


def test_a_letter_by_a_person_counts_as_contact_and_answers_go_to_them(cast):
    write_to_client(client_id=cast.client.pk, actor=cast.agent, template="clients.free_text", subject="Hi", message="x")
    cast.client.refresh_from_db()
    assert cast.client.last_contact_at is not None
    send_now()
    assert outbox.outbox[0].reply_to == [cast.agent.email]


@pytest.mark.parametrize("who", ["other_agent", "auditor", "marketing"])
def test_the_wrong_role_sends_nothing(cast, who):
    with pytest.raises(NotAllowed):
        write_to_client(
            client_id=cast.client.pk, actor=getattr(cast, who), template="clients.free_text", subject="a", message="b"
        )
    assert not Message.objects.exists()


def test_a_mail_server_that_is_away_is_tried_again_later(cast, monkeypatch):
    message = welcome(cast)

    def away(self, fail_silently=False):
        raise ConnectionRefusedError("no mail server")

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", away)
    assert deliver(message.pk)
    message.refresh_from_db()
    assert (
        message.state == MessageState.QUEUED and message.due_at > timezone.now() and "no mail server" in message.error
    )
    assert not deliver(message.pk)


def test_a_refused_address_fails_at_once_and_the_owner_is_told(cast, monkeypatch):
    message = welcome(cast)

    def refuse(self, fail_silently=False):
        raise smtplib.SMTPRecipientsRefused({"clara@example.com": (550, b"no such user")})

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    deliver(message.pk)
    message.refresh_from_db()
    assert message.state == MessageState.FAILED
    assert Notification.objects.get(user=cast.agent).kind == "clients.mail_failed"


def test_a_letter_whose_worker_died_is_sent_after_the_lease(cast):
    message = welcome(cast)
    Message.objects.filter(pk=message.pk).update(state="sending", due_at=timezone.now() + timedelta(minutes=5))
    assert not deliver(message.pk)
    Message.objects.filter(pk=message.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    assert deliver(message.pk)
    assert len(outbox.outbox) == 1


def test_a_client_without_an_address_gets_no_letter(cast):
    cast.client.email = ""
    cast.client.save()
    assert welcome(cast) is None
