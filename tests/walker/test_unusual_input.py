"""What nobody types but programs send, every list as a file, every entry of every menu: none ends in an error of ours."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client as Browser
from django.urls import NoReverseMatch, reverse

from crm.choices import UserKind
from crm.models import User
from crm.ui import menu
from tests import peopled
from tests.walker.table import PUBLIC, TABLE
from tests.walker.world import World, still_signed_in, whole_world

pytestmark = pytest.mark.slow
READ = re.compile(r"(?:GET|params|data)(?:\.get|\.getlist)?[\[(]\s*[\"']([\w-]{1,30})[\"']")
FIELD = re.compile(r"<(?:input|select)[^>]*\sname=\"([\w.-]{1,40})\"")
VALUES = {"nul": "a\x00b", "superscript": "²", "year one": "0001-01-01", "last year": "9999-12-31", "number": "9" * 60}
HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.S)
TAG = re.compile(r"<[^>]+>")
# What chooses among forms of the same page: with a wrong one of these the others would not be read.
CHOOSERS = ("export", "tab", "view", "sort", "after", "before", "page", "cursor")


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """One world for the module; its transaction ends with it."""
    with django_db_blocker.unblock(), peopled.of_demo():
        whole = transaction.atomic()
        whole._from_testcase = True
        with whole:
            yield whole_world()
            transaction.set_rollback(True)


@pytest.fixture(scope="module")
def pages(world) -> list[tuple[str, str, Browser, str]]:
    """(name, address, browser of whoever may see most, the page) of every address that answers with a page."""
    browsers: dict[str, Browser] = {}
    found = []
    for name, rule in TABLE.items():
        person = (
            "administrator"
            if rule.allows is PUBLIC
            else next(
                (one for one in ("administrator", "compliance", *sorted(rule.allows)) if one in rule.allows), None
            )
        )
        try:
            address = reverse(name, kwargs=rule.kwargs(world))
        except NoReverseMatch:
            continue
        browser = browsers[person] = still_signed_in(browsers.get(person), world.people.get(person))
        answer = browser.get(address + rule.query)
        if answer.status_code == 200 and not answer.streaming:
            found.append((name, address, browser, answer.content.decode(errors="replace")))
    return found


def get(browser: Browser, address: str, parameters: dict[str, str]):
    """An answer whose statements leave nothing behind, broken ones included."""
    inner = transaction.atomic()
    with inner:
        answer = browser.get(address, parameters)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer, content


def names_read() -> set[str]:
    """Parameters that the code reads by name."""
    found: set[str] = set()
    for app in settings.KEELSON_APPS:
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            if "migrations" not in path.parts:
                found |= set(READ.findall(path.read_text()))
    return found


def told(answer) -> str:
    error = answer.exc_info[1] if getattr(answer, "exc_info", None) else None
    return f"{answer.status_code} {type(error).__name__}: {str(error)[:120]}"


def test_no_page_breaks_on_unusual_parameters(pages):
    names, broken = names_read(), []
    assert {"q", "tab", "owner"} <= names
    assert len(pages) > 150
    for name, address, browser, page in pages:
        others = (names | set(FIELD.findall(page))) - set(CHOOSERS)
        for kind, value in VALUES.items():
            for parameters in (dict.fromkeys(others, value), dict.fromkeys(CHOOSERS, value)):
                answer, _content = get(browser, address, parameters)
                if answer.status_code >= 500:
                    broken.append(f"{name} ({kind}{', tab …' if 'tab' in parameters else ''}): {told(answer)}")
    assert not broken, f"{len(broken)} break:\n" + "\n".join(broken)


def test_every_list_is_exported_to_its_end(pages):
    exported, broken = [], []
    for name, address, browser, _page in pages:
        try:
            answer, content = get(browser, address, {"export": "csv"})
        except Exception as error:  # a stream breaks while it is read
            broken.append(f"{name}: {error!r}")
            continue
        if answer.status_code == 200 and content.startswith(b"\xef\xbb\xbf"):
            exported.append(name)
        elif answer.status_code >= 500:
            broken.append(f"{name}: {answer.status_code}")
    assert not broken, "\n".join(broken)
    assert {"trading_symbols", "trading_breaks"} <= set(exported)
    assert len(exported) > 16


def test_what_a_signed_in_person_sees_is_stored_nowhere(pages):
    kept = []
    for name, address, browser, _page in pages:
        answer, _content = get(browser, address, {})
        if "no-store" not in answer.headers.get("Cache-Control", "") and name not in (
            "brand_css",
            "brand_logo",
            "brand_picture",
            "wallet:letterhead_logo",
        ):
            kept.append(f"{name}: {answer.headers.get('Cache-Control')}")
    assert not kept, "\n".join(kept)


def test_every_entry_of_every_menu_opens(world: World):
    wrong, opened = [], 0
    for person, user in world.people.items():
        if user is None:
            continue
        user = User.objects.get(pk=user.pk)
        browser = still_signed_in(None, user)
        for section in menu.menu_for(user, UserKind(user.kind).value):
            for link in section.entries:
                answer = browser.get(link.url, follow=True)
                opened += 1
                if answer.status_code != 200:
                    wrong.append(f"{person}: {link.url} answers {answer.status_code}")
                elif user.is_team and link.url != "/home/":  # which greets the person
                    heading = HEADING.search(answer.content.decode())
                    title = unescape(TAG.sub("", heading[1])).strip() if heading else ""
                    if title.partition(" · ")[0] != link.entry.label:
                        wrong.append(f"{person}: {link.entry.label} opens {title!r}")
    assert not wrong, "\n".join(wrong)
    assert opened > 60
