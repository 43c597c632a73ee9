"""From an AML case to a suspicion report that a second person approves, whose XML is downloaded and checked."""

import os
from pathlib import Path

from playwright.sync_api import expect

from compliance.sar import goaml
from compliance.sar.models import ReportingEntity
from tests.browser.people import enter
from tests.compliance.sar.factories import case_of, deputy, known, reporting

SHOTS = os.environ.get("KEELSON_SHOTS", "")


def shot(page, name: str) -> None:
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)


def test_a_case_becomes_an_approved_report(page, cast):
    case, second = case_of(cast), deputy(cast)
    reporting(cast)
    known(cast)
    enter(page, cast.mlro)
    page.goto(f"/aml/reports/entities/{cast.brand.legal_entity_id}/")
    shot(page, "sar-entity")
    page.goto(f"/aml/cases/{case.pk}/")
    shot(page, "sar-case")
    page.get_by_role("button", name="Draft report").click()
    expect(page.get_by_role("button", name="Submit for approval")).to_be_disabled()
    shot(page, "sar-draft")
    page.get_by_label("Occupation").fill("Baker")
    page.get_by_label("ML01").check()
    page.get_by_role("button", name="Save draft").click()
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("You wrote this report.")).to_be_visible()
    address = page.url

    enter(page, second)
    page.goto("/aml/reports/")
    shot(page, "sar-list")
    page.goto(address)
    shot(page, "sar-review")
    page.get_by_role("button", name="Approve report").click()
    expect(page.get_by_text("Report approved. File it with the FIU.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="goAML XML").click()
    assert goaml.errors_of(Path(download.value.path()).read_bytes(), ReportingEntity.objects.get()) == []
    page.get_by_label("FIU reference").fill("MOKAS-2026-17")
    page.get_by_role("button", name="Save filing").click()
    expect(page.get_by_role("button", name="Amend report")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shot(page, "sar-filed-phone")
