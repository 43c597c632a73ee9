"""Steps 5, 6 and 8: a deposit that is booked once, money on the platform, trades that come back, a withdrawal."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

from playwright.sync_api import expect

from tests.smoke.journey import AGENT, Journey, until
from tests.smoke.people import sign_in_staff

FINANCE, SECOND_FINANCE = "finance@keelson.example", "finance2@keelson.example"


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """The sandbox's own control address: what the outside world does, not what Keelson does."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


def client_deposits(journey: Journey) -> str:
    """EUR 500 through the hosted page; the signed webhook is booked once, however often it comes."""
    page = journey.page("trader")
    page.goto("/portal/wallet/deposit/")
    page.fill("input[name=amount]", "500")
    page.locator("input[name=psp]").first.check()
    page.locator("form button[type=submit].w-100").click()
    page.wait_for_selector("button[name=action][value=pay]", timeout=30_000)
    page.locator("button[name=action][value=pay]").click()
    page.wait_for_url(re.compile("/portal/wallet/"), timeout=30_000)
    until(30, lambda: wallet_minor(journey) == 50_000, "the booking of EUR 500")
    state = ask(f"{journey.psp_url}/_control/state")
    for event in state["events"][-3:]:
        ask(f"{journey.psp_url}/_control/{event['psp']}/events/{event['id']}/resend", {})
    page.wait_for_timeout(3000)
    assert wallet_minor(journey) == 50_000, "a webhook that came again was booked again"
    agent = journey.staff(AGENT)
    agent.goto(f"/clients/{journey.notes['client']}/")
    expect(agent.locator("body")).to_contain_text("FTD")
    return "booked once, though its webhooks came again"


def wallet_minor(journey: Journey) -> int:
    """What the client's wallets hold, in minor units."""
    return int(
        journey.shell(
            "from clients.models import Client; from wallet import queries;"
            f"client = Client.objects.get(pk={journey.notes['client']});"
            "print(sum(row.balance_minor for row in queries.wallets_of(client)))"
        )
        or 0
    )


def finance_pays_out(journey: Journey) -> str:
    """EUR 200 back to the client: checks, two pairs of eyes, the PSP pays, the ledger settles."""
    page = journey.page("trader")
    page.goto("/portal/wallet/withdraw/")
    page.fill("input[name=amount]", "200")
    page.locator("form button[type=submit].w-100").click()
    page.wait_for_url(re.compile(r"/portal/wallet/W"))
    for username in (FINANCE, SECOND_FINANCE):
        officer = journey.page(username)
        sign_in_staff(officer, username)
        officer.goto("/money/withdrawals/")
        officer.get_by_text("Lukas Brandt").first.click()
        officer.get_by_role("button", name=re.compile("Approve")).click()
        officer.locator("[data-yes]").click()
        officer.wait_for_load_state()
    return ""
