"""Figures of two brands, two desks and two currencies do not mix."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from crm.choices import Role
from crm.models import User
from ib.models import PartnerDay, SettlementPeriod
from reports import queries
from reports.figures import Reach, per_day, today_of
from reports.homes import month
from reports.models import DayFigure, OriginDay
from tests.cast import make_staff
from tests.ib.factories import make_partner
from tests.reports.factories import make_day
from tests.reports.test_reports import DAY, board, ranked, table_of, values

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(cast):
    """A day of each brand, in its currency; the other brand's finance."""
    both = {"leads": 4, "first_deposits": 1}
    cast.today = today_of(frozenset([cast.brand.pk]))
    for day in (DAY, cast.today):
        for model in (DayFigure, OriginDay):
            make_day(
                model,
                day=day,
                brand=cast.brand,
                desk=cast.desk,
                owner=cast.agent,
                deposits=900,
                withdrawals=300,
                **both,
            )
            make_day(model, day=day, brand=cast.other_brand, deposits=50, reversals=20, **both)
    cast.their_finance = make_staff("f@southern.example", Role.FINANCE, brand=cast.other_brand)
    return cast


def test_each_brand_sees_its_own_figures(two):
    ours, theirs = (ranked(user, DAY, DAY) for user in (two.finance, two.their_finance))
    assert [(line.brand, line.currency, line.totals.net[line.currency]) for line in ours] == [
        ("Meridian Markets", "EUR", Decimal(600))
    ]
    assert [(line.brand, line.currency, line.totals.net[line.currency]) for line in theirs] == [
        ("Southern Cross FX", "USD", Decimal(30))
    ]


def test_two_brands_of_one_reader_stay_two_lines(two):
    reach = Reach(brands=frozenset([two.brand.pk, two.other_brand.pk]), desks=frozenset())
    day = per_day(reach, DAY, DAY)[DAY]
    assert day.leads == 8
    assert day.net == {"EUR": Decimal(600), "USD": Decimal(30)}


def test_a_home_counts_both_brands_and_sums_money_of_one_currency(two):
    both = make_staff("both@meridian.example", Role.MARKETING, brand=two.brand)
    assign_perm("crm.access_brand", both, two.other_brand)
    figures = month.reached_month(User.objects.get(pk=both.pk))
    today = figures.on(two.today)
    assert (today.leads, today.net, figures.currency) == (8, Decimal(600), "EUR")


def test_a_brand_and_one_of_its_desks_count_once(two):
    reach = Reach(brands=frozenset([two.brand.pk]), desks=frozenset([two.desk.pk]))
    assert per_day(reach, DAY, DAY)[DAY].leads == 4


def test_nobodys_reach_is_empty(two):
    reach = queries.reach_of_reports(two.agent)
    assert reach.is_empty and per_day(reach, DAY, DAY) == {}
    assert not queries.reach_of_reports(two.desk_head).is_empty
    assert queries.reach_of_reports(two.desk_head).brands == frozenset()


def test_the_best_net_comes_first_then_first_deposits(cast):
    def line(owner, **fields):
        make_day(DayFigure, day=DAY, brand=cast.brand, desk=cast.desk, owner=owner, **fields)

    line(cast.agent, deposits=100, withdrawals=90, first_deposits=9)
    line(cast.other_agent, deposits=50, first_deposits=1)
    line(cast.retention, deposits=60, reversals=10, first_deposits=2)
    names = [found.name for found in ranked(cast.finance, DAY, DAY)]
    assert names == [str(cast.retention), str(cast.other_agent), str(cast.agent)]


def test_the_money_dashboard_is_the_own_brands(two):
    shown = board(two.finance, "money")
    money = ("Deposits EUR", "Withdrawals EUR", "Net deposits", "FTDs")
    assert values(shown, *money) == ["€900", "€300", "€600", "1"]
    assert [chart.id for chart in shown.charts] == ["money-eur"]
    assert [list(series.values)[-1] for series in shown.charts[0].series] == [900, -300, 0, 600]
    theirs = board(two.their_finance, "money")
    assert values(theirs, "Deposits USD", "Withdrawals USD", "Net deposits") == ["$50", "$0", "$30"]
    assert theirs.kpis[2].hint == "after $20 in refunds and chargebacks"


def test_partners_commissions_are_the_own_brands(two):
    ours, theirs = make_partner(two.brand), make_partner(two.other_brand)
    since, until = (two.today + dt.timedelta(days=days) for days in (-60, 60))
    periods = {
        partner.pk: SettlementPeriod.objects.create(
            brand=partner.brand,
            name="Now",
            starts_at=dt.datetime.combine(since, dt.time(), tzinfo=dt.UTC),
            ends_at=dt.datetime.combine(until, dt.time(), tzinfo=dt.UTC),
        )
        for partner in (ours, theirs)
    }
    for partner, amount, back in ((ours, "12.345", 0), (ours, "1.10", 29), (ours, "7", 30), (theirs, "99", 0)):
        PartnerDay.objects.create(
            partner=partner,
            period=periods[partner.pk],
            day=two.today - dt.timedelta(days=back),
            currency="EUR",
            amount=Decimal(amount),
        )
    shown = board(two.finance, "partners")
    assert values(shown, "Commissions EUR") == ["€13"]
    assert shown.kpis[0].now == Decimal("13.445") and shown.kpis[0].before == 7
    assert shown.charts[0].series[0].values[-1] == Decimal("12.345")


def test_an_empty_sales_dashboard_says_nothing_wrong(cast):
    labels = ("Leads", "Time to first contact", "FTDs", "Lead to FTD")
    assert values(board(cast.desk_head), *labels) == ["0", "–", "0", "–"]


@pytest.mark.parametrize(("back", "is_counted"), [(0, True), (29, True), (30, False)])
def test_the_sales_dashboard_covers_thirty_days(cast, back, is_counted):
    day = today_of(frozenset([cast.brand.pk])) - dt.timedelta(days=back)
    make_day(OriginDay, day=day, brand=cast.brand, desk=cast.desk, registrations=5, leads=8, late=2)
    shown = board(cast.desk_head)
    assert values(shown, "Registrations") == ["5" if is_counted else "0"]
    late = next(kpi.hint for kpi in shown.kpis if kpi.label == "Time to first contact")
    assert late == ("2 leads reassigned late" if is_counted else "")


def test_the_performance_page_groups_by_desk(two, browse):
    address = reverse("reports_performance")
    browser = browse(two.finance)
    by_desk = table_of(browser.get(address, {"first": DAY, "last": DAY, "by": "desk"}))
    assert "German desk" in by_desk and "Alice Tester" not in by_desk and "Southern" not in by_desk
    assert "Alice Tester" in table_of(browser.get(address, {"first": DAY, "last": DAY}))


@pytest.mark.parametrize("who", ["agent", "support", "kyc_officer", "marketing"])
def test_performance_is_not_for_everybody(cast, browse, who):
    assert browse(getattr(cast, who)).get(reverse("reports_performance")).status_code == 403


def test_the_export_cannot_run_a_formula(cast, browse):
    cast.agent.first_name = "=HYPERLINK(1)"
    cast.agent.save()
    make_day(DayFigure, day=DAY, brand=cast.brand, desk=cast.desk, owner=cast.agent, deposits=5, touched=0)
    address = reverse("reports_performance")
    export = browse(cast.finance).get(address, {"first": DAY, "last": DAY, "export": "csv"})
    assert export["Content-Disposition"] == f'attachment; filename="performance-{DAY}-{DAY}.csv"'
    line = export.content.decode("utf-8-sig").splitlines()[1]
    assert not line.startswith("=") and line.endswith(",0,0,,0,0,0,0,0,,5.00,0.00,0.00,5.00,EUR")


def test_an_unknown_dashboard_is_not_found(cast, browse):
    browser = browse(cast.administrator)
    assert browser.get(reverse("reports_dashboard", args=["weather"])).status_code == 404
    assert browser.get(reverse("reports")).url == reverse("reports_dashboard", args=["sales"])
