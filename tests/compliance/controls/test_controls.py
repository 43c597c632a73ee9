"""The controls report: what each control counts, that an ended month is kept and never changes, its page and PDF."""

import datetime as dt

import pytest
import time_machine
from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.urls import reverse
from django.utils import timezone

from clients.models import Client
from compliance.controls import months
from compliance.controls.measures import measured
from compliance.hits import MATCH
from compliance.models import ControlReport, ListScreening, ListVersion, RiskModelProposal
from compliance.risk_rating import rating
from crm.models import AuditEvent, WorkItem
from tests.cast import signed_in
from tests.compliance.factories import load

pytestmark = pytest.mark.django_db
MONTH = dt.date(2026, 10, 1)
AFTER = dt.datetime(2026, 11, 1, 4, 0, tzinfo=dt.UTC)


def at(day, hour=12):
    return dt.datetime(2026, 10, day, hour, tzinfo=dt.UTC)


def screened(finished, version=None):
    return ListScreening.objects.create(
        version=version, matcher_version="1", started_at=finished, finished_at=finished, client_count=1, entry_count=1
    )


def work(cast, opened, due, decided=None, brand=None):
    done = {
        "state": "final",
        "decided_by": cast.kyc_officer,
        "decided_at": decided,
        "final_at": decided,
        "outcome": "x",
    }
    return WorkItem.objects.create(
        kind=MATCH.code,
        brand=brand or cast.brand,
        client_id=cast.client.pk,
        opened_at=opened,
        due_at=due,
        **(done if decided else {}),
    )


def figures(cast, now=AFTER):
    with time_machine.travel(now, tick=False):
        return {figure.control: figure for figure in measured(months.period_of(cast.brand, MONTH, now))}


def test_each_control_counts_what_failed(cast, tmp_path, django_assert_max_num_queries):
    for day in range(1, 32):
        if day not in (7, 8):
            screened(at(day, 2))
    version = load(tmp_path, {"first": "Klara", "second": "Weber"})
    ListVersion.objects.filter(pk=version.pk).update(imported_at=at(5))
    screened(at(5, 14), version)
    work(cast, at(2), at(3), at(2, 15))
    late = work(cast, at(2), at(3), at(4))
    open_late = work(cast, at(20), at(21))
    work(cast, at(30), dt.datetime(2026, 11, 3, tzinfo=dt.UTC))
    work(cast, at(2), at(3), at(4), brand=cast.other_brand)
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=1, registered_at=at(1))
    made = {"brand": cast.brand, "content": {}, "effective_on": MONTH, "requested_by": cast.mlro, "reason": "Later"}
    RiskModelProposal.objects.create(requested_at=at(3), **made)
    with django_assert_max_num_queries(30):
        seen = figures(cast)
    nights = seen["nightly_screening"]
    assert (nights.total, nights.failed) == (31, 2) and [row[1] for row in nights.rows] == ["2026-10-07", "2026-10-08"]
    assert (seen["versions_screened"].total, seen["versions_screened"].failed) == (1, 1)
    assert (seen["lists_fresh"].total, seen["lists_fresh"].failed) == (1, 1)
    matches = seen[f"work:{MATCH.code}"]
    assert (matches.total, matches.failed) == (3, 2)
    assert [row[1] for row in matches.rows] == [str(late.pk), str(open_late.pk)]
    assert (seen["clients_screened"].failed, seen["clients_rated"].failed) == (1, 1)
    assert (seen["proposals_decided"].total, seen["proposals_decided"].failed) == (1, 1)
    assert (seen["four_eyes"].total, seen["four_eyes"].failed) == (0, 0)


def test_an_ended_month_is_kept_once_and_stays(cast):
    screened(at(1))
    with time_machine.travel(AFTER, tick=False):
        assert months.keep_month(brand=cast.brand, first=dt.date(2026, 11, 1)) is None
        kept = months.keep_ended_months()
        assert kept == 2 and months.keep_ended_months() == 0
        before = months.month_of(cast.brand, MONTH)
        for day in range(2, 32):
            screened(at(day))
        again = months.month_of(cast.brand, MONTH)
    assert again.figures == before.figures and again.is_intact and again.kept is not None
    assert AuditEvent.objects.filter(action="compliance.controls_kept").count() == 2
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ControlReport.objects.filter(brand=cast.brand).update(figures=[])


def test_a_running_month_is_measured_once_an_hour(cast, django_assert_max_num_queries):
    """Counting every verified client is no work for each view."""
    now = AFTER - dt.timedelta(days=2)
    with time_machine.travel(now, tick=False) as clock:
        first = months.month_of(cast.brand, MONTH)
        Client.objects.filter(pk=cast.client.pk).update(kyc_level=1, registered_at=at(1))
        clock.shift(dt.timedelta(minutes=59))
        with django_assert_max_num_queries(1):
            again = months.month_of(cast.brand, MONTH)
        assert (again.figures, again.measured_at) == (first.figures, now)
        cache.clear()  # an hour on Redis's own clock
        later = months.month_of(cast.brand, MONTH)
    assert later.figures != first.figures and later.measured_at > now


def test_auditors_read_the_month_and_its_pdf(cast):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=1, registered_at=timezone.now() - dt.timedelta(days=1))
    rating.assess(client_id=cast.client.pk)
    browser = signed_in(cast.mlro)
    page = browser.get(reverse("compliance:controls"), follow=True)
    shown = page.content.decode()
    assert "Screening of clients" in shown and f"Client {cast.client.pk}" in shown and "Nothing to control" in shown
    month = f"{timezone.now():%Y-%m}"
    sent = browser.get(reverse("compliance:control_pdf", args=[cast.brand.pk, month]))
    assert sent["Content-Type"] == "application/pdf" and sent.content.startswith(b"%PDF")
    for wrong in ("2019-01", "2026-13", "x"):
        assert browser.get(f"/compliance/controls/{cast.brand.pk}/{wrong}/").status_code == 404
    assert signed_in(cast.agent).get(reverse("compliance:controls")).status_code == 403
