"""Support's part of the demo: tickets in every state, with their conversations, clocks and ratings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from clients.choices import Stage, TimelineKind
from clients.facts import FACTS, rebuild
from clients.models import Client, TimelineEntry
from clients.timeline import entry_texts
from crm.choices import WorkState
from crm.demo import Demo
from crm.i18n.localized_text import phrase
from crm.models import Brand, User, WorkItem
from crm.security import crypto
from crm.work import hours_of
from support import policies
from support.brand_policies import RESOLUTION_HOURS
from support.choices import MessageKind, TicketCategory, TicketChannel, TicketState
from support.clock import service_levels
from support.kind import SOLVED, TICKETS
from support.models import Ticket, TicketMessage, TicketNumber
from support.tickets import priority_of

HOUR: Final = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Case:
    """A ticket of the demo. talk: who wrote (c client, s staff, n note), after how many hours, what; age: days ago."""

    category: TicketCategory
    channel: TicketChannel
    state: TicketState
    age: float
    subject: str
    talk: tuple[tuple[str, float, str], ...]
    rating: int | None = None


C, CH, S = TicketCategory, TicketChannel, TicketState
CASES: Final = (
    Case(
        C.DEPOSIT,
        CH.PORTAL,
        S.NEW,
        0.05,
        "Card deposit not in my wallet",
        (("c", 0, "I paid 250 by card an hour ago. My bank shows the charge, but my wallet is empty."),),
    ),
    Case(
        C.COMPLAINT,
        CH.EMAIL,
        S.NEW,
        1.4,
        "Order closed at a wrong price",
        (("c", 0, "My stop-loss on EURUSD was closed 14 points away from my level. I ask for a correction."),),
    ),
    Case(
        C.VERIFICATION,
        CH.PORTAL,
        S.NEW,
        0.3,
        "Which bill do you accept?",
        (("c", 0, "I live with my parents and have no bill in my name. What can I send as proof of address?"),),
    ),
    Case(
        C.WITHDRAWAL,
        CH.PORTAL,
        S.OPEN,
        1.1,
        "Withdrawal to a new bank account",
        (
            ("c", 0, "I changed banks. Can you pay my withdrawal to the new account?"),
            ("s", 2, "We can, once you have sent a statement of the new account with your name on it."),
            ("c", 20, "Attached in Documents. Please go on."),
            ("n", 21, "Statement is in the queue; finance knows."),
        ),
    ),
    Case(
        C.PLATFORM,
        CH.CHAT,
        S.OPEN,
        0.6,
        "Can't sign in to MetaTrader",
        (
            ("c", 0, "The app says “invalid account”. Web login works."),
            ("s", 0.5, "Which server name do you see in the app?"),
            ("c", 1, "Meridian-Demo, I think."),
        ),
    ),
    Case(
        C.ACCOUNT,
        CH.PHONE,
        S.PENDING,
        2.2,
        "Change of phone number",
        (
            ("c", 0, "Called from a new number and wants it on file."),
            ("s", 1, "Please confirm the new number in the portal: we have sent a link."),
        ),
    ),
    Case(
        C.TRADING,
        CH.PORTAL,
        S.PENDING,
        3.5,
        "Swap on gold seems high",
        (
            ("c", 0, "I was charged 18.40 for one night on XAUUSD. Is this right?"),
            ("s", 3, "On Wednesdays three nights are charged. Does that answer your question?"),
        ),
    ),
    Case(
        C.DEPOSIT,
        CH.PORTAL,
        S.SOLVED,
        4,
        "Bank transfer without reference",
        (
            ("c", 0, "I forgot the reference on my transfer of 1,000."),
            ("s", 4, "We found it and it is in your wallet now."),
            ("c", 5, "Great, thank you!"),
        ),
        5,
    ),
    Case(
        C.OTHER,
        CH.EMAIL,
        S.SOLVED,
        5,
        "Statement for my tax adviser",
        (
            ("c", 0, "I need a statement of last year."),
            ("s", 26, "You can make one yourself under Money, Statements and receipts."),
        ),
        3,
    ),
    Case(
        C.VERIFICATION,
        CH.PORTAL,
        S.CLOSED,
        16,
        "Passport rejected",
        (
            ("c", 0, "Why was my passport rejected?"),
            ("s", 1.5, "The lower edge was cut off. Please take it again."),
            ("c", 3, "Done, now it is approved."),
        ),
        4,
    ),
    Case(
        C.WITHDRAWAL,
        CH.PORTAL,
        S.CLOSED,
        21,
        "How long does a payout take?",
        (("c", 0, "I asked for a payout yesterday."), ("s", 0.6, "One to three bank days after approval.")),
        5,
    ),
    Case(
        C.PARTNER,
        CH.EMAIL,
        S.CLOSED,
        27,
        "Becoming a partner",
        (
            ("c", 0, "I run a blog and would like to introduce clients."),
            ("s", 30, "Our partner team will call you this week."),
        ),
        2,
    ),
)


def load(demo: Demo) -> None:
    """Write the tickets of each brand, set-based, and start their clocks."""
    for brand in demo.brands:
        since = demo.now - dt.timedelta(days=max(case.age for case in CASES) + 3)
        people = Client.objects.filter(brand=brand, user__isnull=False, registered_at__lt=since, merged_into=None)
        clients = list(
            people.exclude(stage=Stage.CLOSED).select_related("owner", "brand", "book").order_by("pk")[: len(CASES)]
        )
        if clients:
            _write(demo, brand, clients)
    rebuild(FACTS["tickets_awaiting_us"])


def _write(demo: Demo, brand: Brand, clients: list[Client]) -> None:
    staff = [person for person in demo.by_role["support"] if policies.can_work(person, clients[0])]
    cases = sorted(CASES, key=lambda case: -case.age)
    sealers = crypto.sealers_for_clients([client.pk for client in clients])
    tickets: list[Ticket] = []
    for number, case in enumerate(cases, start=1):
        client = clients[number % len(clients)]
        helper = staff[0] if staff else client.owner
        tickets.append(_ticket(demo, case, client, helper, number))
    WorkItem.objects.bulk_create([ticket.work for ticket in tickets])
    for ticket in tickets:
        ticket.work_id = ticket.work.pk
    Ticket.objects.bulk_create(tickets)
    TicketNumber.objects.create(brand=brand, last=len(tickets))
    messages, entries = [], []
    for ticket, case in zip(tickets, cases, strict=True):
        for who, hours, text in case.talk:
            is_client = who == "c"
            messages.append(
                TicketMessage(
                    ticket=ticket,
                    kind=MessageKind.NOTE if who == "n" else MessageKind.REPLY,
                    is_from_client=is_client,
                    author=ticket.client.user if is_client else ticket.first_replied_by,
                    at=min(ticket.opened_at + hours * HOUR, demo.now),
                    sealed_for=ticket.client,
                    text_sealed=sealers[ticket.client_id](text.encode()),
                )
            )
        entries.append(_entry(ticket))
    TicketMessage.objects.bulk_create(messages)
    TimelineEntry.objects.bulk_create(entries)
    with transaction.atomic():
        for ticket in tickets:
            if ticket.is_with_us:
                service_levels.start(ticket)
            elif ticket.state == S.SOLVED:
                service_levels.stop(ticket)


def _ticket(demo: Demo, case: Case, client: Client, helper: User | None, number: int) -> Ticket:
    opened_at = demo.now - dt.timedelta(days=case.age)
    replies = [opened_at + hours * HOUR for who, hours, _text in case.talk if who == "s"]
    last_at = max(opened_at + hours * HOUR for who, hours, _text in case.talk if who != "n")
    is_over = case.state in (S.SOLVED, S.CLOSED)
    solved_at = last_at + HOUR if is_over else None
    hours = hours_of(client.brand)
    priority = priority_of(case.category)
    reply_due = service_levels.first_reply_due(client.brand, opened_at, priority)
    item = WorkItem(
        kind=TICKETS.code,
        brand=client.brand,
        client_id=client.pk,
        state=WorkState.FINAL if is_over else WorkState.OPEN,
        priority=priority,
        opened_at=opened_at,
        due_at=hours.after(opened_at, RESOLUTION_HOURS[priority].of(client.brand) * HOUR),
        assigned_to=helper if replies else None,
        outcome=SOLVED if is_over else "",
        decided_by=helper if is_over else None,
        decided_at=solved_at,
        final_at=solved_at,
    )
    return Ticket(
        brand=client.brand,
        number=number,
        client=client,
        subject=case.subject,
        category=case.category,
        channel=case.channel,
        state=case.state,
        work=item,
        opened_by=client.user if case.channel == CH.PORTAL else None,
        opened_at=opened_at,
        last_at=last_at,
        first_reply_due_at=reply_due,
        first_replied_at=replies[0] if replies else None,
        first_replied_by=helper if replies else None,
        is_reply_late=bool(replies) and replies[0] > reply_due,
        pending_since=last_at if case.state == S.PENDING else None,
        solved_at=solved_at,
        solved_by=helper if is_over else None,
        closed_at=solved_at + dt.timedelta(days=7) if solved_at and case.state == S.CLOSED else None,
        rating=case.rating,
        rated_at=solved_at + HOUR if solved_at and case.rating else None,
    )


def _entry(ticket: Ticket) -> TimelineEntry:
    title = phrase("Ticket #%(number)s opened: %(subject)s") % {"number": ticket.number, "subject": ticket.subject}
    return TimelineEntry(
        client=ticket.client,
        kind=TimelineKind.TICKET,
        actor=ticket.opened_by,
        url=ticket.get_absolute_url(),
        at=ticket.opened_at,
        dedupe_key=f"ticket:{ticket.pk}:opened",
        **entry_texts(title=title, data={"needs": policies.SEES}),
    )
