"""Quotes are kept around deals, thinned, and forgotten; where a server has none, the queue says so."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from risk.abuse import quotes
from risk.abuse.models import Tick
from tests.risk.abuse.test_episodes import write_deals
from tests.trading.factories import make_account, make_server, make_type
from trading.platforms.base import QuoteData
from trading.platforms.errors import NotStarted
from trading.sync import quotes as reading

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(quotes, "_written", {})
    monkeypatch.setattr(reading, "_chosen", {})


def quote(at: dt.datetime, bid: str = "1.1", ask: str = "1.1001", symbol: str = "EURUSD") -> QuoteData:
    return QuoteData(symbol, Decimal(bid), Decimal(ask), at)


def test_quotes_are_thinned_and_crossed_ones_left_out():
    server, now = make_server(), timezone.now()
    given = [
        quote(now),
        quote(now + dt.timedelta(milliseconds=100), "1.2", "1.2001"),  # within the same quarter of a second
        quote(now + dt.timedelta(seconds=1)),  # unchanged
        quote(now + dt.timedelta(seconds=2), "1.1002", "1.1001"),  # crossed
        quote(now + dt.timedelta(seconds=21)),  # still so
        quote(now + dt.timedelta(seconds=22), "1.1001", "1.1002"),
    ]
    assert quotes.keep_quotes(server, given) == 3
    assert quotes.keep_quotes(server, given) == 0
    assert [row.bid for row in Tick.objects.order_by("at_ms")] == [1.1, 1.1, 1.1001]


def test_what_no_deal_was_near_is_deleted(cast):
    server, now = make_server(), timezone.now()
    account = make_account(cast.client, server, login="501")
    deal_at = now - dt.timedelta(minutes=30)
    write_deals([(account, 1, 1, 0, 0, 1, 1.1, 0, deal_at)])
    after = {seconds: deal_at + dt.timedelta(seconds=seconds) for seconds in (-200, -10, 0, 60, 200)}
    for at in after.values():
        quotes.keep_quotes(server, [quote(at, f"{1 + at.timestamp() % 1000 / 1000:.5f}", "2.5")])
        quotes.keep_quotes(server, [quote(at, f"{1 + at.timestamp() % 1000 / 1000:.5f}", "2.5", "GBPUSD")])
    assert quotes.prune(now=now) == 7
    assert {row.at for row in Tick.objects.all()} == {
        after[seconds].replace(microsecond=after[seconds].microsecond // 1000 * 1000) for seconds in (-10, 0, 60)
    }
    assert quotes.forget_old(now=now + dt.timedelta(days=36)) == 3


def test_traded_symbols_are_quoted_and_errors_stop_nothing(cast, monkeypatch):
    server, now = make_server(), timezone.now()
    account = make_account(cast.client, server, login="501")
    write_deals([(account, 1, 1, 0, 0, 1, 1.1, 0, now - dt.timedelta(minutes=5))])

    class Market:
        def quotes_since(self, names):
            assert names == ["EURUSD"]
            return [quote(now)]

    class Away:
        def quotes_since(self, names):
            raise NotStarted("away", command="TICK_LAST")

    for platform, read in ((Market(), 1), (Away(), 0), (object(), 0)):
        monkeypatch.setattr(reading, "platform_for", lambda *_args, platform=platform: platform)
        assert reading.follow_quotes(server) == read
    row = Tick.objects.get()
    assert (row.server_id, row.symbol, row.bid, row.ask) == (server.pk, "EURUSD", 1.1, 1.1001)


def test_queue_names_servers_without_quotes(cast, browse):
    server, now = make_server(name="Quiet"), timezone.now()
    make_type(cast.brand, server)
    page, text = browse(cast.mlro), "No quotes around the latest deals: Quiet"
    assert text not in page.get(reverse("risk_abuse")).content.decode()  # nothing was traded
    account = make_account(cast.client, server, login="501")
    write_deals([(account, 1, 1, 0, 0, 1, 1.1, 0, now - dt.timedelta(hours=2))])
    assert text in page.get(reverse("risk_abuse")).content.decode()
    quotes.keep_quotes(server, [quote(now - dt.timedelta(hours=2, seconds=-20))])
    assert text not in page.get(reverse("risk_abuse")).content.decode()
