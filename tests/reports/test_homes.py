"""The cockpits of sales, retention, desk heads, marketing and support: four figures, a chart, a queue, lists that match."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.utils import timezone

from clients.calls import CallDetails, log_call
from clients.choices import CallOutcome
from clients.models import Client, Task
from crm.choices import Role
from crm.models import User
from kyc.choices import DocumentState
from leads.models import Campaign, Lead
from reports import upkeep
from reports.homes import desk, marketing, month, retention, sales, support
from reports.models import DayFigure, Target
from tests.brand_policies import set_policies
from tests.cast import make_client, make_staff
from tests.kyc.test_limits import a_document
from tests.reports.factories import make_day
from trading.models import TradingFacts

ROLES = ("agent", "retention", "desk_head", "marketing", "support")
KPI = re.compile(r'<(?:a href="([^"]*)"|div) class="k-kpi(?!s)')


@pytest.fixture
def world(cast):
    """An agent and a retention agent with a month's work behind them."""
    now = timezone.now()
    for number in range(4):
        lead = make_client(
            brand=cast.brand, book=cast.book, email=f"l{number}@example.com", login=False, first_name=f"Lead{number}"
        )
        Lead.objects.create(
            client=lead, brand=cast.brand, channel="form", captured_at=now, assigned_to=cast.agent, assigned_at=now
        )
    Task.objects.create(client=cast.client, assignee=cast.agent, title="Call back", due_at=now)
    log_call(
        client_id=cast.client.pk,
        details=CallDetails(outcome=CallOutcome.REACHED, duration_seconds=60),
        actor=cast.agent,
    )
    Client.objects.filter(pk=cast.client.pk).update(
        first_deposit_at=now, net_deposits=1000, last_trade_at=now - dt.timedelta(days=20)
    )
    TradingFacts.objects.create(client=cast.client, equity=Decimal(900))
    upkeep.refresh()
    return cast


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("role", ROLES)
def test_each_home_has_four_figures_and_every_link_opens(role, world, browse):
    browser = browse(getattr(world, role))
    page = browser.get("/home/").content.decode()
    links = KPI.findall(page)
    assert len(links) == 4 and all(links)
    assert "k-tile-wait" not in page and "k-cockpit-main single" not in page
    main = page[page.index("k-cockpit") :]
    for address in sorted({*links, *re.findall(r'href="(/[^"#]*)"', main)}):
        answer = browser.get(address.replace("&amp;", "&"), follow=True)
        assert answer.status_code == 200, (role, address)


# What the cards of a home cost, beside the page itself: figures of a month are one statement, each list one or two.
# Marketing's chart by campaign reads origins, the one statement more.
QUERIES = {"agent": 16, "retention": 15, "desk_head": 15, "marketing": 12, "support": 12}


@pytest.mark.parametrize("role", ROLES)
def test_a_home_costs_the_same_however_much_there_is(role, world, browse, django_assert_num_queries):
    browser = browse(getattr(world, role))
    browser.get("/home/")
    with django_assert_num_queries(QUERIES[role]):
        browser.get("/home/")


def test_every_step_of_the_funnel_opens_as_many_people(world, browse):
    card = sales.funnel(fresh(world.agent))
    assert [step.count for step in card.steps] == [5, 1, 1, 0, 1]
    browser = browse(world.agent)
    for step in card.steps:
        assert len(rows_of(browser, step.url)) == step.count, step.label


def test_people_who_were_moved_since_count_for_whom_they_came_to(world):
    """The bars count by the owner at the time, as every figure of a day does."""
    moved, other = Client.objects.get(first_name="Lead0"), world.other_book.owner
    before = sales.funnel(fresh(other)).steps[0].count
    Client.objects.filter(pk=moved.pk).update(book=world.other_book, owner=world.other_book.owner)
    upkeep.refresh()
    assert sales.funnel(fresh(world.agent)).steps[0].count == 5
    assert sales.funnel(fresh(other)).steps[0].count == before


def rows_of(browser, address: str) -> list:
    return list(browser.get(address).context["table"].page.rows)


def test_the_lists_behind_counts_have_as_many_rows(world, browse):
    Client.objects.filter(pk=world.client.pk).update(owner=world.agent)
    agent = fresh(world.agent)
    kpi = retention.silent_clients(agent)
    assert kpi.value == "1" and len(rows_of(browse(world.agent), kpi.url)) == 1
    a_document(
        world.client,
        state=DocumentState.REJECTED,
        reviewed_by=world.kyc_officer,
        reviewed_at=timezone.now(),
        reason_code="unreadable",
        reason="Please send a sharper picture.",
    )
    rejected = support.documents_rejected(fresh(world.support))
    assert rejected.value == "1" and len(rows_of(browse(world.support), rejected.url)) == 1
    leads = desk.leads_today(fresh(world.desk_head))
    assert leads.value == "4" and len(rows_of(browse(world.desk_head), leads.url)) == 4


def test_calls_are_held_against_the_agents_target(world):
    today = timezone.localdate()
    Target.objects.create(
        desk=world.desk, agent=world.agent, month=today.replace(day=1), figure="calls", value=20, set_by=world.desk_head
    )
    kpi = sales.calls_today(fresh(world.agent))
    assert (kpi.value, kpi.reached, kpi.target_text) == ("1", 5, "1 of 20")


def test_the_next_calls_are_due_follow_ups_then_new_leads(world, browse):
    page = browse(world.agent).get("/home/").content.decode()
    queue = page[page.index("Next calls") : page.index("New leads</h2>") if "New leads</h2>" in page else None]
    assert queue.index("Call back") < queue.index("New lead")
    assert f"/clients/{world.client.pk}/call/" in queue


def test_value_at_risk_is_the_equity_of_silent_clients(world):
    Client.objects.filter(pk=world.client.pk).update(owner=world.retention)
    kpi = retention.value_at_risk(fresh(world.retention))
    assert kpi.value == "€900" and kpi.hint.startswith("100 %")


def test_a_campaigns_cost_is_spread_over_its_days(world):
    today = month.reached_month(fresh(world.marketing)).today
    Campaign.objects.create(
        brand=world.brand,
        code="ads",
        name="Ads",
        cost=100,
        starts_on=today.replace(day=1) - dt.timedelta(days=today.day),
    )
    Client.objects.filter(pk=world.client.pk).update(campaign="ads")
    kpi = marketing.cost_per_ftd(fresh(world.marketing))
    assert kpi.value == "€50"
    assert marketing.campaigns_by_return(fresh(world.marketing)).rows[0].end == "2,000 %"


def test_ranks_count_who_is_better():
    assert month.rank_of(1, {1: 5, 2: 9, 3: 1}) == (2, 3)
    assert month.rank_of(1, {1: 0, 2: 0}) is None
    assert month.rank_of(7, {1: 5}) is None


def test_agents_see_their_desks_leaderboard_where_the_brand_shows_it(world):
    colleague = make_staff("anton@meridian.example", Role.AGENT, brand=world.brand, desk=world.desk)
    today = month.own_month(fresh(world.agent)).today
    fields = {"day": today, "brand": world.brand, "desk": world.desk}
    make_day(DayFigure, **fields, owner=colleague, first_deposits=3, calls=1)
    assert sales.leaderboard(fresh(world.agent)) is None
    set_policies(world.brand, leaderboard_for_agents=True)
    card = sales.leaderboard(fresh(world.agent))
    shown = [(row.title, row.end, row.tone) for row in card.rows]
    assert shown == [(f"1. {colleague}", "3 FTDs", ""), (f"2. {world.agent}", "0 FTDs", "success")]
    assert sales.leaderboard(fresh(world.other_agent)).rows == []


def test_this_month_is_compared_with_the_same_days():
    rows = [
        month.DayRow(day, 1, {**dict.fromkeys(month.FIGURES, 0), "leads": 1})
        for day in (dt.date(2026, 2, 1), dt.date(2026, 2, 28), dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    ]
    march = month.Month(dt.date(2026, 3, 31), rows, "EUR")
    assert march.same_day_before == dt.date(2026, 2, 28)
    assert (march.now().leads, march.before().leads) == (2, 2)
    early = month.Month(dt.date(2026, 3, 5), rows, "EUR")
    assert (early.now().leads, early.before().leads) == (1, 1)
