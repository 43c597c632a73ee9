"""Several agreements of a partner at one time: which takes a trade, which a CPA or a month, and what is refused."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, WrongState
from ib import engine, plans
from ib.agreements.cards import ComponentRow, CpaRow, RateCard
from ib.agreements.scopes import Scope, which_and_why
from ib.calculation import monthly
from ib.calculation.explained_deal import explain_deal, why_none
from ib.models import Accrual, PartnerPlan, RatioProposal, RevenueMonth
from ib.rates import rates_of
from tests.ib.factories import LONG_AGO, card, make_account, make_trade, make_version
from tests.ib.test_agreements import agree, earned, paid
from tests.ib.test_net_revenue import NIGHT
from tests.ib.test_pages import text_of
from trading.models import Deal

pytestmark = pytest.mark.django_db
STANDARD = {"platforms": ["mt5"], "account_groups": ["real\\standard*"]}


def beside(cast, partner, rate_card, *, priority=1, percent=100, network="introducer", **takes):
    """Make an agreement beside the partner's usual one; returns its version."""
    version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card, network=network)
    PartnerPlan.objects.create(
        partner=partner, plan=version.plan, priority=priority, percent=percent, starts_at=LONG_AGO, **takes
    )
    return version


def whole(amount):
    return card({"fx_majors": amount}, {1: "1"})


def per_client(*, cpa=(), components=()):
    return RateCard({}, {1: Decimal(1)}, {}, tuple(components), tuple(cpa))


POT = per_client(components=[ComponentRow("pot", "", "", Decimal(1000))])
CPA = per_client(cpa=[CpaRow((), Decimal(300), Decimal(0), Decimal(0), 365)])


def test_the_first_agreement_that_a_trade_fits_takes_it(network, cast):
    """The worked example of the docs: 20 EUR on MT5 standard accounts, 15 EUR for the rest of MT5, 6 EUR elsewhere."""
    beside(cast, network.sub, whole("20"), **STANDARD)
    beside(cast, network.sub, whole("15"), priority=2, platforms=["mt5"])
    assert earned(network) == {(1, "lot"): Decimal(20)}
    raw = make_account(cast.client, group="real\\raw-EUR")
    deal = make_trade(raw)
    engine.run_for_deals(deal_ids=[deal])
    assert paid(deal) == {(1, "lot"): Decimal(15)}
    text = which_and_why(Accrual.objects.get(deal_id=deal))
    assert "for MetaTrader 5: the first that this trade fits. It doesn’t fit: Plan" in text
    assert "(MetaTrader 5, accounts real\\standard*)" in text
    assert text in [step["text"] for step in explain_deal(Deal.objects.get(pk=deal))["lines"][0]["steps"]]
    raw.server.kind = "mt4"
    raw.server.save(update_fields=["kind"])
    assert earned(network) == {(1, "lot"): Decimal(6), (2, "lot"): Decimal(3), (3, "lot"): Decimal(1)}


def test_a_links_clients_have_their_own_agreement_for_cpa_and_trades(network, cast):
    """Those of the campaign's links earn a CPA and nothing per trade, whatever the account is."""
    link = network.sub.referral_links.create(code="autumn", campaign="Autumn")
    beside(cast, network.sub, CPA, priority=1, link_ids=[link.pk])
    beside(cast, network.sub, whole("20"), priority=2, **STANDARD)
    assert earned(network) == {(1, "lot"): Decimal(20)}
    client = type(cast.client).objects.create(
        brand=cast.brand, book=cast.book, email="autumn@example.com", created_at=LONG_AGO
    )
    client.attributions.create(partner=network.sub, link=link, method="link", starts_at=LONG_AGO)
    deal = make_trade(make_account(client))
    engine.run_for_deals(deal_ids=[deal])
    assert paid(deal) == {(1, "cpa"): Decimal(300)}
    later = make_trade(make_account(client))
    engine.run_for_deals(deal_ids=[later])
    assert paid(later) == {} and "pays nothing per trade" in why_none(Deal.objects.get(pk=later))


def test_a_month_is_the_usual_agreements_where_a_platforms_takes_the_trades(network, cast):
    """One month per client, of all accounts, beside the trades that another agreement pays: none is paid by both."""
    month = ComponentRow("revenue", "", "", Decimal("0.1"))
    agree(cast, network.sub, RateCard({"fx_majors": Decimal(10)}, {1: Decimal(1)}, {}, (month,)))
    beside(cast, network.sub, whole("20"), **STANDARD)
    deals = [
        make_trade(network.account, commission="-70"),
        make_trade(make_account(cast.client, group="x"), commission="-30"),
    ]
    engine.run_for_deals(deal_ids=deals)
    assert [paid(deal) for deal in deals] == [{(1, "lot"): Decimal(20)}, {(1, "lot"): Decimal(10)}]
    monthly.review_months(brand=cast.brand, at=NIGHT)
    line = Accrual.objects.get(deal_id=-RevenueMonth.objects.get().pk)
    assert line.amount == 10 and "everything else" in which_and_why(line)


def test_an_ancestors_own_agreements_are_chosen_by_the_same_order(network, cast):
    beside(cast, network.master, card({"fx_majors": "40"}, {1: "0", 2: "0.25"}), network="own", **STANDARD)
    assert earned(network)[2, "lot"] == 10
    assert "accounts real" in which_and_why(Accrual.objects.get(level=2))
    beside(cast, network.top, card({"fx_majors": "40"}, {1: "0", 3: "0.5"}), network="own", platforms=["mt4"])
    assert earned(network)[3, "lot"] == 1


def test_what_is_paid_per_client_is_refused_for_a_platform_or_account_type(network, cast):
    about = {"partner_id": network.sub.pk, "actor": cast.ib_manager}
    for rate_card in (POT, CPA):
        version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card)
        with pytest.raises(DomainError, match=r"are paid per client.*agree the other one for links"):
            plans.assign_plan(**about, plan_id=version.plan_id, scope=Scope(priority=1, platforms=["mt5"]))
    held = plans.assign_plan(**about, plan_id=network.version.plan_id, scope=Scope(priority=1, **STANDARD))
    with pytest.raises(DomainError, match="are paid per client"):
        make_version(cast.brand, cast.ib_manager, cast.finance, plan=held.plan, rate_card=POT)
    link = network.sub.referral_links.create(code="autumn")
    assert plans.assign_plan(**about, plan_id=version.plan_id, scope=Scope(priority=2, link_ids=[link.pk]))


def test_the_database_refuses_what_is_paid_per_client_for_a_platform(network, cast, monkeypatch):
    """Whichever of agreement and version comes second, also where both were checked before either was there."""
    monkeypatch.setattr(plans, "check_plan_fits", lambda *_about: None)
    monkeypatch.setattr(plans, "check_version_fits", lambda *_about: None)
    for rate_card in (POT, CPA):
        version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card)
        scope = Scope(priority=1, platforms=["mt5"])
        with pytest.raises(DomainError, match="are paid per client"):
            plans.assign_plan(partner_id=network.sub.pk, plan_id=version.plan_id, scope=scope, actor=cast.ib_manager)
        held = beside(cast, network.sub, whole("20"), priority=version.pk % 90 + 2, **STANDARD)
        with pytest.raises(DomainError, match="are paid per client"):
            later = {"plan": held.plan, "starts_at": timezone.now()}
            make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card, **later)


def test_two_agreements_never_have_one_priority(network, cast):
    beside(cast, network.sub, whole("20"), **STANDARD)
    for wrong, name in (
        ({"priority": 1, "platforms": ["mt4"]}, "a_partner_has_one_plan_per_priority"),
        ({"priority": 2}, "agreement_with_a_scope_has_its_place"),
        ({"priority": 100, "platforms": ["mt4"]}, "agreement_with_a_scope_has_its_place"),
        ({"priority": 3, "platforms": ["mt4"], "client": cast.client}, "agreement_with_a_scope_has_its_place"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            PartnerPlan.objects.create(partner=network.sub, plan=network.version.plan, starts_at=LONG_AGO, **wrong)


def test_a_scope_needs_its_place_and_something_to_take(network, cast):
    others = network.top.referral_links.create(code="others")
    about = {"partner_id": network.sub.pk, "plan_id": network.version.plan_id, "actor": cast.ib_manager}
    for wrong, message in [
        ({"platforms": ["mt5"]}, "Enter a priority: it decides"),
        ({"priority": 3}, "Choose what this agreement applies to"),
        ({"priority": 100, "link_ids": [others.pk]}, "Enter a priority"),
        ({"priority": 3, "link_ids": [others.pk]}, "another partner"),
        ({"priority": 3, "client_id": cast.client.pk}, "comes before all others and has no priority"),
    ]:
        with pytest.raises(DomainError, match=message):
            plans.assign_plan(**about, scope=Scope(**wrong))
    scope = Scope(priority=3, platforms=["mt5"])
    plans.assign_plan(**about, scope=scope)
    with pytest.raises(WrongState, match="already set"):
        plans.assign_plan(**about, scope=scope)
    plans.assign_plan(**about, scope=Scope(priority=3, platforms=["mt4"]))
    assert PartnerPlan.objects.filter(partner=network.sub, priority=3).count() == 2


def test_the_form_makes_changes_and_ends_an_agreement_beside_the_usual_one(network, cast, browse):
    special = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=whole("20"))
    browser, address = browse(cast.ib_manager), reverse("ib_partner_plan", args=[network.sub.pk])
    sent = {"plan": special.plan_id, "priority": 1, "reason": "MT5", "account_groups": "real\\standard*, real\\pro*"}
    page = text_of(browser.post(address, {**sent, "platforms": ["mt5"]}, follow=True))
    assert "MetaTrader 5, accounts real\\standard*, real\\pro*" in page
    held = PartnerPlan.objects.get(partner=network.sub, priority=1)
    assert (held.platforms, held.account_groups) == (["mt5"], ["real\\standard*", "real\\pro*"])
    form = browser.get(f"{address}?priority=1").content.decode()
    assert "real\\standard*, real\\pro*" in form
    column = rates_of(network.sub).columns[0]
    assert (column.version, column.scope) == (special, "MetaTrader 5, accounts real\\standard*, real\\pro*")
    assert "Your clients: MetaTrader 5" in text_of(browse(network.sub.user).get("/partners/"))
    browser.post(address, {**sent, "platforms": ["mt5"], "percent": "80"})
    item = RatioProposal.objects.get()
    assert "1: MetaTrader 5" in text_of(browse(cast.finance).get(f"/approvals/personal-ratio/{item.pk}/"))
    approvals.approve(RatioProposal, item.pk, actor=cast.finance)
    assert PartnerPlan.objects.get(partner=network.sub, priority=1, ends_at=None).percent == 80
    browser.post(address, {"plan": "", "priority": 1, "reason": "over"})
    assert not PartnerPlan.objects.filter(partner=network.sub, priority=1, ends_at=None).exists()


def test_the_account_that_counts_is_that_of_the_trades_time(network, cast):
    """A move to another group changes what takes later trades, and neither a recalculation nor an explanation of earlier ones."""
    beside(cast, network.sub, whole("20"), **STANDARD)
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    network.account.group = "real\\raw-EUR"
    network.account.save(update_fields=["group"])
    assert engine.run_for_deals(deal_ids=[deal], corrects=True).rows == 0
    assert "accounts real\\standard*" in which_and_why(Accrual.objects.get(deal_id=deal))
