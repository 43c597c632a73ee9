"""Live updates: server-sent events from PostgreSQL's NOTIFY, served by the small ASGI process at LIVE_URL.

One LISTEN connection per process hears the channel of `crm.notices.notify.push_live`; each open page is one queue that gets only
its own user's messages. There is no Django request and no thread behind an open page, so a thousand of them cost a few
megabytes. A page that was away does not learn what it missed from here: rows are the truth, and the page asks for them.

    GET /live/      text/event-stream; the session cookie says who. `data: {"user", "event", "data"}`
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connection
from django.http import HttpRequest

from crm.accounts import second_factor, sessions
from crm.models import User
from crm.notices.notify import CHANNEL
from crm.web import hosts

logger = logging.getLogger(__name__)
PATH = "/live/"
HEARTBEAT_SECONDS = 15
# A session that ended elsewhere stops hearing at most this much later.
SESSION_CHECK_SECONDS = 30
LISTEN_WAIT_SECONDS = 20
QUEUE_MAX = 100
STREAMS_PER_USER_MAX = 20
RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Hub:
    """The one listener of a process, and the open pages it serves."""

    def __init__(self) -> None:
        self.queues: dict[int, set[asyncio.Queue[str]]] = {}
        self.is_listening = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def join(self, user_id: int) -> asyncio.Queue[str] | None:
        """Open a queue for one more page of this user; None where they have too many open."""
        mine = self.queues.setdefault(user_id, set())
        if len(mine) >= STREAMS_PER_USER_MAX:
            return None
        queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_MAX)
        mine.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())
        return queue

    def leave(self, user_id: int, queue: asyncio.Queue[str]) -> None:
        mine = self.queues.get(user_id, set())
        mine.discard(queue)
        if not mine:
            self.queues.pop(user_id, None)
        if not self.queues and self._task is not None:
            self._task.cancel()
            self._task = None
            self.is_listening.clear()

    def deliver(self, payload: str) -> None:
        """Hand a message to the pages of its user. A page that reads nothing loses its oldest messages, not its memory."""
        try:
            user_id = int(json.loads(payload)["user"])
        except (ValueError, KeyError, TypeError):
            logger.warning("a message without a user on %s", CHANNEL)
            return
        for queue in self.queues.get(user_id, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(payload)

    async def _listen(self) -> None:
        """Listen for ever; when the database goes away, come back, and signal the pages that they may have missed something."""
        failures, was_up = 0, False
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(**connect_arguments(), autocommit=True) as listener:
                    await listener.execute(f"LISTEN {CHANNEL}")
                    if was_up:
                        self._send_all("resync")
                    failures, was_up = 0, True
                    self.is_listening.set()
                    async for message in listener.notifies():
                        self.deliver(message.payload)
            except psycopg.Error as error:
                logger.warning("the live listener lost its database: %s", error)
            self.is_listening.clear()
            await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
            failures += 1

    def _send_all(self, event: str) -> None:
        for user_id in list(self.queues):
            self.deliver(json.dumps({"user": user_id, "event": event, "data": {}}))


def connect_arguments(database: Any = connection) -> dict[str, Any]:
    """Return psycopg's arguments for Django's default database. LISTEN needs a connection of its own, not a pooler's."""
    arguments = database.get_connection_params()
    # Everything that says where and how: of two hosts `target_session_attrs` finds the one that takes LISTEN.
    ours = ("context", "cursor_factory", "prepare_threshold", "isolation_level")
    return {key: value for key, value in arguments.items() if key not in ours} | {"application_name": "keelson-live"}


_hubs: dict[int, Hub] = {}


def hub() -> Hub:
    """Return the hub of the running event loop."""
    return _hubs.setdefault(id(asyncio.get_running_loop()), Hub())


def session_key_of(scope: Scope) -> str:
    """Read the session cookie. A browser sends it to every port of the host, so the live origin sees it too."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            with contextlib.suppress(CookieError, UnicodeDecodeError):
                cookie = SimpleCookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
                if cookie:
                    return cookie.value
    return ""


def who(session_key: str) -> int | None:
    """Find the user of a session that may listen now: known, active, not idle, second factor shown by staff."""
    if not session_key:
        return None
    try:
        store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
        request = HttpRequest()
        request.session = store
        user = get_user(request)
        if not isinstance(user, User) or not user.is_active or sessions.is_idle_too_long(request, user):
            return None
        request.user = user
        return None if user.is_team and not second_factor.has_passed(request) else user.pk
    finally:
        connection.close()  # this thread is borrowed: its connection must not stay open behind an open page


# Not thread-sensitive: a slow look-up must not hold up the others.
ask_who = sync_to_async(who, thread_sensitive=False)


def allowed_origin(scope: Scope) -> str | None:
    """Return the Origin to answer to: "" without one (same origin), None for a stranger's site."""
    origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), "")
    if not origin:
        return ""
    addresses = [name for address in (settings.BASE_URL, settings.LIVE_URL) for name in hosts.names_of(address)]
    ours = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, addresses)}
    return origin if origin in ours else None


async def refuse(send: Send, status: int, origin: str = "") -> None:
    """Answer with a status and no body."""
    await send({"type": "http.response.start", "status": status, "headers": headers("text/plain", origin)})
    await send({"type": "http.response.body", "body": b""})


def headers(content_type: str, origin: str) -> list[tuple[bytes, bytes]]:
    """Build the headers of an answer; the origin, where there is one, may read it with the person's cookie."""
    fields = {
        "content-type": content_type,
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
        "vary": "Origin, Cookie",
    }
    if origin:
        fields |= {"access-control-allow-origin": origin, "access-control-allow-credentials": "true"}
    return [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]


async def live(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve /live/: the ASGI application behind it."""
    origin = allowed_origin(scope)
    if origin is None:
        return await refuse(send, 403)
    if scope["method"] != "GET":
        return await refuse(send, 405, origin)
    session_key = session_key_of(scope)
    user_id = await ask_who(session_key)
    if user_id is None:
        return await refuse(send, 401, origin)
    queue = hub().join(user_id)
    if queue is None:
        return await refuse(send, 429, origin)
    try:
        await send({"type": "http.response.start", "status": 200, "headers": headers("text/event-stream", origin)})
        disconnect = asyncio.create_task(_until_disconnected(receive))
        try:
            async for chunk in _events(user_id, session_key, queue, disconnect):
                await send({"type": "http.response.body", "body": chunk.encode(), "more_body": True})
            if not disconnect.done():
                await send({"type": "http.response.body", "body": b""})
        finally:
            disconnect.cancel()
    finally:
        hub().leave(user_id, queue)
    return None


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _events(
    user_id: int, session_key: str, queue: asyncio.Queue[str], disconnect: asyncio.Task[None]
) -> AsyncIterator[str]:
    """Yield messages as they come, a comment when it is quiet, and a farewell when the session ends."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(hub().is_listening.wait(), timeout=LISTEN_WAIT_SECONDS)
    if not hub().is_listening.is_set():
        return  # no database: the browser reconnects automatically
    yield "retry: 2000\n: listening\n\n"
    clock = asyncio.get_running_loop().time
    checked_at = heard_at = clock()
    pause = min(HEARTBEAT_SECONDS, SESSION_CHECK_SECONDS)
    while not disconnect.done():
        waiting = asyncio.create_task(queue.get())
        done, _ = await asyncio.wait({waiting, disconnect}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        if waiting in done:
            yield f"data: {waiting.result()}\n\n"
            heard_at = clock()
        else:
            waiting.cancel()
        if clock() - checked_at >= SESSION_CHECK_SECONDS:
            checked_at = clock()
            if await ask_who(session_key) != user_id:
                yield "event: bye\ndata: {}\n\n"
                return
        if clock() - heard_at >= HEARTBEAT_SECONDS:
            heard_at = clock()
            yield ": still here\n\n"
