"""Signed webhooks, their retries, and the clock that moves slow payments on.

How they look and are signed is the dialect's. Each event has an id that stays the same over retries; order is not
promised; at least once is.
"""

import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects import DIALECTS, Event
from sandbox.psp.faults import Faults
from sandbox.psp.store import Store, new_id, now

log = logging.getLogger("sandbox.psp.webhooks")

RETRY_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 3 * 3600, 12 * 3600)
ANSWER_SECONDS_MAX = 10
HOLD_SECONDS_MAX = 5
POLL_SECONDS = 0.1
SENDERS = 4
FORGED_SECRET = "not-the-secret"  # noqa: S105 (a fault switch signs with it)


def publish(store: Store, psp: str, event_type: str, data: dict[str, Any]) -> str:
    """Write an event and its deliveries in the caller's transaction; the faults decide how many and when."""
    event_id, created = new_id("evt"), now()
    character = CHARACTERS[psp]
    message = DIALECTS[character.dialect].message(character, Event(event_id, event_type, int(created), data))
    bodies = message if isinstance(message, list) else [message]
    for place, body in enumerate(bodies):
        if body is not None:
            _dispatch(store, psp, f"{event_id}_{place}" if place else event_id, event_type, body, created)
    return event_id


def _dispatch(store: Store, psp: str, event_id: str, event_type: str, body: bytes, created: float) -> None:
    faults = Faults(store)
    store.insert("events", id=event_id, psp=psp, type=event_type, body=body, created_at=created)
    if faults.spend(psp, "webhook_drop"):
        store.insert("deliveries", event_id=event_id, psp=psp, due_at=created, state="dropped")
        return
    due_at = created + float(faults.spend(psp, "webhook_delay") or 0)
    state = "held" if faults.spend(psp, "webhook_reorder") else "waiting"
    for _ in range(1 + int(faults.spend(psp, "webhook_duplicate") or 0)):
        store.insert("deliveries", event_id=event_id, psp=psp, due_at=due_at, state=state)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A webhook that is answered with a redirect was not received."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Dispatcher(threading.Thread):
    """Sends what is due and fires timers, until told to stop."""

    def __init__(self, store: Store, webhook_url: str, timers: Mapping[str, Callable[[Store, str], object]]) -> None:
        super().__init__(name="dispatcher", daemon=True)
        self.store, self.webhook_url, self.timers = store, webhook_url, timers
        self.faults = Faults(store)
        self._stopping = threading.Event()
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def stop(self) -> None:
        self._stopping.set()
        self.join(timeout=5)
        self._senders.shutdown(wait=False, cancel_futures=True)

    def run(self) -> None:
        self.store.run("UPDATE deliveries SET state = 'waiting' WHERE state = 'sending'")
        while not self._stopping.wait(POLL_SECONDS):
            try:
                self._fire_timers()
                self._release_held()
                self._send_due()
            except Exception:
                log.exception("the dispatcher stumbled and goes on")

    def _fire_timers(self) -> None:
        for timer in self.store.rows(
            "SELECT id, action, subject FROM timers WHERE due_at <= ? ORDER BY due_at, id", now()
        ):
            with self.store.transaction():
                if self.store.run("DELETE FROM timers WHERE id = ?", timer["id"]):
                    self.timers[timer["action"]](self.store, timer["subject"])

    def _release_held(self) -> None:
        """Reorder: once enough events are held, or the oldest waited too long, they go out newest first."""
        for psp in CHARACTERS:
            held = self.store.rows(
                "SELECT id, due_at FROM deliveries WHERE psp = ? AND state = 'held' ORDER BY id DESC", psp
            )
            if not held:
                continue
            fault = next((f["value"] for f in self.faults.active() if f["name"] == "webhook_reorder"), 0)
            if len(held) >= int(fault) or held[-1]["due_at"] + HOLD_SECONDS_MAX < now():
                with self.store.transaction():
                    for place, row in enumerate(held):
                        due_at = now() + place * 3 * POLL_SECONDS
                        self.store.run(
                            "UPDATE deliveries SET state = 'waiting', due_at = ? WHERE id = ?", due_at, row["id"]
                        )

    def _send_due(self) -> None:
        if not self.webhook_url:
            return
        with self.store.transaction():
            due = self.store.rows(
                "SELECT id FROM deliveries WHERE state = 'waiting' AND due_at <= ? ORDER BY due_at, id LIMIT 200", now()
            )
            for row in due:
                self.store.run("UPDATE deliveries SET state = 'sending' WHERE id = ?", row["id"])
        for row in due:
            self._senders.submit(self._send, row["id"])

    def _send(self, delivery_id: int) -> None:
        row = self.store.row(
            "SELECT d.id, d.psp, d.attempts, d.event_id, e.body FROM deliveries d JOIN events e ON e.id = d.event_id "
            "WHERE d.id = ?",
            delivery_id,
        )
        if row is None:
            return
        state, answer, due_at = "done", "", now()
        try:
            answer = self._post(row["psp"], row["event_id"], row["body"])
        except Exception as error:  # whatever the receiver did, the event is tried again later
            answer = f"{type(error).__name__}: {error}"
            if row["attempts"] < len(RETRY_SECONDS):
                state, due_at = "waiting", now() + RETRY_SECONDS[row["attempts"]]
            else:
                state = "failed"
        self.store.run(
            "UPDATE deliveries SET state = ?, answer = ?, due_at = ?, attempts = attempts + 1 WHERE id = ?",
            state,
            answer[:200],
            due_at,
            delivery_id,
        )

    def _post(self, psp: str, event_id: str, body: bytes) -> str:
        character, at = CHARACTERS[psp], int(now())
        dialect, secret = DIALECTS[character.dialect], character.webhook_secret
        if self.faults.spend(psp, "webhook_forge"):
            secret = FORGED_SECRET
        if (stale_seconds := self.faults.spend(psp, "webhook_stale")) is not None:
            at -= int(stale_seconds)
        if (added_minor := self.faults.spend(psp, "webhook_tamper")) is not None:
            body = dialect.tampered(body, int(added_minor))
        body, headers = dialect.signed(character, body, event_id=event_id, at=at, secret=secret)
        request = urllib.request.Request(  # noqa: S310 (the operator's own URL)
            self.webhook_url.replace("{psp}", psp),
            data=body,
            method="POST",
            headers={"Content-Type": "application/json", "User-Agent": "sandbox-psp/1", **headers},
        )
        with self._opener.open(request, timeout=ANSWER_SECONDS_MAX) as answer:
            if not dialect.is_taken(answer.status, answer.read(64 * 1024)):
                raise ValueError(f"answered {answer.status}, but not as expected")
            return str(answer.status)
