"""Steps 5, 6 and 8: a deposit that is booked once, money on the platform, trades that come back, a withdrawal."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from typing import Any

from playwright.sync_api import expect

from tests.smoke.journey import AGENT, Journey, page_shows, until

FINANCE, SECOND_FINANCE = "finance@keelson.example", "finance2@keelson.example"
HOLD_SECONDS = 62  # the demo's plans pay for trades that were held a minute


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """The sandbox's own control address: what the outside world does, not what Keelson does."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read() or b"null")


def client_deposits(journey: Journey) -> str:
    """EUR 500 through the hosted page, booked once however often the webhook comes, then all of it to MT5, once."""
    page = journey.page("trader")
    page.goto("/portal/wallet/deposit/")
    page.fill("input[name=amount]", "500")
    page.locator("input[name=method]").first.check()
    page.locator("form button[type=submit].w-100").click()
    page.wait_for_selector("button[name=action][value=pay]")
    page.fill("input[name=payer_name]", "Lukas Brandt")
    page.fill("input[name=cvc]", "123")
    page.locator("button[name=action][value=pay]").click()
    page.wait_for_url(re.compile("/portal/wallet/"))
    until(lambda: wallet_minor(journey) == 50_000, "the booking of EUR 500")
    sent = ask(f"{journey.psp_url}/_control/state")["deliveries"][:3]
    assert sent, "the PSP sent no webhook"
    for event in sent:
        ask(f"{journey.psp_url}/_control/{event['psp']}/events/{event['event_id']}/resend", {})
    agent = journey.staff(AGENT)
    page_shows(agent, "/notifications/", "First deposit by Lukas Brandt")
    assert wallet_minor(journey) == 50_000, "a webhook that came again was booked again"
    move_to_platform(journey)
    return (
        f"{len(sent)} webhooks came again and booked nothing; MT5's lost answer was looked up; wallet 0, MT5 500.00 EUR"
    )


def move_to_platform(journey: Journey) -> None:
    """All of it to MT5, whose answer is lost on the way: looked up by its reference, not sent again."""
    ask(f"{journey.mt5_url}/control/fault", {"kind": "drop_after", "command": "TRADE_BALANCE", "times": 1})
    page = journey.page("trader")
    page.goto("/portal/wallet/transfer/?direction=to")
    page.fill("input[name=amount]", "500")
    page.locator("form button[type=submit].w-100").click()
    page.wait_for_url(re.compile(r"/portal/wallet/T"))
    until(lambda: on_platform(journey) == ["500.00"], "EUR 500 on MT5")
    expect(page.locator("#movement .k-steps .current, #movement .k-steps .done").last).to_be_visible()
    page_shows(page, "/portal/accounts/", re.compile(r"500[.,]00"))
    until(lambda: wallet_minor(journey) == 0, "the wallet's part of the transfer")


def on_platform(journey: Journey) -> list[str]:
    """The balance deals on the MT5 account, as the sync brought them."""
    rows = journey.look(
        "SELECT profit FROM trading_deal WHERE login = %s AND action = 2 ORDER BY ticket", journey.notes["login"]
    )
    return [f"{amount:.2f}" for (amount,) in rows]


def wallet_minor(journey: Journey) -> int:
    """What the client's wallets hold, in minor units."""
    return int(
        journey.value(
            "SELECT coalesce(sum(b.credits_posted - b.debits_posted), 0) FROM wallet_balance b"
            " JOIN wallet_account a ON a.id = b.account_id WHERE a.client_id = %s",
            journey.notes["client"],
        )
    )


def client_trades(journey: Journey) -> str:
    """The sandbox trades on the account: a position that stays open a minute, another that closes at once."""
    agent = journey.staff(AGENT)
    agent.goto(f"/clients/{journey.notes['client']}/tab/trading/")
    login = int(journey.notes["login"])
    trade = f"{journey.mt5_url}/control/trade"
    ask(trade, {"login": login, "symbol": "EURUSD", "lots": "0.05", "hold_seconds": HOLD_SECONDS})
    journey.notes["opened"] = time.monotonic()
    begun = time.monotonic()
    ask(trade, {"login": login, "symbol": "GBPUSD", "lots": "0.02", "hold_seconds": 0})
    deals = agent.locator("#trading-tab .card", has_text="Latest deals")
    expect(deals).to_contain_text("GBPUSD")  # the open page shows it by itself
    seen = time.monotonic() - begun
    expect(agent.locator("#trading-tab .card", has_text="Open positions")).to_contain_text("EURUSD")
    expect(agent.locator("#trading-tab")).to_contain_text(str(login))
    return f"deals on the open profile page after {seen:.1f} s, position, balance and equity beside them"


def finance_pays_out(journey: Journey) -> str:
    """EUR 200 back to the client: from MT5 to the wallet, checks, two pairs of eyes, the PSP pays, the ledger settles."""
    page = journey.page("trader")
    page.goto("/portal/wallet/transfer/?direction=from")
    page.fill("input[name=amount]", "200")
    page.locator("form button[type=submit].w-100").click()
    page.wait_for_url(re.compile(r"/portal/wallet/T"))
    until(lambda: wallet_minor(journey) == 20_000, "EUR 200 back in the wallet")
    page.goto("/portal/wallet/withdraw/")
    page.fill("input[name=amount]", "200")
    page.fill("input[name=to_card]", "4242")
    page.locator("form button[type=submit].w-100").click()
    expect(page.locator("form[data-plan]")).to_contain_text(re.compile(r"200[.,]00"))
    page.locator("form[data-plan] button[name=plan]").click()
    page.wait_for_url(re.compile(r"/portal/wallet/W"))
    reference = page.url.rstrip("/").rpartition("/")[2]
    for username in (FINANCE, SECOND_FINANCE):
        officer = journey.staff(username)
        officer.goto("/money/withdrawals/")
        officer.locator("tr", has_text="Lukas Brandt").last.locator("a").first.click()
        expect(officer.locator("body")).to_contain_text(reference)
        officer.get_by_role("button", name=re.compile("Approve")).click()
        with officer.expect_navigation():
            officer.locator("[data-yes]").click()
    until(lambda: withdrawal_state(journey, reference) == "settled", "the payout")
    assert wallet_minor(journey) == 0, "the wallet still holds what was paid out"
    page.goto(f"/portal/wallet/{reference}/")
    return f"{reference}: two approvals, paid by the PSP, settled in the ledger"


def withdrawal_state(journey: Journey, reference: str) -> str:
    return str(journey.value("SELECT state FROM wallet_withdrawal WHERE reference = %s", reference))
