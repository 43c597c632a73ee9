"""Own hours, shifts, and the raw material that edits, e-mails and files about a client leave."""

import datetime as dt

import pytest

from clients import mail, profile
from crm.models import AccessEvent
from monitoring import baselines
from monitoring.features import HABIT_KNOWN_FROM, count_days
from monitoring.models import AgentDay
from tests.monitoring.factories import DAY, at, look

pytestmark = pytest.mark.django_db


def mask(*hours: int) -> int:
    return sum(1 << hour for hour in hours)


def habit(agent, *hours: int, days: int = 40) -> None:
    worked = (DAY - dt.timedelta(days=back) for back in range(1, days + 1))
    AgentDay.objects.bulk_create(
        AgentDay(agent=agent, day=day, hours=mask(*hours), active_hours=len(hours))
        for day in worked
        if day.isoweekday() < 6
    )


def odd(agent, *moments: dt.datetime) -> int:
    for moment in moments:
        look(agent, moment, client=5)
    day = moments[0].date()
    count_days(day, day)
    return AgentDay.objects.get(agent=agent, day=day).odd_hours


def test_the_night_shift_works_at_night(cast):
    habit(cast.agent, 22, 23, 0, 1, 2)
    habit(cast.other_agent, 9, 10, 11, 14, 15)
    moments = [at(23), at(1), at(22)]
    assert odd(cast.agent, *moments) == 0
    assert odd(cast.other_agent, *moments) == 3
    assert odd(cast.agent, *moments, at(10)) == 1
    saturday = DAY + dt.timedelta(days=2)
    assert odd(cast.agent, at(23, day=saturday)) == 1, "never at weekends"
    assert AgentDay.objects.get(agent=cast.agent, day=DAY).hours == mask(1, 10, 22, 23)


def test_a_new_colleague_has_the_hours_of_everybody(cast):
    habit(cast.agent, 22, 23, days=HABIT_KNOWN_FROM)
    assert odd(cast.agent, at(23), at(10)) == 1
    AgentDay.objects.filter(agent=cast.agent).delete()
    habit(cast.agent, 22, 23, days=2 * HABIT_KNOWN_FROM)
    assert odd(cast.agent, at(23, day=DAY), at(10)) == 2, "each look counts"
    assert AgentDay.objects.get(agent=cast.agent, day=DAY).hours


def test_the_night_shift_has_peers_of_its_own(cast, monkeypatch):
    monkeypatch.setattr(baselines, "PEERS_MIN", 1)
    habit(cast.agent, 22, 23, 0, 1, 2)
    habit(cast.desk_head, 9, 10)
    assert baselines.night_workers() == {cast.agent.pk}
    day = baselines.groups_of_agents()
    AgentDay.objects.filter(agent=cast.agent).update(hours=mask(9, 10))
    assert baselines.night_workers() == set()
    assert len(set(day.values())) >= len(set(baselines.groups_of_agents().values()))


def test_changes_mails_and_files_leave_rows(cast):
    profile.change_profile(client_id=cast.client.pk, actor=cast.desk_head, changes={"city": "Kiel"})
    mail.write_to_client(
        client_id=cast.client.pk, actor=cast.desk_head, template="clients.free_text", subject="Hello", message="A line"
    )
    rows = AccessEvent.objects.filter(user=cast.desk_head).values_list("kind", "client_id", "rows")
    assert set(rows) == {("edit", cast.client.pk, 1), ("mail", cast.client.pk, 1)}
    for n in range(4):
        look(cast.agent, at(9, n), "edit", client=n + 1, in_book=n > 0)
    look(cast.agent, at(10), "export", client=7)
    look(cast.agent, at(10, 5), "export", rows=40)
    count_days(DAY, DAY)
    day = AgentDay.objects.get(agent=cast.agent, day=DAY)
    assert (day.edits, day.edits_outside, day.prints, day.exports, day.export_rows) == (4, 1, 1, 2, 41)
