"""Suspected abuse from the queue to a measure of two people, and the links around a client as a picture."""

import re

from playwright.sync_api import expect

from compliance.models import Restriction
from crm.choices import Role
from risk.abuse import scoring
from tests.browser.people import enter
from tests.cast import make_staff
from tests.risk.abuse.test_episodes import hedged_accounts
from tests.risk.links.test_links import share


def test_an_episode_with_its_chart_is_confirmed_and_a_measure_approved(page, open_page, cast):
    hedged_accounts(cast)
    (episode,) = scoring.score_next()[1]
    enter(page, cast.finance)
    page.goto("/risk/abuse/")
    page.get_by_role("link", name=re.compile("Clara Weber|Óscar Núñez")).first.click()
    page.wait_for_url(re.compile(episode.get_absolute_url()))
    expect(page.get_by_text("8 times one account bought what the other one sold")).to_be_visible()
    chart = page.locator("svg.k-area-chart")
    expect(chart).to_be_visible()
    # Without its style it is a black box.
    assert chart.locator(".spots rect").first.evaluate("spot => getComputedStyle(spot).fill") == "rgba(0, 0, 0, 0)"
    page.get_by_label("Abuse confirmed").check()
    page.get_by_label("Reason").fill("One person trades both accounts")
    page.get_by_role("button", name="Record decision").click()
    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    page.get_by_label("Measure to take").select_option(f"{cast.client.pk}:withdrawals")
    page.get_by_label("Reason").fill("Until both identities are verified again")
    page.get_by_role("button", name="Propose measure").click()
    expect(page.get_by_text("Measure proposed.")).to_be_visible()
    second = open_page()
    enter(second, make_staff("second.finance@keelson.example", Role.FINANCE, brand=cast.brand))
    second.goto(episode.get_absolute_url())
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_text("Measure carried out.")).to_be_visible()
    assert Restriction.objects.filter(client=cast.client, kind="no_withdrawal", lifted_at=None).exists()


def test_links_are_a_picture_and_a_list_and_can_be_set_aside(page, cast):
    share("device", cast.client, cast.other_client, mark=221)
    enter(page, cast.finance)
    page.goto(f"/risk/links/{cast.client.pk}/")
    picture = page.get_by_role("img", name="Linked clients")
    expect(picture).to_be_visible()
    expect(picture.get_by_text(str(cast.other_client), exact=True)).to_be_visible()
    page.get_by_label("Known as").select_option("household")
    page.get_by_label("Reason").fill("Married; both were on the phone")
    page.get_by_role("button", name="Set link aside").click()
    expect(page.get_by_role("cell", name=re.compile("One household"))).to_be_visible()
    expect(page.get_by_role("button", name="Count again")).to_be_visible()
