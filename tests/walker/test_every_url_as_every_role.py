"""Every URL, visited as every role and as a stranger, held against the permission table.

A table entry says who may open a page and with which objects; a URL without an entry fails the test. For everybody else
the page must answer 403 or 404, and a stranger must be sent to sign in. Nobody may cause a 500. What is sent by POST is
tried as everyone who may not, and must change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client as Browser
from django.urls import NoReverseMatch, reverse

from tests.walker.table import PUBLIC, TABLE, Rule
from tests.walker.urls import ours
from tests.walker.world import still_signed_in, whole_world

pytestmark = pytest.mark.django_db


def test_every_url_has_its_rule():
    missing = sorted(set(ours()) - set(TABLE))
    assert not missing, "these URLs have no line in tests/walker/table.py: " + ", ".join(missing)


def test_the_table_names_no_url_that_is_gone():
    assert not sorted(set(TABLE) - set(ours()))


def test_each_role_opens_what_the_table_says_and_nothing_else(demo_world):
    world = whole_world()
    wrong, browsers = [], {}
    for name, rule in TABLE.items():
        try:
            address = reverse(name, kwargs=rule.kwargs(world)) + rule.query
        except NoReverseMatch as error:
            wrong.append(f"{name}: {error}")
            continue
        for person, user in world.people.items():
            browser = browsers[person] = still_signed_in(browsers.get(person), user)
            wrong += [f"{name} as {person}: {problem}" for problem in judge(browser, address, person, rule)]
    assert not wrong, f"{len(wrong)} surprises:\n" + "\n".join(wrong[:60])


def judge(browser: Browser, address: str, person: str, rule: Rule) -> Iterator[str]:
    may = rule.allows is PUBLIC or person in rule.allows
    answer = browser.get(address)
    if answer.status_code >= 500:
        yield f"GET gives {answer.status_code}"
    elif may and answer.status_code not in rule.good:
        yield f"GET gives {answer.status_code} to someone who may"
    elif not may and not refused(answer):
        yield f"GET gives {answer.status_code} to someone who may not"
    if not may:
        answer = browser.post(address)
        if answer.status_code >= 500 or not refused(answer):
            yield f"POST gives {answer.status_code} to someone who may not"


def refused(answer) -> bool:
    if answer.status_code in (401, 403, 404, 405):
        return True
    return answer.status_code in (301, 302) and any(
        word in answer["Location"] for word in ("login", "/accounts/", "reauthenticate", "/b/")
    )
