"""How a transfer of Adyen's balance platform looks, and its webhooks: the whole transfer with a number, signed as a whole."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from sandbox.psp.dialects import Event, compact

REPORT_CREATED = "balancePlatform.report.created"
VIA = "transfers"
PLATFORM = "SandboxBalancePlatform"
BALANCE_ACCOUNT = "BA00000000000000000SANDBX"
# Before anything is reserved, for these reasons; for others the receiving bank says no.
REFUSED_FOR = frozenset({"amountLimitExceeded", "declinedByTransactionRule", "notEnoughBalance"})
WAYS = {
    "pending": ["received"],
    "paid": ["received", "authorised", "booked"],
    "failed": ["received", "authorised", "failed"],
    "refused": ["received", "refused"],
    "returned": ["received", "authorised", "booked", "returned"],
    "failed_late": ["received", "authorised", "booked", "failed"],
}


def transfer_id(core_id: str) -> str:
    """Derive Adyen's id of a transfer from the core's id."""
    return core_id.partition("_")[2][:16].upper()


def event_id(own: str, place: int) -> str:
    """Of the transfer's step at that place, counted from 1."""
    return f"EVSB{own}{place:02}"


def steps_of(data: dict[str, Any]) -> list[str]:
    """List the states that a transfer has gone through."""
    is_refused = data["status"] == "failed" and data["failure"] in REFUSED_FOR
    return WAYS["refused" if is_refused else data["status"]]


def resource(data: dict[str, Any], steps: list[str]) -> dict[str, Any]:
    """Show a transfer as it was after these steps."""
    at, own = datetime.fromtimestamp(data["created_at"], UTC).isoformat(), transfer_id(data["id"])
    status, destination = steps[-1], data["destination"]
    events = [
        {"bookingDate": at, "id": event_id(own, place), "status": step, "type": "accounting"}
        for place, step in enumerate(steps, start=1)
    ]
    return {
        "amount": {"currency": data["currency"], "value": data["amount_minor"]},
        "balanceAccount": {"id": BALANCE_ACCOUNT},
        "balancePlatform": PLATFORM,
        "category": "bank",
        "categoryData": {"priority": "regular", "type": "bank"},
        "counterparty": {"bankAccount": destination["bankAccount"]},
        "creationDate": at,
        "direction": "outgoing",
        "events": events,
        "id": own,
        "reason": data["failure"] if status in ("refused", "failed", "returned") else "approved",
        "reference": data["reference"],
        "referenceForBeneficiary": destination["referenceForBeneficiary"],
        "sequenceNumber": len(steps),
        "status": status,
        "type": "bankTransfer",
        "updatedAt": datetime.fromtimestamp(data["updated_at"], UTC).isoformat(),
    }


def messages(event: Event) -> list[bytes]:
    """One for every step that is new since the last event."""
    steps = steps_of(event.data)
    first_step = {"payout.created": 0, "payout.sent_back": len(steps) - 1}.get(event.type, 1)
    return [_message(event, steps[:count]) for count in range(first_step + 1, len(steps) + 1)]


def _message(event: Event, steps: list[str]) -> bytes:
    what = "created" if len(steps) == 1 else "updated"
    return compact(
        {
            "data": resource(event.data, steps),
            "environment": "test",
            "timestamp": datetime.fromtimestamp(event.created, UTC).isoformat(),
            "type": f"balancePlatform.transfer.{what}",
        }
    )


def report_message(event: Event) -> bytes:
    """Write the webhook of a report that is ready."""
    name = event.data["file"]
    data = {
        "balancePlatform": PLATFORM,
        "creationDate": datetime.fromtimestamp(event.created, UTC).isoformat(),
        "id": name,
        "downloadUrl": event.data["url"],
        "fileName": name,
        "reportType": name.partition("_report")[0] + "_report",
    }
    return compact({"data": data, "environment": "test", "type": REPORT_CREATED})


def signed(message: dict[str, Any], *, at: int, key: str) -> tuple[bytes, dict[str, str]]:
    """Said to be queued at that second."""
    body = compact(message | {"timestamp": datetime.fromtimestamp(at, UTC).isoformat()})
    return body, {"HmacSignature": signature(body, key), "Protocol": "HmacSHA256"}


def signature(body: bytes, key: str) -> str:
    """Sign a webhook's whole body."""
    return base64.b64encode(hmac.new(bytes.fromhex(key), body, hashlib.sha256).digest()).decode()
