"""Which pages axe-core looks at: a fixed sample that has each template once, or everything that links lead to."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from html import unescape

from django.test import Client as Browser
from django.urls import Resolver404, resolve

from crm.models import User
from crm.ui import menu
from tests.walker.world import World, still_signed_in

STRANGER = (
    "/accounts/login/",
    "/accounts/password/forgotten/",
    "/b/meridian/login/",
    "/b/meridian/register/",
    "/b/meridian/legal/terms/",
    "/l/meridian/start/?lang=es",
    "/api/v1/docs/",
)
# Each address once, by the first role whose work it is; where several lists share a template, one of them.
SAMPLE: dict[str, Sequence[str]] = {
    "stranger": STRANGER,
    "agent": (
        "/home/ /home/cards/ /favourites/ /clients/choose/client-task/ "
        "/my-day/ /leads/ /leads/board/ /clients/ /trading/dealing/ /trading/exposure/ /trading/margin/ "
        "/monitoring/me/ /jobs/ /profile/ /accounts/security/ /accounts/password/change/ /money/withdrawals/"
    ).split(),
    "desk_head": (
        "/home/ /approvals/ /leads/imports/ /leads/imports/new/ /campaigns/ /access-log/ /ib/partners/ /reports/sales/ "
        "/reports/performance/ /reports/targets/ /monitoring/watchlist/ /monitoring/watchlist/new/ /landing-pages/ /explain/ "
        "/lead-rules/ /lead-rules/score/new/"
    ).split(),
    "kyc_officer": "/home/ /kyc/queue/ /compliance/watchlists/ /money/unverified/".split(),
    "mlro": (
        "/home/ /audit/ /money/rates/ /money/cash/ /money/ledger/ /money/journals/ /money/periods/ /money/sources/ "
        "/money/reconciliation/ /money/bank/ /money/documents/ /money/client-money/meridian/ "
        "/money/psps/ /money/methods/ /money/bonuses/plans/ /money/bank/tables/ /money/reconciliation/breaks/?state=open "
        "/trading/types/ /trading/leverage-caps/"
    ).split(),
    "finance": "/home/ /trading/health/".split(),
    "ib_manager": (
        "/home/ /ib/plans/ /ib/plans/new/ /ib/partners/new/ /ib/commissions/not-paid/ /ib/periods/ /ib/runs/ "
        "/ib/replays/ /ib/replays/new/"
    ).split(),
    "support": "/home/ /trading/imports/ /trading/imports/new/".split(),
    "marketing": "/home/ /lead-sources/".split(),
    "auditor": ("/home/",),
    "administrator": "/home/ /staff/ /brands/ /trading/servers/ /imports/ /imports/new/".split(),
    "client": (
        "/portal/ /portal/wallet/ /portal/wallet/deposit/ /portal/wallet/withdraw/ /portal/wallet/transfer/ "
        "/portal/wallet/exchange/ /portal/wallet/history/ /portal/wallet/documents/ /portal/accounts/ /portal/accounts/open/ "
        "/portal/documents/ /portal/profile/ /portal/profile/details/ /notifications/"
    ).split(),
    "partner": "/partners/ /partners/network/ /partners/clients/ /partners/links/ /partners/payouts/".split(),
}
# (who, an address or an earlier record, the page to which the first link of that name leads).
RECORDS: tuple[tuple[str, str, str], ...] = (
    ("agent", "/clients/?sort=-net_deposits", "client"),
    ("agent", "client", "client_call"),
    ("agent", "/money/deposits/", "wallet:deposit"),
    ("agent", "/money/withdrawals/all/", "wallet:withdrawal"),
    ("agent", "/money/transfers/", "wallet:transfer"),
    ("agent", "/trading/accounts/", "trading_account"),
    ("agent", "/trading/deals/", "trading_deal"),
    ("desk_head", "/monitoring/alerts/", "monitoring_alert"),
    ("desk_head", "/campaigns/", "campaign"),
    ("desk_head", "/trading/requests/", "trading_request"),
    ("kyc_officer", "/kyc/queue/", "kyc:document"),
    ("kyc_officer", "/compliance/hits/?state=open", "compliance:hit"),
    ("kyc_officer", "compliance:hit", "compliance:client"),
    ("kyc_officer", "compliance:client", "compliance:restrict"),
    ("kyc_officer", "/money/bonuses/", "wallet:bonus"),
    ("kyc_officer", "/money/exchanges/", "wallet:exchange"),
    ("mlro", "/money/disputes/", "wallet:dispute"),
    ("mlro", "/money/ledger/", "wallet:ledger_account"),
    ("mlro", "/money/journals/", "wallet:manual_journal"),
    ("mlro", "/money/periods/", "wallet:period"),
    ("mlro", "/money/periods/", "wallet:month_end"),
    ("mlro", "/money/client-money/meridian/", "wallet:client_money_day"),
    ("mlro", "/money/reconciliation/", "wallet:settlement"),
    ("mlro", "/money/bank/", "wallet:bank_entry"),
    ("ib_manager", "/ib/plans/", "ib_plan"),
    ("ib_manager", "ib_plan", "ib_version_new"),
    ("ib_manager", "/ib/partners/", "ib_partner"),
    ("ib_manager", "/approvals/", "approval"),
    ("ib_manager", "/ib/commissions/?state=accrued", "ib_accrual"),
    ("ib_manager", "/ib/periods/", "ib_period"),
    ("support", "/trading/imports/", "trading_import"),
    ("support", "/jobs/", "job"),
    ("client", "/portal/accounts/", "portal_account"),
    ("client", "/portal/wallet/history/", "portal_movement"),
    ("partner", "/partners/links/", "partner_link_share"),
    ("partner", "/partners/payouts/", "partner_settlement"),
)
LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)"')
FILES = ("export=", ".csv", ".pdf", ".xlsx", ".zip", ".xml", "/static/", "/logout/")
# From a menu entry to a record, from there to its forms, and to what those lead to.
DEPTH = 3


def sample(world: World, people: Collection[str]) -> Iterator[tuple[str, str]]:
    """(who, address): these people's fixed pages, then their records. What so small a demo doesn't have is left out."""
    for who in people:
        yield from ((who, address) for address in SAMPLE.get(who, ()))
    browsers: dict[str, Browser] = {}
    found: dict[str, str] = {}
    for who, start, name in RECORDS:
        if who not in people:
            continue
        if not (start := found.get(start, start)).startswith("/"):
            continue
        browsers[who] = still_signed_in(browsers.get(who), world.people[who])
        for address in links(browsers[who], start):
            if name_of(address) == name:
                found[name] = address
                yield who, address
                break


def expected(people: Collection[str]) -> int:
    """How many pages their sample has in a demo of any size."""
    return sum(len(SAMPLE.get(who, ())) for who in people)


def everything(world: World) -> Iterator[tuple[str, str]]:
    """(who, address): all menu pages of everybody, and the first page of each name that links lead to from there."""
    yield from (("stranger", address) for address in STRANGER)
    seen: set[str] = set()
    for who, person in world.people.items():
        if person is None:
            continue
        todo = deque((address, 0) for address in pages_of(person))
        browser = still_signed_in(None, person)
        while todo:
            address, depth = todo.popleft()
            name = name_of(address)
            # Everybody's home is another page; all others look alike for whoever may open them.
            key = f"{name} {who}" if name == "home" else name
            if not name or key in seen or any(part in address for part in FILES):
                continue
            following = links(browser, address)
            if not following:
                continue
            seen.add(key)
            yield who, address
            if depth < DEPTH:
                todo.extend((other, depth + 1) for other in following)


def pages_of(person: User) -> list[str]:
    audience = person.kind if person.kind in ("client", "partner") else "staff"
    return [link.url for link in menu.links_for(person, audience)]


def name_of(address: str) -> str:
    try:
        return resolve(address.partition("?")[0]).view_name
    except Resolver404:
        return ""


def links(browser: Browser, address: str) -> list[str]:
    """List the addresses on a page that is a whole one; nothing of fragments, files and refusals."""
    answer = browser.get(address, follow=True)
    if answer.status_code != 200 or answer.streaming or b"<html" not in answer.content[:400]:
        return []
    return [unescape(found) for found in LINK.findall(answer.content.decode())]
