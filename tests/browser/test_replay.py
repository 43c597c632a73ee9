"""A replay in a real browser: asked for, its differences by cause and line, proposed, applied by a second person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from playwright.sync_api import Page, expect

from crm.files.jobs import run_job
from ib import engine
from ib.models import Accrual, Replay
from tests.browser.axe import TAGS, in_the_dark, violations
from tests.browser.people import enter
from tests.cast import Cast
from tests.ib.conftest import network
from tests.ib.factories import make_trade
from tests.ib.test_replay import edit

__all__ = ["network"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}
PHONE = {"width": 390, "height": 844}


def test_a_replay_goes_from_differences_to_applied(page: Page, network: Any, cast: Cast) -> None:
    known = make_trade(network.account)
    engine.run_for_deals(deal_ids=[known])
    edit(known, closed_lots=Decimal("0.5"))
    make_trade(network.account, lots="2")
    enter(page, cast.ib_manager)
    page.goto("/ib/replays/")
    page.get_by_role("link", name="New replay").first.click()
    page.get_by_label("From").fill("2026-09-01")
    page.get_by_label("To (inclusive)").fill("2026-09-30")
    page.get_by_label("Reason").fill("A trade is missing")
    page.get_by_role("button", name="Start replay").click()
    expect(page.get_by_text("Waiting to start")).to_be_visible()
    replay = Replay.objects.get()
    assert replay.job is not None
    run_job(replay.job.pk)
    page.get_by_role("link", name="Open result").click()
    expect(page.get_by_role("heading", name="By cause")).to_be_visible()
    assert not violations(page, RULES) and not in_the_dark(page)
    page.get_by_role("link", name="Deal changed on the platform").click()
    expect(page.locator("#t-ib-replay_lines tbody tr")).to_have_count(3)
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Apply differences").click()
    page.get_by_role("button", name="Propose", exact=True).click()
    expect(page.get_by_text("Awaiting second approval").first).to_be_visible()
    assert Accrual.objects.count() == 3

    enter(page, cast.finance)
    page.goto(replay.get_absolute_url())
    page.get_by_role("link", name="Open proposal").click()
    expect(page.get_by_text("Deal not calculated before")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Replay applied. Differences added.")).to_be_visible()
    assert Accrual.objects.count() == 9
    page.goto(replay.get_absolute_url())
    expect(page.get_by_text("Applied by")).to_be_visible()
    row = Accrual.objects.filter(source=f"replay:{replay.pk}").first()
    assert row is not None
    page.goto(f"/ib/commissions/{row.pk}/")
    page.get_by_role("link", name=f"#{replay.pk}", exact=True).click()
    expect(page.get_by_role("heading", name=f"Replay #{replay.pk}")).to_be_visible()
