"""Every page of the permission table at phone width: nothing wider than the screen, no script error, every field named."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Error, Page

from tests.browser.people import enter
from tests.walker.table import PUBLIC, TABLE
from tests.walker.world import World, whole_world

# Who opens a page, where several may: the one whose daily work it is.
WHO = (
    "agent",
    "kyc_officer",
    "finance",
    "desk_head",
    "ib_manager",
    "mlro",
    "auditor",
    "marketing",
    "administrator",
    "support",
    "retention",
    "client",
    "partner",
)
# Who is looked at together: parts of about as many pages, for as many processes.
PARTS = {
    "money": ("finance",),
    "desks": ("agent", "retention", "desk_head", "ib_manager"),
    "everybody else": tuple("kyc_officer mlro auditor marketing administrator support client partner stranger".split()),
}
# What only a page's own script asks for, and pictures: Chromium shows one in a page of its own, whose styles the policy refuses.
NO_PAGES = frozenset(
    {
        "brand_css",
        "brand_logo",
        "brand_picture",
        "palette",
        "notifications_recent",
        "notifications_unread",
        "api:openapi-json",
        "wallet:account_options",
        "wallet:letterhead_logo",
        "kyc:page",
    }
)
LOOK = """() => {
  // What a closed <details> holds has its place, but is not shown.
  const seen = (e) => e.getClientRects().length && e.checkVisibility({visibilityProperty: true})
    && !e.closest("dialog:not([open])");
  const named = (e) => e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.title || (e.innerText || "").trim()
    || [...(e.labels || [])].some((l) => l.textContent.trim());
  const wrong = [];
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`${document.documentElement.scrollWidth} px wide`);
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href], summary"))
    if (seen(e) && !named(e)) wrong.push(`no name: ${e.outerHTML.slice(0, 90)}`);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) wrong.push(`id twice: ${id}`);
  const heads = [...document.querySelectorAll("h1")].filter(seen).length;
  if (heads !== 1) wrong.push(`${heads} first headings`);
  if (document.querySelector('[data-confirm*="<"], [title*="<span"], [aria-label*="<span"]')) wrong.push("markup in an attribute");
  return wrong;
}"""


def addresses(world: World, people: Collection[str]) -> Iterator[tuple[str, str]]:
    """(who, address) of all that these people open."""
    for name, rule in TABLE.items():
        if name in NO_PAGES:
            continue
        who = "stranger" if rule.allows is PUBLIC else next((one for one in WHO if one in rule.allows), "")
        if who in people and (who == "stranger" or world.people.get(who)):
            yield who, reverse(name, kwargs=rule.kwargs(world)) + rule.query


def opens_as_a_page(page: Page, address: str) -> bool:
    """Whether a whole page is shown there now: no part of one, no file, no way elsewhere."""
    try:
        answer = page.goto(address, wait_until="load")
    except Error as error:
        if "Download is starting" in str(error):
            return False
        raise
    if answer is None or answer.status != 200 or answer.request.redirected_from:
        return False
    return "text/html" in answer.headers.get("content-type", "") and "<html" in answer.text()[:400]


def test_everybody_who_opens_a_page_is_in_one_part():
    assert sorted(who for part in PARTS.values() for who in part) == sorted([*WHO, "stranger"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", PARTS)
def test_every_page_fits_a_phone_and_names_its_fields(part, open_page, live_server, demo_world):
    world = whole_world()
    wrong, opened, shown = [], {}, 0
    for who, address in sorted(addresses(world, PARTS[part])):
        if who not in opened:
            opened[who] = open_page(width=390, height=844)
            if who != "stranger":
                enter(opened[who], world.people[who])
        page = opened[who]
        if not opens_as_a_page(page, address):
            continue
        shown += 1
        wrong += [f"{address} as {who}: {problem}" for problem in page.evaluate(LOOK)]
    assert not wrong, "\n".join(wrong)
    assert shown > 30
