"""The filter bar: what is chosen narrows every card, stays in the address, and opens nothing out of reach."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from clients.models import Client
from leads.models import Campaign
from reports import figures, upkeep
from reports.filters import FilterForm
from reports.models import CohortMonth, OriginDay
from tests.cast import make_client
from tests.reports.factories import make_day
from tests.reports.test_reports import board, lead, ranked, table_of, text_of, values

pytestmark = pytest.mark.django_db
SALES = "/reports/sales/"


@pytest.fixture
def world(cast):
    """Three people of yesterday: two of a campaign in Germany, one of them funded; one in Poland; one of the other desk."""
    cast.today = figures.today_of(frozenset([cast.brand.pk]))
    at = dt.datetime.combine(cast.today, dt.time(12), tzinfo=dt.UTC) - dt.timedelta(days=1)
    Client.objects.update(created_at=at - dt.timedelta(days=300), registered_at=at - dt.timedelta(days=300))
    Campaign.objects.create(brand=cast.brand, code="autumn", name="Autumn")
    Campaign.objects.create(brand=cast.other_brand, code="secret", name="Secret")
    people = (("DE", "autumn", cast.book), ("DE", "autumn", cast.book), ("PL", "", cast.book), ("FR", "", None))
    for number, (country, campaign, book) in enumerate(people):
        client = make_client(
            brand=cast.brand,
            book=book or cast.other_client.book,
            email=f"w{number}@example.com",
            login=False,
            stage="lead",
        )
        Client.objects.filter(pk=client.pk).update(
            stage="registered" if number == 0 else "lead",
            created_at=at,
            registered_at=at if number == 0 else None,
            country=country,
            campaign=campaign,
            kyc_level=int(number == 0),
            first_deposit_at=at if number == 0 else None,
            last_contact_at=at if number < 2 else None,
        )
        lead(client, at=at, agent=client.book.owner)
    upkeep.refresh()
    return cast


@pytest.mark.parametrize(
    ("filters", "leads"),
    [
        ({}, 4),
        ({"country": "DE"}, 2),
        ({"country": "DE", "campaign": "autumn"}, 2),
        ({"country": "PL", "campaign": "autumn"}, 0),
        ({"period": "today"}, 0),
        ({"period": "7"}, 4),
    ],
)
def test_each_filter_narrows_all_cards(world, filters, leads):
    shown = board(world.administrator, **filters)
    assert values(shown, "Leads") == [str(leads)]
    assert sum(row.totals.leads for row in shown.countries) == leads
    assert shown.funnel[0].count == leads
    assert shown.agents.total.leads == leads


def test_a_desk_shows_its_own(world):
    assert values(board(world.administrator, desk=world.desk.pk), "Leads") == ["3"]
    assert values(board(world.administrator, desk=world.other_desk.pk), "Leads") == ["1"]


def test_the_funnel_counts_how_far_each_has_come(world, browse):
    steps = board(world.administrator, country="DE").funnel
    assert [step.count for step in steps] == [2, 2, 1, 1, 1, 0]
    browser = browse(world.administrator)
    for step in steps:
        page = browser.get(step.url).content.decode()
        assert len(re.findall(r"<tr data-id", page)) == step.count, step.label


def test_every_address_of_the_board_opens(world, browse):
    browser = browse(world.administrator)
    page = browser.get(SALES, {"country": "DE", "period": "7"}).content.decode()
    main = page[page.index('id="board"') :]
    addresses = {a.replace("&amp;", "&") for a in re.findall(r'<a [^>]*href="(/[^"]*)"', main)}
    assert len([a for a in addresses if a.startswith("/clients/")]) > 8
    for address in addresses:
        assert browser.get(address).status_code == 200, address


@pytest.mark.parametrize("name", ["brand", "desk", "campaign"])
def test_what_is_out_of_reach_is_no_choice(world, browse, name):
    foreign = {"brand": world.other_brand.pk, "desk": world.other_desk.pk, "campaign": "secret"}[name]
    make_day(OriginDay, day=world.today, brand=world.other_brand, campaign="secret", leads=77777)
    form = FilterForm({name: foreign}, user=world.desk_head)
    assert not form.is_valid() and name in form.errors
    answer = browse(world.desk_head).get(SALES, {name: foreign})
    text = text_of(answer)
    assert answer.status_code == 200 and "Some filters were left out." in text
    assert "77,777" not in text and "Secret" not in text and str(world.other_brand) not in text
    assert values(board(world.desk_head, **{name: foreign}), "Leads") == ["3"]


def test_a_part_is_answered_with_its_short_address(world, browse):
    asked = {"period": "7", "brand": "", "desk": "", "country": "DE", "campaign": "", "compare": "before"}
    answer = browse(world.administrator).get(SALES, asked, headers={"HX-Request": "true"})
    assert answer.headers["HX-Push-Url"] == f"{SALES}?period=7&country=DE"
    page = answer.content.decode()
    assert "<html" not in page and "k-bar-fields" not in page
    assert "/reports/money/?period=7&amp;country=DE" in page


def test_cohorts_show_what_a_month_paid_in_later(world, browse):
    registered = (world.today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    month = world.today.replace(day=1)
    both = {"brand": world.brand, "registered_month": registered, "country": "DE"}
    CohortMonth.objects.create(month=registered, clients=4, depositors=1, deposits=100, **both)
    CohortMonth.objects.create(month=month, depositors=2, deposits=500, withdrawals=600, **both)
    rows = {row.month: row for row in board(world.finance, "money", country="DE").heat[0].rows}
    cells = rows[f"{registered:%b %Y}"].cells
    assert [cell.text for cell in cells] == ["25 %", "50 %"]
    page = text_of(browse(world.finance).get("/reports/money/", {"cohorts": "net", "country": "DE"}))
    assert re.search(r" 4 100 .100 ", page)
    assert [cell.url.count("deposited_from") for cell in cells] == [1, 1]


def test_agents_sort_by_each_column_and_add_up(world, browse):
    browser = browse(world.administrator)
    address = reverse("reports_performance")
    for column in (
        "name",
        "leads",
        "contacted",
        "speed",
        "late",
        "calls",
        "ftds",
        "rate",
        "deposits",
        "net",
        "nonsense",
    ):
        assert browser.get(address, {"sort": f"-{column}"}).status_code == 200
    page = table_of(browser.get(address, {"sort": "-leads"}))
    assert page.index(str(world.agent)) < page.index(str(world.other_agent))
    assert re.search(r"Total (.* )?4 ", page)


def test_a_country_narrows_agents_too(world):
    today = world.today
    found = ranked(world.administrator, today - dt.timedelta(days=2), today, country="DE")
    assert [(line.name, line.totals.leads) for line in found] == [(str(world.agent), 2)]
