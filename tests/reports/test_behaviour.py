"""Results beside behaviour: sums of both for the same agents and days, and only of agents the reader sees in monitoring."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import AccessEvent
from monitoring.engine.signals import FAMILIES
from monitoring.models import AgentDay, DayScore
from reports.models import DayFigure
from tests.monitoring.factories import make_alert
from tests.reports.factories import make_day

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 10)
ADDRESS = f"?first={DAY}&last={DAY}&period=own"


@pytest.fixture
def filled(cast) -> None:
    fields = {"day": DAY, "brand": cast.brand}
    make_day(
        DayFigure,
        **fields,
        desk=cast.desk,
        owner=cast.agent,
        leads=10,
        first_deposits=2,
        call_seconds=3720,
        deposits=Decimal(750),
    )
    make_day(DayFigure, **fields, desk=cast.other_desk, owner=cast.other_agent, leads=5, deposits=Decimal(100))
    for agent, outside in ((cast.agent, 37), (cast.other_agent, 2)):
        AgentDay.objects.create(agent=agent, day=DAY, clients=50, outside_clients=outside, reveals=4, exports=1)
    p = [0.5] * len(FAMILIES)
    p[1] = 0.0001
    DayScore.objects.create(
        agent=cast.agent,
        day=DAY,
        expected=[],
        dispersion=[],
        feature_p=[],
        family_p=p,
        probability=0.001,
        is_final=True,
        scored_at=timezone.now(),
    )
    make_alert(cast.agent, day=DAY)


def rows_of(page: str) -> list[str]:
    bodies = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in bodies[0].split("</tr>")][:-1]


def test_results_and_behaviour_stand_side_by_side(cast, filled, browse, django_assert_max_num_queries):
    address = reverse("reports_behaviour") + ADDRESS
    browser = browse(cast.administrator)
    browser.get(address)
    with django_assert_max_num_queries(28):
        page = browser.get(address).content.decode()
    first, second = rows_of(page)
    assert "10 2 20.0 % €750 0 1 h 2 min 1 1 open 1 50 37 4 1 Outside own book" in first.replace("\xa0", " ")
    assert second.startswith(str(cast.other_agent)[0]) and second.endswith("0 0 50 2 4 1 –")
    assert reverse("monitoring_agent", args=[cast.agent.pk]) in page
    (brand,) = rows_of(browser.get(address + "&by=brand&sort=-outside").content.decode())
    assert "2 agents" in brand and "1 1 open 1 100 39 8 2" in brand
    desks = rows_of(browser.get(address + "&by=desk&sort=outside").content.decode())
    assert [str(cast.other_desk) in row for row in desks] == [True, False]
    assert AccessEvent.objects.filter(user=cast.administrator, target="reports.behaviour").count() == 4


def test_only_of_agents_in_reach_and_for_those_who_see_names(cast, filled, browse):
    address = reverse("reports_behaviour") + ADDRESS
    (row,) = rows_of(browse(cast.desk_head).get(address).content.decode())
    assert str(cast.agent) in row and " 37 " in row
    for other in (cast.auditor, cast.finance, cast.agent):
        assert browse(other).get(address).status_code == 403
