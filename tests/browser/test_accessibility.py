"""axe-core on a sample that has each template once: WCAG 2.2 A and AA, and of its best practices what is serious or moderate.

`KEELSON_AXE=all` opens every menu page of every role and the pages that links lead to from there, each on a desk, on a
phone and in the dark; without it some of the sample are. `axe_pages` says which pages.
"""

from __future__ import annotations

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.axe_pages import PARTS, RECORDS, SAMPLE, everything, expected, sample
from tests.browser.people import enter
from tests.walker.world import whole_world

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOWS_ALL = os.environ.get("KEELSON_AXE") == "all"
# Of the sample, every sixth page is looked at on a phone and in the dark as well.
STEP = 1 if SHOWS_ALL else 6
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Rows of a table are of one markup: of a long one, the first are looked at.
CONTEXT = None if SHOWS_ALL else {"exclude": [["tbody tr:nth-child(n+7)"]]}
AXE = Axe()


def violations(page: Page, options: dict, look: str = "desk") -> list[str]:
    found = AXE.run(page, context=CONTEXT, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{look}: {page.url.partition('//')[2].partition('/')[2]}: {rule['id']}: {node['target']} {node['html'][:120]} "
        f"{node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        if rule["impact"] != "minor" or "best-practice" not in rule["tags"]
        for node in rule["nodes"][:3]
    ]


def on_a_phone(page: Page) -> list[str]:
    page.set_viewport_size(PHONE)
    found = violations(page, {"runOnly": {"type": "tag", "values": TAGS}}, "phone")
    page.set_viewport_size(DESK)
    return found


def in_the_dark(page: Page) -> list[str]:
    """Loaded anew: a theme that changes on an open page is measured half way."""
    page.emulate_media(color_scheme="dark")
    page.reload(wait_until="load")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    found = violations(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}}, "dark")
    page.emulate_media(color_scheme="light")
    return found


def test_everybody_in_the_sample_is_in_one_part():
    people = [who for part in PARTS.values() for who in part]
    assert sorted(people) == sorted(SAMPLE)
    assert {who for who, _start, _name in RECORDS} <= set(people)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["all"] if SHOWS_ALL else list(PARTS))
def test_no_page_breaks_wcag_2_2_aa(part, open_page, live_server, demo_world):
    world = whole_world()
    wrong: dict[str, str] = {}
    opened: dict[str, Page] = {}
    shown = 0
    pages = everything(world) if SHOWS_ALL else sample(world, PARTS[part])
    for shown, (who, address) in enumerate(pages, start=1):
        if who not in opened:
            opened[who] = open_page(reduced_motion="reduce")
            if person := world.people[who]:
                enter(opened[who], person)
        page = opened[who]
        answer = page.goto(address, wait_until="load")
        found = [] if answer and answer.ok else [f"{address}: {answer and answer.status}"]
        found += violations(page, {"runOnly": {"type": "tag", "values": TAGS}})
        if shown % STEP == 0:
            found += [*on_a_phone(page), *in_the_dark(page)]
        wrong |= dict.fromkeys(found, who)
    assert not wrong, "\n".join(f"{one} as {who}" for one, who in wrong.items())
    records = sum(who in opened for who, _start, _name in RECORDS)
    # The small demo has a link to half of the records on its poorest days: where a match is missing, so are its forms.
    assert shown >= (120 if SHOWS_ALL else expected(PARTS[part]) + records // 3)
