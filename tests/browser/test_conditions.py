"""A routing rule's conditions are put together in rows and groups, tried out, saved, and read as a sentence."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from leads.models import RoutingRule
from tests.browser.people import enter
from tests.cast import Cast


def test_a_desk_head_builds_a_condition_tries_it_and_reads_it_as_a_sentence(cast: Cast, open_page: Any) -> None:
    page: Page = open_page()
    enter(page, cast.desk_head)
    page.goto("/lead-rules/")
    page.get_by_role("link", name="Routing rule").click()
    form = page.locator("#k-fill form")
    form.get_by_role("textbox", name="Name").fill("Good Germans")
    form.get_by_role("button", name="Add condition").click()
    form.get_by_label("Field", exact=True).select_option("score")
    form.get_by_label("Comparison", exact=True).select_option("ge")
    form.get_by_label("Value", exact=True).fill("50")
    form.get_by_role("button", name="Add group").click()
    group = form.locator(".k-condition-group .k-condition-group")
    group.get_by_label("Combine with").select_option("none")
    group.get_by_label("Field", exact=True).select_option("country")
    group.locator("summary").click()
    group.get_by_label("Austria").check()
    form.get_by_role("button", name="Preview").click()
    expect(form.locator(".k-condition-preview")).to_contain_text("Score is at least 50, and not: Country is Austria")
    form.get_by_label("Desk", exact=False).select_option(str(cast.desk.pk))
    form.get_by_role("button", name="Save").click()
    row = page.locator("tr", has=page.get_by_role("link", name="Good Germans"))
    expect(row).to_contain_text("Score is at least 50, and not: Country is Austria")
    rule = RoutingRule.objects.get()
    assert rule.condition == {
        "version": 1,
        "all": [
            {"field": "score", "is": "ge", "value": "50"},
            {"not": {"any": [{"field": "country", "is": "in", "value": ["AT"]}]}},
        ],
    }
    page.get_by_role("link", name="Good Germans").click()
    expect(page.locator("#k-fill").get_by_label("Value", exact=True).first).to_have_value("50")
