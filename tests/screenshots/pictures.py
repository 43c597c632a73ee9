"""Which ten pages are pictured, as whom, and how one gets there: through lists, as a person does, never by a known id."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

AGENT, DESK_HEAD = "anna.schmidt@meridian.example", "head.dach@meridian.example"
KYC_OFFICER, MLRO, AUDITOR = "kyc@keelson.example", "mlro@keelson.example", "auditor@keelson.example"
FINANCE, IB_MANAGER = "finance@keelson.example", "ib@keelson.example"
CLIENT = "client"  # the one whose login `make demo` prints
DESK, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True)
class Picture:
    """`go` leads a signed-in page there. A height of 0 takes the whole page."""

    name: str
    who: str
    tells: str
    go: Callable[[Page], None]
    dark: bool = False
    size: tuple[int, int] = DESK


def at(path: str) -> Callable[[Page], None]:
    def go(page: Page) -> None:
        page.goto(path)

    return go


def first_row(path: str, address: str, *, having: str = "") -> Callable[[Page], None]:
    """Open a list, then the first row (of those with the words) that leads to such an address."""

    def go(page: Page) -> None:
        page.goto(path)
        rows = page.locator("tbody tr").filter(has_text=having) if having else page.locator("tbody tr")
        link = rows.locator("a[href]").first
        page.goto(link.get_attribute("href") or path)
        page.wait_for_url(re.compile(address))

    return go


PICTURES = ()
