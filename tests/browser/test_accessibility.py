"""axe-core on the menus of all roles: no violation of WCAG 2.2 A and AA, and contrast in the dark too.

Each role's first page, and of the other entries every second one: all 96 take over two minutes where the machine is busy.
They are all opened with `EVERY = 1`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from crm.ui import panels
from tests.browser.people import enter
from tests.walker.world import World, whole_world

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
STRANGERS_PAGES = ("/accounts/login/", "/accounts/password/forgotten/", "/b/{brand}/login/", "/b/{brand}/register/")
EVERY = 2
# Of the pages shown, every fifth is looked at in the dark as well.
DARK_STEP = 5
AXE = Axe()


def entries(world: World) -> Iterator[tuple[str, str]]:
    """(who, address): each role's first page, and entries of menus with the first role that has them."""
    brand = world.brand.code
    yield from (("stranger", address.format(brand=brand)) for address in STRANGERS_PAGES)
    seen: set[str] = set()
    for who, person in world.people.items():
        if person is None:
            continue
        audience = person.kind if person.kind in ("client", "partner") else "staff"
        addresses = [link.url for section in panels.menu_for(person, audience) for link in section.entries]
        for number, address in enumerate(addresses):
            if number == 0 or (address not in seen and len(seen) % EVERY == 0):
                yield who, address
            seen.add(address)


def violations(page: Page, options: dict) -> list[str]:
    found = AXE.run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{page.url.partition('//')[2].partition('/')[2]}: {rule['id']}: {node['target']} {node['html'][:120]} "
        f"{node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found
        for node in rule["nodes"][:3]
    ]


def in_the_dark(page: Page) -> list[str]:
    """Loaded anew: a theme that changes on an open page is measured half way."""
    page.emulate_media(color_scheme="dark")
    page.reload(wait_until="load")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    found = violations(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    page.emulate_media(color_scheme="light")
    return [f"dark: {one}" for one in found]


@pytest.mark.django_db(transaction=True)
def test_no_page_of_any_menu_breaks_wcag_2_2_aa(open_page, live_server, demo_world):
    world = whole_world()
    wrong: dict[str, str] = {}
    opened: dict[str, Page] = {}
    shown = 0
    for shown, (who, address) in enumerate(entries(world), start=1):
        if who not in opened:
            opened[who] = open_page(reduced_motion="reduce")
            if person := world.people[who]:
                enter(opened[who], person)
        page = opened[who]
        page.goto(address, wait_until="load")
        found = violations(page, {"runOnly": {"type": "tag", "values": TAGS}})
        if shown % DARK_STEP == 0:
            found += in_the_dark(page)
        wrong |= dict.fromkeys(found, who)
    assert not wrong, "\n".join(f"{one} as {who}" for one, who in wrong.items())
    assert shown > 40
