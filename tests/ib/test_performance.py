"""The managers' leaderboard: exact figures of a range, in a fixed number of queries, for who may see commissions."""

import datetime as dt

import pytest
import time_machine
from django.db import connection
from django.urls import reverse

from ib import engine, figures
from ib.manager_pages.performance import performance
from ib.manager_pages.revenue import keep_days
from ib.models import Partner, PartnerDay
from ib.partner_pages.date_ranges import date_range
from ib.tasks import renew_kept
from tests.ib.factories import LONG_AGO, NOON, make_partner, make_trade
from tests.ib.test_pages import text_of
from tests.ib.test_settlement import accrue

pytestmark = pytest.mark.django_db


@time_machine.travel(NOON, tick=False)
def test_leaderboard_has_each_partners_figures(network, cast, browse, django_assert_max_num_queries):
    accrue(network)
    make_partner(cast.brand)  # earned nothing and brought nobody: not on the list
    rows, rollup = performance(cast.ib_manager, date_range("30"), "commission")
    assert [(row.partner_id, row.earned.amount, row.trades) for row in rows] == [
        (network.sub.pk, 6, 1),
        (network.master.pk, 3, 1),
        (network.top.pk, 1, 1),
    ]
    best = rows[0]
    assert (best.clients, best.new_clients, best.unpaid_percent, best.plan) == (1, 0, 0, network.version.plan)
    assert rollup.currency == "EUR" and best.earned_before.amount == 0
    with django_assert_max_num_queries(60):
        shown = browse(cast.ib_manager).get(reverse("ib_performance"))
    page = shown.content.decode()
    assert page.index(network.sub.name) < page.index(network.top.name) and "0.0 %" in page
    lines = b"".join(browse(cast.ib_manager).get(reverse("ib_performance"), {"export": "csv"})).decode().splitlines()
    assert len(lines) == 4 and network.sub.code in lines[1]
    assert not performance(cast.agent, date_range("30"), "clients")[0]
    accrue(network, held_seconds=1)
    asked = {"partner": network.sub.code, "closed_after": "2026-09-10", "closed_before": "2026-09-10"}
    listed = browse(cast.ib_manager).get(reverse("ib_exclusions"), asked)
    assert [(row.reason, row.rows) for row, _url in listed.context["reasons"]] == [("held_too_short", 1)]
    assert f"partner={network.sub.code}" in listed.context["reasons"][0][1]


@time_machine.travel(NOON, tick=False)
def test_revenue_of_own_clients_beside_all_partners_earned(network, cast, browse):
    """One lot: charged 3 to open and 4 to close, 10 lost; 10 paid to three partners. A trade taken back goes with the night."""
    trade = make_trade(network.account, opening_commission="-3", commission="-4", profit="-10")
    engine.run_for_deals(deal_ids=[trade])
    assert keep_days(cast.brand) == 1 and keep_days(cast.brand) == 0
    rows, _rollup = performance(cast.ib_manager, date_range("30"), "revenue")
    best = rows[0]
    assert (best.partner_id, best.revenue.amount, best.cost.amount, best.is_over) == (network.sub.pk, 17, 10, False)
    assert "Commissions: €10" in text_of(browse(cast.ib_manager).get(reverse("ib_performance")))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trading_deal SET deleted_at = now() WHERE id = %s", [trade])
    keep_days(cast.brand)
    best = performance(cast.ib_manager, date_range("30"), "revenue")[0][0]
    assert (best.revenue.amount, best.is_over) == (3, True)


@time_machine.travel(NOON, tick=False)
def test_churn_counts_who_stopped_since_the_period_began(network, cast):
    accrue(network)
    shown = []
    for days in (10, 45, 70):
        cast.client.last_trade_at = NOON - dt.timedelta(days=days)
        cast.client.first_deposit_at = LONG_AGO
        cast.client.save()
        row = performance(cast.ib_manager, date_range("30"), "commission")[0][0]
        shown.append((row.active, row.churned, row.churn_percent))
    assert shown == [(1, 0, 0), (0, 1, 100), (0, 0, None)]


@time_machine.travel(NOON, tick=False)
def test_the_best_are_chosen_by_each_order(network, cast, monkeypatch):
    """One row is shown: by commission, converted, and by what else is asked for; who has nothing of it makes room."""
    monkeypatch.setattr("ib.manager_pages.performance.ROWS_MAX", 1)
    accrue(network)
    for order, best in (("commission", network.sub), ("volume", network.top), ("clients", network.sub)):
        rows, _rollup = performance(cast.ib_manager, date_range("30"), order)
        assert [row.partner_id for row in rows] == [best.pk]
    Partner.objects.filter(pk=network.master.pk).update(currency="USD")
    PartnerDay.objects.filter(partner=network.master).update(currency="USD", amount=7)
    assert performance(cast.ib_manager, date_range("30"), "commission")[0][0].partner_id == network.sub.pk
    PartnerDay.objects.filter(partner=network.master).update(amount=8)
    assert performance(cast.ib_manager, date_range("30"), "commission")[0][0].partner_id == network.master.pk


@time_machine.travel(NOON, tick=False)
def test_with_many_partners_the_choice_is_kept_and_the_figures_are_not(network, cast, monkeypatch):
    """Who leads, and the reasons of many unpaid rows, are of minutes ago until a worker asks again."""
    monkeypatch.setattr("ib.manager_pages.performance.MANY", 1)
    monkeypatch.setattr("ib.figures.MANY_ROWS", 1)
    accrue(network)
    accrue(network, held_seconds=1)
    assert [row.earned.amount for row in performance(cast.ib_manager, date_range("30"), "commission")[0]] == [6, 3, 1]
    assert [row.rows for row in figures.exclusions([cast.brand.pk]).answer] == [3]
    accrue(network)
    accrue(network, held_seconds=1)
    other = make_partner(cast.brand)
    day = PartnerDay.objects.filter(partner=network.sub).earliest("pk")
    PartnerDay.objects.create(partner=other, day=day.day, period_id=day.period_id, currency="EUR", amount=100, trades=1)
    rows, _rollup = performance(cast.ib_manager, date_range("30"), "commission")
    assert [(row.partner_id, row.earned.amount) for row in rows[:2]] == [(network.sub.pk, 12), (network.master.pk, 6)]
    found = figures.exclusions([cast.brand.pk])
    assert found.is_kept and [row.rows for row in found.answer] == [3]
    renew_kept("leading", cast.ib_manager.pk, "30", "commission")
    renew_kept("exclusions", str(cast.brand.pk), "", "", "")
    assert performance(cast.ib_manager, date_range("30"), "commission")[0][0].partner_id == other.pk
    assert [row.rows for row in figures.exclusions([cast.brand.pk]).answer] == [6]
    assert not performance(cast.agent, date_range("30"), "commission")[0]
