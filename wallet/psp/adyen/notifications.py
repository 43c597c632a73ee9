"""Adyen's notifications: an HMAC inside every item, and what each event code means to the wallet.

The signature covers eight fields and nothing else: references, merchant account, amount, code and success. Payer and
instrument in `additionalData` are shown to people and decide nothing. There is no time in it, so a replay is known by
its event id alone (`pspReference:eventCode:success`), which is accepted once.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clients.countries import country_code
from crm.geo.cards import country_of_bin
from wallet.choices.psp import Verdict
from wallet.psp.adyen import report_notices
from wallet.psp.adyen.report_notices import AVAILABLE
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

# docs.adyen.com: currency codes and minor units, where they differ from ISO 4217.
UNITS = MinorUnits({"CLP": 2, "CVE": 0, "IDR": 0, "ISK": 2})
Item = Mapping[str, Any]
SIGNED_REFERENCES = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
DISPUTES = {
    "REQUEST_FOR_INFORMATION": EventKind.DISPUTE,
    "NOTIFICATION_OF_CHARGEBACK": EventKind.DISPUTE,
    "NOTIFICATION_OF_FRAUD": EventKind.DISPUTE,
    "INFORMATION_SUPPLIED": EventKind.DISPUTE,
    "DISPUTE_DEFENSE_PERIOD_ENDED": EventKind.DISPUTE,
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": EventKind.DISPUTE,
    "PREARBITRATION_LOST": EventKind.DISPUTE,
    "CHARGEBACK": EventKind.CHARGEBACK,
    "SECOND_CHARGEBACK": EventKind.CHARGEBACK,
    "CHARGEBACK_REVERSED": EventKind.CHARGEBACK_REVERSED,
    "PREARBITRATION_WON": EventKind.CHARGEBACK_REVERSED,
}
# (event code) → status when success is true, and when it is false.
REFUNDS = {
    "REFUND": (TransferStatus.PAID, TransferStatus.FAILED),
    "CANCEL_OR_REFUND": (TransferStatus.PAID, TransferStatus.FAILED),
    "REFUND_FAILED": (TransferStatus.FAILED, TransferStatus.FAILED),
    "REFUNDED_REVERSED": (TransferStatus.FAILED, TransferStatus.FAILED),
}
PAYOUTS = {
    "PAYOUT_THIRDPARTY": (TransferStatus.PAID, TransferStatus.FAILED),
    "PAYOUT_DECLINE": (TransferStatus.FAILED, TransferStatus.PENDING),
    "PAYOUT_EXPIRE": (TransferStatus.FAILED, TransferStatus.PENDING),
    "PAIDOUT_REVERSED": (TransferStatus.FAILED, TransferStatus.FAILED),
}
FAILURES = {
    "refused": "declined_by_issuer",
    "not_enough_balance": "insufficient_funds",
    "not_enough_balance_": "insufficient_funds",
    "cancelled": "cancelled_by_client",
    "expired_card": "card_expired",
}


def signature(item: Item, key: str) -> str:
    """Base64 HMAC-SHA256 under the hex key, over the eight fields joined by colons, unescaped. Raises ValueError, KeyError."""
    amount = item["amount"]
    values = [*(item.get(name, "") for name in SIGNED_REFERENCES), amount["value"], amount["currency"]]
    text = ":".join(str(value) for value in [*values, item.get("eventCode", ""), item.get("success", "")])
    return base64.b64encode(hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest()).decode()


def judge_item(item: Item, keys: Sequence[str]) -> Verdict:
    """Judge whether an item is signed under one of the keys."""
    stated = (item.get("additionalData") or {}).get("hmacSignature")
    if not isinstance(stated, str) or not stated:
        return Verdict.NO_SIGNATURE
    expected = [signature(item, key) for key in keys if is_key(key)]
    fits = [hmac.compare_digest(digest.encode(), stated.encode()) for digest in expected]
    return Verdict.ACCEPTED if any(fits) else Verdict.WRONG_SIGNATURE


def is_key(key: str) -> bool:
    """Check that an HMAC key is hex text and not empty."""
    try:
        return bool(binascii.a2b_hex(key))
    except (binascii.Error, ValueError):
        return False


def items_of(message: Mapping[str, Any]) -> list[Item]:
    """Read the items of a message.

    Raises: what reading a message of another shape raises.
    """
    items = [wrapper["NotificationRequestItem"] for wrapper in message["notificationItems"]]
    if not items:
        raise ValueError("no items")
    return items


def judge_items(items: Iterable[Item], keys: Sequence[str]) -> Verdict:
    """Judge a whole message by its items: one that doesn't hold brings it down.

    Returns the first verdict that isn't "accepted".
    """
    verdicts = [judge_item(item, keys) for item in items]
    return next((verdict for verdict in verdicts if verdict != Verdict.ACCEPTED), Verdict.ACCEPTED)


def event_of(item: Item, *, captures_at_once: bool) -> WebhookEvent:
    """Read one item."""
    code, success = str(item["eventCode"]), str(item["success"]) == "true"
    reference = str(item.get("merchantReference") or "")
    common: dict[str, Any] = {
        "event_id": f"{item['pspReference']}:{code}:{str(success).lower()}"[:120],
        "event_type": code[:80],
        "reference": reference[:100],
    }
    if code == AVAILABLE and success and (ready := report_notices.of_item(item, common)):
        return ready
    if code in REFUNDS or code in PAYOUTS:
        kind = EventKind.REFUND if code in REFUNDS else EventKind.PAYOUT
        return WebhookEvent(**common, kind=kind, transfer=_transfer(item, code, success))
    if code in DISPUTES and success:
        payment = _payment(item, PaymentStatus.CHARGED_BACK, of=str(item.get("originalReference") or ""))
        return WebhookEvent(**common, kind=DISPUTES[code], payment=payment, dispute=_dispute(item))
    if code == "CAPTURE_FAILED" and captures_at_once:
        # It was booked when it was authorised: now it goes back.
        payment = _payment(item, PaymentStatus.CHARGED_BACK, of=str(item.get("originalReference") or ""))
        return WebhookEvent(**common, kind=EventKind.CHARGEBACK, payment=payment)
    status = _payment_status(code, success, captures_at_once)
    if status is None:
        return WebhookEvent(**common, kind=EventKind.OTHER)
    of = str(item["pspReference"] if code == "AUTHORISATION" else item.get("originalReference") or "")
    # An attempt that was refused is followed by others on the same page, each with an id of its own. A capture does not
    # name the payer: the authorisation before it does.
    return WebhookEvent(
        **common,
        kind=EventKind.PAYMENT,
        payment=_payment(item, status, of="" if status == PaymentStatus.FAILED else of),
        is_complete=not (code == "CAPTURE" and success),
    )


def _payment_status(code: str, success: bool, captures_at_once: bool) -> PaymentStatus | None:
    if code == "AUTHORISATION":
        authorised = PaymentStatus.CAPTURED if captures_at_once else PaymentStatus.AUTHORISED
        return authorised if success else PaymentStatus.FAILED
    if code == "CAPTURE" and success:
        return PaymentStatus.CAPTURED
    if code in ("CAPTURE_FAILED", "CAPTURE") or (code in ("CANCELLATION", "TECHNICAL_CANCEL") and success):
        return PaymentStatus.FAILED
    if code == "PENDING" and success:
        return PaymentStatus.PENDING
    return None


def _amount(item: Item) -> tuple[int, str]:
    currency = str(item["amount"]["currency"])
    return UNITS.to_ours(int(item["amount"]["value"]), currency), currency


def _failure(item: Item) -> str:
    reason = str(item.get("reason") or "")
    return FAILURES.get(reason.strip().lower().replace(" ", "_"), reason)[:200]


def _payment(item: Item, status: PaymentStatus, *, of: str) -> PaymentView:
    amount_minor, currency = _amount(item)
    more = item.get("additionalData") or {}
    last4 = str(more.get("cardSummary") or "")
    is_captured = status == PaymentStatus.CAPTURED
    return PaymentView(
        reference=str(item.get("merchantReference") or ""),
        psp_reference=of,
        status=status,
        amount_minor=amount_minor,
        currency=currency,
        received_minor=amount_minor if is_captured else None,
        method=str(item.get("paymentMethod") or "")[:30],
        instrument=f"•••• {last4}" if last4.isdigit() else "",
        card_country=country_code(str(more.get("cardIssuingCountry") or more.get("issuerCountry") or ""))
        or country_of_bin(str(more.get("cardBin") or "")),
        payer_name=str(more.get("cardHolderName") or more.get("sepadirectdebit.ownerName") or "")[:120],
        failure=_failure(item) if status == PaymentStatus.FAILED else "",
        happened_at=_time(item.get("eventDate")),
    )


def _transfer(item: Item, code: str, success: bool) -> TransferView:
    amount_minor, currency = _amount(item)
    status = (REFUNDS | PAYOUTS)[code][0 if success else 1]
    # A reversal has a reference of its own; the one that we know is in originalReference.
    is_later = code in ("PAIDOUT_REVERSED", "PAYOUT_DECLINE", "PAYOUT_EXPIRE")
    own = (item.get("originalReference") if is_later else "") or item["pspReference"]
    return TransferView(
        reference=str(item.get("merchantReference") or ""),
        psp_reference=str(own),
        status=status,
        amount_minor=amount_minor,
        currency=currency,
        failure=_failure(item) if status == TransferStatus.FAILED else "",
        happened_at=_time(item.get("eventDate")),
    )


def _dispute(item: Item) -> DisputeView:
    amount_minor, currency = _amount(item)
    more = item.get("additionalData") or {}
    return DisputeView(
        reference=str(item.get("merchantReference") or ""),
        psp_dispute_id=str(item["pspReference"]),
        amount_minor=amount_minor,
        currency=currency,
        reason=str(item.get("reason") or more.get("chargebackReasonCode") or "")[:80],
        evidence_due_at=_time(more.get("defensePeriodEndsAt")),
        happened_at=_time(item.get("eventDate")),
        outcome={"PREARBITRATION_LOST": "lost", "PREARBITRATION_WON": "won"}.get(str(item["eventCode"]), ""),
        is_inquiry=item["eventCode"] == "REQUEST_FOR_INFORMATION",
    )


def _time(text: object) -> dt.datetime | None:
    if not text:
        return None
    at = dt.datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
