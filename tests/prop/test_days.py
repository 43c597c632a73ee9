"""Days of a challenge account are those of its server, also when its clock is changed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from prop.challenges.objectives import objectives_of
from prop.choices import StageState
from prop.models import PhaseAccount
from prop.tasks import judge_accounts
from tests.cast import Cast
from tests.prop.factories import make_version
from tests.prop.test_buy_challenge import buy, size_of
from tests.wallet.factories import fund

pytestmark = pytest.mark.django_db
# In Athens the clock goes back from 4 to 3 on 25 October 2026: the day begins at 21:00 UTC and has 25 hours.
BEGIN = dt.datetime(2026, 10, 24, 20, 0, tzinfo=dt.UTC)


@pytest.fixture
def row(cast: Cast) -> PhaseAccount:
    fund(cast.client, 20_000)
    row = buy(cast, size_of(make_version(cast))).accounts.get()
    row.account.server.time_zone = "Europe/Athens"
    row.account.server.save(update_fields=["time_zone"])
    row.state, row.started_at, row.judged_until = StageState.RUNNING, BEGIN, BEGIN
    row.save()
    return row


def sample(row: PhaseAccount, minutes: int, balance: int, equity: int) -> int:
    account = row.account
    account.balance, account.equity, account.synced_at = balance, equity, BEGIN + dt.timedelta(minutes=minutes)
    account.save(update_fields=["balance", "equity", "synced_at"])
    return judge_accounts()


def test_a_day_of_25_hours_is_one_day(row: PhaseAccount) -> None:
    for minutes, balance, equity in (
        (30, 10_000, 9_900),
        (90, 10_000, 10_200),  # the 25th, 00:30 in Athens
        (800, 10_100, 9_700),
        (60 + 25 * 60 - 1, 10_150, 10_150),  # its last minute
        (60 + 25 * 60, 10_150, 10_050),  # the 26th begins
    ):
        assert sample(row, minutes, balance, equity) == 1
    assert judge_accounts() == 0
    days = [
        (day.day.day, day.opening_equity, day.lowest_equity, day.highest_equity, day.closing_balance)
        for day in row.days.order_by("day")
    ]
    assert days == [
        (24, 10_000, 9_900, 9_900, 10_000),
        (25, 9_900, 9_700, 10_200, 10_150),
        (26, 10_150, 10_050, 10_050, 10_150),
    ]


def test_the_daily_loss_is_counted_from_the_days_opening(row: PhaseAccount) -> None:
    sample(row, 30, 10_200, 10_200)
    sample(row, 90, 10_200, 9_790)
    row.refresh_from_db()
    bars = {bar.label: bar for bar in objectives_of(row)}
    assert (bars["Daily loss"].value, bars["Daily loss"].tone) == (Decimal(410), "warning")
    assert bars["Daily loss"].text == "€90.00 of €500.00 left"
    assert bars["Maximum loss"].text == "€790.00 of €1,000.00 left"


def test_an_account_that_ended_is_left_alone(row: PhaseAccount) -> None:
    row.state, row.ended_at = StageState.BREACHED, BEGIN
    row.save()
    assert sample(row, 30, 1, 1) == 0
    assert not row.days.exists()
