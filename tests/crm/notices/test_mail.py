"""Letters about logins: written with their cause, sent once, tried again, kept secret."""

import datetime as dt

import pytest
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils.translation import gettext

from crm.models import Notification, OutgoingMail
from crm.notices import mail
from crm.notices.mail import Letter, Recipient

pytestmark = pytest.mark.django_db


def letter():
    return Letter(
        subject="A subject\nin two lines",
        greeting="Hello <b>Ann</b>,",
        paragraphs=("One.", "Two & three."),
        button=("Open", "https://crm.example.com/x?a=1&b=2"),
        closing=("Bye.",),
    )


def queue(*, brand=None, **fields):
    return mail.send(kind="test.letter", to=Recipient("ann@example.com", brand=brand), letter=letter, **fields)


class Broken(EmailBackend):
    def send_messages(self, messages):
        raise ConnectionRefusedError("the mail server is away")


def test_a_letter_goes_out_once_in_text_and_html_with_the_brands_name(cast):
    queue(brand=cast.brand)
    assert mail.deliver_due() == 1 and mail.deliver_due() == 0
    (sent,) = outbox.outbox
    assert sent.subject == "A subject in two lines" and sent.to == ["ann@example.com"]
    assert sent.from_email.startswith("Meridian Markets <") and sent.reply_to == [cast.brand.support_email]
    assert "https://crm.example.com/x?a=1&b=2" in sent.body and "Hello <b>Ann</b>" in sent.body
    html = sent.alternatives[0].content
    assert "&lt;b&gt;Ann" in html and "a=1&amp;b=2" in html and cast.brand.colour in html


def test_a_brand_with_a_sender_is_written_from_it(cast):
    cast.brand.sender_email = "hello@meridian.example"
    cast.brand.save()
    queue(brand=cast.brand)
    queue()
    assert mail.deliver_due() == 2
    own, ours = (sent.from_email for sent in outbox.outbox)
    assert own == "Meridian Markets <hello@meridian.example>" and "meridian" not in ours


def test_a_rolled_back_cause_sends_nothing(cast):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue()
        _ = 1 / 0
    assert mail.deliver_due() == 0


def test_the_same_thing_is_written_once(cast):
    assert queue(dedupe_key="welcome:7") is not None
    assert queue(dedupe_key="welcome:7") is None
    assert OutgoingMail.objects.count() == 1


def test_it_is_written_in_the_receivers_language(cast):
    queue_letter = lambda: Letter(subject=gettext("Yes"), paragraphs=())  # noqa: E731
    mail.send(kind="test", to=Recipient("a@example.com", "de"), letter=queue_letter)
    assert OutgoingMail.objects.get().subject == "Ja"


def test_a_secret_letter_is_unreadable_before_and_gone_after_sending(cast):
    row = queue(is_secret=True)
    assert b"crm.example.com" not in bytes(row.body)
    mail.deliver_due()
    row.refresh_from_db()
    assert bytes(row.body) == b"" and "crm.example.com" in outbox.outbox[0].body


def test_a_server_that_is_away_is_tried_again_later_and_then_somebody_is_told(cast, settings):
    settings.EMAIL_BACKEND = "tests.crm.notices.test_mail.Broken"
    row = queue(brand=cast.brand)
    waits = []
    for _try in range(len(mail.BACK_OFF_SECONDS) + 1):
        before = dt.datetime.now(dt.UTC)
        OutgoingMail.objects.update(due_at=before)
        assert mail.deliver_due(limit=1) == 1
        row.refresh_from_db()
        waits.append(round((row.due_at - before).total_seconds()))
    assert waits[:3] == list(mail.BACK_OFF_SECONDS[:3])
    assert row.state == "failed" and "the mail server is away" in row.error
    assert mail.deliver_due() == 0
    assert Notification.objects.filter(user=cast.administrator, kind="mail.failed").count() == 1


def test_a_line_break_in_an_address_or_name_starts_no_header(cast):
    cast.brand.name = "Evil\nBcc: all@example.com"
    cast.brand.save()
    row = queue(brand=cast.brand)
    mail.deliver_due()
    row.refresh_from_db()
    assert not outbox.outbox or "Bcc" not in outbox.outbox[0].message().as_string().split("\n\n")[0].replace("=?", "")
