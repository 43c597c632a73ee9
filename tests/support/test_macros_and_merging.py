"""Macros fill in and set what they say; merged tickets show as one and can be taken apart; figures count what was done."""

from __future__ import annotations

import datetime as dt

import pytest

from crm.choices import WorkState
from crm.errors import DomainError, NotAllowed, WrongState
from support import merging, solving, tickets
from support.macro import figures, macros
from support.macro.macros import MacroContent
from support.models import Macro, Ticket
from support.talk.conversation import Written, conversation
from tests.cast import signed_in
from tests.support.conftest import make_ticket

pytestmark = pytest.mark.django_db


def make_macro(cast, **fields) -> Macro:
    content = MacroContent(**{"name": "Paid", "text": "Dear {{ first_name }}, #{{ number }} is done.", **fields})
    return macros.save_macro(brand_id=cast.brand.pk, actor=cast.support, content=content)


def test_macro_is_written_by_who_may_and_checked(cast):
    macro = make_macro(cast)
    content = MacroContent("Paid out", "Done, {{ full_name }}.", then="solved", category="deposit")
    macros.save_macro(brand_id=cast.brand.pk, actor=cast.administrator, content=content, macro_id=macro.pk)
    macro.refresh_from_db()
    assert (macro.name, macro.then, macro.category) == ("Paid out", "solved", "deposit")
    for person in (cast.agent, cast.desk_head, cast.auditor, cast.client_user):
        with pytest.raises(NotAllowed):
            macros.save_macro(brand_id=cast.brand.pk, actor=person, content=content)
    with pytest.raises(NotAllowed):
        macros.save_macro(brand_id=cast.other_brand.pk, actor=cast.support, content=content)
    wrong = [{"text": "{{ balance }}"}, {"name": " "}, {"name": "PAID OUT"}, {"then": "closed"}, {"category": "x"}]
    for fields in wrong:
        with pytest.raises(DomainError):
            make_macro(cast, **fields)
    assert Macro.objects.count() == 1


def test_macro_is_used_on_the_tickets_page(cast, ticket):
    macro = make_macro(cast, category="platform", assign_to_id=cast.agent.pk, then="pending")
    browser, url = signed_in(cast.support), ticket.get_absolute_url()
    assert "Dear Clara, #1 is done." in browser.get(f"{url}?macro={macro.pk}").content.decode()
    browser.post(f"{url}write/", {"act": "pending", "text": "Dear Clara, done.", "macro": macro.pk})
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.state, ticket.category, ticket.work.assigned_to) == ("pending", "platform", cast.agent)
    for address in ("/tickets/macros/", "/tickets/macros/new/", macro.get_absolute_url(), "/tickets/figures/?days=7"):
        assert browser.get(address).status_code == 200
    given = {"brand": cast.brand.pk, "name": "Thanks", "text": "Thank you.", "is_active": "on"}
    browser.post("/tickets/macros/new/", given)
    assert Macro.objects.filter(name="Thanks", is_active=True).exists()
    assert "Thanks" in browser.get("/tickets/macros/").content.decode()


def test_merge_shows_both_and_undo_takes_them_apart(cast):
    first, second = make_ticket(cast, text="One"), make_ticket(cast, text="Two")
    other = make_ticket(cast, client=cast.other_client)
    with pytest.raises(DomainError):
        merging.merge_tickets(ticket_id=second.pk, into_number=other.number, actor=cast.support)
    with pytest.raises(NotAllowed):
        merging.merge_tickets(ticket_id=second.pk, into_number=first.number, actor=cast.other_agent)
    browser = signed_in(cast.support)
    assert browser.get(f"{second.get_absolute_url()}merge/").status_code == 200
    browser.post(f"{second.get_absolute_url()}merge/", {"into": first.number})
    second = Ticket.objects.select_related("work").get(pk=second.pk)
    assert (second.state, second.merged_into, second.work.state) == ("merged", first, WorkState.CLOSED)
    assert [shown.text for shown in conversation(first, is_for_client=True)] == ["One", "Two"]
    client = signed_in(cast.client_user)
    assert client.get(second.portal_url)["Location"] == first.portal_url
    with pytest.raises(WrongState):
        tickets.reply_as_client(ticket_id=second.pk, actor=cast.client_user, written=Written("Three"))
    with pytest.raises(WrongState):
        solving.solve_ticket(ticket_id=second.pk, actor=cast.support)
    assert "Merged tickets" in browser.get(first.get_absolute_url()).content.decode()
    browser.post(f"{second.get_absolute_url()}do/unmerge/")
    second = Ticket.objects.select_related("work").get(pk=second.pk)
    assert (second.state, second.merged_into, second.work.state) == ("open", None, WorkState.OPEN)
    assert [shown.text for shown in conversation(first, is_for_client=True)] == ["One"]
    with pytest.raises(WrongState):
        merging.undo_ticket_merge(ticket_id=second.pk, actor=cast.support)


def test_figures_count_what_was_done(cast, django_assert_num_queries):
    for rating in (5, 2):
        ticket = make_ticket(cast)
        tickets.reply_to_client(ticket_id=ticket.pk, actor=cast.support, written=Written("Done."))
        solving.solve_ticket(ticket_id=ticket.pk, actor=cast.support)
        solving.rate_ticket(ticket_id=ticket.pk, actor=cast.client_user, rating=rating)
        hours = dt.timedelta(hours=rating)
        row = Ticket.objects.get(pk=ticket.pk)
        Ticket.objects.filter(pk=ticket.pk).update(first_replied_at=row.opened_at + hours, is_reply_late=rating == 5)
    make_ticket(cast, category="complaint")
    rows = figures.opened_within(cast.support, 30)
    with django_assert_num_queries(1):
        (agent,) = figures.by_agent(rows)
    assert (agent.label, agent.opened, agent.solved, agent.rated, agent.rating) == ("Support Tester", 2, 2, 2, 3.5)
    assert agent.reply_time == dt.timedelta(hours=3, minutes=30)
    by_category = {line.label: line.opened for line in figures.by_category(rows)}
    assert by_category == {"Deposit": 2, "Complaint": 1}
    assert not figures.by_category(figures.opened_within(cast.other_agent, 30))
