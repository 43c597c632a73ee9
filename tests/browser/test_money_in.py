"""Money in on a phone: choosing a way to pay, an address with its code, a wire with its reference; finance's pages on a desk."""

import datetime as dt
import os
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from clients.choices import Category
from clients.models import Client
from crm import approvals, events
from tests.brand_policies import set_policies
from tests.browser.people import enter
from tests.kyc.categories.factories import categorise
from tests.portal.conftest import verify
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.bonuses import granting
from wallet.deposits import unverified
from wallet.deposits.verbs import apply_payment
from wallet.disputes import bonus_disputes
from wallet.disputes.verbs import apply_dispute
from wallet.models import BonusLoss, BonusProposal, Deposit
from wallet.psp.values import EventKind


def look(page: Page, name: str) -> None:
    """A picture for the eye where PICTURES names a folder; nothing is wider than the screen in any case."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
        f"{name} is wider than the screen"
    )
    if folder := os.environ.get("PICTURES"):
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=str(Path(folder) / f"{name}-{theme}.png"), full_page=True)


@pytest.mark.parametrize("kind", ["crypto", "bank"])
def test_a_deposit_by_an_address_or_a_reference_fits_a_phone(cast, phone, kind):
    load_rates()
    verify(cast.client)
    make_psp(cast.brand, "northpay", deposit_fee_basis_points=150, deposit_fee_fixed_minor=25)
    psp = make_psp(cast.brand, "rhinebank" if kind == "bank" else "coinharbor", kind=kind, position=2, minutes=30)
    enter(phone, cast.client_user)
    phone.goto("/portal/wallet/deposit/")
    phone.get_by_role("button", name="250").tap()
    expect(phone.locator("[data-you-get]")).to_contain_text(re.compile(r"246[.,]00"))
    phone.locator(".k-pay-method").nth(1).tap()
    expect(phone.locator("[data-you-get]")).to_be_hidden()
    look(phone, f"deposit-{kind}")

    told = (
        {
            "address": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
            "amount": "0.00412 BTC",
            "network": "Bitcoin",
            "uri": "bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?amount=0.00412",
        }
        if kind == "crypto"
        else {
            "holder": "Meridian Markets (Cyprus) Ltd",
            "iban": "CY17002001280000001200527600",
            "bic": "BCYPCY2N",
            "reference": "MM-7K2Q-94",
        }
    )
    pay_by = "crypto_address" if kind == "crypto" else "bank_reference"
    deposit = make_intent(cast.client, psp, 25_000, pay_by=pay_by, instructions=told)
    phone.goto(f"/portal/wallet/{deposit.reference}/")
    expect(phone.locator("[data-countdown]")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d"))
    expect(phone.locator(".k-qr")).to_have_count(1 if kind == "crypto" else 0)
    look(phone, f"pay-{kind}")
    apply_payment(psp_id=psp.pk, view=captured(deposit))
    expect(phone.locator("#movement")).to_contain_text("is in your wallet", timeout=10_000)
    assert Deposit.objects.get(pk=deposit.pk).state == "settled"


def test_finance_sees_what_is_held_disputed_given_and_running_out(cast, page):
    load_rates()
    categorise(cast.client.pk, Category.PROFESSIONAL)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=1)
    psp = make_psp(cast.brand, "rhinebank", kind="bank")
    held, paid = make_intent(cast.client, psp), make_intent(cast.client, psp)
    apply_payment(psp_id=psp.pk, view=captured(held, 20_000, payer_name="Heinz Schmidt"))
    apply_payment(psp_id=psp.pk, view=captured(paid))
    due = timezone.now() + dt.timedelta(days=3)
    apply_dispute(psp_id=psp.pk, event=dispute_event(paid, EventKind.CHARGEBACK, 20_000, evidence_due_at=due))
    plan = granting.create_plan(brand=cast.brand, name="Active trader", actor=cast.finance)
    granting.write_rule(
        plan_id=plan.pk,
        actor=cast.finance,
        valid_from=timezone.now().date(),
        maximum_minor=50_000,
        lots_per_hundred=Decimal(4),
        four_eyes_minor=10_000,
    )
    grant = granting.grant_bonus(
        client_id=cast.client.pk,
        plan_id=plan.pk,
        amount=Decimal(200),
        currency="EUR",
        reason="Moved to us",
        request_key="b1",
        actor=cast.retention,
    )
    unverified.write_rule(brand=cast.brand, actor=cast.mlro, **unverified.C721)
    enter(page, cast.finance)
    dispute = paid.disputes.get()
    for name, address, words in (
        ("held", "/money/held/", "Possible third-party payment"),
        ("held-one", f"/money/deposits/{held.pk}/", "Heinz Schmidt"),
        ("methods", "/money/methods/", "Rhinebank"),
        ("try", f"/money/methods/try/?client={cast.client.pk}&currency=EUR&amount=5", "Below the minimum"),
        ("disputes", "/money/disputes/", "dp_1"),
        ("dispute", f"/money/disputes/{dispute.pk}/", "Without a response, the dispute is lost"),
        ("bonus", f"/money/bonuses/{grant.pk}/", "Second approval"),
        ("plans", "/money/bonuses/plans/", "Active trader"),
        ("unverified", "/money/unverified/", "C721"),
        ("client", f"/clients/{cast.client.pk}/tab/money/", "Bonuses"),
    ):
        page.goto(address)
        expect(page.locator("body")).to_contain_text(words)
        look(page, name)
    page.goto(f"/money/bonuses/{grant.pk}/")
    page.get_by_role("button", name="Approve").click()
    with page.expect_navigation():
        page.locator("[data-yes]").click()
    expect(page.locator("body")).to_contain_text("Active")


def test_what_becomes_of_a_bonus_whose_chargeback_was_won_fits_a_desk_and_a_phone(cast, page, phone):
    load_rates()
    categorise(cast.client.pk, Category.PROFESSIONAL)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    set_policies(cast.brand, dispute_won_restores_bonus=0)
    plan = granting.create_plan(brand=cast.brand, name="Half of every deposit", actor=cast.finance)
    granting.write_rule(
        plan_id=plan.pk,
        actor=cast.finance,
        valid_from=timezone.now().date(),
        trigger="every_deposit",
        percent=Decimal(50),
        maximum_minor=100_000,
        lots_per_hundred=Decimal(2),
    )
    deposit = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    events.drain()
    for kind in (EventKind.CHARGEBACK, EventKind.CHARGEBACK_REVERSED):
        apply_dispute(psp_id=deposit.psp_id, event=dispute_event(deposit, kind, 50_000))
        events.drain()
    loss = BonusLoss.objects.get()
    enter(page, cast.retention)
    page.goto(f"/money/bonuses/{loss.grant_id}/")
    look(page, "bonus-return-open-desk")
    bonus_disputes.propose_return(loss_id=loss.pk, restores=True, reason="The bank was wrong", actor=cast.retention)
    enter(phone, cast.finance)
    for name in ("waits", "decided"):
        phone.goto(f"/money/bonuses/{loss.grant_id}/")
        look(phone, f"bonus-return-{name}-phone")
        if name == "waits":
            approvals.approve(BonusProposal, loss.proposals.get().pk, actor=cast.finance)
    phone.goto(f"/money/deposits/{deposit.pk}/")
    look(phone, "bonus-return-deposit-phone")
    enter(page, cast.finance)
    for name, url in (
        ("bonus", f"/money/bonuses/{loss.grant_id}/"),
        ("list", "/money/bonuses/?returns=undecided"),
        ("dispute", f"/money/disputes/{loss.dispute_id}/"),
    ):
        page.goto(url)
        look(page, f"bonus-return-{name}-desk")
