"""A broker's SQL export: the change stamp as a cursor, recorded rows, and the same deals as the Web API tells."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection

from tests.cast import Cast
from tests.trading.factories import make_account, make_server
from tests.trading.platforms.test_gate import in_child
from tests.trading.sandbox_server import Sandbox, running_sandbox
from trading.models import Deal, DealEdit, SyncCursor
from trading.platforms import pool
from trading.platforms.base import DealPage
from trading.platforms.errors import FinalError, NotStarted
from trading.platforms.mt5 import stamps
from trading.platforms.mt5.export import SqlExport
from trading.platforms.mt5.platform import Mt5Platform
from trading.platforms.mt5.stamps import filetime, from_filetime
from trading.sync import deals

EET, CET = ZoneInfo("EET"), ZoneInfo("CET")
NO_OVERLAP = dt.timedelta(0)
RECORDED = 131896750505077858  # a row of a real export: 2018-12-19 06:37:30.507785 UTC
COLUMNS = (
    '"Deal" bigint PRIMARY KEY, "Timestamp" bigint, "Login" bigint, "Order" bigint, "Action" int, "Entry" int, "Reason" int,'
    ' "ContractSize" numeric, "Time" timestamp, "TimeMsc" timestamp(3), "Symbol" varchar(32), "Price" numeric,'
    ' "VolumeExt" bigint, "VolumeClosedExt" bigint, "Profit" numeric, "Storage" numeric, "Commission" numeric, "Fee" numeric,'
    ' "RateProfit" numeric, "PositionID" bigint, "Comment" varchar(32), "ProfitRaw" numeric, "PricePosition" numeric'
)
# Deals of a recorded export: a deposit, and a hedged position in and out.
DEPOSIT = {"Deal": 3, "Action": 2, "Profit": "30000", "Comment": "Deposit", "Symbol": ""}
BOUGHT = {"Deal": 15, "Action": 0, "Symbol": "EURGBP", "Price": "0.90256", "VolumeExt": 100000000, "PositionID": 1}
SOLD = {
    "Deal": 16,
    "Action": 1,
    "Entry": 1,
    "Symbol": "EURGBP",
    "Price": "0.90245",
    "VolumeExt": 100000000,
    "VolumeClosedExt": 100000000,
    "PricePosition": "0.90256",
    "ProfitRaw": "-11",
    "RateProfit": "1.27886",
    "Profit": "-14.07",
    "PositionID": 1,
}


class Tables:
    """Export tables in a schema of their own, written over a connection of their own."""

    def __init__(self) -> None:
        values = connection.get_connection_params()
        names = ("host", "port", "user", "password", "dbname")
        self.db = psycopg.connect(**{name: values[name] for name in names if values.get(name)}, autocommit=True)
        self.db.execute(
            "DROP SCHEMA IF EXISTS mt5_export CASCADE; CREATE SCHEMA mt5_export; SET search_path = mt5_export"
        )
        self.db.execute('CREATE TABLE mt5_users ("Login" bigint PRIMARY KEY, "Group" varchar(64))')
        info = self.db.info
        password = f":{info.password}" if info.password else ""
        self.url = f"postgresql://{info.user}{password}@/{info.dbname}?host={info.host}&port={info.port}"

    def add(
        self, table: str, row: dict[str, object], *, stamp: int = RECORDED, at: str = "2018-12-19 07:37:30.507"
    ) -> None:
        self.db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({COLUMNS})")
        values = {
            "Login": 1001,
            "Order": 0,
            "Entry": 0,
            "Reason": 0,
            "ContractSize": 100000,
            "Time": at[:19],
            "TimeMsc": at,
            "Timestamp": stamp,
            "VolumeExt": 0,
            "VolumeClosedExt": 0,
            "Profit": 0,
            "Storage": 0,
            "Commission": 0,
            "Fee": 0,
            "Price": 0,
            "PricePosition": 0,
            "PositionID": 0,
            "Comment": "",
            **row,
        }
        quoted, marks = ", ".join(f'"{name}"' for name in values), ", ".join(["%s"] * len(values))
        self.db.execute(f"INSERT INTO {table} ({quoted}) VALUES ({marks})", list(values.values()))


class SchemaExport(SqlExport):
    """Sees only the schema of the test."""

    def _tables(self, pattern):  # type: ignore[no-untyped-def]
        self._connection.execute("SET search_path = mt5_export")
        return super()._tables(pattern)


@pytest.fixture
def tables(db: None) -> Iterator[Tables]:
    tables = Tables()
    yield tables
    tables.db.execute("DROP SCHEMA mt5_export CASCADE")
    tables.db.close()


@pytest.fixture
def reader(tables: Tables) -> Iterator[SchemaExport]:
    reader = SchemaExport(tables.url, CET, page=3)
    yield reader
    reader.close()


# -- the change stamp -------------------------------------------------------------------------------------------------


def test_the_recorded_change_stamp_is_utc_and_shows_the_servers_offset() -> None:
    """facts/platforms §1.10."""
    changed = from_filetime(RECORDED)
    assert changed == dt.datetime(2018, 12, 19, 6, 37, 30, 507785, tzinfo=dt.UTC)
    assert abs(filetime(changed) - RECORDED) < 20  # microseconds are all that Python has
    server_msc = int(dt.datetime(2018, 12, 19, 7, 37, 30, 507000, tzinfo=dt.UTC).timestamp() * 1000)
    assert stamps.offset_of(server_msc, changed) == 3600
    assert stamps.instant_of(server_msc, changed, CET) == changed.replace(microsecond=507000)
    assert stamps.offset_of(server_msc, changed + dt.timedelta(minutes=5)) is None  # edited later: it shows nothing


def test_in_the_doubled_hour_the_change_stamp_tells_which_one() -> None:
    for hour in (0, 1):
        instant = dt.datetime(2026, 10, 25, hour, 30, tzinfo=dt.UTC)
        wall = int(dt.datetime(2026, 10, 25, 3, 30, tzinfo=dt.UTC).timestamp() * 1000)
        assert stamps.instant_of(wall, instant + dt.timedelta(seconds=1), EET) == instant


# -- recorded rows in PostgreSQL --------------------------------------------------------------------------------------


def test_recorded_deals_are_read_exact(tables: Tables, reader: SchemaExport) -> None:
    for number, row in enumerate((DEPOSIT, BOUGHT, SOLD)):
        tables.add("mt5_deals_2018", row, stamp=RECORDED + number)
    page = reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP)
    deposit, bought, sold = page.deals
    assert (deposit.ticket, deposit.action, deposit.profit, deposit.comment) == (3, 2, 30000, "Deposit")
    assert (bought.symbol, bought.lots, bought.price, bought.position_id) == ("EURGBP", 1, Decimal("0.90256"), 1)
    assert (sold.entry, sold.closed_lots, sold.profit) == (1, 1, Decimal("-14.07"))
    assert bought.executed_at == dt.datetime(2018, 12, 19, 6, 37, 30, 507000, tzinfo=dt.UTC)
    assert (page.cursor, page.clock.offset_seconds) == (RECORDED + 2, 3600)


def test_an_edit_of_a_deal_from_another_year_is_found_by_its_stamp(tables: Tables, reader: SchemaExport) -> None:
    tables.add("mt5_deals_2018", BOUGHT)
    tables.add("mt5_deals", SOLD, stamp=RECORDED + 10, at="2019-01-07 07:37:30.507")
    first = reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP)
    tables.db.execute('UPDATE mt5_deals_2018 SET "Profit" = 5, "Timestamp" = %s', [RECORDED + 99])
    second = reader.deals_since(first.cursor, mask="*", overlap=NO_OVERLAP)
    assert [(deal.ticket, deal.profit) for deal in second.deals] == [(15, 5)]
    assert reader.deals_since(second.cursor, mask="*", overlap=NO_OVERLAP).deals == []
    again = reader.deals_since(second.cursor, mask="*", overlap=dt.timedelta(seconds=30))
    assert len(again.deals) == 2  # rows that were committed late stand in the overlap


def test_pages_never_cut_a_change_stamp_in_two(tables: Tables, reader: SchemaExport) -> None:
    for number in range(1, 8):  # a bulk change: more rows of one stamp than a page holds
        tables.add("mt5_deals_2018", {**BOUGHT, "Deal": number}, stamp=RECORDED if number > 1 else RECORDED - 1)
    tables.add("mt5_deals_2019", {**BOUGHT, "Deal": 8}, stamp=RECORDED + 5)
    cursor, seen, pages = RECORDED - 2, [], 0
    while True:
        page = reader.deals_since(cursor, mask="*", overlap=NO_OVERLAP)
        seen += [deal.ticket for deal in page.deals]
        cursor, pages = page.cursor, pages + 1
        if not page.has_more:
            break
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8] and pages == 2


def test_a_mask_leaves_groups_out_and_strangers_in(tables: Tables, reader: SchemaExport) -> None:
    tables.db.execute("INSERT INTO mt5_users VALUES (1, 'real\\pro'), (2, 'real\\test'), (3, 'demo\\x')")
    for login in (1, 2, 3, 4):
        tables.add("mt5_deals", {**BOUGHT, "Deal": login, "Login": login})
    page = reader.deals_since(RECORDED - 1, mask="real*,!real\\test", overlap=NO_OVERLAP)
    assert [deal.login for deal in page.deals] == ["1", "4"]  # nobody knows login 4: its deal is not dropped


def test_an_export_that_is_none_says_so_without_its_password(tables: Tables, reader: SchemaExport) -> None:
    with pytest.raises(FinalError, match="no table mt5_deals"):
        reader.deals_since(None, mask="*", overlap=NO_OVERLAP)
    broken = SqlExport("postgresql://reader:Secret-1!@127.0.0.1:1/x", EET)
    with pytest.raises(NotStarted) as error:
        broken.deals_since(None, mask="*", overlap=NO_OVERLAP)
    assert "Secret" not in str(error.value)
    with pytest.raises(FinalError, match="not from db2"):
        SqlExport("db2://x/y", EET)


def test_the_reader_can_not_write_and_survives_a_lost_connection(tables: Tables, reader: SchemaExport) -> None:
    tables.add("mt5_deals", BOUGHT)
    reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        reader._connection.execute("DELETE FROM mt5_deals")
    pid = reader._connection.info.backend_pid
    tables.db.execute("SELECT pg_terminate_backend(%s)", [pid])
    time.sleep(0.2)
    with pytest.raises(Exception, match="lost"):
        reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP)
    assert len(reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP).deals) == 1


def test_the_exports_connection_does_not_cross_a_fork(tables: Tables, reader: SchemaExport) -> None:
    tables.add("mt5_deals", BOUGHT)
    reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP)
    mine = reader._connection.info.backend_pid

    def child() -> str:
        count = len(reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP).deals)
        return f"{count} {reader._connection.info.backend_pid != mine}"

    assert in_child(child) == "1 True"
    assert len(reader.deals_since(RECORDED - 1, mask="*", overlap=NO_OVERLAP).deals) == 1
    assert reader._connection.info.backend_pid == mine


# -- the sandbox's own export -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exporting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, str]]:
    folder: Path = tmp_path_factory.mktemp("export")
    with running_sandbox(":memory:", "--export", str(folder / "export.sqlite"), "--world", "seeded") as sandbox:
        yield sandbox, f"sqlite:///{folder / 'export.sqlite'}"
        pool.close_all()


def until(condition, seconds: float = 5.0) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_both_ways_to_read_tell_the_same_deals(exporting: tuple[Sandbox, str]) -> None:
    sandbox, url = exporting
    reader = SqlExport(url, EET, page=250)
    since, cursor, told = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), filetime(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)), {}
    while True:
        page = reader.deals_since(cursor, mask="*", overlap=NO_OVERLAP)
        told.update({deal.ticket: deal for deal in page.deals})
        cursor = page.cursor
        if not page.has_more:
            break
    reader.close()
    with sandbox.client() as client:
        platform = Mt5Platform(client, EET)
        first = int(since.timestamp() * 1000)
        api = {deal.ticket: deal for deal in platform.deals(mask="*", from_msc=first, to_msc=first + 40 * 86_400_000)}
    from trading.sync.ingest import is_changed

    assert api and api.keys() <= told.keys()  # the archived account is in no group, but in the export
    fields = [name for name in api[next(iter(api))].__slots__ if name != "raw"]
    for ticket, deal in api.items():
        assert [getattr(deal, name) for name in fields] == [getattr(told[ticket], name) for name in fields]
        assert not is_changed(deal.raw, told[ticket].raw)


def test_both_ways_to_read_tell_the_same_accounts_and_positions(exporting: tuple[Sandbox, str]) -> None:
    sandbox, url = exporting
    sandbox.post("calendar", calendar="closed")  # prices stand still
    time.sleep(0.5)
    reader = SqlExport(url, EET, page=5)
    with sandbox.client() as client:
        platform = Mt5Platform(client, EET)
        logins = platform.logins("real*")
        told = {row.login: row for row in reader.accounts(mask="real*")}
        archived = told.pop("600012", None)
        assert sorted(told) == sorted(logins) and archived is None
        assert told == {row.login: row for row in platform.read_accounts(logins)}
        moving = {row.login: row for row in platform.group_money("*")}
        assert {row.login: (row.balance, row.credit) for row in reader.group_money("*")} == {
            login: (row.balance, row.credit) for login, row in moving.items()
        }
        (held,) = platform.positions(mask="*")
        (stored,) = reader.positions(mask="*")
    assert (stored.ticket, stored.lots, stored.price_open, stored.opened_at, stored.swap) == (
        held.ticket,
        held.lots,
        held.price_open,
        held.opened_at,
        held.swap,
    )
    reader.close()
    sandbox.post("calendar", calendar="always")


@pytest.mark.django_db
def test_a_server_with_an_export_is_read_from_it(cast: Cast, exporting: tuple[Sandbox, str]) -> None:
    sandbox, url = exporting
    server = make_server(port=sandbox.port)
    server.set_export_url(url)
    server.save()
    account = make_account(cast.client, server, login=sandbox.new_account())
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "700.00", "COMMENT": "D:EXP"})
    before = sandbox.command_count("DEAL_GET_BATCH")
    until(lambda: deals.sync_deals(server) and Deal.objects.filter(account=account).exists())
    deal = Deal.objects.get(account=account)
    assert (deal.profit, deal.comment) == (700, "D:EXP")
    sandbox.post("deal/edit", ticket=deal.ticket, Comment="corrected")
    until(
        lambda: deals.sync_deals(server) and Deal.objects.get(ticket=deal.ticket, server=server).comment == "corrected"
    )
    assert DealEdit.objects.get(server=server, ticket=deal.ticket).after["Comment"] == "corrected"
    assert sandbox.command_count("DEAL_GET_BATCH") == before
    cursor = SyncCursor.objects.get(server=server, kind="deals_export")
    assert abs((from_filetime(cursor.position_msc) - dt.datetime.now(dt.UTC)).total_seconds()) < 60
    assert cursor.clock_offset_seconds in (7200, 10800) and not cursor.error
    fresh = SyncCursor.objects.get(server=server, kind="deals")
    assert fresh.read_at is not None and fresh.lag_ms is not None
    server.set_export_url("")  # back to the Web API: nothing is taken for changed
    server.save()
    done = deals.sync_deals(server)
    assert done is not None and deal.ticket not in done.changed


@pytest.mark.django_db
def test_an_error_in_the_middle_of_a_long_read_goes_on_from_there(
    exporting: tuple[Sandbox, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, url = exporting
    server = make_server(port=sandbox.port)
    server.set_export_url(url)
    server.save()
    start = filetime(dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    SyncCursor.objects.create(server=server, kind="deals_export", position_msc=start)
    reader = SqlExport(url, EET, page=100)
    asked: list[int] = []

    class Failing:
        def deals_since(self, cursor: int, *, mask: str, overlap: dt.timedelta) -> DealPage:
            asked.append(cursor)
            if len(asked) == 3:
                raise NotStarted("the export is away")
            return reader.deals_since(cursor, mask=mask, overlap=overlap)

    monkeypatch.setattr(deals, "deal_source", lambda _server: Failing())
    assert deals.sync_deals(server) is None
    cursor = SyncCursor.objects.get(server=server, kind="deals_export")
    assert start < cursor.position_msc == asked[2] and "away" in cursor.error
    kept = Deal.objects.filter(server=server).count()
    assert kept >= 200
    SyncCursor.objects.filter(pk=cursor.pk).update(failures=0)
    done = deals.sync_deals(server)
    assert done is not None and asked[3] == asked[2]
    assert Deal.objects.filter(server=server).count() > kept
    reader.close()
