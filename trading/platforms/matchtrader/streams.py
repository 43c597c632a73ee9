"""What happens on the server, as it tells it over gRPC: a reader of this process, one stream for each kind and group.

The reader collects in one thread of the process, for all servers; `take` empties what it gathered. It says from when on it
has everything: a stream counts from its first message, no longer once it broke, and a stream that is silent for two
heartbeats is opened anew. What a stream did not cover is read by list (`history`). Nothing here raises: without streams
everything is asked for.

gRPC and fork don't go together: all channels of a process are closed before it forks. A child of a process that had none
opens its own; a child of one that had some asks for everything by list. (Workers are forked before anybody reads a server.)
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import ipaddress
import logging
import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm.outside import destinations
from trading.platforms.matchtrader import access, rows
from trading.platforms.matchtrader.options import Config

logger = logging.getLogger(__name__)
NEEDED: Final = ("ledgers", "positions")  # what deals are made of; equity and events may be missing
KINDS: Final = (*NEEDED, "equity", "events")
WAITS: Final = (0.1, 0.5, 2.0, 5.0)  # seconds before a broken stream is opened again
KEPT_MAX: Final = 50_000  # entries that nobody took: beyond it they are dropped and read by list
ACCOUNTS_MAX: Final = 1_000_000  # of one group
MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024  # after decompression
CHANNEL: Final = (("grpc.max_receive_message_length", MESSAGE_BYTES_MAX), ("grpc.max_metadata_size", 16 * 1024))
STOP_SECONDS: Final = 3.0
Key = tuple[str, str]
Form = tuple[Callable[[str], Any], Any, Callable[[Any, str, Any], None]]
"""How a stream is asked for a group, the answer's type, and what takes a message."""

_running: weakref.WeakSet[Streams] = weakref.WeakSet()
_reader: list[Reader] = []  # the process's one, once somebody followed
_retired: list[asyncio.AbstractEventLoop] = []  # stopped before a fork; gRPC may still speak to one, so none is closed
_reader_lock = threading.Lock()
_process = {"spoke": False, "may_not": False}  # whether gRPC was used here, and whether a parent had used it


class Moved(Exception):
    """The server's name leads to none of the addresses that the streams are read from."""


def _parts_of(target: str) -> tuple[str, int]:
    host, _colon, port = target.rpartition(":")
    return host.strip("[]"), int(port)


def _target(addresses: Sequence[str], host: str, port: int) -> str:
    """Write pinned addresses of one family as gRPC takes them; a name where every address is allowed."""
    if list(addresses) == [host] and not _is_number(host):
        return f"{host}:{port}"
    four = [address for address in addresses if ":" not in address]
    if four:
        return "ipv4:" + ",".join(f"{address}:{port}" for address in four)
    return "ipv6:" + ",".join(f"[{address}]:{port}" for address in addresses)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Reader:
    """An event loop in a thread: gRPC's asyncio side wants one for the whole process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="matchtrader-streams", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(STOP_SECONDS)
        _retired.append(self.loop)


def reader() -> Reader:
    """Start this process's one reader thread, or find the running one."""
    with _reader_lock:
        if not _reader:
            _reader.append(Reader())
        return _reader[0]


@dataclass
class Taken:
    """What came since the last time. `covered_since`: from when on nothing is missing (server's ms); None: streams are broken."""

    entries: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    covered_since: int | None = None


class Streams:
    """The streams of one server in this process. Thread-safe."""

    def __init__(self, config: Config, now_msc: Callable[[], int]) -> None:
        self.config, self.now_msc = config, now_msc
        self._new_state()

    def _new_state(self) -> None:
        self._lock = threading.Lock()
        self._task: concurrent.futures.Future[None] | None = None
        self._ended = threading.Event()
        self._wanted: tuple[str, ...] = ()
        self._since: dict[Key, int] = {}
        self._pinned: list[str] = []
        self._taken = Taken()
        self._money: dict[str, dict[str, dict[str, str]]] = {}
        self.problems: dict[str, str] = {}  # by kind: why a stream broke the last time, until it speaks again

    # -- what the adapter uses ----------------------------------------------------------------------------------------

    def follow(self, groups: Iterable[str]) -> None:
        """Read these groups from now on. Does nothing when it does so already."""
        names = tuple(sorted(set(groups)))
        if self._task is not None and not self._ended.is_set() and names == self._wanted:
            return
        self.close()
        if not names or not self.config.grpc_target or _process["may_not"]:
            return
        self._wanted, _process["spoke"] = names, True
        _running.add(self)
        self._task = asyncio.run_coroutine_threadsafe(self._follow_all(names, self._ended), reader().loop)

    def take(self) -> Taken:
        with self._lock:
            taken, self._taken = self._taken, Taken()
            needed = [(kind, group) for kind in NEEDED for group in self._wanted]
            if needed and all(key in self._since for key in needed):
                taken.covered_since = max(self._since[key] for key in needed)
        return taken

    def money(self, logins: Sequence[str]) -> dict[str, dict[str, str]]:
        """Find equity, balance and credit of those of the logins that an open stream has sent."""
        with self._lock:
            known = {login: money for of_group in self._money.values() for login, money in of_group.items()}
        return {login: known[login] for login in logins if login in known}

    def close(self) -> None:
        """End all streams; they are opened again when somebody follows."""
        task, ended = self._task, self._ended
        if task is not None:
            task.cancel()
            ended.wait(STOP_SECONDS)
        _running.discard(self)
        self._new_state()

    # -- the reader's thread ------------------------------------------------------------------------------------------

    async def _follow_all(self, groups: tuple[str, ...], ended: threading.Event) -> None:
        tasks: list[asyncio.Task[None]] = []
        try:
            async with self._channel() as channel:
                tasks = [
                    asyncio.create_task(self._follow_one(channel, kind, group, ended))
                    for kind, group in self._keys(groups)
                ]
                try:
                    await asyncio.gather(*tasks)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        except asyncio.CancelledError:
            raise
        except (Moved, OSError) as problem:
            logger.warning("the streams of %s ended: %s", self.config.grpc_target, problem)
        except Exception:
            logger.exception("the streams of %s ended", self.config.grpc_target)
        finally:
            ended.set()

    def _keys(self, groups: Sequence[str]) -> list[Key]:
        return [(kind, group) for group in groups for kind in KINDS]

    def _form(self, kind: str) -> Form:
        return _forms()[kind]

    def _channel(self) -> Any:
        """Open a channel to the addresses that were checked. Raises: OSError; a private address is one.

        gRPC would look the name up again, and once more for every reconnection; the name stays for TLS and for the
        server. gRPC itself is loaded only in the process that uses it.
        """
        import grpc.aio

        config = self.config
        host, port = _parts_of(config.grpc_target)
        self._pinned = destinations.pinned(host, port)
        target = _target(self._pinned, host, port)
        options: tuple[tuple[str, Any], ...] = (*CHANNEL, ("grpc.default_authority", config.grpc_target))
        if not config.is_tls:
            return grpc.aio.insecure_channel(target, options=options)
        root = config.certificate.encode() if config.certificate.strip() else None
        options = (*options, ("grpc.ssl_target_name_override", host))
        return grpc.aio.secure_channel(target, grpc.ssl_channel_credentials(root), options=options)

    async def _require_same_place(self) -> None:
        """End all streams of a name that moved: whoever follows next opens them at the new address, checked."""
        host, port = _parts_of(self.config.grpc_target)
        try:
            addresses = await asyncio.to_thread(destinations.pinned, host, port)
        except socket.gaierror:
            return  # the name can't be looked up now: that is no move
        if not set(addresses) & set(self._pinned):
            raise Moved(f"{host} has another address now")

    async def _follow_one(self, channel: Any, kind: str, group: str, ended: threading.Event) -> None:
        """Follow one stream, again and again."""
        failures = 0
        while ended is self._ended:
            try:
                await self._read(channel, kind, group, ended)
                failures = 0  # the server ended it in good order
            except asyncio.CancelledError:
                raise
            except Exception as problem:
                await self._require_same_place()
                self.problems[kind] = _words(problem)
                level = logging.DEBUG if failures else logging.WARNING
                logger.log(level, "the %s stream of %s broke: %s", kind, group, self.problems[kind])
            if self._broke((kind, group)):
                failures = 0
            await asyncio.sleep(WAITS[min(failures, len(WAITS) - 1)])
            failures += 1

    async def _read(self, channel: Any, kind: str, group: str, ended: threading.Event) -> None:
        """Follow one stream until it ends. Raises: TimeoutError after two silent heartbeats, grpc.RpcError."""
        request, answer_type, take = self._form(kind)
        method = channel.unary_stream(
            f"/{self.config.grpc_package}.{self.config.streams[kind]}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer_type.FromString,
        )
        call = method(request(group), metadata=(("authorization", f"Bearer {self.config.key}"),))
        try:
            messages = call.__aiter__()
            while True:
                message = await asyncio.wait_for(anext(messages), 2 * self.config.heartbeat_seconds)
                if ended is not self._ended:
                    return  # of streams that were given up
                with self._lock:
                    self._since.setdefault((kind, group), self.now_msc())
                    self.problems.pop(kind, None)
                    if not message.heartbeat:
                        take(self, group, message)
        except StopAsyncIteration:
            return
        finally:
            call.cancel()

    def _broke(self, key: Key) -> bool:
        """Mark a stream as broken, and tell whether it had sent anything before."""
        with self._lock:
            if key[0] == "equity":
                self._money.pop(key[1], None)
            return self._since.pop(key, None) is not None

    # -- messages, under the lock -------------------------------------------------------------------------------------

    def _take_equity(self, group: str, message: Any) -> None:
        account = message.equity
        figures = {"equity": account.equity, "balance": account.balance, "credit": account.credit}
        known = self._money.setdefault(group, {})
        if len(known) >= ACCOUNTS_MAX and account.login not in known:
            return  # asked for
        with contextlib.suppress(ValueError):
            known[account.login] = {name: rows.spelled(value) for name, value in figures.items()}

    def _take_ledgers(self, group: str, message: Any) -> None:
        for entry in message.ledgers.ledgers:
            kind = _ledger_types().get(entry.historyOperationType, "")
            if not kind or kind == rows.CLOSED_POSITION or kind in rows.CHARGES:
                self._taken.touched.add(entry.login)  # read by list, with the trade that it belongs to
                continue
            row = {
                "id": entry.id,
                "type": kind,
                "additionalType": _additional_types().get(entry.additionalType, "UNKNOWN"),
                "time": entry.time,
                "profit": rows.exact(entry.profit),
                "comment": entry.comment,
            }
            self._taken.entries.append((entry.login, row))
        self._bound(("ledgers", group))

    def _take_positions(self, group: str, message: Any) -> None:
        quiet = _quiet_updates()
        states = message.positions.positions
        self._taken.touched.update(state.login for state in states if state.requestUpdateType not in quiet)

    def _take_event(self, group: str, message: Any) -> None:
        events = message.tradingEvents.tradingEvents
        self._taken.touched.update(event.login for event in events if event.WhichOneof("msg") == "stopOutEvent")

    def _bound(self, key: Key) -> None:
        if len(self._taken.entries) + len(self._taken.touched) > KEPT_MAX:
            self._taken = Taken()
            self._since[key] = self.now_msc()  # what was dropped is not covered


def _forms() -> dict[str, Form]:
    from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2

    every = [f"CLIENT_ACCESS_RIGHTS_TYPE_{word}" for word in access.ALL]
    types = [f"HISTORY_OPERATION_TYPE_{word}" for word in _ledger_types().values()]
    return {
        "equity": (
            lambda group: pb2.PBEquityRequestExternal(groups=[group], accessRightsFilter=every),
            pb2.PBEquityStreamResponseExternal,
            Streams._take_equity,
        ),
        "ledgers": (
            lambda group: pb2.PBLedgersRequestExternal(groups=[group], historyOperationType=types),
            pb2.PBLedgersStreamResponseExternal,
            Streams._take_ledgers,
        ),
        "positions": (
            lambda group: pb2.PBOpenPositionRequestExternal(groups=[group]),
            pb2.PBOpenPositionsStreamResponseExternal,
            Streams._take_positions,
        ),
        "events": (
            lambda group: pb2.PBTradingEventsStreamRequestExternal(groups=[group], accessRightsFilter=every),
            pb2.PBTradingEventsStreamResponseExternal,
            Streams._take_event,
        ),
    }


def _ledger_types() -> dict[int, str]:
    from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2

    names = pb2.PBHistoryOperationTypeExternal.items()
    return {number: name.removeprefix("HISTORY_OPERATION_TYPE_") for name, number in names if number}


def _additional_types() -> dict[int, str]:
    """Name the additional types as lists do: some have `LEDGER` in their names on the wire."""
    from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2

    names = pb2.PBAdditionalTypeExternal.items()
    return {
        number: name.removeprefix("ADDITIONAL_TYPE_").removeprefix("LEDGER_").removesuffix("_LEDGER")
        for name, number in names
    }


def _quiet_updates() -> frozenset[int]:
    """List the changes of an open position that make no deal."""
    from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2

    return frozenset(
        pb2.PBRequestUpdateTypeExternal.Value(f"REQUEST_UPDATE_TYPE_{name}") for name in ("UPDATE", "PROFIT_CHANGE")
    )


def _words(problem: Exception) -> str:
    """Describe one of gRPC's errors by code and text only: its `repr` holds the whole call."""
    code, details = getattr(problem, "code", None), getattr(problem, "details", None)
    if callable(code) and callable(details):
        return f"{code()}: {details()}"
    return (
        f"silent for two heartbeats ({type(problem).__name__})" if isinstance(problem, TimeoutError) else repr(problem)
    )


def _close_all() -> None:
    for streams in list(_running):
        streams.close()
    with _reader_lock:
        while _reader:
            _reader.pop().stop()


def _in_child() -> None:
    """Start over in a child: the parent closed its streams before it forked. Locks may be another thread's."""
    global _reader_lock
    _reader_lock = threading.Lock()
    _reader.clear()
    _process.update(may_not=_process["spoke"] or _process["may_not"], spoke=False)
    for streams in list(_running):
        streams._new_state()
    _running.clear()


os.register_at_fork(before=_close_all, after_in_child=_in_child)
atexit.register(_close_all)
