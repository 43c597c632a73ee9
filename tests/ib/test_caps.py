"""The most that a partner earns by a plan per day and per month: in the order of closing, whatever order the deals come in."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from crm.models import Brand
from ib import clawback, engine, rollup
from ib.agreements.cards import limit_sentences
from ib.agreements.files import read_yaml, write_yaml
from ib.agreements.what_if import run_what_if
from ib.explain import explain
from ib.models import Accrual, CappedDay, PartnerPlan, PlanVersion
from tests.ib.factories import LONG_AGO, NOON, card, make_account, make_trade, refer
from tests.ib.test_agreements import agree
from tests.ib.test_pages import rate_form, text_of
from tests.ib.test_settlement import arrived
from tests.ib.test_what_if import draft_of
from trading.models import SymbolInfo

pytestmark = pytest.mark.django_db
FLAT = card({"fx_majors": "10"}, {1: "1"})


def kept(deals):
    """What the client's partner is left with, deal by deal."""
    return [sum(Accrual.objects.filter(deal_id=deal, level=1).values_list("amount", flat=True)) for deal in deals]


def of_all(deals):
    """What all partners together are left with, deal by deal."""
    return [sum(Accrual.objects.filter(deal_id=deal).values_list("amount", flat=True)) for deal in deals]


def trades(network, *hours, day=10):
    return [make_trade(network.account, at=NOON.replace(day=day, hour=hour)) for hour in hours]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[::2])
def test_trades_fill_a_days_cap_in_the_order_of_closing(network, cast, order):
    """10 EUR each, 25 a day: 10, 10 and 5, in whatever order they come; the next day begins again."""
    agree(cast, network.sub, FLAT, cap_day=Decimal(25))
    deals = [*trades(network, 9, 11, 13), *trades(network, 9, day=11)]
    for place in (*order, 3):
        engine.run_for_deals(deal_ids=[deals[place]])
    assert kept(deals) == [10, 10, 5, 10] and rollup.differences() == []
    assert engine.run_for_deals(deal_ids=deals, corrects=True).rows == 0


def test_a_months_cap_counts_what_the_days_have_left(network, cast):
    """15 a day and 32 a month: the third day has 2 left, the next month all of it."""
    agree(cast, network.sub, FLAT, cap_day=Decimal(15), cap_month=Decimal(32))
    deals = [deal for day in (10, 11, 12) for deal in trades(network, 9, 11, day=day)]
    october = make_trade(network.account, at=NOON.replace(month=10))
    engine.run_for_deals(deal_ids=[*deals, october])
    assert kept([*deals, october]) == [10, 5, 10, 5, 2, 0, 10]
    reasons = Accrual.objects.filter(kind="capped").order_by("closed_at").values_list("reason", flat=True)
    assert list(reasons) == ["cap_day", "cap_day", "cap_month", "cap_month"]
    last = Accrual.objects.get(deal_id=deals[5], kind="capped")
    texts = [step.text for step in explain(last)]
    assert (last.amount, last.corrects_id) == (-10, Accrual.objects.get(deal_id=deals[5], kind="original").pk)
    assert "The plan pays a partner at most €32.00 per month; earlier trades earned €32.00" in texts


def test_a_late_deal_moves_only_what_crosses_the_cap_and_another_time_zone_counts_again(network, cast):
    """A month of 35 EUR: days of 20, 10, 10 and 10 EUR keep 20, 10, 5, 0; a late trade on the second day takes from the third."""
    agree(cast, network.sub, FLAT, cap_month=Decimal(35))
    days = [trades(network, *((9, 11) if day == 10 else (9,)), day=day) for day in (10, 11, 12, 13)]
    deals = [deal for day in days for deal in day]
    for deal in (deals[0], deals[4], deals[2], deals[1], deals[3]):
        engine.run_for_deals(deal_ids=[deal])
    assert kept(deals) == [10, 10, 10, 5, 0]
    late = make_trade(network.account, at=NOON.replace(day=11, hour=8))
    engine.run_for_deals(deal_ids=[late])
    assert kept([*deals, late]) == [10, 10, 5, 0, 0, 10]
    Brand.objects.filter(pk=cast.brand.pk).update(time_zone="Pacific/Auckland")
    engine.run_for_deals(deal_ids=[make_trade(network.account, at=NOON.replace(day=9))])
    assert kept([*deals, late]) == [10, 10, 0, 0, 0, 5]
    assert set(CappedDay.objects.values_list("zone", flat=True)) == {"Pacific/Auckland"}


REVENUE = {"cap_revenue": Decimal(50), "markup_pips": Decimal(1)}


def test_a_plan_pays_its_part_of_the_months_revenue_at_most(network, cast):
    """A pip of a lot is 10 USD = 8 EUR and 2 EUR are charged: 10 EUR of revenue a trade, of which half may be paid."""
    SymbolInfo.objects.filter(name="EURUSD").update(currency_profit="USD")
    agree(cast, network.sub, FLAT, **REVENUE)
    deals = [make_trade(network.account, at=NOON.replace(hour=hour), commission="-2") for hour in (9, 11)]
    engine.run_for_deals(deal_ids=deals[1:])
    assert kept(deals) == [0, 5], "alone in its month"
    engine.run_for_deals(deal_ids=deals[:1])
    assert kept(deals) == [10, 0], "the first one fills what both allow"
    unpaid = make_trade(network.account, at=NOON.replace(hour=13), held_seconds=1, commission="-2")
    engine.run_for_deals(deal_ids=[unpaid])
    assert kept([*deals, unpaid]) == [10, 5, 0] and rollup.differences() == []
    last = Accrual.objects.filter(kind="capped", deal_id=deals[1]).order_by("pk")[0]
    assert (last.reason, last.revenue) == ("cap_revenue", None)
    assert "its part of what the broker earned on these trades" in explain(last)[-2].text
    draft = draft_of(cast, network, FLAT, **{**REVENUE, "cap_revenue": Decimal(20)})
    plan = PartnerPlan.usual.get(partner=network.sub, ends_at=None).plan_id
    tried = run_what_if(version_id=draft.pk, days=2, for_plan_id=plan, actor=cast.ib_manager, at=NOON.replace(day=11))
    assert tried.after == 6


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
def test_all_partners_of_a_plan_share_its_part_of_the_revenue(network, cast, order):
    """Four trades bring 40 EUR, of which half may be paid: 6 + 3 EUR for each of the first two, whoever earns them, then 2.

    The first and third trade pay the sub and the master above, the others the master and the top.
    """
    SymbolInfo.objects.filter(name="EURUSD").update(currency_profit="USD")
    version = agree(
        cast, network.sub, card({"fx_majors": "10"}, {1: "0.6", 2: "0.3"}), is_capped_together=True, **REVENUE
    )
    PartnerPlan.usual.filter(partner=network.master).update(ends_at=LONG_AGO.replace(day=2))
    PartnerPlan.objects.create(partner=network.master, plan=version.plan, starts_at=LONG_AGO.replace(day=3))
    refer(cast.other_client, network.master)
    accounts = [network.account, make_account(cast.other_client)] * 2
    deals = [make_trade(at, at=NOON.replace(hour=9 + n), commission="-2") for n, at in enumerate(accounts)]
    for place in order:
        engine.run_for_deals(deal_ids=[deals[place]])
    assert of_all(deals) == [9, 9, 2, 0] and rollup.differences() == []
    assert [kept(deals[2:3]), kept(deals[3:])] == [[2], [0]], "the first level before the second"
    assert engine.run_for_deals(deal_ids=deals, corrects=True).rows == 0
    assert {(row.partner_id, row.revenue) for row in CappedDay.objects.all()} == {(0, 40)}
    last = Accrual.objects.filter(kind="capped", deal_id=deals[3]).order_by("-pk")[0]
    assert "The plan pays all partners together at most €" in explain(last, for_staff=True)[-2].text
    assert explain(last)[-2].text == "Earlier trades of all partners reached the plan's limit for the month"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET deleted_at = now(), revision = 1 WHERE id = %s", [deals[0]])
    engine.run_for_deals(deal_ids=deals[:1])
    assert of_all(deals) == [0, 9, 6, 0], "the 15 EUR that are left go to other partners' trades"


def test_another_revenue_alone_moves_the_cap_and_is_no_line_of_its_own(network, cast):
    SymbolInfo.objects.filter(name="EURUSD").update(currency_profit="USD")
    agree(cast, network.sub, FLAT, **REVENUE)
    deals = [make_trade(network.account, at=NOON.replace(hour=hour), commission="-2") for hour in (9, 11)]
    engine.run_for_deals(deal_ids=deals)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET swap = -8, revision = 1 WHERE id = %s", [deals[0]])
    engine.run_for_deals(deal_ids=deals[:1])
    assert kept(deals) == [10, 4]
    assert sum(row.revenue or 0 for row in Accrual.objects.filter(deal_id=deals[0])) == 18


def test_a_deleted_deal_leaves_its_part_of_the_cap_to_later_ones(network, cast):
    agree(cast, network.sub, FLAT, cap_day=Decimal(15))
    deals = trades(network, 9, 11, 13)
    engine.run_for_deals(deal_ids=deals)
    assert kept(deals) == [10, 5, 0]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET deleted_at = now(), revision = 1 WHERE id = %s", [deals[0]])
    engine.run_for_deals(deal_ids=deals[:1])
    assert kept(deals) == [0, 10, 5] and rollup.differences() == []


def test_a_cap_is_in_the_plans_currency_and_each_partners_own(network, cast):
    """The plan's 12.50 USD are 10 EUR of 40 USD; the master has the same cap for themselves."""
    agree(cast, network.sub, card({"fx_majors": "40"}, {1: "0.5", 2: "0.5"}), currency="USD", cap_day=Decimal("12.5"))
    deal = make_trade(network.account)
    engine.run_for_deals(deal_ids=[deal])
    net = {
        level: sum(Accrual.objects.filter(deal_id=deal, level=level).values_list("amount", flat=True))
        for level in (1, 2)
    }
    assert net == {1: 10, 2: 10}


def test_a_clawback_takes_back_no_more_than_the_cap_left(network, cast):
    agree(cast, network.sub, FLAT, cap_day=Decimal(4))
    now = timezone.now()
    deposit = arrived(cast, 100_00, now - dt.timedelta(days=3), "a")
    deal = make_trade(network.account, at=now - dt.timedelta(days=1))
    engine.run_for_deals(deal_ids=[deal])
    clawback.take_back(deposit_id=deposit.pk, amount=Decimal(50), reference="dp")
    assert kept([deal]) == [2]


def test_a_what_if_knows_the_caps(network, cast):
    deals = trades(network, 9, 11)
    engine.run_for_deals(deal_ids=deals)
    draft = draft_of(cast, network, FLAT, cap_day=Decimal(12))
    tried = run_what_if(version_id=draft.pk, days=2, for_plan_id=None, actor=cast.ib_manager, at=NOON.replace(day=11))
    assert (tried.before, tried.after) == (20, 12)


def test_caps_go_out_and_come_in_by_file_and_by_form(network, cast, browse):
    browser, plan = browse(cast.ib_manager), network.version.plan
    sent = {**rate_form(cap_day="100.5", cap_month="2000", cap_revenue="33.5", markup_pips="0.7"), "draft": "1"}
    alone = {**rate_form(is_capped_together="on"), "draft": "1"}
    assert "that all partners share" in text_of(browser.post(reverse("ib_version_new", args=[plan.pk]), alone))
    sent["is_capped_together"] = "on"
    browser.post(reverse("ib_version_new", args=[plan.pk]), sent)
    version = PlanVersion.objects.get(plan=plan, number=2)
    said = read_yaml(write_yaml(version).encode(), starts_at=LONG_AGO)
    assert (said.cap_day, said.cap_month) == (Decimal("100.5"), Decimal(2000))
    form = browser.get(reverse("ib_version_change", args=[version.pk])).context["form"]
    assert form["cap_day"].value() == Decimal("100.5")
    assert (said.cap_revenue, said.markup_pips, form["cap_revenue"].value()) == (
        Decimal("33.5"),
        Decimal("0.7"),
        Decimal("33.5"),
    )
    assert said.is_capped_together and form["is_capped_together"].value()
    assert "All partners together earn at most 33.5 % per month" in text_of(browser.get(plan.get_absolute_url()))
    assert "together earn at most €100.50 per day by this plan" in text_of(browser.get(plan.get_absolute_url()))
    refused = browser.post(reverse("ib_version_new", args=[plan.pk]), {**sent, "cap_day": "0"})
    assert refused.status_code == 422
    with pytest.raises(IntegrityError, match="most_per_day_and_month_are_positive"), transaction.atomic():
        PlanVersion.objects.filter(pk=version.pk).update(cap_day=0)


def test_all_levels_together_get_a_part_of_the_trades_revenue(network, cast):
    """A trade brings 8 + 2 EUR: of 70 % level 1 has 6, and level 2, with 4 by its share, what is left; of 5.25 level 1 has all."""
    SymbolInfo.objects.filter(name="EURUSD").update(currency_profit="USD")
    terms = {"cap_upline": Decimal(70), "markup_pips": Decimal(1)}
    agree(cast, network.sub, card({"fx_majors": "10"}, {1: "0.6", 2: "0.4"}), **terms)
    deal, poor = (
        make_trade(network.account, at=NOON.replace(hour=hour), commission=paid)
        for hour, paid in ((9, "-2"), (11, "0.5"))
    )
    engine.run_for_deals(deal_ids=[deal, poor])
    lines = {(row.deal_id, row.level): row for row in Accrual.objects.filter(kind="original")}
    assert [lines[deal, 1].amount, lines[deal, 2].amount] == [6, 1], "7 EUR in all"
    assert [lines[poor, 1].amount, lines[poor, 2].amount] == [Decimal("5.25"), 0], "7.50 EUR of revenue"
    assert lines[poor, 2].reason == "cap_upline"
    texts = [(step.text, step.figure) for step in explain(lines[deal, 2])]
    most = "All levels together get at most 7 EUR, 70 % of the 10 EUR that the broker earned on this trade"
    assert (f"{most}; this is what the levels below left of it", "1 EUR") in texts
    assert "get at most 5.25 EUR, 70 % of the 7.5 EUR" in explain(lines[poor, 2])[-1].text
    assert rollup.differences() == [] and engine.run_for_deals(deal_ids=[deal, poor], corrects=True).rows == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET commission = -4, revision = 1 WHERE id = %s", [poor])
    engine.run_for_deals(deal_ids=[poor])
    earned = Accrual.objects.filter(deal_id=poor).values_list("level", "amount")
    assert [sum(amount for at, amount in earned if at == level) for level in (1, 2)] == [6, Decimal("2.4")], (
        "8.40 EUR in all"
    )
    version = PartnerPlan.usual.get(partner=network.sub, ends_at=None).plan.versions.get()
    assert read_yaml(write_yaml(version).encode(), starts_at=LONG_AGO).cap_upline == 70
    assert "All levels together earn at most 70 %" in " ".join(map(str, limit_sentences(version)))
