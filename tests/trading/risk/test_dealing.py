"""What the dealing desk sees: winners, losers, what is held and by whom; within reach, in a bounded number of queries."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from crm.models import AccessEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.made_up import made_up
from trading.choices import Period
from trading.models import Position, SymbolInfo, TradingAccount, TradingServer
from trading.risk import dealing, performance
from trading.sync import results
from trading.sync.ingest import ingest

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(cast: Cast) -> TradingServer:
    server = make_server()
    make_type(cast.brand, server)
    return server


def account_with(cast: Cast, server: TradingServer, login: str, *profits: str, client=None, **fields) -> TradingAccount:
    """An account that closed trades with these profits today."""
    account = make_account(client or cast.client, server, login=login, equity=1000, equity_base=1000, **fields)
    now = timezone.now().replace(hour=12, minute=0)
    first = int(login) * 1000
    ingest(
        server,
        [
            made_up(
                first + n, login=login, entry=1, closed_lots=Decimal("0.5"), profit=Decimal(profit), executed_at=now
            )
            for n, profit in enumerate(profits)
        ],
    )
    results.refresh_all()
    return account


def view_of(cast: Cast, user, period: Period = Period.DAY, server=None) -> dealing.View:
    today = timezone.now().astimezone(dt.UTC).date()
    return dealing.View(user, cast.brand, server, period, dealing.start_of(period, today))


def test_winners_and_losers_by_account_and_by_client(cast: Cast, server: TradingServer) -> None:
    account_with(cast, server, "1", "100.00", "-30.00")
    account_with(cast, server, "2", "-90.00")
    account_with(cast, server, "3", "20.00", client=cast.other_client)
    account_with(cast, server, "4", "9999.00", is_demo=True)
    view = view_of(cast, cast.finance)
    won, lost = dealing.both_ends(view, by_client=False)
    assert [(row.login, row.net, row.win_percent) for row in won] == [("1", 70, 50), ("3", 20, 100)]
    assert [(row.login, row.net) for row in lost] == [("2", -90)]
    won, lost = dealing.both_ends(view, by_client=True)
    assert [row.client_id for row in won] == [cast.other_client.pk]
    assert [(row.client_id, row.net, row.accounts, row.trades) for row in lost] == [(cast.client.pk, -20, 2, 3)]
    totals = dealing.totals(view)
    assert (totals.net, totals.won, totals.lost, totals.winners, totals.losers) == (0, 90, -90, 2, 1)
    for period in (Period.WEEK, Period.MONTH):
        assert dealing.totals(view_of(cast, cast.finance, period)).net == 0


def test_only_clients_in_reach_count(cast: Cast, server: TradingServer) -> None:
    account_with(cast, server, "1", "100.00")
    account_with(cast, server, "3", "20.00", client=cast.other_client)
    view = view_of(cast, cast.agent)
    assert dealing.totals(view).net == 100
    assert [row.login for row in dealing.whole(view, by_client=False)] == ["1"]


def hold(account: TradingAccount, ticket: int, symbol: str, action: int, lots: str) -> None:
    Position.objects.create(
        server=account.server,
        ticket=ticket,
        account=account,
        symbol=symbol,
        action=action,
        lots=Decimal(lots),
        contract_size=100_000,
        price_open=1,
        price_current=Decimal("1.10"),
        profit=Decimal("12.00"),
        swap=0,
        opened_at=timezone.now(),
        server_msc=0,
        synced_at=timezone.now(),
    )


def test_exposure_is_net_in_lots_and_money_per_server_and_holder(cast: Cast, server: TradingServer) -> None:
    second = make_server(name="Second")
    SymbolInfo.objects.create(
        server=server,
        name="EURUSD.m",
        canonical="EURUSD",
        contract_size=100_000,
        currency_profit="EUR",
        read_at=timezone.now(),
    )
    SymbolInfo.objects.create(
        server=second,
        name="EURUSD",
        canonical="EURUSD",
        contract_size=100_000,
        currency_profit="EUR",
        read_at=timezone.now(),
    )
    one, two = (
        account_with(cast, server, "1"),
        make_account(cast.other_client, second, login="2", equity=1, equity_base=1),
    )
    hold(one, 1, "EURUSD.m", 0, "2.00")
    hold(one, 2, "EURUSD.m", 1, "0.50")
    hold(two, 3, "EURUSD", 1, "3.00")
    [row] = dealing.exposure(view_of(cast, cast.finance))
    assert (row.symbol, row.long_lots, row.short_lots, row.net_lots, row.positions, row.clients) == (
        "EURUSD",
        2,
        Decimal("3.5"),
        Decimal("-1.5"),
        3,
        2,
    )
    assert row.value == -165_000  # 150,000 units at 1.10, short
    [there] = dealing.exposure(view_of(cast, cast.finance, server=server))
    assert there.net_lots == Decimal("1.5") and there.profit == 24
    held = dealing.holders(view_of(cast, cast.finance), "EURUSD")
    assert [(row.login, row.net_lots) for row in held] == [("2", -3), ("1", Decimal("1.5"))]
    assert [row.login for row in dealing.holders(view_of(cast, cast.agent), "EURUSD")] == ["1"]


def test_the_pages_show_it_in_a_fixed_number_of_queries(
    cast: Cast, server: TradingServer, browse, django_assert_max_num_queries
) -> None:
    account = account_with(cast, server, "701", "100.00", "-30.00")
    account_with(cast, server, "702", "-55.00", client=cast.other_client)
    hold(account, 1, "XAUUSD", 0, "2.00")
    browser = browse(cast.finance)
    pins = {
        "/trading/dealing/": 14,
        "/trading/dealing/?by=client&period=m": 14,
        "/trading/exposure/": 12,
        "/trading/exposure/XAUUSD/": 13,
    }
    for path in pins:
        browser.get(path)
    for path, pin in pins.items():
        with django_assert_max_num_queries(pin):
            assert browser.get(path).status_code == 200, path
    text = browser.get("/trading/dealing/").content.decode()
    for shown in ("701", "702", "+€70.00", "XAUUSD", cast.client.full_name):
        assert shown in text
    before = (timezone.now() - dt.timedelta(days=40)).date()
    assert "No closed trades" in browser.get(f"/trading/dealing/?start={before}").content.decode()
    assert "No open positions" in browser.get("/trading/exposure/NONE/").content.decode()
    assert browse(cast.marketing).get("/trading/dealing/").status_code == 403


def test_an_export_is_allowed_by_right_and_leaves_a_trace(cast: Cast, server: TradingServer, browse) -> None:
    account = account_with(cast, server, "701", "100.00")
    hold(account, 1, "XAUUSD", 0, "2.00")
    exporter = next(
        u for u in (cast.finance, cast.desk_head, cast.administrator) if u.has_perm("clients.export_client")
    )
    for path, name in (("dealing/", "results"), ("exposure/", "exposure"), ("exposure/XAUUSD/", "holders")):
        answer = browse(exporter).get(f"/trading/{path}?export=csv")
        lines = answer.content.decode("utf-8-sig").splitlines()
        assert answer["Content-Type"].startswith("text/csv") and len(lines) == 2, path
        assert AccessEvent.objects.filter(kind="export", target=f"trading.{name}", rows=1).exists()
    without = next(u for u in (cast.agent, cast.support) if not u.has_perm("clients.export_client"))
    assert browse(without).get("/trading/dealing/?export=csv").status_code == 403


def test_an_account_is_shown_by_symbol_by_hour_and_by_day(cast: Cast, server: TradingServer) -> None:
    account = make_account(cast.client, server, login="1")
    at = (timezone.now() - dt.timedelta(days=3)).replace(hour=7)
    ingest(
        server,
        [
            made_up(1, login="1", entry=1, profit=Decimal("10"), closed_lots=Decimal(1), executed_at=at),
            made_up(
                2,
                login="1",
                entry=1,
                profit=Decimal("-4"),
                symbol="XAUUSD",
                executed_at=at + dt.timedelta(days=1, hours=2),
            ),
        ],
    )
    for _before_and_after in range(2):  # from the deals while the sums wait, then from the sums
        standing = performance.track_record(account)
        assert (standing.trades, standing.wins, standing.net, standing.days, standing.good_days) == (2, 1, 6, 2, 1)
        assert (standing.best_day, standing.worst_day, standing.win_percent) == (10, -4, 50)
        assert (standing.hours[7], standing.hours[9]) == (10, -4) and sum(standing.hours) == 6
        rows = performance.by_symbol(account)
        assert [(row.symbol, row.trades, row.net) for row in rows] == [("EURUSD", 1, 10), ("XAUUSD", 1, -4)]
        results.refresh_all()
