"""What the health page draws: lag by minute, counters of a day, breakers and rates of all processes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.factories import make_server
from trading.models import SyncCursor, SyncSample, TradingServer
from trading.platforms import breaker_status
from trading.platforms import health as pulse
from trading.platforms.circuit_breaker import Breaker, Gate, Limit, Rate
from trading.platforms.errors import NotStarted, PlatformBusy
from trading.sync import samples
from trading.sync.cursor import reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> TradingServer:
    return make_server()


def test_readings_are_counted_into_their_minute(server: TradingServer) -> None:
    for lag in (400, 900, None):
        with reading(server, "deals") as run:
            assert run is not None
            run.rows, run.lag_ms = 10, lag
    rows = SyncSample.objects.filter(server=server, kind="deals")
    assert sum(row.runs for row in rows) == 3 and sum(row.rows for row in rows) == 30
    assert max(row.lag_ms or 0 for row in rows) == 900


def test_a_failure_is_counted_and_its_words_stay(server: TradingServer) -> None:
    with reading(server, "deals"):
        raise NotStarted("can't reach it")
    SyncCursor.objects.filter(server=server).update(error_at=timezone.now() - dt.timedelta(minutes=5))
    with reading(server, "deals") as run:
        assert run is not None
    cursor = SyncCursor.objects.get(server=server, kind="deals")
    assert (cursor.failures, cursor.error) == (0, "can't reach it")
    assert sum(row.failures for row in SyncSample.objects.filter(server=server)) == 1


def test_old_minutes_are_forgotten(server: TradingServer) -> None:
    now = timezone.now()
    for days in (0, 6, 8):
        SyncSample.objects.create(server=server, kind="deals", at=now - dt.timedelta(days=days), lag_ms=1)
    assert samples.forget_old() == 1


def test_the_page_shows_lag_counters_breaker_and_rate(
    cast: Cast, server: TradingServer, browse, django_assert_max_num_queries
) -> None:
    now = timezone.now()
    for minutes in range(5):
        SyncSample.objects.create(
            server=server,
            kind="deals",
            at=now - dt.timedelta(minutes=minutes),
            lag_ms=700 + minutes,
            runs=60,
            rows=100,
            failures=1,
            duration_ms=6000,
        )
    SyncCursor.objects.create(server=server, kind="deals", read_at=now, lag_ms=700, error="gone", error_at=now)
    gate = Gate(Breaker(failures_max=1), Limit(Rate(50, 10, 1.0)), breaker_status.watcher(server.pk, "money"))
    with pytest.raises(NotStarted), gate.passing():
        raise NotStarted("silence")
    slow = Gate(Breaker(), Limit(Rate(50, 10, 1.0)), breaker_status.watcher(server.pk, "reads"))
    with pytest.raises(PlatformBusy), slow.passing():
        raise PlatformBusy("too frequent", command="X", code=12)
    [one] = pulse.pulses_of([server.pk]).values()
    assert one.chart is not None and max(one.lags) == Decimal("0.704")
    assert (one.counters["deals"].runs, one.counters["deals"].failures, one.counters["deals"].average_ms) == (
        300,
        5,
        100,
    )
    states = {gate.purpose: gate for gate in one.gates}
    assert states["money"].is_open and states["money"].opens_in > 0
    assert (states["reads"].is_open, states["reads"].share_percent, states["reads"].per_second) == (False, 50, 25)
    browser = browse(cast.finance)
    browser.get("/trading/health/")
    with django_assert_max_num_queries(17):
        text = browser.get("/trading/health/").content.decode()
    for shown in (f"lag-{server.pk}", "50 %", "Paused", "gone", "300", "700 ms", "New deals"):
        assert shown in text


def test_a_server_that_nobody_reads_is_not_in_step(cast: Cast, server: TradingServer, browse) -> None:
    with reading(server, "deals") as run:
        assert run is not None
    browser = browse(cast.administrator)
    text = browser.get("/trading/health/").content.decode()
    assert "In sync" in text and "Not read" not in text
    long_ago = timezone.now() - dt.timedelta(minutes=3)
    SyncCursor.objects.filter(server=server).update(read_at=long_ago)
    text = browser.get("/trading/health/").content.decode()
    assert "Not read" in text and "In sync" not in text
    TradingServer.objects.filter(pk=server.pk).update(is_enabled=False)
    text = browser.get("/trading/health/").content.decode()
    assert "Switched off" in text and "Not read" not in text
