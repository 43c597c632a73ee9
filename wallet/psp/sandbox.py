"""The adapter for the sandbox PSP (`python -m sandbox.psp`): JSON over HTTP, bearer key, `Sandbox-Signature` webhooks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, BinaryIO

import httpx
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.countries import country_code
from wallet.choices.psp import PspKind, Verdict
from wallet.models import Psp
from wallet.psp.base import BaseAdapter, OurRecords
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import REPORT, UNREADABLE, PspHttp
from wallet.psp.settlement import SettlementReader
from wallet.psp.settlement_csv import PlainReader
from wallet.psp.signatures import judge_timed_signature
from wallet.psp.values import (
    Capability,
    DepositIntent,
    EventKind,
    Health,
    Judgement,
    Key,
    Method,
    PaymentStatus,
    PaymentView,
    PayoutOrder,
    RefundOrder,
    SentPayout,
    TransferStatus,
    TransferView,
    WebhookEvent,
)

EVENT_KINDS = {"payment.chargeback": EventKind.CHARGEBACK, "payment.chargeback_reversed": EventKind.CHARGEBACK_REVERSED}
FAMILIES = {"payment": EventKind.PAYMENT, "payout": EventKind.PAYOUT, "refund": EventKind.REFUND}
# How each character of the sandbox is paid, and what it asks for when money goes out.
PAYOUT_FIELDS = {
    PspKind.CARD: ("card",),
    PspKind.BANK: ("iban", "holder"),
    PspKind.CRYPTO: ("address",),
    PspKind.WALLET: ("account",),
    PspKind.CASHIER: ("account",),
}


class SandboxAdapter(BaseAdapter):
    """Speaks the sandbox's own API for one PSP row."""

    title = gettext_lazy("Sandbox")
    summary = gettext_lazy("A miniature PSP for testing; it moves no money. Its code must be one of the sandbox's.")
    signature_headers = ("sandbox-signature",)
    capabilities = frozenset({Capability.PAYOUT, Capability.REFUND, Capability.LOOK_UP, Capability.SETTLEMENT_FILE})
    keys = (
        Key("api_key", gettext_lazy("API key")),
        Key("webhook_secret", gettext_lazy("Webhook signing secret")),
        Key("merchant", gettext_lazy("Merchant account at the PSP"), is_secret=False),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        kind = PspKind(psp.kind)
        self.methods = (Method("", kind.label, kind, payout_fields=PAYOUT_FIELDS[kind]),)
        base_url = f"{(psp.base_url or settings.SANDBOX_PSP_URL).rstrip('/')}/{psp.code}/v1"
        self._http = PspHttp(psp, base_url, explain=lambda answer: answer["error"]["message"])
        self._headers = {"Authorization": f"Bearer {self.credentials.get('api_key', '')}"}

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        body = {
            "reference": intent.reference,
            "amount_minor": intent.amount_minor,
            "currency": intent.currency,
            "return_url": intent.return_url,
            "merchant_name": intent.merchant_name,
            "locale": intent.locale,
        }
        return self._http.read(_payment, self._call("POST", "/payments", body))

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        answer = self._look_up("/payments", reference)
        return None if answer is None else self._http.read(_payment, answer)

    def refund(self, order: RefundOrder) -> TransferView:
        body = {"reference": order.reference, "amount_minor": order.amount_minor, "currency": order.currency}
        return self._http.read(_transfer, self._call("POST", f"/payments/{order.psp_reference}/refunds", body))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        answer = self._look_up("/refunds", order.reference)
        return None if answer is None else self._http.read(_transfer, answer)

    # Payments out

    def start_payout(self, order: PayoutOrder) -> TransferView:
        body = {
            "reference": order.reference,
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "destination": dict(order.destination),
        }
        return self._http.read(_transfer, self._call("POST", "/payouts", body))

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        answer = self._look_up("/payouts", payout.reference)
        return None if answer is None else self._http.read(_transfer, answer)

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        secrets = [self.credentials.get("webhook_secret", ""), self.credentials.get("previous_webhook_secret", "")]
        verdict = judge_timed_signature(
            header=headers.get("sandbox-signature", ""), body=body, secrets=secrets, now=now
        )
        if verdict != Verdict.ACCEPTED:
            return Judgement(verdict)
        try:
            message = json.loads(body)
            if message["merchant"] != self.credentials.get("merchant"):
                return Judgement(Verdict.OTHER_MERCHANT, detail=str(message["merchant"])[:100])
            return Judgement(Verdict.ACCEPTED, (_event(message),))
        except UNREADABLE as error:
            return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        return (_event(json.loads(body)),)

    # Reports and health

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        path = f"/settlements?from={first}&to={last}"
        response = self._http.send("GET", path, headers=self._headers, bounds=REPORT)
        if response.status_code != httpx.codes.OK:
            raise self._http.refusal(response)
        return response.content

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        return PlainReader(file)

    def check_connection(self) -> Health:
        try:
            answer = self._call("GET", "/health")
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            return Health(False, error.message)
        if not isinstance(answer, dict):
            return Health(False, self._http.unreadable().message)
        if answer.get("merchant") != self.credentials.get("merchant"):
            return Health(False, _("The key belongs to another merchant: %(m)s") % {"m": answer.get("merchant")})
        return Health(True, _("Connected"), answer)

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._http.call(method, path, json=body, headers=self._headers)

    def _look_up(self, path: str, reference: str) -> Any | None:
        return self._http.look_up(f"{path}?reference={reference}", headers=self._headers)


def _payment(data: Mapping[str, Any]) -> PaymentView:
    received = data.get("received_minor")
    return PaymentView(
        reference=str(data["reference"]),
        psp_reference=str(data["id"]),
        status=PaymentStatus(data["status"]),
        amount_minor=int(data["amount_minor"]),
        currency=str(data["currency"]),
        received_minor=None if received is None else int(received),
        redirect_url=str(data.get("redirect_url", "")),
        method=str(data.get("method", ""))[:30],
        instrument=str(data.get("instrument", ""))[:80],
        card_country=country_code(str(data.get("card_country", ""))),
        payer_name=str(data.get("payer_name", ""))[:120],
        failure=str(data.get("failure", ""))[:200],
        happened_at=_time(data),
    )


def _time(data: Mapping[str, Any]) -> dt.datetime | None:
    return dt.datetime.fromtimestamp(int(data["updated_at"]), dt.UTC) if "updated_at" in data else None


def _transfer(data: Mapping[str, Any]) -> TransferView:
    return TransferView(
        reference=str(data["reference"]),
        psp_reference=str(data["id"]),
        status=TransferStatus(data["status"]),
        amount_minor=int(data["amount_minor"]),
        currency=str(data["currency"]),
        failure=str(data.get("failure", ""))[:200],
        happened_at=_time(data),
    )


def _event(message: Mapping[str, Any]) -> WebhookEvent:
    event_type, data = str(message["type"]), message["data"]
    family = event_type.partition(".")[0]
    kind = EVENT_KINDS.get(event_type) or FAMILIES.get(family, EventKind.OTHER)
    is_payment = family == "payment"
    return WebhookEvent(
        event_id=str(message["id"])[:120],
        event_type=event_type[:80],
        kind=kind,
        reference=str(data["reference"])[:100],
        payment=_payment(data) if is_payment else None,
        transfer=_transfer(data) if kind in (EventKind.PAYOUT, EventKind.REFUND) else None,
    )
