"""Sums of trades are what the deals say, whoever wrote, edited or deleted them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection

from clients.facts import fact_of
from crm.db.partitions import ensure_months
from crm.models import FxRate
from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from tests.trading.made_up import made_up
from trading.models import AccountResult, ChangedDay, Deal, SymbolResult, TradingAccount, TradingServer
from trading.risk import performance
from trading.sync import results
from trading.sync.ingest import ingest

pytestmark = pytest.mark.django_db
MONDAY = dt.datetime(2026, 6, 29, 9, 30, tzinfo=dt.UTC)  # its week ends in July


@pytest.fixture
def server() -> TradingServer:
    return make_server()


@pytest.fixture
def account(cast: Cast, server: TradingServer) -> TradingAccount:
    return make_account(cast.client, server, login="1")


def closing(ticket: int, at: dt.datetime, profit: str, symbol: str = "EURUSD", **fields: object):
    values = {"entry": 1, "action": 1, "closed_lots": Decimal("0.1"), "profit": Decimal(profit), "executed_at": at}
    return made_up(ticket, symbol=symbol, **{**values, **fields})


def test_days_weeks_and_months_are_the_sums_of_closed_trades(account: TradingAccount, server: TradingServer) -> None:
    day = dt.timedelta(days=1)
    ingest(
        server,
        [
            made_up(1, executed_at=MONDAY, commission=Decimal("-0.30")),
            closing(2, MONDAY, "10.50"),
            closing(3, MONDAY + dt.timedelta(hours=5), "-4.20", "XAUUSD"),
            closing(4, MONDAY + 3 * day, "7.00", swap=Decimal("-1.00")),
            made_up(5, action=2, symbol="", profit=Decimal(1000), executed_at=MONDAY, entry=0),
        ],
    )
    assert results.refresh_all() == 2
    rows = {(row.period, row.start): row for row in AccountResult.objects.filter(account=account)}
    first = rows["d", MONDAY.date()]
    assert (first.trades, first.wins, first.lots, first.net) == (2, 1, Decimal("0.2"), Decimal("6.00"))
    assert dict(zip(first.hours, first.hour_nets, strict=True)) == {9: Decimal("10.20"), 14: Decimal("-4.20")}
    week = rows["w", dt.date(2026, 6, 29)]
    assert (week.trades, week.net) == (3, Decimal("12.00"))  # without the deposit
    assert (first.charges_base, week.charges_base) == (Decimal("-0.30"), Decimal("-0.30")), "without the swap"
    assert rows["m", dt.date(2026, 6, 1)].net == 6 and rows["m", dt.date(2026, 7, 1)].net == 6
    by_symbol = {(r.day, r.symbol): r.net for r in SymbolResult.objects.filter(account=account)}
    assert by_symbol[MONDAY.date(), "EURUSD"] == Decimal("10.20")
    assert fact_of(account.client, "trades_closed") == 3
    assert fact_of(account.client, "lots_closed") == sum(row.lots for key, row in rows.items() if key[0] == "m")
    assert results.differences() == 0


def test_an_edited_deal_and_a_deleted_one_change_the_sums(account: TradingAccount, server: TradingServer) -> None:
    ingest(server, [closing(2, MONDAY, "10.00"), closing(3, MONDAY, "5.00")])
    results.refresh_all()
    later = MONDAY + dt.timedelta(days=40)
    ingest(server, [closing(2, later, "12.00")])  # a dealer moved it to another month
    assert results.differences() > 0
    results.refresh_all()
    assert results.differences() == 0
    assert AccountResult.objects.get(account=account, period="m", start=dt.date(2026, 8, 1)).net == 12
    Deal.objects.filter(account=account).delete()
    results.refresh_all()
    assert not AccountResult.objects.exists() and not SymbolResult.objects.exists()


def test_a_deal_whose_owner_is_found_later_counts_from_then_on(cast: Cast, server: TradingServer) -> None:
    ingest(server, [closing(2, MONDAY, "10.00", login="7")])
    assert not ChangedDay.objects.exists()
    account = make_account(cast.client, server, login="7")
    Deal.objects.filter(login="7").update(account=account)
    results.refresh_all()
    assert AccountResult.objects.get(account=account, period="d").net == 10


def test_each_day_is_in_base_currency_at_its_own_rate(cast: Cast, server: TradingServer) -> None:
    base = cast.client.brand.base_currency
    assert base == "EUR"
    account = make_account(cast.client, server, login="9", currency="USD")
    FxRate.objects.filter(currency="USD").delete()
    FxRate.objects.create(on=dt.date(2026, 6, 1), currency="USD", rate=Decimal("1.25"))
    FxRate.objects.create(on=dt.date(2026, 6, 30), currency="USD", rate=Decimal("1.00"))
    ingest(server, [closing(2, MONDAY, "10", login="9"), closing(3, MONDAY + dt.timedelta(days=1), "10", login="9")])
    results.refresh_all()
    days = AccountResult.objects.filter(account=account, period="d").order_by("start")
    assert [row.net_base for row in days] == [Decimal("8.00"), Decimal("10.00")]
    assert AccountResult.objects.get(account=account, period="w").net_base == 18


def test_a_known_deal_names_no_day(account: TradingAccount, server: TradingServer) -> None:
    deal = closing(2, MONDAY, "10.00")
    ingest(server, [deal])
    results.refresh_all()
    ingest(server, [deal])
    assert not ChangedDay.objects.exists()


def test_one_refresh_at_a_time(account: TradingAccount, server: TradingServer) -> None:
    """Two at once: the one that read older deals could write last."""
    ingest(server, [closing(2, MONDAY, "10.00")])
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [results.LOCK])
        assert results.refresh() == 0
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [results.LOCK])
    finally:
        other.close()
    assert results.refresh() == 1


def test_how_an_account_fared_reads_deals_only_of_days_that_wait_and_of_no_other_month(account: TradingAccount) -> None:
    today = dt.datetime.now(dt.UTC).date()
    ensure_months("trading_deal", today - dt.timedelta(days=700), today)

    def scans() -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, seq_scan + idx_scan FROM pg_stat_xact_user_tables WHERE relname ~ '^trading_deal_\\d'"
            )
            return dict(cursor.fetchall())

    ChangedDay.objects.filter(account=account).delete()
    before = scans()
    for _ in range(7):  # from the sixth call on the plan is one for all accounts
        performance.track_record(account)
        performance.by_symbol(account)
    assert scans() == before
    waits = today - dt.timedelta(days=40)
    ChangedDay.objects.create(account=account, day=waits)
    performance.track_record(account)
    assert {name for name, count in scans().items() if count != before.get(name)} == {f"trading_deal_{waits:%Y_%m}"}
