"""The main path of each staff role, and of a partner, in a real browser."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from clients.models import TimelineEntry
from crm.files.jobs import run_job
from crm.models import Job
from crm.security import audit
from ib import engine
from kyc.models import Document
from leads.models import Lead
from monitoring.models import Decision
from tests.browser.people import enter
from tests.compliance.test_pages import write_trail
from tests.ib.conftest import network
from tests.ib.factories import make_trade
from tests.kyc.factories import registered, waiting
from tests.leads.conftest import capture, german_rule
from tests.monitoring.test_alerts import desk, flood
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, make_psp
from tests.wallet.movements.test_pages import IBAN
from wallet.models import Withdrawal
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

__all__ = ["capture", "desk", "flood", "german_rule", "network"]


@pytest.fixture
def lead(cast, german_rule, capture) -> Lead:
    return capture().lead


def test_an_agent_works_a_lead_from_the_first_call_to_the_registration_link(page, cast, lead):
    enter(page, lead.client.owner)
    page.goto("/home/")
    page.locator("#card-next-calls").get_by_role("link", name="Erika Mustermann", exact=True).click()
    contact = page.locator(f"#contact-{lead.client_id}")
    expect(contact).not_to_contain_text("23456789")
    page.get_by_role("button", name="Reveal").focus()
    page.keyboard.press("Enter")
    expect(contact).to_contain_text("23456789")
    expect(contact).to_be_focused()  # the button is gone; the keyboard goes on from what it brought
    page.get_by_role("link", name="Log call").first.click()
    dialog = page.locator("#k-fill")
    dialog.get_by_label("Reached").check()
    dialog.locator("textarea[name=notes]").fill("Wants a call on Monday.")
    dialog.locator("button.btn-primary").click()
    expect(page.locator(".c-main")).to_contain_text("Wants a call on Monday.")
    page.goto(f"/clients/{lead.client_id}/")
    page.get_by_role("button", name="Send registration link").click()
    expect(page.locator("#lead-card")).to_contain_text("not yet opened")
    assert set(TimelineEntry.objects.values_list("kind", flat=True)) >= {"lead", "call"}


def test_cards_of_the_pipeline_stay_within_their_columns(page, cast, german_rule, capture):
    cast.agent.first_name, cast.agent.last_name = "Maximiliane-Friederike", "von Hohenstaufen"
    cast.agent.save()
    capture()
    enter(page, cast.agent)
    page.goto("/leads/board/")
    expect(page.locator(".c-lead")).to_have_count(1)
    assert page.locator(".c-column > ol").evaluate_all("all => all.every((one) => one.scrollWidth <= one.clientWidth)")


def test_an_officer_sees_the_document_beside_the_data_and_approves_it(page, cast):
    registered(cast.client)
    document = waiting(cast.client)
    enter(page, cast.kyc_officer)
    page.goto("/kyc/queue/")
    page.get_by_role("link", name="Clara Weber").first.click()
    expect(page.locator("svg image, img.kyc-page, svg #kyc-page-1").first).to_be_attached()
    expect(page.get_by_role("heading", name="Document and registration")).to_be_visible()
    page.get_by_role("button", name="Claim").click()
    expect(page.get_by_text("Claimed by you")).to_be_visible()
    page.locator(f"form[action='/kyc/documents/{document.pk}/approve/'] button").first.click()
    expect(page.get_by_text(re.compile("Undo"))).to_be_visible()
    assert Document.objects.get(pk=document.pk).reviewed_by == cast.kyc_officer


def test_a_withdrawal_goes_out_once_two_people_approved_it(open_page, cast):
    load_rates()
    cast.client.kyc_level = 2
    cast.client.save()
    psp = make_psp(cast.brand)
    fund(cast.client, 100_000)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(psp_id=psp.pk, amount=Decimal(200), currency="EUR", destination=IBAN),
        request_key="w",
        actor=cast.client_user,
    )
    for officer, button in ((cast.finance, "Approve (first of two)"), (cast.second_finance, "Approve and release")):
        page = open_page()
        enter(page, officer)
        page.goto("/money/withdrawals/")
        page.get_by_role("link", name=withdrawal.reference).click()
        page.get_by_role("button", name=button).click()
        expect(page.locator("#k-confirm")).to_contain_text("€200.00")
        page.locator("#k-confirm [data-yes]").click()
        expect(page.get_by_role("button", name=button)).to_have_count(0)
    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.reviewed_by, withdrawal.approved_by) == (cast.finance, cast.second_finance)


def test_a_desk_head_reads_why_a_day_stands_out_and_decides(page, cast, flood):
    enter(page, cast.desk_head)
    page.goto("/home/")
    page.get_by_role("main").get_by_role("link", name=cast.agent.get_full_name()).first.click()
    page.wait_for_url(re.compile(r"/monitoring/alerts/\d+/"))
    expect(page.locator(".k-reasons")).to_contain_text(re.compile("150 .*client"))
    expect(page.locator("canvas").first).to_be_visible()
    page.get_by_role("button", name="Outside own book").click()
    expect(page.locator("#evidence-rows tr").first).to_be_visible()
    page.get_by_role("button", name="Start review").click()
    page.get_by_label("Decision").select_option("reminder")
    page.get_by_label("Reason").fill("Talked it over with Alice.")
    page.get_by_role("button", name="Record decision").click()
    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    assert Decision.objects.get().reviewer == cast.desk_head


@pytest.mark.parametrize("width", [1440, 390])
def test_a_partner_sees_the_network_and_why_a_trade_was_paid(open_page, network, width):
    engine.run_for_deals(deal_ids=[make_trade(network.account, lots="0.5")])
    page = open_page(width=width)
    enter(page, network.master.user)
    page.goto("/partners/network/")
    expect(page.get_by_text(network.sub.name).first).to_be_visible()
    page.goto("/partners/earnings/")
    page.locator("tbody a[href*='/trade/']").first.click()
    expect(page.get_by_role("heading", name="Calculation")).to_be_visible()
    expect(page.get_by_text(re.compile("0.5 lots|0.50 lots")).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_an_auditor_takes_a_clients_trail_home_as_a_sealed_pack(page, cast):
    write_trail(cast, 4)
    audit.seal_pending()
    enter(page, cast.auditor)
    page.goto(f"/compliance/clients/{cast.client.pk}/trail/")
    expect(page.get_by_text("Document checked automatically").first).to_be_visible()
    page.get_by_role("button", name="Export sealed PDF").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/"))
    run_job(Job.objects.get().pk)
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().stat().st_size > 1000
