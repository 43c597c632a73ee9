"""Fills worse than usual are flagged: by the platform's own quote on a deal, else by those that are kept around deals."""

import datetime as dt
from decimal import Decimal

import pytest

from risk.abuse.models import Tick
from risk.retention.cases import judge_all
from risk.retention.choices import FlagKind
from risk.retention.models import RetentionFlag
from risk.retention.queries import open_flags
from tests.risk.retention.world import DAY, Floor
from trading.models import Deal

pytestmark = pytest.mark.django_db

SPREAD = Decimal("0.0001")
BID, ASK = Decimal("1.1"), Decimal("1.1") + SPREAD


def fills(floor: Floor, client, count: int, *, behind: float, days_ago: float, quoted: str = "deal") -> None:
    """Buys and sells so many spreads behind the quote, which is on the deal or kept beside."""
    account, slip = client.trading_accounts.get(), SPREAD * Decimal(str(behind))
    for n in range(count):
        at = floor.now - dt.timedelta(days=days_ago, minutes=n)
        floor.tickets += 1
        Deal.every.create(
            executed_at=at,
            server=floor.server,
            ticket=floor.tickets,
            account=account,
            login=account.login,
            server_msc=0,
            action=n % 2,
            entry=0,
            symbol="EURUSD",
            lots=1,
            closed_lots=0,
            contract_size=100_000,
            price=BID - slip if n % 2 else ASK + slip,
            price_position=0,
            profit=0,
            commission=0,
            swap=0,
            fee=0,
            position_id=floor.tickets,
            order_id=0,
            raw={"MarketBid": str(BID), "MarketAsk": str(ASK)} if quoted == "deal" else {"MarketBid": "0"},
            synced_at=at,
        )
        if quoted == "kept":
            before = at - dt.timedelta(seconds=3)
            ms = int(before.timestamp() * 1000)
            Tick.objects.bulk_create(
                [Tick(server=floor.server, symbol="EURUSD", at_ms=ms, at=before, bid=BID, ask=ASK)]
            )


def test_fills_worse_than_usual_are_flagged_with_the_context(floor):
    hurt, kept, marked_up, fair, blind = (
        floor.trader(name, every=1, until=0) for name in ("hurt", "kept", "marked", "fair", "blind")
    )
    fills(floor, hurt, 12, behind=0.1, days_ago=30)
    fills(floor, hurt, 8, behind=1.2, days_ago=1)
    fills(floor, kept, 6, behind=2, days_ago=1, quoted="kept")
    for days_ago in (30, 1):
        fills(floor, marked_up, 12, behind=1.5, days_ago=days_ago)
        fills(floor, fair, 12, behind=0, days_ago=days_ago)
    fills(floor, blind, 8, behind=3, days_ago=2, quoted="none")
    floor.now += dt.timedelta(seconds=1)
    judge_all(now=floor.now)
    found = RetentionFlag.objects.filter(kind=FlagKind.FILLS, ended_at=None)
    assert {flag.client for flag in found} == {hurt, kept}
    (shown,) = [row for row in open_flags(hurt) if row.flag.kind == FlagKind.FILLS]
    assert shown.usual == "Filled 0.10 spreads behind the quote before"
    assert shown.current == "The last 8 orders were filled 1.20 spreads behind the quote, 8 of them worse than usual"
    (other,) = [row for row in open_flags(kept) if row.flag.kind == FlagKind.FILLS]
    assert other.usual.startswith("Other clients are filled")
    # Fair fills end it.
    fills(floor, hurt, 10, behind=0, days_ago=0)
    judge_all(now=floor.now + DAY / 24)
    assert not found.filter(client=hurt).exists()
