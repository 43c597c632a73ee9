"""The adapter for the sandbox PSP (`python -m sandbox.psp`): JSON over HTTP, bearer key, `Sandbox-Signature` webhooks."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from wallet.choices import Verdict
from wallet.models import Psp
from wallet.psp.base import (
    Capability,
    DepositIntent,
    EventKind,
    Health,
    Judgement,
    PaymentStatus,
    PaymentView,
    PayoutOrder,
    PspRefused,
    PspUnknown,
    PspUnreachable,
    SettlementFile,
    TransferStatus,
    TransferView,
    WebhookEvent,
)
from wallet.psp.settlement_csv import read_settlement_csv
from wallet.psp.signatures import judge_timed_signature

View = TypeVar("View", PaymentView, TransferView)
TIMEOUT = httpx.Timeout(10, connect=3)
REPORT_TIMEOUT = httpx.Timeout(120, connect=3)
EVENT_KINDS = {
    "payment.chargeback": EventKind.CHARGEBACK,
    "payment.chargeback_reversed": EventKind.CHARGEBACK_REVERSED,
}
# What reading a message of another shape than ours raises.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
FAMILIES = {"payment": EventKind.PAYMENT, "payout": EventKind.PAYOUT, "refund": EventKind.REFUND}


class SandboxAdapter:
    """Speaks the sandbox's API for one PSP row."""

    capabilities = frozenset(Capability)

    def __init__(self, psp: Psp) -> None:
        self.psp = psp
        self._base_url = f"{(psp.base_url or settings.SANDBOX_PSP_URL).rstrip('/')}/{psp.code}/v1"
        self._credentials = psp.credentials

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        answer = self._call(
            "POST",
            "/payments",
            {
                "reference": intent.reference,
                "amount_minor": intent.amount_minor,
                "currency": intent.currency,
                "return_url": intent.return_url,
                "merchant_name": intent.merchant_name,
                "locale": intent.locale,
            },
        )
        return self._read(_payment, answer)

    def find_payment(self, reference: str) -> PaymentView | None:
        answer = self._look_up("/payments", reference)
        return self._read(_payment, answer) if answer is not None else None

    def refund(self, *, psp_reference: str, reference: str, amount_minor: int, currency: str) -> TransferView:
        body = {"reference": reference, "amount_minor": amount_minor, "currency": currency}
        return self._read(_transfer, self._call("POST", f"/payments/{psp_reference}/refunds", body))

    # Payments out

    def start_payout(self, order: PayoutOrder) -> TransferView:
        body = {
            "reference": order.reference,
            "amount_minor": order.amount_minor,
            "currency": order.currency,
            "destination": dict(order.destination),
        }
        return self._read(_transfer, self._call("POST", "/payouts", body))

    def find_payout(self, reference: str) -> TransferView | None:
        answer = self._look_up("/payouts", reference)
        return self._read(_transfer, answer) if answer is not None else None

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        secrets = [self._credentials.get("webhook_secret", ""), self._credentials.get("previous_webhook_secret", "")]
        verdict = judge_timed_signature(
            header=headers.get("sandbox-signature", ""), body=body, secrets=secrets, now=now
        )
        if verdict != Verdict.ACCEPTED:
            return Judgement(verdict)
        try:
            message = json.loads(body)
            if message["merchant"] != self._credentials.get("merchant"):
                return Judgement(Verdict.OTHER_MERCHANT, detail=str(message["merchant"])[:100])
            return Judgement(Verdict.ACCEPTED, _event(message))
        except UNREADABLE as error:
            return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])

    def read_webhook(self, body: bytes) -> WebhookEvent:
        return _event(json.loads(body))

    # Reports and health

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        response = self._send("GET", f"/settlements?from={first}&to={last}", timeout=REPORT_TIMEOUT)
        if response.status_code != httpx.codes.OK:
            raise self._refusal(response)
        return response.content

    def read_settlement(self, content: bytes) -> SettlementFile:
        return read_settlement_csv(content)

    def check_connection(self) -> Health:
        try:
            answer = self._call("GET", "/health")
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            return Health(False, error.message)
        if not isinstance(answer, dict):
            return Health(False, self._unreadable().message)
        if answer.get("merchant") != self._credentials.get("merchant"):
            return Health(False, _("The key belongs to another merchant: %(m)s") % {"m": answer.get("merchant")})
        return Health(True, _("Connected"), answer)

    # HTTP

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, timeout: httpx.Timeout = TIMEOUT
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._credentials.get('api_key', '')}"}
        try:
            with httpx.Client(timeout=timeout, trust_env=False) as client:
                return client.request(method, self._base_url + path, json=body, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PspUnreachable(
                _("%(psp)s can't be reached now. Nothing was sent; try again.") % {"psp": self.psp}
            ) from error
        except httpx.HTTPError as error:
            raise PspUnknown(_("%(psp)s gave no answer: the outcome is not known yet.") % {"psp": self.psp}) from error

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        response = self._send(method, path, body)
        if response.is_success:
            try:
                return response.json()
            except ValueError as error:
                raise self._unreadable() from error
        raise self._refusal(response)

    def _read(self, reader: Callable[[dict[str, Any]], View], answer: dict[str, Any]) -> View:
        """An answer that says yes in words we don't know leaves the outcome open: it is looked up."""
        try:
            return reader(answer)
        except UNREADABLE as error:
            raise self._unreadable() from error

    def _unreadable(self) -> PspUnknown:
        return PspUnknown(_("%(psp)s answered in a way we can't read.") % {"psp": self.psp})

    def _look_up(self, path: str, reference: str) -> dict[str, Any] | None:
        try:
            return self._call("GET", f"{path}?reference={reference}")
        except PspRefused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def _refusal(self, response: httpx.Response) -> PspRefused | PspUnknown:
        """4xx is a no; 5xx may have been booked before it broke."""
        try:
            message = str(response.json()["error"]["message"])
        except (ValueError, KeyError, TypeError):
            message = response.reason_phrase
        if response.is_client_error:
            return PspRefused(f"{self.psp}: {message}", status=response.status_code)
        return PspUnknown(f"{self.psp}: {message}")


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
