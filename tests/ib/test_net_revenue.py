"""Shares of net revenue: per client and month, from deals and the ledger, corrected and settled as other lines are."""

import datetime as dt
import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from crm import approvals
from crm.errors import DomainError
from ib import attribution, clawback, engine, periods, plans, rollup, settlement
from ib.agreements import what_if
from ib.agreements.card_rules import check_card
from ib.agreements.cards import ComponentRow, RateCard, VersionTerms, limit_sentences
from ib.agreements.files import read_yaml, write_yaml
from ib.calculation import monthly
from ib.calculation.explained_deal import why_none
from ib.explain import explain
from ib.models import Accrual, ReplayLine, ReplayProposal, RevenueMonth, SettlementPeriod
from ib.replay import replays
from ib.replay.proposals import propose_replay
from tests.cast import signed_in
from tests.ib import factories
from tests.ib.factories import make_trade, make_version
from tests.ib.test_settlement import arrived
from trading.models import Deal, SymbolInfo

pytestmark = pytest.mark.django_db
UTC = dt.UTC
SEPTEMBER = dt.datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = dt.datetime(2026, 10, 1, tzinfo=UTC)
NIGHT = OCTOBER + dt.timedelta(hours=3)


def card(component="revenue", value="0.3", **more):
    return RateCard(
        {}, {1: Decimal("0.6"), 2: Decimal("0.4")}, {}, (ComponentRow(component, "", "", Decimal(value), **more),)
    )


def agree(cast, network, rate_card=None, **terms):
    """Put the sub on a plan that pays a share of net revenue, to its master too."""
    version = make_version(cast.brand, cast.ib_manager, cast.finance, rate_card=rate_card or card(), **terms)
    plans.assign_plan(partner_id=network.sub.pk, plan_id=version.plan_id, actor=None, at=SEPTEMBER)
    return version


def licensed(cast, jurisdiction):
    cast.brand.jurisdiction = jurisdiction
    cast.brand.save(update_fields=["jurisdiction"])


def lines():
    rows = Accrual.objects.filter(deal_id__lt=0).order_by("pk")
    return [(row.kind, row.partner_id, row.level, row.reason, row.amount) for row in rows]


def sums():
    found: dict[int, Decimal] = {}
    for row in Accrual.objects.filter(deal_id__lt=0):
        found[row.level] = found.get(row.level, Decimal(0)) + row.amount
    return found


def test_the_worked_example_of_the_docs(network, cast):
    """1 pip of mark-up on 2 lots, 8 EUR of commission, 1.50 EUR of swaps, 2 EUR of fees, a bonus of 5 EUR: 22.50 EUR."""
    SymbolInfo.objects.update(currency_profit="USD")
    agree(cast, network, markup_pips=Decimal(1))
    deal = make_trade(network.account, lots="2", opening_commission="-3", commission="-5", profit="-40")
    Deal.objects.filter(pk=deal).update(swap=Decimal("-1.5"))
    factories.book(cast.client, factories.NOON, fee=200, bonus=500)
    monthly.review_months(brand=cast.brand, at=NIGHT)
    month = RevenueMonth.objects.get()
    assert (month.pip_worth, month.charged, month.swaps, month.lost, month.booked) == (16, 8, Decimal("1.5"), 40, -3)
    assert lines() == [
        ("original", network.sub.pk, 1, "", Decimal("4.05")),
        ("original", network.master.pk, 2, "", Decimal("2.7")),
    ]
    assert rollup.differences() == []


def test_running_again_writes_nothing_and_what_came_late_is_added(network, cast):
    agree(cast, network)
    make_trade(network.account, commission="-10")
    assert monthly.review_months(brand=cast.brand, at=OCTOBER - dt.timedelta(seconds=1)).rows == 0, "it hasn't ended"
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert monthly.review_months(brand=cast.brand, at=NIGHT).rows == 0
    late = make_trade(network.account, commission="-2", at=OCTOBER - dt.timedelta(seconds=1))
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert lines()[2:] == [
        ("delta", network.sub.pk, 1, "recalculated", Decimal("0.36")),
        ("delta", network.master.pk, 2, "recalculated", Decimal("0.24")),
    ]
    Deal.objects.filter(pk=late).update(deleted_at=NIGHT)
    monthly.review_months(brand=cast.brand, at=NIGHT)
    Deal.objects.update(deleted_at=NIGHT)
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert sums() == {1: 0, 2: 0}
    assert monthly.review_months(brand=cast.brand, at=NIGHT).rows == 0
    assert rollup.differences() == []
    engine.run_nightly(brand=cast.brand, days=90)
    assert sums() == {1: 0, 2: 0}, "a pass over deals leaves months alone"


@pytest.mark.parametrize(
    ("carries", "expected"), [(True, {1: Decimal("-7.2"), 2: Decimal("-4.8")}), (False, {1: 0, 2: 0})]
)
def test_a_clients_gain_counts_where_the_plan_says_so(network, cast, carries, expected):
    licensed(cast, "SC")
    agree(cast, network, card("net_result"), carries_negative=carries)
    make_trade(network.account, profit="50", commission="-10")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert sums() == expected
    assert {reason for _kind, _partner, _level, reason, _amount in lines()} == ({""} if carries else {"no_revenue"})


def test_a_client_who_moves_is_two_months_and_the_upline_of_each_earns(network, cast):
    """10 EUR until the 15th are of the sub and its master, 20 EUR from then on of the top partner alone."""
    version = agree(cast, network)
    plans.assign_plan(partner_id=network.top.pk, plan_id=version.plan_id, actor=None, at=SEPTEMBER)
    moved = dt.datetime(2026, 9, 15, tzinfo=UTC)
    attribution.attribute_client(client_id=cast.client.pk, partner_id=network.top.pk, actor=None, at=moved)
    make_trade(network.account, commission="-10", at=factories.NOON)
    make_trade(network.account, commission="-20", at=moved)
    monthly.review_months(brand=cast.brand, at=NIGHT)
    assert lines() == [
        ("original", network.sub.pk, 1, "", Decimal("1.8")),
        ("original", network.master.pk, 2, "", Decimal("1.2")),
        ("original", network.top.pk, 1, "", Decimal("3.6")),
    ]
    assert list(RevenueMonth.objects.order_by("decided_at").values_list("charged", flat=True)) == [10, 20]


def test_the_most_per_client_month_and_the_plans_caps_hold(network, cast):
    agree(cast, network, card(cap=Decimal(2)), cap_month=Decimal(1))
    make_trade(network.account, commission="-100")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    kinds = [(kind, level, amount) for kind, _partner, level, _reason, amount in lines()]
    assert kinds == [("original", 1, Decimal("1.2")), ("original", 2, Decimal("0.8")), ("capped", 1, Decimal("-0.2"))]


def test_closing_the_period_settles_the_month_with_it(network, cast):
    agree(cast, network)
    make_trade(network.account, commission="-10")
    assert engine.run_nightly(brand=cast.brand, days=90).rows == 0, "the plan pays nothing per trade: no lines"
    assert "pays nothing per trade" in why_none(Deal.objects.get(entry=1))
    periods.ensure_periods(cast.brand, SEPTEMBER, NIGHT)
    period = SettlementPeriod.objects.get(starts_at=SEPTEMBER)
    for earlier in SettlementPeriod.objects.filter(starts_at__lt=SEPTEMBER):
        settlement.settle_period(period_id=earlier.pk, actor=cast.finance)
    rows = settlement.settle_period(period_id=period.pk, actor=cast.finance, at=NIGHT)
    assert {(row.partner_id, row.trades, row.amount) for row in rows} == {
        (network.sub.pk, 0, Decimal("1.8")),
        (network.master.pk, 0, Decimal("1.2")),
    }


def test_a_line_says_what_the_revenue_was_made_of(network, cast):
    agree(cast, network)
    make_trade(network.account, commission="-10")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    row = Accrual.objects.get(level=1)
    assert row.place == "Net revenue of September 2026"
    steps = explain(row, for_staff=True)
    assert [(step.text, step.figure) for step in steps[1:]] == [
        ("Mark-up of 0 pips on the closed volume", "0 EUR"),
        ("Commission that the platform charged", "10 EUR"),
        ("Swaps", "0 EUR"),
        ("Fees charged, less bonuses, by the ledger", "0 EUR"),
        ("Net revenue from the client in the month", "10 EUR"),
        (f"{row.version}: 30 % of it × 60 % for level 1", "1.8 EUR"),
    ]
    assert len(explain(row)) == 3, "what a client paid in fees or got as a bonus is no business of a partner's"
    out = io.StringIO()
    call_command("explain_commission", client=cast.client.pk, month="2026-09", json=True, stdout=out)
    (explained,) = json.loads(out.getvalue())
    assert explained["charged"] == "10.00000000" and [line["level"] for line in explained["lines"]] == [1, 2]
    call_command("explain_commission", client=cast.client.pk, month="2026-09", stdout=out)
    assert f"{network.master.code}: 1.20000000 EUR in all" in out.getvalue()
    with pytest.raises(CommandError, match="Nothing was calculated"):
        call_command("explain_commission", client=cast.client.pk, month="2026-08", stdout=out)


def test_its_pages_name_the_month(network, cast):
    agree(cast, network)
    make_trade(network.account, commission="-10")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    row = Accrual.objects.get(level=1)
    staff = signed_in(cast.ib_manager)
    assert "Net revenue of September 2026 for" in staff.get(reverse("ib_accrual", args=[row.pk])).content.decode()
    assert "Sep\u00a02026" in staff.get(reverse("ib_accruals")).content.decode()
    partner = signed_in(network.sub.user)
    assert "Net revenue of September 2026" in partner.get(reverse("partner_trade", args=[row.pk])).content.decode()
    assert "Share of net revenue" in partner.get(reverse("partner_earnings")).content.decode()


def test_a_reversed_deposit_takes_its_part_of_the_month(network, cast):
    agree(cast, network, clawback_days=365)
    deposit = arrived(cast, 100_00, SEPTEMBER, "a")
    make_trade(network.account, commission="-10")
    monthly.review_months(brand=cast.brand, at=NIGHT)
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50))
    assert sums() == {1: Decimal("0.9"), 2: Decimal("0.6")}


def test_a_what_if_lays_the_shares_of_the_same_days_beside_each_other(network, cast):
    """Of 20 EUR in 30 days the plan in force pays 30 %, the version tried out 50 %; a plan without such shares pays nothing."""
    version = agree(cast, network)
    make_trade(network.account, commission="-20")
    draft = plans.draft_version(
        plan_id=version.plan_id,
        actor=cast.ib_manager,
        terms=VersionTerms(starts_at=NIGHT, currency="EUR", card=card(value="0.5")),
    )
    kept = what_if.run_what_if(version_id=draft.pk, days=30, for_plan_id=None, actor=cast.ib_manager, at=NIGHT)
    assert (kept.before, kept.after) == (6, 10)
    rows = {partner.pk: (row.before, row.after, row.cost) for partner, row in what_if.rows_of(kept)}
    assert rows == {network.sub.pk: (Decimal("3.6"), 6, 10), network.master.pk: (Decimal("2.4"), 4, 0)}
    assert not RevenueMonth.objects.exists() and not Accrual.objects.exists()


def test_a_replay_lists_the_month_and_applies_it(network, cast):
    agree(cast, network)
    make_trade(network.account, commission="-10")
    replay = replayed(cast, network)
    found = ReplayLine.objects.values_list("partner_id", "symbol", "component", "after", "cause")
    assert set(found) == {
        (network.sub.pk, "2026-09", "revenue", Decimal("1.8"), "revenue"),
        (network.master.pk, "2026-09", "revenue", Decimal("1.2"), "revenue"),
    }
    item = propose_replay(replay_id=replay.pk, actor=cast.ib_manager, reason="x")
    approvals.approve(ReplayProposal, item.pk, actor=cast.finance)
    assert sums() == {1: Decimal("1.8"), 2: Decimal("1.2")}
    assert monthly.review_months(brand=cast.brand, at=NIGHT).rows == 0
    assert replayed(cast, network).state == "same"


def replayed(cast, network):
    replay = replays.request_replay(
        brand=cast.brand,
        from_at=SEPTEMBER,
        to_at=OCTOBER,
        partner_id=network.master.pk,
        actor=cast.ib_manager,
        reason="The month was never calculated",
    )
    return replays.run_replay(replay_id=replay.pk)


def test_a_file_says_the_share_and_what_a_negative_month_does(network, cast):
    version = agree(cast, network, carries_negative=False)
    text = write_yaml(version)
    assert "pays: revenue\n  value: 30\n" in text and "negative_revenue_counts: false" in text
    assert read_yaml(text.encode(), starts_at=NIGHT).card == card()
    assert limit_sentences(version)[0].startswith("A client's month of negative net revenue pays nothing")


def test_a_version_that_cannot_be_meant_is_refused(network, cast):
    def problem(rate_card, **more):
        terms = {"is_pool": True, "network": "introducer", "jurisdiction": "SC", **more}
        with pytest.raises(DomainError) as refused:
            check_card(rate_card, **terms)
        return str(refused.value)

    assert "client losses" in problem(card("net_result"), jurisdiction="CY")
    check_card(card(), is_pool=True, network="introducer", jurisdiction="CY")
    assert "difference" in problem(card(), network="difference")
    assert "lower the share" in problem(card(), cap_revenue=Decimal(50))
    both = RateCard({}, {1: Decimal(1)}, {}, (*card().components, *card("net_result").components))
    assert "not both" in problem(both)
    one = RateCard({}, {1: Decimal(1)}, {}, (ComponentRow("revenue", "metals", "", Decimal("0.1")),))
    assert "all symbols" in problem(one)
