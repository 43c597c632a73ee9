"""The leads behind an agent's time to first contact are those that the figure is added up from."""

import datetime as dt

import pytest
from django.urls import reverse

from clients.models import Client
from crm.models import AccessEvent, Book
from reports import upkeep
from reports.filters import FilterForm
from reports.first_contacts.rows import contacts_of
from tests.cast import make_client, signed_in
from tests.reports.test_past_owners import ago, was_moved
from tests.reports.test_reports import lead, ranked

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast):
    """Two leads of the German agent, contacted after one minute and after an hour, and one who waits."""
    cast.people = [
        cast.client,
        *(make_client(brand=cast.brand, book=cast.book, email=f"{name}@web.de", login=False) for name in ("b", "c")),
    ]
    for client, seconds in zip(cast.people, (60, 3600, None), strict=True):
        Client.objects.filter(pk=client.pk).update(created_at=ago(3), owner=cast.agent)
        lead(client, at=ago(3), agent=cast.agent, touched_after=seconds, touched_by=cast.agent if seconds else None)
    upkeep.rebuild()
    cast.day = ago(3).date()
    return cast


def address(world):
    return reverse("reports_first_contacts", args=[world.agent.pk]) + f"?first={world.day}&last={world.day}"


def listed(world, user, **filters):
    day = str(world.day)
    return contacts_of(user, FilterForm({"first": day, "last": day, **filters}, user=user).selection(), world.agent)


def url_of(line, code):
    return next(cell.url for cell in line.cells if cell.code == code)


def test_the_rows_make_the_figure_and_the_page_links_to_them(world):
    line = next(line for line in ranked(world.desk_head, world.day, world.day) if line.name == str(world.agent))
    assert line.totals.speed_seconds == 1830 and url_of(line, "speed").startswith(address(world).partition("?")[0])
    found = listed(world, world.desk_head)
    assert [(row.client, row.seconds) for row in found.rows] == [(world.people[1], 3600), (world.people[0], 60)]
    assert (found.totals.speed_seconds, found.count) == (1830, 2)
    assert found.rows[0].contacted_at == ago(3) + dt.timedelta(hours=1) and found.rows[0].contacted_by == world.agent
    assert listed(world, world.desk_head, country="JP").rows == []


def test_the_page_shows_them_and_is_in_the_access_log(world):
    page = signed_in(world.desk_head).get(address(world)).content.decode()
    assert f"/clients/{world.people[1].pk}/" in page and f"/clients/{world.people[2].pk}/" not in page
    assert AccessEvent.objects.get(user=world.desk_head, target="reports.first_contacts").rows == 2


def test_who_is_out_of_reach_is_counted_and_not_named(world):
    was_moved(world.people[1], Book.objects.get(owner=world.other_agent), ago(1))
    upkeep.rebuild()
    found = listed(world, world.desk_head)
    assert [row.client for row in found.rows] == [None, world.people[0]] and found.totals.speed_seconds == 1830
    assert f"/clients/{world.people[1].pk}/" not in signed_in(world.desk_head).get(address(world)).content.decode()


def test_others_see_no_such_page(world):
    assert signed_in(world.agent).get(address(world)).status_code == 403
    other = reverse("reports_first_contacts", args=[world.other_agent.pk])
    assert signed_in(world.desk_head).get(other).status_code == 404
