"""The journey: what each person does, in order, and what must be true after it."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.smoke.instance import Instance
from tests.smoke.people import link_in, newest_mail, sign_in_staff

AGENT = "anna.schmidt@meridian.example"
TRADER = f"lukas.brandt.{int(time.time())}@mail.example"
TRADER_PASSWORD = "drei-rote-boote-am-see"  # noqa: S105 — a made-up person's


class Journey:
    """One run: the instance, everyone's open page, and what one step leaves for the next."""

    def __init__(self, instance: Instance, browser: Browser) -> None:
        self.instance, self.browser = instance, browser
        self.pages: dict[str, Page] = {}
        self.notes: dict[str, Any] = {}

    def page(self, who: str, *, width: int = 1440, height: int = 900, locale: str = "en-GB") -> Page:
        """The person's page, in a browser context of its own."""
        if who not in self.pages:
            context = self.browser.new_context(
                base_url=self.instance.base_url, viewport={"width": width, "height": height}, locale=locale
            )
            context.set_default_timeout(30_000)
            self.pages[who] = context.new_page()
        return self.pages[who]

    def staff(self, username: str) -> Page:
        if username in self.pages:
            return self.pages[username]
        page = self.page(username)
        sign_in_staff(page, username)
        return page

    def shell(self, code: str) -> str:
        """What a line of Python sees in the instance's database: for looking, never for doing a person's work."""
        return self.instance.manage("shell", "-v0", "-c", code).stdout.strip()

    def mail(self, to: str, containing: str) -> str:
        return newest_mail(self.instance.var / "mail", to, containing=containing)

    def screenshots(self, folder: Path) -> None:
        for who, page in self.pages.items():
            try:
                page.screenshot(path=folder / f"{re.sub(r'[^a-z0-9]+', '-', who.lower())}.png", full_page=True)
            except Exception as error:
                print(f"no screenshot of {who}: {error}")


def until(seconds: float, look: Callable[[], Any], what: str) -> Any:
    """Look again until it is so; an AssertionError names what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.25)


def lead_arrives(journey: Journey) -> str:
    """A trader in Germany fills in the German landing page; the lead is routed and the agent told, live."""
    # Only one agent takes leads today, so that we know on whose screen to look.
    journey.shell(
        "from crm.models import User; User.objects.filter(kind='staff').update(is_accepting_leads=False);"
        f"User.objects.filter(username='{AGENT}').update(is_accepting_leads=True, lead_capacity_per_day=1000)"
    )
    agent = journey.staff(AGENT)
    agent.wait_for_timeout(1500)  # the live connection opens after the page
    trader = journey.page("trader", locale="de-DE")
    trader.goto("/l/meridian/start/?utm_source=google&utm_medium=cpc&utm_campaign=de-search-cfd&utm_term=devisen")
    expect(trader.locator("html")).to_have_attribute("lang", "de")
    trader.fill("input[name=first_name]", "Lukas")
    trader.fill("input[name=last_name]", "Brandt")
    trader.fill("input[name=email]", TRADER)
    trader.select_option("select[name=country]", "DE")
    trader.fill("input[name=phone]", "0151 23456789")
    trader.check("input[name=contact]")
    trader.wait_for_timeout(2500)  # a person needs a moment; a form filled at once is a robot's
    sent = time.monotonic()
    trader.locator("#enquiry button").click()
    agent.wait_for_selector("text=Lukas Brandt", timeout=10_000)
    told = time.monotonic() - sent
    trader.wait_for_url(re.compile("/thanks/"))
    lead = journey.shell(
        "from leads.models import Lead; lead = Lead.objects.select_related('client__owner', 'campaign').latest('id');"
        "print(lead.client_id, lead.client.email, lead.source, lead.campaign.code, lead.client.country, lead.client.owner.username,"
        " bool(lead.score_reasons), bool(lead.routing_reasons), lead.ip)"
    ).split()
    journey.notes["client"] = int(lead[0])
    assert lead[1:8] == [TRADER, "google", "de-search-cfd", "DE", AGENT, "True", "True"], lead
    assert told < 5, f"the agent was told after {told:.1f} s"
    return f"told live after {told:.2f} s, score and route with reasons"


STEPS: list[tuple[str, Callable[[Journey], str | None]]] = [
    ("A lead from the German landing page reaches a German-speaking agent", lead_arrives),
]
