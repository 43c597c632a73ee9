"""Sending webhooks: signed, bounded, retried over three days; an address that hangs holds up no other.

A worker claims messages by a lease that outlives the longest call. One that dies leaves them to the next, so a receiver may get
the same message twice, with the same `webhook-id`. Of a client's messages to an address the first goes first; the next waits until
it is taken or given up. Each address has a few slots; one that failed last, or hasn't taken anything yet, has one, and is left
alone for a while after each failure.
"""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

import httpx
from cryptography.exceptions import InvalidTag
from django.db import connection
from django.utils import timezone

from crm.choices import CallFailure
from crm.models import WebhookEndpoint
from crm.outbound.results import Sent, note_results
from crm.outbound.secrets import signing_secrets
from crm.outside import outbound
from crm.outside.calls import CallResult, call
from crm.outside.standard_webhooks import signed_headers
from crm.security import crypto
from crm.security.crypto import KeyDestroyed

BOUNDS: Final = outbound.Bounds(bytes_max=64 * 1024, seconds=15, timeout=httpx.Timeout(10, connect=5))
LEASE: Final = dt.timedelta(seconds=60)
RUN_SECONDS: Final = 45.0
AT_ONCE, SLOTS = 40, 6
# While calls are under way, new messages to other addresses are looked for as often.
LOOK_SECONDS: Final = 0.1
GATHER_SECONDS: Final = 0.02
USER_AGENT: Final = "Keelson-Webhook/1"
# SKIP LOCKED: an address whose results another worker is writing has that worker to claim for it.
CLAIM: Final = """
WITH reachable AS (
  SELECT e.id, CASE WHEN e.failures > 0 OR e.taken_at IS NULL THEN 1 ELSE %(slots)s END - (
      SELECT count(*) FROM crm_webhookdelivery under_way
      WHERE under_way.endpoint_id = e.id AND under_way.state = 'waiting' AND under_way.leased_until > %(now)s) AS free
  FROM crm_webhookendpoint e
  WHERE e.state = 'active' AND (e.held_until IS NULL OR e.held_until <= %(now)s) AND EXISTS (
    SELECT FROM crm_webhookdelivery d WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= %(now)s)
  ORDER BY e.id FOR NO KEY UPDATE OF e SKIP LOCKED
), chosen AS (
  SELECT due.id FROM reachable CROSS JOIN LATERAL (
    SELECT d.id, d.next_at FROM crm_webhookdelivery d
    WHERE d.endpoint_id = reachable.id AND d.state = 'waiting' AND d.next_at <= %(now)s
      AND (d.leased_until IS NULL OR d.leased_until <= %(now)s)
      AND (d.client_id IS NULL OR NOT EXISTS (
        SELECT FROM crm_webhookdelivery earlier
        WHERE earlier.endpoint_id = d.endpoint_id AND earlier.client_id = d.client_id AND earlier.state = 'waiting'
          AND earlier.id < d.id))
    ORDER BY d.next_at, d.id LIMIT greatest(reachable.free, 0)) AS due
  ORDER BY due.next_at, due.id LIMIT %(most)s
)
UPDATE crm_webhookdelivery d SET leased_until = %(until)s, attempts = d.attempts + 1
FROM chosen WHERE d.id = chosen.id
RETURNING d.id, d.endpoint_id, d.client_id, d.message_id, d.body, d.is_sealed, d.attempts
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker sends. body: None where it can't be opened any more."""

    pk: int
    endpoint_id: int
    client_id: int | None
    attempt: int
    url: str
    headers: dict[str, str]
    body: bytes | None

    def send(self) -> Sent:
        """Call the address. Needs no database."""
        if self.body is None:
            return Sent(self.pk, self.endpoint_id, self.client_id, self.attempt, CallResult(failure=CallFailure.ERASED))
        result = call("POST", self.url, bounds=BOUNDS, headers=self.headers, content=self.body)
        return Sent(self.pk, self.endpoint_id, self.client_id, self.attempt, result)


def send_due(*, seconds: float = RUN_SECONDS) -> int:
    """Send what is due until nothing is left or the run's time is over; return how many calls were made."""
    until, made = time.monotonic() + seconds, 0
    running: set[Future[Sent]] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            free = AT_ONCE - len(running)
            if free and time.monotonic() < until:
                running |= {pool.submit(item.send) for item in claim(free)}
            if not running:
                return made
            done, running = wait(running, timeout=LOOK_SECONDS, return_when=FIRST_COMPLETED)
            if done:
                # Those that end just after are written down with it: a transaction for each would cost more than the call.
                more, running = wait(running, timeout=GATHER_SECONDS) if running else (set(), running)
                done |= more
                note_results([future.result() for future in done])
                made += len(done)


def claim(most: int) -> list[Claimed]:
    """Lease what is due, a few of each address, and prepare their calls."""
    now = timezone.now()
    values: dict[str, Any] = {"now": now, "until": now + LEASE, "slots": SLOTS, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        rows = cursor.fetchall()
    if not rows:
        return []
    endpoints = {row.pk: row for row in WebhookEndpoint.objects.filter(pk__in={row[1] for row in rows})}
    secrets = {pk: signing_secrets(endpoint, now) for pk, endpoint in endpoints.items()}
    claimed = []
    for pk, endpoint_id, client_id, message_id, body, is_sealed, attempts in rows:
        opened = _opened(client_id, bytes(body), is_sealed=is_sealed)
        signed = signed_headers(
            opened or b"",
            message_id=f"msg_{message_id.hex}",
            seconds=int(now.timestamp()),
            signing_secrets=secrets[endpoint_id],
        )
        headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **signed}
        claimed.append(Claimed(pk, endpoint_id, client_id, attempts, endpoints[endpoint_id].url, headers, opened))
    return sorted(claimed, key=lambda item: item.pk)


def _opened(client_id: int | None, body: bytes, *, is_sealed: bool) -> bytes | None:
    """Open a message. None: the client was erased meanwhile."""
    if not is_sealed or client_id is None:
        return body
    try:
        return crypto.decrypt_for_client(client_id, body)
    except (KeyDestroyed, InvalidTag):
        return None
