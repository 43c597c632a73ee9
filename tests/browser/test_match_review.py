"""A possible match in the browser: compared side by side, proposed as a true match by one person and approved by another."""

import os

from playwright.sync_api import expect

from clients.models import Client
from compliance import screening
from compliance.models import Hit
from tests.browser.people import enter
from tests.compliance.factories import load
from tests.sandbox.psp.running import wait_until

SHOTS = os.environ.get("KEELSON_SHOTS", "")


def shot(page, name: str) -> None:
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)


def test_a_true_match_is_proposed_and_approved_by_another(page, cast, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    hit = Hit.objects.get()
    enter(page, cast.kyc_officer)
    page.goto("/compliance/hits/?state=open")
    page.get_by_role("button", name="Claim next match").click()
    page.wait_for_url(f"**/compliance/hits/{hit.pk}/")
    expect(page.locator("#main")).to_contain_text("Listed person")
    page.locator("form[action$='/confirm/']").get_by_label("Explanation").fill("The passport number agrees")
    page.get_by_role("button", name="Propose true match").click()
    page.locator("dialog[open] .btn-danger").click()
    expect(page.locator("#main")).to_contain_text("Awaiting second approval")
    shot(page, "match-proposed")

    enter(page, cast.mlro)
    page.goto("/approvals/")
    page.locator("tr", has_text="Klara Weber").get_by_role("link").first.click()
    shot(page, "match-approval")
    page.get_by_role("button", name="Approve").first.click()
    wait_until(lambda: Hit.objects.get().state == "confirmed")
    assert Hit.objects.get().decided_by == cast.mlro
    assert Client.objects.get(pk=cast.client.pk).restrictions == ["frozen"]
