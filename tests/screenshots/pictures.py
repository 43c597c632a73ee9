"""Which ten pages are pictured, as whom, and how one gets there: through lists, as a person does, never by a known id."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

DESK_HEAD = "head.dach@meridian.example"
KYC_OFFICER, MLRO = "kyc@keelson.example", "mlro@keelson.example"
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


def client_page(tab: str) -> Callable[[Page], None]:
    """The client who paid in most, with one of their tabs open."""

    def go(page: Page) -> None:
        page.goto("/clients/?stage=active&sort=-net_deposits")
        page.goto(f"{page.locator('tbody tr a[href]').first.get_attribute('href')}?tab={tab}")

    return go


def commission(page: Page) -> None:
    """A trade that pays several levels, as the partner at the top of them sees it."""
    page.goto("/ib/commissions/?state=accrued&partner=mer-001")
    rows = page.locator("tbody tr").filter(has=page.locator("td", has_text=re.compile(r"^\s*[34]\s*$")))
    row = rows.first if rows.count() else page.locator("tbody tr").first
    page.goto(row.locator("a[href*='/ib/commissions/']").first.get_attribute("href") or "")


PICTURES = (
    Picture(
        "dashboard", DESK_HEAD, "A desk's thirty days: leads, first contact, first deposits", at("/reports/sales/")
    ),
    Picture(
        "clients",
        DESK_HEAD,
        "Clients, filtered, with what each one is worth",
        at("/clients/?stage=active&sort=-net_deposits"),
    ),
    Picture("client", DESK_HEAD, "One client: head, facts, and their trading beside them", client_page("trading")),
    Picture(
        "document-review",
        KYC_OFFICER,
        "A document beside the registration, with what the checks found",
        first_row("/kyc/queue/", r"/kyc/documents/\d+/", having="Expired"),
    ),
    Picture(
        "possible-match",
        MLRO,
        "A possible match with a sanctions list, explained",
        dark=True,
        go=first_row("/compliance/hits/?state=open", r"/compliance/hits/\d+/"),
    ),
    Picture(
        "withdrawal",
        FINANCE,
        "A withdrawal: its checks, who approved, its postings",
        first_row("/money/withdrawals/", r"/money/withdrawals/\d+/"),
    ),
    Picture(
        "reconciliation",
        FINANCE,
        "A PSP's settlement file matched with the ledger",
        first_row("/money/reconciliation/", r"/money/reconciliation/\d+/", having="Northpay"),
    ),
    Picture("commission", IB_MANAGER, "Why each level of a partner network was paid for one trade", commission),
    Picture(
        "agent-alert",
        DESK_HEAD,
        "An agent's day against their baseline",
        dark=True,
        go=first_row("/monitoring/alerts/", r"/monitoring/alerts/\d+/", having="Erik Lange"),
    ),
    Picture("traders-room", CLIENT, "The client portal on a phone", at("/portal/"), size=PHONE),
)
