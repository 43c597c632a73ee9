"""What an ancestor earns by an agreement of their own, and what components pay, on trades whose amounts are written out."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from crm.choices import Jurisdiction
from crm.errors import DomainError
from ib import engine, plans, settlement
from ib.agreements.cards import ComponentRow, RateCard, VersionTerms
from ib.agreements.scopes import Scope
from ib.choices import Component
from ib.explain import explain
from ib.models import Accrual, PartnerPlan, PlanComponent, PlanVersion, Settlement, SettlementPeriod
from ib.rates import rates_of
from tests.ib.factories import LONG_AGO, NOON, card, make_deal, make_trade, make_version
from tests.ib.test_pages import rate_form, text_of
from trading.models import SymbolInfo

pytestmark = pytest.mark.django_db


def agree(cast, partner, rate_card, **terms):
    """Give a partner a plan of their own; returns its version."""
    version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card, **terms)
    PartnerPlan.usual.filter(partner=partner).update(ends_at=LONG_AGO.replace(day=2))
    PartnerPlan.objects.create(partner=partner, plan=version.plan, starts_at=LONG_AGO.replace(day=3))
    return version


def paid(deal):
    return {(row.level, str(row.component)): row.reason or row.amount for row in Accrual.objects.filter(deal_id=deal)}


def earned(network, **trade):
    deal = make_trade(network.account, **trade)
    engine.run_for_deals(deal_ids=[deal])
    return paid(deal)


def test_a_master_with_an_agreement_of_their_own_is_paid_by_it_at_their_level(network, cast):
    """The sub's plan pays 10 × 60/30/10 %; the master's own pays level 2 a quarter of 40."""
    agree(cast, network.master, card({"fx_majors": "40"}, {1: "0.5", 2: "0.25"}), network="own")
    assert earned(network) == {(1, "lot"): Decimal(6), (2, "lot"): Decimal(10), (3, "lot"): Decimal(1)}


def test_a_difference_pays_what_the_ancestor_has_more_than_the_most_below(network, cast):
    """Sub 6; master 9 − 6 = 3; top 12 − 9 = 3: the top's own rate is what all of them cost together."""
    agree(cast, network.master, card({"fx_majors": "9"}, {1: "1"}), network="difference")
    agree(cast, network.top, card({"fx_majors": "12"}, {1: "1"}), network="difference")
    assert earned(network) == {(1, "lot"): Decimal(6), (2, "lot"): Decimal(3), (3, "lot"): Decimal(3)}


def test_a_difference_is_nothing_where_somebody_below_earns_as_much_and_says_so(network, cast):
    agree(cast, network.master, card({"fx_majors": "6"}, {1: "1"}), network="difference")
    agree(cast, network.top, card({"fx_majors": "8"}, {1: "1"}), network="difference")
    assert earned(network) == {(1, "lot"): Decimal(6), (2, "lot"): "no_difference", (3, "lot"): Decimal(2)}
    row = Accrual.objects.get(level=2)
    assert row.below == 6 and "a partner below earns 6 EUR" in explain(row)[-1].text


def test_a_partner_who_is_not_active_leaves_the_difference_to_those_above(network, cast):
    agree(cast, network.master, card({"fx_majors": "9"}, {1: "1"}), network="difference")
    agree(cast, network.top, card({"fx_majors": "12"}, {1: "1"}), network="difference")
    network.master.spells.update(ends_at=NOON.replace(month=8))
    assert earned(network) == {(1, "lot"): Decimal(6), (2, "lot"): "partner_not_active", (3, "lot"): Decimal(6)}


def components(*rows):
    return RateCard({}, {1: Decimal("0.6"), 2: Decimal("0.4")}, {}, tuple(ComponentRow(*row) for row in rows))


def test_components_pay_beside_each_other_and_each_says_how(network, cast):
    """2 lots of EURUSD: a pip is worth 16 EUR, a point 1.60, the mark-up of 0.8 12.80; charged 3 + 5 EUR; the client lost 20."""
    SymbolInfo.objects.filter(name="EURUSD").update(currency_profit="USD")
    shares = components(
        ("lot", "", "", Decimal(5)),
        ("pip", "fx_majors", "", Decimal("0.5")),
        ("point", "fx_majors", "", Decimal(3)),
        ("spread", "", "", Decimal("0.5"), None, Decimal("0.8")),
        ("commission", "", "", Decimal("0.25")),
        ("loss", "", "", Decimal("0.1")),
    )
    brand = cast.brand
    type(brand).objects.filter(pk=brand.pk).update(jurisdiction=Jurisdiction.SC)
    brand.refresh_from_db()
    agree(cast, network.sub, shares)
    done = earned(network, lots="2", profit="-12", commission="-5", opening_commission="-3")
    assert done == {
        (1, "lot"): Decimal(6),
        (2, "lot"): Decimal(4),
        (1, "pip"): Decimal("4.8"),
        (2, "pip"): Decimal("3.2"),
        (1, "point"): Decimal("2.88"),
        (2, "point"): Decimal("1.92"),
        (1, "spread"): Decimal("3.84"),
        (2, "spread"): Decimal("2.56"),
        (1, "commission"): Decimal("1.2"),
        (2, "commission"): Decimal("0.8"),
        (1, "loss"): Decimal("1.2"),
        (2, "loss"): Decimal("0.8"),
    }
    pip = Accrual.objects.get(level=1, component="pip")
    steps = [(step.text, step.figure) for step in explain(pip)]
    assert ("What one pip of the closed volume is worth", "20 USD") in steps
    assert ("Converted at 0.8, the reference rate of Sep 10, 2026", "16 EUR") in steps
    assert steps[-1][1] == "4.8 EUR" and "0.5 pips × 60 % for level 1" in steps[-1][0]
    steps = [(step.text, step.figure) for step in explain(Accrual.objects.get(level=1, component="point"))]
    assert ("What one point of the closed volume is worth, the last digit of the price", "2 USD") in steps
    assert steps[-1][1] == "2.88 EUR" and "3 points × 60 % for level 1" in steps[-1][0]


def test_a_clients_gain_counts_against_the_share_of_losses(network, cast):
    type(cast.brand).objects.filter(pk=cast.brand.pk).update(jurisdiction=Jurisdiction.SC)
    cast.brand.refresh_from_db()
    agree(cast, network.sub, components(("loss", "", "", Decimal("0.5"))))
    assert earned(network, profit="10")[1, "loss"] == Decimal(-3)


def test_what_was_charged_for_opening_falls_on_each_closed_lot_alike(network, cast):
    agree(cast, network.sub, components(("commission", "", "", Decimal(1))))
    about = {"position": 77_001, "symbol": "EURUSD"}
    make_deal(network.account, at=NOON.replace(hour=9), entry=0, lots="4", commission="-8", **about)
    part = make_deal(network.account, at=NOON, entry=1, lots="1", closed="1", action=1, commission="-0.5", **about)
    engine.run_for_deals(deal_ids=[part])
    assert paid(part)[1, "commission"] == Decimal("1.5"), "60 % of 0.50 for this close and a quarter of 8.00"


def test_each_life_of_a_turned_position_is_charged_for_its_own_opening(network, cast):
    """1 lot opened for 2 EUR, turned by 3 lots for 9 EUR that come late, and its other 2 lots closed."""
    agree(cast, network.sub, components(("commission", "", "", Decimal(1))))
    about = {"position": 77_002, "symbol": "EURUSD"}
    make_deal(network.account, at=NOON.replace(hour=9), entry=0, lots="1", commission="-2", **about)
    close = make_deal(network.account, at=NOON.replace(hour=14), entry=1, lots="2", closed="2", **about)
    engine.run_for_deals(deal_ids=[close])
    turn = make_deal(network.account, at=NOON, entry=2, lots="3", closed="1", action=1, commission="-9", **about)
    engine.run_for_deals(deal_ids=[turn])
    assert paid(turn)[1, "commission"] == 3, "60 % of 2 EUR, and of the third of 9 that closed"
    last = Accrual.objects.filter(deal_id=close, level=1).latest("pk")
    total = sum(Accrual.objects.filter(deal_id=close, level=1).values_list("amount", flat=True))
    assert total == Decimal("3.6"), "60 % of the two thirds of 9 EUR that opened"
    assert last.held_seconds == 2 * 3600, "since the turn"


def test_a_trade_without_a_charge_says_that_nothing_was_charged(network, cast):
    agree(cast, network.sub, components(("commission", "", "", Decimal(1))))
    assert earned(network) == {(1, "commission"): "nothing_charged", (2, "commission"): "nothing_charged"}


def test_the_row_that_names_the_account_type_counts_before_the_one_for_all(network, cast):
    rows = (("lot", "", "", Decimal(1)), ("lot", "", "real*", Decimal(2)), ("lot", "", "real\\stand*", Decimal(3)))
    agree(cast, network.sub, components(*rows))
    assert earned(network)[1, "lot"] == Decimal("1.8")


def test_the_most_per_trade_holds_for_all_levels_together(network, cast):
    agree(cast, network.sub, components(("lot", "", "", Decimal(10), Decimal(15))))
    assert earned(network, lots="2") == {(1, "lot"): Decimal(9), (2, "lot"): Decimal(6)}
    assert Accrual.objects.get(level=1).cap == 15
    assert earned(network, lots="1.5")[1, "lot"] == 9
    assert Accrual.objects.filter(level=1).latest("pk").cap is None, "15 was not exceeded"


@pytest.mark.parametrize(
    ("terms", "trade", "reason"),
    [
        ({"min_pips": Decimal("10.1")}, {"price": "1.001"}, "too_few_pips"),
        ({"min_pips": Decimal(10)}, {"price": "1.001"}, Decimal(6)),
        ({"excluded_symbols": ["EUR*"]}, {}, "symbol_excluded"),
        ({"excluded_symbols": ["EURUSDX"]}, {}, Decimal(6)),
        ({"excluded_countries": ["DE"]}, {}, "country_excluded"),
        ({"excluded_countries": ["FR"]}, {}, Decimal(6)),
    ],
)
def test_what_a_plan_excludes_is_not_paid_and_says_why(network, cast, terms, trade, reason):
    type(cast.client).objects.filter(pk=cast.client.pk).update(country="DE")
    agree(cast, network.sub, card(), **terms)
    assert earned(network, **trade)[1, "lot"] == reason


def test_the_clients_country_is_that_of_the_day_of_the_trade(network, cast):
    """The client lived in France when they traded, and moved to Germany since."""
    cast.client.country = "FR"
    cast.client.save()
    cast.client.history.update(history_date=LONG_AGO)
    cast.client.country = "DE"
    cast.client.save()
    agree(cast, network.sub, card(), excluded_countries=["DE"])
    assert earned(network)[1, "lot"] == 6


def test_an_agreement_for_one_client_comes_before_the_links_and_the_usual_one(network, cast):
    link = network.sub.referral_links.create(code="summer")
    special = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card({"fx_majors": "20"}, {1: "1"}))
    linked = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card({"fx_majors": "30"}, {1: "1"}))
    PartnerPlan.objects.create(partner=network.sub, plan=linked.plan, link=link, starts_at=LONG_AGO)
    assert earned(network)[1, "lot"] == 6, "the client didn't come by that link"
    held = PartnerPlan.objects.create(partner=network.sub, plan=special.plan, client=cast.client, starts_at=LONG_AGO)
    assert earned(network) == {(1, "lot"): Decimal(20)}
    with pytest.raises(IntegrityError, match="a_referred_client_has_one_plan"), transaction.atomic():
        PartnerPlan.objects.create(partner=network.sub, plan=linked.plan, client=cast.client, starts_at=NOON)
    held.ends_at = NOON.replace(day=9)
    held.save()
    assert earned(network)[1, "lot"] == 6


def test_a_changed_deal_corrects_each_component_by_itself(network, cast):
    agree(cast, network.sub, components(("lot", "", "", Decimal(5)), ("commission", "", "", Decimal(1))))
    deal = make_trade(network.account, commission="-4")
    engine.run_for_deals(deal_ids=[deal])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET commission = -6, revision = 1 WHERE id = %s", [deal])
    engine.run_for_deals(deal_ids=[deal])
    deltas = Accrual.objects.filter(deal_id=deal, kind="delta").order_by("level")
    assert [(row.level, row.component, row.amount) for row in deltas] == [
        (1, "commission", Decimal("1.2")),
        (2, "commission", Decimal("0.8")),
    ]


@pytest.mark.parametrize(
    ("rows", "terms", "message"),
    [
        ([("commission", "", "", Decimal("1.1"))], {}, "between 0 and 100"),
        ([("lot", "", "a*", Decimal(1)), ("lot", "", "A*", Decimal(2))], {}, "keep one of them"),
        ([("lot", "", "", Decimal(1), Decimal(0))], {}, "more than 0"),
        ([("loss", "", "", Decimal("0.1"))], {}, "doesn't allow"),
        ([("spread", "", "", Decimal("0.1"))], {}, "needs the mark-up"),
        ([("lot", "", "", Decimal(1), None, Decimal(1))], {}, "needs the mark-up"),
        ([("lot", "", f"a{n}", Decimal(1)) for n in range(17)], {}, "16 component rows"),
    ],
)
def test_components_that_cannot_be_meant_are_refused_in_words(network, cast, rows, terms, message):
    version = VersionTerms(starts_at=NOON, currency="EUR", card=components(*rows), **terms)
    with pytest.raises(DomainError, match=message):
        plans.draft_version(plan_id=network.version.plan_id, actor=cast.ib_manager, terms=version)


def test_a_component_for_the_place_of_a_rate_is_refused(network, cast):
    said = RateCard({"metals": Decimal(1)}, {1: Decimal(1)}, {}, (ComponentRow("lot", "metals", "", Decimal(2)),))
    with pytest.raises(DomainError, match="keep one of them"):
        plans.draft_version(
            plan_id=network.version.plan_id,
            actor=cast.ib_manager,
            terms=VersionTerms(starts_at=NOON, currency="EUR", card=said),
        )


def test_the_database_refuses_more_than_all_of_the_money(network, cast):
    draft = plans.draft_version(
        plan_id=network.version.plan_id,
        actor=cast.ib_manager,
        terms=VersionTerms(starts_at=NOON, currency="EUR", card=card()),
    )
    with pytest.raises(IntegrityError, match="plan_component_pays_what_there_is"), transaction.atomic():
        PlanComponent.objects.create(version=draft, component=Component.COMMISSION, value=Decimal("1.01"))


def test_the_editor_keeps_components_and_terms(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    sent = rate_form(
        network="difference",
        min_pips="1.5",
        excluded_symbols="BTC*, XRPUSD",
        excluded_countries="us, ca",
        parts="3",
        part_1_kind="commission",
        part_1_value="12.5",
        part_2_kind="lot",
        part_2_group="metals",
        part_2_accounts="real\\raw*",
        part_2_value="4",
        part_2_cap="50",
        part_3_kind="spread",
        part_3_value="30",
        part_3_markup="0.75",
    )
    browser.post(reverse("ib_version_new", args=[plan.pk]), {**sent, "draft": "1"})
    version = PlanVersion.objects.get(plan=plan, number=2)
    assert (version.network, version.min_pips) == ("difference", Decimal("1.5"))
    assert (version.excluded_symbols, version.excluded_countries) == (["BTC*", "XRPUSD"], ["US", "CA"])
    rows = list(version.components.values_list("component", "group", "accounts", "value", "cap"))
    assert rows == [
        ("commission", "", "", Decimal("0.125"), None),
        ("lot", "metals", "real\\raw*", Decimal(4), Decimal(50)),
        ("spread", "", "", Decimal("0.3"), None),
    ]
    assert version.components.get(component="spread").markup == Decimal("0.75")
    form = browser.get(reverse("ib_version_change", args=[version.pk])).context["form"]
    assert form["part_1_value"].value() == Decimal("12.5") and form["excluded_countries"].value() == "US, CA"
    page = text_of(browser.get(plan.get_absolute_url()))
    assert "12.5 % of the commission that the platform charges on all symbol groups" in page
    assert "By this plan, less what the partners below earn" in page
    page = browser.post(
        reverse("ib_version_change", args=[version.pk]), {**sent, "remove_component": "1", "parts": "3"}
    )
    assert page.context["editor"].parts == 2 and page.context["form"]["part_1_kind"].value() == "lot"


def test_the_editor_refuses_a_country_that_is_none_and_half_a_component(network, cast, browse):
    address = reverse("ib_version_new", args=[network.version.plan_id])
    page = text_of(browse(cast.ib_manager).post(address, rate_form(excluded_countries="DE, Q9", part_3_value="1")))
    assert "code: Q9" in page and "Enter both what is paid and how much" in page


def test_a_partner_reads_how_clients_of_sub_partners_are_paid(network, cast):
    agree(cast, network.top, card({"fx_majors": "12"}, {1: "1"}), network="difference")
    found = rates_of(network.top)
    assert found.network == "difference" and [column.level for column in found.columns] == [1]
    agree(cast, network.master, card({"fx_majors": "12"}, {1: "0.5", 2: "0.2"}), network="own")
    found = rates_of(network.master)
    assert [(column.level, amounts) for column, *amounts in zip(found.columns, *found.rows[0][1:], strict=True)] == [
        (1, [Decimal(6)]),
        (2, [Decimal("2.4")]),
    ]


def test_a_special_agreement_is_made_on_the_partners_page_and_ended_again(network, cast, browse):
    special = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=card({"fx_majors": "20"}, {1: "1"}))
    browser, address = browse(cast.ib_manager), reverse("ib_partner_plan", args=[network.sub.pk])
    sent = {"plan": special.plan_id, "client": cast.client.pk, "reason": "large client"}
    assert browser.post(address, sent)["Location"] == network.sub.get_absolute_url()
    page = text_of(browser.get(network.sub.get_absolute_url()))
    assert "Agreements beside the usual plan" in page and f"client #{cast.client.pk}" in page
    held = PartnerPlan.objects.get(client=cast.client)
    assert PartnerPlan.usual.get(partner=network.sub, ends_at=None).plan == network.version.plan
    browser.post(address, {**sent, "plan": "", "reason": "over"})
    held.refresh_from_db()
    assert held.ends_at is not None


def test_a_special_agreement_is_for_ones_own_client_or_link_and_not_both(network, cast):
    link = network.top.referral_links.create(code="others")
    about = {"partner_id": network.sub.pk, "plan_id": network.version.plan_id, "actor": cast.ib_manager}
    for wrong, message in [
        ({"link_id": link.pk}, "another partner"),
        ({"client_id": cast.other_client.pk}, "own clients"),
        ({"link_id": link.pk, "client_id": cast.client.pk}, "either a link or a client"),
    ]:
        with pytest.raises(DomainError, match=message):
            plans.assign_plan(**about, scope=Scope(**wrong))


def test_a_trade_of_several_components_is_one_trade_in_its_settlement(network, cast):
    agree(cast, network.sub, components(("lot", "", "", Decimal(5)), ("commission", "", "", Decimal(1))))
    earned(network, lots="2", commission="-5")
    period = SettlementPeriod.objects.get(starts_at__lte=NOON, ends_at__gt=NOON)
    settlement.settle_period(period_id=period.pk, actor=cast.finance)
    made = Settlement.objects.get(partner=network.sub)
    assert (made.trades, made.lots, made.amount) == (1, 2, 9)
