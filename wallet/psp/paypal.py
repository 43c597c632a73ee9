"""PayPal: Orders v2 (approved by the payer, captured by us), refunds, payouts v1, disputes, the STL settlement report.

Our reference is the order's `custom_id` and `invoice_id`, the `PayPal-Request-Id` of every call that moves money, and the
`sender_batch_id` of a payout. `psp_reference` of a payment is the order's id, of a payout the batch's.

A payout whose answer was lost is asked for by `sender_batch_id`; one that was answered, by its batch id.
Reports come by SFTP (or the merchant's site): upload them.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import threading
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.money import from_minor, to_minor
from wallet.choices import PspKind
from wallet.models import Psp, Withdrawal
from wallet.psp.base import (
    BaseAdapter,
    Capability,
    DepositIntent,
    DisputeView,
    EvidenceFile,
    Health,
    Judgement,
    Key,
    Method,
    PaymentStatus,
    PaymentView,
    PayoutOrder,
    PspRefused,
    PspUnknown,
    PspUnreachable,
    RefundOrder,
    SettlementFile,
    TransferStatus,
    TransferView,
    WebhookEvent,
)
from wallet.psp.http import UNREADABLE, PspHttp, address_of

LIVE_URL = "https://api-m.paypal.com"
# PayPal takes and writes these without decimals, whatever ISO 4217 says.
WHOLE_UNITS = frozenset({"JPY", "HUF", "TWD"})
TOKEN_SPARE_SECONDS = 60
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
_tokens: dict[tuple[str, str], tuple[str, float]] = {}
_tokens_lock = threading.Lock()


class PayPalAdapter(BaseAdapter):
    """One PayPal business account."""

    title = "PayPal"
    summary = gettext_lazy("PayPal accounts: orders approved by the payer, refunds, payouts, disputes with evidence.")
    capabilities = frozenset(Capability)
    methods = (Method("paypal", "PayPal", PspKind.WALLET, payout_fields=("account",)),)
    keys = (
        Key("client_id", gettext_lazy("Client ID"), is_secret=False),
        Key("client_secret", gettext_lazy("Client secret")),
        Key("webhook_id", gettext_lazy("Webhook ID"), is_secret=False, help_text=gettext_lazy("As PayPal shows it")),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self._http = PspHttp(psp, address_of(psp, LIVE_URL), explain=_words)

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        unit = {
            "custom_id": intent.reference,
            "invoice_id": intent.reference,
            "amount": amount_of(intent.amount_minor, intent.currency, self.psp),
        }
        context = {
            "brand_name": intent.merchant_name[:127],
            "locale": {"de": "de-DE"}.get(intent.locale[:2], "en-GB"),
            "return_url": intent.return_url,
            "cancel_url": intent.return_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        }
        body = {
            "intent": "CAPTURE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": context}},
        }
        answer = self._call("POST", "/v2/checkout/orders", body, request_id=intent.reference)
        return self._http.read(payment_of_order, answer)

    def find_payment(self, reference: str, *, psp_reference: str = "") -> PaymentView | None:
        """By the order's id only: PayPal can't be asked for ours. Without it, the order was never known to us."""
        order = self._order(psp_reference) if psp_reference else None
        return None if order is None else self._http.read(payment_of_order, order)

    def capture(self, view: PaymentView) -> PaymentView:
        path = f"/v2/checkout/orders/{_part(view.psp_reference)}/capture"
        try:
            answer = self._call("POST", path, {}, request_id=f"{view.reference}-capture")
        except PspUnknown:
            found = self.find_payment(view.reference, psp_reference=view.psp_reference)
            if found is None or found.awaits_capture:
                raise
            return found
        return self._http.read(payment_of_order, answer)

    def _order(self, order_id: str) -> Any | None:
        return self._look_up(f"/v2/checkout/orders/{_part(order_id)}")

    def refund(self, order: RefundOrder) -> TransferView:
        found = self._order(order.psp_reference)
        capture_id = "" if found is None else self._http.read(_capture_id, found)
        if not capture_id:
            raise PspRefused(
                _("%(psp)s has no captured payment %(id)s.") % {"psp": self.psp, "id": order.psp_reference}
            )
        body = {
            "amount": amount_of(order.amount_minor, order.currency, self.psp),
            "custom_id": order.reference,
            "invoice_id": order.reference,
            "note_to_payer": order.reason[:255],
        }
        path = f"/v2/payments/captures/{_part(capture_id)}/refund"
        return self._http.read(refund_of, self._call("POST", path, body, request_id=order.reference))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        """Refunds stand in their order."""
        found = self._order(order.psp_reference)
        if found is None:
            return None
        refunds = self._http.read(
            lambda answer: [
                refund_of(one) for one in answer["purchase_units"][0].get("payments", {}).get("refunds", [])
            ],
            found,
        )
        return next((one for one in refunds if one.reference == order.reference), None)

    # Payments out

    def start_payout(self, order: PayoutOrder) -> TransferView:
        item = {
            "recipient_type": "EMAIL",
            "receiver": str(order.destination.get("account", "")),
            "amount": {
                "currency": order.currency,
                "value": amount_of(order.amount_minor, order.currency, self.psp)["value"],
            },
            "sender_item_id": order.reference,
        }
        body = {"sender_batch_header": {"sender_batch_id": order.reference}, "items": [item]}
        try:
            answer = self._call("POST", "/v1/payments/payouts", body, request_id=order.reference)
        except PspRefused as refused:
            # "A batch of that sender_batch_id exists": it was sent before, so how it stands is what counts.
            known = self.find_payout(order.reference) if refused.status == 400 else None
            if known is None:
                raise
            return known
        batch = self._http.read(lambda found: str(found["batch_header"]["payout_batch_id"]), answer)
        return TransferView(order.reference, batch, TransferStatus.PENDING, order.amount_minor, order.currency)

    def find_payout(self, reference: str) -> TransferView | None:
        known = Withdrawal.objects.filter(psp=self.psp, reference=reference).values_list("psp_reference", flat=True)
        batch = known.first() or ""
        path = (
            f"/v1/payments/payouts/{_part(batch)}"
            if batch
            else f"/v1/payments/payouts?sender_batch_id={_part(reference)}"
        )
        answer = self._look_up(path)
        return None if answer is None else self._http.read(lambda found: payout_of_item(found["items"][0]), answer)

    # Disputes

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        evidence = {"evidences": [{"evidence_type": "OTHER", "notes": text[:2000]}]}
        parts: list[Any] = [("input", (None, json.dumps(evidence), "application/json"))]
        parts += [(f"file{number}", (one.name, one.content, one.content_type)) for number, one in enumerate(files, 1)]
        path = f"/v1/customer/disputes/{_part(dispute.psp_dispute_id)}/provide-evidence"
        self._authorised("POST", path, files=parts)

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        from wallet.psp.paypal_webhooks import judge

        return judge(self, body, headers, now=now)

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        from wallet.psp.paypal_webhooks import event_of

        return (event_of(json.loads(body)),)

    def complete(self, event: WebhookEvent) -> WebhookEvent:
        """An approved order as PayPal shows it now; a reversal that names only its capture."""
        from wallet.psp.paypal_webhooks import completed

        return completed(self, event)

    def order_of(self, order_id: str) -> PaymentView | None:
        return self.find_payment("", psp_reference=order_id)

    def payment_of_capture(self, capture_id: str) -> PaymentView | None:
        answer = self._look_up(f"/v2/payments/captures/{_part(capture_id)}")
        return None if answer is None else self._http.read(payment_of_capture, answer)

    def dispute_of_capture(self, capture_id: str) -> DisputeView | None:
        """The latest dispute about a captured payment, if there is one."""
        from wallet.psp.paypal_webhooks import dispute_of

        answer = self._look_up(f"/v1/customer/disputes?disputed_transaction_id={_part(capture_id)}")
        return self._http.read(
            lambda found: next((dispute_of(one) for one in found["items"]), None), answer or {"items": []}
        )

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox plays this account; empty for PayPal itself."""
        return self._http.base_url if self.psp.base_url else ""

    # Reports and health

    def read_settlement(self, content: bytes) -> SettlementFile:
        from wallet.psp.paypal_report import read_stl

        return read_stl(content)

    def check_connection(self) -> Health:
        try:
            self._token(fresh=True)
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            return Health(False, error.message)
        return Health(True, _("Connected"))

    # HTTP

    def _call(self, method: str, path: str, body: Any = None, *, request_id: str = "") -> Any:
        headers = {"Prefer": "return=representation"}
        if request_id:
            headers["PayPal-Request-Id"] = request_id
        return self._authorised(method, path, json=body, headers=headers)

    def _look_up(self, path: str) -> Any | None:
        try:
            return self._authorised("GET", path)
        except PspRefused as refused:
            if refused.status == 404:
                return None
            raise

    def _authorised(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        """With a token; one that PayPal no longer takes is renewed, once. A 401 says that nothing was done."""
        for is_second in (False, True):
            bearer = {"Authorization": f"Bearer {self._token(fresh=is_second)}", **(headers or {})}
            try:
                return self._http.call(method, path, headers=bearer, **options)
            except PspRefused as refused:
                if refused.status != 401 or is_second:
                    raise
        raise AssertionError("unreachable")

    def _token(self, *, fresh: bool = False) -> str:
        """Kept in this process until shortly before it expires. No answer to this call means that nothing was sent."""
        client_id, secret = (str(self.credentials.get(name, "")) for name in ("client_id", "client_secret"))
        key = (self._http.base_url, client_id)
        with _tokens_lock:
            token, valid_until = _tokens.get(key, ("", 0.0))
        if token and not fresh and time.monotonic() < valid_until:
            return token
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        try:
            answer = self._http.call(
                "POST", "/v1/oauth2/token", data={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {basic}"},
            )  # fmt: skip
        except PspUnknown as error:
            raise PspUnreachable(error.message) from error
        token, seconds = self._http.read(lambda found: (str(found["access_token"]), int(found["expires_in"])), answer)
        with _tokens_lock:
            _tokens[key] = (token, time.monotonic() + seconds - TOKEN_SPARE_SECONDS)
        return token


# ── PayPal's words ───────────────────────────────────────────────────────────────────────────────────────────────────


def amount_of(minor: int, currency: str, psp: Psp) -> dict[str, str]:
    """Major units as text. Raises PspRefused for a fraction of a currency that PayPal takes whole."""
    amount = from_minor(minor, currency)
    if currency in WHOLE_UNITS:
        if amount != amount.to_integral_value():
            raise PspRefused(_("%(psp)s takes %(currency)s without decimals.") % {"psp": psp, "currency": currency})
        amount = amount.to_integral_value()
    return {"currency_code": currency, "value": f"{amount:f}"}


def minor_of(amount: Mapping[str, Any], currency_field: str = "currency_code") -> tuple[int, str]:
    currency = str(amount[currency_field])
    return to_minor(Decimal(str(amount["value"])), currency), currency


def payment_of_order(order: Mapping[str, Any]) -> PaymentView:
    """An order with its capture, if there is one."""
    unit = order["purchase_units"][0]
    minor, currency = minor_of(unit["amount"])
    captures = unit.get("payments", {}).get("captures", [])
    state = str(order["status"])
    status = ORDER_STATES.get(state, PaymentStatus.PENDING)
    received: int | None = None
    if captures:
        status = CAPTURE_STATES.get(str(captures[0]["status"]), PaymentStatus.PENDING)
        received = sum(minor_of(one["amount"])[0] for one in captures if one["status"] in ("COMPLETED", "PENDING"))
        received = received or minor_of(captures[0]["amount"])[0]
        if {minor_of(one["amount"])[1] for one in captures} != {currency}:
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
        refunded_minor=sum(minor_of(one["amount"])[0] for one in refunds if one["status"] == "COMPLETED"),
        happened_at=_time(captures[0] if captures else order),
        awaits_capture=state == "APPROVED",
    )


def payment_of_capture(capture: Mapping[str, Any]) -> PaymentView:
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


def _capture_id(order: Mapping[str, Any]) -> str:
    captures = order["purchase_units"][0].get("payments", {}).get("captures", [])
    return next((str(one["id"]) for one in captures if CAPTURE_STATES.get(one["status"]) == PaymentStatus.CAPTURED), "")


def refund_of(refund: Mapping[str, Any]) -> TransferView:
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
    name, at, host = email.partition("@")
    return f"{name[:1]}•••@{host}"[:80] if at else ""


def _time(found: Mapping[str, Any]) -> dt.datetime | None:
    text = found.get("update_time") or found.get("time_processed") or found.get("create_time")
    if not text:
        return None
    at = dt.datetime.fromisoformat(str(text))
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _part(text: str) -> str:
    """One part of a path: nothing in an id leads elsewhere."""
    return quote(text, safe="")


def _words(answer: Any) -> str:
    details = answer.get("details") or [{}]
    try:
        described = details[0].get("description") or details[0].get("issue") or ""
    except UNREADABLE:
        described = ""
    return str(described or answer.get("message") or answer.get("error_description") or answer["name"])
