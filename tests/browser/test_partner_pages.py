"""A partner in a real browser: sharing a link with its QR code, on a desk and on a phone; and the plan editor's live check."""

from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from crm.files.jobs import run_job
from crm.models import Job
from ib import engine, plans
from ib.agreements import cards
from ib.models import ReferralDay
from leads.models import LandingPage
from tests.browser.axe import TAGS, in_the_dark, violations
from tests.browser.people import enter
from tests.ib import factories
from tests.ib.conftest import network

__all__ = ["network"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}


@pytest.fixture
def spring(cast):
    fields = {"headline": "Spring offer", "call_to_action": "Go", "thanks_title": "Thanks"}
    return LandingPage.objects.create(brand=cast.brand, slug="spring", language="en", **fields)


def test_a_link_is_shared_with_qr_code_page_and_tags(page, network, spring):
    """The address under the code, in the copy button, in the messengers and in the files is one and the same."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter(page, network.sub.user)
    page.goto("/partners/links/")
    page.get_by_role("link", name="Share Main link").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="QR code of the link")).to_be_visible()
    before = dialog.locator(".k-qr path").get_attribute("d")
    dialog.get_by_label("Page").select_option(label="Spring offer")
    dialog.get_by_text("Campaign tags (UTM)").click()
    dialog.get_by_label("Source").press_sequentially("telegram", delay=30)
    expect(dialog.locator("#share-url")).to_contain_text("utm_source=telegram")
    expect(dialog.locator("#share-url")).to_contain_text("to=spring")
    expect(dialog.get_by_label("Source")).to_be_focused()
    assert dialog.locator(".k-qr path").get_attribute("d") != before
    url = dialog.locator("#share-url").inner_text()
    dialog.get_by_role("button", name="Copy link").click()
    assert page.evaluate("navigator.clipboard.readText()") == url
    for name in ("WhatsApp", "Telegram", "E-mail"):
        assert "utm_source%3Dtelegram" in (dialog.get_by_role("link", name=name).get_attribute("href") or "")
    with page.expect_download() as file:
        dialog.get_by_role("link", name="PNG").click()
    assert file.value.suggested_filename == f"qr-{network.sub.code}.png"
    page.keyboard.press("Escape")
    expect(page.locator("#share-result")).not_to_be_visible()
    page.goto(url)
    expect(page.get_by_role("heading", name="Spring offer")).to_be_visible()
    assert "utm_source=telegram" in page.url and f"ref={network.sub.code}" in page.url
    assert ReferralDay.objects.get(link__partner=network.sub).clicks == 1


def test_the_share_dialog_and_the_period_switch_fit_a_phone(phone, network):
    enter(phone, network.sub.user)
    phone.goto("/partners/")
    phone.get_by_role("link", name="90 days").click()
    expect(phone.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.get_by_role("link", name="Share", exact=True).click()
    expect(phone.get_by_role("img", name="QR code of the link")).to_be_visible()
    assert phone.evaluate("document.querySelector('dialog[open]').scrollWidth <= window.innerWidth")


def test_a_branch_of_the_network_opens_and_closes(page, network):
    """What is below a closed branch is hidden with it, and a branch opened before comes back open, without a second request."""
    factories.make_partner(network.top.brand, parent=network.sub)
    below = network.sub.downline.get(level=2).partner.name
    enter(page, network.top.user)
    page.goto("/partners/network/")
    for name in (network.master.name, network.sub.name):
        page.get_by_role("button", name=f"Show downline of {name}").click()
    row = page.locator("tr.k-node", has_text=below)
    expect(row).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    top = page.get_by_role("button", name=f"Show downline of {network.master.name}")
    top.click()
    expect(row).to_be_hidden()
    expect(top).to_have_attribute("aria-expanded", "false")
    top.click()
    expect(row).to_be_visible()
    assert asked == []


def test_the_plan_editor_checks_and_previews_while_one_types(page, cast, network):
    plan = plans.create_plan(brand=cast.brand, name="Silver", description="", actor=cast.ib_manager)
    enter(page, cast.ib_manager)
    page.goto(f"/ib/plans/{plan.pk}/new-version/?start=shared")
    check = page.locator("#plan-check")
    expect(check).to_contain_text("1 lot EURUSD by a client at level 2 pays €6.30")
    page.get_by_label("Share for level 1").fill("80")
    expect(check).to_contain_text("FX majors: the levels add up to 7.70 per lot")
    expect(page.get_by_label("Share for level 1")).to_be_focused()
    page.get_by_label("Client at level").select_option("1")
    expect(check).to_contain_text("1 lot EURUSD by a client at level 1 pays €5.60")
    page.get_by_role("button", name="Remove last level").click()
    expect(page.get_by_label("Share for level 3")).to_have_count(0)
    expect(check).to_contain_text("Rates and shares are valid.")
    page.get_by_role("button", name="Crypto").click()
    page.get_by_label("Crypto, per lot").fill("2")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Draft saved")).to_be_visible()
    assert cards.rate_card(plan.versions.get()).of_level("crypto", 2) == Decimal("0.4")


def test_a_version_with_components_is_tried_out_and_approved_by_another(open_page, cast, network):
    """Editor, what-if over yesterday's trades with its warning, and the second person who reads it and activates."""
    factories.load_rates(timezone.now().date())
    deal = factories.make_trade(network.account, at=timezone.now() - timezone.timedelta(days=1), commission="-4")
    engine.run_for_deals(deal_ids=[deal])
    page, plan = open_page(), network.version.plan
    enter(page, cast.ib_manager)
    page.goto(f"/ib/plans/{plan.pk}/new-version/")
    page.get_by_role("button", name="Add component").click()
    page.get_by_label("Component 1", exact=True).select_option("commission")
    page.get_by_label("Component 1, value").fill("50")
    expect(page.locator("#plan-check")).to_contain_text("50 % of the commission that the platform charges")
    page.get_by_role("button", name="Save and propose").click()
    version = page.locator("section.card").filter(has_text="Version 2")
    expect(version).to_contain_text("50 % of the commission that the platform charges")
    version.get_by_role("button", name="What-if").click()
    expect(page.get_by_text("What-if of a commission plan").first).to_be_visible()
    run_job(Job.objects.get(kind="ib.what_if").pk)
    checker = open_page()
    enter(checker, cast.finance)
    checker.goto(plan.get_absolute_url())
    checker.get_by_role("link", name="What-if,").click()
    expect(checker.get_by_text("Commissions would exceed what the company earned")).to_be_visible()
    row = checker.get_by_role("row").filter(has_text=network.sub.name)
    expect(row).to_contain_text("€6.00")
    expect(row).to_contain_text("€7.20")
    checker.go_back()
    checker.get_by_role("button", name="Activate").click()
    expect(checker.get_by_text("v2 activated.")).to_be_visible()


def test_what_no_menu_leads_to_is_accessible_too(page, cast, network):
    """The menu's pages are looked at in `test_every_page`; the dialog, the editor and the application aren't among them."""
    enter(page, network.sub.user)
    link = network.sub.referral_links.get()
    plan = network.version.plan_id
    page.goto("/partners/?trades=unpaid")
    page.get_by_role("link", name="Share", exact=True).click()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    found = [*violations(page, RULES)]
    for who, address in (
        (network.sub.user, f"/partners/links/{link.pk}/share/"),
        (network.sub.user, f"/partners/join/{link.code}/"),
        (cast.ib_manager, "/ib/plans/new/"),
        (cast.ib_manager, f"/ib/plans/{plan}/new-version/"),
    ):
        enter(page, who)
        page.goto(address)
        found += [*violations(page, RULES), *in_the_dark(page)]
    assert not found, "\n".join(found)
