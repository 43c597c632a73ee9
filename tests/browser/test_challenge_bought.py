"""A challenge is compared and bought on a phone."""

from prop.models import Challenge
from tests.browser.people import enter
from tests.prop.factories import make_version
from tests.wallet.factories import fund


def test_bought_at_phone_width(open_page, live_server, cast):
    fund(cast.client, 20_000)
    make_version(cast)
    page = open_page(width=390, height=844)
    enter(page, cast.client.user)
    page.goto("/portal/accounts/")
    page.get_by_role("link", name="Challenges").click()
    page.get_by_role("link", name="Choose for €99.00").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_role("button", name="Buy challenge").click()
    page.wait_for_url("**/portal/challenges/*/")
    page.get_by_text("Your account is being opened.").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert Challenge.objects.get().client_id == cast.client.pk
