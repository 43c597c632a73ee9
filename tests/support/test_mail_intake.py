"""E-mails and tickets: into the ticket of their thread, or opening one; never in a loop."""

from __future__ import annotations

import pytest
from django.core import mail as outbox

from clients.chat.choices import LineKind
from clients.chat.lines import add_line
from clients.models import Chat, IncomingMail, Message
from crm.errors import DomainError, NotAllowed
from crm.events import drain
from leads.inbound import mail_leads
from leads.models import Lead
from support import solving, tickets
from support.intake import mail_intake
from support.intake.chat_intake import open_from_chat
from support.models import Ticket
from support.talk.conversation import Written, conversation
from tests.brand_policies import set_policies
from tests.cast import signed_in
from tests.clients.messages.running import ADDRESS, make_mailbox, take, write
from tests.outbox import send_now
from tests.support.conftest import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailbox(cast):
    return make_mailbox(cast.brand)


def receive(cast, mailbox, *args, **fields):
    mail = take(cast.brand, write(*args, **fields), mailbox)
    drain()
    return mail


def test_reply_by_email_goes_into_its_ticket_and_back(cast, mailbox):
    ticket = make_ticket(cast)
    tickets.reply_to_client(ticket_id=ticket.pk, actor=cast.support, written=Written("It has arrived."))
    send_now()
    sent = outbox.outbox[-1]
    reference = sent.extra_headers["Message-ID"]
    receive(cast, mailbox, "Not here.", references=reference, files=(("bank.pdf", b"%PDF-1.7 x"),))
    ticket.refresh_from_db()
    shown = conversation(ticket, is_for_client=True)
    assert (ticket.state, shown[-1].text.strip(), len(shown[-1].mail_files)) == ("open", "Not here.", 1)
    receive(cast, mailbox, "I'm away.", references=reference, **{"Auto-Submitted": "auto-replied"})
    assert len(conversation(ticket, is_for_client=True)) == 3
    before = Message.objects.count()
    solving.solve_ticket(ticket_id=ticket.pk, actor=cast.support)
    receive(cast, mailbox, "I'm still away.", references=reference, **{"Auto-Submitted": "auto-replied"})
    ticket.refresh_from_db()
    assert ticket.state == "solved" and Message.objects.count() == before + 1


def test_email_to_a_listed_address_opens_one_ticket(cast, mailbox):
    receive(cast, mailbox, "No tickets yet", subject="One", proved=True)
    assert not Ticket.objects.exists()
    set_policies(cast.brand, ticket_addresses=[ADDRESS])
    receive(cast, mailbox, "Where is my payout?", subject="Payout", proved=True)
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.channel, ticket.opened_by, ticket.client) == ("Payout", "email", None, cast.client)
    assert Message.objects.filter(template="support.ticket_received").count() == 1
    mail = receive(
        cast, mailbox, "I'm away", subject="Out of office", proved=True, **{"Auto-Submitted": "auto-replied"}
    )
    assert Ticket.objects.count() == 1 and mail_intake.take_mail(mail_id=mail.pk) is None
    receive(cast, mailbox, "Elsewhere", subject="Sales", proved=True, to="sales@meridian.example")
    receive(cast, mailbox, "A stranger", subject="Hello", sender="eve@evil.example")
    assert Ticket.objects.count() == 1


def test_unknown_sender_becomes_a_lead_with_a_ticket(cast, mailbox):
    stranger = {"sender": "Nils Nygaard <nils@fjord.example>", "proved": True}
    receive(cast, mailbox, "No list yet", subject="Early", **stranger)
    assert IncomingMail.objects.get().state == "unassigned"
    set_policies(cast.brand, ticket_addresses=[ADDRESS], lead_addresses=[ADDRESS])
    receive(cast, mailbox, "Not me", subject="Forged", sender="Eve <eve@evil.example>")
    receive(cast, mailbox, "Away", subject="Away", **stranger, **{"Auto-Submitted": "auto-replied"})
    receive(cast, mailbox, "Buy", subject="Sales", to="sales@meridian.example", **stranger)
    assert not Lead.objects.filter(channel="email").exists() and not Ticket.objects.exists()
    mail = receive(cast, mailbox, "Which leverage do you offer?", subject="Leverage", **stranger)
    mail.refresh_from_db()
    lead, ticket = Lead.objects.get(channel="email"), Ticket.objects.get()
    person = lead.client
    assert (person.full_name, person.email, lead.message) == ("Nils Nygaard", "nils@fjord.example", mail.body["text"])
    assert (mail.client, mail.matched_by, mail.sealed_for_id) == (person, "lead", person.pk)
    assert (ticket.client, ticket.subject, ticket.channel) == (person, "Leverage", "email")
    receive(cast, mailbox, "And which swaps?", subject="Swaps", **stranger)
    assert Lead.objects.filter(channel="email").count() == 1
    assert Ticket.objects.filter(client=person).count() == 2
    assert mail_leads.capture_mail(mail_id=mail.pk) is None


def test_closed_ticket_is_followed_up_by_email(cast, mailbox):
    set_policies(cast.brand, ticket_addresses=[ADDRESS])
    receive(cast, mailbox, "First", subject="Payout", proved=True)
    first = Ticket.objects.get()
    send_now()
    reference = outbox.outbox[-1].extra_headers["Message-ID"]
    solving.solve_ticket(ticket_id=first.pk, actor=cast.support)
    Ticket.objects.filter(pk=first.pk).update(state="closed", closed_at=first.opened_at)
    receive(cast, mailbox, "Again", references=reference)
    second = Ticket.objects.exclude(pk=first.pk).get()
    assert (second.follows, second.channel, second.state) == (first, "email", "new")
    receive(cast, mailbox, "And again", references=reference)
    assert Ticket.objects.count() == 2
    assert [shown.text.strip() for shown in conversation(second, is_for_client=True)] == ["Again", "And again"]


def test_thread_becomes_a_ticket_with_one_click(cast, mailbox):
    mail = receive(cast, mailbox, "Please help", subject="Help", proved=True)
    with pytest.raises(NotAllowed):
        mail_intake.open_from_thread(thread_id=mail.thread_id, actor=cast.other_agent)
    browser = signed_in(cast.support)
    assert "Open ticket" in browser.get(f"/mail/threads/{mail.thread_id}/").content.decode()
    browser.post(f"/tickets/threads/{mail.thread_id}/")
    ticket = Ticket.objects.get()
    assert (ticket.thread_id, ticket.subject, ticket.opened_by) == (mail.thread_id, "Help", cast.support)
    assert str(ticket) in browser.get(f"/mail/threads/{mail.thread_id}/").content.decode()
    assert browser.get(ticket.get_absolute_url()).status_code == 200
    with pytest.raises(DomainError):
        mail_intake.open_from_thread(thread_id=mail.thread_id, actor=cast.support)


def test_chat_becomes_a_ticket_once(cast):
    chat = Chat.objects.create(client=cast.client, sealed_for=cast.client)
    with pytest.raises(DomainError):
        open_from_chat(chat_id=chat.pk, actor=cast.support)
    add_line(chat, LineKind.CLIENT, cast.client_user, "My login fails")
    add_line(chat, LineKind.AGENT, cast.agent, "Since when?")
    with pytest.raises(NotAllowed):
        open_from_chat(chat_id=chat.pk, actor=cast.other_agent)
    browser = signed_in(cast.support)
    assert "Open ticket" in browser.get(chat.get_absolute_url()).content.decode()
    browser.post(f"/tickets/chats/{chat.pk}/")
    ticket = Ticket.objects.get()
    assert (ticket.channel, ticket.subject, ticket.chat) == ("chat", "My login fails", chat)
    (shown,) = conversation(ticket, is_for_client=True)
    assert "My login fails" in shown.text and "Since when?" in shown.text
    with pytest.raises(DomainError):
        open_from_chat(chat_id=chat.pk, actor=cast.support)
