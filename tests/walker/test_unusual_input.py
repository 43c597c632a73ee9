"""What nobody types but programs send, and every list as a file: none ends in an error of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.handlers import wsgi
from django.db import transaction
from django.http import QueryDict
from django.test import Client as Browser
from django.urls import NoReverseMatch, reverse

from tests import peopled
from tests.walker.table import PUBLIC, TABLE
from tests.walker.world import World, still_signed_in, whole_world

pytestmark = pytest.mark.slow
READ = re.compile(r"(?:GET|params|data)(?:\.get|\.getlist)?[\[(]\s*[\"']([\w-]{1,30})[\"']")
FIELD = re.compile(r"<(?:input|select)[^>]*\sname=\"([\w.-]{1,40})\"")
VALUES = {"nul": "a\x00b", "superscript": "²", "year one": "0001-01-01", "last year": "9999-12-31", "number": "9" * 60}
# What chooses among forms of the same page: with a wrong one of these the others would not be read.
CHOOSERS = ("export", "tab", "view", "sort", "after", "before", "page", "cursor")


EVERYTHING = "*"


class Noted(QueryDict):
    """Parameters that note what is read of them. Whoever looks at all of them, or whether there are any, reads everything."""

    read: ClassVar[set[str]] = set()

    def __getitem__(self, key: Any) -> Any:
        self.read.add(str(key))
        return super().__getitem__(key)

    def _getlist(self, key: Any, default: Any = None, force_list: bool = False) -> Any:
        self.read.add(str(key))
        return super()._getlist(key, default, force_list)

    def __contains__(self, key: Any) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)

    def __len__(self) -> int:
        self.read.add(EVERYTHING)
        return super().__len__()

    def __iter__(self) -> Any:
        self.read.add(EVERYTHING)
        return super().__iter__()

    def keys(self) -> Any:
        self.read.add(EVERYTHING)
        return super().keys()

    def lists(self) -> Any:
        self.read.add(EVERYTHING)
        return super().lists()

    def values(self) -> Any:
        self.read.add(EVERYTHING)
        return super().values()

    def items(self) -> Any:
        self.read.add(EVERYTHING)
        return super().items()


@dataclass(frozen=True)
class Shown:
    """A page that `browser` may open, what it holds, and which parameters it looks for."""

    name: str
    address: str
    browser: Browser
    content: str
    cached: str
    read: frozenset[str]

    def looks_for(self, names: Iterable[str]) -> bool:
        return EVERYTHING in self.read or not self.read.isdisjoint(names)


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
def pages(world) -> list[Shown]:
    """Every address that answers with a page, opened by whoever may see most."""
    with patch.object(wsgi, "QueryDict", Noted):
        return list(_opened(world))


def _opened(world: World) -> Iterator[Shown]:
    browsers: dict[str, Browser] = {}
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
        Noted.read.clear()
        answer = browser.get(address + rule.query)
        if answer.status_code == 200 and not answer.streaming:
            content, cached = answer.content.decode(errors="replace"), answer.headers.get("Cache-Control", "")
            yield Shown(name, address, browser, content, cached, frozenset(Noted.read))


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
    for number, page in enumerate(pages):
        others = (names | set(FIELD.findall(page.content))) - set(CHOOSERS)
        # What a page never looks for would show the same page again, five times.
        asked = [group for group in (sorted(others), CHOOSERS) if page.looks_for(group)]
        # NUL signs are taken out before any page reads them, so a tenth of the pages will do.
        for kind, value in VALUES.items() if number % 10 == 0 else list(VALUES.items())[1:]:
            for group in asked:
                answer, _content = get(page.browser, page.address, dict.fromkeys(group, value))
                if answer.status_code >= 500:
                    broken.append(f"{page.name} ({kind}{', tab …' if 'tab' in group else ''}): {told(answer)}")
    assert sum(page.looks_for(CHOOSERS) for page in pages) > 50
    assert not broken, f"{len(broken)} break:\n" + "\n".join(broken)


def test_every_list_is_exported_to_its_end(pages):
    exported, broken = [], []
    for page in pages:
        if not page.looks_for(["export"]):
            continue
        try:
            answer, content = get(page.browser, page.address, {"export": "csv"})
        except Exception as error:  # a stream breaks while it is read
            broken.append(f"{page.name}: {error!r}")
            continue
        if answer.status_code == 200 and content.startswith(b"\xef\xbb\xbf"):
            exported.append(page.name)
        elif answer.status_code >= 500:
            broken.append(f"{page.name}: {answer.status_code}")
    assert not broken, "\n".join(broken)
    assert {"trading_symbols", "trading_breaks"} <= set(exported)
    assert len(exported) > 16


def test_what_a_signed_in_person_sees_is_stored_nowhere(pages):
    public = {"brand_css", "brand_logo", "brand_picture", "wallet:letterhead_logo"}
    kept = [
        f"{page.name}: {page.cached}" for page in pages if "no-store" not in page.cached and page.name not in public
    ]
    assert not kept, "\n".join(kept)
