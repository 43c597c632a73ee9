import datetime as dt

import pytest

from clients.models import Client
from monitoring.features import count_days
from monitoring.models import AgentDay
from tests.cast import make_client
from tests.monitoring.factories import DAY, at, look

pytestmark = pytest.mark.django_db


def counted(agent, day=DAY):
    count_days(day, day)
    return AgentDay.objects.get(agent=agent, day=day)


def test_a_day_is_counted_from_the_access_log(cast):
    clara, oscar = cast.client.pk, cast.other_client.pk
    look(cast.agent, at(9), client=clara)
    look(cast.agent, at(9, 5), client=clara)
    look(cast.agent, at(14), client=oscar, in_book=False, ip="10.0.0.2")
    look(cast.agent, at(14, 1), "search")
    look(cast.agent, at(14, 2), "reveal", client=oscar, in_book=False)
    look(cast.agent, at(14, 3), "reveal", client=clara)
    look(cast.agent, at(14, 4), "call", client=clara)
    look(cast.agent, at(15), "export", rows=320, in_book=None)
    look(cast.agent, at(15, 5), "download", client=clara)
    day = counted(cast.agent)
    assert (day.views, day.clients, day.outside_views, day.outside_clients) == (3, 2, 1, 1)
    assert (day.searches, day.reveals, day.reveals_without_call, day.calls) == (1, 2, 1, 1)
    assert (day.exports, day.export_rows, day.downloads) == (1, 320, 1)
    assert (day.active_hours, day.busiest_hour, day.addresses, day.off_hours) == (3, 2, 2, 0)
    assert (day.first_at, day.last_at) == (at(9), at(15, 5))


def test_dormant_clients_are_counted_apart(cast):
    Client.objects.filter(pk=cast.client.pk).update(stage="dormant")
    look(cast.agent, at(10), client=cast.client.pk)
    assert counted(cast.agent).dormant_views == 1


def test_a_day_is_the_agents_own_day(cast):
    cast.agent.time_zone = "Australia/Sydney"
    cast.agent.save(update_fields=["time_zone"])
    look(cast.agent, at(23, 30), client=cast.client.pk)  # 09:30 on the eleventh in Sydney
    count_days(DAY, DAY + dt.timedelta(days=1))
    day = AgentDay.objects.get(agent=cast.agent)
    assert (day.day, day.off_hours) == (DAY + dt.timedelta(days=1), 0)


@pytest.mark.parametrize(("moment", "off"), [(at(6, 59), 1), (at(7), 0), (at(20, 59), 0), (at(21), 1)])
def test_off_hours_are_before_seven_and_from_nine_in_the_evening(cast, moment, off):
    look(cast.agent, moment, client=cast.client.pk)
    assert counted(cast.agent).off_hours == off


def test_the_weekend_is_off_hours_and_signing_in_is_not_work(cast):
    saturday = DAY + dt.timedelta(days=2)
    look(cast.agent, at(11, 0, saturday), client=cast.client.pk)
    look(cast.agent, at(11, 1, saturday), "login")
    assert counted(cast.agent, saturday).off_hours == 1


def test_counting_again_replaces_the_counts(cast):
    look(cast.agent, at(9), client=cast.client.pk)
    counted(cast.agent)
    look(cast.agent, at(10), client=cast.client.pk)
    assert counted(cast.agent).views == 2 and AgentDay.objects.count() == 1


def test_clients_and_strangers_are_not_monitored(cast):
    look(cast.client_user, at(9), client=cast.client.pk)
    count_days(DAY, DAY)
    assert not AgentDay.objects.exists()


def test_any_number_of_agents_and_days_is_two_statements(cast, django_assert_num_queries):
    for n in range(20):
        look(cast.agent, at(9, n), client=cast.client.pk)
        look(cast.other_agent, at(9, n, DAY + dt.timedelta(days=1)), client=cast.client.pk)
    with django_assert_num_queries(2):  # the counts, then own hours
        assert count_days(DAY, DAY + dt.timedelta(days=3)) == 2


@pytest.mark.parametrize(
    ("called", "away", "outside"), [(1, True, 0), (0, True, 3), (1, False, 3)], ids=["covers", "only looks", "at work"]
)
def test_who_works_with_the_clients_of_a_colleague_who_is_away_works_in_the_own_book(cast, called, away, outside):
    book = cast.other_book
    assert book.owner_id == cast.other_agent.pk
    clients = [make_client(brand=cast.brand, book=book, email=f"{n}@covered.example", login=False) for n in range(3)]
    if not away:
        look(cast.other_agent, at(16), client=cast.other_client.pk)
    for n, client in enumerate(clients):
        look(cast.agent, at(9, n), client=client.pk, in_book=False)
        look(cast.agent, at(9, 10 + n), "reveal", client=client.pk, in_book=False)
        if called:
            look(cast.agent, at(9, 20 + n), "edit", client=client.pk, in_book=False)
    day = counted(cast.agent)
    assert (day.outside_views, day.outside_clients, day.one_owner, day.reveals_outside) == (outside,) * 4
    assert day.new_clients == outside * (not called) and day.edits_outside == outside * called
    assert day.silent_clients == 3
