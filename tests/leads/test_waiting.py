"""Leads that wait in a pool: one due row per brand, which is there while there is something to route."""

import datetime as dt

import pytest
import time_machine

from clients.books import move_clients
from crm import due, events
from crm.models import DueRow, User
from leads import waiting
from leads.models import Lead

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def nobody(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=False)


def somebody(cast):
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=True)


def row():
    return DueRow.objects.filter(kind=waiting.ROUTE_WAITING.code).latest("pk")


def sweep(at):
    with time_machine.travel(at, tick=False):
        return due.sweep(kinds=[waiting.ROUTE_WAITING])


def captured(capture, at, number=1):
    with time_machine.travel(at, tick=False):
        return capture(email=f"l{number}@web.de", phone=f"0151 2345678{number}", last_name=f"L{number}").lead


def test_a_lead_that_found_an_agent_waits_for_nothing(cast, german_rule, capture):
    assert capture().lead.assigned_to == cast.agent
    assert not DueRow.objects.filter(kind=waiting.ROUTE_WAITING.code).exists()


def test_more_leads_do_not_put_it_off(cast, nobody, capture):
    captured(capture, NOW)
    captured(capture, NOW + MINUTE / 2, 2)
    assert (row().key, row().brand_id, row().at) == (str(cast.brand.pk), cast.brand.pk, NOW + MINUTE)


def test_it_comes_again_each_minute_until_somebody_is_there(cast, nobody, capture):
    lead = captured(capture, NOW)
    assert sweep(NOW + MINUTE) == 1
    assert (row().state, row().at) == ("pending", NOW + 2 * MINUTE)
    somebody(cast)
    assert sweep(NOW + 2 * MINUTE) == 1
    assert row().state == "done"
    assert Lead.objects.get(pk=lead.pk).assigned_to == cast.agent


def test_where_one_turn_is_not_enough_it_goes_on_at_once(cast, nobody, capture, monkeypatch):
    monkeypatch.setattr(waiting, "ASSIGNED_MAX", 2)
    for number in (1, 2, 3):
        captured(capture, NOW, number)
    somebody(cast)
    assert sweep(NOW + MINUTE) == 2, "the second turn in the same sweep"
    assert not Lead.objects.filter(assigned_to=None).exists() and row().state == "done"


def test_one_that_fails_stops_no_other(cast, nobody, capture, monkeypatch):
    bad, good = (captured(capture, NOW, number) for number in (1, 2))
    somebody(cast)
    route_one = waiting._route_one

    def fail_on_bad(pk):
        if pk == bad.pk:
            raise ValueError("no")
        return route_one(pk)

    monkeypatch.setattr(waiting, "_route_one", fail_on_bad)
    assert sweep(NOW + MINUTE) == 1
    assert Lead.objects.get(pk=good.pk).assigned_to == cast.agent
    assert Lead.objects.get(pk=bad.pk).assigned_to is None and row().state == "pending"


def test_a_lead_moved_into_a_pool_waits_again(cast, german_rule, capture):
    lead = capture().lead
    move_clients(client_ids=[lead.client_id], to_book_id=cast.pool.pk, actor=cast.desk_head, reason="holiday")
    events.drain()
    assert row().state == "pending"


def test_leads_that_no_agent_can_take_keep_no_other_waiting(cast, nobody, capture, monkeypatch):
    """Each pass goes on behind the last one, and begins again at the oldest when it is through."""
    monkeypatch.setattr(waiting, "LOOKED_AT_MAX", 2)
    leads = [captured(capture, NOW, number) for number in (1, 2, 3, 4, 5)]
    Lead.objects.filter(pk__in=[lead.pk for lead in leads[:4]]).update(language="fr")
    somebody(cast)
    with time_machine.travel(NOW + MINUTE, tick=False):
        passes = [waiting.route_waiting(brand_id=cast.brand.pk) for _pass in range(3)]
    assert [one.assigned for one in passes] == [0, 0, 1]
    assert [one.is_over for one in passes] == [False, False, True]
    assert Lead.objects.get(pk=leads[4].pk).assigned_to == cast.agent


def test_where_no_agent_has_room_nothing_is_looked_at(cast, nobody, capture, django_assert_max_num_queries):
    captured(capture, NOW)
    with django_assert_max_num_queries(16):
        assert waiting.route_waiting(brand_id=cast.brand.pk) == (0, True)
