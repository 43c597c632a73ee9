"""Figures of a day belong to the agent, book and desk that the client had then: a move changes what comes, never what was."""

import datetime as dt
import threading

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from clients.books import move_client, move_clients
from clients.models import Call, Client, Ownership
from crm.models import Book, User
from reports import upkeep
from reports.homes.month import own_month
from reports.models import CohortMonth, DayFigure, OriginDay
from tests.cast import make_client
from tests.ib.test_settlement import arrived
from tests.reports.test_reports import lead, ranked
from tests.reports.test_upkeep import follows
from wallet.models import Deposit

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def ago(days: float) -> dt.datetime:
    """Noon of an earlier day."""
    return timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - dt.timedelta(days=days)


def was_moved(client, book, at) -> None:
    """The client is moved as it would have been at an earlier time."""
    Ownership.objects.create(client=client, book=book, owner=book.owner, since=at)
    Client.objects.filter(pk=client.pk).update(book=book, owner=book.owner)


def rows_of(agent, figure="deposits", model=DayFigure) -> dict:
    """One figure of an agent by day."""
    upkeep.refresh()
    found = model.objects.filter(owner=agent, **{f"{figure}__gt": 0}).order_by("day")
    return {row.day: getattr(row, figure) for row in found}


def sums(*figures) -> list:
    return [sum(getattr(row, name) for row in DayFigure.objects.all()) for name in figures]


@pytest.fixture
def world(cast):
    """The German agent's client of last month: a lead, a call and two deposits."""
    Client.objects.filter(pk=cast.client.pk).update(created_at=ago(40), registered_at=ago(40))
    lead(cast.client, at=ago(40), agent=cast.agent, touched_after=60)
    Call.objects.create(client=cast.client, agent=cast.agent, outcome="reached", started_at=ago(8), duration_seconds=30)
    arrived(cast, 500_00, ago(8), "a")
    arrived(cast, 70_00, ago(7), "b")
    cast.spanish_book = Book.objects.get(owner=cast.other_agent)
    upkeep.refresh()
    return cast


def test_a_move_leaves_the_past_and_the_new_agents_figures_start_with_it(world):
    before = rows_of(world.agent)
    assert before == {ago(8).date(): 500, ago(7).date(): 70}
    move_client(client_id=world.client.pk, to_book_id=world.spanish_book.pk)
    arrived(world, 900_00, timezone.now(), "c")
    upkeep.rebuild()
    assert rows_of(world.agent) == before
    assert rows_of(world.other_agent) == {timezone.now().date(): 900}
    new = DayFigure.objects.get(owner=world.other_agent, deposits=900)
    assert (new.book, new.desk) == (world.spanish_book, world.other_desk)
    follows()


def test_the_money_of_the_day_of_the_move_is_parted_at_its_hour(world):
    was_moved(world.client, world.spanish_book, ago(3))
    arrived(world, 11_00, ago(3) - HOUR, "before")
    arrived(world, 22_00, ago(3) + HOUR, "after")
    assert (rows_of(world.agent)[ago(3).date()], rows_of(world.other_agent)[ago(3).date()]) == (11, 22)


def test_what_arrives_late_counts_for_who_had_the_client_when_it_happened(world):
    was_moved(world.client, world.spanish_book, ago(3))
    upkeep.refresh()
    arrived(world, 33_00, ago(5), "late")
    Call.objects.create(client=world.client, agent=world.agent, outcome="reached", started_at=ago(5))
    assert rows_of(world.agent)[ago(5).date()] == 33
    assert rows_of(world.other_agent) == {}
    call = DayFigure.objects.get(day=ago(5).date(), calls=1)
    assert (call.owner, call.book, call.desk) == (world.agent, world.book, world.desk)


def test_a_chargeback_counts_for_who_has_the_client_when_it_comes(world):
    """The deposit stays with the agent who won it; the loss lies on its own day."""
    journal = Deposit.objects.get(settled_at=ago(8)).journal
    was_moved(world.client, world.spanish_book, ago(3))
    Deposit.objects.filter(settled_at=ago(8)).update(state="charged_back", reversal=journal)
    assert rows_of(world.agent)[ago(8).date()] == 500
    assert rows_of(world.other_agent, "reversals") == {journal.posted_at.date(): 500}


def test_leads_registrations_and_contacts_stay_with_their_agent(world):
    before = [rows_of(world.agent, name) for name in ("leads", "touched", "touch_seconds", "registrations", "calls")]
    move_client(client_id=world.client.pk, to_book_id=world.spanish_book.pk)
    names = ("leads", "touched", "touch_seconds", "registrations", "calls")
    assert [rows_of(world.agent, name) for name in names] == before
    assert before[2] == {ago(40).date(): 60}


def newcomer(world, *, at, book=None, **fields) -> Client:
    client = make_client(
        brand=world.brand, book=book or world.pool, email=f"n{at.timestamp()}@example.com", login=False
    )
    Client.objects.filter(pk=client.pk).update(created_at=at)
    lead(client, at=at, **fields)
    return client


@pytest.mark.parametrize(("days", "is_counted"), [(0.1, True), (2.9, True), (3, False), (20, False)])
def test_a_lead_nobody_has_counts_for_the_first_agent_within_three_days(world, days, is_counted):
    at = ago(30)
    client = newcomer(world, at=at)
    assert DayFigure.objects.filter(owner=None, desk=world.desk, leads=1).count() == 0
    was_moved(client, world.book, at + dt.timedelta(days=days))
    was_moved(client, world.spanish_book, at + dt.timedelta(days=days + 0.5))
    assert (rows_of(world.agent, "leads").get(at.date()), rows_of(world.other_agent, "leads")) == (
        (1, {}) if is_counted else (None, {})
    )
    assert DayFigure.objects.filter(owner=None, leads=1).exists() is not is_counted
    assert (at.date() in rows_of(world.agent, "seen", OriginDay)) is is_counted


def test_a_lead_counts_for_who_had_it_at_the_end_of_its_first_day(world):
    at = ago(30)
    client = newcomer(world, at=at, book=world.book)
    was_moved(client, world.spanish_book, at + 5 * HOUR)
    was_moved(client, world.book, at + 30 * HOUR)
    assert rows_of(world.other_agent, "leads") == {at.date(): 1}


def test_a_lead_counts_for_who_contacted_it_before_it_was_handed_over(world):
    """Sales wins it, retention gets it within the hour: the lead was sales'."""
    at = ago(30)
    client = newcomer(world, at=at, book=world.book, touched_after=600)
    was_moved(client, world.spanish_book, at + HOUR)
    assert rows_of(world.agent, "touch_seconds")[at.date()] == 600
    assert rows_of(world.other_agent, "leads") == {}


def test_time_to_first_contact_begins_with_the_assignment(world):
    at = ago(30)
    client = newcomer(world, at=at, touched_after=4 * 3600)
    was_moved(client, world.book, at + 3 * HOUR)
    assert rows_of(world.agent, "touch_seconds")[at.date()] == 3600


def test_todays_lead_follows_to_the_agent_who_has_it_tonight(world):
    client = newcomer(world, at=timezone.now(), book=world.book)
    assert list(rows_of(world.agent, "leads"))[-1] == timezone.now().date()
    move_client(client_id=client.pk, to_book_id=world.spanish_book.pk)
    assert rows_of(world.other_agent, "leads") == {timezone.now().date(): 1}
    follows()


def test_a_book_moved_to_another_desk_leaves_its_past_there(world):
    Book.objects.filter(pk=world.book.pk).update(desk=world.other_desk)
    arrived(world, 900_00, timezone.now(), "c")
    upkeep.rebuild()
    assert {(row.day, row.desk) for row in DayFigure.objects.filter(owner=world.agent, deposits__gt=0)} == {
        (ago(8).date(), world.desk),
        (ago(7).date(), world.desk),
        (timezone.now().date(), world.other_desk),
    }


def test_a_cohort_stays_with_the_desk_that_registered_it(world):
    """Deposits of one month at two desks are one depositor."""
    Deposit.objects.filter(settled_at=ago(7)).update(settled_at=ago(8) + 2 * HOUR)
    was_moved(world.client, world.spanish_book, ago(8) + HOUR)
    follows()
    months = CohortMonth.objects.filter(deposits__gt=0)
    assert [(row.desk, row.depositors, row.deposits) for row in months] == [(world.desk, 1, 570)]


def test_many_moved_at_once_change_no_sum(world):
    many = [newcomer(world, at=ago(20 + n / 100), book=world.book) for n in range(25)]
    upkeep.refresh()
    before, past = sums("leads", "deposits", "calls"), rows_of(world.agent, "leads")
    move_clients(client_ids=[c.pk for c in (*many, world.client)], to_book_id=world.spanish_book.pk)
    follows()
    assert (sums("leads", "deposits", "calls"), rows_of(world.agent, "leads")) == (before, past)
    assert rows_of(world.other_agent, "leads") == {}


def test_the_agents_home_and_the_performance_page_show_the_past(world, browse):
    move_client(client_id=world.client.pk, to_book_id=world.spanish_book.pk)
    upkeep.refresh()
    assert (
        sum(sums.deposits for sums in own_month(User.objects.get(pk=world.agent.pk)).days(ago(8).date(), ago(7).date()))
        == 570
    )
    lines = ranked(world.finance, ago(10).date(), ago(1).date())
    assert [(line.name, line.desk, line.deposits) for line in lines if line.deposits] == [
        (str(world.agent), str(world.desk), 570)
    ]
    assert [line.name for line in ranked(world.desk_head, ago(10).date(), ago(1).date())] == [str(world.agent)]
    page = browse(world.desk_head).get(reverse("reports_performance"), {"first": ago(10).date(), "last": ago(1).date()})
    assert "570" in page.content.decode()


def test_the_daily_check_completes_a_history_that_triggers_did_not_see(world):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        client = newcomer(world, at=ago(5), book=world.book)
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert upkeep.check() >= 1
    assert Ownership.objects.filter(client=client).count() == 1
    assert rows_of(world.agent, "leads")[ago(5).date()] == 1
    assert upkeep.check() == 0


@pytest.mark.django_db(transaction=True)
def test_moves_and_rebuilds_at_once_neither_block_nor_part_a_day(cast):
    clients = [make_client(brand=cast.brand, book=cast.book, email=f"c{n}@example.com", login=False) for n in range(20)]
    for client in clients:
        lead(client, at=ago(5), agent=cast.agent)
    books = [Book.objects.get(owner=cast.other_agent).pk, cast.book.pk]
    failures: list[Exception] = []

    def move() -> None:
        try:
            for turn in range(8):
                move_clients(client_ids=[c.pk for c in clients], to_book_id=books[turn % 2], is_owner_notified=False)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    movers = [threading.Thread(target=move) for _ in range(2)]
    for mover in movers:
        mover.start()
    while any(mover.is_alive() for mover in movers):
        upkeep.rebuild()
        assert sum(row.leads for row in DayFigure.objects.filter(day=ago(5).date())) == 20
        upkeep.refresh()
    for mover in movers:
        mover.join(60)
    assert failures == []
    upkeep.refresh()
    assert upkeep.check() == 0
    assert [row.leads for row in DayFigure.objects.filter(owner=cast.agent, leads__gt=0)] == [20]
