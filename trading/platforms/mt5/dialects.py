"""The databases that a broker's SQL export may stand in, and how each is reached, asked and understood.

| address                                  | driver (optional extra `exports`)          | names     | first rows            |
|------------------------------------------|--------------------------------------------|-----------|-----------------------|
| `postgresql://user:password@host/db`     | psycopg, always there                      | `"Name"`  | `LIMIT n`             |
| `sqlite:///path/to/file`                 | Python's own                               | `"Name"`  | `LIMIT n`             |
| `mysql://user:password@host:3306/db`     | PyMySQL (MIT); MariaDB, too                | `` `Name` `` | `LIMIT n`          |
| `mssql://user:password@host:1433/db`     | python-tds (MIT)                           | `[Name]`  | `TOP (n)`             |
| `oracle://user:password@host:1521/service` | oracledb, thin (Apache 2.0 or UPL)       | `"NAME"`  | `FETCH FIRST n ROWS ONLY` |

`?schema=NAME` where the tables are not in the reader's own (SQL Server, Oracle); `?tls=1` for MySQL and SQL Server: the
server's certificate is then checked. Column names are taken from the tables as they are: one database keeps `TimeMsc`,
another says `timemsc` or `TIMEMSC`. Sessions are read-only where the database can be told so.
"""

from __future__ import annotations

import importlib
import re
import sqlite3
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import psycopg

from crm.outside import destinations
from trading.platforms.errors import FinalError, NotStarted, PlatformError, ReadTimedOut

CONNECT_SECONDS: Final = 5
SCHEMA: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$#]{0,127}")
MYSQL_REFUSES: Final = re.compile(r"\((1\d{3}), ")  # the server's own codes; those of a lost connection begin with 2
PORTS: Final = {"postgresql": 5432, "mysql": 3306, "mssql": 1433, "oracle": 1521}
EXTRA: Final = "pip install 'keelson[exports]'"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database. `head` and `tail` stand around a query that wants the first {n} rows only."""

    name: str
    module: str
    connect: Callable[[str, float], Any]
    tables: str
    quotes: str = '""'
    mark: str = "%s"
    head: str = ""
    tail: str = " LIMIT {n}"
    has_schema: bool = False

    def load(self) -> Any:
        """Import the driver. Raises: FinalError when it is not installed."""
        try:
            return importlib.import_module(self.module)
        except ImportError as problem:
            raise FinalError(
                f"reading {self.name} needs the driver {self.module}: {EXTRA}", command="EXPORT"
            ) from problem

    def quote(self, name: str) -> str:
        """Quote a name. Raises: FinalError for one that could leave its quotes."""
        if set(name) & {*self.quotes, "\0"} or not name:
            raise FinalError(f"a table or column is called {name!r}", command="EXPORT")
        return f"{self.quotes[0]}{name}{self.quotes[1]}"

    def marks(self, query: str) -> str:
        """Write each `?` as this driver's placeholder; `{n}` in it is the placeholder's number."""
        parts = query.split("?")
        return parts[0] + "".join(self.mark.format(n=number) + part for number, part in enumerate(parts[1:], 1))

    def first_rows(self, what: str, source: str, where: str, order: str, count: int) -> str:
        """Write a query for at most `count` rows; the caller quotes the names."""
        head, tail = self.head.format(n=count), self.tail.format(n=count)
        return f"SELECT {head}{what} FROM {source} WHERE {where} ORDER BY {order}{tail}"  # noqa: S608 - quoted by callers

    def error_for(self, problem: Exception) -> PlatformError:
        """Decide what went wrong with a query: time, connection, or the export itself."""
        reason, module = without_secrets(problem), self.load()
        if re.search(r"denied|permission|not authorized|ORA-01031|ORA-00942", reason, re.IGNORECASE):
            return FinalError(f"the export's user may not read it ({reason})", command="EXPORT")
        slow = isinstance(problem, TimeoutError | psycopg.errors.QueryCanceled)
        if slow or re.search(r"timed out|timeout|locked|interrupted|DPY-4024", reason, re.IGNORECASE):
            return ReadTimedOut(f"the export did not answer in time ({reason})", command="EXPORT")
        if MYSQL_REFUSES.match(reason):
            return FinalError(f"the export can't be read ({reason})", command="EXPORT")
        if isinstance(problem, module.OperationalError | module.InterfaceError | OSError):
            return ReadTimedOut(f"the connection to the export was lost ({reason})", command="EXPORT")
        return FinalError(f"the export can't be read ({reason})", command="EXPORT")

    def errors(self) -> tuple[type[Exception], ...]:
        return (self.load().Error, OSError)


def _where(url: SplitResult, port: int) -> dict[str, Any]:
    """Read host, port, user and password of an address, unquoted."""
    return {
        "host": url.hostname or "localhost",
        "port": url.port or port,
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
    }


def _database(url: SplitResult) -> str:
    return unquote(url.path.lstrip("/"))


def option(url: SplitResult, name: str) -> str:
    return parse_qs(url.query).get(name, [""])[0]


def schema_of(url: SplitResult) -> str:
    """Read the schema from the address. Raises: FinalError for a schema that is no name."""
    name = option(url, "schema")
    if name and not SCHEMA.fullmatch(name):
        raise FinalError(f"{name!r} is no schema's name", command="EXPORT")
    return name


def places_of(address: str) -> list[tuple[str, int]]:
    """List the hosts and ports that a connection is made to; none for a file. Raises: FinalError for an address that hides one."""
    url = urlsplit(address)
    if url.scheme == "sqlite":
        return []
    if url.scheme != "postgresql":
        where = _where(url, PORTS[url.scheme])
        return [(where["host"], where["port"])]
    where = _postgres_parts(address)
    hosts = str(where.get("host") or "localhost").split(",")
    ports = [port or str(PORTS["postgresql"]) for port in str(where.get("port") or "").split(",")]
    if len(ports) not in (1, len(hosts)) or not all(port.isdigit() for port in ports):
        raise FinalError("the address of the export has another number of ports than of hosts", command="EXPORT")
    return [(host, int(ports[number % len(ports)])) for number, host in enumerate(hosts)]


def _postgres_parts(address: str) -> dict[str, Any]:
    try:
        where = psycopg.conninfo.conninfo_to_dict(address)
    except psycopg.Error as problem:
        raise FinalError(
            f"the address of the export can't be read ({without_secrets(problem)})", command="EXPORT"
        ) from None
    if hidden := sorted({"hostaddr", "service", "servicefile"} & where.keys()):
        raise FinalError(f"the address of the export may not hold {', '.join(hidden)}", command="EXPORT")
    return where


def _postgres(address: str, seconds: float) -> Any:
    """Connect to the addresses that were checked; the host's name stays for TLS."""
    options = f"-c statement_timeout={int(seconds * 1000)} -c default_transaction_read_only=on"
    where, places = _postgres_parts(address), places_of(address)
    checked = [(host, port, destinations.pinned(host, port)[0]) for host, port in places]
    if all(pinned_address != host for host, _port, pinned_address in checked):
        where |= {
            "host": ",".join(host for host, _port, _found in checked),
            "port": ",".join(str(port) for _h, port, _f in checked),
            "hostaddr": ",".join(pinned_address for _host, _port, pinned_address in checked),
        }
    return psycopg.connect(**{**where, "connect_timeout": CONNECT_SECONDS, "options": options}, autocommit=True)


def _sqlite(address: str, seconds: float) -> Any:
    url = urlsplit(address)
    path = Path("/" + _database(url))
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=seconds, check_same_thread=False)


def _mysql(address: str, seconds: float) -> Any:
    url = urlsplit(address)
    driver = importlib.import_module("pymysql")
    where = _where(url, PORTS["mysql"])
    sock = destinations.connect((where["host"], where["port"]), CONNECT_SECONDS)
    connection = driver.connect(
        **where,
        defer_connect=True,
        database=_database(url),
        charset="utf8mb4",
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=seconds,
        write_timeout=seconds,
        ssl=ssl.create_default_context() if option(url, "tls") else None,
        init_command="SET SESSION TRANSACTION READ ONLY",
    )
    try:
        connection.connect(sock)
    except BaseException:
        sock.close()
        raise
    return connection


def _mssql(address: str, seconds: float) -> Any:
    url = urlsplit(address)
    driver = importlib.import_module("pytds")
    where = _where(url, PORTS["mssql"])
    sock = destinations.connect((where["host"], where["port"]), CONNECT_SECONDS)
    try:
        return driver.connect(
            dsn=where["host"],
            port=where["port"],
            user=where["user"],
            password=where["password"],
            database=_database(url),
            login_timeout=CONNECT_SECONDS,
            disable_connect_retry=True,
            timeout=seconds,
            autocommit=True,
            readonly=True,
            appname="Keelson",
            sock=sock,
            cafile=ssl.get_default_verify_paths().cafile if option(url, "tls") else None,
        )
    except BaseException:
        sock.close()  # the driver leaves it open when the log-in fails
        raise


def _oracle(address: str, seconds: float) -> Any:
    url = urlsplit(address)
    driver = importlib.import_module("oracledb")
    where = _where(url, PORTS["oracle"])
    (host, *_others) = destinations.pinned(where["host"], where["port"])
    connection = _in_time(
        address,
        lambda: driver.connect(
            user=where["user"],
            password=where["password"],
            host=host,
            port=where["port"],
            service_name=_database(url),
            tcp_connect_timeout=CONNECT_SECONDS,
            retry_count=0,
        ),
    )
    connection.call_timeout = int(seconds * 1000)
    driver.defaults.fetch_decimals = (
        True  # a ticket has more digits than a float keeps; nobody else here uses the driver
    )
    return connection


_connecting: dict[str, threading.Thread] = {}


def _in_time(address: str, connect: Callable[[], Any]) -> Any:
    """Limit a driver that waits without end for a peer that takes the connection and stays silent.

    Its thread goes when the peer does; as long as it waits there is no second one for the same address.
    """
    made: list[Any] = []

    def attempt() -> None:
        try:
            made.append(connect())
        except Exception as problem:
            made.append(problem)

    known = _connecting.get(address)
    if known is not None and known.is_alive():
        raise TimeoutError("the last attempt is still without an answer")
    thread = _connecting[address] = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS * 2)
    if not made:
        raise TimeoutError(f"no answer within {CONNECT_SECONDS * 2} s")
    if isinstance(made[0], Exception):
        raise made[0]
    return made[0]


IN_SCHEMA: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = "
DIALECTS: Final[dict[str, Dialect]] = {
    one.name: one
    for one in (
        Dialect("postgresql", "psycopg", _postgres, f"{IN_SCHEMA}ANY(current_schemas(false))"),
        Dialect("sqlite", "sqlite3", _sqlite, "SELECT name FROM sqlite_master WHERE type = 'table'", mark="?"),
        Dialect("mysql", "pymysql", _mysql, f"{IN_SCHEMA}DATABASE()", quotes="``"),
        Dialect(
            "mssql",
            "pytds",
            _mssql,
            f"{IN_SCHEMA}coalesce(nullif('{{schema}}', ''), schema_name())",
            quotes="[]",
            head="TOP ({n}) ",
            tail="",
            has_schema=True,
        ),
        Dialect(
            "oracle",
            "oracledb",
            _oracle,
            "SELECT table_name FROM all_tables"
            " WHERE owner = coalesce(upper('{schema}'), sys_context('USERENV', 'CURRENT_SCHEMA'))",
            mark=":{n}",
            tail=" FETCH FIRST {n} ROWS ONLY",
            has_schema=True,
        ),
    )
}


def dialect_of(url: str) -> Dialect:
    """Find the database's dialect by the address. Raises: FinalError for one that can't be read."""
    scheme = urlsplit(url).scheme
    if scheme not in DIALECTS:
        known = ", ".join(DIALECTS)
        raise FinalError(f"an export is read from {known}, not from {scheme or 'nothing'}", command="EXPORT")
    return DIALECTS[scheme]


def open_export(dialect: Dialect, url: str, seconds: float) -> Any:
    """Open a new connection. Raises: NotStarted, FinalError without the driver."""
    dialect.load()
    try:
        return dialect.connect(url, seconds)
    except PlatformError:
        raise
    except Exception as problem:
        raise NotStarted(f"can't reach the export ({without_secrets(problem)})", command="EXPORT") from problem


def without_secrets(problem: Exception) -> str:
    """Take the first line of a driver's error, without a password that it may repeat."""
    lines = str(problem).strip().splitlines()
    return re.sub(r"(://[^:/@\s]+:)[^@\s]+@", r"\1***@", lines[0] if lines else "no reason")


def names_of(columns: Sequence[Sequence[Any]], known: dict[str, str]) -> list[str]:
    """Name columns in the platform's own spelling, however the database writes them."""
    return [known.get(str(column[0]).lower(), str(column[0])) for column in columns]


__all__ = ["DIALECTS", "Dialect", "dialect_of", "names_of", "open_export", "places_of", "schema_of", "without_secrets"]
