"""Drivers that connect by themselves, of streams and exports: to the address that was checked, and to no other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from crm.errors import DomainError
from tests.crm.outside.test_destinations import names, production  # noqa: F401
from tests.trading.contract.arena_matchtrader import MatchTrader
from tests.trading.factories import make_server
from tests.trading.foreign_sql import mysql_address
from tests.trading.matchtrader_server import over, until
from tests.trading.sandbox_process import started
from trading.platforms.errors import NotStarted
from trading.platforms.mt5.dialects import dialect_of, open_export, places_of
from trading.servers import connection_settings

NOWHERE = "10.255.255.1"
EXPORTS = (
    "postgresql://u:p@export.example:{port}/db",
    "mysql://u:p@export.example:{port}/db",
    "mssql://u:p@export.example:{port}/db",
    "oracle://u:p@export.example:{port}/db",
)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A service beside us: its port, and who came."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                came.append(address)
                connection.close()

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("url", EXPORTS)
@pytest.mark.django_db
def test_an_export_that_moves_inside_later_is_not_followed(production, names, listener, url):
    """It was public when it was saved; now its name leads to a service beside us."""
    port, came = listener
    address = url.format(port=port)
    names["export.example"] = ["1.1.1.1"]
    server = make_server()
    connection_settings.set_export(server, address)
    names["export.example"] = ["127.0.0.1"]
    with pytest.raises(NotStarted, match="private network"):
        open_export(dialect_of(address), address, 2)
    assert came == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:p@1.1.1.1/db?host=127.0.0.1", "private network"),
        ("postgresql://u:p@1.1.1.1,127.0.0.1/db", "private network"),
        ("postgresql:///db", "private network"),
        ("postgresql://u:p@1.1.1.1/db?hostaddr=127.0.0.1", "may not hold hostaddr"),
        ("postgresql://u:p@1.1.1.1/db?service=inside", "may not hold service"),
        ("postgresql://u:p@1.1.1.1/db?host=/var/run/postgresql", "not found"),
    ],
)
@pytest.mark.django_db
def test_an_export_names_all_its_hosts_when_it_is_saved(production, url, words):
    with pytest.raises(DomainError, match=words):
        connection_settings.set_export(make_server(), url)


def test_an_export_is_read_at_the_address_that_was_checked(production, names):
    production.OUTGOING_PRIVATE = ["127.0.0.1"]
    with mysql_address() as address:
        parts = urlsplit(address)
        moved = address.replace(f"@{parts.hostname}:", "@export.example:")
        names["export.example"] = ["127.0.0.1", NOWHERE]
        connection = open_export(dialect_of(moved), moved, 5)
        assert names["export.example"] == [NOWHERE], "one look-up"
        connection.close()
    assert places_of("postgresql://u@a.example,b.example:5433/db") == [("a.example", 5432), ("b.example", 5433)]


def test_streams_are_read_at_the_address_that_was_checked(production, names, tmp_path):
    """gRPC never looks the name up: only this test knows it. With TLS the certificate is still the name's."""
    production.OUTGOING_PRIVATE = ["127.0.0.1"]
    arguments = ("--port", "0", "--grpc-port", "0", "--heartbeat-seconds", "0.5", "--tls")
    with started("matchtrader", tmp_path / "tls.sqlite", *arguments) as process:
        arena, port = MatchTrader(process), process.ports["grpc_port"]
        secure = {"is_tls": True, "certificate": process.certificate, "streams": True}
        names["sandbox-matchtrader"] = ["127.0.0.1", NOWHERE]
        with over(arena, target=f"sandbox-matchtrader:{port}", **secure) as platform:
            platform.streams.follow(["real-pro-EUR"])  # type: ignore[union-attr]
            until(lambda: platform.streams.take().covered_since)  # type: ignore[union-attr]
        names["stranger.example"] = ["127.0.0.1"]
        with over(arena, target=f"stranger.example:{port}", **secure) as platform:
            platform.streams.follow(["real-pro-EUR"])  # type: ignore[union-attr]
            until(lambda: platform.streams.problems)  # type: ignore[union-attr]
            assert platform.streams.take().covered_since is None  # type: ignore[union-attr]


def test_streams_of_a_name_that_moved_inside_end(production, names, tmp_path):
    production.OUTGOING_PRIVATE = ["127.0.0.1"]
    arguments = ("--port", "0", "--grpc-port", "0", "--heartbeat-seconds", "0.5")
    with started("matchtrader", tmp_path / "plain.sqlite", *arguments) as process:
        arena, port = MatchTrader(process), process.ports["grpc_port"]
        names["streams.example"] = ["127.0.0.1"]
        with over(arena, target=f"streams.example:{port}", streams=True) as platform:
            streams = platform.streams
            streams.follow(["real-pro-EUR"])  # type: ignore[union-attr]
            until(lambda: streams.take().covered_since)  # type: ignore[union-attr]
            names["streams.example"] = ["10.0.0.1"]
            process.process.terminate()
            process.process.wait(10)
            until(streams._ended.is_set, 15)  # type: ignore[union-attr]
