"""Every page of the permission table, opened once: nothing wider than a phone, no script error, every field named. A page of
each template is held against axe-core too, on a desk, and every sixth of them on a phone and in the dark.

`axe_pages` says which those are. `KEELSON_AXE=all` opens every menu page of every role and the pages that links lead to from
there instead, and holds each against axe-core in all three ways.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.axe import SHOWS_ALL, all_rules, in_the_dark
from tests.browser.axe_pages import RECORDS, SAMPLE, everything, expected, name_of, sample
from tests.browser.people import enter
from tests.walker.table import PUBLIC, TABLE
from tests.walker.world import Visitor, World, visit, whole_world

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
PARTS: dict[str, tuple[str, ...]] = {
    "money": ("finance", "mlro", "partner"),
    "desks": ("agent", "retention"),
    "heads": ("desk_head", "ib_manager", "kyc_officer"),
    "everybody else": ("stranger", "auditor", "marketing", "administrator", "support", "client"),
}
# A page of the sample is opened by the role that it names.
SAMPLED_BY = {name: who for who, _start, name in RECORDS} | {
    name_of(address): who for who in reversed(SAMPLE) for address in SAMPLE[who]
}
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
# Of the sample, every sixth page is held against the rules on a phone and in the dark as well.
STEP = 1 if SHOWS_ALL else 6
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


def others(world: World, people: Collection[str], seen: set[str]) -> Iterator[tuple[str, str]]:
    """(who, address) of all that these people open, but for the names of which a page was seen."""
    for name, rule in TABLE.items():
        if name in NO_PAGES or (name in seen and not rule.query):
            continue
        who = "stranger" if rule.allows is PUBLIC else _who(name, rule.allows)
        if who in people and (who == "stranger" or world.people.get(who)):
            yield who, reverse(name, kwargs=rule.kwargs(world)) + rule.query


def _who(name: str, allowed: Collection[str]) -> str:
    sampled_by = SAMPLED_BY.get(name)
    return sampled_by if sampled_by in allowed else next((one for one in WHO if one in allowed), "")


def is_a_page(answer: HttpResponse | StreamingHttpResponse) -> bool:
    """Whether the answer is a whole page: no part of one, no file, no refusal, no way elsewhere."""
    if answer.status_code != 200 or answer.streaming or answer.has_header("Content-Disposition"):
        return False
    return "text/html" in answer.get("Content-Type", "") and b"<html" in answer.content[:400]


def breaks(page: Page, *, everywhere: bool, whole: bool) -> list[str]:
    """What axe-core finds: `everywhere` on a phone, as the page is now, and in the dark too. It is left on a phone."""
    found = all_rules(page, "phone") if everywhere else []
    page.set_viewport_size(DESK)
    found += all_rules(page, "desk", whole=whole or everywhere)
    if everywhere:
        found += in_the_dark(page)
    page.evaluate("document.documentElement.hidden = true")  # it is left now, and need not be laid out again
    page.set_viewport_size(PHONE)
    return found


class Visitors:
    """Everybody's browser, as wide as a phone, where nothing moves."""

    def __init__(self, world: World, open_page) -> None:
        self.world, self.open_page = world, open_page
        self.pages: dict[str, Page] = {}
        self.browsers: dict[str, Visitor] = {}

    def page_of(self, who: str) -> Page:
        if who not in self.pages:
            self.pages[who] = self.open_page(**PHONE, reduced_motion="reduce")
            if person := self.world.people[who]:
                enter(self.pages[who], person)
        return self.pages[who]

    def opens_a_page(self, who: str, address: str) -> bool:
        """Ask without Chromium, which takes ten times as long for what isn't a page: two in three addresses of the table."""
        self.browsers[who] = visit(self.browsers.get(who), self.world.people[who])
        return is_a_page(self.browsers[who].get(address))


def test_everybody_who_opens_a_page_is_in_one_part():
    assert sorted(who for part in PARTS.values() for who in part) == sorted([*WHO, "stranger"])
    assert {*SAMPLE, *SAMPLED_BY.values()} <= {*WHO, "stranger"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("part", ["all"] if SHOWS_ALL else list(PARTS))
def test_every_page_fits_a_phone_names_its_fields_and_breaks_no_rule(part, open_page, live_server, demo_world):
    world = whole_world()
    visitors = Visitors(world, open_page)
    people = [who for each in PARTS.values() for who in each] if SHOWS_ALL else PARTS[part]
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    framed: set[str] = set()
    sampled = shown = 0
    for sampled, (who, address) in enumerate(everything(world) if SHOWS_ALL else sample(world, people), start=1):
        page = visitors.page_of(who)
        answer = page.goto(address, wait_until="load")
        found = [] if answer and answer.ok else [f"{address}: {answer and answer.status}"]
        found += [f"{address}: {problem}" for problem in page.evaluate(LOOK)]
        found += breaks(page, everywhere=sampled % STEP == 0, whole=who not in framed)
        framed.add(who)
        wrong |= dict.fromkeys(found, who)
        seen.add(name_of(address))
    for who, address in sorted(others(world, people, seen)):
        if not visitors.opens_a_page(who, address):
            continue
        shown += 1
        page = visitors.page_of(who)
        answer = page.goto(address, wait_until="load")
        found = [] if answer and answer.ok else [f"{address}: {answer and answer.status}"]
        found += [f"{address}: {problem}" for problem in page.evaluate(LOOK)]
        wrong |= dict.fromkeys(found, who)
    for who in world.people.keys() & people:
        page = visitors.page_of(who)
        page.goto("/nowhere/")
        wrong |= dict.fromkeys([f"page not found: {problem}" for problem in page.evaluate(LOOK)], who)
    assert not wrong, "\n".join(f"{one} as {who}" for one, who in wrong.items())
    assert shown > 20
    # The small demo has a link to half of the records on its poorest days: where a match is missing, so are its forms. Of a
    # client without an account and support without a job it has none.
    records = sum(who in people for who, _start, _name in RECORDS)
    assert sampled >= (120 if SHOWS_ALL else expected(people) + (records // 3 if records > 4 else 0))
