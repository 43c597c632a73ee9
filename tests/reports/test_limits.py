"""Every limit of the reports: just below, exactly there, just above."""

import datetime as dt
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from crm import work
from kyc.models import Document
from kyc.reviews import REVIEW
from leads.models import Lead
from reports import queries, upkeep
from reports.figures import Reach, Totals, add_up, days_until, figures_of, per_day, today_of
from reports.filters import FilterForm
from reports.models import DayFigure
from tests.reports.factories import make_day
from tests.reports.test_reports import DAY, NOON, lead, ranked, row

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 9, 20)


@pytest.mark.parametrize(
    ("leads", "first_deposits", "conversion"),
    [(0, 0, None), (1, 0, 0), (0, 1, None), (1, 1, 100), (1, 2, None), (2, 1, 50), (3, 2, Decimal(200) / 3)],
)
def test_conversion_needs_more_leads_than_deposits(leads, first_deposits, conversion):
    assert Totals(leads=leads, first_deposits=first_deposits).conversion == conversion


@pytest.mark.parametrize(("touched", "seconds", "speed"), [(0, 0, None), (1, 0, None), (1, 90, 90), (2, 181, 90)])
def test_speed_is_the_average_of_those_contacted(touched, seconds, speed):
    assert Totals(touched=touched, touch_seconds=seconds).speed_seconds == speed


def test_net_takes_withdrawals_and_reversals_off():
    sums = {"deposits": Decimal("10.50"), "withdrawals": Decimal(4), "reversals": Decimal("0.25")}
    assert Totals(money={"EUR": sums}).net == {"EUR": Decimal("6.25")}


def test_currencies_are_added_up_apart():
    def of(currency: str, deposits: int) -> Totals:
        sums = {"deposits": Decimal(deposits), "withdrawals": Decimal(1), "reversals": Decimal(0)}
        return Totals(leads=2, late=1, money={currency: sums})

    total = add_up([of("EUR", 10), of("USD", 20), of("EUR", 5)])
    assert (total.leads, total.late) == (6, 3)
    assert total.net == {"EUR": Decimal(13), "USD": Decimal(19)}


@pytest.mark.parametrize("days", [1, 2, 30])
def test_a_span_ends_with_its_last_day(days):
    span = days_until(DAY, days)
    assert (len(span), span[-1], (DAY - span[0]).days) == (days, DAY, days - 1)


@pytest.mark.parametrize(("back", "is_counted"), [(-1, False), (0, True), (1, True), (2, True), (3, False)])
def test_both_ends_of_a_period_are_included(cast, back, is_counted):
    make_day(DayFigure, day=DAY - dt.timedelta(days=back), brand=cast.brand, desk=cast.desk, leads=3)
    reach = Reach(brands=frozenset([cast.brand.pk]), desks=frozenset())
    first = DAY - dt.timedelta(days=2)
    assert figures_of(reach, first, DAY).exists() is is_counted
    assert bool(per_day(reach, first, DAY)) is is_counted
    assert bool(ranked(cast.finance, first, DAY)) is is_counted


@pytest.fixture
def on_the_twentieth():
    with time_machine.travel(dt.datetime(2026, 9, 20, 12, tzinfo=dt.UTC), tick=False):
        yield


@pytest.mark.usefixtures("on_the_twentieth")
@pytest.mark.parametrize(("days", "is_possible"), [(399, True), (400, True), (401, False)])
def test_a_report_covers_at_most_400_days(cast, days, is_possible):
    first = TODAY - dt.timedelta(days=days)
    form = FilterForm({"first": first, "last": TODAY}, user=cast.finance)
    assert form.is_valid() is is_possible
    assert form.selection().span.first == (first if is_possible else dt.date(2026, 9, 1))
    if not is_possible:
        assert form.errors == {"first": ["Choose a period of at most 400 days."]}


@pytest.mark.usefixtures("on_the_twentieth")
@pytest.mark.parametrize(("by", "is_possible"), [(-1, False), (0, True), (1, True)])
def test_the_last_day_is_not_before_the_first(cast, by, is_possible):
    form = FilterForm({"first": TODAY, "last": TODAY + dt.timedelta(days=by)}, user=cast.finance)
    assert form.is_valid() is is_possible


@pytest.mark.usefixtures("on_the_twentieth")
@pytest.mark.parametrize(
    ("data", "first", "last", "before"),
    [
        ({}, "2026-08-22", "2026-09-20", "2026-07-23"),
        ({"period": "today"}, "2026-09-20", "2026-09-20", "2026-09-19"),
        ({"period": "7"}, "2026-09-14", "2026-09-20", "2026-09-07"),
        ({"period": "month"}, "2026-09-01", "2026-09-20", "2026-08-01"),
        ({"period": "last_month"}, "2026-08-01", "2026-08-31", "2026-07-01"),
        ({"period": "7", "compare": "year"}, "2026-09-14", "2026-09-20", "2025-09-14"),
        ({"period": "7", "compare": "none"}, "2026-09-14", "2026-09-20", None),
        ({"period": "9999"}, "2026-08-22", "2026-09-20", "2026-07-23"),
        ({"first": "2026-08-05"}, "2026-08-05", "2026-09-20", "2026-06-19"),
        ({"first": "2026-12-05"}, "2026-09-20", "2026-09-20", "2026-09-19"),
        ({"last": "2026-08-05"}, "2026-08-01", "2026-08-05", "2026-07-27"),
        ({"first": "soon"}, "2026-08-22", "2026-09-20", "2026-07-23"),
        ({"last": "2026-12-31"}, "2026-09-01", "2026-09-20", "2026-08-12"),
        ({"last": "9999-12-31"}, "2026-09-01", "2026-09-20", "2026-08-12"),
        ({"last": "0001-01-01"}, "2000-01-01", "2000-01-31", "1999-12-01"),
        ({"first": "0001-01-01", "last": "0001-01-02"}, "1998-12-27", "2000-01-31", "1997-11-21"),
        ({"period": "own", "first": "soon"}, "2026-09-01", "2026-09-20", "2026-08-12"),
    ],
)
def test_the_period_and_what_it_is_compared_with(cast, data, first, last, before):
    chosen = FilterForm(data, user=cast.finance).selection()
    assert (chosen.span.first.isoformat(), chosen.span.last.isoformat()) == (first, last)
    assert (chosen.before.first.isoformat() if chosen.before else None) == before


def waiting(cast, hours: float, number: int, **fields) -> Document:
    client = fields.pop("client", cast.client)
    return Document(
        client=client,
        kind=fields.pop("kind", "passport"),
        state=fields.pop("state", "pending_review"),
        work=work.open_item(REVIEW, client_id=client.pk, brand=client.brand, opened_at=timezone.now()),
        uploaded_at=timezone.now() - dt.timedelta(hours=hours),
        store_key=f"key-{number}",
        file_name="passport.jpg",
        content_type="image/jpeg",
        size_bytes=1,
        sha256=f"{number:064d}",
        stored_sha256=f"{number:064d}",
    )


@pytest.mark.parametrize(
    ("hours", "place"),
    [(0, 0), (3.99, 0), (4, 1), (4.01, 1), (23.99, 1), (24, 2), (71.99, 2), (72, 3), (72.01, 3), (10_000, 3)],
)
@time_machine.travel(NOON, tick=False)
def test_documents_age_at_4_24_and_72_hours(cast, hours, place):
    Document.objects.bulk_create([waiting(cast, hours, 1)])
    ages = queries.queue_ages(cast.kyc_officer)
    assert [age.count for age in ages] == [int(n == place) for n in range(4)]
    assert [age.is_late for age in ages] == [False, False, False, True]


def test_decided_documents_wait_no_longer(cast):
    waits = waiting(cast, 1, 1)
    uploaded = waiting(cast, 1, 2, state="uploaded", kind="driving_licence")
    Document.objects.bulk_create([waits, uploaded])
    assert sum(age.count for age in queries.queue_ages(cast.kyc_officer)) == 1


@pytest.mark.parametrize(("count", "shown"), [(2, 2), (3, 3), (4, 3)])
def test_the_queue_is_counted_up_to_its_bound(cast, monkeypatch, count, shown):
    monkeypatch.setattr(queries, "QUEUE_MAX", 3)
    kinds = ("passport", "id_card", "driving_licence", "selfie")
    Document.objects.bulk_create([waiting(cast, 1, n, kind=kinds[n]) for n in range(count)])
    assert sum(age.count for age in queries.queue_ages(cast.kyc_officer)) == shown


@pytest.mark.parametrize(
    ("touched_after", "seconds"), [(None, 0), (-30, 0), (0, 0), (1, 1), (90, 90)], ids=lambda value: str(value)
)
def test_time_to_contact_is_never_negative(cast, touched_after, seconds):
    lead(cast.client, agent=cast.agent, touched_after=touched_after)
    upkeep.refresh()
    found = row(leads=1)
    assert (found.touched, found.touch_seconds) == (int(touched_after is not None), seconds)


def test_without_an_agent_contact_counts_from_the_capture(cast):
    made = lead(cast.client)
    Lead.objects.filter(pk=made.pk).update(touched_at=NOON + dt.timedelta(seconds=45))
    upkeep.refresh()
    assert row(leads=1).touch_seconds == 45


@pytest.mark.parametrize(("missed", "late"), [(0, 0), (1, 1), (2, 1)])
def test_a_lead_is_late_once_however_often_it_was_missed(cast, missed, late):
    lead(cast.client, agent=cast.agent, sla_missed=missed)
    upkeep.refresh()
    assert row(leads=1).late == late


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (dt.datetime(2026, 9, 9, 13, 59, 59, tzinfo=dt.UTC), dt.date(2026, 9, 9)),
        (dt.datetime(2026, 9, 9, 14, 0, tzinfo=dt.UTC), dt.date(2026, 9, 10)),
        (dt.datetime(2026, 9, 10, 13, 59, 59, tzinfo=dt.UTC), dt.date(2026, 9, 10)),
        (dt.datetime(2026, 9, 10, 14, 0, tzinfo=dt.UTC), dt.date(2026, 9, 11)),
    ],
)
def test_a_day_begins_at_the_brands_midnight(cast, moment, day):
    cast.brand.time_zone = "Australia/Sydney"
    cast.brand.save()
    lead(cast.client, at=moment)
    upkeep.refresh()
    assert row(leads=1).day == day


def test_today_is_the_first_brands(cast):
    cast.brand.time_zone, cast.other_brand.time_zone = "Pacific/Kiritimati", "Pacific/Niue"
    cast.brand.save()
    cast.other_brand.save()
    ahead, behind = today_of(frozenset([cast.brand.pk])), today_of(frozenset([cast.other_brand.pk]))
    assert (ahead - behind).days in (1, 2)
    assert today_of(frozenset([cast.brand.pk, cast.other_brand.pk])) == ahead
    assert today_of(frozenset()) == timezone.now().date()
