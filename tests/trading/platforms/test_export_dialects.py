"""The SQL export in databases of every kind: MySQL over its protocol, SQL Server and Oracle by their own SQL."""

from __future__ import annotations

import datetime as dt
import gc
import importlib
import re
import socket
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest

from crm.errors import DomainError
from tests.trading.factories import make_server
from tests.trading.foreign_sql import ForeignConnection, ForeignDatabase, mysql_address
from tests.trading.platforms.test_gate import in_child
from trading.platforms.base import Right
from trading.platforms.errors import FinalError, NotStarted, ReadTimedOut
from trading.platforms.mt5 import dialects
from trading.platforms.mt5.export import SqlExport
from trading.servers import connection_settings

CET = ZoneInfo("CET")
NO_OVERLAP = dt.timedelta(0)
STAMP = 131896750505077858
BIG = 4_611_686_018_427_387_905
USERS = (
    "Login bigint PRIMARY KEY, `Group` varchar(64), Leverage int, Rights bigint, Name varchar(128), Comment varchar(64),"
    " Balance decimal(20,2), Credit decimal(20,2), Email varchar(64), Registration datetime"
)
ACCOUNTS = (
    "Login bigint PRIMARY KEY, Balance decimal(20,2), Credit decimal(20,2), Floating decimal(20,2), Equity decimal(20,2),"
    " Margin decimal(20,2), MarginFree decimal(20,2), MarginLevel decimal(20,2)"
)
POSITIONS = (
    "Position_ID bigint PRIMARY KEY, `Timestamp` bigint, Login bigint, Symbol varchar(32), Action int, ContractSize int,"
    " TimeCreate datetime, PriceOpen decimal(20,5), PriceCurrent decimal(20,5), VolumeExt bigint, Profit decimal(20,2),"
    " Storage decimal(20,2), Comment varchar(32)"
)
DEALS = (
    "Deal bigint PRIMARY KEY, `Timestamp` bigint, Login bigint, Action int, Entry int, Symbol varchar(32),"
    " Price decimal(20,5), VolumeExt bigint, Profit decimal(20,2), `Time` datetime, TimeMsc datetime(3), PositionID bigint,"
    " Comment varchar(32)"
)
TABLES = {
    "mt5_users": USERS,
    "mt5_accounts": ACCOUNTS,
    "mt5_positions": POSITIONS,
    "mt5_deals_2018": DEALS,
    "mt5_deals": DEALS,
}
AT, AT_MSC = "2018-12-19 07:37:30", "2018-12-19 07:37:30.507"


def statements() -> Iterator[str]:
    """A small export, in MySQL's words."""
    for name, columns in TABLES.items():
        yield f"DROP TABLE IF EXISTS {name}"
        yield f"CREATE TABLE {name} ({columns})"
    for login, group in ((1001, "real\\\\pro"), (1002, "real\\\\test"), (1003, "demo\\\\x")):
        yield (
            f"INSERT INTO mt5_users VALUES ({login}, '{group}', 30, 483, 'Zoë {login}', 'keelson-7', '50.25', '0.00',"
            f" 'a@b.example', '{AT}')"
        )
        yield f"INSERT INTO mt5_accounts VALUES ({login}, '50.25', '0.00', '1.50', '51.75', '10.00', '41.75', '517.50')"
        yield (
            f"INSERT INTO mt5_positions VALUES ({login + 7000}, {STAMP}, {login}, 'EURGBP', 1, 100000, '{AT}', '0.90256',"
            f" '0.90245', 25000000, '-14.07', '-0.50', 'held')"
        )
    for number in range(1, 8):
        table = "mt5_deals_2018" if number < 7 else "mt5_deals"
        ticket, login = BIG + number, 1000 + min(number, 4)  # nobody knows login 1004
        stamp = STAMP if number < 6 else STAMP + number
        yield (
            f"INSERT INTO {table} VALUES ({ticket}, {stamp}, {login}, 0, 0, 'EURGBP', '0.90256', 100000000, '1.25',"
            f" '{AT}', '{AT_MSC}', 9, 'a=b|c')"
        )


@pytest.fixture(scope="module")
def mysql() -> Iterator[str]:
    with mysql_address() as address:
        driver, url = importlib.import_module("pymysql"), urlsplit(address)
        writer = driver.connect(
            host=url.hostname,
            port=url.port,
            user=url.username,
            password=url.password or "",
            database=url.path[1:],
            autocommit=True,
            charset="utf8mb4",
        )
        with writer.cursor() as cursor:
            for statement in statements():
                cursor.execute(statement)
        writer.close()
        yield address


class ForeignExport(SqlExport):
    """A reader whose driver is the parser of the dialect; everything else is what the product does."""

    def __init__(self, scheme: str, database: ForeignDatabase, page: int = 3) -> None:
        super().__init__(f"{scheme}://reader@nowhere/export?schema=main", CET, page=page)
        self._connection = ForeignConnection(database)


def foreign(scheme: str) -> ForeignExport:
    name, fold = {"mssql": ("tsql", str), "oracle": ("oracle", str.upper)}[scheme]
    writer = ForeignDatabase("mysql")
    for statement in statements():
        writer.run(statement)
    database = ForeignDatabase(name, fold)
    database.db = writer.db
    return ForeignExport(scheme, database)


@pytest.fixture(params=["mysql", "mssql", "oracle"])
def export(request: pytest.FixtureRequest) -> Iterator[SqlExport]:
    if request.param == "mysql":
        reader = SqlExport(request.getfixturevalue("mysql"), CET, page=3)
    else:
        reader = foreign(request.param)
    yield reader
    reader.close()


def test_deals_come_by_their_stamp_whole_stamps_and_exact(export: SqlExport) -> None:
    seen, cursor, pages = [], STAMP - 1, 0
    while True:
        page = export.deals_since(cursor, mask="*", overlap=NO_OVERLAP)
        seen += page.deals
        cursor, pages = page.cursor, pages + 1
        if not page.has_more:
            break
    assert [deal.ticket - BIG for deal in seen] == [1, 2, 3, 4, 5, 6, 7] and pages == 2
    deal = seen[0]
    assert (deal.price, deal.lots, deal.profit, deal.comment) == (Decimal("0.90256"), 1, Decimal("1.25"), "a=b|c")
    assert deal.executed_at == dt.datetime(2018, 12, 19, 6, 37, 30, 507000, tzinfo=dt.UTC)
    assert (deal.login, deal.position_id, deal.raw["PositionID"]) == ("1001", 9, "9")
    assert page.clock.offset_seconds in (3600, 7200)


def test_a_mask_is_followed_in_every_dialect(export: SqlExport) -> None:
    page = export.deals_since(STAMP, mask="real*,!real\\test", overlap=dt.timedelta(seconds=1))
    assert {deal.login for deal in page.deals} == {"1001", "1004"}  # a stranger's deal is not dropped
    assert [row.login for row in export.accounts(mask="real*,!real\\test")] == ["1001"]
    assert list(export.accounts(mask="nobody*")) == []


def test_accounts_money_and_positions_are_read_page_by_page(export: SqlExport) -> None:
    export.page = 2
    found = list(export.accounts(mask="*"))
    assert [row.login for row in found] == ["1001", "1002", "1003"]
    one = found[0]
    assert (one.group, one.leverage, one.balance, one.name) == ("real\\pro", 30, Decimal("50.25"), "Zoë 1001")
    assert Right.TRADE in one.allowed and one.registered_at == dt.datetime(2018, 12, 19, 6, 37, 30, tzinfo=dt.UTC)
    money = list(export.group_money("*"))
    assert [(row.login, row.equity, row.margin_level) for row in money][:1] == [
        ("1001", Decimal("51.75"), Decimal("517.5"))
    ]
    held = export.positions(mask="demo*")
    assert [(row.ticket, row.lots, row.profit, row.swap) for row in held] == [
        (8003, Decimal("0.25"), Decimal("-14.07"), Decimal("-0.5"))
    ]


def test_queries_are_written_as_each_database_wants_them() -> None:
    asked = {}
    for scheme in ("mssql", "oracle"):
        reader = foreign(scheme)
        reader.deals_since(STAMP - 1, mask="real*", overlap=NO_OVERLAP)
        assert isinstance(reader._connection, ForeignConnection)
        asked[scheme] = [query for query in reader._connection.database.asked if "ORDER BY" in query]
    assert asked["mssql"][0].startswith(
        "SELECT TOP (3) * FROM [main].[mt5_deals] WHERE [Timestamp] > %s AND ([Login] NOT IN ("
    )
    assert re.search(r'FROM "MAIN"\."MT5_DEALS" WHERE "TIMESTAMP" > :1 AND .* IN \(:2\)', asked["oracle"][0])
    assert asked["oracle"][0].endswith('ORDER BY "TIMESTAMP", "DEAL" FETCH FIRST 3 ROWS ONLY')
    assert "LIMIT" not in str(asked)


def test_a_lost_connection_is_told_and_opened_again(mysql: str) -> None:
    reader = SqlExport(mysql, CET)
    assert reader.deals_since(STAMP - 1, mask="*", overlap=NO_OVERLAP).deals
    reader._connection._force_close()
    with pytest.raises(ReadTimedOut, match="lost"):
        reader.deals_since(STAMP - 1, mask="*", overlap=NO_OVERLAP)
    assert reader.deals_since(STAMP - 1, mask="*", overlap=NO_OVERLAP).deals
    reader.close()


def test_a_mysql_connection_does_not_cross_a_fork(mysql: str) -> None:
    reader = SqlExport(mysql, CET)
    reader.deals_since(STAMP - 1, mask="*", overlap=NO_OVERLAP)
    mine = reader._connection.thread_id()

    def child() -> str:
        count = len(reader.deals_since(STAMP - 1, mask="*", overlap=NO_OVERLAP).deals)
        return f"{count} {reader._connection.thread_id() != mine}"

    assert in_child(child) == "7 True"
    assert len(reader.deals_since(STAMP - 1, mask="*", overlap=NO_OVERLAP).deals) == 7
    assert reader._connection.thread_id() == mine
    reader.close()


@pytest.mark.parametrize("scheme", ["mysql", "mssql", "oracle"])
def test_a_server_that_is_away_or_says_nothing_was_not_started(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "CONNECT_SECONDS", 1)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # a driver that waits until its peer goes, and closes nothing then
        with socket.create_server(("127.0.0.1", 0)) as mute:
            for port in (1, mute.getsockname()[1]):
                reader = SqlExport(f"{scheme}://reader:Secret-1!@127.0.0.1:{port}/export", CET, read_seconds=1)
                with pytest.raises(NotStarted, match="can't reach") as error:
                    reader.deals_since(None, mask="*", overlap=NO_OVERLAP)
                assert "Secret" not in str(error.value)
                reader.close()
        for thread in list(dialects._connecting.values()):
            thread.join(5)
            assert not thread.is_alive()
        del error
        gc.collect()


def test_a_table_that_is_missing_and_a_name_that_is_none_are_told(mysql: str, tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").touch()
    reader = SqlExport(f"sqlite://{tmp_path}/empty.sqlite", CET)
    with pytest.raises(FinalError, match="no table mt5_deals"):
        reader.deals_since(None, mask="*", overlap=NO_OVERLAP)
    with pytest.raises(FinalError, match="no table mt5_positions"):
        reader.positions(mask="*")
    with pytest.raises(FinalError, match="is no schema's name"):
        SqlExport("oracle://reader@host/export?schema=x';drop", CET)
    with pytest.raises(FinalError, match="is called"):
        dialects.DIALECTS["mssql"].quote("a]b")


@pytest.mark.django_db
def test_an_address_without_its_driver_is_refused_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    server = make_server()
    real = importlib.import_module

    def without(name: str, *rest: object) -> object:
        if name == "pytds":
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(dialects.importlib, "import_module", without)
    with pytest.raises(DomainError, match=r"pip install 'keelson\[exports\]'"):
        connection_settings.set_export(server, "mssql://reader@host/export")
    connection_settings.set_export(server, "mysql://reader@host/export")
    assert server.reads_export
