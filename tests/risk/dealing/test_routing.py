"""Execution books: proposed with a reason, approved by another, dated, and only for those who may see them."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm import approvals
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, OutboxEvent, User
from risk.abuse import scoring
from risk.abuse.dealing import flagged_clients
from risk.dealing.models import ClientRouting
from risk.dealing.routing import current_of, plan, propose_routing, propose_routing_for, share_text
from tests.cast import make_staff
from tests.risk.abuse.test_episodes import hedged_accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(cast):
    return make_staff("second.finance@keelson.example", Role.FINANCE, brand=cast.brand)


@pytest.fixture
def episode(cast):
    hedged_accounts(cast)
    return scoring.score_next()[1][0]


def propose(cast, book="a", **given) -> ClientRouting:
    return propose_routing(client_id=cast.client.pk, book=book, actor=cast.finance, reason="Wins on news", **given)


def test_a_book_is_in_force_once_another_person_approves(cast, second, episode):
    row = propose(cast, "split", passed_percent=40, episode_id=episode.pk)
    assert current_of([cast.client.pk]) == {} and row.episode == episode
    with pytest.raises(NotAllowed):
        approvals.approve(ClientRouting, row.pk, actor=cast.finance)
    with pytest.raises(WrongState):
        propose(cast)
    approvals.approve(ClientRouting, row.pk, actor=second)
    now = current_of([cast.client.pk])[cast.client.pk]
    assert (now.pk, share_text(now), now.decided_by) == (row.pk, "40 % A, 60 % B", second)
    event = OutboxEvent.objects.get(name="risk.routing_changed")
    assert (event.payload["book"], event.payload["passed_percent"]) == ("split", 40)
    assert AuditEvent.objects.filter(action="risk.routing_approved", client_id=cast.client.pk).count() == 1
    later = propose(cast, "b")
    approvals.approve(ClientRouting, later.pk, actor=second)
    assert current_of([cast.client.pk])[cast.client.pk].book == "b"
    with pytest.raises(DomainError, match="Already"):
        propose(cast, "b")


@pytest.mark.parametrize(("book", "percent"), [("split", None), ("split", 0), ("split", 100), ("c", None)])
def test_a_split_needs_its_share_and_nothing_else_is_a_book(cast, book, percent):
    with pytest.raises(DomainError):
        propose(cast, book, passed_percent=percent)
    assert not ClientRouting.objects.exists()


def test_the_database_holds_that_share_and_book_agree(cast):
    row = propose(cast)
    with pytest.raises(IntegrityError, match="routing_share_fits_its_book"), transaction.atomic():
        ClientRouting.objects.filter(pk=row.pk).update(passed_percent=50)


def test_a_case_of_somebody_else_and_clients_out_of_reach_are_refused(cast, episode):
    with pytest.raises(DomainError, match="case of this client"):
        propose(cast, episode_id=episode.pk + 1000)
    for person in (cast.agent, cast.mlro, cast.desk_head):
        with pytest.raises(NotAllowed):
            propose_routing(client_id=cast.client.pk, book="a", actor=person, reason="x")
    assert not ClientRouting.objects.exists()


def test_many_are_proposed_after_a_preview_with_their_newest_case(cast, second, episode, browse):
    held = propose(cast, "a")
    approvals.approve(ClientRouting, held.pk, actor=second)
    ids = [cast.client.pk, cast.other_client.pk]
    finance = User.objects.get(pk=cast.finance.pk)
    assert [bool(line.problem) for line in plan(client_ids=ids, user=finance, book="a", passed_percent=None)].count(
        True
    ) == 1
    browser, address = browse(cast.finance), reverse("risk_routing_propose")
    given = {"client": ids, "book": "a", "reason": "Both win on news"}
    assert b"Selected clients" in browser.post(address, {"client": ids, "step": "choose"}).content
    shown = browser.post(address, {**given, "step": "preview"}).content.decode()
    assert "proposed for 1 of 2 selected clients" in shown and ClientRouting.objects.count() == 1
    browser.post(address, {**given, "step": "propose"})
    row = ClientRouting.objects.get(state="pending")
    assert (row.client, row.episode, row.requested_by) == (cast.other_client, episode, cast.finance)
    with pytest.raises(DomainError, match="Nothing to propose"):
        propose_routing_for(client_ids=ids, book="a", actor=cast.finance, reason="again")


def test_card_list_filter_and_export_are_for_those_with_the_right(cast, second, episode, browse):
    approvals.approve(ClientRouting, propose(cast, "a", episode_id=episode.pk).pk, actor=second)
    page = reverse("client_tab", args=[cast.client.pk, "trading"])
    browser = browse(second)
    assert "A-book" not in browser.get(reverse("client", args=[cast.client.pk])).content.decode()
    assert "A-book" in browser.get(page).content.decode() and "Wins on news" in browser.get(page).content.decode()
    sales = browse(cast.desk_head)
    assert "A-book" not in sales.get(page).content.decode()
    assert sales.get(reverse("risk_routing")).status_code == 403
    assert "A-book" not in sales.get(reverse("risk_dealing")).content.decode()
    assert [row.client for row in flagged_clients(second, cast.brand, book="a")] == [cast.client]
    assert [row.client for row in flagged_clients(second, cast.brand, book="none")] == [cast.other_client]
    assert len(flagged_clients(cast.desk_head, cast.brand, book="none")) == 1
    listed = browser.get(reverse("risk_routing"))
    assert len(listed.context["table"].page.rows) == 1
    text = browser.get(reverse("risk_dealing") + "?export=csv&book=a").content.decode()
    assert "A-book" in text and str(cast.other_client) not in text
    assert AccessEvent.objects.filter(user=second, kind="export", target="risk.dealing", rows=1).exists()
    assert browse(cast.mlro).get(reverse("risk_dealing") + "?export=csv").status_code == 403
