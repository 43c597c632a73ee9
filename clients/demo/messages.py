"""Chats, SMS, e-mails and calls over the exchange with some of the newest clients, so that no channel's page is empty.

A few rows each, written in bulk; the services they came through are switched off, so that nothing is ever sent or asked for.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from itertools import islice

from clients.chat.choices import ChatState, LineKind
from clients.choices import CallDirection, CallOutcome
from clients.demo.journeys import Journey
from clients.facts import rebuild_clients
from clients.messages.choices import IncomingState, MatchedBy, SenderProof
from clients.models import (
    Call,
    CannedAnswer,
    Chat,
    ChatLine,
    Client,
    IncomingMail,
    Mailbox,
    MailThread,
    PhoneCall,
    PhoneExchange,
    TextMessage,
    TextOptOut,
    TextService,
    TextThread,
)
from clients.telephony.choices import LegEnd, PhoneState
from clients.texting.choices import OptOutReason, TextChannel, TextState
from clients.texting.numbers import number_mark
from crm.demo import Demo
from crm.models import Brand
from crm.security import crypto

MINUTE = dt.timedelta(minutes=1)
CHATS = (
    (
        "Hi, my deposit by card was declined twice. What can I do?",
        "Let me look. Your bank asks for a confirmation in its app; please try once more.",
        "It worked, thank you!",
    ),
    (
        "Which documents do you still need from me?",
        "Only a proof of address, not older than six months. A bank statement will do.",
        "I'll upload it tonight.",
    ),
    (
        "Can I change the leverage of my account?",
        "Yes, under Accounts, Change leverage. Up to 1:30 for your category.",
        "Found it.",
    ),
    (
        "My withdrawal says pending since yesterday.",
        "It was approved this morning and is on its way to your bank.",
        "Great.",
    ),
    ("Is the platform closed on Thursday?",),
    ("I can't sign in on my new phone.", "Did you get the code by e-mail?"),
)
TEXTS = (
    (TextChannel.SMS, "Your documents were approved. You can deposit now.", "Thanks! Do you take Apple Pay?"),
    (TextChannel.SMS, "We tried to reach you. When may we call?", "After 6 pm please"),
    (TextChannel.WHATSAPP, "Your statement for last month is ready in your account.", "Got it, thank you"),
    (TextChannel.SMS, "A reminder: your questionnaire is waiting.", "STOP"),
)
MAILS = (
    (
        "Question about swap fees",
        "Hello,\n\nwhy was I charged a swap on Wednesday night three times as high as usual?\n\nKind regards",
    ),
    ("New address", "Good morning,\n\nI have moved. Which document do you need to change my address?\n\nBest"),
    ("Re: Your account is verified", "Thank you. When does the webinar start?"),
)
STRANGERS = (
    (
        "Partnership enquiry",
        "Dear team,\n\nwe run a trading blog with 20,000 readers and would like to work with you.",
        "partners@blog.example",
    ),
    (
        "Account of my late father",
        "Hello,\n\nmy father had an account with you. What do I have to do?",
        "a.lindner@post.example",
    ),
)
CANNED = (
    ("Greeting", "Hello {first_name}, how can I help you?"),
    (
        "Proof of address",
        "Please upload a proof of address that is not older than six months, for example a bank statement.",
    ),
    ("Withdrawal times", "Withdrawals are processed within one working day; your bank may take two more."),
)
CALLS = 24
ANSWERED = (CallOutcome.REACHED, CallOutcome.CALL_BACK, CallOutcome.REFUSED, CallOutcome.WRONG_NUMBER)


def write_messages(demo: Demo, journeys: list[Journey]) -> None:
    """Write what the pages of the channels show."""
    if not demo.brands:
        return
    brand = demo.brands[0]
    newest = sorted(
        (one for one in journeys if one.brand == brand and one.client_id is not None),
        key=lambda one: -(one.client_id or 0),
    )
    ids = [one.client_id for one in newest[:200]]
    clients = list(Client.objects.filter(pk__in=ids).select_related("owner", "book__desk").order_by("-pk"))
    owned = [client for client in clients if client.owner_id is not None]
    people = [client for client in owned if client.user_id is not None]
    _write_canned(demo, brand)
    _write_chats(demo, people)
    _write_texts(demo, brand, [client for client in owned if client.phone])
    _write_mails(demo, brand, owned)
    _write_calls(demo, brand, [client for client in owned if client.phone])
    rebuild_clients([client.pk for client in owned], "last_contact_at")


def _write_canned(demo: Demo, brand: Brand) -> None:
    writer = demo.heads[0]
    CannedAnswer.objects.bulk_create(
        CannedAnswer(brand=brand, language="en", title=title, body=body, changed_by=writer) for title, body in CANNED
    )


def _write_chats(demo: Demo, clients: list[Client]) -> None:
    """Write the newest two unanswered and in progress, the others ended; every second line is the agent's."""
    chats, lines = [], []
    for number, (client, said) in enumerate(zip(clients, reversed(CHATS), strict=False)):
        at = demo.now - dt.timedelta(minutes=4 + 400 * number)
        is_waiting, is_open = len(said) == 1, len(said) == 2
        last_at = at + MINUTE * (len(said) - 1)
        chats.append(
            Chat(
                client=client,
                sealed_for=client,
                desk=client.book.desk,
                agent=None if is_waiting else client.owner,
                state=ChatState.WAITING if is_waiting else ChatState.OPEN if is_open else ChatState.ENDED,
                lines_count=len(said),
                awaits_reply=is_waiting,
                started_at=at,
                waiting_since=at,
                answered_at=None if is_waiting else at + MINUTE,
                last_at=last_at,
                ended_at=None if is_waiting or is_open else last_at + 5 * MINUTE,
                ended_by=None if is_waiting or is_open else client.owner,
            )
        )
        lines += [(chats[-1], n, text, at + MINUTE * n) for n, text in enumerate(said)]
    Chat.objects.bulk_create(chats)
    sealed = crypto.encrypt_many_for_clients([(chat.client_id, text.encode()) for chat, _n, text, _at in lines])
    ChatLine.objects.bulk_create(
        ChatLine(
            chat=chat,
            kind=LineKind.AGENT if n % 2 else LineKind.CLIENT,
            author=chat.agent if n % 2 else chat.client.user,
            text_sealed=content,
            created_at=at,
        )
        for (chat, n, _text, at), content in zip(lines, sealed, strict=True)
    )


def _write_texts(demo: Demo, brand: Brand, clients: list[Client]) -> None:
    service = TextService.objects.create(
        brand=brand,
        code="demo-texts",
        name="Twilio (demo)",
        adapter="twilio",
        is_enabled=False,
        sms_number="+4915735980001",
        whatsapp_number="+4915735980001",
    )
    messages = []
    for number, (client, (channel, ours, theirs)) in enumerate(zip(clients, TEXTS, strict=False)):
        at = demo.now - dt.timedelta(hours=2 + 9 * number)
        mark = number_mark(client.phone)
        thread = TextThread(
            brand=brand,
            client=client,
            channel=channel,
            number_mark=mark,
            awaits_reply=number == 0,
            opened_at=at,
            last_at=at + 7 * MINUTE,
            last_received_at=at + 7 * MINUTE,
        )
        thread.seal(client.phone, client.pk)
        thread.save()
        for text, sender, when in ((ours, client.owner, at), (theirs, None, at + 7 * MINUTE)):
            state = TextState.RECEIVED if sender is None else TextState.DELIVERED
            message = TextMessage(
                thread=thread,
                service=service,
                state=state,
                sender=sender,
                created_at=when,
                sent_at=when if sender else None,
                delivered_at=when + MINUTE if sender else None,
            )
            message.seal(text, client.pk)
            messages.append(message)
        if theirs == "STOP":
            TextOptOut.objects.create(
                brand=brand, channel=channel, number_mark=mark, reason=OptOutReason.STOP, added_at=at + 7 * MINUTE
            )
    TextMessage.objects.bulk_create(messages)


def _write_mails(demo: Demo, brand: Brand, clients: list[Client]) -> None:
    mailbox = Mailbox.objects.create(
        brand=brand,
        code="demo-mail",
        name="Support mailbox (demo)",
        adapter="imap",
        is_enabled=False,
        address="support@meridian.example",
    )
    mails = []
    for number, (client, (subject, text)) in enumerate(zip(clients, MAILS, strict=False)):
        at = demo.now - dt.timedelta(hours=1 + 8 * number)
        thread = MailThread.objects.create(
            client=client, subject=subject.removeprefix("Re: "), awaits_reply=True, opened_at=at, last_at=at
        )
        mail = _mail(mailbox, subject, at, from_name=str(client), from_address=client.email)
        mail.client, mail.thread, mail.state = client, thread, IncomingState.THREADED
        mail.matched_by, mail.proof = MatchedBy.ADDRESS, SenderProof.PROVED
        mail.seal({"text": text, "html": ""}, client.pk)
        mails.append(mail)
    for number, (subject, text, sender) in enumerate(STRANGERS):
        mail = _mail(mailbox, subject, demo.now - dt.timedelta(hours=3 + 5 * number), from_address=sender)
        mail.seal({"text": text, "html": ""}, None)
        mails.append(mail)
    IncomingMail.objects.bulk_create(mails)


def _mail(mailbox: Mailbox, subject: str, at: dt.datetime, **sender: str) -> IncomingMail:
    return IncomingMail(
        brand=mailbox.brand,
        mailbox=mailbox,
        subject=subject,
        sent_at=at,
        received_at=at,
        fingerprint=hashlib.sha256(f"demo {subject}".encode()).hexdigest(),
        to_addresses=[mailbox.address],
        **sender,
    )


def _write_calls(demo: Demo, brand: Brand, clients: list[Client]) -> None:
    """Write the last logged calls of these clients as calls over an exchange, and two that were missed."""
    exchange = PhoneExchange.objects.create(
        brand=brand,
        code="demo-phone",
        name="Twilio (demo)",
        adapter="twilio",
        is_enabled=False,
        caller_number="+4915735980002",
    )
    by_pk = {client.pk: client for client in clients}
    logged = Call.objects.filter(client__in=list(by_pk), started_at__lt=demo.now).order_by("-pk")
    rows = []
    for call in islice(logged, CALLS):
        number = by_pk[call.client_id].phone
        is_answered = call.outcome in ANSWERED
        seconds = call.duration_seconds if is_answered else 0
        ended_at = call.started_at + dt.timedelta(seconds=seconds + 15)
        rows.append(
            PhoneCall(
                exchange=exchange,
                client_id=call.client_id,
                agent_id=call.agent_id,
                call=call,
                direction=CallDirection.OUTBOUND,
                state=PhoneState.ENDED if is_answered else PhoneState.MISSED,
                sealed_number=PhoneCall.sealed(number),
                requested_at=call.started_at,
                sent_at=call.started_at,
                answered_at=call.started_at + dt.timedelta(seconds=15) if is_answered else None,
                ended_at=ended_at,
                duration_seconds=seconds,
                was_dialled=True,
                end=LegEnd.COMPLETED if is_answered else LegEnd.NO_ANSWER,
            )
        )
    for place, client in enumerate(clients[:2]):
        at = demo.now - dt.timedelta(minutes=50 + 90 * place)
        rows.append(
            PhoneCall(
                exchange=exchange,
                client=client,
                agent=client.owner,
                direction=CallDirection.INBOUND,
                state=PhoneState.MISSED,
                sealed_number=PhoneCall.sealed(client.phone),
                requested_at=at,
                ended_at=at + MINUTE / 2,
                end=LegEnd.NO_ANSWER,
            )
        )
    PhoneCall.objects.bulk_create(sorted(rows, key=lambda row: row.requested_at))
