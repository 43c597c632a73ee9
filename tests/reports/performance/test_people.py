"""Figures of people: defined once, with targets, a leaderboard and the rows behind each, by who had the client on the day."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from clients.models import Call, Client
from crm.models import AccessEvent, Book, Desk
from reports import people, upkeep
from reports.choices import TargetFigure
from reports.filters import FilterForm
from reports.links import Links
from reports.models import ClientDay, DayFigure, Target
from reports.performance import definitions
from reports.performance.leaderboard import boards
from tests.cast import make_client, signed_in
from tests.ib.test_settlement import arrived
from tests.reports.factories import make_day
from tests.reports.test_past_owners import ago, was_moved
from tests.reports.test_reports import lead, table_of, text_of

pytestmark = pytest.mark.django_db
MAY, MAY_31 = dt.date(2026, 5, 1), dt.date(2026, 5, 31)


@pytest.fixture
def world(cast):
    """A lead, a call, a registration and a first deposit of one client, of three days ago, with the German agent."""
    Client.objects.update(created_at=ago(300), registered_at=ago(300))
    cast.late = make_client(brand=cast.brand, book=cast.book, email="late@web.de", login=False)
    Client.objects.filter(pk=cast.late.pk).update(created_at=ago(3), registered_at=ago(3), owner=cast.agent)
    lead(cast.late, at=ago(3), agent=cast.agent, touched_after=60, sla_missed=1)
    Call.objects.create(client=cast.late, agent=cast.agent, outcome="reached", started_at=ago(3), duration_seconds=90)
    deposit = arrived(cast, 500_00, ago(3), "a")
    type(deposit).objects.filter(pk=deposit.pk).update(is_first=True)
    upkeep.rebuild()
    cast.day = ago(3).date()
    return cast


def ranking(user, first, last, by="agent"):
    chosen = FilterForm({"first": first, "last": last}, user=user).selection()
    return people.ranking(chosen, Links.of(user, chosen), by=by)


def cells(line):
    return {cell.code: cell for cell in line.cells}


def test_every_figure_opens_the_rows_that_it_is_added_up_from(world):
    """Whatever becomes of the clients later: the rows are those of the agent and desk of the day."""
    was_moved(world.late, Book.objects.get(owner=world.other_agent), ago(1))
    upkeep.rebuild()
    browser = signed_in(world.finance)
    for by in ("agent", "desk"):
        line = next(
            line for line in ranking(world.finance, world.day, world.day, by).lines if line.desk == str(world.desk)
        )
        assert len(line.cells) == len(definitions.TABLE)
        for cell in line.cells:
            if cell.code == "withdrawals":
                assert (cell.text, cell.url) == ("€0", "")
                continue
            answer = browser.get(cell.url)
            assert answer.status_code == 200, cell
            if cell.code not in ("contacted", "speed"):
                total = table_of(answer).partition("Total")[2].split()
                assert total[-len(cell.text.split()) :] == cell.text.split(), (cell, total)
    target = AccessEvent.objects.filter(user=world.finance, target="reports.behind.net")
    assert [row.rows for row in target] == [1, 1]


def test_the_rows_behind_name_only_whom_the_reader_reaches(world):
    was_moved(world.late, Book.objects.get(owner=world.other_agent), ago(1))
    upkeep.rebuild()
    address = reverse("reports_behind", args=["calls"]) + f"?first={world.day}&last={world.day}&agent={world.agent.pk}"
    page = signed_in(world.desk_head).get(address)
    assert "Outside your access" in text_of(page) and f"/clients/{world.late.pk}/" not in page.content.decode()
    assert table_of(page).split()[-1] == "1"
    head = signed_in(world.desk_head)
    for wrong in (f"agent={world.other_agent.pk}", "agent=x", "agent=-1"):
        assert head.get(reverse("reports_behind", args=["calls"]) + f"?{wrong}").status_code == 404
    assert head.get(reverse("reports_behind", args=["bogus"])).status_code == 404
    assert signed_in(world.agent).get(address).status_code == 403


def test_a_pools_rows_are_those_without_an_agent(world):
    pooled = make_client(brand=world.brand, book=world.pool, email="p@web.de", login=False)
    lead(pooled, at=ago(3))
    upkeep.rebuild()
    line = next(line for line in ranking(world.finance, world.day, world.day).lines if not line.name)
    url = cells(line)["leads"].url
    assert "agent=none" in url
    page = signed_in(world.finance).get(url).content.decode()
    assert f"/clients/{pooled.pk}/" in page and f"/clients/{world.late.pk}/" not in page


def test_each_figure_has_one_definition_which_the_page_shows(world, browse):
    assert len({figure.code for figure in definitions.ALL}) == len(definitions.ALL)
    columns = {field.name for field in ClientDay._meta.get_fields()}
    assert all(set(figure.columns) <= columns for figure in definitions.ALL)
    assert set(definitions.BY_CODE) < set(people.SORTS)
    browser = browse(world.finance)
    for page in ("reports_performance", "reports_leaderboard"):
        text = text_of(browser.get(reverse(page)))
        for figure in definitions.RANKED:
            assert str(figure.meaning).split("'")[0] in text, figure.code


def month_of(cast):
    """Three agents of two desks in a May: ten, ten and four first deposits; in April the last one led."""
    third = Desk.objects.create(brand=cast.brand, name="Third desk")
    people_of = ((cast.desk, cast.agent), (cast.other_desk, cast.other_agent), (third, cast.retention))
    numbers = ((10, 4_000, 600, 60), (10, 1_000, 5_400, 30), (4, 9_000, 0, 90))
    for (desk, agent), (ftds, deposits, talk, speed) in zip(people_of, numbers, strict=True):
        fields = {"brand": cast.brand, "desk": desk, "owner": agent}
        make_day(
            DayFigure,
            day=MAY,
            leads=20,
            touched=1,
            touch_seconds=speed,
            first_deposits=ftds,
            deposits=Decimal(deposits),
            call_seconds=talk,
            **fields,
        )
        make_day(DayFigure, day=MAY - dt.timedelta(days=30), first_deposits=14 - ftds, **fields)


def board(user, code):
    chosen = FilterForm({"first": MAY, "last": MAY_31}, user=user, narrows=("brand", "desk")).selection()
    return boards(chosen, Links.of(user, chosen), definitions.BY_CODE[code])


def test_the_leaderboard_shares_places_and_says_who_moved(cast):
    month_of(cast)
    (ftds,) = board(cast.finance, "ftds")
    leaders = sorted([str(cast.agent), str(cast.other_agent)])
    assert [(place.line.name, place.number, place.moved, place.share) for place in ftds.places] == [
        *((name, 1, 1, 100) for name in leaders),
        (str(cast.retention), 3, -2, 40),
    ]
    (speed,) = board(cast.finance, "speed")
    assert [place.line.name for place in speed.places] == [str(cast.other_agent), str(cast.agent), str(cast.retention)]
    (talk,) = board(cast.finance, "talk")
    assert [place.number for place in talk.places] == [1, 2, None]
    (net,) = board(cast.finance, "net")
    assert (net.currency, net.places[0].line.name, net.places[0].cell.text) == ("EUR", str(cast.retention), "€9,000")


def test_targets_stand_beside_their_figures_where_the_days_can_be_compared(cast):
    month_of(cast)
    goals = {"first_deposits": 20, "ftd_rate": 40, "contact_minutes": 2, "talk_minutes": 5, "net_deposits": 3_000}
    for figure, value in goals.items():
        Target.objects.create(desk=cast.desk, agent=cast.agent, month=MAY, figure=figure, value=value)
    Target.objects.create(desk=cast.desk, month=MAY, figure="first_deposits", value=80)
    (of_month,) = board(cast.finance, "ftds")
    mine = next(place for place in of_month.places if place.line.name == str(cast.agent))
    found = cells(mine.line)
    assert (found["ftds"].target, found["ftds"].reached, found["ftds"].is_met) == ("20", 50, False)
    assert (found["rate"].target, found["rate"].is_met) == ("40.0 %", True)
    assert (found["speed"].target, found["speed"].reached, found["speed"].is_met) == ("2\u00a0min", 50, True)
    assert found["net"].is_met and found["talk"].target == ""
    line = next(line for line in ranking(cast.finance, MAY, MAY).lines if line.name == str(cast.agent))
    assert (cells(line)["talk"].target, cells(line)["talk"].is_met) == ("5\u00a0min", True)
    desk = next(line for line in ranking(cast.finance, MAY, MAY, "desk").lines if line.desk == str(cast.desk))
    assert cells(desk)["ftds"].target == "80"
    assert not definitions.target_holds(TargetFigure.NET_DEPOSITS, MAY.replace(day=2), MAY_31)
    assert not definitions.target_holds(TargetFigure.FTD_RATE, MAY, MAY_31 + dt.timedelta(days=1))


def test_the_leaderboard_is_for_who_sees_performance(cast, browse, django_assert_max_num_queries):
    month_of(cast)
    address = reverse("reports_leaderboard")
    browser = browse(cast.desk_head)
    browser.get(address)
    with django_assert_max_num_queries(24):
        page = table_of(browser.get(address, {"first": MAY, "last": MAY_31, "figure": "net"}))
    assert str(cast.agent) in page and str(cast.other_agent) not in page
    assert browse(cast.agent).get(address).status_code == 403
