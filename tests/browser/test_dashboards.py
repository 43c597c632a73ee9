"""The dashboards' filter bar in a real browser: choose, drill down from the funnel, and come back to what was chosen."""

import datetime as dt

import pytest
from playwright.sync_api import expect

from clients.models import Client
from reports import figures, upkeep
from tests.browser.people import enter
from tests.cast import make_client
from tests.reports.test_reports import lead


@pytest.fixture
def world(cast):
    """Two people of Germany and one of Poland, first seen yesterday."""
    today = figures.today_of(frozenset([cast.brand.pk]))
    at = dt.datetime.combine(today, dt.time(12), tzinfo=dt.UTC) - dt.timedelta(days=1)
    Client.objects.update(created_at=at - dt.timedelta(days=300), registered_at=at - dt.timedelta(days=300))
    for number, country in enumerate(("DE", "DE", "PL")):
        client = make_client(brand=cast.brand, book=cast.book, email=f"d{number}@example.com", login=False)
        Client.objects.filter(pk=client.pk).update(created_at=at, country=country, last_contact_at=at)
        lead(client, at=at, agent=cast.agent)
    upkeep.refresh()
    return cast


def test_filters_drill_down_from_the_funnel_and_back(page, world):
    enter(page, world.administrator)
    page.goto("/reports/sales/")
    leads = page.locator(".k-kpi", has_text="Leads").first.locator(".value")
    expect(leads).to_have_text("3")
    page.get_by_label("Country", exact=True).select_option("DE")
    expect(leads).to_have_text("2")
    page.locator(".k-bar-periods").get_by_text("7 days").click()
    page.wait_for_url("**/reports/sales/?period=7&country=DE")
    expect(page.locator(".k-as-of")).to_contain_text("Figures as of")
    page.locator(".k-funnel a", has_text="Contacted").click()
    page.wait_for_url("**/clients/?**")
    expect(page.locator("tr[data-id]")).to_have_count(2)
    page.go_back()
    expect(leads).to_have_text("2")
    expect(page.get_by_label("Country", exact=True)).to_have_value("DE")
    expect(page.locator("[name=period][value='7']")).to_be_checked()
    page.go_back()
    page.wait_for_url("**/reports/sales/?country=DE")
    expect(page.locator("[name=period][value='30']")).to_be_checked()
    expect(page.get_by_label("Country", exact=True)).to_have_value("DE")


def test_a_click_on_a_day_opens_its_people(page, world):
    enter(page, world.administrator)
    page.goto("/reports/sales/?period=7")
    plot = page.locator(".k-chart .u-over")
    plot.wait_for()
    box = plot.bounding_box()
    assert box is not None
    plot.click(position={"x": box["width"] * (0.5 + 5) / 7, "y": box["height"] / 2})  # the last day but one
    page.wait_for_url("**/clients/?**")
    expect(page.locator("tr[data-id]")).to_have_count(3)


def test_own_dates_and_a_period_that_makes_no_sense(page, world):
    enter(page, world.administrator)
    page.goto("/reports/sales/")
    expect(page.get_by_label("From")).to_be_hidden()
    page.locator(".k-bar-periods").get_by_text("Custom").click()
    expect(page.get_by_label("From")).to_be_visible()
    page.get_by_label("To (inclusive)").fill("2020-01-01")
    expect(page.locator("#board .alert, #board [class*=alert]").first).to_contain_text("before the start date")
