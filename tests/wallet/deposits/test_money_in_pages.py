"""Finance's pages of money in: what they show, who opens them, and what they ask of the database."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.choices import Category
from clients.models import Client
from crm.conditions import all_of
from crm.models import AccessEvent, Job
from tests.kyc.categories.factories import categorise
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.bonuses import granting
from wallet.choices.bonuses import BonusState
from wallet.choices.disputes import DisputeState
from wallet.deposits import unverified
from wallet.deposits.verbs import apply_payment
from wallet.disputes import evidence
from wallet.disputes.verbs import apply_dispute
from wallet.models import BonusGrant, BonusPlan, BonusRule, Dispute, UnverifiedRule
from wallet.psp.values import EventKind

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(cast):
    load_rates()
    categorise(cast.client.pk, Category.PROFESSIONAL)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=1)
    cast.client.refresh_from_db()
    return make_psp(cast.brand, "rhinebank", kind="bank")


@pytest.fixture
def dispute(cast, bank) -> Dispute:
    deposit = make_intent(cast.client, bank)
    apply_payment(psp_id=bank.pk, view=captured(deposit))
    due = timezone.now() + dt.timedelta(days=3)
    apply_dispute(psp_id=bank.pk, event=dispute_event(deposit, EventKind.CHARGEBACK, 20_000, evidence_due_at=due))
    return Dispute.objects.get()


def held(cast, bank, count: int) -> None:
    for _number in range(count):
        apply_payment(psp_id=bank.pk, view=captured(make_intent(cast.client, bank), 20_000, payer_name="Heinz Schmidt"))


def test_the_held_queue_shows_why_and_costs_the_same_for_more(cast, bank, browse, django_assert_max_num_queries):
    browser, page = browse(cast.finance), reverse("wallet:held")
    held(cast, bank, 1)
    browser.get(page)
    held(cast, bank, 6)
    with django_assert_max_num_queries(25):
        shown = browser.get(page).content.decode()
    assert shown.count("Heinz Schmidt") >= 7 and "Possible third-party payment" in shown


def test_finance_answers_a_dispute_from_its_page(cast, dispute, browse, django_assert_max_num_queries):
    browser, page = browse(cast.finance), reverse("wallet:dispute", args=[dispute.pk])
    browser.get(page)
    with django_assert_max_num_queries(35):
        shown = browser.get(page).content.decode()
    assert "Without a response, the dispute is lost" in shown and "Create and send evidence" not in shown
    assert AccessEvent.objects.filter(target=f"wallet.dispute:{dispute.pk}").exists()
    answer = browser.post(reverse("wallet:dispute_evidence", args=[dispute.pk]), {"text": "It stands."})
    assert answer["Location"] == reverse("job", args=[Job.objects.get(kind="wallet.evidence").pk])
    evidence.make_evidence(dispute_id=dispute.pk, text="It stands.", progress=lambda *_told: None)
    file = browser.get(reverse("wallet:dispute_file", args=[dispute.pk]))
    assert b"".join(file.streaming_content).startswith(b"%PDF")
    assert browser.post(reverse("wallet:dispute_sent", args=[dispute.pk])).status_code == 302
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.SUBMITTED


def test_an_auditor_reads_a_dispute_but_not_its_evidence(cast, dispute, browse):
    browser = browse(cast.auditor)
    assert browser.get(reverse("wallet:dispute", args=[dispute.pk])).status_code == 200
    assert browser.get(reverse("wallet:dispute_file", args=[dispute.pk])).status_code == 403
    assert browse(cast.finance).get(reverse("wallet:dispute_file", args=[dispute.pk])).status_code == 404


def test_a_dispute_is_not_contested_with_a_reason(cast, dispute, browse):
    browser, page = browse(cast.finance), reverse("wallet:dispute_accept", args=[dispute.pk])
    assert browser.post(page, {"reason": ""}).status_code == 422
    assert browser.post(page, {"reason": "A stolen card"}).status_code == 302
    dispute.refresh_from_db()
    assert dispute.state == DisputeState.LOST


def test_a_bonus_from_the_client_s_page_to_the_second_person(cast, bank, browse):
    finance = browse(cast.finance)
    assert finance.post(reverse("wallet:bonus_plan_new"), {"brand": cast.brand.pk, "name": "Active"}).status_code == 302
    plan = BonusPlan.objects.get()
    terms = {
        "valid_from": timezone.now().date().isoformat(),
        "trigger": "by_hand",
        "percent": "0",
        "maximum": "500",
        "deposit_minimum": "0",
        "release_by": "lots",
        "lots_per_hundred": "",
        "on_withdrawal": "all",
        "four_eyes": "100",
    }
    page = reverse("wallet:bonus_rule_new", args=[plan.pk])
    assert "how many lots" in finance.post(page, terms).content.decode()
    assert finance.post(page, {**terms, "lots_per_hundred": "4"}).status_code == 302
    assert BonusRule.objects.get().maximum_minor == 50_000
    assert "Active" in finance.get(reverse("wallet:bonus_plans")).content.decode()

    give = reverse("wallet:bonus_give", args=[cast.client.pk])
    form = {"request_key": "k", "plan": plan.pk, "amount": "200", "currency": "eur", "reason": "Moved to us"}
    assert browse(cast.agent).post(give, form).status_code == 403
    assert browse(cast.retention).post(give, form).status_code == 302
    grant = BonusGrant.objects.get()
    assert grant.state == BonusState.PENDING
    decide = reverse("wallet:bonus_decide", args=[grant.pk])
    assert finance.post(decide, {"refuse-reason": ""}).status_code == 422
    assert finance.post(decide, {"approve": "1", "approve-reason": ""}).status_code == 302
    grant.refresh_from_db()
    assert grant.state == BonusState.ACTIVE
    tab = browse(cast.retention).get(f"/clients/{cast.client.pk}/tab/money/").content.decode()
    assert "Credit EUR" in tab and grant.reference in tab
    room = browse(cast.client_user).get("/portal/wallet/").content.decode()
    assert "€200.00" in room and "can't be withdrawn" in room


def test_why_does_this_client_not_see_this_method(cast, bank, browse, django_assert_max_num_queries):
    make_psp(cast.brand, "northpay", condition=all_of({"field": "country", "is": "in", "value": ["AT"]}), position=5)
    browser, page = browse(cast.finance), reverse("wallet:methods_try")
    asked = {"client": cast.client.pk, "currency": "eur", "amount": "5"}
    browser.get(page, asked)
    with django_assert_max_num_queries(25):
        shown = browser.get(page, asked).content.decode()
    assert "Only offered where Country is Austria." in shown and "Below the minimum" in shown
    assert browser.get(page, {**asked, "client": 999_999}).status_code == 404
    assert AccessEvent.objects.filter(target=f"wallet.offers:{cast.client.pk}").exists()
    assert "Northpay" in browser.get(reverse("wallet:methods")).content.decode()


def test_compliance_writes_a_rule_and_sees_whose_days_run(cast, bank, browse):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=0, risk_rating="low")
    mlro, page = browse(cast.mlro), reverse("wallet:unverified")
    assert "C721" in mlro.get(reverse("wallet:unverified_rule_new")).content.decode()
    form = {
        "brand": cast.brand.pk,
        "valid_from": "2025-07-09",
        "maximum": "2000",
        "kinds": ["bank"],
        "own_name_only": "on",
        "low_risk_only": "on",
        "needs_profile": "on",
        "days": "15",
        "source": "CySEC C721",
    }
    assert mlro.post(reverse("wallet:unverified_rule_new"), {**form, "source": ""}).status_code == 422
    assert mlro.post(reverse("wallet:unverified_rule_new"), form).status_code == 302
    rule = UnverifiedRule.objects.get()
    assert (rule.maximum_minor, rule.kinds, rule.days) == (200_000, ["bank"], 15)
    deposit = make_intent(cast.client, bank)
    apply_payment(psp_id=bank.pk, view=captured(deposit))
    shown = mlro.get(page).content.decode()
    assert "In force" in shown and deposit.reference in shown and "Clara Weber" in shown
    assert browse(cast.finance).post(reverse("wallet:unverified_rule_new"), form).status_code == 403


def test_what_the_client_reads_of_a_held_deposit_is_the_reason_that_concerns_them(cast, bank, browse):
    deposit = make_intent(cast.client, bank)
    apply_payment(psp_id=bank.pk, view=captured(deposit, payer_name="Heinz Schmidt"))
    shown = browse(cast.client_user).get(f"/portal/wallet/{deposit.reference}/").content.decode()
    assert "account in your own name" in shown and "Heinz" not in shown


def test_bonus_amounts_are_the_plan_s(cast, bank):
    plan = granting.create_plan(brand=cast.brand, name="X", actor=cast.finance)
    assert granting.rule_on(plan, timezone.now().date()) is None
    assert granting.bonus_held(cast.client, "EUR") == 0
    assert unverified.refund_list(cast.client) == []
