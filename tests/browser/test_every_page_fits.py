"""Every page of the permission table at phone width: nothing wider than the screen, no script error, every field named."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest
from django.test import Client as Browser
from django.urls import reverse

from tests.browser.people import enter
from tests.walker.table import PUBLIC, TABLE
from tests.walker.world import World, still_signed_in, whole_world

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
# What only a page's own script asks for, and downloads.
NO_PAGES = frozenset(
    {
        "brand_css",
        "brand_logo",
        "brand_picture",
        "palette",
        "notifications_recent",
        "notifications_unread",
        "api:openapi-json",
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


def pages(world: World, people: Collection[str]) -> Iterator[tuple[str, str]]:
    """(who, address) of every page of these people that answers with a whole page."""
    browsers: dict[str, Browser] = {}
    for name, rule in TABLE.items():
        if name in NO_PAGES:
            continue
        who = "stranger" if rule.allows is PUBLIC else next((one for one in WHO if one in rule.allows), "")
        person = world.people.get(who)
        if who not in people or (who != "stranger" and person is None):
            continue
        address = reverse(name, kwargs=rule.kwargs(world)) + rule.query
        browsers[who] = still_signed_in(browsers.get(who), person)
        answer = browsers[who].get(address)
        if answer.status_code == 200 and not answer.streaming and b"<html" in answer.content[:400]:
            yield who, address


def test_everybody_who_opens_a_page_is_in_one_part():
    assert sorted(who for part in PARTS.values() for who in part) == sorted([*WHO, "stranger"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", PARTS)
def test_every_page_fits_a_phone_and_names_its_fields(part, open_page, live_server, demo_world):
    world = whole_world()
    wrong, opened, shown = [], {}, 0
    for who, address in sorted(pages(world, PARTS[part])):
        if who not in opened:
            opened[who] = open_page(width=390, height=844)
            if who != "stranger":
                enter(opened[who], world.people[who])
        page = opened[who]
        page.goto(address, wait_until="load")
        shown += 1
        wrong += [f"{address} as {who}: {problem}" for problem in page.evaluate(LOOK)]
    assert not wrong, "\n".join(wrong)
    assert shown > 30
