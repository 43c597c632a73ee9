"""What follows from a call: delivered, tried again later, or failed; and what it says about the address."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone

from crm.choices import CallFailure, WebhookDeliveryState, WebhookState
from crm.db.bulk import update_models
from crm.db.locking import lock_all
from crm.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from crm.outbound.disabling import disable_endpoint
from crm.outbound.personal import not_erased
from crm.outside.calls import CallResult
from crm.security import crypto

# The specification's own example: 5 s, 5 and 30 min, then hours; a little over three days in all.
BACK_OFF_SECONDS: Final = (5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24)))
HOLD_SECONDS, HOLD_SECONDS_MAX = 5, 900
GONE: Final = 410
BUSY: Final = (408, 425, 429)
DISABLED_AFTER: Final = dt.timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that has ended. attempt: its number, so that a worker whose lease has run out changes nothing."""

    delivery_id: int
    endpoint_id: int
    client_id: int | None
    attempt: int
    result: CallResult


@transaction.atomic
def note_results(sent: Sequence[Sent]) -> None:
    """Write down how calls ended, of several addresses together. Addresses are locked before their messages."""
    now = timezone.now()
    endpoints = lock_all(WebhookEndpoint, "brand", "subscription", pks={item.endpoint_id for item in sent}, no_key=True)
    rows = {row.pk: row for row in lock_all(WebhookDelivery, pks=[item.delivery_id for item in sent])}
    fresh = [item for item in sent if _is_current(rows.get(item.delivery_id), item)]
    for item in fresh:
        _note(rows[item.delivery_id], item.result, now)
    changed = [rows[item.delivery_id] for item in fresh]
    update_models(changed, ["state", "next_at", "leased_until", "status_code", "failure", "done_at"])
    _log_attempts([item for item in sent if item.delivery_id in rows], now)
    by_endpoint: dict[int, list[CallResult]] = defaultdict(list)
    for item in fresh:
        if item.result.failure != CallFailure.ERASED:
            by_endpoint[item.endpoint_id].append(item.result)
    judged = [endpoint for endpoint in endpoints if endpoint.pk in by_endpoint]
    for endpoint in judged:
        _judge(endpoint, by_endpoint[endpoint.pk], now)
    update_models(judged, ["failing_since", "failures", "held_until", "taken_at"])
    for endpoint in judged:
        is_gone = any(result.status_code == GONE for result in by_endpoint[endpoint.pk])
        is_given_up = endpoint.failing_since is not None and endpoint.failing_since <= now - DISABLED_AFTER
        if endpoint.state == WebhookState.ACTIVE and (is_gone or is_given_up):
            disable_endpoint(endpoint, is_gone=is_gone)


def _is_current(row: WebhookDelivery | None, item: Sent) -> bool:
    return row is not None and row.state == WebhookDeliveryState.WAITING and row.attempts == item.attempt


def _note(row: WebhookDelivery, result: CallResult, now: dt.datetime) -> None:
    row.status_code, row.failure, row.leased_until = result.status_code, result.failure, None
    if result.failure == CallFailure.ERASED:
        row.move_to(WebhookDeliveryState.CANCELLED)
        row.done_at = now
    elif not result.failure:
        row.move_to(WebhookDeliveryState.DELIVERED)
        row.done_at = now
    elif row.event_id is None or row.attempts > len(BACK_OFF_SECONDS):  # a test is tried once
        row.move_to(WebhookDeliveryState.FAILED)
        row.done_at = now
    else:
        row.next_at = now + dt.timedelta(seconds=max(BACK_OFF_SECONDS[row.attempts - 1], result.wait_seconds))


def _judge(endpoint: WebhookEndpoint, results: Sequence[CallResult], now: dt.datetime) -> None:
    """Note whether an address takes messages, and leave it alone for a while where it doesn't answer or asks for it."""
    if any(not result.failure for result in results):
        endpoint.failing_since, endpoint.failures, endpoint.held_until, endpoint.taken_at = None, 0, None, now
        return
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failures += 1
    asked = max(result.wait_seconds for result in results)
    is_refusal = all(
        result.failure == CallFailure.REFUSED
        and result.status_code is not None
        and result.status_code < 500
        and result.status_code not in BUSY
        for result in results
    )  # of this message, by an address that answers
    hold = 0 if is_refusal else min(HOLD_SECONDS * 2 ** min(endpoint.failures - 1, 10), HOLD_SECONDS_MAX)
    endpoint.held_until = now + dt.timedelta(seconds=max(hold, asked)) if hold or asked else None


def _log_attempts(sent: Sequence[Sent], now: dt.datetime) -> None:
    clients = {item.client_id for item in sent if item.client_id is not None and item.result.answer}
    answers = _sealed(sent, clients)
    WebhookAttempt.objects.bulk_create(
        [
            WebhookAttempt(
                delivery_id=item.delivery_id,
                at=now - dt.timedelta(milliseconds=item.result.duration_ms),
                duration_ms=item.result.duration_ms,
                status_code=item.result.status_code,
                failure=item.result.failure,
                answer=answer,
            )
            for item, answer in zip(sent, answers, strict=True)
        ]
    )


def _sealed(sent: Sequence[Sent], clients: set[int]) -> list[bytes]:
    """Seal the answers about clients; that about one who was erased meanwhile isn't kept."""
    sealers = crypto.sealers_for_clients(not_erased(clients)) if clients else {}
    answers = []
    for item in sent:
        if item.client_id is None:
            answers.append(item.result.answer)
        else:
            sealer = sealers.get(item.client_id)
            answers.append(sealer(item.result.answer) if sealer is not None and item.result.answer else b"")
    return answers
