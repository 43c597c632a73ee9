"""A transfer of Adyen's balance platform as our TransferView, and its webhooks.

Their signature is an HMAC over the raw body under a key of their own, in the header `HmacSignature`; the body contains when it
was queued. Every message carries the whole transfer: its state, a sequence number, and the events that led there. Balance
platforms also send transfers that are none of ours (incoming money, other categories): these need nothing from us.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wallet.choices.psp import Verdict
from wallet.models import Psp, WebhookMessage
from wallet.psp.adyen import report_notices
from wallet.psp.adyen.notifications import UNITS, is_key
from wallet.psp.adyen.report_notices import CREATED
from wallet.psp.http import UNREADABLE
from wallet.psp.values import EventKind, Judgement, TransferStatus, TransferView, WebhookEvent

TYPES = frozenset({"balancePlatform.transfer.created", "balancePlatform.transfer.updated"})
STATUS = {
    "received": TransferStatus.PENDING,
    "pendingApproval": TransferStatus.PENDING,
    "approvalPending": TransferStatus.PENDING,
    "pendingExecution": TransferStatus.PENDING,
    "pending": TransferStatus.PENDING,
    "authorised": TransferStatus.PENDING,
    "booked": TransferStatus.PAID,
    "credited": TransferStatus.PAID,
    "refused": TransferStatus.FAILED,
    "rejected": TransferStatus.FAILED,
    "cancelled": TransferStatus.FAILED,
    "expired": TransferStatus.FAILED,
    "failed": TransferStatus.FAILED,
    "returned": TransferStatus.RETURNED,
}
BOOKED = frozenset({"booked", "credited"})
# Where a message bears no number: how far a state is along the way.
RANKS = {TransferStatus.PENDING: 1, TransferStatus.PAID: 2, TransferStatus.FAILED: 3, TransferStatus.RETURNED: 3}
FAILURES = {
    "counterpartyAccountClosed": "account_closed",
    "counterpartyAccountBlocked": "account_blocked",
    "counterpartyAccountNotFound": "account_not_found",
    "refusedByCounterpartyBank": "refused_by_bank",
    "counterpartyBankTimedOut": "bank_unavailable",
    "counterpartyBankUnavailable": "bank_unavailable",
    "routeNotFound": "no_route",
    "unableToRouteTransaction": "no_route",
    "amountLimitExceeded": "psp_limit",
    "declinedByTransactionRule": "psp_limit",
    "notEnoughBalance": "psp_balance_low",
}
UNSPECIFIC_REASONS = frozenset({"approved", "pending", "unknown", "error", ""})
# Adyen repeats what was not answered for weeks, with the time of the first attempt; the event's id keeps replays out.
AGE_MAX, AHEAD_MAX = dt.timedelta(days=31), dt.timedelta(seconds=300)


def is_ours(data: Mapping[str, Any], balance_account: str) -> bool:
    """Check that a transfer went from our balance account to a bank."""
    account = (data.get("balanceAccount") or {}).get("id")
    return data.get("category") == "bank" and data.get("direction") == "outgoing" and account == balance_account


def view_of(data: Mapping[str, Any]) -> TransferView:
    """Read a transfer as its look-up and its webhooks show it.

    Raises: what reading one of another shape raises.
    """
    status, currency = STATUS[str(data["status"])], str(data["amount"]["currency"])
    events = [event for event in data.get("events") or () if isinstance(event, Mapping)]
    booked = next((event for event in events if event.get("status") in BOOKED), None)
    if status == TransferStatus.FAILED and booked is not None:
        status = TransferStatus.RETURNED  # it had left the balance account: not simply failed
    failure = ""
    if status in (TransferStatus.FAILED, TransferStatus.RETURNED):
        failure = _failure(str(data.get("reason") or ""))
    if status == TransferStatus.RETURNED:
        number = next((str(event["id"]) for event in reversed(events) if event is not booked and event.get("id")), "")
        failure = f"{failure} {number}".strip()[:200]  # its number in Adyen's reports
    at = (booked or {}).get("bookingDate") or data.get("updatedAt") or data.get("creationDate")
    return TransferView(
        reference=str(data["reference"]),
        psp_reference=str(data["id"]),
        status=status,
        amount_minor=UNITS.to_ours(int(data["amount"]["value"]), currency),
        currency=currency,
        failure=failure,
        happened_at=_time(at),
    )


def _failure(reason: str) -> str:
    return FAILURES.get(reason, "" if reason in UNSPECIFIC_REASONS else reason[:80])


def _time(text: object) -> dt.datetime | None:
    if not text:
        return None
    at = dt.datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


# ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def signature(body: bytes, key: str) -> str:
    """Base64 HMAC-SHA256 of the raw body under the hex key. Raises ValueError."""
    return base64.b64encode(hmac.new(bytes.fromhex(key), body, hashlib.sha256).digest()).decode()


def judge_signature(body: bytes, stated: str, keys: Sequence[str]) -> Verdict:
    """Judge a message's HMAC signature, which any of the keys may have made."""
    if not stated:
        return Verdict.NO_SIGNATURE
    fits = [hmac.compare_digest(signature(body, key).encode(), stated.encode()) for key in keys if is_key(key)]
    return Verdict.ACCEPTED if any(fits) else Verdict.WRONG_SIGNATURE


def judge(
    body: bytes,
    headers: Mapping[str, str],
    *,
    keys: Sequence[str],
    balance_account: str,
    is_live: bool,
    now: dt.datetime,
) -> Judgement:
    """Judge what the raw bytes prove: signature, then time, environment and balance account."""
    verdict = judge_signature(body, headers.get("hmacsignature", ""), keys)
    if verdict != Verdict.ACCEPTED:
        return Judgement(verdict)
    try:
        message = json.loads(body)
        at, environment = _time(message.get("timestamp")), str(message["environment"])
        event, data = event_of(body, message), message["data"]
        is_foreign = event.kind == EventKind.PAYOUT and not is_ours(data, balance_account)
    except UNREADABLE as error:
        return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])
    if at is not None and now - at > AGE_MAX:
        return Judgement(Verdict.STALE)
    if at is not None and at - now > AHEAD_MAX:
        return Judgement(Verdict.FUTURE)
    if environment != ("live" if is_live else "test"):
        return Judgement(Verdict.OTHER_MERCHANT, detail=f"environment={environment}"[:100])
    if is_foreign:
        return Judgement(Verdict.OTHER_MERCHANT, detail=str(data.get("balanceAccount"))[:100])
    return Judgement(Verdict.ACCEPTED, (event,))


def event_of(body: bytes, message: Mapping[str, Any]) -> WebhookEvent:
    """Read one message; not complete, since a newer one about the same transfer may have come before it."""
    kind, data = str(message["type"]), message["data"]
    if kind == CREATED and (ready := report_notices.of_platform(message)):
        return ready
    if kind not in TYPES or data.get("category") != "bank" or data.get("direction") != "outgoing":
        return WebhookEvent(f"other:{hashlib.sha256(body).hexdigest()[:64]}", kind[:80], EventKind.OTHER, "")
    view = view_of(data)
    return WebhookEvent(
        event_id=f"{view.psp_reference}:{int(data.get('sequenceNumber') or 0)}:{view.status.value}:{data['status']}"[
            :120
        ],
        event_type=kind,
        kind=EventKind.PAYOUT,
        reference=view.reference[:100],
        transfer=view,
        is_complete=False,
    )


def drop_if_overtaken(psp: Psp, event: WebhookEvent) -> WebhookEvent:
    """Drop an event when a later one about the same transfer has come already: late messages must not undo it."""
    assert event.transfer is not None
    own = f"{event.transfer.psp_reference}:"
    event_ids = WebhookMessage.objects.filter(
        psp=psp, verdict=Verdict.ACCEPTED, reference=event.reference, event_id__startswith=own
    ).values_list("event_id", flat=True)
    if any(_is_later(other, event.event_id) for other in event_ids):
        return replace(event, kind=EventKind.OTHER, transfer=None, is_complete=True)
    return replace(event, is_complete=True)


def _is_later(event_id: str, other: str) -> bool:
    """Compare by Adyen's numbers, or by the states' ranks where either has none."""
    (number, rank), (other_number, other_rank) = _place(event_id), _place(other)
    return number > other_number if number and other_number else rank > other_rank


def _place(event_id: str) -> tuple[int, int]:
    _transfer, number, status, _state = event_id.split(":")
    return int(number), RANKS[TransferStatus(status)]
