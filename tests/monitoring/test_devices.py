"""Devices and countries of sign-ins, and whose peers somebody is."""

import datetime as dt

import pytest
from django.db import connection

from crm.choices import AccessKind, Role
from crm.models import AccessEvent
from crm.security import access_log
from crm.security.request_context import RequestContext, acting_in
from monitoring.baselines import groups_of_agents
from monitoring.features import count_days
from monitoring.models import AgentDay
from tests.cast import make_staff
from tests.monitoring.factories import DAY, at

pytestmark = pytest.mark.django_db


def use(user, moment, device, country="", kind="view"):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_accessevent (at, user_id, kind, device, country) VALUES (%s, %s, %s, %s, %s)",
            [moment, user.pk, kind, device, country],
        )


def counted(user):
    count_days(DAY, DAY)
    row = AgentDay.objects.get(agent=user, day=DAY)
    return row.new_devices, row.new_countries


def test_a_device_and_a_country_never_seen_before_are_new(cast):
    for back in (20, 8):
        use(cast.agent, at(9, day=DAY - dt.timedelta(days=back)), "Firefox · Windows", "CY", "login")
    use(cast.agent, at(9), "Firefox · Windows", "CY", "login")
    assert counted(cast.agent) == (0, 0)
    use(cast.agent, at(10), "Chrome · Android", "NG", "login")
    assert counted(cast.agent) == (1, 1)


def test_the_first_days_of_somebody_say_nothing_about_devices(cast):
    use(cast.agent, at(9, day=DAY - dt.timedelta(days=2)), "Firefox · Windows", "CY", "login")
    use(cast.agent, at(9), "Chrome · Android", "NG", "login")
    assert counted(cast.agent) == (0, 0)


def test_a_row_says_the_device_and_only_a_sign_in_the_country(cast):
    with acting_in(RequestContext(ip="127.0.0.1", device="Firefox · Windows")):
        access_log.note(user=cast.agent, kind=AccessKind.LOGIN)
    row = AccessEvent.objects.get(user=cast.agent, kind="login")
    assert (row.device, row.country) == ("Firefox · Windows", "")


def test_peers_are_those_of_the_desk_where_there_are_enough(cast):
    here = [make_staff(f"here{n}@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk) for n in range(6)]
    there = [
        make_staff(f"there{n}@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.other_desk) for n in range(6)
    ]
    groups = groups_of_agents()
    assert len({groups[person.pk] for person in here}) == 1
    assert groups[here[0].pk] != groups[there[0].pk]
