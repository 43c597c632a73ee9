"""Pages of tickets, for staff and in the portal: what they show, to whom, and with how many queries."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.models import AccessEvent
from support import solving, tickets
from support.models import Ticket, TicketFile
from support.talk.conversation import Written
from tests.cast import signed_in
from tests.support.conftest import make_ticket

pytestmark = pytest.mark.django_db


def test_queue_takes_few_queries(cast, ticket, django_assert_max_num_queries):
    for _number in range(5):
        make_ticket(cast)
    browser = signed_in(cast.support)
    assert browser.get("/tickets/")["Location"] == "/tickets/?stage=ours"
    browser.get("/tickets/?stage=ours")
    with django_assert_max_num_queries(12):
        page = browser.get("/tickets/?stage=ours").content.decode()
    assert "#1 Deposit missing" in page and "Clara Weber" in page
    assert "Deposit missing" not in signed_in(cast.other_agent).get("/tickets/?stage=ours").content.decode()
    for filters in ("replied=late", "replied=0", "clock=late", "assigned=nobody", "state=new", "q=Deposit"):
        assert browser.get(f"/tickets/?{filters}").status_code == 200


def test_ticket_page_replies_solves_and_logs_the_view(cast, ticket, django_assert_max_num_queries):
    browser, url = signed_in(cast.support), ticket.get_absolute_url()
    for _number in range(5):
        tickets.reply_as_client(ticket_id=ticket.pk, actor=cast.client_user, written=Written("And?"))
    browser.get(url)
    with django_assert_max_num_queries(18):
        assert browser.get(url).status_code == 200
    assert AccessEvent.objects.filter(user=cast.support, target=f"support.ticket:{ticket.pk}").exists()
    assert browser.post(f"{url}write/", {"act": "pending", "text": " "}).status_code == 422
    file = SimpleUploadedFile("answer.pdf", b"%PDF-1.7 answer")
    browser.post(f"{url}write/", {"act": "note", "text": "Ask <b>finance</b>.", "files": [file]})
    browser.post(f"{url}write/", {"act": "solve", "text": "It is there now."})
    assert Ticket.objects.get(pk=ticket.pk).state == "solved"
    page = browser.get(url).content.decode()
    assert "Ask &lt;b&gt;finance&lt;/b&gt;." in page and "It is there now." in page
    row = TicketFile.objects.get()
    sent = browser.get(f"/tickets/files/{row.pk}/")
    assert b"".join(sent.streaming_content) == b"%PDF-1.7 answer"
    assert sent["Content-Disposition"] == 'attachment; filename="answer.pdf"'
    client = signed_in(cast.client_user)
    assert client.get(f"/portal/tickets/files/{row.pk}/").status_code == 404  # of an internal note
    assert signed_in(cast.other_agent).get(url).status_code == 404
    tab = browser.get(f"/clients/{cast.client.pk}/tab/tickets/", HTTP_HX_REQUEST="true")
    assert tab.status_code == 200


def test_client_sees_own_tickets_without_notes(cast, ticket, django_assert_max_num_queries):
    tickets.add_note(ticket_id=ticket.pk, actor=cast.support, written=Written("A difficult person."))
    browser, stranger = signed_in(cast.client_user), signed_in(cast.other_client_user)
    url = ticket.portal_url
    browser.get(url)
    with django_assert_max_num_queries(12):
        page = browser.get(url).content.decode()
    assert "difficult" not in page and "My deposit" in page
    with django_assert_max_num_queries(10):
        assert "Deposit missing" in browser.get("/portal/tickets/").content.decode()
    assert stranger.get(url).status_code == 404
    assert stranger.post(f"{url}reply/", {"text": "Hi"}).status_code == 404
    assert browser.post(f"{url}reply/", {"text": ""}).status_code == 422
    browser.post(f"{url}solve/")
    browser.post(f"{url}rate/", {"rating": "5", "comment": "Fine"})
    assert Ticket.objects.get(pk=ticket.pk).rating == 5
    browser.post(f"{url}reopen/")
    assert Ticket.objects.get(pk=ticket.pk).state == "open"
    sent = {"category": "trading", "subject": "Stop-loss", "text": "Not filled."}
    made = browser.post("/portal/tickets/new/", sent)
    assert made["Location"] == Ticket.objects.get(subject="Stop-loss").portal_url
    assert browser.post("/portal/tickets/new/", {**sent, "text": ""}).status_code == 422


def test_staff_open_a_ticket_for_a_client_and_assign_it(cast):
    browser = signed_in(cast.support)
    address = f"/clients/{cast.client.pk}/tickets/new/"
    assert browser.get(address).status_code == 200
    given = {"channel": "phone", "category": "deposit", "subject": "Called", "text": "Where is the money?"}
    browser.post(address, given)
    ticket = Ticket.objects.get(subject="Called")
    assert (ticket.channel, ticket.opened_by) == ("phone", cast.support)
    url = ticket.get_absolute_url()
    assert browser.get(f"{url}assign/").status_code == 200
    browser.post(f"{url}assign/", {"to": cast.agent.pk, "priority": 4})
    assert Ticket.objects.get(pk=ticket.pk).work.assigned_to == cast.agent
    browser.post(f"{url}do/take/")
    browser.post(f"{url}do/category/", {"category": "platform"})
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert (ticket.work.assigned_to, ticket.category) == (cast.support, "platform")
    solving.solve_ticket(ticket_id=ticket.pk, actor=cast.support)
    browser.post(f"{url}do/reopen/")
    assert Ticket.objects.get(pk=ticket.pk).state == "open"
