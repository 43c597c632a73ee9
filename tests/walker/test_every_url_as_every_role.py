"""Every URL, visited as every role and as a stranger, held against the permission table.

A table entry says who may open a page and with which objects; a URL without an entry fails the test. For everybody else
the page must answer 403 or 404, and a stranger must be sent to sign in. Nobody may cause a 500. What is sent by POST is
tried as everyone who may not, and must change nothing.

No page shows its reader a way to where they may not go, either (`tests/walker/links.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse

from crm.models import User
from crm.web.middleware import AudienceMiddleware
from tests.walker.links import follow, starts_of
from tests.walker.table import PUBLIC, TABLE
from tests.walker.urls import ours
from tests.walker.world import Visitor, visit, whole_world

pytestmark = pytest.mark.django_db


def test_every_url_has_its_rule():
    missing = sorted(set(ours()) - set(TABLE))
    assert not missing, "these URLs have no line in tests/walker/table.py: " + ", ".join(missing)


def test_the_table_names_no_url_that_is_gone():
    assert not sorted(set(TABLE) - set(ours()))


def test_each_role_opens_what_the_table_says_and_nothing_else(demo_world):
    """Person by person: what frames a person's pages is kept some seconds, and the pages of the menu are read for their links."""
    world = whole_world()
    wrong, addresses, followed = [], {}, 0
    for name, rule in TABLE.items():
        try:
            addresses[name] = reverse(name, kwargs=rule.kwargs(world)) + rule.query
        except NoReverseMatch as error:
            wrong.append(f"{name}: {error}")
    with unlogged():
        for person, user in world.people.items():
            browser, pages = None, dict.fromkeys(starts_of(user) if user else ())
            for name, address in addresses.items():
                if person.startswith("partner_") and person not in TABLE[name].allows and is_stranger_at(address, user):
                    continue  # the view is shown what it is shown of the partner's owner, who asks
                browser = visit(browser, user)
                wrong += [f"{name} as {person}: {problem}" for problem in judge(browser, name, address, person, pages)]
            if user:
                followed += follow(person, user, visit(browser, user), pages, wrong)
    assert not wrong, f"{len(wrong)} surprises:\n" + "\n".join(wrong[:60])
    assert followed > 1000


def is_stranger_at(address: str, user: User) -> bool:
    """Whether the address's view is shown no user, but a stranger: the product's own gate, asked alone."""
    shown: list[User | AnonymousUser] = []
    for method in ("get", "post"):
        request = getattr(RequestFactory(), method)(address)
        request.user = user
        AudienceMiddleware(lambda passed: HttpResponse(str(shown.append(passed.user))))(request)
    return len(shown) == 2 and not any(one.is_authenticated for one in shown)


@contextmanager
def unlogged() -> Iterator[None]:
    """The warnings of twenty thousand refusals would be kept for the test's report."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def judge(browser: Visitor, name: str, address: str, person: str, pages: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the answers at an address. `pages` gets what is opened of its addresses."""
    rule = TABLE[name]
    may = rule.allows is PUBLIC or person in rule.allows
    answer = browser.get(address)
    if address in pages and answer.status_code == 200:
        pages[address] = answer
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
