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
from typing import Any, BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.choices.psp import PspKind
from wallet.models import Psp
from wallet.psp.base import BaseAdapter, OurRecords
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import PspHttp, address_of
from wallet.psp.paypal.mapping import (
    amount_of,
    capture_id_of,
    error_text,
    path_part,
    payment_of_capture,
    payment_of_order,
    payout_of_item,
    refund_of,
)
from wallet.psp.settlement import SettlementReader
from wallet.psp.values import (
    Capability,
    DepositIntent,
    DisputeView,
    EvidenceFile,
    Health,
    Judgement,
    Key,
    Method,
    PaymentView,
    PayoutOrder,
    RefundOrder,
    SentPayout,
    TransferStatus,
    TransferView,
    WebhookEvent,
)

LIVE_URL = "https://api-m.paypal.com"
TOKEN_SPARE_SECONDS = 60
_tokens: dict[tuple[str, str], tuple[str, float]] = {}
_tokens_lock = threading.Lock()


class PayPalAdapter(BaseAdapter):
    """One PayPal business account."""

    title = "PayPal"
    summary = gettext_lazy("PayPal accounts: orders approved by the payer, refunds, payouts, disputes with evidence.")
    signature_headers = tuple(
        f"paypal-{prefix}{name}"
        for prefix in ("transmission-", "")
        for name in ("id", "time", "sig", "cert-url", "auth-algo")
    )
    capabilities = frozenset(Capability)
    methods = (Method("paypal", "PayPal", PspKind.WALLET, payout_fields=("account",)),)
    keys = (
        Key("client_id", gettext_lazy("Client ID"), is_secret=False),
        Key("client_secret", gettext_lazy("Client secret")),
        Key("webhook_id", gettext_lazy("Webhook ID"), is_secret=False, help_text=gettext_lazy("As shown by PayPal")),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self._http = PspHttp(psp, address_of(psp, LIVE_URL), explain=error_text)

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

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        """Look up by the order's id only: PayPal can't be asked for our reference. Without an id we never got an order."""
        order = self._order(psp_reference) if psp_reference else None
        return None if order is None else self._http.read(payment_of_order, order)

    def capture(self, view: PaymentView) -> PaymentView:
        path = f"/v2/checkout/orders/{path_part(view.psp_reference)}/capture"
        try:
            answer = self._call("POST", path, {}, request_id=f"{view.reference}-capture")
        except PspUnknown:
            known = self.find_payment(view.reference, psp_reference=view.psp_reference)
            if known is None or known.awaits_capture:
                raise
            return known
        return self._http.read(payment_of_order, answer)

    def _order(self, order_id: str) -> Any | None:
        return self._look_up(f"/v2/checkout/orders/{path_part(order_id)}")

    def refund(self, order: RefundOrder) -> TransferView:
        paypal_order = self._order(order.psp_reference)
        capture_id = "" if paypal_order is None else self._http.read(capture_id_of, paypal_order)
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
        path = f"/v2/payments/captures/{path_part(capture_id)}/refund"
        return self._http.read(refund_of, self._call("POST", path, body, request_id=order.reference))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        """Look a refund up in its order, which lists them."""
        paypal_order = self._order(order.psp_reference)
        if paypal_order is None:
            return None
        refunds = self._http.read(
            lambda answer: [
                refund_of(refund) for refund in answer["purchase_units"][0].get("payments", {}).get("refunds", [])
            ],
            paypal_order,
        )
        return next((refund for refund in refunds if refund.reference == order.reference), None)

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
            # "A batch of that sender_batch_id exists": it was sent before, so its state is what counts.
            known = self.find_payout(SentPayout(order.reference, "", None)) if refused.status == 400 else None
            if known is None:
                raise
            return known
        batch = self._http.read(lambda body: str(body["batch_header"]["payout_batch_id"]), answer)
        return TransferView(order.reference, batch, TransferStatus.PENDING, order.amount_minor, order.currency)

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        path = (
            f"/v1/payments/payouts/{path_part(payout.psp_reference)}"
            if payout.psp_reference
            else f"/v1/payments/payouts?sender_batch_id={path_part(payout.reference)}"
        )
        answer = self._look_up(path)
        return None if answer is None else self._http.read(lambda body: payout_of_item(body["items"][0]), answer)

    # Disputes

    def submit_evidence(self, dispute: DisputeView, *, text: str, files: Sequence[EvidenceFile]) -> None:
        evidence = {"evidences": [{"evidence_type": "OTHER", "notes": text[:2000]}]}
        parts: list[Any] = [("input", (None, json.dumps(evidence), "application/json"))]
        parts += [
            (f"file{number}", (file.name, file.content, file.content_type)) for number, file in enumerate(files, 1)
        ]
        path = f"/v1/customer/disputes/{path_part(dispute.psp_dispute_id)}/provide-evidence"
        self._authorised("POST", path, files=parts)

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        from wallet.psp.paypal.webhooks import judge

        return judge(self, body, headers, now=now)

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        from wallet.psp.paypal.webhooks import event_of

        return (event_of(json.loads(body)),)

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        """Look up an approved order, or the order of a reversal that names only its capture."""
        from wallet.psp.paypal.webhooks import complete_event

        return complete_event(self, event, records)

    def order_of(self, order_id: str) -> PaymentView | None:
        return self.find_payment("", psp_reference=order_id)

    def payment_of_capture(self, capture_id: str) -> PaymentView | None:
        answer = self._look_up(f"/v2/payments/captures/{path_part(capture_id)}")
        return None if answer is None else self._http.read(payment_of_capture, answer)

    def dispute_of_capture(self, capture_id: str) -> DisputeView | None:
        """Look up the latest dispute about a captured payment, if there is one."""
        from wallet.psp.paypal.webhooks import dispute_of

        answer = self._look_up(f"/v1/customer/disputes?disputed_transaction_id={path_part(capture_id)}")
        return self._http.read(
            lambda body: next((dispute_of(dispute) for dispute in body["items"]), None), answer or {"items": []}
        )

    @property
    def sandbox_url(self) -> str:
        """Where the sandbox plays this account; empty for PayPal itself."""
        return self._http.base_url if self.psp.base_url else ""

    # Reports and health

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        from wallet.psp.paypal.report import StlReader

        return StlReader(file)

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
        """With a token; one that PayPal no longer takes is renewed, once. A 401 means that nothing was done."""
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
                "POST",
                "/v1/oauth2/token",
                data={"grant_type": "client_credentials"},
                headers={"Authorization": f"Basic {basic}"},
            )
        except PspUnknown as error:
            raise PspUnreachable(error.message) from error
        token, seconds = self._http.read(lambda body: (str(body["access_token"]), int(body["expires_in"])), answer)
        with _tokens_lock:
            _tokens[key] = (token, time.monotonic() + seconds - TOKEN_SPARE_SECONDS)
        return token
