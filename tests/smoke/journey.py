"""The journey: what each person does, in order, and what must be true after it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from playwright.sync_api import Browser, Page

from tests.smoke.instance import Instance
from tests.smoke.people import PATIENCE, newest_mail, sign_in_staff

AGENT = "anna.schmidt@meridian.example"
MASTER_IB, SUB_IB = "Alpenblick Capital", "Rheinland Trading Partners"
TRADER = f"lukas.brandt.{int(time.time())}@mail.example"
# A number of their own each time: the same one would rightly be taken for the same person.
TRADER_PHONE = f"0151 2{int(time.time()) % 10**7:07d}"
TRADER_PASSWORD = "drei-rote-boote-am-see"


class Journey:
    """One run: the instance, everyone's open page, and what one step leaves for the next."""

    def __init__(self, instance: Instance, browser: Browser) -> None:
        self.instance, self.browser = instance, browser
        self.pages: dict[str, Page] = {}
        self.notes: dict[str, Any] = {}

    @property
    def psp_url(self) -> str:
        return str(self.instance.addresses.get("psp_url") or os.environ.get("KEELSON_SMOKE_PSP", ""))

    @property
    def mt5_url(self) -> str:
        return str(self.instance.addresses.get("mt5_control_url") or os.environ.get("KEELSON_SMOKE_MT5", ""))

    def page(self, who: str, *, width: int = 1440, height: int = 900, locale: str = "en-GB") -> Page:
        """The person's page, in a browser context of its own."""
        if who not in self.pages:
            context = self.browser.new_context(
                base_url=self.instance.base_url, viewport={"width": width, "height": height}, locale=locale
            )
            context.set_default_timeout(1000 * PATIENCE)
            self.pages[who] = context.new_page()
        return self.pages[who]

    def staff(self, username: str) -> Page:
        if username in self.pages:
            return self.pages[username]
        page = self.page(username)
        sign_in_staff(page, username)
        return page

    def look(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of the instance's database: to see what came of what people did."""
        with psycopg.connect(self.instance.database_url, autocommit=True) as connection:
            found = connection.execute(query, values)
            return list(found.fetchall()) if found.description else []

    def value(self, query: str, *values: Any) -> Any:
        """The first column of the first row, or None."""
        rows = self.look(query, *values)
        return rows[0][0] if rows else None

    def mail(self, to: str, containing: str) -> str:
        return newest_mail(self.instance.var / "mail", to, containing=containing)

    def screenshots(self, folder: Path) -> None:
        for who, page in self.pages.items():
            try:
                page.screenshot(path=folder / f"{re.sub(r'[^a-z0-9]+', '-', who.lower())}.png", full_page=True)
            except Exception as error:
                print(f"no screenshot of {who}: {error}")


def until(look: Callable[[], Any], what: str) -> Any:
    """Look again until it is so; an AssertionError names what did not come."""
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s")
        time.sleep(0.25)


def page_shows(page: Page, path: str, text: str | re.Pattern[str]) -> None:
    """Open the page again until it says so: what a worker does takes a moment, and not every page refreshes itself."""

    def seen() -> bool:
        page.goto(path)
        return page.locator("body").filter(has_text=text).count() > 0

    until(seen, f"“{text}” on {path}")
