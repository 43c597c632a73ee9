"""Listening to exchanges that send their events over a WebSocket: one connection each, opened by us with our keys.

Each event is stored before it is judged, like a webhook, then steered by. A connection that breaks is opened again, and what was
missed meanwhile is looked at. Of several listeners one works, the others wait.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.db import connection, connections
from django.utils.translation import gettext as _
from websockets.exceptions import ConnectionClosed, InvalidHandshake, WebSocketException
from websockets.sync.client import ClientConnection, connect

from clients.models import PhoneEvent, PhoneExchange
from clients.telephony.adapters import ADAPTERS
from clients.telephony.asterisk import HEARD, SOCKET_HEADER, AsteriskAdapter
from clients.telephony.hearing import TASK
from clients.telephony.steering import follow_event, look_at_all
from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, watched
from crm.connections.protocol import ServiceTemporary
from crm.connections.webhooks import BODY_BYTES_MAX, receive
from crm.errors import OutsideWorldError
from crm.outside import destinations
from crm.outside.outbound import trusted

log = logging.getLogger(__name__)
LOCK: Final = 0x4B_41_52_49  # of who listens to an exchange; the second half is its row
LOOK_SECONDS: Final = 30.0
PING_SECONDS, OPEN_SECONDS = 15.0, 10.0
WAITS_SECONDS: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
LIST_SECONDS: Final = 10.0


def steered_exchanges() -> list[PhoneExchange]:
    """List the exchanges in use whose events are listened to."""
    names = [name for name, adapter in ADAPTERS.items() if adapter.is_steered]
    rows = PhoneExchange.objects.filter(is_enabled=True, adapter__in=names, brand__archived_at=None)
    return list(rows.select_related("brand").order_by("pk"))


class Listener:
    """Listens to one exchange until it is stopped."""

    def __init__(self, exchange: PhoneExchange) -> None:
        self.exchange, self.adapter = exchange, AsteriskAdapter(exchange)
        self.stopping = threading.Event()
        self.socket: ClientConnection | None = None

    def stop(self) -> None:
        self.stopping.set()
        if self.socket is not None:
            self.socket.close()

    def run(self) -> None:
        """Listen, and again after each break, as long as nobody else does."""
        try:
            failures = 0
            while not self.stopping.is_set():
                with _claimed(self.exchange.pk) as is_ours:
                    failures = failures + 1 if not is_ours or not self._listen() else 0
                wait = WAITS_SECONDS[min(failures, len(WAITS_SECONDS) - 1)]
                self.stopping.wait(wait * random.uniform(0.8, 1.2))  # noqa: S311  several listeners don't come at the same moment
        finally:
            connections.close_all()

    def _listen(self) -> bool:
        """Hold one connection until it breaks; False where none was made."""
        try:
            with watched(self.exchange):
                self.socket = open_socket(self.adapter)
        except OutsideWorldError as error:
            log.warning("%s: %s", self.exchange, error.message)
            return False
        try:
            with self.socket:
                self._look(is_new_connection=True)
                self._hear(self.socket)
        except ConnectionClosed as error:
            log.info("%s: the connection for events ended: %s", self.exchange, error)
        finally:
            self.socket = None
        return True

    def _hear(self, socket: ClientConnection) -> None:
        next_look = time.monotonic() + LOOK_SECONDS
        while not self.stopping.is_set():
            left = next_look - time.monotonic()
            if left <= 0:
                self._look(is_new_connection=False)
                next_look = time.monotonic() + LOOK_SECONDS
                continue
            try:
                text = socket.recv(timeout=left)
            except TimeoutError:
                continue
            self.take(text if isinstance(text, bytes) else text.encode())

    def take(self, body: bytes) -> None:
        """Store one event, judge it, and do what it calls for."""
        if not _is_heard(body):
            return
        headers = {SOCKET_HEADER: self.adapter.application}
        verdict = receive(
            PhoneEvent, self.exchange, adapter=self.adapter, task=TASK, body=body, headers=headers, ip=None
        )
        if verdict != WebhookVerdict.ACCEPTED:
            return
        try:
            follow_event(self.exchange, self.adapter, body)
        except OutsideWorldError as error:
            log.warning("%s: %s", self.exchange, error.message)  # looked at again within half a minute
        except UNREADABLE:
            log.exception("%s sent an event that can't be read", self.exchange)

    def _look(self, *, is_new_connection: bool) -> None:
        try:
            look_at_all(self.exchange, self.adapter, is_new_connection=is_new_connection)
        except (OutsideWorldError, *UNREADABLE) as error:
            log.warning("%s: %s", self.exchange, error)


def _is_heard(body: bytes) -> bool:
    """Leave out the kinds of events that say nothing of a call's course; what can't be read is kept and judged."""
    try:
        return json.loads(body)["type"] in HEARD
    except UNREADABLE:
        return True


def open_socket(adapter: AsteriskAdapter) -> ClientConnection:
    """Open the connection for events. Raises: ServiceTemporary."""
    parts = urlsplit(adapter.address)
    is_secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    url = f"{'wss' if is_secure else 'ws'}://{parts.netloc}{parts.path}/events?" + urlencode(
        {"app": adapter.application, "subscribeAll": "false"}
    )
    refused = ServiceTemporary(_("%(service)s can't be reached.") % {"service": adapter.exchange})
    if not is_secure and not destinations.is_plain_text_allowed(adapter.address):
        raise refused
    try:
        plain = destinations.connect((host, port), OPEN_SECONDS)
        plain.settimeout(None)
        return connect(
            url,
            sock=plain,
            ssl=trusted() if is_secure else None,
            additional_headers=adapter.headers,
            compression=None,
            open_timeout=OPEN_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=2,
            max_size=BODY_BYTES_MAX,
            proxy=None,
        )
    except InvalidHandshake as error:
        words = _("%(service)s doesn't open a connection for events: %(reason)s")
        raise ServiceTemporary((words % {"service": adapter.exchange, "reason": error})[:300]) from error
    except (OSError, WebSocketException, destinations.PrivateAddress) as error:
        raise refused from error


@contextmanager
def _claimed(exchange_id: int) -> Iterator[bool]:
    """Hold the right to listen to an exchange, for as long as this thread's database connection lasts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [LOCK, exchange_id])
        is_ours: bool = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK, exchange_id])


def listen(stopping: threading.Event) -> None:
    """Listen to every exchange in use, as they are set up and changed, until stopped."""
    running: dict[tuple[object, ...], tuple[Listener, threading.Thread]] = {}
    while not stopping.is_set():
        wanted = {
            (row.pk, row.base_url, bytes(row.sealed_credentials or b""), row.caller_number): row
            for row in steered_exchanges()
        }
        for key in [key for key, (_one, thread) in running.items() if key not in wanted or not thread.is_alive()]:
            running.pop(key)[0].stop()
        for key, exchange in wanted.items():
            if key not in running:
                listener = Listener(exchange)
                thread = threading.Thread(target=listener.run, name=f"listen {exchange.code}", daemon=True)
                running[key] = (listener, thread)
                thread.start()
        connection.close_if_unusable_or_obsolete()
        stopping.wait(LIST_SECONDS)
    for listener, thread in running.values():
        listener.stop()
        thread.join(timeout=5)
