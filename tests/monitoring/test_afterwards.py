"""What follows looks and calls: one partner's clients, clients who withdraw after a look, and calls without a result."""

import datetime as dt

import pytest

from clients.models import Call, Client
from monitoring.features import count_days
from monitoring.models import AgentDay
from tests.cast import make_client
from tests.compliance.aml.factories import moved
from tests.ib.factories import make_partner, refer
from tests.monitoring.factories import DAY, at, look

pytestmark = pytest.mark.django_db
FORTNIGHT = dt.timedelta(days=14)


@pytest.fixture
def others(cast) -> list[Client]:
    """Clients of another book, all of one partner."""
    partner = make_partner(cast.brand)
    found = [
        make_client(brand=cast.brand, book=cast.other_book, email=f"o{n}@post.example", login=False, stage="lead")
        for n in range(4)
    ]
    for client in found:
        refer(client, partner)
    return found


def counted(cast) -> AgentDay:
    count_days(DAY, DAY)
    return AgentDay.objects.get(agent=cast.agent, day=DAY)


def test_looks_at_one_partners_clients_and_what_leaves_after_them(cast, others):
    for n, client in enumerate(others):
        look(cast.agent, at(10, n), client=client.pk, in_book=False)
    look(cast.agent, at(10, 30), "call", client=others[3].pk, in_book=False)
    look(cast.agent, at(9, 0, DAY - dt.timedelta(days=5)), client=others[0].pk, in_book=False)
    moved(others[0], "withdrawal", 9_000, at(15))
    moved(others[1], "withdrawal", 50, at(15))
    row = counted(cast)
    assert (row.one_partner, row.left_after_looks) == (3, 1)
    Call.objects.create(client=others[0], agent=cast.agent, outcome="reached", started_at=at(8), duration_seconds=90)
    assert counted(cast).left_after_looks == 0, "they were in touch"


def test_clients_reached_two_weeks_ago_without_a_result(cast, others):
    look(cast.agent, at(10), client=cast.client.pk)
    for n, client in enumerate(others):
        Call.objects.create(
            client=client, agent=cast.agent, outcome="reached", started_at=at(11, n) - FORTNIGHT, duration_seconds=300
        )
    Client.objects.filter(pk=others[0].pk).update(stage="registered", registered_at=at(9))
    Call.objects.create(client=others[1], agent=cast.agent, outcome="reached", started_at=at(9), duration_seconds=60)
    row = counted(cast)
    assert (row.reached_before, row.no_result) == (4, 2)
