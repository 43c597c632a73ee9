"""Exchange rates from a connected trading server's own quotes, over real sockets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.models import FxFeed, FxRate
from crm.rates import feeds, fx
from crm.rates.feeds import FeedError
from tests.trading.sandbox_server import Sandbox
from trading.models import TradingServer
from trading.platforms.base import QuoteData
from trading.symbols import fx_quotes

pytestmark = pytest.mark.django_db


@pytest.fixture
def feed(server: TradingServer, settings, monkeypatch) -> str:
    monkeypatch.setattr(fx_quotes, "is_bank_day", lambda _day: True)
    settings.FX_FEEDS = [f"platform:{server.name}/EURUSD+EURGBP"]
    FxRate.objects.filter(currency__in=["USD", "GBP"]).delete()
    return settings.FX_FEEDS[0]


def test_a_servers_mid_prices_are_the_rates_of_the_day(feed: str, server: TradingServer, sandbox: Sandbox) -> None:
    assert feeds.fetch_all() == 2
    rows = {row.currency: row for row in FxRate.objects.filter(on=timezone.now().date(), currency__in=["USD", "GBP"])}
    assert {row.source for row in rows.values()} == {server.name}
    usd = rows["USD"].rate
    assert Decimal("0.8") < usd < Decimal("1.6")
    assert fx.rate("EUR", "USD", on=timezone.now().date()).is_fresh(now=timezone.now(), bank_days_max=1)
    feeds.fetch_all()
    assert FxRate.objects.get(currency="USD", on=timezone.now().date()).rate == usd, "a rate of a day never changes"
    assert FxFeed.objects.get(name=server.name).error == ""


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("EURXYZ", "No quote of EURXYZ|Unknown|not found"),
        ("GBPUSD", "symbols of the euro"),
        ("EURBTC", "symbols of the euro"),
        ("", "symbols of the euro"),
    ],
)
def test_what_is_no_rate_of_the_euro_is_refused(feed: str, server: TradingServer, named: str, words: str) -> None:
    with pytest.raises(FeedError, match=words) if named != "EURXYZ" else pytest.raises(FeedError):
        fx_quotes.read_platform(f"platform:{server.name}/{named}")


def test_a_server_that_is_away_or_switched_off_is_kept_with_the_feed(feed: str, server: TradingServer) -> None:
    server.port = 1
    server.save()
    assert feeds.fetch_all() == 0
    row = FxFeed.objects.get(name=server.name)
    assert row.error and row.succeeded_at is None
    server.is_enabled = False
    server.save()
    feeds.fetch_all()
    assert "switched on" in FxFeed.objects.get(name=server.name).error


@pytest.mark.parametrize(
    ("bid", "ask", "age", "words"),
    [
        ("1.10", "1.09", 0, "no bid below"),
        ("0", "1.10", 0, "no bid below"),
        ("1.00", "1.10", 0, "wider than"),
        ("1.10", "1.1002", 11, "is of 20"),
        ("1.10", "1.1002", -11, "is of 20"),
    ],
)
def test_an_old_crossed_or_wide_quote_is_no_rate(bid: str, ask: str, age: int, words: str) -> None:
    at = timezone.now() - dt.timedelta(minutes=age)
    with pytest.raises(FeedError, match=words):
        fx_quotes._published(QuoteData("EURUSD", Decimal(bid), Decimal(ask), at))


def test_on_a_day_that_is_no_bank_day_nothing_is_asked(server: TradingServer, monkeypatch) -> None:
    monkeypatch.setattr(fx_quotes, "is_bank_day", lambda _day: False)
    assert fx_quotes.read_platform(f"platform:{server.name}/EURUSD") == []
