"""An AML rule from its draft over the back-test and shadow mode to live, and the case that it makes."""

import datetime as dt
import os

from django.utils import timezone
from playwright.sync_api import expect

from clients.identifiers import IdentifierKind, learn
from compliance.aml.running import run_pending
from crm.files.jobs import run_job
from crm.models import Job
from tests.browser.people import enter
from tests.compliance.aml.factories import moved

SHOTS = os.environ.get("KEELSON_SHOTS", "")


def shot(page, name: str) -> None:
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)


def fits(page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_a_rule_goes_live_and_makes_a_case(page, phone, cast):
    now = timezone.now()
    for days in (90, 41, 40, 12, 11):
        moved(cast.client, "deposit", 1850, now - dt.timedelta(days=days), instrument="•••• 4242")
    for client in (cast.client, cast.other_client):
        learn(client.pk, IdentifierKind.DEVICE, "one-device")
    enter(page, cast.kyc_officer)
    page.goto("/aml/rules/")
    page.get_by_role("link", name="New rule").click()
    shot(page, "aml-measures")
    page.get_by_role("link", name="Structuring").click()
    page.get_by_role("textbox", name="Name").fill("Just below 2,000")
    page.get_by_label("Alert from").fill("2")
    page.get_by_label("Severity").select_option("high")
    page.get_by_label("Reason").fill("CySEC C721: unverified clients may deposit 2,000")
    shot(page, "aml-editor")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Draft created. Run a back-test next.")).to_be_visible()
    expect(page.get_by_role("button", name="Start shadow mode")).to_be_disabled()
    page.get_by_role("button", name="Run back-test").click()
    page.wait_for_url("**/jobs/*/")
    run_job(Job.objects.get(kind="compliance.aml_backtest").pk)
    page.goto("/aml/rules/")
    page.get_by_role("link", name="Just below 2,000").click()
    expect(page.get_by_text("Expected alerts per week")).to_be_visible()
    expect(page.locator("#main")).to_contain_text(str(cast.client))
    shot(page, "aml-rule-tried")
    page.locator("#id_reason").fill("To compare for a week")
    page.get_by_role("button", name="Start shadow mode").click()
    expect(page.get_by_text("Found in shadow mode")).to_be_visible()
    page.locator("#id_reason").fill("Few alerts, all worth a look")
    page.get_by_role("button", name="Propose to go live").click()
    expect(page.get_by_text("Awaiting second approval").first).to_be_visible()

    enter(page, cast.mlro)
    page.goto("/approvals/")
    page.get_by_role("link", name="Just below 2,000").click()
    page.get_by_role("button", name="Approve").click()
    for minutes in (1, 2):
        moved(cast.client, "deposit", 1900, timezone.now() + dt.timedelta(minutes=minutes), instrument="•••• 4242")
    assert run_pending() == 1
    page.goto("/aml/rules/")
    expect(page.locator("tr", has_text="Just below 2,000")).to_contain_text("Live")
    shot(page, "aml-rules")
    page.goto("/aml/cases/")
    shot(page, "aml-cases")
    page.get_by_role("link", name="AML-").click()
    expect(page.locator("svg.aml-graph")).to_be_visible()
    expect(page.get_by_role("img", name="linked with the client")).to_be_visible()
    shot(page, "aml-case")
    address = page.url
    page.get_by_label("Decision").select_option("monitored")
    page.get_by_label("Monitor until").fill((now + dt.timedelta(days=60)).date().isoformat())
    page.get_by_label("Reason").fill("Salary statement requested")
    page.get_by_role("button", name="Decide case").click()
    expect(page.get_by_text("Case decided.")).to_be_visible()

    enter(phone, cast.mlro)
    for name, path in (("rules", "/aml/rules/"), ("cases", "/aml/cases/?state=monitored"), ("case", address)):
        phone.goto(path)
        fits(phone)
        shot(phone, f"aml-{name}-phone")
