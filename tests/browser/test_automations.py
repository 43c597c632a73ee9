"""Marketing makes an automation from a template; a second person approves it; a client's run is seen step by step."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from playwright.sync_api import Page, expect

from crm.due import sweep
from crm.due.kinds import KINDS
from crm.events import ClientRegistered, drain, publish
from leads.automations.entering import STEP_DUE
from tests.brand_policies import set_policies
from tests.browser.people import enter
from tests.cast import Cast


def test_an_automation_from_a_template_to_a_run_on_a_client(cast: Cast, open_page: Any) -> None:
    set_policies(cast.brand, automation_hour_from=0, automation_hour_until=24)
    page: Page = open_page()
    enter(page, cast.marketing)
    page.goto("/automations/new/")
    page.get_by_role("button", name="Make a draft: Welcome series for beginners").click()
    expect(page.get_by_text("send the e-mail “Welcome 1: first steps”")).to_be_visible()
    page.get_by_role("link", name="Add a follow-up").click()
    page.get_by_label("Task").fill("Call {{ nick }}")
    page.get_by_role("button", name="Add step").click()
    expect(page.get_by_text("There is no variable “nick”")).to_be_visible()
    page.get_by_label("Task").fill("Call {{ first_name }}")
    page.get_by_role("button", name="Add step").click()
    expect(page.get_by_text("add the follow-up “Call {{ first_name }}”")).to_be_visible()
    page.get_by_role("link", name="Done editing").click()
    page.get_by_role("link", name="Start dry run").click()
    expect(page.locator("#dry-run")).to_contain_text("Would have entered")
    page.get_by_label("Reason").fill("For spring")
    page.get_by_role("button", name="Propose activation").click()
    expect(page.get_by_text("Version 1 waits for someone else")).to_be_visible()
    enter(page, cast.administrator)
    page.goto("/approvals/")
    page.get_by_role("link", name="Automation “Welcome series").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Automation activated.")).to_be_visible()
    with transaction.atomic():
        publish(ClientRegistered(client_id=cast.client.pk, brand_id=cast.brand.pk, user_id=1))
    drain()
    sweep(kinds=[KINDS[STEP_DUE]])
    enter(page, cast.agent)
    page.goto(cast.client.get_absolute_url())
    card = page.locator(".card", has=page.get_by_role("heading", name="Automations"))
    expect(card).to_contain_text("Welcome series for beginners")
    expect(card).to_contain_text("Done")
