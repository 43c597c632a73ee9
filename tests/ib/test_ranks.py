"""Ranks by volume: reached, kept for the months of grace and lost; what they pay, and that a trade's month decides."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm.errors import DomainError
from ib import engine, plans
from ib.agreements.cards import TierRow, Tiers, VersionTerms
from ib.agreements.files import read_yaml, write_yaml
from ib.agreements.ranks import review_ranks
from ib.agreements.what_if import run_what_if
from ib.explain import explain
from ib.models import Accrual, CommissionRun, PartnerRank, PlanVersion
from tests.ib.factories import LONG_AGO, card, load_rates, make_trade, refer
from tests.ib.test_agreements import agree, components
from tests.ib.test_pages import rate_form, text_of

pytestmark = pytest.mark.django_db
SILVER, GOLD = TierRow("Silver", Decimal(100), Decimal("1.1")), TierRow("Gold", Decimal(250), Decimal("1.25"))


def day(month, number=15):
    return dt.datetime(2026, month, number, 12, tzinfo=dt.UTC)


def ranked(rate_card=None, **terms):
    return replace(rate_card or card(), tiers=Tiers((SILVER, GOLD), **terms))


def traded(account, lots, at, symbol="EURUSD"):
    deal = make_trade(account, lots=lots, at=at, symbol=symbol)
    engine.run_for_deals(deal_ids=[deal])
    return deal


def paid(deal):
    return {row.level: row.amount for row in Accrual.objects.filter(deal_id=deal, kind="original")}


def ranks_of(partner):
    return [(row.starts_at.month, row.tier, row.missed) for row in partner.ranks.order_by("starts_at")]


def test_a_rank_pays_its_percentage_from_the_month_after_it_was_reached(network, cast):
    """120 lots in June make Silver: 1 lot in July pays the 10 EUR × 110 %, shared 60/30/10."""
    agree(cast, network.sub, ranked())
    traded(network.account, "120", day(6))
    assert review_ranks(brand=cast.brand, at=day(7, 1)) == 1
    deal = traded(network.account, "1", day(7))
    assert paid(deal) == {1: Decimal("6.6"), 2: Decimal("3.3"), 3: Decimal("1.1")}
    row = Accrual.objects.get(deal_id=deal, level=1)
    texts = [step.text for step in explain(row)]
    assert (row.tier, row.rate) == (1, 11)
    assert "Rank Silver when the position was closed: 110 % of the plan's rates" in texts


def test_a_rank_goes_up_at_once_and_down_after_the_months_of_grace(network, cast):
    """June 260: Gold; July 90 and August 100 are below it: kept once, then what August reaches, Silver; then none."""
    agree(cast, network.sub, ranked(grace=1))
    for month, lots in ((6, "260"), (7, "90"), (8, "100")):
        traded(network.account, lots, day(month))
    for month in (7, 8, 9, 10, 11):
        review_ranks(brand=cast.brand, at=day(month, 2))
    assert ranks_of(network.sub) == [(7, 2, 0), (8, 2, 1), (9, 1, 0), (10, 1, 1), (11, 0, 0)]
    assert [paid(traded(network.account, "1", day(month, 3)))[1] for month in (7, 9, 11)] == [
        Decimal("7.5"),
        Decimal("6.6"),
        Decimal(6),
    ]


def test_trades_calculated_before_the_review_get_the_difference(network, cast):
    agree(cast, network.sub, ranked())
    traded(network.account, "100", day(6))
    early = traded(network.account, "1", day(7, 1))
    review_ranks(brand=cast.brand, at=day(7, 2))
    assert sum(Accrual.objects.filter(deal_id=early, level=1).values_list("amount", flat=True)) == Decimal("6.6")
    assert Accrual.objects.get(deal_id=early, level=1, kind="delta").tier == 1


def test_a_month_is_reviewed_once_whatever_is_learnt_later(network, cast):
    agree(cast, network.sub, ranked())
    traded(network.account, "99.99", day(6))
    assert review_ranks(brand=cast.brand, at=day(7, 1)) == 0
    traded(network.account, "1", day(6, 30))
    assert review_ranks(brand=cast.brand, at=day(7, 20)) == 0
    assert ranks_of(network.sub) == [] and CommissionRun.objects.filter(kind="ranks").count() == 1


def test_months_missed_in_an_outage_are_reviewed_in_their_order(network, cast):
    agree(cast, network.sub, ranked())
    for month, lots in ((5, "1"), (6, "120"), (7, "300")):
        traded(network.account, lots, day(month))
    review_ranks(brand=cast.brand, at=day(6, 2))
    review_ranks(brand=cast.brand, at=day(8, 2))
    assert ranks_of(network.sub) == [(7, 1, 0), (8, 2, 0)]


def test_the_networks_volume_and_several_months_count_where_the_plan_says_so(network, cast):
    """The master has 60 lots a month below: nothing of their own, 120 in two months."""
    agree(cast, network.master, ranked(basis="network", months=2), network="own")
    for month in (5, 6):
        traded(network.account, "60", day(month))
    review_ranks(brand=cast.brand, at=day(7, 1))
    assert ranks_of(network.master) == [(7, 1, 0)] and ranks_of(network.sub) == []
    assert paid(traded(network.account, "1", day(7)))[2] == Decimal("3.3"), "the master's own plan, at their own rank"


def test_a_partners_own_trading_makes_no_rank(network, cast):
    agree(cast, network.sub, ranked())
    network.sub.client = cast.client
    network.sub.save()
    traded(network.account, "500", day(6))
    assert review_ranks(brand=cast.brand, at=day(7, 1)) == 0


def test_a_what_if_of_ranks_equals_what_they_then_pay(network, cast):
    """Tried on the last month's trades, by the volume of the month before."""
    now = timezone.now()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    load_rates(now.date(), first.date())
    deals = [traded(network.account, "120", first - dt.timedelta(days=3)), traded(network.account, "2", first)]
    draft = plans.draft_version(
        plan_id=network.version.plan_id,
        actor=cast.ib_manager,
        terms=VersionTerms(starts_at=now, currency="EUR", card=ranked()),
    )
    days = (now - first).days + 1
    kept = run_what_if(version_id=draft.pk, days=days, for_plan_id=None, actor=cast.ib_manager)
    assert (kept.before, kept.after) == (20, 22)
    agree(cast, network.sub, ranked())
    review_ranks(brand=cast.brand, at=now)
    assert sum(Accrual.objects.filter(deal_id=deals[1]).values_list("amount", flat=True)) == 22


def test_ranks_go_out_and_come_in_by_file_and_by_form(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    sent = rate_form(
        ranks="2",
        tier_1_name="Silver",
        tier_1_lots="100",
        tier_1_percent="110",
        tier_2_name="Gold",
        tier_2_lots="250",
        tier_2_percent="125",
        tier_basis="network",
        tier_months="3",
        tier_grace="2",
    )
    browser.post(reverse("ib_version_new", args=[plan.pk]), {**sent, "draft": "1"})
    version = PlanVersion.objects.get(plan=plan, number=2)
    terms = read_yaml(write_yaml(version).encode(), starts_at=LONG_AGO)
    assert terms.card.tiers == Tiers((SILVER, GOLD), "network", 3, 2)
    page = text_of(browser.get(plan.get_absolute_url()))
    assert "Rank Gold, from 250 lots: 125 % of the rates" in page
    assert "lots closed in the last 3 full months" in page and "kept for 2 months below its volume" in page
    form = browser.get(reverse("ib_version_change", args=[version.pk])).context["form"]
    assert (form["tier_2_percent"].value(), form["tier_months"].value()) == (125, 3)
    removed = browser.post(reverse("ib_version_change", args=[version.pk]), {**sent, "remove_tier": "1"})
    assert removed.context["editor"].ranks == 1 and removed.context["form"]["tier_1_name"].value() == "Gold"
    half = browser.post(reverse("ib_version_new", args=[plan.pk]), {**sent, "tier_2_lots": "", "draft": "1"})
    assert half.status_code == 422 and "name, its lots and its percentage" in text_of(half)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((GOLD, SILVER), "more lots than the one before"),
        ((replace(SILVER, name=" "),), "needs a name"),
        ((replace(SILVER, factor=Decimal(9)),), "share of money exceeds 100"),
        (tuple(replace(SILVER, lots=Decimal(n)) for n in range(1, 10)), "8 ranks at most"),
    ],
)
def test_ranks_that_cannot_be_meant_are_refused(network, cast, rows, message):
    said = replace(components(("commission", "", "", Decimal("0.5"))), tiers=Tiers(rows))
    with pytest.raises(DomainError, match=message):
        plans.draft_version(
            plan_id=network.version.plan_id,
            actor=cast.ib_manager,
            terms=VersionTerms(starts_at=LONG_AGO, currency="EUR", card=said),
        )


def test_a_partner_and_staff_see_the_rank(network, cast, browse):
    agree(cast, network.sub, ranked())
    refer(cast.other_client, network.sub)
    traded(network.account, "120", day(6))
    review_ranks(brand=cast.brand, at=day(7, 1))
    assert "Silver 120.00 lots, since Jul 1, 2026" in text_of(
        browse(cast.ib_manager).get(network.sub.get_absolute_url())
    )
    assert "Your rank: Silver" in text_of(browse(network.sub.user).get(reverse("partner_home")))


def test_a_rank_once_decided_stays(network, cast):
    held = PartnerRank.objects.create(
        partner=network.sub, plan=network.version.plan, tier=1, lots=1, starts_at=day(7, 1)
    )
    held.tier = 2
    with pytest.raises(Exception, match="history stays as it was"), transaction.atomic():
        held.save()
    with pytest.raises(IntegrityError, match="a_partner_has_one_rank_at_a_time"), transaction.atomic():
        PartnerRank.objects.create(partner=network.sub, plan=network.version.plan, tier=1, lots=1, starts_at=day(8, 1))
