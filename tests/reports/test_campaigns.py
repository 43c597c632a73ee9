"""Campaigns: what they cost and brought, by hand counts; who may see and export them."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from clients.books import move_client
from crm.models import AccessEvent, Book, Desk
from leads.models import Campaign, LandingPage
from reports import figures, upkeep
from reports.campaigns import rows as campaigns
from reports.filters import FilterForm, Span
from reports.models import OriginDay
from tests.reports.factories import make_day
from tests.reports.test_reports import lead, table_of, text_of

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 9, 20)


@pytest.fixture
def world(cast):
    """A campaign of twenty days that cost 2,000 and brought ten leads and two first deposits in the last ten."""
    cast.today = figures.today_of(frozenset([cast.brand.pk]))
    cast.autumn = Campaign.objects.create(
        brand=cast.brand, code="autumn", name="Autumn", cost=2000, starts_on=cast.today - dt.timedelta(days=19)
    )
    cast.theirs = Campaign.objects.create(brand=cast.other_brand, code="secret", name="Secret", cost=500)
    fields = {"brand": cast.brand, "campaign": "autumn", "country": "DE", "source": "google", "owner": cast.agent}
    make_day(
        OriginDay,
        day=cast.today,
        desk=cast.desk,
        leads=10,
        registrations=4,
        verified=3,
        first_deposits=2,
        deposits=1500,
        withdrawals=200,
        reversals=50,
        **fields,
    )
    make_day(OriginDay, day=cast.today - dt.timedelta(days=15), desk=cast.desk, leads=90, **fields)
    make_day(OriginDay, day=cast.today, brand=cast.other_brand, campaign="secret", leads=77)
    return cast


def rows(user, **filters):
    form = FilterForm({"period": "own", **filters}, user=user)
    chosen = form.selection()
    return campaigns.rows_of(chosen, chosen.span, form.today)


def test_a_row_is_as_counted_by_hand(world):
    first = world.today - dt.timedelta(days=9)
    (row,) = rows(world.marketing, first=first, last=world.today)
    assert row.campaign == world.autumn and row.currency == "EUR"
    assert (row.totals.leads, row.totals.registrations, row.totals.verified, row.totals.first_deposits) == (10, 4, 3, 2)
    assert (row.deposits, row.net, row.cost) == (1500, 1250, 1000)
    assert (row.per_lead, row.per_registration, row.per_ftd, row.roas) == (100, 250, 500, 125)


@pytest.mark.parametrize(
    ("starts", "ends", "first", "last", "cost"),
    [
        ("2026-09-01", None, "2026-09-01", "2026-09-20", 100),
        ("2026-09-01", None, "2026-09-11", "2026-09-20", 50),
        ("2026-09-01", None, "2026-08-01", "2026-08-31", 0),
        ("2026-09-01", "2026-09-10", "2026-09-06", "2026-09-30", 50),
        ("2026-09-01", "2026-12-31", "2026-09-01", "2026-12-31", 100),
        (None, None, "2026-09-14", "2026-09-20", 100),
        ("2026-10-01", None, "2026-09-01", "2026-09-20", 0),
    ],
)
def test_cost_is_spread_over_the_days_so_far(starts, ends, first, last, cost):
    def day(text):
        return dt.date.fromisoformat(text) if text else None

    campaign = Campaign(cost=Decimal(100), starts_on=day(starts), ends_on=day(ends))
    assert campaigns.cost_of(campaign, Span(day(first), day(last)), TODAY) == cost


def test_what_nothing_is_divided_by_has_no_cost_of_each(world):
    OriginDay.objects.all().delete()
    (row,) = rows(world.marketing, first=world.today, last=world.today)
    assert row.cost == 100 and row.roas == 0
    assert row.per_lead is None and row.per_ftd is None
    world.autumn.cost = 0
    world.autumn.save()
    (row,) = rows(world.marketing, first=world.today, last=world.today)
    assert row.roas is None


def test_a_desk_or_country_has_no_cost(world):
    for filters in ({"country": "DE"}, {"desk": world.desk.pk}):
        (row,) = rows(world.marketing, **filters)
        assert row.cost is None and row.totals.leads >= 10
    (row,) = rows(world.desk_head)
    assert row.cost is None


def test_the_list_has_totals_and_sorts(world, browse, django_assert_max_num_queries):
    browser = browse(world.marketing)
    address = reverse("campaigns")
    browser.get(address)
    with django_assert_max_num_queries(16):
        page = table_of(browser.get(address, {"period": "7"}))
    assert "Autumn" in page and "Secret" not in page
    assert "€1,500" in page and "Total" in page
    for head, _label in campaigns_heads():
        assert browser.get(address, {"sort": head}).status_code == 200


def campaigns_heads():
    from reports.campaigns.views import HEADS

    return HEADS


def test_the_campaign_page_shows_figures_funnel_and_origins(world, browse, django_assert_max_num_queries):
    page = LandingPage.objects.create(brand=world.brand, slug="gold", language="de", headline="Gold")
    now = dt.datetime.combine(world.today, dt.time(8), tzinfo=dt.UTC)
    lead(world.client, at=now, campaign=world.autumn, landing_page=page)
    browser = browse(world.marketing)
    address = reverse("campaign", args=[world.autumn.pk])
    browser.get(address)
    with django_assert_max_num_queries(24):
        answer = browser.get(address, {"period": "today"})
    text = text_of(answer)
    for shown in ("Edit campaign", "Return on ad spend", "1,250 %", "google", "gold (de)", "Germany", "€1,250"):
        assert shown in text, shown
    assert f"/leads/?campaign={world.autumn.code}" in answer.content.decode()


def test_another_brands_campaign_is_missing(world, browse):
    for who in (world.marketing, world.desk_head, world.auditor):
        assert browse(who).get(reverse("campaign", args=[world.theirs.pk])).status_code == 404


def test_the_export_is_logged_and_not_for_those_who_only_look(world, browse):
    address = reverse("campaigns") + "?period=today&export=csv"
    answer = browse(world.marketing).get(address)
    lines = answer.content.decode("utf-8-sig").strip().splitlines()
    assert lines[1].startswith("Autumn,autumn,Meridian Markets,10,4,3,2,1500.00,1250.00,100.00,10.00,25.00,50.00,")
    assert AccessEvent.objects.get(kind="export", user=world.marketing).rows == 1
    for who in (world.auditor, world.desk_head):
        assert browse(who).get(address).status_code == 403
        assert "export=csv" not in browse(who).get(reverse("campaigns")).content.decode()


def test_landing_pages_of_a_desk_are_those_of_the_day_of_the_lead(world, browse):
    page = LandingPage.objects.create(brand=world.brand, slug="gold", language="de", headline="Gold")
    midnight = dt.datetime.combine(world.today, dt.time.min, tzinfo=ZoneInfo(world.brand.time_zone))
    lead(world.client, at=midnight, touched_after=1, campaign=world.autumn, landing_page=page)
    desk = Desk.objects.create(brand=world.brand, name="Second desk")
    book = Book.objects.create(brand=world.brand, desk=desk, name="Second book", owner=world.retention)
    move_client(client_id=world.client.pk, to_book_id=book.pk, actor=None, reason="Handover")
    upkeep.refresh()
    browser, address = browse(world.marketing), reverse("campaign", args=[world.autumn.pk])
    shown = {}
    for of_day in (world.desk, desk):
        answer = browser.get(address, {"period": "today", "desk": of_day.pk})
        shown[of_day.pk] = "gold (de)" in text_of(answer)
    assert shown == {world.desk.pk: True, desk.pk: False}
