"""What joins an incoming e-mail to a client, and what doesn't; once, in whatever order copies and answers come."""

import pytest
from django.core import mail as outbox
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.mail import send_mail_to, write_to_client
from clients.messages.incoming import assign_mail, close_thread, discard_mail, restore_mail
from clients.messages.proof import proof_of
from clients.models import IncomingMail, MailThread, Suppression, TimelineEntry
from crm.errors import DomainError, NotAllowed
from crm.models import Notification
from tests.cast import make_client
from tests.clients.messages.running import AUTH_SERVER, take, write
from tests.outbox import send_now

pytestmark = pytest.mark.django_db


def _sent(cast, **fields):
    """An e-mail that the agent wrote and a worker sent: as the client got it."""
    message = write_to_client(
        client_id=cast.client.pk,
        actor=cast.agent,
        template="clients.free_text",
        subject="Offer",
        message="Hi",
        **fields,
    )
    send_now()
    return message, outbox.outbox[-1]


def test_a_reply_joins_its_thread_by_our_signed_message_id(cast, mailbox):
    message, sent = _sent(cast)
    reply = take(cast.brand, write("Yes, please", references=sent.extra_headers["Message-ID"]), mailbox)
    assert (reply.state, reply.matched_by, reply.client) == ("threaded", "reference", cast.client)
    assert reply.thread_id == message.thread_id and reply.proof == "not_proved"
    assert reply.body["text"].strip() == "Yes, please" and reply.body_sealed is None
    reply.thread.refresh_from_db()
    assert reply.thread.awaits_reply
    entry = TimelineEntry.objects.get(client=cast.client, dedupe_key=f"incoming-mail:{reply.pk}")
    assert entry.title == "From the client: Question" and "Yes, please" in entry.body
    assert Notification.objects.get(user=cast.agent, kind="clients.mail_received").body == "Question"


def test_a_reply_joins_its_thread_by_the_reply_address(cast, mailbox):
    message, sent = _sent(cast)
    (address,) = sent.reply_to
    assert address.startswith("support+t") and address.endswith("@meridian.example")
    reply = take(cast.brand, write(to=address.upper()), mailbox)
    assert (reply.matched_by, reply.thread_id) == ("token", message.thread_id)
    forged = address.replace("-", "-0", 1)[:-1]
    assert take(cast.brand, write("Other", to=forged), mailbox).state == "unassigned"


def test_a_reply_to_a_letter_of_the_system_begins_a_thread(cast, mailbox):
    context = {"platform": "MT5", "login": "1", "server": "Live"}
    message = send_mail_to(client_id=cast.client.pk, template="clients.welcome", context=context)
    send_now()
    sent = outbox.outbox[-1]
    assert message.thread_id is None and sent.reply_to == [mailbox.address]
    reply = take(cast.brand, write(references=sent.extra_headers["Message-ID"]), mailbox)
    message.refresh_from_db()
    assert message.thread_id == reply.thread_id and reply.thread.subject == message.subject


def test_our_reply_names_what_it_answers(cast, mailbox):
    mail = take(cast.brand, write(message_id="<a1@example.com>", proved=True), mailbox)
    _message, sent = _sent(cast, thread_id=mail.thread_id)
    assert sent.extra_headers["In-Reply-To"] == "<a1@example.com>"
    assert not MailThread.objects.get().awaits_reply
    with pytest.raises(DomainError):
        write_to_client(
            client_id=cast.other_client.pk,
            actor=cast.other_agent,
            template="clients.free_text",
            subject="x",
            message="y",
            thread_id=mail.thread_id,
        )


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authentication_Results": "evil.example; dkim=pass header.d=example.com"},
        {
            "Authentication_Results": f"{AUTH_SERVER}; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=x@evil.example"
        },
        {
            "Authentication_Results": f"{AUTH_SERVER}; dmarc=fail header.from=example.com; spf=pass smtp.mailfrom=example.com"
        },
        {"References": "<client-message-1.00000000000000000000@meridian.example>"},
    ],
)
def test_a_senders_address_alone_joins_nothing(cast, mailbox, headers):
    _sent(cast)
    mail = take(cast.brand, write(**headers), mailbox)
    assert (mail.state, mail.client, mail.body_for_client) == ("unassigned", None, None)
    assert not TimelineEntry.objects.filter(title__startswith="From the client")


def test_a_proved_sender_who_is_one_client_begins_a_thread(cast, mailbox):
    mail = take(cast.brand, write(proved=True), mailbox)
    assert (mail.client, mail.matched_by, mail.proof) == (cast.client, "address", "proved")
    make_client(brand=cast.brand, book=cast.book, email="clara+2@example.com", login=False)
    assert take(cast.brand, write("Two have it", proved=True), mailbox).state == "unassigned"


@pytest.mark.parametrize(
    ("results", "proof"),
    [
        (["mx.meridian.example; dmarc=pass (p=REJECT) header.from=example.com"], "proved"),
        (["mx.meridian.example; spf=pass smtp.mailfrom=bounce@mail.example.com"], "proved"),
        (["mx.meridian.example; spf=pass smtp.mailfrom=com"], "not_proved"),
        (["mx.meridian.example; spf=softfail smtp.mailfrom=example.com"], "not_proved"),
        (["mx.meridian.example; none", "mx.meridian.example; dkim=pass header.d=example.com"], "not_proved"),
        (["mx.meridian.example; dmarc=fail header.from=example.com"], "failed"),
        (["MX.meridian.example 1; dkim=pass header.i=@example.com"], "proved"),
        (['mx.meridian.example; dkim=pass (2048-bit key) header.d=example.com header.b="a/b"'], "proved"),
        (["mx.meridian.example; dkim=pass header.d=evil.example header.from=example.com"], "not_proved"),
        (
            ['mx.meridian.example; spf=pass smtp.mailfrom="x; dkim=pass header.d=example.com;"@evil.example'],
            "not_proved",
        ),
        (['mx.meridian.example; spf=pass (of "a); dkim=pass header.d=example.com; ("@evil.example)'], "not_proved"),
        (["mx.meridian.example; spf=pass ((of a); dkim=pass header.d=example.com"], "not_proved"),
        (["", ";;;", "mx.meridian.example"], "not_proved"),
    ],
)
def test_only_our_own_servers_word_counts(results, proof):
    assert proof_of("clara@example.com", results, server="mx.meridian.example") == proof
    assert proof_of("clara@example.com", results, server="") == "not_proved"


# Three e-mails of the client that answer each other, a stranger's, and copies of all, in any order.
CHAIN = (
    write("one", message_id="<1@example.com>", proved=True),
    write("two", message_id="<2@example.com>", references="<1@example.com>", proved=True),
    write("three", message_id="<3@example.com>", references="<2@example.com>"),
    write("four", sender="Eve <eve@evil.example>", message_id="<4@evil.example>"),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 3), max_size=3).flatmap(lambda more: st.permutations([0, 1, 2, 3, *more])))
def test_any_order_and_repetition_ends_the_same(cast, mailbox, order):
    for number in order:
        take(cast.brand, CHAIN[number], mailbox)
    rows = {row.body["text"].strip(): row for row in IncomingMail.objects.all()}
    assert set(rows) == {"one", "two", "three", "four"}
    assert {name for name, row in rows.items() if row.client_id == cast.client.pk} == {"one", "two", "three"}
    assert {row.thread_id for name, row in rows.items() if name != "four"} == set(
        MailThread.objects.values_list("pk", flat=True)
    )
    assert MailThread.objects.count() == 1
    assert rows["four"].state == "unassigned"
    assert sum(row.copies for row in rows.values()) == len(order) - 4
    assert TimelineEntry.objects.filter(title__startswith="From the client").count() == 3
    IncomingMail.objects.all().delete()
    MailThread.objects.all().delete()
    TimelineEntry.objects.all().delete()


def test_a_person_assigns_an_unknown_e_mail(cast, mailbox):
    raw = write("I moved house", sender="new@address.example", files=(("proof.pdf", b"%PDF-1.7 x"),))
    mail = take(cast.brand, raw, mailbox)
    (attachment,) = mail.attachments.all()
    assert (mail.state, attachment.sealed_for) == ("unassigned", None)
    for actor in (cast.agent, cast.marketing):
        with pytest.raises(NotAllowed):
            assign_mail(mail_id=mail.pk, client_id=cast.client.pk, actor=actor)
    mail = assign_mail(mail_id=mail.pk, client_id=cast.client.pk, actor=cast.support)
    attachment.refresh_from_db()
    assert (mail.client, mail.thread.subject, attachment.sealed_for) == (cast.client, "Question", cast.client)
    assert mail.body["text"].strip() == "I moved house" and mail.body_sealed is None
    assert close_thread(thread_id=mail.thread_id, actor=cast.agent).awaits_reply is False
    with pytest.raises(DomainError):
        discard_mail(mail_id=mail.pk, actor=cast.support, reason="Spam")


def test_spam_is_discarded_and_can_come_back(cast, mailbox):
    mail = take(cast.brand, write(sender="eve@evil.example"), mailbox)
    with pytest.raises(DomainError):
        discard_mail(mail_id=mail.pk, actor=cast.support, reason=" ")
    assert discard_mail(mail_id=mail.pk, actor=cast.support, reason="Spam").state == "discarded"
    assert restore_mail(mail_id=mail.pk, actor=cast.support).state == "unassigned"


def _report(about: str, action: str = "failed", status: str = "5.1.1") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: support@meridian.example\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; clara@example.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 no such user\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {about}\r\nSubject: Offer\r\n\r\n--b--\r\n"
    ).encode()


def test_a_bounce_stops_e_mails_to_the_address(cast, mailbox):
    message, sent = _sent(cast)
    take(cast.brand, _report("<client-message-1.00000000000000000000@x>"), mailbox)
    assert not Suppression.objects.exists()
    assert take(cast.brand, _report(sent.extra_headers["Message-ID"]), mailbox).state == "report"
    message.refresh_from_db()
    assert (message.delivery, message.delivery_detail) == ("bounced", "smtp; 550 no such user")
    assert (Suppression.objects.get().reason, Suppression.objects.get().address) == ("bounce", "clara@example.com")
    assert Notification.objects.filter(user=cast.agent, kind="clients.mail_failed").count() == 1
    outbox.outbox.clear()
    again = write_to_client(
        client_id=cast.client.pk, actor=cast.agent, template="clients.free_text", subject="Again", message="Hi"
    )
    send_now()
    again.refresh_from_db()
    assert again.state == "failed" and "suppression list" in again.error and not outbox.outbox
