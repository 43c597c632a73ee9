"""Typing is one search; the access log keeps every list that was shown, and nobody hides by typing."""

import datetime as dt

import pytest
from django.db import connection
from django.urls import reverse

from crm.models import AccessEvent
from monitoring.features import count_days
from monitoring.models import AgentDay
from tests.monitoring.factories import DAY, at

pytestmark = pytest.mark.django_db


def search(user, words, moment, *, target="table:clients", request="", session="s1") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_accessevent (at, user_id, kind, target, rows, reason, request_id, session) "
            "VALUES (%s, %s, 'search', %s, 20, %s, %s, %s)",
            [moment, user.pk, target, words, request, session],
        )


def one_after_another(user, words, *, seconds=1.0, **fields) -> None:
    for number, one in enumerate(words):
        search(user, one, at(10) + dt.timedelta(seconds=seconds * number), **fields)


def searches(user) -> int:
    count_days(DAY, DAY)
    return AgentDay.objects.get(agent=user, day=DAY).searches


def test_a_name_that_is_typed_is_one_search(cast):
    one_after_another(cast.agent, ["me", "Mei", "Meie", "meier", "Meier A", "Meier Anna"])
    assert searches(cast.agent) == 1
    assert AccessEvent.objects.filter(kind="search").count() == 6, "each list that was shown stays in the log"


def test_a_search_that_rested_counts(cast):
    one_after_another(cast.agent, ["mei", "meier"], seconds=11)
    assert searches(cast.agent) == 2


@pytest.mark.parametrize(("seconds", "count"), [(9, 1), (10, 1), (10.001, 2)])
def test_typing_goes_on_within_ten_seconds(cast, seconds, count):
    one_after_another(cast.agent, ["mei", "meier"], seconds=seconds)
    assert searches(cast.agent) == count


def test_the_searches_of_two_people_are_not_one(cast):
    search(cast.agent, "mei", at(10))
    search(cast.other_agent, "meier", at(10) + dt.timedelta(seconds=1))
    assert (searches(cast.agent), searches(cast.other_agent)) == (1, 1)


def test_typing_on_two_pages_or_in_two_windows_is_two_searches(cast):
    one_after_another(cast.agent, ["mei", "meier"])
    one_after_another(cast.agent, ["mei", "meier"], target="table:leads")
    one_after_another(cast.agent, ["mei", "meier"], session="s2")
    assert searches(cast.agent) == 3


def test_the_palette_asks_several_sources_in_one_request(cast):
    for number, words in enumerate(["mei", "meier"]):
        for target in ("palette", "palette:clients", "palette:deposits", "palette:withdrawals"):
            search(cast.agent, words, at(10) + dt.timedelta(seconds=number), target=target, request=f"r{number}")
    assert searches(cast.agent) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["aa", "ab", "ac", "ad", "ae", "af"],  # names are tried
        ["meier"] * 6,  # results are paged through
        ["meier", "meie", "mei", "me", "xy", "xz"],  # cut back: each shows more than the one before
        ["me", "mea", "me", "meb", "me", "mec", "me", "med", "me", "mee", "me", "mef"],  # back and forth
    ],
    ids=["names", "pages", "cut", "back-and-forth"],
)
@pytest.mark.parametrize("request_id", ["", "the-same"], ids=["no-id", "forged-id"])
def test_whoever_takes_lists_does_not_hide_behind_typing(cast, words, request_id):
    one_after_another(cast.agent, words, request=request_id)
    assert searches(cast.agent) == 6


def test_typing_at_night_is_one_action_outside_working_hours(cast):
    for number, words in enumerate(["me", "mei", "meier"]):
        search(cast.agent, words, at(23) + dt.timedelta(seconds=number))
    count_days(DAY, DAY)
    assert AgentDay.objects.get(agent=cast.agent).off_hours == 1


def test_typing_in_the_browser_is_one_search_of_the_day(cast, browse):
    browser = browse(cast.agent)
    for words in ("cl", "cla", "clar", "clara"):
        assert browser.get(reverse("clients"), {"q": words}, headers={"HX-Request": "true"}).status_code == 200
    rows = AccessEvent.objects.filter(kind="search", user=cast.agent)
    assert [row.reason for row in rows.order_by("at", "id")] == ["cl", "cla", "clar", "clara"]
    day = rows[0].at.date()
    count_days(day - dt.timedelta(days=1), day + dt.timedelta(days=1))
    assert AgentDay.objects.get(agent=cast.agent).searches == 1
