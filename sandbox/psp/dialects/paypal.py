"""PayPal: Orders v2, captures, refunds, payouts v1, disputes' evidence; webhooks signed with RSA.

The key and its certificate chain are made when first needed and live as long as the process: PAYPAL-CERT-URL names the
certificate by its serial number, as PayPal's does. `GET /paypal/statements?from=&to=` is the settlement report (STL).
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from sqlite3 import Row
from typing import Any
from uuid import uuid4

from sandbox.psp import payments, transfers
from sandbox.psp.api import read_period
from sandbox.psp.characters import CHARACTERS, Character
from sandbox.psp.dialects import DIALECTS, Event, compact
from sandbox.psp.dialects.paypal_keys import SigningKey
from sandbox.psp.dialects.paypal_report import stl_report
from sandbox.psp.money import exponent, major
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Handler, Request, Response, as_json, router
from sandbox.psp.store import Store, new_id, now

WEBHOOK_ID = "WH-SANDBOX-0001"
TOKEN_SECONDS = 32_400
# PayPal writes these without decimals, whatever ISO 4217 says.
WHOLE_UNITS = frozenset({"JPY", "HUF", "TWD"})
ORDER_STATES = {"created": "PAYER_ACTION_REQUIRED", "authorised": "APPROVED", "failed": "VOIDED"}


def value_of(minor: int, currency: str) -> dict[str, str]:
    """Write an amount as PayPal does: as text, without decimals for its whole-unit currencies."""
    text = major(minor, currency)
    return {"currency_code": currency, "value": text.partition(".")[0] if currency in WHOLE_UNITS else text}


def minor_of(amount: dict[str, Any], currency_field: str = "currency_code") -> tuple[int, str]:
    """Minor units and currency of PayPal's `{"currency_code", "value"}`; too many decimals are refused."""
    currency, text = str(amount.get(currency_field, "")), str(amount.get("value", ""))
    whole, _, fraction = text.partition(".")
    places = 0 if currency in WHOLE_UNITS else exponent(currency)
    if not whole.isdigit() or len(fraction) > places or (fraction and not fraction.isdigit()):
        raise ApiError(422, "UNPROCESSABLE_ENTITY", f"{text} is not an amount in {currency}.")
    return int(whole + fraction.ljust(exponent(currency), "0")), currency


def iso(at: float) -> str:
    """Write an instant in ISO 8601, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def capture_id(payment_id: str) -> str:
    """Derive a capture's id from the payment's."""
    return payment_id.replace("pay_", "CAP")


def _capture(data: dict[str, Any]) -> dict[str, Any]:
    states = {"captured": "COMPLETED", "charged_back": "COMPLETED", "pending": "PENDING", "failed": "DECLINED"}
    back = data["refunded_minor"]
    status = states.get(data["status"], "COMPLETED")
    if back:
        status = "REFUNDED" if back >= data["received_minor"] else "PARTIALLY_REFUNDED"
    return {
        "id": capture_id(data["id"]),
        "status": status,
        "custom_id": data["reference"],
        "invoice_id": data["reference"],
        "amount": value_of(data["received_minor"] or data["amount_minor"], data["currency"]),
        "final_capture": True,
        "create_time": iso(data["updated_at"]),
        "update_time": iso(data["updated_at"]),
        "supplementary_data": {"related_ids": {"order_id": data["id"]}},
    }


def _refund(data: dict[str, Any]) -> dict[str, Any]:
    states = {"paid": "COMPLETED", "pending": "PENDING", "failed": "FAILED"}
    return {
        "id": data["id"],
        "status": states[data["status"]],
        "custom_id": data["reference"],
        "invoice_id": data["reference"],
        "amount": value_of(data["amount_minor"], data["currency"]),
        "create_time": iso(data["created_at"]),
        "update_time": iso(data["updated_at"]),
    }


def _order(data: dict[str, Any], refunds: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    unit: dict[str, Any] = {
        "reference_id": "default",
        "custom_id": data["reference"],
        "invoice_id": data["reference"],
        "amount": value_of(data["amount_minor"], data["currency"]),
    }
    status = ORDER_STATES.get(data["status"], "COMPLETED")
    if status == "COMPLETED":
        unit["payments"] = {"captures": [_capture(data)], "refunds": list(refunds)}
    order = {
        "id": data["id"],
        "intent": "CAPTURE",
        "status": status,
        "purchase_units": [unit],
        "create_time": iso(data["created_at"]),
        "update_time": iso(data["updated_at"]),
    }
    if data["payer_name"]:
        given, _, surname = data["payer_name"].partition(" ")
        order["payer"] = {
            "name": {"given_name": given, "surname": surname},
            "email_address": data["instrument"],
            "payer_id": "PAYER" + data["id"][-8:].upper(),
        }
    if "redirect_url" in data and status == "PAYER_ACTION_REQUIRED":
        order["links"] = [{"href": data["redirect_url"], "rel": "payer-action", "method": "GET"}]
    return order


def _payout_item(data: dict[str, Any]) -> dict[str, Any]:
    states = {"paid": "SUCCESS", "pending": "PENDING", "failed": "FAILED"}
    item: dict[str, Any] = {
        "payout_item_id": "ITEM" + data["id"],
        "payout_batch_id": data["id"],
        "sender_batch_id": data["reference"],
        "transaction_status": states[data["status"]],
        "time_processed": iso(data["updated_at"]),
        "payout_item": {
            "recipient_type": "EMAIL",
            "sender_item_id": data["reference"],
            "amount": {
                "currency": data["currency"],
                "value": value_of(data["amount_minor"], data["currency"])["value"],
            },
        },
    }
    if data["failure"]:
        item["errors"] = {"name": data["failure"].upper(), "message": data["failure"]}
    return item


def dispute_of(data: dict[str, Any], outcome: str = "") -> dict[str, Any]:
    """Show the dispute of a payment."""
    dispute: dict[str, Any] = {
        "dispute_id": "PP-D-" + data["id"][-8:],
        "reason": "UNAUTHORISED",
        "create_time": iso(data["updated_at"]),
        "update_time": iso(data["updated_at"]),
        "status": "RESOLVED" if outcome else "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": value_of(data["received_minor"], data["currency"]),
        "seller_response_due_date": iso(data["updated_at"] + 10 * 86_400),
        "disputed_transactions": [
            {
                "seller_transaction_id": capture_id(data["id"]),
                "custom": data["reference"],
                "invoice_number": data["reference"],
                "gross_amount": value_of(data["received_minor"], data["currency"]),
            }
        ],
    }
    if outcome:
        dispute["dispute_outcome"] = {
            "outcome_code": outcome,
            "amount_refunded": value_of(data["received_minor"], data["currency"]),
        }
    return dispute


def _decided(data: dict[str, Any]) -> str:
    return "RESOLVED_SELLER_FAVOUR" if data["dispute"]["status"] == "won" else "RESOLVED_BUYER_FAVOUR"


class PayPal:
    """Transmission headers with an RSA-SHA256 signature over `id|time|webhook id|crc32(body)`."""

    def __init__(self) -> None:
        self.base_url = ""
        self._key: SigningKey | None = None
        self._forger: SigningKey | None = None

    @property
    def key(self) -> SigningKey:
        self._key = self._key or SigningKey()
        return self._key

    def message(self, character: Character, event: Event) -> bytes | None:
        told: dict[str, tuple[str, str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
            "payment.authorised": ("CHECKOUT.ORDER.APPROVED", "checkout-order", _order),
            "payment.pending": ("PAYMENT.CAPTURE.PENDING", "capture", _capture),
            "payment.captured": ("PAYMENT.CAPTURE.COMPLETED", "capture", _capture),
            "payment.chargeback": ("PAYMENT.CAPTURE.REVERSED", "capture", _capture),
            "dispute.closed": ("CUSTOMER.DISPUTE.RESOLVED", "dispute", lambda data: dispute_of(data, _decided(data))),
            "dispute.opened": ("CUSTOMER.DISPUTE.CREATED", "dispute", dispute_of),
            "payout.paid": ("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", "payouts_item", _payout_item),
            "payout.failed": ("PAYMENT.PAYOUTS-ITEM.FAILED", "payouts_item", _payout_item),
            "refund.paid": ("PAYMENT.CAPTURE.REFUNDED", "refund", _refund),
            "refund.failed": ("PAYMENT.REFUND.FAILED", "refund", _refund),
        }
        if event.type not in told:
            return None  # a client who turns back at PayPal: nothing is sent, the order is only never approved
        event_type, resource_type, resource = told[event.type]
        return compact(
            {
                "id": "WH-" + event.id,
                "event_version": "1.0",
                "create_time": iso(event.created),
                "resource_type": resource_type,
                "event_type": event_type,
                "resource": resource(event.data),
            }
        )

    def signed(
        self, character: Character, body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        transmission, when = str(uuid4()), iso(at)
        signed = f"{transmission}|{when}|{WEBHOOK_ID}|{binascii.crc32(body)}".encode()
        if secret != character.webhook_secret:  # a forger has a key of his own and points at the real certificate
            self._forger = self._forger or SigningKey()
            signature = self._forger.sign(signed)
        else:
            signature = self.key.sign(signed)
        return body, {
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": when,
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
            "PAYPAL-CERT-URL": f"{self.base_url}/v1/notifications/certs/{self.key.name}",
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        }

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        event = json.loads(body)
        resource = event["resource"]
        holder = (
            resource["purchase_units"][0] if "purchase_units" in resource else resource.get("payout_item", resource)
        )
        if "currency_code" in holder.get("amount", {}):
            minor, currency = minor_of(holder["amount"])
            holder["amount"] = value_of(minor + added_minor, currency)
        return compact(event)

    def is_taken(self, status: int, answer: bytes) -> bool:
        return 200 <= status < 300


DIALECT = PayPal()
DIALECTS["paypal"] = DIALECT


# ── the API ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_paypals_words(handler: Handler) -> Handler:
    """Errors as PayPal writes them; where webhooks' certificate URL points is learned from how we are reached."""

    @wraps(handler)
    def answered(request: Request) -> Response:
        DIALECT.base_url = f"{request.base_url}/paypal"
        try:
            return handler(request)
        except ApiError as error:
            name = {404: "RESOURCE_NOT_FOUND", 401: "AUTHENTICATION_FAILURE"}.get(error.status, error.code.upper())
            details = [{"issue": error.code.upper(), "description": error.message}]
            return as_json({"name": name, "message": error.message, "details": details}, error.status)

    return answered


def _authorise(request: Request) -> None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    valid_until = request.store.noted("paypal", token, "token") if token else ""
    if not valid_until or float(valid_until) < now():
        raise ApiError(401, "invalid_token", "The access token is missing, wrong or expired.")


@router.route("POST", "/{psp:paypal}/v1/oauth2/token")
@in_paypals_words
def make_token(request: Request) -> Response:
    """Give out an access token for the client's credentials."""
    expected = base64.b64encode(f"client-paypal:{request.character.api_key}".encode()).decode()
    if request.headers.get("authorization") != f"Basic {expected}":
        raise ApiError(401, "invalid_client", "Client Authentication failed")
    token = new_id("A21AA")
    request.store.note("paypal", token, "token", str(now() + TOKEN_SECONDS))
    return as_json(
        {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS, "app_id": "APP-SANDBOX"}
    )


def _find_order(request: Request, payment_id: str) -> Row:
    return payments.find_payment(request.store, "paypal", payment_id=payment_id)


def _refunds(store: Store, payment_id: str) -> list[dict[str, Any]]:
    rows = store.rows(
        "SELECT * FROM transfers WHERE kind = 'refund' AND payment_id = ? ORDER BY created_at", payment_id
    )
    return [_refund(transfers.transfer_view(row)) for row in rows]


def _order_answer(request: Request, row: Row, status: int = 200) -> Response:
    return as_json(_order(payments.payment_view(row, request.base_url), _refunds(request.store, row["id"])), status)


@router.route("POST", "/{psp:paypal}/v2/checkout/orders")
@in_paypals_words
def create_order(request: Request) -> Response:
    """One purchase unit; the same invoice id with the same body is the same order."""
    _authorise(request)
    unit = request.json["purchase_units"][0]
    minor, currency = minor_of(unit["amount"])
    context = request.json["payment_source"]["paypal"]["experience_context"]
    body = {
        "reference": unit["invoice_id"],
        "amount_minor": minor,
        "currency": currency,
        "return_url": context["return_url"],
        "merchant_name": context.get("brand_name", ""),
        "locale": context.get("locale", "en")[:2],
    }
    return _order_answer(request, payments.create_payment(request.store, request.character, body), 201)


@router.route("GET", "/{psp:paypal}/v2/checkout/orders/{id}")
@in_paypals_words
def get_order(request: Request) -> Response:
    """Answer an order."""
    _authorise(request)
    return _order_answer(request, _find_order(request, request.parts["id"]))


@router.route("POST", "/{psp:paypal}/v2/checkout/orders/{id}/capture")
@in_paypals_words
def capture_order(request: Request) -> Response:
    """Repeated with the same PayPal-Request-Id it answers the first result; otherwise a captured order is refused."""
    _authorise(request)
    order = _find_order(request, request.parts["id"])
    request_id = request.headers.get("paypal-request-id", "")
    if order["status"] == "created":
        raise ApiError(422, "ORDER_NOT_APPROVED", "Payer has not yet approved the Order for payment.")
    if order["status"] != "authorised":
        if request_id and request_id == request.store.noted("paypal", order["id"], "captured by"):
            return _order_answer(request, order, 200)
        raise ApiError(422, "ORDER_ALREADY_CAPTURED", "Order already captured.")
    with request.store.transaction():
        request.store.note("paypal", order["id"], "captured by", request_id)
        captured = payments.capture(request.store, order["id"])
    return _order_answer(request, captured, 201)


@router.route("GET", "/{psp:paypal}/v2/payments/captures/{id}")
@in_paypals_words
def get_capture(request: Request) -> Response:
    """Answer a capture."""
    _authorise(request)
    payment = _find_order(request, request.parts["id"].replace("CAP", "pay_"))
    return as_json(_capture(payments.payment_view(payment)))


@router.route("POST", "/{psp:paypal}/v2/payments/captures/{id}/refund")
@in_paypals_words
def refund_capture(request: Request) -> Response:
    """Refund a capture."""
    _authorise(request)
    payment_id = request.parts["id"].replace("CAP", "pay_")
    minor, currency = minor_of(request.json["amount"])
    body = {"reference": request.json["invoice_id"], "amount_minor": minor, "currency": currency}
    row = transfers.create_transfer(
        request.store, request.character, "refund", body, pace=request.pace, payment_id=payment_id
    )
    return as_json(_refund(transfers.transfer_view(row)), 201)


def _batch(row: Row) -> dict[str, Any]:
    item = _payout_item(transfers.transfer_view(row))
    batch_states = {"SUCCESS": "SUCCESS", "PENDING": "PENDING", "FAILED": "SUCCESS"}
    header = {
        "payout_batch_id": row["id"],
        "batch_status": batch_states[item["transaction_status"]],
        "sender_batch_header": {"sender_batch_id": row["reference"]},
    }
    return {"batch_header": header, "items": [item]}


@router.route("POST", "/{psp:paypal}/v1/payments/payouts")
@in_paypals_words
def create_payout(request: Request) -> Response:
    """Create a batch of one payout. A known sender_batch_id is refused, whatever the body."""
    _authorise(request)
    reference = request.json["sender_batch_header"]["sender_batch_id"]
    known = request.store.row("SELECT id FROM transfers WHERE psp = 'paypal' AND reference = ?", reference)
    if known is not None:
        raise ApiError(400, "USER_BUSINESS_ERROR", "Batch with given sender_batch_id already exists")
    item = request.json["items"][0]
    minor, currency = minor_of(item["amount"], "currency")
    body = {
        "reference": reference,
        "amount_minor": minor,
        "currency": currency,
        "destination": {"receiver": item["receiver"]},
    }
    row = transfers.create_transfer(request.store, request.character, "payout", body, pace=request.pace)
    return as_json({"batch_header": _batch(row)["batch_header"]}, 201)


@router.route("GET", "/{psp:paypal}/v1/payments/payouts")
@in_paypals_words
def find_payout(request: Request) -> Response:
    """Answer a payout batch by the merchant's reference."""
    _authorise(request)
    reference = request.query.get("sender_batch_id", "")
    return as_json(_batch(transfers.find_transfer(request.store, "paypal", "payout", reference=reference)))


@router.route("GET", "/{psp:paypal}/v1/payments/payouts/{id}")
@in_paypals_words
def get_payout(request: Request) -> Response:
    """Answer a payout batch by its id."""
    _authorise(request)
    return as_json(_batch(transfers.find_transfer(request.store, "paypal", "payout", transfer_id=request.parts["id"])))


@router.route("GET", "/{psp:paypal}/v1/notifications/certs/{name}")
@in_paypals_words
def get_certificate(request: Request) -> Response:
    """Send the certificate that webhooks are signed with."""
    if request.parts["name"] != DIALECT.key.name:
        raise ApiError(404, "unknown_certificate", "There is no such certificate.")
    return Response(200, DIALECT.key.chain_pem, "application/x-pem-file")


@router.route("GET", "/{psp:paypal}/v1/customer/disputes")
@in_paypals_words
def list_disputes(request: Request) -> Response:
    """Of one captured payment: `disputed_transaction_id`."""
    _authorise(request)
    payment_id = request.query.get("disputed_transaction_id", "").replace("CAP", "pay_")
    row = request.store.row("SELECT status FROM disputes WHERE psp = 'paypal' AND payment_id = ?", payment_id)
    if row is None:
        return as_json({"items": []})
    outcome = {"won": "RESOLVED_SELLER_FAVOUR", "lost": "RESOLVED_BUYER_FAVOUR"}.get(row["status"], "")
    return as_json({"items": [dispute_of(payments.payment_view(_find_order(request, payment_id)), outcome)]})


@router.route("POST", "/{psp:paypal}/v1/customer/disputes/{id}/provide-evidence")
@in_paypals_words
def take_evidence(request: Request) -> Response:
    """Multipart: a JSON part `input` and files. What came is noted by its size."""
    _authorise(request)
    if b'name="input"' not in request.body:
        raise ApiError(400, "INVALID_REQUEST", "The part input is missing.")
    request.store.note("paypal", request.parts["id"], "evidence bytes", str(len(request.body)))
    return as_json({"links": []})


@router.route("GET", "/{psp:paypal}/statements")
def download_report(request: Request) -> Response:
    """Send the settlement report of a period."""
    first, last = read_period(request)
    text = stl_report(request.store, CHARACTERS["paypal"], first, last)
    return Response(200, b"\xef\xbb\xbf" + text.encode(), "text/csv; charset=utf-8")
