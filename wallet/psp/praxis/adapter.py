"""A cashier in the manner of Praxis (API version 1.3): one hosted page for local methods; SHA-384 signatures both ways.

The header `Gt-Authentication` is SHA-384 over the values of a fixed list of fields, in order and with nothing between them,
null ones left out, followed by the merchant's secret. Field lists as the cashier's public documentation gives them:

- session request `/cashier/cashier`: merchant_id, application_key, timestamp, intent, cid, order_id
- its answer: status, timestamp, redirect_url, customer.customer_token
- find order `/agent/find-order`: merchant_id, application_key, timestamp, order_id
- notification: merchant_id, application_key, timestamp, customer.customer_token, session.order_id, transaction.tid, .currency,
  .amount, .conversion_rate, .processed_currency, .processed_amount
- our reply to it: status, timestamp (also in `external-request-signature`, the name that newer documentation gives)

Ours, because the documentation we have does not give them: the answer of find order and of the direct call (status, timestamp,
customer.customer_token, session.order_id, transaction.tid), and payouts and refunds as direct calls to `/direct/process`
(merchant_id, application_key, timestamp, transaction_type, cid, order_id, currency, amount, gateway, notification_url,
return_url; `payout_data` has where a payout goes, `original_order_id` what a refund gives back).

Two weaknesses of the scheme are met here. Status and type are not signed, so a notification is a hint only: the order is asked
for, and that answer counts. Values are joined without separators, so a message is accepted only where every signed
field has its own form: numbers are digits, currencies letters.

Amounts are minor units. What counts as received is the processed amount and currency (`charge_amount` before 1.3), which
conversion and fees at the cashier make another than was asked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.choices.psp import PspKind, Verdict
from wallet.models import Psp
from wallet.psp.base import TAKEN, BaseAdapter, OurRecords
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import UNREADABLE, PspHttp, address_of
from wallet.psp.praxis.report import PraxisReader
from wallet.psp.settlement import SettlementReader
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
    Reply,
    SentPayout,
    TransferStatus,
    TransferView,
    WebhookEvent,
)

LIVE_URL = "https://gw.praxisgate.com"
VERSION = "1.3"
SESSION = ("merchant_id", "application_key", "timestamp", "intent", "cid", "order_id")
SESSION_ANSWER = ("status", "timestamp", "redirect_url", "customer.customer_token")
FIND = ("merchant_id", "application_key", "timestamp", "order_id")
DIRECT = (
    "merchant_id",
    "application_key",
    "timestamp",
    "transaction_type",
    "cid",
    "order_id",
    "currency",
    "amount",
    "gateway",
    "notification_url",
    "return_url",
)
ANSWER = ("status", "timestamp", "customer.customer_token", "session.order_id", "transaction.tid")
NOTIFICATION = (
    "merchant_id",
    "application_key",
    "timestamp",
    "customer.customer_token",
    "session.order_id",
    "transaction.tid",
    "transaction.currency",
    "transaction.amount",
    "transaction.conversion_rate",
    "transaction.processed_currency",
    "transaction.processed_amount",
)
REPLY = ("status", "timestamp")
# The cashier sends again about five minutes later, with a new signature.
AGE_MAX, AHEAD_MAX = dt.timedelta(seconds=900), dt.timedelta(seconds=300)
NOT_FOUND = 404
STATES = {
    "initialized": PaymentStatus.CREATED,
    "pending": PaymentStatus.PENDING,
    "pending_async": PaymentStatus.PENDING,
    "authorized": PaymentStatus.AUTHORISED,
    "approved": PaymentStatus.CAPTURED,
    "declined": PaymentStatus.FAILED,
    "rejected": PaymentStatus.FAILED,
    "cancelled": PaymentStatus.FAILED,
    "error": PaymentStatus.FAILED,
    "chargeback": PaymentStatus.CHARGED_BACK,
    "reversed": PaymentStatus.REFUNDED,
}
TRANSFER_STATES = {
    "approved": TransferStatus.PAID,
    "rejected": TransferStatus.FAILED,
    "declined": TransferStatus.FAILED,
    "cancelled": TransferStatus.FAILED,
    "reversed": TransferStatus.FAILED,
}


def value_at(message: Any, path: str) -> Any:
    """Look up a value in nested objects by its path with dots; None where there is none."""
    for name in path.split("."):
        message = message.get(name) if isinstance(message, Mapping) else None
    return message


def sign(message: Mapping[str, Any], fields: Sequence[str], secret: str) -> str:
    """Sign with SHA-384 over the fields' values and the secret, numbers as the message has them."""
    values = (value_at(message, path) for path in fields)
    text = "".join("" if value is None else str(value) for value in values)
    return hashlib.sha384((text + secret).encode()).hexdigest()


def has_sound_form(message: Mapping[str, Any]) -> bool:
    """Check that no signed value can be split at another place than was meant: only digits, letters, and a plain rate."""
    transaction = message.get("transaction") or {}
    numbers = (message.get("timestamp"), transaction.get("tid"), transaction.get("amount"))
    optional = (transaction.get("processed_amount"),)
    currencies = (transaction.get("currency"), transaction.get("processed_currency") or "EUR")
    return (
        all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers)
        and all(
            number is None or (isinstance(number, int) and not isinstance(number, bool) and number >= 0)
            for number in optional
        )
        and all(
            isinstance(code, str) and code.isascii() and code.isalpha() and 3 <= len(code) <= 5 for code in currencies
        )
    )


class PraxisAdapter(BaseAdapter):
    """One application of one merchant at the cashier."""

    title = gettext_lazy("Cashier (Praxis-like)")
    summary = gettext_lazy(
        "Local payment methods through one cashier: BLIK, PIX and others. Messages are signed both ways."
    )
    signature_headers = ("gt-authentication",)
    capabilities = frozenset({Capability.PAYOUT, Capability.REFUND, Capability.LOOK_UP, Capability.SETTLEMENT_FILE})
    methods = (
        Method("", gettext_lazy("Local methods"), PspKind.CASHIER, payout_fields=("account",)),
        Method("blik", "BLIK", PspKind.CASHIER, payout_fields=("account",)),
        Method("pix", "Pix", PspKind.CASHIER, payout_fields=("account",)),
        Method("papara", "Papara", PspKind.CASHIER, payout_fields=("account",)),
        Method("przelewy24", "Przelewy24", PspKind.CASHIER),
    )
    keys = (
        Key("merchant_id", gettext_lazy("Merchant ID"), is_secret=False),
        Key("application_key", gettext_lazy("Application key"), is_secret=False),
        Key("webhook_secret", gettext_lazy("Merchant secret"), help_text=gettext_lazy("Signs messages both ways")),
        Key("gateway", gettext_lazy("Gateway"), is_secret=False, is_required=False),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self._http = PspHttp(psp, address_of(psp, LIVE_URL), explain=lambda answer: answer["description"])

    @property
    def _secret(self) -> str:
        return str(self.credentials.get("webhook_secret", ""))

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        body = {
            "intent": "payment",
            "currency": intent.currency,
            "amount": intent.amount_minor,
            "cid": intent.client_reference or intent.reference,
            "locale": {"de": "de-DE"}.get(intent.locale[:2], "en-GB"),
            "notification_url": self._notification_url,
            "return_url": intent.return_url,
            "order_id": intent.reference,
            "gateway": self.credentials.get("gateway") or None,
            "payment_method": intent.method or None,
        }
        answer = self._call("/cashier/cashier", body, SESSION, SESSION_ANSWER)
        url = self._http.read(lambda body: str(body["redirect_url"]), answer)
        return PaymentView(
            reference=intent.reference,
            psp_reference="",
            status=PaymentStatus.CREATED,
            amount_minor=intent.amount_minor,
            currency=intent.currency,
            redirect_url=url,
        )

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        answer = self._find(reference)
        return None if answer is None else self._http.read(payment_of, answer)

    def refund(self, order: RefundOrder) -> TransferView:
        body = {
            "transaction_type": "refund",
            "order_id": order.reference,
            "cid": order.payment_reference,
            "currency": order.currency,
            "amount": order.amount_minor,
            "original_order_id": order.payment_reference,
            "notification_url": self._notification_url,
        }
        return self._http.read(transfer_of, self._call("/direct/process", body, DIRECT, ANSWER))

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        return self._transfer(order.reference)

    # Payments out

    def start_payout(self, order: PayoutOrder) -> TransferView:
        body = {
            "transaction_type": "payout",
            "order_id": order.reference,
            "cid": order.reference,
            "currency": order.currency,
            "amount": order.amount_minor,
            "payout_data": dict(order.destination),
            "payment_method": order.method or None,
            "notification_url": self._notification_url,
        }
        return self._http.read(transfer_of, self._call("/direct/process", body, DIRECT, ANSWER))

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        return self._transfer(payout.reference)

    def _transfer(self, reference: str) -> TransferView | None:
        answer = self._find(reference)
        return None if answer is None else self._http.read(transfer_of, answer)

    # Notifications

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Judge a notification: form first, since the signature covers parsed fields.

        What can't be parsed can't be checked.
        """
        stated = headers.get("gt-authentication", "")
        if not stated:
            return Judgement(Verdict.NO_SIGNATURE)
        try:
            message = json.loads(body)
            fits = self._is_signed(message, NOTIFICATION, stated)
        except UNREADABLE:
            return Judgement(Verdict.WRONG_SIGNATURE, detail="message isn't in a signable format")
        if not fits:
            return Judgement(Verdict.WRONG_SIGNATURE)
        if not has_sound_form(message):
            return Judgement(Verdict.MALFORMED, detail="a signed field is malformed")
        at = dt.datetime.fromtimestamp(message["timestamp"], dt.UTC)
        if now - at > AGE_MAX:
            return Judgement(Verdict.STALE)
        if at - now > AHEAD_MAX:
            return Judgement(Verdict.FUTURE)
        ours = (str(self.credentials.get("merchant_id")), str(self.credentials.get("application_key")))
        if (str(message["merchant_id"]), str(message["application_key"])) != ours:
            return Judgement(Verdict.OTHER_MERCHANT, detail=str(message["merchant_id"])[:100])
        try:
            return Judgement(Verdict.ACCEPTED, (event_of(message),))
        except UNREADABLE as error:
            return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        return (event_of(json.loads(body)),)

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        """Look up the order's state at the cashier."""
        answer = self._find(event.reference)
        if answer is None:
            return event
        if event.kind in (EventKind.PAYOUT, EventKind.REFUND):
            transfer = self._http.read(transfer_of, answer)
            return replace(event, transfer=transfer, is_complete=True)
        view = self._http.read(payment_of, answer)
        kind = EventKind.CHARGEBACK if view.status == PaymentStatus.CHARGED_BACK else EventKind.PAYMENT
        return replace(event, kind=kind, payment=view, is_complete=True)

    def reply_to(self, verdict: Verdict, body: bytes) -> Reply:
        """Answer a signed message with a signature; anything else gets -1 and none of ours."""
        taken = verdict in TAKEN
        answer = {
            "status": 0 if taken else -1,
            "description": "OK" if taken else Verdict(verdict).value,
            "version": VERSION,
            "timestamp": int(timezone.now().timestamp()),
        }
        signed = sign(answer, REPLY, self._secret)
        headers = {"Gt-Authentication": signed, "External-Request-Signature": signed} if taken else {}
        return Reply(200 if taken else 400, json.dumps(answer).encode(), "application/json", headers)

    # Reports, health and HTTP

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        return PraxisReader(file)

    def check_connection(self) -> Health:
        """Look up an order that doesn't exist: a cashier that knows our secret answers that there is none."""
        try:
            self._find("connection-test")
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            return Health(False, error.message)
        return Health(True, _("Connected"))

    @property
    def _notification_url(self) -> str:
        return f"{settings.BASE_URL.rstrip('/')}/webhooks/psp/{self.psp.code}/"

    def _is_signed(self, message: Any, fields: Sequence[str], stated: str) -> bool:
        secrets = (self._secret, str(self.credentials.get("previous_webhook_secret") or ""))
        expected = [sign(message, fields, secret).encode() for secret in secrets if secret]
        fits = [hmac.compare_digest(digest, stated.lower().encode()) for digest in expected]
        return any(fits)

    def _find(self, reference: str) -> Any | None:
        try:
            return self._call("/agent/find-order", {"order_id": reference}, FIND, ANSWER)
        except PspRefused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def _call(self, path: str, body: Mapping[str, Any], fields: Sequence[str], answered: Sequence[str]) -> Any:
        """Send a signed request and check the answer's signature.

        A status above zero is a refusal; an answer whose signature doesn't hold leaves the outcome open.
        """
        message = {
            **body,
            "merchant_id": self.credentials.get("merchant_id"),
            "application_key": self.credentials.get("application_key"),
            "version": VERSION,
            "timestamp": int(timezone.now().timestamp()),
        }
        response = self._http.send(
            "POST", path, json=message, headers={"Gt-Authentication": sign(message, fields, self._secret)}
        )
        if not response.is_success:
            raise self._http.refusal(response)
        try:
            answer = response.json()
            status = int(answer["status"])
        except UNREADABLE as error:
            raise self._http.unreadable() from error
        if status > 0:
            raise PspRefused(f"{self.psp}: {answer.get('description', status)}"[:300], status=status)
        stated = response.headers.get("gt-authentication", "")
        if status < 0 or not self._is_signed(answer, answered, stated):
            raise PspUnknown(_("%(psp)s sent a response with an invalid signature.") % {"psp": self.psp})
        return answer


# ── reading the cashier's messages ───────────────────────────────────────────────────────────────────────────────────


def payment_of(message: Mapping[str, Any]) -> PaymentView:
    """Read a deposit's message as a payment.

    Raises: ValueError (it is no deposit).
    """
    transaction = message["transaction"]
    status = STATES[str(transaction["transaction_status"])]
    if transaction["transaction_type"] not in ("sale", "authorize"):
        raise ValueError("not a deposit")
    asked = (int(transaction["amount"]), str(transaction["currency"]))
    charged = transaction.get("processed_amount")
    moved = charged is not None and status in (
        PaymentStatus.CAPTURED,
        PaymentStatus.CHARGED_BACK,
        PaymentStatus.REFUNDED,
    )
    received = (int(charged), str(transaction["processed_currency"])) if moved else asked
    in_another_currency = received[1] != asked[1]
    return PaymentView(
        reference=str(message["session"]["order_id"]),
        psp_reference=str(transaction["tid"]),
        status=status,
        amount_minor=received[0] if in_another_currency else asked[0],
        currency=received[1],
        received_minor=received[0] if moved else None,
        method=str(transaction.get("payment_method") or "")[:30],
        instrument=str(value_at(transaction, "card.card_number") or "")[:80],
        payer_name=str(value_at(transaction, "wallet.account_identifier") or "")[:120],
        failure=str(transaction.get("status_details") or "")[:200] if status == PaymentStatus.FAILED else "",
        happened_at=_time(transaction),
    )


def transfer_of(message: Mapping[str, Any]) -> TransferView:
    """Read a payout's or refund's message as a transfer.

    Raises: ValueError (it is neither).
    """
    transaction = message["transaction"]
    if transaction["transaction_type"] not in ("payout", "refund"):
        raise ValueError("neither payout nor refund")
    status = TRANSFER_STATES.get(str(transaction["transaction_status"]), TransferStatus.PENDING)
    return TransferView(
        reference=str(message["session"]["order_id"]),
        psp_reference=str(transaction["tid"]),
        status=status,
        amount_minor=int(transaction["amount"]),
        currency=str(transaction["currency"]),
        failure=str(transaction.get("status_details") or "")[:200] if status == TransferStatus.FAILED else "",
        happened_at=_time(transaction),
    )


def event_of(message: Mapping[str, Any]) -> WebhookEvent:
    """Read a notification as one event per transaction, status and amount: a repeated one is the same event."""
    transaction = message["transaction"]
    kind = {"payout": EventKind.PAYOUT, "refund": EventKind.REFUND}.get(
        transaction["transaction_type"], EventKind.PAYMENT
    )
    identity = (
        transaction["tid"],
        transaction["transaction_type"],
        transaction["transaction_status"],
        transaction.get("processed_amount"),
        transaction.get("processed_currency"),
    )
    return WebhookEvent(
        event_id=":".join("" if part is None else str(part) for part in identity)[:120],
        event_type=f"{transaction['transaction_type']}.{transaction['transaction_status']}"[:80],
        kind=kind,
        reference=str(message["session"]["order_id"])[:100],
        is_complete=False,
    )


def _time(transaction: Mapping[str, Any]) -> dt.datetime | None:
    stamp = transaction.get("created_timestamp")
    return None if stamp is None else dt.datetime.fromtimestamp(int(stamp), dt.UTC)
