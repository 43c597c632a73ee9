"""Step 7: the sub-IB who brought the client and the master IB above earn, see why, and are paid."""

from __future__ import annotations

import re
from decimal import Decimal

from playwright.sync_api import Page, expect

from tests.smoke.journey import MASTER_IB, SUB_IB, Journey, until
from tests.smoke.money import FINANCE
from tests.smoke.people import PASSWORD


def both_earn(journey: Journey) -> str:
    """A rebate and an override from one confirmed deal, settled to the ledger, on the pages of both partners."""
    client = journey.notes["client"]
    rows = until(
        lambda: journey.look(
            "SELECT p.name, a.id, a.level, a.amount, a.currency FROM ib_accrual a JOIN ib_partner p ON p.id = a.partner_id"
            " WHERE a.client_id = %s AND a.state = 'accrued' ORDER BY a.level",
            client,
        ),
        "the commissions of the trade that was held a minute",
    )
    assert [row[0] for row in rows] == [SUB_IB, MASTER_IB], rows
    short = journey.value("SELECT count(*) FROM ib_accrual WHERE client_id = %s AND reason = 'held_too_short'", client)
    assert short, "the trade that closed at once should say why it is not paid"
    settle(journey)
    told = []
    for name, accrual, level, amount, currency in rows:
        page = partner_page(journey, name)
        explained(page, accrual)
        page.goto("/partners/network/")
        expect(page.locator("h1")).to_be_visible()
        page.goto("/partners/clients/")
        expect(page.locator(".k-table tbody tr").first).to_be_visible()
        told.append(f"level {level} {Decimal(amount):.4f} {currency}")
    return ", ".join(told) + ", settled to the ledger"


def settle(journey: Journey) -> None:
    """Finance settles the running period of the brand: one journal per partner and currency."""
    page = journey.staff(FINANCE)
    page.goto("/ib/periods/")
    row = page.locator("tr", has_text="Meridian").filter(has=page.get_by_role("button", name="Settle now"))
    row.get_by_role("button").click()
    with page.expect_navigation():
        page.locator("[data-yes]").click()
    until(
        lambda: (
            journey.value(
                "SELECT count(*) FROM ib_settlement s JOIN ib_partner p ON p.id = s.partner_id JOIN wallet_journal j"
                " ON j.id = s.journal_id WHERE p.name = ANY(%s) AND s.settled_at > now() - interval '2 minutes'",
                [SUB_IB, MASTER_IB],
            )
            == 2
        ),
        "the settlement of both partners",
    )


def partner_page(journey: Journey, name: str) -> Page:
    """The partner, signed in."""
    if name in journey.pages:
        return journey.pages[name]
    page = journey.page(name)
    (login,) = journey.look(
        "SELECT u.email FROM ib_partner p JOIN crm_user u ON u.id = p.user_id WHERE p.name = %s", name
    )
    page.goto("/b/meridian/partners/login/")
    page.fill("input[name=login]", login[0])
    page.fill("input[name=password]", PASSWORD)
    page.locator("form:has(input[name=password]) button").first.click()
    page.wait_for_url(re.compile("/partners/"))
    return page


def explained(page: Page, accrual: int) -> None:
    """The trade with lots, rate and share, step by step, and that it is settled."""
    page.goto(f"/partners/earnings/trade/{accrual}/")
    expect(page.locator(".k-steps-list li").nth(2)).to_be_visible()
    expect(page.locator("body")).to_contain_text(re.compile("Settled on|Abgerechnet am"))
