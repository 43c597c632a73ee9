"""How Adyen looks: 16-character references, notification items, and an HMAC inside each of them.

Ids carry the core's own: payment `pay_<x>` has the pspReference of the first sixteen characters of x, its link PL + those.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from sandbox.psp.characters import Character
from sandbox.psp.dialects import DIALECTS, Event, adyen_transfers, compact

MERCHANT = "SandboxMerchantECOM"
SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
REFUSALS = {
    "declined_by_issuer": "REFUSED",
    "insufficient_funds": "NOT_ENOUGH_BALANCE",
    "cancelled_by_client": "CANCELLED",
}


def hmac_key(secret: str) -> str:
    """Derive the hex key that a merchant copies from the Customer Area from the character's secret."""
    return hashlib.sha256(secret.encode()).hexdigest().upper()


def psp_reference(core_id: str) -> str:
    """Derive Adyen's 16-character reference from the core's id."""
    return core_id.partition("_")[2][:16].upper()


def signature(item: dict[str, Any], key: str) -> str:
    """Sign a notification item over the fields that Adyen signs."""
    amount = item["amount"]
    values = [str(item.get(name, "")) for name in SIGNED]
    text = ":".join([*values, str(amount["value"]), amount["currency"], item["eventCode"], item["success"]])
    return base64.b64encode(hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest()).decode()


def _item(event: Event, code: str, *, success: bool = True, **fields: Any) -> dict[str, Any]:
    data = event.data
    return {
        "additionalData": {},
        "amount": {"currency": data["currency"], "value": data["amount_minor"]},
        "eventCode": code,
        "eventDate": datetime.fromtimestamp(event.created, UTC).isoformat(),
        "merchantAccountCode": MERCHANT,
        "merchantReference": data["reference"],
        "paymentMethod": data.get("method", ""),
        "pspReference": psp_reference(data["id"]),
        "reason": "",
        "success": "true" if success else "false",
        **fields,
    }


def _payment(event: Event) -> dict[str, Any] | None:
    data, own = event.data, psp_reference(event.data["id"])
    match event.type.partition(".")[2]:
        case "authorised":
            instrument = data["instrument"][-4:]
            known = {
                "cardHolderName": data["payer_name"],
                "cardSummary": instrument,
                "cardIssuingCountry": "DE",
                "paymentLinkId": f"PL{own}",
            }
            return _item(event, "AUTHORISATION", additionalData=known, operations=["CANCEL", "CAPTURE", "REFUND"])
        case "captured":
            return _item(event, "CAPTURE", pspReference=own[::-1], originalReference=own)
        case "failed":
            reason = REFUSALS.get(data["failure"], data["failure"])
            return _item(event, "AUTHORISATION", success=False, reason=reason)
    return None


def _dispute(event: Event) -> dict[str, Any] | None:
    data, dispute = event.data, event.data["dispute"]
    code = {
        "dispute.opened": "NOTIFICATION_OF_CHARGEBACK",
        "payment.chargeback": "CHARGEBACK",
        "payment.chargeback_reversed": "CHARGEBACK_REVERSED",
        "dispute.closed": "SECOND_CHARGEBACK" if dispute["status"] == "lost" and not dispute["withdrawn"] else "",
    }[event.type]
    if not code:
        return None
    due = datetime.fromtimestamp(dispute["due_at"], UTC).isoformat()
    more = {
        "defendable": "true",
        "defensePeriodEndsAt": due,
        "chargebackReasonCode": "10.4",
        "disputeStatus": "Undefended",
    }
    return _item(
        event,
        code,
        additionalData=more,
        amount={"currency": dispute["currency"], "value": dispute["amount_minor"]},
        originalReference=psp_reference(data["id"]),
        pspReference=psp_reference(dispute["id"]),
        reason=dispute["reason"],
    )


def _transfer(event: Event) -> dict[str, Any]:
    data, is_paid = event.data, event.type.endswith(".paid")
    more = {"reason": data["failure"]} if data["failure"] else {}
    if data["kind"] == "payout":
        return _item(event, "PAYOUT_THIRDPARTY", success=is_paid, **more)
    return _item(event, "REFUND", success=is_paid, originalReference=psp_reference(data["payment_id"]), **more)


class Adyen:
    """Standard notifications: `additionalData.hmacSignature` over eight fields; the answer must be `[accepted]`. Transfers
    have messages and a key of their own."""

    def message(self, character: Character, event: Event) -> bytes | list[bytes] | None:
        if event.data.get("via") == adyen_transfers.VIA:
            return adyen_transfers.messages(event)
        if event.type == "report.created":
            return adyen_transfers.report_message(event)
        if event.type == "report.available":
            item: dict[str, Any] | None = _item(event, "REPORT_AVAILABLE", **event.data["item"])
        elif "dispute" in event.data:
            item = _dispute(event)
        else:
            item = _payment(event) if event.type.startswith("payment.") else _transfer(event)
        return None if item is None else self.wrapped([item])

    def wrapped(self, items: list[dict[str, Any]]) -> bytes:
        return compact({"live": "false", "notificationItems": [{"NotificationRequestItem": item} for item in items]})

    def signed(
        self, character: Character, body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        message = json.loads(body)
        if "notificationItems" not in message:
            of = "reports" if message.get("type") == adyen_transfers.REPORT_CREATED else "transfers"
            return adyen_transfers.signed(message, at=at, key=hmac_key(f"{secret}-{of}"))
        for wrapper in message["notificationItems"]:
            item = wrapper["NotificationRequestItem"]
            item.setdefault("additionalData", {})["hmacSignature"] = signature(item, hmac_key(secret))
        return compact(message), {}

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        message = json.loads(body)
        if "amount" in message.get("data", {}):
            message["data"]["amount"]["value"] += added_minor
        for wrapper in message.get("notificationItems", ()):
            wrapper["NotificationRequestItem"]["amount"]["value"] += added_minor
        return compact(message)

    def is_taken(self, status: int, answer: bytes) -> bool:
        return 200 <= status < 300 and b"[accepted]" in answer


DIALECTS["adyen"] = Adyen()
