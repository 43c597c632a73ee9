"""PayPal's amounts, orders, captures, refunds and payouts, converted to ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _

from crm.money.amounts import from_minor, to_minor
from wallet.models import Psp
from wallet.psp.errors import PspRefused
from wallet.psp.http import UNREADABLE
from wallet.psp.values import PaymentStatus, PaymentView, TransferStatus, TransferView

# PayPal takes and writes these without decimals, whatever ISO 4217 says.
WHOLE_UNITS = frozenset({"JPY", "HUF", "TWD"})
APPROVE_LINKS = ("payer-action", "approve")
ORDER_STATES = {
    "CREATED": PaymentStatus.CREATED,
    "SAVED": PaymentStatus.CREATED,
    "PAYER_ACTION_REQUIRED": PaymentStatus.CREATED,
    "APPROVED": PaymentStatus.AUTHORISED,
    "VOIDED": PaymentStatus.FAILED,
}
CAPTURE_STATES = {
    "COMPLETED": PaymentStatus.CAPTURED,
    "PARTIALLY_REFUNDED": PaymentStatus.CAPTURED,
    "REFUNDED": PaymentStatus.CAPTURED,
    "PENDING": PaymentStatus.PENDING,
    "DECLINED": PaymentStatus.FAILED,
    "FAILED": PaymentStatus.FAILED,
}
REFUND_STATES = {
    "COMPLETED": TransferStatus.PAID,
    "PENDING": TransferStatus.PENDING,
    "FAILED": TransferStatus.FAILED,
    "CANCELLED": TransferStatus.FAILED,
}
ITEM_STATES = {
    "SUCCESS": TransferStatus.PAID,
    "FAILED": TransferStatus.FAILED,
    "RETURNED": TransferStatus.FAILED,
    "BLOCKED": TransferStatus.FAILED,
    "REFUNDED": TransferStatus.FAILED,
    "REVERSED": TransferStatus.FAILED,
    "DENIED": TransferStatus.FAILED,
    "CANCELED": TransferStatus.FAILED,
}


def amount_of(minor: int, currency: str, psp: Psp) -> dict[str, str]:
    """Major units as text. Raises PspRefused for a fraction of a currency that PayPal takes whole."""
    amount = from_minor(minor, currency)
    if currency in WHOLE_UNITS:
        if amount != amount.to_integral_value():
            raise PspRefused(
                _("%(psp)s accepts only whole amounts in %(currency)s.") % {"psp": psp, "currency": currency}
            )
        amount = amount.to_integral_value()
    return {"currency_code": currency, "value": f"{amount:f}"}


def minor_of(amount: Mapping[str, Any], currency_field: str = "currency_code") -> tuple[int, str]:
    """Convert PayPal's amount to minor units and its currency."""
    currency = str(amount[currency_field])
    return to_minor(Decimal(str(amount["value"])), currency), currency


def payment_of_order(order: Mapping[str, Any]) -> PaymentView:
    """Read an order as a payment, with its capture if there is one."""
    unit = order["purchase_units"][0]
    minor, currency = minor_of(unit["amount"])
    captures = unit.get("payments", {}).get("captures", [])
    state = str(order["status"])
    status = ORDER_STATES.get(state, PaymentStatus.PENDING)
    received: int | None = None
    if captures:
        status = CAPTURE_STATES.get(str(captures[0]["status"]), PaymentStatus.PENDING)
        received = sum(
            minor_of(capture["amount"])[0] for capture in captures if capture["status"] in ("COMPLETED", "PENDING")
        )
        received = received or minor_of(captures[0]["amount"])[0]
        if {minor_of(capture["amount"])[1] for capture in captures} != {currency}:
            raise ValueError("a capture in another currency than its order")
    payer = order.get("payer") or {}
    name = payer.get("name") or {}
    refunds = unit.get("payments", {}).get("refunds", [])
    return PaymentView(
        reference=str(unit.get("custom_id") or unit.get("invoice_id") or ""),
        psp_reference=str(order["id"]),
        status=status,
        amount_minor=minor,
        currency=currency,
        received_minor=received,
        redirect_url=next((str(link["href"]) for link in order.get("links", []) if link["rel"] in APPROVE_LINKS), ""),
        method="paypal",
        instrument=masked(str(payer.get("email_address") or "")),
        payer_name=f"{name.get('given_name', '')} {name.get('surname', '')}".strip()[:120],
        failure="voided" if state == "VOIDED" else "",
        refunded_minor=sum(minor_of(refund["amount"])[0] for refund in refunds if refund["status"] == "COMPLETED"),
        happened_at=_time(captures[0] if captures else order),
        awaits_capture=state == "APPROVED",
    )


def payment_of_capture(capture: Mapping[str, Any]) -> PaymentView:
    """Read a captured payment; its order's id is the PSP reference."""
    minor, currency = minor_of(capture["amount"])
    related = capture.get("supplementary_data", {}).get("related_ids", {})
    return PaymentView(
        reference=str(capture.get("custom_id") or capture.get("invoice_id") or ""),
        psp_reference=str(related.get("order_id", "")),
        status=CAPTURE_STATES.get(str(capture["status"]), PaymentStatus.PENDING),
        amount_minor=minor,
        currency=currency,
        received_minor=minor,
        method="paypal",
        happened_at=_time(capture),
    )


def capture_id_of(order: Mapping[str, Any]) -> str:
    """Find the captured payment of an order; empty where there is none."""
    captures = order["purchase_units"][0].get("payments", {}).get("captures", [])
    return next(
        (str(capture["id"]) for capture in captures if CAPTURE_STATES.get(capture["status"]) == PaymentStatus.CAPTURED),
        "",
    )


def refund_of(refund: Mapping[str, Any]) -> TransferView:
    """Read a refund as a transfer."""
    minor, currency = minor_of(refund["amount"])
    return TransferView(
        reference=str(refund.get("custom_id") or refund.get("invoice_id") or ""),
        psp_reference=str(refund["id"]),
        status=REFUND_STATES.get(str(refund["status"]), TransferStatus.PENDING),
        amount_minor=minor,
        currency=currency,
        happened_at=_time(refund),
    )


def payout_of_item(item: Mapping[str, Any]) -> TransferView:
    """Read an item of a payout batch as a transfer; the batch's id is the PSP reference."""
    minor, currency = minor_of(item["payout_item"]["amount"], "currency")
    errors = item.get("errors") or {}
    return TransferView(
        reference=str(item["payout_item"].get("sender_item_id") or item.get("sender_batch_id")),
        psp_reference=str(item["payout_batch_id"]),
        status=ITEM_STATES.get(str(item["transaction_status"]), TransferStatus.PENDING),
        amount_minor=minor,
        currency=currency,
        failure=str(errors.get("name", "")).lower()[:200],
        happened_at=_time(item),
    )


def masked(email: str) -> str:
    """Shorten an e-mail address to its first letter and its host; empty where it is none."""
    name, at, host = email.partition("@")
    return f"{name[:1]}•••@{host}"[:80] if at else ""


def _time(resource: Mapping[str, Any]) -> dt.datetime | None:
    text = resource.get("update_time") or resource.get("time_processed") or resource.get("create_time")
    if not text:
        return None
    at = dt.datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def path_part(text: str) -> str:
    """One part of a path: nothing in an id leads elsewhere."""
    return quote(text, safe="")


def error_text(answer: Any) -> str:
    """Find PayPal's own message in an answer that refuses."""
    details = answer.get("details") or [{}]
    try:
        described = details[0].get("description") or details[0].get("issue") or ""
    except UNREADABLE:
        described = ""
    return str(described or answer.get("message") or answer.get("error_description") or answer["name"])
