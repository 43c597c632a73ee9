"""Stripe's objects and events as the views that the rest of the wallet knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clients.countries import country_code
from wallet.psp.units import MinorUnits
from wallet.psp.values import (
    DisputeView,
    EventKind,
    PaymentStatus,
    PaymentView,
    TransferStatus,
    TransferView,
    WebhookEvent,
)

# docs.stripe.com/currencies: kept at two decimals though ISO has none; without decimals though ISO has two.
UNITS = MinorUnits({"ISK": 2, "UGX": 2, "MGA": 0})
Data = Mapping[str, Any]

INTENT_STATUS = {
    "requires_payment_method": PaymentStatus.CREATED,
    "requires_confirmation": PaymentStatus.CREATED,
    "requires_action": PaymentStatus.CREATED,
    "processing": PaymentStatus.PENDING,
    "requires_capture": PaymentStatus.AUTHORISED,
    "succeeded": PaymentStatus.CAPTURED,
    "canceled": PaymentStatus.FAILED,
}
REFUND_STATUS = {
    "pending": TransferStatus.PENDING,
    "requires_action": TransferStatus.PENDING,
    "succeeded": TransferStatus.PAID,
    "failed": TransferStatus.FAILED,
    "canceled": TransferStatus.FAILED,
}
# Decline codes as ours; others stay as they are.
FAILURES = {
    "generic_decline": "declined_by_issuer",
    "do_not_honor": "declined_by_issuer",
    "card_declined": "declined_by_issuer",
    "insufficient_funds": "insufficient_funds",
    "payment_intent_authentication_failure": "cancelled_by_client",
}
PAYMENT_EVENTS = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.processing",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "payment_intent.amount_capturable_updated",
    }
)
SESSION_EVENTS = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
REFUND_EVENTS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
DISPUTE_OUTCOMES = {"won": "won", "warning_closed": "won", "lost": "lost"}
DISPUTE_EVENTS = {
    "charge.dispute.created": EventKind.DISPUTE,
    "charge.dispute.updated": EventKind.DISPUTE,
    "charge.dispute.closed": EventKind.DISPUTE,
    "charge.dispute.funds_withdrawn": EventKind.CHARGEBACK,
    "charge.dispute.funds_reinstated": EventKind.CHARGEBACK_REVERSED,
}


def session_view(session: Data) -> PaymentView:
    """Read a Checkout Session; with its PaymentIntent expanded, as precisely as that."""
    currency, intent = str(session["currency"]).upper(), session.get("payment_intent")
    link: dict[str, Any] = {"session_reference": str(session["id"]), "redirect_url": str(session.get("url") or "")}
    if isinstance(intent, Mapping):
        view = intent_view(intent)
        return replace(view, reference=_reference(session), **link)
    amount = UNITS.to_ours(session["amount_total"], currency)
    is_paid = session["payment_status"] == "paid"
    status = {"open": PaymentStatus.CREATED, "expired": PaymentStatus.EXPIRED}.get(
        str(session["status"]), PaymentStatus.PENDING
    )
    return PaymentView(
        reference=_reference(session),
        psp_reference=str(intent or ""),
        status=PaymentStatus.CAPTURED if is_paid else status,
        amount_minor=amount,
        currency=currency,
        received_minor=amount if is_paid else None,
        method=_method(session),
        **link,
    )


def intent_view(intent: Data) -> PaymentView:
    """Read a PaymentIntent; payer, instrument and refunds when its latest charge is expanded."""
    currency, status = str(intent["currency"]).upper(), INTENT_STATUS[str(intent["status"])]
    error, charge = intent.get("last_payment_error") or {}, intent.get("latest_charge")
    if status == PaymentStatus.CREATED and error:
        status = PaymentStatus.FAILED
    code = str(error.get("decline_code") or error.get("code") or intent.get("cancellation_reason") or "")
    known = _charge(charge, currency) if isinstance(charge, Mapping) else {}
    received = UNITS.to_ours(intent.get("amount_received") or 0, currency)
    return PaymentView(
        reference=_reference(intent),
        psp_reference=str(intent["id"]),
        status=status,
        amount_minor=UNITS.to_ours(intent["amount"], currency),
        currency=currency,
        received_minor=received if status == PaymentStatus.CAPTURED else None,
        failure=FAILURES.get(code, code)[:200] if status == PaymentStatus.FAILED else "",
        **{"method": _method(intent), **known},
    )


def _charge(charge: Data, currency: str) -> dict[str, Any]:
    details = charge.get("payment_method_details") or {}
    method = str(details.get("type") or "")
    paid = details.get(method) or {}
    last4 = str(paid.get("last4") or "")
    return {
        "method": method[:30],
        "instrument": f"•••• {last4}" if last4 else "",
        "card_country": country_code(str(paid.get("country") or "")) if method == "card" else "",
        "payer_name": str((charge.get("billing_details") or {}).get("name") or "")[:120],
        "refunded_minor": UNITS.to_ours(charge.get("amount_refunded") or 0, currency),
        "happened_at": _at(charge),
    }


def refund_view(refund: Data) -> TransferView:
    """Read a refund; one that was made in Stripe's dashboard has no reference of ours."""
    currency = str(refund["currency"]).upper()
    return TransferView(
        reference=_reference(refund),
        psp_reference=str(refund["id"]),
        status=REFUND_STATUS[str(refund["status"])],
        amount_minor=UNITS.to_ours(refund["amount"], currency),
        currency=currency,
        failure=str(refund.get("failure_reason") or "")[:200],
        happened_at=_at(refund),
    )


def dispute_view(dispute: Data, reference: str) -> DisputeView:
    """Read a dispute about the deposit of that reference."""
    currency, due_by = str(dispute["currency"]).upper(), (dispute.get("evidence_details") or {}).get("due_by")
    return DisputeView(
        reference=reference,
        psp_dispute_id=str(dispute["id"]),
        amount_minor=UNITS.to_ours(dispute["amount"], currency),
        currency=currency,
        reason=str(dispute.get("reason") or "")[:80],
        evidence_due_at=dt.datetime.fromtimestamp(int(due_by), dt.UTC) if due_by else None,
        happened_at=_at(dispute),
        outcome=DISPUTE_OUTCOMES.get(str(dispute.get("status")), ""),
        is_inquiry=str(dispute.get("status") or "").startswith("warning_"),
    )


def event_of(message: Data) -> WebhookEvent:
    """One webhook. Incomplete is what names a payment of ours by Stripe's own id only, and money that came in: who paid, and
    with what, only the API knows."""
    name, value = str(message["type"]), message["data"]["object"]
    common: dict[str, Any] = {"event_id": str(message["id"])[:120], "event_type": name[:80]}
    at = dt.datetime.fromtimestamp(int(message["created"]), dt.UTC)
    if name in SESSION_EVENTS or name in PAYMENT_EVENTS:
        view = session_view(value) if name in SESSION_EVENTS else intent_view(value)
        payment = replace(view, redirect_url="", happened_at=at)
        if name == "checkout.session.async_payment_failed":
            payment = replace(payment, status=PaymentStatus.FAILED, failure="declined_by_issuer")
        return WebhookEvent(
            **common,
            kind=EventKind.PAYMENT,
            reference=view.reference[:100],
            payment=payment,
            is_complete=bool(payment.reference) and payment.status != PaymentStatus.CAPTURED,
        )
    if name in REFUND_EVENTS:
        refund = refund_view(value)
        return WebhookEvent(
            **common,
            kind=EventKind.REFUND,
            reference=refund.reference[:100],
            transfer=refund,
            is_complete=bool(refund.reference),
            payment=_named(value),
        )
    if name in DISPUTE_EVENTS:
        return WebhookEvent(
            **common,
            kind=DISPUTE_EVENTS[name],
            reference="",
            payment=_named(value),
            dispute=dispute_view(value, ""),
            is_complete=False,
        )
    return WebhookEvent(**common, kind=EventKind.OTHER, reference=_reference(value)[:100])


def _named(value: Data) -> PaymentView:
    """Read what a refund or dispute has of its payment: Stripe's id of it, and the amount that goes back."""
    currency = str(value["currency"]).upper()
    return PaymentView(
        reference="",
        psp_reference=str(value.get("payment_intent") or ""),
        status=PaymentStatus.CHARGED_BACK,
        amount_minor=UNITS.to_ours(value["amount"], currency),
        currency=currency,
        happened_at=_at(value),
    )


def _reference(value: Data) -> str:
    return str((value.get("metadata") or {}).get("reference") or value.get("client_reference_id") or "")


def _method(value: Data) -> str:
    methods = value.get("payment_method_types") or []
    return str(methods[0])[:30] if len(methods) == 1 else ""


def _at(value: Data) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(int(value["created"]), dt.UTC) if value.get("created") else None
