"""CPA: once per client, with the deal that completes what was agreed when the client was referred, and for the right countries."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.urls import reverse

from clients.models import Client
from crm.errors import DomainError
from ib import attribution, engine, plans, rollup
from ib.agreements.cards import CpaRow, RateCard, VersionTerms
from ib.choices import RunKind
from ib.explain import explain
from ib.models import Accrual, PartnerPlan, PlanVersion
from tests.ib.factories import LONG_AGO, NOON, make_account, make_trade, make_version, recompute, refer
from tests.ib.test_pages import rate_form, text_of
from tests.ib.test_settlement import arrived

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def card(*rows):
    return RateCard({"fx_majors": Decimal(10)}, {1: Decimal("0.6"), 2: Decimal("0.4")}, {}, (), rows)


def row(amount="300", *countries, deposit="0", lots="0", days=365):
    return CpaRow(countries, Decimal(amount), Decimal(deposit), Decimal(lots), days)


def agree(cast, partner, rate_card, **terms):
    """Agree on a plan for the client, from the day of their referral on."""
    version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card, **terms)
    for client in (cast.client, cast.other_client):
        PartnerPlan.objects.create(partner=partner, plan=version.plan, client=client, starts_at=LONG_AGO)
    return version


def trade(network, **about):
    deal = make_trade(network.account, **about)
    engine.run_for_deals(deal_ids=[deal])
    return deal


def cpa():
    rows = Accrual.objects.filter(component="cpa").order_by("deal_id", "level")
    return [(line.deal_id, line.level, line.amount) for line in rows]


def test_a_cpa_is_never_paid_as_a_difference(network, cast):
    """A difference is taken from what partners below earn on the same trade; a CPA has no trade that all share."""
    with pytest.raises(DomainError, match="A CPA can't be paid as a difference to partners below"):
        agree(cast, network.master, card(row()), network="difference")


def test_the_deal_that_completes_the_lots_pays_once_for_the_client(network, cast):
    agree(cast, network.sub, card(row(lots="3")))
    deals = [trade(network, lots="2", at=NOON + n * DAY) for n in range(3)]
    assert cpa() == [(deals[1], 1, 180), (deals[1], 2, 120)]
    steps = [step.text for step in explain(Accrual.objects.get(component="cpa", level=1))]
    assert "Clients who qualified with this trade" in steps
    assert "300 EUR once for the client × 60 % for level 1" in steps[-1]
    assert rollup.differences() == []
    again = recompute(brand=cast.brand, from_at=LONG_AGO, to_at=NOON + 9 * DAY, actor=cast.ib_manager, reason="x")
    assert again[1].rows == 0


def test_what_was_paid_in_counts_at_the_close_and_not_later(network, cast):
    agree(cast, network.sub, card(row(deposit="100")))
    first = trade(network, at=NOON)
    arrived(cast, 99_99, NOON + DAY, "a")
    trade(network, at=NOON + 2 * DAY)
    arrived(cast, 1, NOON + 3 * DAY, "b")
    assert cpa() == []
    third = trade(network, at=NOON + 4 * DAY)
    assert [deal for deal, *_rest in cpa()] == [third, third] and first != third


def test_what_was_paid_in_before_the_referral_does_not_count(network, cast):
    agree(cast, network.sub, card(row(deposit="100")))
    arrived(cast, 100_00, LONG_AGO - dt.timedelta(seconds=1), "a")
    trade(network)
    assert cpa() == []
    arrived(cast, 100_00, LONG_AGO, "b")
    recompute(brand=cast.brand, from_at=LONG_AGO, to_at=NOON + DAY, actor=cast.ib_manager, reason="late")
    assert len(cpa()) == 2


@pytest.mark.parametrize(("after", "is_paid"), [(-dt.timedelta(seconds=1), True), (dt.timedelta(0), False)])
def test_a_client_qualifies_within_the_days_since_the_referral(network, cast, after, is_paid):
    agree(cast, network.sub, card(row(days=30)))
    trade(network, at=LONG_AGO + 30 * DAY + after)
    assert bool(cpa()) == is_paid


@pytest.mark.parametrize(("country", "amount"), [("DE", 180), ("FR", 60), ("", 60)])
def test_the_clients_country_decides_the_amount(network, cast, country, amount):
    Client.objects.filter(pk=cast.client.pk).update(country=country)
    cast.client.history.all().delete()
    agree(cast, network.sub, card(row("300", "DE", "AT"), row("100")))
    trade(network)
    assert cpa()[0][2] == amount


def test_a_short_or_unmapped_trade_earns_no_rebate_and_still_qualifies(network, cast):
    agree(cast, network.sub, card(row()))
    deal = trade(network, held_seconds=5, symbol="XAUUSD.m")
    assert [line[2] for line in cpa()] == [180, 120]
    assert Accrual.objects.get(deal_id=deal, component="lot", level=1).reason == "symbol_not_mapped"


def test_a_client_who_moves_to_another_partner_is_not_acquired_again(network, cast):
    agree(cast, network.sub, card(row()))
    agree(cast, network.top, card(row("900")))
    deal = trade(network)
    attribution.attribute_client(client_id=cast.client.pk, partner_id=network.top.pk, actor=None, at=NOON + DAY)
    trade(network, at=NOON + 2 * DAY)
    assert {line[0] for line in cpa()} == {deal}


def test_a_second_record_of_the_same_person_is_not_a_new_client(network, cast):
    agree(cast, network.sub, card(row()))
    Client.objects.filter(pk=cast.client.pk).update(email="jo.hn@gmail.com")
    Client.objects.filter(pk=cast.other_client.pk).update(email="john@gmail.com")
    older, newer = sorted((cast.client, cast.other_client), key=lambda client: client.pk)
    refer(cast.other_client, network.sub)
    accounts = {cast.client.pk: network.account, cast.other_client.pk: make_account(cast.other_client)}
    deals = [make_trade(accounts[client.pk]) for client in (newer, older)]
    engine.run_for_deals(deal_ids=deals)
    assert {line[0] for line in cpa()} == {deals[1]}


def test_a_person_whom_another_brand_knows_is_not_a_new_client(network, cast):
    older = Client.objects.create(
        brand=cast.other_brand, book=cast.other_book, email="jo.hn@gmail.com", created_at=NOON
    )
    person = Client.objects.create(brand=cast.brand, book=cast.book, email="john@gmail.com", created_at=NOON)
    version = agree(cast, network.sub, card(row()))
    PartnerPlan.objects.create(partner=network.sub, plan=version.plan, client=person, starts_at=LONG_AGO)
    refer(person, network.sub)
    engine.run_for_deals(deal_ids=[make_trade(make_account(person))])
    assert older.pk < person.pk and cpa() == []
    Client.objects.filter(pk=older.pk).update(email="else@example.com")
    recompute(brand=cast.brand, from_at=LONG_AGO, to_at=NOON + DAY, actor=cast.ib_manager, reason="another person")
    assert len(cpa()) == 2


def test_an_earlier_deal_that_comes_late_moves_the_cpa_and_pays_nothing_twice(network, cast):
    agree(cast, network.sub, card(row(lots="2")))
    trade(network, at=NOON, lots="1")
    trade(network, at=NOON + 2 * DAY, lots="1")
    before = sum(line[2] for line in cpa())
    late = trade(network, at=NOON + DAY, lots="1")
    assert sum(line[2] for line in cpa()) == before == 300, "the first pass pays no client twice"
    recompute(brand=cast.brand, from_at=LONG_AGO, to_at=NOON + 9 * DAY, actor=cast.ib_manager, reason="late")
    assert sum(line[2] for line in cpa()) == 300
    assert sum(line[2] for line in cpa() if line[0] == late) == 300


def test_a_pass_over_later_days_pays_no_client_again_whose_cpa_is_on_an_earlier_deal(network, cast):
    agree(cast, network.sub, card(row(deposit="50")))
    deposit = arrived(cast, 60_00, NOON - DAY, "a")
    first = trade(network, at=NOON)
    second = trade(network, at=NOON + 9 * DAY)
    assert {line[0] for line in cpa()} == {first}
    with connection.cursor() as cursor:  # it arrived later, and so the second deal qualifies the client
        cursor.execute("UPDATE wallet_deposit SET settled_at = %s WHERE id = %s", [NOON + DAY, deposit.pk])
    scope = engine.Scope(from_at=NOON + 8 * DAY, to_at=NOON + 10 * DAY)
    engine.run(brand=cast.brand, scope=scope, kind=RunKind.NIGHTLY, corrects=True)
    assert sum(line[2] for line in cpa()) == 300
    assert {line[0] for line in cpa()} == {first}
    recompute(brand=cast.brand, from_at=LONG_AGO, to_at=NOON + 19 * DAY, actor=cast.ib_manager, reason="deposit")
    assert sum(line[2] for line in cpa()) == 300
    assert sum(line[2] for line in cpa() if line[0] == second) == 300


def test_a_deposit_that_is_gone_takes_the_qualification_back(network, cast):
    agree(cast, network.sub, card(row(deposit="50")))
    deposit = arrived(cast, 60_00, NOON - DAY, "a")
    trade(network)
    assert sum(line[2] for line in cpa()) == 300
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wallet_deposit SET settled_at = %s WHERE id = %s", [NOON + DAY, deposit.pk])
    recompute(brand=cast.brand, from_at=LONG_AGO, to_at=NOON + 9 * DAY, actor=cast.ib_manager, reason="gone")
    assert sum(line[2] for line in cpa()) == 0


def test_a_new_version_doesnt_pay_again_for_a_client_of_the_old_terms(network, cast):
    version = agree(cast, network.sub, card(row()))
    trade(network)
    draft = plans.draft_version(
        plan_id=version.plan_id,
        actor=cast.ib_manager,
        terms=VersionTerms(starts_at=NOON + DAY, currency="EUR", card=card(row("900"))),
    )
    plans.propose_version(version_id=draft.pk, actor=cast.ib_manager)
    plans.activate_version(version_id=draft.pk, actor=cast.finance, at=NOON + DAY)
    trade(network, at=NOON + 3 * DAY)
    assert sum(line[2] for line in cpa()) == 300


@pytest.mark.parametrize(
    ("rows", "terms", "message"),
    [
        ([row("1", "DE"), row("2", "DE", "AT")], {}, "same countries"),
        ([row("1"), row("2")], {}, "same countries"),
        ([row("0")], {}, "more than 0"),
        ([row(days=366)], {}, "between 1 and 365"),
        ([row("1", code) for code in ("DE", "AT", "CH", "FR", "ES", "IT", "PT")], {}, "6 CPA rows"),
        ([row()], {"network": "difference"}, "as a difference"),
    ],
)
def test_a_cpa_that_cannot_be_meant_is_refused_in_words(network, cast, rows, terms, message):
    said = VersionTerms(starts_at=NOON, currency="EUR", card=card(*rows), **terms)
    with pytest.raises(DomainError, match=message):
        plans.draft_version(plan_id=network.version.plan_id, actor=cast.ib_manager, terms=said)


def test_the_editor_keeps_cpa_rows_and_takes_one_out(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    sent = rate_form(
        acquisitions="2",
        cpa_1_countries="de, at",
        cpa_1_amount="300",
        cpa_1_deposit="250",
        cpa_1_lots="1.5",
        cpa_1_days="60",
        cpa_2_amount="100",
    )
    address = reverse("ib_version_new", args=[plan.pk])
    browser.post(address, {**sent, "draft": "1"})
    version = PlanVersion.objects.get(plan=plan, number=2)
    found = list(version.cpa.values_list("countries", "amount", "min_deposit", "min_lots", "within_days"))
    assert found == [(["DE", "AT"], 300, 250, Decimal("1.5"), 60), ([], 100, 0, 0, 90)]
    page = text_of(browser.get(plan.get_absolute_url()))
    assert "€300.00 once for a client from DE, AT who pays in €250.00 and closes 1.5 lots within 60 days" in page
    page = browser.post(reverse("ib_version_change", args=[version.pk]), {**sent, "remove_cpa": "1"})
    assert page.context["editor"].acquisitions == 1 and page.context["form"]["cpa_1_amount"].value() == "100"
    page = text_of(browser.post(address, rate_form(cpa_1_countries="Q9", cpa_2_lots="1")))
    assert "code: Q9" in page and "Enter what is paid for a client who qualifies" in page
