"""How Stripe looks: its objects, its events and `Stripe-Signature`.

Ids carry the core's own: payment `pay_<x>` is session `cs_test_<x>`, PaymentIntent `pi_<x>` and charge `ch_<x>`.
"""

import hashlib
import hmac
import json
from typing import Any

from sandbox.psp.characters import Character
from sandbox.psp.dialects import DIALECTS, Event, compact

API_VERSION = "2026-09-30.clover"
PAID = frozenset({"captured", "charged_back"})
INTENT_STATUS = {
    "created": "requires_payment_method",
    "pending": "processing",
    "authorised": "requires_capture",
    "failed": "requires_payment_method",
    "expired": "canceled",
}
REFUND_STATUS = {"pending": "pending", "paid": "succeeded", "failed": "failed"}
DECLINES = {"declined_by_issuer": "generic_decline", "cancelled_by_client": "payment_intent_authentication_failure"}
FAR = 86_400


def suffix(core_id: str) -> str:
    """Take the part of the core's id behind its prefix."""
    return core_id.partition("_")[2]


def intent_id(payment_id: str) -> str:
    """Derive a PaymentIntent's id from the payment's."""
    return f"pi_{suffix(payment_id)}"


def session(view: dict[str, Any], *, expand: str = "") -> dict[str, Any]:
    """Show a Checkout Session. Its PaymentIntent is there from the moment the client pays."""
    status, is_started = view["status"], view["status"] not in ("created", "expired")
    payment_intent: Any = intent_id(view["id"]) if is_started else None
    if is_started and expand.startswith("payment_intent"):
        payment_intent = intent(view, expand=expand.removeprefix("payment_intent").lstrip("."))
    state = "expired" if status == "expired" else "open" if status in ("created", "failed") else "complete"
    return {
        "id": f"cs_test_{suffix(view['id'])}",
        "object": "checkout.session",
        "amount_total": view["amount_minor"],
        "client_reference_id": view["reference"],
        "created": view["created_at"],
        "currency": view["currency"].lower(),
        "expires_at": view["created_at"] + FAR,
        "livemode": False,
        "metadata": {"reference": view["reference"]},
        "mode": "payment",
        "payment_intent": payment_intent,
        "payment_method_types": [view["method"] or "card"],
        "payment_status": "paid" if status in PAID else "unpaid",
        "status": state,
        "url": view.get("redirect_url") if state == "open" else None,
    }


def intent(view: dict[str, Any], *, expand: str = "") -> dict[str, Any]:
    """Show a PaymentIntent; its charge once there is one."""
    has_charge = view["status"] in PAID
    latest: Any = f"ch_{suffix(view['id'])}" if has_charge else None
    error = None
    if view["status"] == "failed":
        code = DECLINES.get(view["failure"], view["failure"])
        error = {"type": "card_error", "code": "card_declined", "decline_code": code, "message": "It was declined."}
    return {
        "id": intent_id(view["id"]),
        "object": "payment_intent",
        "amount": view["amount_minor"],
        "amount_received": view["received_minor"] if has_charge else 0,
        "created": view["created_at"],
        "currency": view["currency"].lower(),
        "last_payment_error": error,
        "latest_charge": charge(view) if has_charge and "latest_charge" in expand else latest,
        "livemode": False,
        "metadata": {"reference": view["reference"]},
        "payment_method_types": [view["method"] or "card"],
        "status": INTENT_STATUS.get(view["status"], "succeeded"),
    }


def charge(view: dict[str, Any]) -> dict[str, Any]:
    """Show a charge with what is known of payer and instrument."""
    method, last4 = view["method"] or "card", view["instrument"][-4:]
    details: dict[str, Any] = {"type": method, method: {}}
    if method == "card":
        details["card"] = {"brand": "visa", "last4": last4, "country": "DE"}
    elif method == "sepa_debit":
        details["sepa_debit"] = {"last4": last4 or "3000", "country": "DE"}
    return {
        "id": f"ch_{suffix(view['id'])}",
        "object": "charge",
        "amount": view["received_minor"],
        "amount_refunded": view["refunded_minor"],
        "billing_details": {"name": view["payer_name"] or None},
        "created": view["updated_at"],
        "currency": view["currency"].lower(),
        "disputed": view["status"] == "charged_back",
        "livemode": False,
        "metadata": {"reference": view["reference"]},
        "payment_intent": intent_id(view["id"]),
        "payment_method_details": details,
        "refunded": view["refunded_minor"] == view["received_minor"],
        "status": "succeeded",
    }


def refund(view: dict[str, Any]) -> dict[str, Any]:
    """Show a refund."""
    return {
        "id": view["id"],
        "object": "refund",
        "amount": view["amount_minor"],
        "charge": f"ch_{suffix(view['payment_id'])}",
        "created": view["created_at"],
        "currency": view["currency"].lower(),
        "failure_reason": view["failure"] or None,
        "metadata": {"reference": view["reference"]},
        "payment_intent": intent_id(view["payment_id"]),
        "status": REFUND_STATUS[view["status"]],
    }


def dispute(view: dict[str, Any], payment_id: str) -> dict[str, Any]:
    """Show a dispute: it names the charge and the PaymentIntent, never the merchant's reference."""
    return {
        "id": view["id"],
        "object": "dispute",
        "amount": view["amount_minor"],
        "charge": f"ch_{suffix(payment_id)}",
        "created": view["created_at"],
        "currency": view["currency"].lower(),
        "evidence": view["evidence"],
        "evidence_details": {"due_by": view["due_at"], "has_evidence": bool(view["evidence"]), "submission_count": 0},
        "livemode": False,
        "metadata": {},
        "payment_intent": intent_id(payment_id),
        "reason": view["reason"],
        "status": view["status"],
    }


def _objects(event: Event) -> list[tuple[str, dict[str, Any]]]:
    """(type, object) of the messages in which Stripe tells what the core did."""
    data, is_debit = event.data, event.data.get("method") == "sepa_debit"
    match event.type:
        case "payment.pending":
            return [("checkout.session.completed", session(data)), ("payment_intent.processing", intent(data))]
        case "payment.captured":
            told = "checkout.session.async_payment_succeeded" if is_debit else "checkout.session.completed"
            return [("payment_intent.succeeded", intent(data)), (told, session(data))]
        case "payment.failed":
            return [("payment_intent.payment_failed", intent(data))]
        case "payment.expired":
            return [("checkout.session.expired", session(data))]
        case "refund.paid":
            return [("refund.updated", refund(data))]
        case "refund.failed":
            return [("refund.failed", refund(data))]
    if "dispute" not in data:
        return []
    told = {
        "dispute.opened": "charge.dispute.created",
        "payment.chargeback": "charge.dispute.funds_withdrawn",
        "payment.chargeback_reversed": "charge.dispute.funds_reinstated",
        "dispute.closed": "charge.dispute.closed",
    }[event.type]
    return [(told, dispute(data["dispute"], data["id"]))]


class Stripe:
    """`Stripe-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">,v0=<of no use>`."""

    def message(self, character: Character, event: Event) -> list[bytes]:
        return [
            compact(
                {
                    "id": f"{event.id}_{place}" if place else event.id,
                    "object": "event",
                    "api_version": API_VERSION,
                    "created": event.created,
                    "data": {"object": value},
                    "livemode": False,
                    "pending_webhooks": 1,
                    "request": {"id": None, "idempotency_key": None},
                    "type": name,
                }
            )
            for place, (name, value) in enumerate(_objects(event))
        ]

    def signed(
        self, character: Character, body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return body, {"Stripe-Signature": f"t={at},v1={digest},v0={'0' * 64}"}

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        event = json.loads(body)
        for name in ("amount", "amount_total", "amount_received"):
            if event["data"]["object"].get(name):
                event["data"]["object"][name] += added_minor
        return compact(event)

    def is_taken(self, status: int, answer: bytes) -> bool:
        return 200 <= status < 300


DIALECTS["stripe"] = Stripe()
