"""A ticket from its opening to its end: states, clocks, who reads what, and what is refused."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile

from clients.messages.uploaded_files import FILES_MAX, check_files
from clients.models import Message, TimelineEntry
from crm import due, work
from crm.choices import DueState, WorkPriority, WorkState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification
from support import changing, solving, tickets
from support.clock import clocks
from support.models import Ticket, TicketFile, TicketMessage
from support.talk import files
from support.talk.conversation import Written, conversation
from tests.outbox import data_of
from tests.support.conftest import make_ticket

pytestmark = pytest.mark.django_db
MONDAY = dt.datetime(2026, 6, 1, 10, 0, tzinfo=dt.UTC)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("client", "work").get(pk=ticket.pk)


def texts(ticket: Ticket, *, is_for_client: bool = True) -> list[str]:
    return [shown.text for shown in conversation(ticket, is_for_client=is_for_client)]


def reply(cast, ticket: Ticket, text: str = "It has arrived.", then: str = "pending", by=None) -> TicketMessage:
    return tickets.reply_to_client(ticket_id=ticket.pk, actor=by or cast.support, written=Written(text), then=then)


def test_client_opens_a_ticket(cast):
    with time_machine.travel(MONDAY, tick=False):
        first, second = make_ticket(cast), make_ticket(cast, category="complaint")
    assert (first.number, second.number, first.state) == (1, 2, "new")
    assert first.first_reply_due_at == MONDAY + dt.timedelta(hours=4)
    assert (first.work.state, first.work.client_id) == (WorkState.OPEN, cast.client.pk)
    assert (first.work.priority, second.work.priority) == (WorkPriority.NORMAL, WorkPriority.HIGH)
    assert texts(first) == ["My deposit isn't there."]
    assert b"deposit" not in bytes(TicketMessage.objects.filter(ticket=first).get().text_sealed)
    assert data_of("ticket.opened")[0]["channel"] == "portal"
    assert Message.objects.filter(client=cast.client, template="support.ticket_received").count() == 2
    assert fresh(first).thread is not None
    entry = TimelineEntry.objects.get(dedupe_key=f"ticket:{first.pk}:opened")
    assert (entry.kind, entry.url) == ("ticket", first.get_absolute_url())
    assert second.first_reply_due_at == MONDAY + dt.timedelta(hours=2)
    assert second.work.due_at < first.work.due_at
    told = set(Notification.objects.filter(kind="support.ticket_opened").values_list("user_id", flat=True))
    assert {cast.support.pk, cast.agent.pk} <= told and cast.marketing.pk not in told


def test_ticket_goes_back_and_forth_until_it_is_rated(cast, ticket):
    reply(cast, ticket)
    ticket = fresh(ticket)
    assert (ticket.state, ticket.work.assigned_to, ticket.first_replied_by) == ("pending", cast.support, cast.support)
    mail = Message.objects.get(template="support.ticket_reply")
    assert (mail.thread_id, mail.sender) == (ticket.thread_id, cast.support)
    assert "It has arrived." in mail.body and "#1" in mail.subject
    tickets.add_note(ticket_id=ticket.pk, actor=cast.agent, written=Written("Called the bank."))
    assert texts(ticket) == ["My deposit isn't there.", "It has arrived."]
    assert texts(ticket, is_for_client=False)[-1] == "Called the bank."
    tickets.reply_as_client(ticket_id=ticket.pk, actor=cast.client_user, written=Written("Still nothing."))
    assert fresh(ticket).state == "open"
    assert Notification.objects.filter(user=cast.support, kind="support.client_replied").exists()
    solving.solve_ticket(ticket_id=ticket.pk, actor=cast.support)
    ticket = fresh(ticket)
    assert (ticket.state, ticket.work.state, ticket.work.outcome) == ("solved", WorkState.FINAL, "solved")
    with pytest.raises(DomainError):
        solving.rate_ticket(ticket_id=ticket.pk, actor=cast.client_user, rating=6)
    solving.rate_ticket(ticket_id=ticket.pk, actor=cast.client_user, rating=4, comment="Quick.")
    ticket = fresh(ticket)
    assert (ticket.rating, ticket.rating_comment) == (4, "Quick.")
    assert data_of("ticket.rated")[-1]["stars"] == 4
    done = set(AuditEvent.objects.filter(action__startswith="support.").values_list("action", flat=True))
    assert done == {f"support.ticket_{name}" for name in ("opened", "replied", "noted", "solved", "rated")}


def test_reply_to_a_solved_ticket_reopens_it(cast, ticket):
    reply(cast, ticket)
    solving.solve_ticket(ticket_id=ticket.pk, actor=cast.client_user)
    was = fresh(ticket).work
    assert was.state == WorkState.CLOSED
    tickets.reply_as_client(ticket_id=ticket.pk, actor=cast.client_user, written=Written("It came back."))
    ticket = fresh(ticket)
    assert (ticket.state, ticket.reopened, ticket.solved_at) == ("open", 1, None)
    assert ticket.work_id != was.pk and ticket.work.assigned_to == cast.support
    assert not DueRow.objects.filter(kind=clocks.CLOSING.code, state=DueState.PENDING).exists()


def test_clock_is_paused_while_the_client_is_awaited(cast):
    with time_machine.travel(MONDAY, tick=False):
        ticket = make_ticket(cast)
    due_at = ticket.work.due_at  # 24 working hours of nine a day
    with time_machine.travel(MONDAY + dt.timedelta(hours=1), tick=False):
        reply(cast, ticket)
    assert not DueRow.objects.filter(kind=clocks.RESOLUTION.code, state=DueState.PENDING).exists()
    with time_machine.travel(MONDAY + dt.timedelta(days=1, hours=1), tick=False):
        tickets.reply_as_client(ticket_id=ticket.pk, actor=cast.client_user, written=Written("Thanks, but no."))
    assert fresh(ticket).work.due_at == due_at + dt.timedelta(days=1)
    assert DueRow.objects.get(kind=clocks.RESOLUTION.code, state=DueState.PENDING).at == fresh(ticket).work.due_at


def test_clocks_follow_the_priority(cast):
    with time_machine.travel(MONDAY, tick=False):
        ticket = make_ticket(cast, priority=WorkPriority.LOW)
        normal = make_ticket(cast).work.due_at
    assert ticket.first_reply_due_at == MONDAY + dt.timedelta(hours=8)
    with time_machine.travel(MONDAY + dt.timedelta(minutes=30), tick=False):
        changing.assign_ticket(ticket_id=ticket.pk, actor=cast.support, to_id=cast.support.pk, priority=4)
    assert fresh(ticket).first_reply_due_at == MONDAY + dt.timedelta(hours=1)
    with time_machine.travel(MONDAY + dt.timedelta(hours=1), tick=False):
        reply(cast, ticket)
    with time_machine.travel(MONDAY + dt.timedelta(hours=3), tick=False):
        tickets.reply_as_client(ticket_id=ticket.pk, actor=cast.client_user, written=Written("Still nothing."))
        head = cast.desk_head
        work.set_priority(item_ids=[ticket.work_id], priority=2, actor=head)
    ticket = fresh(ticket)
    assert ticket.work.due_at == normal + dt.timedelta(hours=2)  # paused for two hours
    rows = DueRow.objects.filter(kind=clocks.RESOLUTION.code, key=str(ticket.pk), state=DueState.PENDING)
    assert rows.get().at == ticket.work.due_at
    with time_machine.travel(MONDAY + dt.timedelta(days=9)):
        due.sweep(kinds=[clocks.RESOLUTION])
    told = set(
        Notification.objects.filter(kind="support.ticket_late", url=ticket.get_absolute_url()).values_list(
            "user", flat=True
        )
    )
    assert {cast.support.pk, head.pk} <= told and cast.agent.pk not in told


def test_late_ticket_is_escalated_once(cast):
    with time_machine.travel(MONDAY, tick=False):
        ticket = make_ticket(cast)
    with time_machine.travel(MONDAY + dt.timedelta(hours=5)):
        assert due.sweep(kinds=[clocks.FIRST_REPLY]) == 1
        assert due.sweep(kinds=[clocks.FIRST_REPLY]) == 0
    with time_machine.travel(MONDAY + dt.timedelta(days=9)):
        assert due.sweep(kinds=[clocks.RESOLUTION]) == 1
    ticket = fresh(ticket)
    assert ticket.is_reply_late and ticket.is_solution_late
    assert [row["clock"] for row in data_of("ticket.late")] == ["first_reply", "resolution"]
    assert Notification.objects.filter(user=cast.support, kind="support.ticket_late").count() == 2


def test_solved_ticket_is_closed_after_the_brands_days(cast, ticket):
    solving.solve_ticket(ticket_id=ticket.pk, actor=cast.support)
    with time_machine.travel(fresh(ticket).solved_at + dt.timedelta(days=7, minutes=1)):
        assert due.sweep(kinds=[clocks.CLOSING]) == 1
    assert fresh(ticket).state == "closed"
    with pytest.raises(WrongState):
        tickets.reply_as_client(ticket_id=ticket.pk, actor=cast.client_user, written=Written("Hello?"))
    later = make_ticket(cast, follows_id=ticket.pk)
    assert later.follows == ticket
    with pytest.raises(DomainError):
        make_ticket(cast, client=cast.other_client, follows_id=ticket.pk)


def test_tickets_are_for_who_reaches_the_client(cast, ticket):
    refused = [cast.other_agent, cast.marketing, cast.auditor, cast.other_client_user]
    for person in refused:
        with pytest.raises(NotAllowed):
            reply(cast, ticket, by=person)
        with pytest.raises(NotAllowed):
            solving.solve_ticket(ticket_id=ticket.pk, actor=person)
        with pytest.raises(NotAllowed):
            changing.assign_ticket(ticket_id=ticket.pk, actor=person, to_id=cast.support.pk)
        with pytest.raises(NotAllowed):
            make_ticket(cast, by=person)
        with pytest.raises(NotAllowed):
            tickets.reply_as_client(ticket_id=ticket.pk, actor=person, written=Written("Me."))
    for person in (cast.support, cast.other_client_user):
        with pytest.raises(NotAllowed):
            solving.rate_ticket(ticket_id=ticket.pk, actor=person, rating=5)
    assert texts(ticket, is_for_client=False) == ["My deposit isn't there."]
    assert fresh(ticket).state == "new"


def test_ticket_is_assigned_to_who_may_work_on_it(cast, ticket):
    changing.assign_ticket(ticket_id=ticket.pk, actor=cast.support, to_id=cast.agent.pk, priority=WorkPriority.URGENT)
    item = fresh(ticket).work
    assert (item.assigned_to, item.priority) == (cast.agent, WorkPriority.URGENT)
    assert Notification.objects.filter(user=cast.agent, kind="crm.work_assigned").exists()
    for person in (cast.other_agent, cast.auditor, cast.client_user):
        with pytest.raises(DomainError):
            changing.assign_ticket(ticket_id=ticket.pk, actor=cast.support, to_id=person.pk)
    changing.change_category(ticket_id=ticket.pk, actor=cast.agent, category="platform")
    with pytest.raises(DomainError):
        changing.change_category(ticket_id=ticket.pk, actor=cast.agent, category="weather")
    solving.solve_ticket(ticket_id=ticket.pk, actor=cast.agent)
    with pytest.raises(WrongState):
        changing.assign_ticket(ticket_id=ticket.pk, actor=cast.support, to_id=cast.support.pk)
    with pytest.raises(WrongState):
        reply(cast, ticket)
    solving.reopen_ticket(ticket_id=ticket.pk, actor=cast.support)
    with pytest.raises(WrongState):
        solving.reopen_ticket(ticket_id=ticket.pk, actor=cast.support)
    assert (fresh(ticket).state, fresh(ticket).category) == ("open", "platform")


def test_files_are_checked_and_sealed(cast, settings, tmp_path):
    settings.PRIVATE_DIR = tmp_path
    content = b"%PDF-1.7 proof of payment"
    sent = check_files([SimpleUploadedFile("../proof\x00.pdf", content)])
    ticket = tickets.open_ticket(
        client_id=cast.client.pk, actor=cast.client_user, new=tickets.NewTicket("Proof", Written("See file.", sent))
    )
    row = TicketFile.objects.get(message__ticket=ticket)
    assert (row.name, row.content_type, row.size_bytes) == ("proof.pdf", "application/pdf", len(content))
    assert b"".join(files.stream(row)) == content
    stored = tmp_path / "tickets" / row.store_key[:2] / row.store_key
    assert b"proof of payment" not in stored.read_bytes()
    settings.UPLOAD_MAX_BYTES = 8
    bad = [("big.pdf", content), ("empty.pdf", b""), ("run.exe", b"MZ\x90\x00"), ("page.html", b"<html>")]
    for name, body in bad:
        with pytest.raises(DomainError):
            check_files([SimpleUploadedFile(name, body)])
    with pytest.raises(DomainError):
        check_files([SimpleUploadedFile(f"{n}.txt", b"a") for n in range(FILES_MAX + 1)])


def test_bad_input_is_refused(cast, ticket):
    for subject, text in (("", "a"), ("a", "   "), ("a", "x" * 10_001)):
        with pytest.raises(DomainError):
            new = tickets.NewTicket(subject, Written(text))
            tickets.open_ticket(client_id=cast.client.pk, actor=cast.client_user, new=new)
    with pytest.raises(DomainError):
        reply(cast, ticket, then="closed")
    for _number in range(tickets.UNSOLVED_MAX - 1):
        make_ticket(cast)
    with pytest.raises(DomainError, match="many open tickets"):
        make_ticket(cast)
    assert make_ticket(cast, by=cast.support, channel="phone").channel == "phone"
