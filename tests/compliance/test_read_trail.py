"""Reading trails and logs: areas, people, days at their ends, another client and another brand."""

import datetime as dt

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from clients.audit_codes import ClientsAction
from compliance import record_views, trails
from compliance.trails import TrailFilter
from crm.audit_codes import CrmAction
from crm.choices import Role
from crm.models import AccessEvent, AuditEvent, Job
from crm.security import audit
from kyc.audit_codes import KycAction
from tests.cast import make_staff
from tests.monitoring.factories import look

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 9, 10)


def record(client, action: str, actor=None, **fields) -> AuditEvent:
    with transaction.atomic():
        audit.record(actor=actor, action=action, target=client, client_id=client.pk, brand_id=client.brand_id, **fields)
    return AuditEvent.objects.latest("pk")


def url(name: str, *args) -> str:
    return reverse(f"compliance:{name}", args=args)


@pytest.fixture
def rows(cast):
    """Rows of three areas by three kinds of people, and of another client."""
    made = {
        "note": record(cast.client, ClientsAction.NOTE_ADDED, cast.agent),
        "level": record(cast.client, KycAction.LEVEL_REACHED),
        "upload": record(cast.client, KycAction.DOCUMENT_UPLOADED, cast.client_user),
    }
    record(cast.other_client, ClientsAction.NOTE_ADDED, cast.other_agent)
    return made


def shown(client, **chosen) -> set[int]:
    return {row.pk for batch in trails.whole_trail(client, TrailFilter(**chosen)) for row in batch}


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        ({}, {"note", "level", "upload"}),
        ({"area": "kyc"}, {"level", "upload"}),
        ({"area": "clients"}, {"note"}),
        ({"area": "cli"}, set()),
        ({"who": "staff"}, {"note"}),
        ({"who": "client"}, {"upload"}),
        ({"who": "system"}, {"level"}),
        ({"area": "kyc", "who": "client"}, {"upload"}),
    ],
)
def test_a_trail_is_one_clients_and_what_was_chosen(cast, rows, chosen, names):
    assert shown(cast.client, **chosen) == {rows[name].pk for name in names}


@pytest.mark.parametrize(
    ("days", "is_shown"),
    [
        ({"first_day": DAY}, True),
        ({"last_day": DAY}, True),
        ({"first_day": DAY, "last_day": DAY}, True),
        ({"first_day": DAY + dt.timedelta(days=1)}, False),
        ({"last_day": DAY - dt.timedelta(days=1)}, False),
    ],
)
def test_both_days_of_a_trail_are_included(cast, days, is_shown):
    """Midnight belongs to the day that begins, and the last instant to the one that ends."""
    start = timezone.make_aware(dt.datetime.combine(DAY, dt.time()))
    last = start + dt.timedelta(days=1) - dt.timedelta(microseconds=1)
    audit.record_many(
        {"actor": None, "action": KycAction.LEVEL_REACHED, "target": cast.client, "client_id": cast.client.pk, "at": at}
        for at in (start, last)
    )
    assert len(shown(cast.client, **days)) == (2 if is_shown else 0)


@pytest.mark.parametrize(
    "chosen",
    [
        TrailFilter(),
        TrailFilter("kyc", "staff", DAY, DAY),
        TrailFilter("", "", DAY, None),
        TrailFilter("", "", None, DAY),
    ],
)
def test_a_job_makes_the_pack_that_was_chosen(chosen):
    assert TrailFilter.from_parameters(chosen.as_parameters()) == chosen


@pytest.mark.parametrize(("batch", "batches"), [(1, 3), (2, 2), (3, 1), (4, 1)])
def test_a_trail_comes_in_batches_without_gaps(cast, rows, monkeypatch, batch, batches):
    monkeypatch.setattr(trails, "BATCH", batch)
    found = list(trails.whole_trail(cast.client, TrailFilter()))
    assert len(found) == batches
    assert [row.pk for rows_of in found for row in rows_of] == sorted(row.pk for row in rows.values())


def test_the_newest_comes_first_on_the_page(cast, rows):
    assert list(trails.trail_of(cast.auditor, cast.client)) == [rows["upload"], rows["level"], rows["note"]]


def test_the_log_is_of_the_brands_one_reaches(cast, rows):
    theirs = make_staff("a@southern.example", Role.AUDITOR, brand=cast.other_brand)
    with transaction.atomic():
        audit.record(actor=None, action=CrmAction.ROLE_GIVEN, target=cast.agent)
    of_nobody = AuditEvent.objects.latest("pk")
    assert trails.events_visible_to(cast.auditor).filter(pk=rows["note"].pk).exists()
    assert not trails.events_visible_to(theirs).filter(pk=rows["note"].pk).exists()
    for reader in (cast.auditor, theirs):
        assert trails.events_visible_to(reader).filter(pk=of_nobody.pk).exists()
    for reader in (cast.agent, cast.desk_head, cast.finance, cast.client_user):
        assert not trails.events_visible_to(reader).exists()


def test_a_filter_that_makes_no_sense_starts_no_job(cast, rows, browse):
    browser = browse(cast.auditor)
    answer = browser.post(url("trail", cast.client.pk), {"area": "weather"}, follow=True)
    assert "The filter isn&#x27;t valid" in answer.content.decode() and not Job.objects.exists()
    browser.post(url("trail", cast.client.pk), {"area": "kyc"})
    assert Job.objects.count() == 1


# ── the access log ───────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def looked(cast):
    start = timezone.make_aware(dt.datetime.combine(DAY, dt.time(12)))
    look(cast.agent, start, client=cast.client.pk, target="clients.of_clara")
    look(cast.agent, start, "export", rows=7, target="table:alices")
    look(cast.other_agent, start + dt.timedelta(days=1), client=cast.other_client.pk, target="clients.of_oscar")
    return cast


@pytest.mark.parametrize(
    ("query", "targets"),
    [
        ({}, {"clients.of_clara", "table:alices", "clients.of_oscar"}),
        ({"kind": "export"}, {"table:alices"}),
        ({"kind": "view"}, {"clients.of_clara", "clients.of_oscar"}),
        ({"person": "ALICE@meridian.example"}, {"clients.of_clara", "table:alices"}),
        ({"person": "nobody@example.com"}, set()),
        ({"day": "2026-09-09"}, set()),
        ({"day": "2026-09-10"}, {"clients.of_clara", "table:alices"}),
        ({"day": "2026-09-11"}, {"clients.of_clara", "table:alices", "clients.of_oscar"}),
        ({"person": "alice@meridian.example", "kind": "view"}, {"clients.of_clara"}),
    ],
)
def test_the_access_log_is_narrowed(looked, browse, query, targets):
    page = browse(looked.mlro).get(url("access_log"), query).content.decode()
    every = {"clients.of_clara", "table:alices", "clients.of_oscar"}
    assert {target for target in every if target in page} == targets


def test_the_access_log_of_one_client(looked, browse):
    page = browse(looked.mlro).get(url("access_log"), {"client": looked.client.pk}).content.decode()
    assert "clients.of_clara" in page and "table:alices" not in page and "clients.of_oscar" not in page


@pytest.mark.parametrize(
    "query", [{"client": "0"}, {"client": "x"}, {"person": "x"}, {"day": "soon"}, {"kind": "smell"}]
)
def test_a_wrong_filter_is_said_and_narrows_nothing(looked, browse, query):
    answer = browse(looked.mlro).get(url("access_log"), query)
    assert answer.status_code == 200 and answer.context["form"].errors
    assert "clients.of_clara" in answer.content.decode()


def test_who_saw_names_people_of_this_client_only(cast, browse):
    moment = timezone.now() - dt.timedelta(hours=1)
    look(cast.agent, moment, client=cast.client.pk)
    look(cast.other_agent, moment, client=cast.other_client.pk)
    people = browse(cast.mlro).get(url("who_saw", cast.client.pk)).context["people"]
    assert [(row["person"], row["views"]) for row in people] == [(cast.agent, 1)]


@pytest.mark.parametrize(("most", "shown_people"), [(1, 1), (2, 2), (3, 2)])
def test_who_saw_names_people_up_to_a_bound(cast, monkeypatch, most, shown_people):
    monkeypatch.setattr(record_views, "PEOPLE_MAX", most)
    moment = timezone.now() - dt.timedelta(hours=1)
    for person in (cast.agent, cast.other_agent):
        look(person, moment, client=cast.client.pk)
    assert len(record_views.who_saw(AccessEvent.objects.filter(client_id=cast.client.pk))) == shown_people


@pytest.mark.parametrize("who", ["agent", "finance", "support", "marketing"])
def test_others_read_neither_log_nor_trail(looked, browse, who):
    browser = browse(getattr(looked, who))
    for name, args in (
        ("access_log", []),
        ("audit", []),
        ("who_saw", [looked.client.pk]),
        ("trail", [looked.client.pk]),
    ):
        assert browser.get(url(name, *args)).status_code in (403, 404), name
