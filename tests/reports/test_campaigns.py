"""Campaigns: what they cost and brought, by hand counts; who may see and export them."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from clients.books import move_client
from clients.models import Client, Segment, SegmentMember
from crm.i18n import formats
from crm.models import AccessEvent, Book, Desk
from leads.models import Campaign, CampaignSpend, LandingPage
from reports import figures, upkeep
from reports.campaigns import rows as campaigns
from reports.campaigns.returns import returns_of
from reports.campaigns.returns_form import ReturnsForm
from reports.campaigns.revenue import pieces_of
from reports.filters import FilterForm, Span
from reports.models import ClientDay, CohortMonth, OriginDay
from risk.dealing.models import ClientRouting
from tests.cast import make_client
from tests.reports.factories import make_day
from tests.reports.test_reports import lead, table_of, text_of
from tests.trading.factories import make_account, make_server
from trading.models import AccountResult

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


def day_of(world, client, **figures) -> None:
    """A client's day of today, in the campaign of autumn."""
    ClientDay.objects.create(
        client_id=client.pk,
        day=world.today,
        brand_id=world.brand.pk,
        desk_id=world.desk.pk,
        book_id=client.book_id,
        country="DE",
        campaign="autumn",
        source="google",
        leads=1,
        **figures,
    )


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
    assert campaigns.cost_of(campaign, Span(day(first), day(last)), TODAY, {}) == cost


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


def test_spend_by_day_replaces_the_even_spread(world):
    day = world.today
    spend = {"campaign": world.autumn, "network": "google", "charged_currency": "EUR"}
    for back, country, amount in ((0, "DE", 300), (1, "DE", 100), (1, "AT", 50), (15, "DE", 7)):
        CampaignSpend.objects.create(
            day=day - dt.timedelta(days=back), country=country, amount=amount, charged=amount, **spend
        )
    first = day - dt.timedelta(days=9)
    (row,) = rows(world.marketing, first=first, last=day)
    assert (row.cost, row.per_lead) == (450, 45)
    assert rows(world.marketing, first=first, last=day, country="DE")[0].cost == 400
    assert rows(world.desk_head, first=first, last=day)[0].cost is None
    CampaignSpend.objects.create(day=day, country="", amount=1, charged=1, **spend)
    assert rows(world.marketing, first=first, last=day, country="DE")[0].cost is None


def returns(user, by, attribution="first", **filters):
    form = ReturnsForm({"period": "own", "by": by, "attribution": attribution, **filters}, user=user)
    found, totals = returns_of(form.selection(), form.chosen_dimension, form.chosen_attribution, form.today)
    shown = {row.label: (row.sums.leads, row.sums.ftds, row.sums.net, row.cost) for row in found}
    return shown, [(row.sums.leads, row.sums.ftds, row.sums.net, row.cost) for row in totals]


def test_returns_are_grouped_by_each_dimension(world):
    """2,000 over twenty days: 1,000 in the last ten. Then 300 by day, a third of it reported for Austria."""
    first = world.today - dt.timedelta(days=9)
    span = {"first": first, "last": world.today}
    all_of_it = [(10, 2, 1250, 1000)]
    for by, label in (("campaign", "Autumn"), ("source", "google"), ("country", "Germany")):
        assert returns(world.marketing, by, **span) == ({label: (10, 2, 1250, 1000)}, all_of_it), by
    by_day, totals = returns(world.marketing, "day", **span)
    assert totals == all_of_it and len(by_day) == 10 and by_day[formats.day(world.today)] == (10, 2, 1250, 100)
    month = {"registered_month": first.replace(day=1), "month": world.today.replace(day=1), "country": "DE"}
    CohortMonth.objects.create(
        brand=world.brand, campaign="autumn", deposits=700, withdrawals=100, reversals=20, desk=world.desk, **month
    )
    by_month, totals = returns(world.marketing, "cohort", **span)
    assert [row[:3] for row in totals] == [(10, 2, 580)] and sum(row[3] for row in by_month.values()) == 1000
    spend = {"campaign": world.autumn, "network": "meta", "charged_currency": "EUR", "day": world.today}
    CampaignSpend.objects.create(country="AT", amount=100, charged=100, **spend)
    CampaignSpend.objects.create(country="", amount=200, charged=200, **spend)
    by_country, totals = returns(world.marketing, "country", **span)
    assert by_country == {"Germany": (10, 2, 1250, 200), "Austria": (0, 0, 0, 100)} and totals == [(10, 2, 1250, 300)]
    assert returns(world.desk_head, "country", **span)[0]["Germany"][3] is None


def test_last_and_linear_attribution_credit_other_campaigns(world, browse, django_assert_max_num_queries):
    """Three campaigns brought one person; the last one only after the first deposit."""
    client, noon = world.client, dt.datetime.combine(world.today, dt.time(12), tzinfo=dt.UTC)
    winter = Campaign.objects.create(brand=world.brand, code="winter", name="Winter", source="meta")
    for hours, campaign, is_again in ((9, world.autumn, False), (6, winter, True), (1, world.autumn, True)):
        at = noon - dt.timedelta(hours=hours)
        lead(client, at=at, campaign=campaign, is_duplicate=is_again)
    client.first_deposit_at = noon - dt.timedelta(hours=3)
    client.save()
    day_of(world, client, first_deposits=1, deposits=500, withdrawals=100)
    span = {"first": world.today, "last": world.today}
    last, totals = returns(world.marketing, "campaign", "last", **span)
    assert last["Winter"] == (1, 1, 400, 0) and last["Autumn"][:3] == (0, 0, 0)
    linear, totals = returns(world.marketing, "campaign", "linear", **span)
    assert linear["Winter"][:3] == linear["Autumn"][:3] == (Decimal("0.5"), Decimal("0.5"), 200)
    assert totals[0][:3] == (1, 1, 400)
    assert returns(world.marketing, "source", "last", **span)[0]["meta"][:3] == (1, 1, 400)
    browser, address = browse(world.marketing), reverse("campaign_returns")
    browser.get(address)
    with django_assert_max_num_queries(16):
        text = text_of(browser.get(address, {"by": "country", "attribution": "linear", "period": "7"}))
    assert "Germany" in text and "Net less cost" in text
    text = text_of(browser.get(address, {"by": "day", "attribution": "last", "period": "own", "first": "2026-01-01"}))
    assert "at most 100 days" in text


def test_revenue_is_what_clients_lost_and_were_charged(world, browse):
    """106 lost and charged less a gain of 6 by the client of one campaign, or in halves of two; demo accounts bring none."""
    client, server = world.client, make_server()
    Client.objects.filter(pk=client.pk).update(campaign="autumn", country="DE", source="google")
    account, other = make_account(client, server), make_account(world.other_client, server)
    demo = make_account(client, server, is_demo=True)
    for row, back, net in ((account, 0, -106), (account, 1, 6), (account, 40, -7), (other, 0, -1_000), (demo, 0, -50)):
        day = world.today - dt.timedelta(days=back)
        monday = day - dt.timedelta(days=day.weekday())
        for period, start in (("d", day), ("w", monday), ("m", day.replace(day=1))):
            result = AccountResult.objects.filter(account=row, period=period, start=start)
            if not result.update(net_base=F("net_base") + net):
                fields = {"trades": 1, "wins": 0, "lots": 1, "net": net, "net_base": net}
                AccountResult.objects.create(account=row, period=period, start=start, **fields)
    first = world.today - dt.timedelta(days=9)
    (row,) = rows(world.marketing, first=first, last=world.today)
    assert (row.revenue, row.cost, row.roi) == (100, 1000, -90)
    span = {"first": first, "last": world.today}
    for by, label in (("campaign", "Autumn"), ("source", "google"), ("country", "Germany"), ("day", None)):
        assert earned(world.marketing, by, label, **span) == 100, by
        assert total_of(world.marketing, by, **span).roi == -90, by
    Client.objects.filter(pk=client.pk).update(registered_at=dt.datetime.combine(world.today, dt.time(), tzinfo=dt.UTC))
    assert earned(world.marketing, "cohort", **span) == 107
    assert total_of(world.marketing, "cohort", **span).roi == Decimal("-89.3")
    winter = Campaign.objects.create(brand=world.brand, code="winter", name="Winter")
    for number, campaign in enumerate((world.autumn, winter)):
        at = dt.datetime.combine(first, dt.time(8 + number), tzinfo=dt.UTC)
        lead(client, at=at, campaign=campaign, is_duplicate=number > 0)
    assert earned(world.marketing, "campaign", "Winter", "linear", **span) == 50
    assert earned(world.marketing, "day", None, "last", **span) == 100
    page = text_of(browse(world.marketing).get(reverse("campaign_returns"), {"period": "30"}))
    assert "Revenue" in page and "ROI" in page and "€100" in page


def on_book(world, percent, since, until=None):
    """Put the world's client on a split, then on the B-book, each decided at a midnight."""
    for passed, day in ((percent, since), *([(0, until)] if until else [])):
        at = dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
        ClientRouting.objects.create(
            client=world.client,
            book="split" if passed else "b",
            passed_percent=passed,
            state="approved",
            reason="Trades on news",
            requested_by=world.finance,
            requested_at=at,
            decided_by=world.second_finance,
            decided_at=at,
        )


def test_losses_of_trades_that_are_passed_on_are_not_the_companys(world, browse):
    """1,000 lost and 60 charged a day for three days, a quarter passed on on the second one alone: 750 + 60 are left of it."""
    Client.objects.filter(pk=world.client.pk).update(
        campaign="autumn", registered_at=dt.datetime.combine(world.today, dt.time(), tzinfo=dt.UTC)
    )
    account = make_account(world.client, make_server())
    made = {"trades": 1, "wins": 0, "lots": 1, "net": -1_060, "net_base": -1_060, "charges_base": -60}
    for back in (0, 1, 2):
        day = world.today - dt.timedelta(days=back)
        for period, start in (("d", day), ("w", day - dt.timedelta(days=day.weekday())), ("m", day.replace(day=1))):
            rows_of_it = AccountResult.objects.filter(account=account, period=period, start=start)
            if not rows_of_it.update(net_base=F("net_base") - 1_060, charges_base=F("charges_base") - 60):
                AccountResult.objects.create(account=account, period=period, start=start, **made)
    yesterday = world.today - dt.timedelta(days=1)
    on_book(world, 25, yesterday, world.today)
    span = {"first": world.today - dt.timedelta(days=2), "last": world.today}
    assert rows(world.marketing, **span)[0].revenue == 3 * 1_060 - 250
    for by in ("campaign", "source", "country", "day", "cohort"):
        assert earned(world.marketing, by, **span) == 3 * 1_060 - 250, by
    assert earned(world.marketing, "day", formats.day(yesterday), **span) == 810
    lead(world.client, at=dt.datetime.combine(yesterday, dt.time(), tzinfo=dt.UTC), campaign=world.autumn)
    assert earned(world.marketing, "campaign", None, "linear", **span) == 3 * 1_060 - 250
    pages = [reverse("campaigns"), reverse("campaign_returns"), reverse("campaign", args=[world.autumn.pk])]
    for page in pages:
        assert "Revenue" in text_of(browse(world.marketing).get(page))
        assert "Revenue" not in text_of(browse(world.desk_head).get(page)), (
            "few clients' would say on which book they are"
        )


@pytest.mark.parametrize(
    ("first", "last", "pieces"),
    [
        ("2026-09-01", "2026-09-30", "m1"),
        ("2026-09-01", "2026-10-31", "m1 m1"),
        ("2026-09-21", "2026-10-06", "w21 w28 d5 d6"),
        ("2026-09-21", "2026-10-31", "w21 d28 d29 d30 m1"),
        ("2026-08-30", "2026-10-12", "d30 d31 m1 d1 d2 d3 d4 w5 d12"),
        ("2026-09-23", "2026-09-23", "d23"),
    ],
)
def test_days_are_cut_into_months_weeks_and_days(first, last, pieces):
    """Monday the 28th begins no week where a whole month follows within it."""
    span = Span(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    assert " ".join(f"{period}{start.day}" for period, start in pieces_of(span)) == pieces


def test_returns_of_a_segments_members(world, browse, django_assert_max_num_queries):
    """Two people of one campaign, one of them in the segment."""
    segment = Segment.objects.create(brand=world.brand, name="Keen", kind="list", created_at=timezone.now())
    other = make_client(brand=world.brand, book=world.book, email="o@web.de", login=False)
    for client, deposits in ((world.client, 500), (other, 70)):
        Client.objects.filter(pk=client.pk).update(campaign="autumn")
        day_of(world, client, deposits=deposits)
    SegmentMember.objects.create(segment=segment, client=world.client, entered_at=timezone.now())
    form = ReturnsForm({"segment": segment.pk, "by": "country"}, user=world.marketing)
    (row,), _totals = returns_of(
        form.selection(), form.chosen_dimension, form.chosen_attribution, form.today, segment_id=segment.pk
    )
    assert (row.label, row.sums.leads, row.sums.deposits, row.cost) == ("Germany", 1, 500, None)
    browser, address = browse(world.marketing), reverse("campaign_returns")
    browser.get(address)
    with django_assert_max_num_queries(18):
        text = text_of(browser.get(address, {"segment": segment.pk}))
    assert "Members of “Keen” now" in text and "€500" in text
    assert "Cohorts can’t be narrowed" in text_of(browser.get(address, {"segment": segment.pk, "by": "cohort"}))


def total_of(user, by, **filters):
    """The only line of totals."""
    form = ReturnsForm({"period": "own", "by": by, **filters}, user=user)
    (total,) = returns_of(form.selection(), form.chosen_dimension, form.chosen_attribution, form.today)[1]
    return total


def earned(user, by, label=None, attribution="first", **filters):
    """The revenue of one line, or of all."""
    form = ReturnsForm({"period": "own", "by": by, "attribution": attribution, **filters}, user=user)
    found, totals = returns_of(form.selection(), form.chosen_dimension, form.chosen_attribution, form.today)
    return sum(row.sums.revenue for row in (totals if label is None else found) if label in (None, row.label))
