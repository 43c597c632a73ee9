"""Cohorts by month of first deposit, and who trades again after a call: exact figures, reach, rights and the files."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.urls import reverse

from clients.models import Client
from crm import work
from crm.choices import Role
from crm.models import AccessEvent, User
from risk.retention.choices import CaseState
from risk.retention.cohorts import cohorts_of, month_before
from risk.retention.kind import RETENTION
from risk.retention.models import RetentionCase
from risk.retention.winback import win_back
from tests.cast import make_staff
from tests.risk.retention.world import DAY, Floor
from trading.models import AccountResult

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 3, 15, 12, tzinfo=dt.UTC)


def funded(floor: Floor, name: str, first: dt.datetime, *months: dt.date, net: int = 100) -> Client:
    client = floor.trader(name, every=1, until=1, times=0, first_deposit_at=first, net_deposits=net)
    account = client.trading_accounts.get()
    AccountResult.objects.bulk_create(
        AccountResult(account=account, period="m", start=month, trades=1, wins=0, lots=1, net=0, net_base=0)
        for month in months
    )
    return client


def reader(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_a_cohort_counts_who_trades_in_the_month_so_many_months_later(floor, cast, django_assert_num_queries):
    cast.brand.time_zone = "Europe/Berlin"
    cast.brand.save()
    november = dt.datetime(2025, 11, 20, tzinfo=dt.UTC)
    funded(floor, "a", november, dt.date(2025, 12, 1), dt.date(2026, 1, 1), dt.date(2026, 2, 1), net=300)
    funded(floor, "b", november, dt.date(2025, 11, 1), dt.date(2026, 1, 1), net=-50)
    # By the brand's clock this is December already.
    funded(floor, "c", dt.datetime(2025, 11, 30, 23, 30, tzinfo=dt.UTC), dt.date(2026, 1, 1))
    funded(floor, "old", dt.datetime(2024, 9, 1, tzinfo=dt.UTC))
    with django_assert_num_queries(4):  # two for what the reader reaches
        (found,) = cohorts_of(reader(cast.retention), now=NOW)
    assert found.brand == cast.brand
    december, november_row = found.rows
    assert (december.month, december.clients, december.shares[0].clients) == (dt.date(2025, 12, 1), 1, 1)
    assert (november_row.clients, november_row.net, november_row.net_each) == (2, Decimal(250), Decimal(125))
    # After six months isn't over yet, in March not even started.
    assert [share.clients for share in november_row.shares] == [1, 2, 1, None, None]
    assert [share.heat for share in november_row.shares] == [3, 5, 3, 0, 0]
    assert cohorts_of(reader(cast.other_agent), now=NOW) == []


def test_months_are_counted_over_the_year():
    assert month_before(dt.date(2026, 1, 31), 1) == dt.date(2025, 12, 1)
    assert month_before(dt.date(2025, 12, 5), -1) == dt.date(2026, 1, 1)


def case_of(client: Client, state: CaseState, *, opened: dt.datetime, by: User, decided: dt.datetime | None = None):
    item = None
    if state != CaseState.HELD_BACK:
        item = work.new_item(RETENTION, brand=client.brand, client_id=client.pk, opened_at=opened)
        item.save()
    RetentionCase.objects.create(
        client=client,
        brand=client.brand,
        weight=2,
        opened_at=opened,
        state=state,
        work=item,
        ended_at=decided,
        decided_by=by if decided else None,
    )


def test_won_back_is_who_was_silent_and_trades_within_the_days_after_the_call(floor, cast):
    def silent(name: str, *, until: int) -> Client:
        return floor.trader(name, every=100, until=until, times=2)

    at = {"opened": floor.now - 70 * DAY, "by": cast.retention}
    called = {**at, "decided": floor.now - 60 * DAY}
    case_of(silent("back", until=50), CaseState.REACHED, **called)
    case_of(silent("late", until=20), CaseState.REACHED, **called)
    case_of(silent("gone", until=120), CaseState.LOST, **called)
    case_of(silent("control", until=45), CaseState.HELD_BACK, **at)
    case_of(silent("waits", until=65), CaseState.OPEN, **at)
    case_of(floor.trader("never-silent", every=1, until=0, times=90), CaseState.HELPED, **called)
    case_of(
        silent("young", until=5),
        CaseState.REACHED,
        opened=floor.now - 70 * DAY,
        by=cast.retention,
        decided=floor.now - 20 * DAY,
    )
    (found,) = win_back(reader(cast.retention), 30)
    rows = {line.label: (line.cases, line.back) for line in found.lines}
    assert rows == {
        "Reached, stays": (2, 1),
        "Client lost": (1, 0),
        "All reached": (3, 1),
        "Not called or not reached": (1, 1),
        "Control group": (1, 1),
    }
    (later,) = win_back(reader(cast.retention), 60, now=floor.now + 10 * DAY)
    assert {line.label: line.back for line in later.lines}["Reached, stays"] == 2
    assert win_back(reader(cast.other_agent), 30) == []


def test_the_page_and_its_files(floor, cast, browse):
    funded(floor, "one", floor.now - 40 * DAY, net=1234)
    case_of(
        floor.trader("=HYPERLINK", every=100, until=200, times=1),
        CaseState.LOST,
        opened=floor.now - 70 * DAY,
        by=cast.retention,
        decided=floor.now - 60 * DAY,
    )
    address = reverse("risk_retention_cohorts")
    page = browse(cast.retention).get(address + "?days=60").content.decode()
    assert cast.brand.name in page and "Client lost" not in page and "60 days" in page
    page = browse(cast.retention).get(address + "?days=<b>").content.decode()
    assert "Client lost" in page and "as CSV" not in page
    assert browse(cast.retention).get(address + "?export=cohorts").status_code == 403
    head = browse(make_staff("head.of.retention@keelson.example", Role.DESK_HEAD, brand=cast.brand))
    answer = head.get(address + "?export=cohorts")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["Brand"], row["Clients"], row["Net deposits"]) for row in rows] == [(cast.brand.name, "1", "1234.00")]
    answer = head.get(address + "?export=win-back&days=30")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["Result"], row["Cases"], row["Traded again"]) == ("Client lost", "1", "0")
    assert AccessEvent.objects.filter(kind="export", target="risk.win-back", rows=1).exists()
    assert head.get(address + "?export=others").status_code == 404
