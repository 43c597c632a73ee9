"""Clients' result of the day in steps: each notifies once a day, with the positions that make it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Notification
from risk.dealing.brand_policies import STEPS
from risk.dealing.choices import ResultScope
from risk.dealing.day_result import check_brand, follow_positions
from risk.dealing.models import DayResultAlert
from tests.risk.abuse.test_episodes import write_deals
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.risk.test_dealing import hold
from trading.models import Position, SymbolResult
from trading.platforms.base import PositionData
from trading.sync import positions

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def account(cast):
    """An account that closed 4,000 today and whose position is 7,500 ahead."""
    server = make_server()
    make_type(cast.brand, server)
    row = make_account(cast.client, server, login="1", currency="EUR", equity=1000, equity_base=1000, last_trade_at=NOW)
    hold(row, 7, "EURUSD", 0, "1.00")
    Position.objects.update(profit=7_500, swap=0)
    for day, net in ((NOW.date(), 4_000), (NOW.date() - dt.timedelta(days=1), 90_000)):
        SymbolResult.objects.create(account=row, day=day, symbol="EURUSD", trades=1, lots=1, net=net)
    return row


def test_each_step_is_raised_once_a_day_with_what_makes_it(cast, account):
    raised = check_brand(cast.brand, now=NOW)
    assert {(row.scope, row.key, row.step) for row in raised} == {
        ("brand", "", Decimal(10_000)),
        ("symbol", "EURUSD", Decimal(10_000)),
    }
    row = DayResultAlert.objects.get(scope="symbol")
    assert (row.closed, row.floating, row.day) == (4_000, 7_500, NOW.date())
    assert [(held["ticket"], held["login"], held["floating"]) for held in row.positions] == [(7, "1", "7500.00")]
    assert check_brand(cast.brand, now=NOW) == []
    Position.objects.update(profit=47_000)
    assert sorted(row.step for row in check_brand(cast.brand, now=NOW)) == [25_000, 25_000, 50_000, 50_000]
    assert Notification.objects.filter(user=cast.finance, kind="risk.day_result").count() == 6
    assert not Notification.objects.filter(user=cast.desk_head, kind="risk.day_result").exists()
    # The next day begins with nothing closed; what is open counts on.
    tomorrow = check_brand(cast.brand, now=NOW + dt.timedelta(days=1))
    assert {(row.closed, row.floating) for row in tomorrow} == {(0, 47_000)}


def test_a_position_closed_since_its_list_was_read_counts_once(cast, account):
    """Its deals are in the day's result before the next list of positions; of one closed in part, only the rest floats."""
    lots, opened = Decimal(1), NOW - dt.timedelta(hours=2)
    Position.objects.update(lots=lots, opened_at=opened)
    SymbolResult.objects.filter(day=NOW.date()).update(net=6_000)

    def deal(ticket: int, entry: int, size: str, profit: int) -> tuple[Any, ...]:
        at = opened + entry * dt.timedelta(hours=1)
        return account, ticket, 7, entry, entry, Decimal(size), 1.1, profit, at

    write_deals([deal(1, 0, "1.00", 0), deal(2, 1, "0.40", 3_000)])
    assert check_brand(cast.brand, now=NOW)
    row = DayResultAlert.objects.get(scope="brand")
    assert (row.closed, row.floating) == (6_000, 4_500)  # 0.6 of 7,500
    assert [held["lots"] for held in row.positions] == [str(Decimal("0.6"))]
    write_deals([deal(3, 1, "0.60", 4_500)])
    SymbolResult.objects.filter(day=NOW.date()).update(net=10_500)
    DayResultAlert.objects.all().delete()
    check_brand(cast.brand, now=NOW)
    row = DayResultAlert.objects.get(scope="brand")
    assert (row.closed, row.floating, row.positions) == (10_500, 0, [])


def test_demo_accounts_losses_and_brands_without_steps_raise_nothing(cast, account, monkeypatch):
    Position.objects.update(profit=-7_500)
    assert check_brand(cast.brand, now=NOW) == []
    Position.objects.update(profit=70_000)
    assert follow_positions(account.server)
    DayResultAlert.objects.all().delete()
    type(account).objects.filter(pk=account.pk).update(is_demo=True)
    assert check_brand(cast.brand, now=NOW) == []


def test_steps_are_checked_when_positions_are_read(cast, account, monkeypatch):
    listed = PositionData(
        ticket=8,
        login="1",
        symbol="EURUSD",
        action=0,
        lots=Decimal(1),
        contract_size=Decimal(100_000),
        price_open=Decimal(1),
        price_current=Decimal("1.2"),
        profit=Decimal(20_000),
        swap=Decimal(0),
        opened_at=NOW,
        server_msc=0,
        comment="",
    )

    class Listing:
        def positions(self, *, mask):
            return [listed]

    monkeypatch.setattr(positions, "platform_for", lambda *_args: Listing())
    positions.sync_positions(account.server)
    assert DayResultAlert.objects.filter(scope="brand", floating=20_000).exists()


def test_steps_are_whole_amounts(cast):
    kind = STEPS[ResultScope.BRAND].kind
    assert kind.clean(["10000", " 25000 "]) == ["10000", "25000"]
    for text in ("-5", "1.5", "0", "9" * 13, "ten"):
        with pytest.raises(Exception, match="isn't valid here"):
            kind.clean([text])


def test_list_and_page_are_for_the_dealers_of_the_whole_brand(cast, account, browse):
    alert = check_brand(cast.brand, now=NOW)[0]
    browser = browse(cast.finance)
    assert len(browser.get(reverse("risk_day_results")).context["table"].page.rows) == 2
    assert "7" in browser.get(alert.get_absolute_url()).content.decode()
    sales = browse(cast.desk_head)
    assert sales.get(reverse("risk_day_results")).status_code == 403
    assert sales.get(alert.get_absolute_url()).status_code == 403
