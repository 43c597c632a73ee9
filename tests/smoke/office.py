"""Steps 4, 9 and 10: compliance, month-end and the desk head."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.smoke.journey import TRADER, Journey, until

KYC_OFFICER, DESK_HEAD = "kyc@keelson.example", "head.dach@meridian.example"


def officer_approves(journey: Journey) -> str:
    """The officer claims each file, sees it beside the data, approves; screening, account and welcome follow."""
    client = journey.notes["client"]
    page = journey.staff(KYC_OFFICER)
    flagged = []
    for kind in ("Passport", "Proof of address"):
        page.goto("/kyc/queue/")
        page.locator("tr", has_text="Lukas Brandt").filter(has_text=kind).last.locator("a").first.click()
        approve = page.locator("form[data-approve]")
        claim = page.get_by_role("button", name=re.compile("Claim"))
        expect(approve.or_(claim)).to_be_visible()
        if claim.count():  # the one after an approval is claimed already
            claim.click()
        expect(approve).to_be_visible()
        expect(page.locator(".k-table", has_text="Registration").first).to_be_visible()
        found = page.locator("[data-issue]").all_inner_texts()
        flagged += [text.splitlines()[0] for text in found]
        if found:
            approve.locator("textarea[name=note]").fill("The client mixed up the house number; confirmed by telephone.")
        approve.locator("button").click()
        page.wait_for_load_state()
    login = until(
        90,
        lambda: journey.value(
            "SELECT login FROM trading_tradingaccount WHERE client_id = %s AND state = 'open'", client
        ),
        "the MT5 account",
    )
    journey.notes["login"] = login
    assert journey.value("SELECT count(*) FROM compliance_screening WHERE client_id = %s", client), "not screened"
    journey.mail(TRADER, login)
    return f"flagged: {', '.join(flagged)}; MT5 login {login}, screened, welcomed"


def desk_head_decides(journey: Journey) -> str:
    """One agent opened 150 records in an afternoon; the desk head reviews the alert and records a decision."""
    page = journey.staff(DESK_HEAD)
    page.goto("/monitoring/alerts/")
    page.locator("table a").first.click()
    page.wait_for_url(re.compile(r"/monitoring/alerts/\d+/"))
    expect(page.locator("body")).to_contain_text("150")
    return ""
