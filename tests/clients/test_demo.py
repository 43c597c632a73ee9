"""The demo's people, leads and looks hold every invariant, at a small scale."""

import datetime as dt
import random

import pytest
from django.db import connection

from clients.canonical import canonical_phone
from clients.choices import SALES_TRANSITIONS, STAGE_TRANSITIONS, SalesStatus, Stage
from clients.demo import activity, people
from clients.demo.record_views import OUTLIER_RECORDS, outlier_day
from clients.facts import FACTS, differences
from clients.models import Call, Client, Message, Task, TimelineEntry
from crm import demo
from crm.models import AccessEvent, AuditEvent
from crm.security import audit
from leads.models import Lead, RegistrationInvitation, SalesStatusChange
from tests.worlds import undone


def make(seed=3, scale=0.03):
    from clients import demo as clients_demo
    from leads import demo as leads_demo

    context = demo.Demo(
        rng=random.Random(seed),
        now=dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC),
        progress=lambda *_: None,
        scale=scale,
    )
    demo.load_house(context)
    clients_demo.load(context)
    leads_demo.load(context)
    clients_demo.finish(context)
    return context


@pytest.fixture(scope="module")
def built(django_db_setup, django_db_blocker):
    with undone(django_db_blocker):
        yield make()


@pytest.fixture
def house(built, django_db_blocker):
    with undone(django_db_blocker):
        yield built


def test_everybody_is_there_in_books_that_fit(house):
    assert Client.objects.count() == 150
    assert 10 < Client.objects.exclude(stage=Stage.LEAD).count() < 50
    for client in Client.objects.select_related("book__desk", "owner", "user"):
        assert client.brand_id == client.book.brand_id == client.book.desk.brand_id
        assert client.owner_id == client.book.owner_id
        assert (client.user is not None) == (client.stage != Stage.LEAD) == (client.registered_at is not None)
        if client.user:
            assert client.user.username == f"{client.brand.code}/{client.email}"


def test_the_facts_are_those_of_the_tables(house):
    for name in ("score", "sales_status", "source", "campaign", "last_contact_at"):
        assert list(differences(FACTS[name])) == [], name


def test_scores_are_the_sum_of_their_reasons(house):
    for lead in Lead.objects.all():
        assert lead.score == max(0, min(100, sum(reason["points"] for reason in lead.score_reasons)))
    assert len(set(Lead.objects.values_list("score", flat=True))) > 10


def test_every_step_is_one_the_tables_allow(house):
    for step in SalesStatusChange.objects.all():
        assert step.after in SALES_TRANSITIONS[step.before]
    for entry in TimelineEntry.objects.filter(kind="stage"):
        assert entry.data["after"] in STAGE_TRANSITIONS[entry.data["before"]]
    last = {
        entry.client_id: entry.data["after"]
        for entry in TimelineEntry.objects.filter(kind="stage").order_by("at", "id")
    }
    for client in Client.objects.all():
        assert last.get(client.pk, Stage.LEAD) == client.stage
        assert (client.sales_status == SalesStatus.CONVERTED) == (client.stage != Stage.LEAD)


def test_nothing_happens_in_the_future_or_before_the_capture(house):
    assert not AccessEvent.objects.filter(at__gt=house.now).exists()
    for model, field in (
        (Call, "started_at"),
        (Task, "created_at"),
        (Message, "created_at"),
        (SalesStatusChange, "at"),
    ):
        for row in model.objects.select_related("client"):
            assert row.client.created_at <= getattr(row, field) <= house.now
    assert not TimelineEntry.objects.filter(at__gt=house.now).exists()


def test_calls_are_made_in_working_hours(house):
    for journey in house.extra["journeys"]:
        for call in journey.calls:
            local = call.at.astimezone(people_zone(journey))
            assert local.weekday() < 5 and dt.time(9) <= local.time() < dt.time(18, 30), local


def people_zone(journey):
    from clients.demo.activity import zone

    return zone(journey.desk.time_zone)


def test_one_agents_afternoon_stands_out(house):
    day = outlier_day(house)
    views = AccessEvent.objects.filter(kind="view", at__date=day).values_list("user_id", flat=True)
    counts = {user.pk: list(views).count(user.pk) for user in house.agents}
    mine = counts.pop(house.outlier.pk)
    assert mine >= house.count(150)
    assert max(counts.values()) < OUTLIER_RECORDS


def test_access_rows_have_partitions_of_their_own(house):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ONLY crm_accessevent_default")
        assert cursor.fetchone()[0] == 0


def test_the_trail_is_audited_and_verifies(house):
    while audit.seal_pending():
        pass
    assert audit.verify().holds
    captured = AuditEvent.objects.filter(action="leads.captured").count()
    assert captured == Lead.objects.count() >= 150


def test_invitations_belong_to_who_was_invited(house):
    for invitation in RegistrationInvitation.objects.select_related("client"):
        assert (invitation.used_at is not None) == (invitation.client.registered_at is not None)


def test_the_same_seed_tells_the_same_story(house):
    from clients.demo.journeys import plan_journeys

    def story(seed):
        context = demo.Demo(rng=random.Random(seed), now=house.now, progress=lambda *_: None, scale=0.02)
        context.brands, context.desks, context.agents = house.brands, house.desks, house.agents
        context.books, context.pools, context.by_role, context.outlier = (
            house.books,
            house.pools,
            house.by_role,
            house.outlier,
        )
        return [
            (journey.person.email, journey.captured_at, journey.status, len(journey.calls))
            for journey in plan_journeys(context)
        ]

    assert story(5) == story(5) != story(6)


@pytest.mark.parametrize("country", people.COUNTRIES, ids=lambda country: country.code)
def test_telephone_numbers_of_each_country_are_possible(country):
    crowd = people.Crowd(random.Random(1))
    for _ in range(40):
        person = crowd.someone_from(country)
        assert person.phone == "" or canonical_phone(person.phone) == person.phone, person.phone


def test_hours_are_added_as_they_pass_while_sydneys_clocks_go_forward():
    """Two in the morning of 4 October 2026 doesn't exist there: by the wall clock, a later time would come out earlier."""
    hour, rng, now = dt.timedelta(hours=1), random.Random(1), dt.datetime(2026, 10, 5, tzinfo=dt.UTC)
    times = [activity.enquiry(rng, now - 40 * hour, now, "Australia/Sydney") for _ in range(2_000)]
    times += [activity.next_open(at, "Australia/Sydney") for at in times]
    times += [activity.during(rng, dt.date(2026, 10, 4), "Australia/Sydney") for _ in range(9)]
    for at in times:
        assert (at + 14 * hour).astimezone(dt.UTC) - at.astimezone(dt.UTC) == 14 * hour
