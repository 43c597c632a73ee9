"""BTCPay Server, Greenfield API: coins in by invoice, coins out by pull payment and payout.

`metadata.orderId` of an invoice is our reference; the server has no idempotency, so an invoice is looked for before one is made.
An invoice is in the deposit's currency, its coins are counted at its own rate: what arrived is `received_minor` in that currency.

| invoice | means |
|---|---|
| New | created |
| Processing | pending: seen, not confirmed |
| Settled (None, PaidOver, Marked) | captured, with what really arrived |
| Expired + PaidPartial, PaidLate | captured, with what really arrived: less, or late |
| Expired | expired |
| Invalid | failed |

A payout is a pull payment named by our reference with one payout in it, `metadata.reference` ours too. The pull payment moves
nothing on its own, so losing the answer to it is no unknown outcome. A refund is a pull payment of the invoice that the payer
claims at `claim_url`: pending until all of it is paid, failed when it was archived (or expired) before it was claimed. Anyone
with the address can claim, so it is for the client alone; claims of refunds wait for approval on the server.

Webhooks (`BTCPay-Sig: sha256=…`, HMAC over the raw body) carry no amounts, so they are hints: the invoice is asked for. The
server sends again for an hour (after 10 s, 1 min, then six times every 10 min), each time with a new `deliveryId` and the first
one as `originalDeliveryId`: that one is the event.

Nothing is settled, since coins are in the merchant's own wallet: our books are compared with the server's own lists of payments
and payouts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, BinaryIO
from urllib.parse import quote

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.money.amounts import from_minor, quantize, to_minor
from wallet.choices.psp import PspKind, Verdict
from wallet.choices.withdrawals import ClaimState
from wallet.models import Psp
from wallet.psp.base import BaseAdapter, OurRecords
from wallet.psp.btcpay.crypto_addresses import NETWORKS, is_address
from wallet.psp.btcpay.report import BtcPayReader, as_csv
from wallet.psp.errors import PspRefused, PspUnknown, PspUnreachable
from wallet.psp.http import REPORT, UNREADABLE, PspHttp, address_of
from wallet.psp.settlement import SettlementReader
from wallet.psp.values import (
    Capability,
    DepositIntent,
    EventKind,
    Health,
    Judgement,
    Key,
    Method,
    PayBy,
    PaymentStatus,
    PaymentView,
    PayoutOrder,
    RefundOrder,
    SentPayout,
    TransferStatus,
    TransferView,
    WebhookEvent,
)

AGE_MAX, AHEAD_MAX = dt.timedelta(hours=2), dt.timedelta(seconds=300)
RATE_HOLDS_MINUTES = 30  # the invoice keeps its rate so long; coins that come later arrive all the same
SIGNATURE_PREFIX = "sha256="
STATES = {
    "New": PaymentStatus.CREATED,
    "Processing": PaymentStatus.PENDING,
    "Settled": PaymentStatus.CAPTURED,
    "Expired": PaymentStatus.EXPIRED,
    "Invalid": PaymentStatus.FAILED,
}
ARRIVED_AFTER_ALL = frozenset({"PaidPartial", "PaidLate"})
PAYOUT_STATES = {"Completed": TransferStatus.PAID, "Cancelled": TransferStatus.FAILED}
# Coins are counted finer than cents: a difference of one minor unit is the rate's rounding, not another amount.
ROUNDING_MINOR = 1


class BtcPayAdapter(BaseAdapter):
    """One store of one BTCPay Server."""

    title = "BTCPay Server"
    summary = gettext_lazy("Crypto deposits through your own BTCPay Server; payouts and refunds in crypto.")
    signature_headers = ("btcpay-sig",)
    capabilities = frozenset({Capability.PAYOUT, Capability.REFUND, Capability.LOOK_UP, Capability.SETTLEMENT_FILE})
    methods = (
        Method("btc", "Bitcoin", PspKind.CRYPTO, PayBy.CRYPTO_ADDRESS, payout_fields=("address",), minutes=30),
        Method("ltc", "Litecoin", PspKind.CRYPTO, PayBy.CRYPTO_ADDRESS, payout_fields=("address",), minutes=15),
    )
    keys = (
        Key("api_key", gettext_lazy("API key")),
        Key("store_id", gettext_lazy("Store ID"), is_secret=False),
        Key("webhook_secret", gettext_lazy("Webhook secret")),
    )

    def __init__(self, psp: Psp) -> None:
        super().__init__(psp)
        self._http = PspHttp(psp, f"{address_of(psp, '')}/api/v1", explain=lambda answer: answer["message"])
        self._store = f"/stores/{_part(str(self.credentials.get('store_id', '')))}"
        self._headers = {"Authorization": f"token {self.credentials.get('api_key', '')}"}

    # Payments in

    def start_deposit(self, intent: DepositIntent) -> PaymentView:
        known = self._invoice_of(intent.reference)
        if known is not None:
            return self._describe_invoice(known)
        method = self.method(intent.method)
        body = {
            "amount": f"{from_minor(intent.amount_minor, intent.currency):f}",
            "currency": intent.currency,
            "metadata": {"orderId": intent.reference, "itemDesc": intent.merchant_name},
            "checkout": {
                "redirectURL": intent.return_url,
                "redirectAutomatically": True,
                "defaultLanguage": intent.locale[:2],
                "expirationMinutes": RATE_HOLDS_MINUTES,
                "paymentMethods": [_chain(method.code)],
            },
        }
        return self._describe_invoice(self._call("POST", f"{self._store}/invoices", body))

    def find_payment(
        self, reference: str, *, psp_reference: str = "", session_reference: str = ""
    ) -> PaymentView | None:
        invoice = self._invoice(psp_reference) if psp_reference else self._invoice_of(reference)
        return None if invoice is None else self._describe_invoice(invoice)

    def _invoice(self, invoice_id: str) -> Any | None:
        return self._look_up(f"{self._store}/invoices/{_part(invoice_id)}")

    def _invoice_of(self, reference: str) -> Any | None:
        """Find the oldest invoice of that order id: the one that the client was shown first."""
        listed = self._call("GET", f"{self._store}/invoices?orderId={_part(reference)}&take=10")
        invoices = self._http.read(
            lambda answer: sorted(answer, key=lambda invoice: int(invoice["createdTime"])), listed
        )
        return invoices[0] if invoices else None

    def _describe_invoice(self, invoice: Any) -> PaymentView:
        """Describe an invoice with its address, and what arrived there at the invoice's rate."""
        invoice_id = self._http.read(lambda body: str(body["id"]), invoice)
        ways = self._call("GET", f"{self._store}/invoices/{_part(invoice_id)}/payment-methods")
        return self._http.read(lambda answer: payment_of(invoice, answer), ways)

    def refund(self, order: RefundOrder) -> TransferView:
        """Make a pull payment that the payer claims at its address."""
        body = {
            "name": order.reference,
            "description": order.reason[:200],
            "refundVariant": "Custom",
            "payoutMethodId": _chain(self.methods[0].code),
            "customCurrency": order.currency,
            "customAmount": f"{from_minor(order.amount_minor, order.currency):f}",
        }
        known = self.find_refund(order)
        if known is not None:
            return known
        pull = self._call("POST", f"{self._store}/invoices/{_part(order.psp_reference)}/refund", body)
        return self._refund_of(pull, order.reference, order.amount_minor, order.currency)

    def find_refund(self, order: RefundOrder) -> TransferView | None:
        pull = self._pull_payment_of(order.reference)
        if pull is None:
            return None
        return self._refund_of(pull, order.reference, order.amount_minor, order.currency)

    def withdraw_refund(self, order: RefundOrder) -> None:
        """Archive the refund's pull payment: it takes no further claim, and one that is being paid goes on."""
        pull = self._pull_payment_of(order.reference)
        if pull is not None:
            pull_id = self._http.read(lambda body: str(body["id"]), pull)
            self._call("DELETE", f"{self._store}/pull-payments/{_part(pull_id)}")

    def _refund_of(self, pull: Any, reference: str, amount_minor: int, currency: str) -> TransferView:
        """Describe a refund by all claims of its pull payment: paid when all of it is, failed when it can't be claimed any more.

        A claim that was cancelled ends nothing: the payer can claim again.
        """
        pull_id = self._http.read(lambda body: str(body["id"]), pull)
        claims = [claim for claim in self._payouts_of(pull_id) if claim.currency == currency]
        paid = [claim for claim in claims if claim.status == TransferStatus.PAID]
        is_running = any(claim.status == TransferStatus.PENDING for claim in claims)
        ends = self._http.read(lambda body: _instant(body.get("expiresAt")), pull)
        is_closed = bool(pull.get("archived")) or (ends is not None and ends <= timezone.now())
        status, failure, state = TransferStatus.PENDING, "", ClaimState.CLAIMED if is_running else ClaimState.WAITING
        if sum(claim.amount_minor for claim in paid) >= amount_minor:
            status, state = TransferStatus.PAID, ClaimState.CLAIMED
        elif is_closed and not is_running:
            state = ClaimState.OVER
            if not paid:
                status, failure = TransferStatus.FAILED, _("Not claimed in time")
        return TransferView(
            reference=reference,
            psp_reference=pull_id,
            amount_minor=amount_minor,
            currency=currency,
            status=status,
            failure=failure,
            happened_at=max((claim.happened_at for claim in paid if claim.happened_at), default=None),
            claim_url=str(pull.get("viewLink") or ""),
            claim_state=state,
            claim_until=ends,
        )

    # Payments out

    def start_payout(self, order: PayoutOrder) -> TransferView:
        method = self.method(order.method)
        address = str(order.destination.get("address", ""))
        if not is_address(address, method.code):
            raise PspRefused(
                _("“%(address)s” isn't a valid %(network)s address: the checksum is wrong.")
                % {"address": address[:90], "network": NETWORKS[method.code].name}
            )
        pull_id = self._pull_payment_for(order, method.code)
        known = self._payouts_of(pull_id)
        if known:
            return known[0]
        body = {
            "destination": address,
            "amount": f"{from_minor(order.amount_minor, order.currency):f}",
            "payoutMethodId": _chain(method.code),
            "pullPaymentId": pull_id,
            "approved": True,
            "metadata": {"reference": order.reference},
        }
        return self._http.read(payout_of, self._call("POST", f"{self._store}/payouts", body))

    def _pull_payment_for(self, order: PayoutOrder, method: str) -> str:
        """Find or make the pull payment of that name. It moves no coins: an answer that is lost here leaves nothing open."""
        body = {
            "name": order.reference,
            "amount": f"{from_minor(order.amount_minor, order.currency):f}",
            "currency": order.currency,
            "payoutMethods": [_chain(method)],
            "autoApproveClaims": False,
        }
        try:
            pull = self._pull_payment_of(order.reference)
            if pull is None:
                pull = self._call("POST", f"{self._store}/pull-payments", body)
            return self._http.read(lambda body: str(body["id"]), pull)
        except PspUnknown as error:
            raise PspUnreachable(error.message) from error

    def find_payout(self, payout: SentPayout) -> TransferView | None:
        if payout.psp_reference:
            answer = self._look_up(f"{self._store}/payouts/{_part(payout.psp_reference)}")
            return None if answer is None else self._http.read(payout_of, answer)
        pull = self._pull_payment_of(payout.reference)
        payouts = [] if pull is None else self._payouts_of(self._http.read(lambda body: str(body["id"]), pull))
        return payouts[0] if payouts else None

    def _pull_payment_of(self, reference: str) -> Any | None:
        listed = self._call("GET", f"{self._store}/pull-payments?includeArchived=true")
        return self._http.read(
            lambda answer: next((pull for pull in answer if pull.get("name") == reference), None), listed
        )

    def _payouts_of(self, pull_id: str) -> list[TransferView]:
        listed = self._call("GET", f"/pull-payments/{_part(pull_id)}/payouts?includeCancelled=true")
        return self._http.read(lambda answer: [payout_of(payout) for payout in answer], listed)

    # Webhooks

    def judge_webhook(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        stated = headers.get("btcpay-sig", "")
        if not stated.startswith(SIGNATURE_PREFIX):
            return Judgement(Verdict.NO_SIGNATURE)
        secrets = [self.credentials.get("webhook_secret", ""), self.credentials.get("previous_webhook_secret", "")]
        fits = [is_signed(body, stated, str(secret)) for secret in secrets if secret]
        if not any(fits):
            return Judgement(Verdict.WRONG_SIGNATURE)
        try:
            message = json.loads(body)
            event, at = event_of(message), dt.datetime.fromtimestamp(int(message["timestamp"]), dt.UTC)
        except UNREADABLE as error:
            return Judgement(Verdict.MALFORMED, detail=f"{type(error).__name__}: {error}"[:200])
        if now - at > AGE_MAX:
            return Judgement(Verdict.STALE)
        if at - now > AHEAD_MAX:
            return Judgement(Verdict.FUTURE)
        if message.get("storeId") != self.credentials.get("store_id"):
            return Judgement(Verdict.OTHER_MERCHANT, detail=str(message.get("storeId"))[:100])
        return Judgement(Verdict.ACCEPTED, (event,))

    def read_webhook(self, body: bytes) -> tuple[WebhookEvent, ...]:
        return (event_of(json.loads(body)),)

    def complete(self, event: WebhookEvent, records: OurRecords) -> WebhookEvent:
        """Look up the invoice or payout that the message names."""
        if event.kind == EventKind.PAYMENT and event.payment is not None:
            invoice = self._invoice(event.payment.psp_reference)
            if invoice is None:
                return replace(event, payment=None)
            view = self._describe_invoice(invoice)
            return replace(event, payment=view, reference=view.reference, is_complete=True)
        if event.kind == EventKind.PAYOUT and event.transfer is not None:
            answer = self._look_up(f"{self._store}/payouts/{_part(event.transfer.psp_reference)}")
            if answer is None:
                return replace(event, transfer=None)
            payout = self._http.read(payout_of, answer)
            if payout.reference:
                return replace(event, transfer=payout, reference=payout.reference, is_complete=True)
            return self._complete_claim(event, str(answer.get("pullPaymentId") or ""))
        return event

    def _complete_claim(self, event: WebhookEvent, pull_id: str) -> WebhookEvent:
        """Complete an event of a payout without our reference: a payer's claim of a refund.

        The pull payment has the reference.
        """
        pull = self._look_up(f"/pull-payments/{_part(pull_id)}") if pull_id else None
        if pull is None:
            return replace(event, transfer=None)
        reference, amount, currency = self._http.read(
            lambda body: (str(body["name"]), Decimal(str(body["amount"])), str(body["currency"])), pull
        )
        refund = self._refund_of(pull, reference, to_minor(amount, currency), currency)
        return replace(event, kind=EventKind.REFUND, transfer=refund, reference=reference, is_complete=True)

    # Reports, health and HTTP

    def fetch_settlement(self, first: dt.date, last: dt.date) -> bytes:
        """Fetch the server's lists “Payments” and “Payouts” of the days, as it exports them, one after the other."""
        since = int(dt.datetime.combine(first, dt.time(), dt.UTC).timestamp())
        until = int(dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), dt.UTC).timestamp()) - 1
        lists = []
        for name in ("Payments", "Payouts"):
            body = {"viewName": name, "timePeriod": {"from": since, "to": until}}
            answer = self._http.call("POST", f"{self._store}/reports", json=body, headers=self._headers, bounds=REPORT)
            lists.append(self._http.read(as_csv, answer))
        return "\n".join(text for text in lists if text).encode()

    def read_settlement(self, file: BinaryIO, records: OurRecords) -> SettlementReader:
        return BtcPayReader(file, refunds_among=records.refunds_among)

    def check_connection(self) -> Health:
        try:
            answer = self._call("GET", self._store)
            name = self._http.read(lambda body: str(body["name"]), answer)
        except (PspRefused, PspUnreachable, PspUnknown) as error:
            return Health(False, error.message)
        return Health(True, _("Connected to the store “%(name)s”") % {"name": name})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return self._http.call(method, path, json=body, headers=self._headers)

    def _look_up(self, path: str) -> Any | None:
        return self._http.look_up(path, headers=self._headers)


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Check `sha256=` and the hex HMAC-SHA256 of the raw body."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"{SIGNATURE_PREFIX}{digest}".encode(), header.encode())


# ── reading the server's answers ─────────────────────────────────────────────────────────────────────────────────────


def received_minor(invoice: Mapping[str, Any], ways: list[Mapping[str, Any]]) -> int:
    """Add up what arrived over all payment methods, each at its own rate, in the invoice's currency and minor units."""
    currency = str(invoice["currency"])
    if invoice.get("paidAmount") is not None:  # newer servers report it themselves
        total = Decimal(str(invoice["paidAmount"]))
    else:
        total = sum((Decimal(str(way["paymentMethodPaid"])) * Decimal(str(way["rate"])) for way in ways), Decimal(0))
    minor = to_minor(quantize(total, currency, ROUND_HALF_EVEN), currency)
    asked = to_minor(Decimal(str(invoice["amount"])), currency)
    return asked if abs(minor - asked) <= ROUNDING_MINOR else minor


def payment_of(invoice: Mapping[str, Any], ways: list[Mapping[str, Any]]) -> PaymentView:
    """Read an invoice and its payment methods as a payment."""
    currency = str(invoice["currency"])
    status = STATES[str(invoice["status"])]
    additional = str(invoice.get("additionalStatus") or "None")
    received = received_minor(invoice, ways)
    if additional in ARRIVED_AFTER_ALL and received > 0 and status == PaymentStatus.EXPIRED:
        status = PaymentStatus.CAPTURED
    way = next((candidate for candidate in ways if candidate.get("activated", True)), None)
    instructions = {}
    if way is not None:
        instructions = {
            "address": str(way["destination"]),
            "amount": f"{way['due'] if received else way['amount']} {way['currency']}",
            "currency": str(way["currency"]),
            "network": str(way["paymentMethodId"]),
            "uri": str(way["paymentLink"]),
            "expires": dt.datetime.fromtimestamp(int(invoice["expirationTime"]), dt.UTC).isoformat(),
        }
    return PaymentView(
        reference=str((invoice.get("metadata") or {}).get("orderId") or ""),
        psp_reference=str(invoice["id"]),
        status=status,
        amount_minor=to_minor(Decimal(str(invoice["amount"])), currency),
        currency=currency,
        received_minor=received if status == PaymentStatus.CAPTURED else None,
        redirect_url=str(invoice.get("checkoutLink") or ""),
        instructions=instructions,
        method="btc" if way is None else str(way["currency"]).lower(),
        instrument="" if way is None else f"{instructions['address'][:10]}…{instructions['address'][-6:]}",
        failure={PaymentStatus.EXPIRED: "expired", PaymentStatus.FAILED: "invalid"}.get(status, ""),
        happened_at=dt.datetime.fromtimestamp(int(invoice["createdTime"]), dt.UTC),
    )


def payout_of(payout: Mapping[str, Any]) -> TransferView:
    """Read a payout of the server as a transfer."""
    currency = str(payout.get("originalCurrency") or payout["currency"])
    amount = Decimal(str(payout.get("originalAmount") or payout["amount"]))
    state = str(payout["state"])
    return TransferView(
        reference=str((payout.get("metadata") or {}).get("reference") or ""),
        psp_reference=str(payout["id"]),
        status=PAYOUT_STATES.get(state, TransferStatus.PENDING),
        amount_minor=to_minor(amount, currency),
        currency=currency,
        failure="cancelled" if state == "Cancelled" else "",
        happened_at=dt.datetime.fromtimestamp(int(payout["date"]), dt.UTC),
    )


def event_of(message: Mapping[str, Any]) -> WebhookEvent:
    """Read a webhook as a hint: the invoice or payout that it names is asked for.

    A redelivery is the original event.
    """
    event_id = str((message.get("originalDeliveryId") if message.get("isRedelivery") else "") or message["deliveryId"])
    event_type = str(message["type"])
    common: dict[str, Any] = {"event_id": event_id[:120], "event_type": event_type[:80]}
    if event_type.startswith("Invoice"):
        reference = str((message.get("metadata") or {}).get("orderId") or "")
        named = PaymentView(reference, str(message["invoiceId"]), PaymentStatus.CREATED, 0, "")
        return WebhookEvent(
            **common, kind=EventKind.PAYMENT, reference=reference[:100], payment=named, is_complete=False
        )
    if event_type.startswith("Payout"):
        payout = TransferView("", str(message["payoutId"]), TransferStatus.PENDING, 0, "")
        return WebhookEvent(**common, kind=EventKind.PAYOUT, reference="", transfer=payout, is_complete=False)
    return WebhookEvent(**common, kind=EventKind.OTHER, reference="")


def _instant(seconds: Any) -> dt.datetime | None:
    return None if seconds is None else dt.datetime.fromtimestamp(int(seconds), dt.UTC)


def _chain(method: str) -> str:
    return f"{method.upper()}-CHAIN"


def _part(text: str) -> str:
    return quote(text, safe="")
