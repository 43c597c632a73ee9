import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Call, Client
from crm import work
from crm.models import AccessEvent, Desk
from kyc.choices import DocumentKind
from kyc.models import Document
from kyc.reviews import REVIEW
from leads.models import Lead
from reports import dashboards, figures, people, queries, tasks, upkeep
from reports.filters import FilterForm
from reports.links import Links
from reports.models import DayFigure, OriginDay
from tests.cast import make_client
from tests.ib.test_settlement import arrived
from tests.reports.factories import make_day

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 9, 10, 12, tzinfo=dt.UTC)
DAY = NOON.date()


def lead(client, *, at=NOON, agent=None, touched_after=None, **fields):
    return Lead.objects.create(
        client=client,
        brand=client.brand,
        book=client.book,
        channel="form",
        captured_at=at,
        assigned_to=agent,
        assigned_at=at if agent else None,
        touched_at=at + dt.timedelta(seconds=touched_after) if touched_after is not None else None,
        **fields,
    )


def ranked(user, first, last, *, by="agent", **filters):
    """The lines of the performance page."""
    form = FilterForm({"first": first, "last": last, **filters}, user=user)
    chosen = form.selection()
    return people.ranking(chosen, Links.of(user, chosen), by=by).lines


def board(user, slug="sales", **filters):
    """A dashboard as the filter bar's choices make it."""
    kind = dashboards.BOARDS[slug]
    form = FilterForm(filters, user=user, narrows=kind.narrows)
    return kind.make(dashboards.Sheet(user, form.selection(), form.today))


def values(shown, *labels):
    """Values of the cards with these labels."""
    by_label = {kpi.label: kpi.value for kpi in shown.kpis}
    return [by_label[label] for label in labels]


def row(**fields):
    return DayFigure.objects.get(**fields)


def test_a_day_is_made_from_leads_calls_registrations_and_deposits(cast):
    Client.objects.filter(pk=cast.client.pk).update(registered_at=NOON)
    lead(cast.client, agent=cast.agent, touched_after=90)
    lead(cast.client, agent=cast.agent, sla_missed=1)
    lead(cast.client, is_duplicate=True)
    Call.objects.create(client=cast.client, agent=cast.agent, outcome="reached", started_at=NOON, duration_seconds=120)
    deposit = arrived(cast, 500_00, NOON, "a")
    type(deposit).objects.filter(pk=deposit.pk).update(is_first=True)
    upkeep.refresh()
    found = row(owner=cast.agent)
    assert (found.day, found.brand, found.desk) == (DAY, cast.brand, cast.desk)
    assert (found.leads, found.touched, found.touch_seconds, found.late) == (2, 1, 90, 1)
    assert (found.calls, found.call_seconds, found.registrations, found.first_deposits) == (1, 120, 1, 1)
    assert found.deposits == 500


def test_a_day_is_the_brands_own_day(cast):
    cast.brand.time_zone = "Australia/Sydney"
    cast.brand.save()
    lead(cast.client, at=NOON + dt.timedelta(hours=4))
    upkeep.refresh()
    assert row(leads=1).day == DAY + dt.timedelta(days=1)


def test_leads_nobody_owns_yet_count_for_the_pools_desk(cast):
    pooled = make_client(brand=cast.brand, book=cast.pool, email="p@example.com", login=False)
    lead(pooled)
    upkeep.refresh()
    found = row(leads=1)
    assert (found.owner, found.desk) == (None, cast.desk)


def fill(cast):
    """Two agents of two desks at one brand, one day."""
    fields = {"day": DAY, "brand": cast.brand}
    make_day(
        DayFigure,
        **fields,
        desk=cast.desk,
        owner=cast.agent,
        leads=10,
        touched=8,
        touch_seconds=800,
        first_deposits=2,
        deposits=Decimal(1000),
        withdrawals=Decimal(200),
        reversals=Decimal(50),
    )
    make_day(DayFigure, **fields, desk=cast.other_desk, owner=cast.other_agent, leads=5, deposits=Decimal(100))


def test_performance_per_agent_and_per_desk(cast):
    fill(cast)
    agents = ranked(cast.finance, DAY, DAY)
    assert [line.name for line in agents] == [str(cast.agent), str(cast.other_agent)]
    first = agents[0]
    assert (
        first.totals.net == {"EUR": Decimal(750)}
        and first.totals.conversion == 20
        and first.totals.speed_seconds == 100
    )
    desks = ranked(cast.finance, DAY, DAY, by="desk")
    assert [line.name for line in desks] == [str(cast.desk), str(cast.other_desk)]


def test_a_head_sees_the_own_desk_only(cast):
    fill(cast)
    assert [line.name for line in ranked(cast.desk_head, DAY, DAY)] == [str(cast.agent)]
    assert ranked(cast.agent, DAY, DAY) == []


def test_performance_costs_the_same_however_many_agents(cast, django_assert_max_num_queries):
    for n in range(30):
        desk = Desk.objects.create(brand=cast.brand, name=f"Desk {n}")
        make_day(DayFigure, day=DAY, brand=cast.brand, desk=desk, leads=n + 1)
    with django_assert_max_num_queries(9):
        assert len(ranked(cast.finance, DAY, DAY, by="desk")) == 30


def table_of(response):
    """The first table of a page as text."""
    page = response.content.decode()
    start = page.index("<table")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[start : page.index("</table>", start)]))


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_performance_page_and_its_export(cast, browse):
    fill(cast)
    browser = browse(cast.desk_head)
    address = reverse("reports_performance") + f"?first={DAY}&last={DAY}&by=agent"
    assert "€750" in text_of(browser.get(address))
    export = browser.get(address + "&export=csv")
    lines = export.content.decode("utf-8-sig").strip().splitlines()
    assert len(lines) == 2 and lines[1].startswith("Alice Tester,German desk") and ",750.00,EUR" in lines[1]
    assert AccessEvent.objects.get(kind="export", user=cast.desk_head).rows == 1


def test_an_auditor_looks_but_takes_nothing_away(cast, browse):
    address = reverse("reports_performance")
    assert browse(cast.auditor).get(address).status_code == 200
    assert browse(cast.auditor).get(address + "?export=csv").status_code == 403


def test_days_that_make_no_sense_are_said_so(cast, browse):
    page = text_of(browse(cast.finance).get(reverse("reports_performance") + "?first=2026-09-10&last=2026-09-01"))
    assert "before the start date" in page


@pytest.mark.parametrize(
    ("who", "boards"),
    [
        ("desk_head", ["sales"]),
        ("finance", ["money", "partners"]),
        ("kyc_officer", ["compliance"]),
        ("marketing", ["sales"]),
        ("agent", []),
        ("administrator", ["sales", "money", "compliance", "partners"]),
    ],
)
def test_each_role_has_its_dashboards(cast, browse, who, boards):
    user = getattr(cast, who)
    assert dashboards.boards_for(user) == boards
    browser = browse(user)
    for slug in dashboards.BOARDS:
        assert browser.get(reverse("reports_dashboard", args=[slug])).status_code == (200 if slug in boards else 403)


@pytest.mark.parametrize("slug", ["sales", "money", "compliance", "partners"])
def test_a_dashboard_opens_in_a_bounded_number_of_queries(cast, browse, slug, django_assert_max_num_queries):
    fill(cast)
    browser = browse(cast.administrator)
    address = reverse("reports_dashboard", args=[slug])
    browser.get(address)
    with django_assert_max_num_queries(24):
        assert browser.get(address).status_code == 200


def test_the_sales_dashboard_adds_up_the_last_month(cast):
    today = figures.today_of(frozenset([cast.brand.pk]))
    fields = {"brand": cast.brand, "desk": cast.desk, "owner": cast.agent}
    make_day(OriginDay, day=today, leads=7, touched=2, touch_seconds=60, **fields)
    make_day(OriginDay, day=today - dt.timedelta(days=3), leads=13, first_deposits=1, **fields)
    make_day(OriginDay, day=today - dt.timedelta(days=40), leads=99, **fields)
    shown = board(cast.desk_head)
    assert values(shown, "Leads", "Time to first contact", "FTDs", "Lead to FTD") == ["20", "30\u00a0s", "1", "5.0 %"]
    assert shown.charts[0].series[0].values[-1] == 7
    assert shown.kpis[0].before == 99


def test_waiting_documents_are_counted_by_age(cast):
    now = timezone.now()
    Document.objects.bulk_create(
        [
            Document(
                client=cast.client,
                kind=kind,
                state="pending_review",
                uploaded_at=now - dt.timedelta(hours=hours),
                work=work.open_item(REVIEW, client_id=cast.client.pk, brand=cast.brand, opened_at=now),
                store_key=f"key-{hours}",
                file_name="passport.jpg",
                content_type="image/jpeg",
                size_bytes=1,
                sha256=f"{hours:064d}",
                stored_sha256=f"{hours:064d}",
            )
            for kind, hours in zip(DocumentKind.values, (1, 5, 30, 100, 200), strict=False)
        ]
    )
    assert [age.count for age in queries.queue_ages(cast.kyc_officer)] == [1, 1, 1, 2]
    assert sum(age.count for age in queries.queue_ages(cast.agent)) == 0


def test_the_tasks_do_their_round_on_an_empty_house(cast):
    assert tasks.refresh_figures() >= 0 and tasks.check_figures() == 0
