"""A cashier in the manner of Praxis: SHA-384 over fixed fields and the merchant's secret, in every message both ways.

What a client is charged may differ from what was asked: `{"charged": {"amount_minor", "currency"}}` in the control call
`/_control/praxis/payments/{reference}/charge`, before the client pays, plays a conversion at the cashier. The signature of a
notification does not cover its status; a receiver asks for the order. A reply that is not `{"status": 0, …}`, signed, is no
reply: the notification comes again. `GET /praxis/statements?from=&to=` lists the transactions of a period as CSV.
"""

import csv
import hashlib
import hmac
import io
import json
from decimal import Decimal
from functools import wraps
from sqlite3 import Row
from typing import Any

from sandbox.psp import payments, transfers
from sandbox.psp.api import read_period
from sandbox.psp.characters import CHARACTERS, Character
from sandbox.psp.dialects import DIALECTS, Event, compact
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Handler, Request, Response, as_json, router
from sandbox.psp.settlement import movements_of
from sandbox.psp.store import Store, now

MERCHANT, APPLICATION, VERSION = "API-Sandbox", "sandbox-application", "1.3"
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
CLOCK_SECONDS_MAX = 300
SALE_STATES = {
    "created": "initialized",
    "pending": "pending",
    "authorised": "authorized",
    "captured": "approved",
    "failed": "rejected",
    "charged_back": "chargeback",
}
TRANSFER_STATES = {"pending": "pending", "paid": "approved", "failed": "rejected"}


def signature(message: dict[str, Any], fields: tuple[str, ...], secret: str) -> str:
    """Values in order, nothing between them, null and absent ones left out; then the secret."""
    parts = []
    for path in fields:
        value: Any = message
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        parts.append("" if value is None else str(value))
    return hashlib.sha384(("".join(parts) + secret).encode()).hexdigest()


def _transaction(kind: str, data: dict[str, Any], charged: dict[str, Any] | None = None) -> dict[str, Any]:
    states = SALE_STATES if kind == "sale" else TRANSFER_STATES
    status = states[data["status"]]
    done = status in ("approved", "chargeback")
    paid_minor = data.get("received_minor") or data["amount_minor"]
    processed = charged or {"amount_minor": paid_minor, "currency": data["currency"]}
    rate = (Decimal(processed["amount_minor"]) / Decimal(data["amount_minor"])).quantize(Decimal("0.0001"))
    return {
        "transaction_type": kind,
        "transaction_status": status,
        "tid": int(data["id"][-8:], 16),
        "transaction_id": data["id"],
        "currency": data["currency"],
        "amount": data["amount_minor"],
        "conversion_rate": str(rate) if done else None,
        "processed_currency": processed["currency"] if done else None,
        "processed_amount": processed["amount_minor"] if done else None,
        "payment_method": data.get("method") or "Alternative",
        "payment_processor": "Sandbox",
        "card": None,
        "wallet": {"account_identifier": data.get("payer_name") or None},
        "status_code": data["failure"] or "SC-000",
        "status_details": data["failure"] or "OK",
        "created_timestamp": data["created_at"],
    }


def _message(kind: str, data: dict[str, Any], charged: dict[str, Any] | None = None) -> dict[str, Any]:
    reference = data["reference"]
    return {
        "customer": {"customer_token": "cust-" + hashlib.sha256(reference.encode()).hexdigest()[:16]},
        "session": {"order_id": reference, "intent": "payment" if kind == "sale" else "withdrawal", "cid": reference},
        "transaction": _transaction(kind, data, charged),
        "version": VERSION,
    }


class Praxis:
    """Notifications with the signature in a header; the time stands in the body and is signed with it."""

    store: Store | None = None  # where a conversion at the cashier is noted; set with the first request

    def message(self, character: Character, event: Event) -> bytes | None:
        family, _, what = event.type.partition(".")
        if family == "dispute" or what in ("chargeback_reversed", "created"):
            return None
        kind = {"payment": "sale"}.get(family, family)
        charged = self.charged(event.data["reference"])
        return compact(
            _message(kind, event.data, charged)
            | {"merchant_id": MERCHANT, "application_key": APPLICATION, "timestamp": event.created}
        )

    def charged(self, reference: str) -> dict[str, Any] | None:
        noted = self.store.noted("praxis", reference, "charged") if self.store else ""
        return json.loads(noted) if noted else None

    def signed(
        self, character: Character, body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        message = json.loads(body) | {"timestamp": at}
        return compact(message), {"Gt-Authentication": signature(message, NOTIFICATION, secret)}

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        message = json.loads(body)
        for field in ("amount", "processed_amount"):
            if message["transaction"][field] is not None:
                message["transaction"][field] += added_minor
        return compact(message)

    def is_taken(self, status: int, answer: bytes) -> bool:
        """Only a reply that can be read, says 0 and was signed."""
        try:
            return 200 <= status < 300 and json.loads(answer)["status"] == 0
        except (ValueError, KeyError, TypeError):
            return False


DIALECT = Praxis()
DIALECTS["praxis"] = DIALECT


def _answered(message: dict[str, Any], fields: tuple[str, ...]) -> Response:
    message = {"status": 0, "description": "OK", "version": VERSION, "timestamp": int(now())} | message
    signed = signature(message, fields, CHARACTERS["praxis"].webhook_secret)
    return Response(200, json.dumps(message).encode(), headers=(("Gt-Authentication", signed),))


def checked(fields: tuple[str, ...]) -> Any:
    """Check signature, merchant and time before a handler, and answer errors as a status above zero."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def answered(request: Request) -> Response:
            DIALECT.store = request.store
            message = request.json
            expected = signature(message, fields, CHARACTERS["praxis"].webhook_secret)
            try:
                if not hmac.compare_digest(request.headers.get("gt-authentication", ""), expected):
                    raise ApiError(400, "1", "Signature mismatch")
                if (message.get("merchant_id"), message.get("application_key")) != (MERCHANT, APPLICATION):
                    raise ApiError(400, "2", "Unknown merchant or application")
                if abs(int(message["timestamp"]) - now()) > CLOCK_SECONDS_MAX:
                    raise ApiError(400, "3", "The timestamp is out of range")
                return handler(request)
            except ApiError as error:
                number = int(error.code) if error.code.isdigit() else 404 if error.status == 404 else 100
                return as_json(
                    {"status": number, "description": error.message, "version": VERSION, "timestamp": int(now())}
                )

        return answered

    return decorate


@router.route("POST", "/{psp:praxis}/cashier/cashier")
@checked(SESSION)
def open_session(request: Request) -> Response:
    """Open a cashier session."""
    body = request.json
    row = payments.create_payment(
        request.store,
        request.character,
        {
            "reference": str(body["order_id"]),
            "amount_minor": body.get("amount"),
            "currency": body.get("currency"),
            "return_url": body.get("return_url"),
            "locale": str(body.get("locale", "en"))[:2],
        },
    )
    data = payments.payment_view(row, request.base_url)
    return _answered(
        {"redirect_url": data["redirect_url"], **_message("sale", data), "transaction": None}, SESSION_ANSWER
    )


def _found(store: Store, reference: str) -> dict[str, Any]:
    row: Row | None = store.row("SELECT * FROM payments WHERE psp = 'praxis' AND reference = ?", reference)
    if row is not None:
        return _message("sale", payments.payment_view(row), DIALECT.charged(reference))
    row = store.row("SELECT * FROM transfers WHERE psp = 'praxis' AND reference = ?", reference)
    if row is None:
        raise ApiError(404, "unknown_order", f"There is no order {reference}.")
    return _message(row["kind"], transfers.transfer_view(row))


@router.route("POST", "/{psp:praxis}/agent/find-order")
@checked(FIND)
def find_order(request: Request) -> Response:
    """Answer an order by the merchant's reference."""
    return _answered(_found(request.store, str(request.json["order_id"])), ANSWER)


@router.route("POST", "/{psp:praxis}/direct/process")
@checked(DIRECT)
def process(request: Request) -> Response:
    """`transaction_type` payout or refund, straight from the merchant."""
    body = request.json
    kind = str(body.get("transaction_type"))
    order = {"reference": str(body["order_id"]), "amount_minor": body.get("amount"), "currency": body.get("currency")}
    payment_id = ""
    if kind == "payout":
        order["destination"] = body.get("payout_data") or {}
    elif kind == "refund":
        original = str(body.get("original_order_id"))
        payment_id = payments.find_payment(request.store, "praxis", reference=original)["id"]
    else:
        raise ApiError(400, "4", "Unknown transaction type")
    row = transfers.create_transfer(
        request.store, request.character, kind, order, pace=request.pace, payment_id=payment_id
    )
    return _answered(_message(kind, transfers.transfer_view(row)), ANSWER)


@router.route("POST", "/_control/{psp:praxis}/payments/{reference}/charge")
def charge_otherwise(request: Request) -> Response:
    """Charge the client another amount or currency than was asked."""
    DIALECT.store = request.store
    charged = request.json["charged"]
    request.store.note("praxis", request.parts["reference"], "charged", json.dumps(charged))
    return as_json({"charged": charged})


# The list of transactions

LIST_COLUMNS = (
    "tid",
    "order_id",
    "cid",
    "transaction_type",
    "transaction_status",
    "created_timestamp",
    "updated_timestamp",
    "currency",
    "amount",
    "conversion_rate",
    "processed_currency",
    "processed_amount",
    "fee",
    "payment_method",
    "payment_processor",
    "original_tid",
    "settlement_id",
)
LIST_TYPES = {"payment": "sale", "payout": "payout", "refund": "refund", "merchant_payout": "settlement"}
TAKEN_BACK = frozenset({"chargeback", "chargeback_reversed"})


def tid_of(own: str) -> str:
    """Derive the number that the API gives a transaction; what was booked in the past keeps its name."""
    tail = own[-8:]
    return str(int(tail, 16)) if len(tail) == 8 and not set(tail) - set("0123456789abcdef") else own


def _listed(row: dict[str, Any], charged_back: frozenset[str]) -> dict[str, Any]:
    gross, rate, asked, currency = abs(row["gross_minor"]), "1", abs(row["gross_minor"]), row["currency"]
    asked_in = currency
    if noted := DIALECT.charged(row["merchant_reference"]) if row["type"] == "payment" else None:
        rate = str((Decimal(noted["amount_minor"]) / gross).quantize(Decimal("0.0001")))
        gross, currency = noted["amount_minor"], noted["currency"]
    return {
        "tid": tid_of(row["psp_reference"]),
        "order_id": row["merchant_reference"],
        "cid": row["merchant_reference"],
        "transaction_type": LIST_TYPES[row["type"]],
        "transaction_status": "chargeback" if row["psp_reference"] in charged_back else "approved",
        "created_timestamp": int(row["created_at"]),
        "updated_timestamp": int(row["created_at"]),
        "currency": asked_in,
        "amount": asked,
        "conversion_rate": rate,
        "processed_currency": currency,
        "processed_amount": gross,
        "fee": row["fee_minor"],
        "payment_method": row["method"],
        "payment_processor": "Sandbox",
        "original_tid": tid_of(row["original_reference"]) if row["original_reference"] else "",
        "settlement_id": row["batch"],
    }


@router.route("GET", "/{psp:praxis}/statements")
def list_transactions(request: Request) -> Response:
    """List a period's transactions with their totals."""
    DIALECT.store = request.store
    first, last = read_period(request)
    rows, _opening, _difference = movements_of(request.store, request.character, first, last)
    taken = {row["original_reference"] for row in rows if row["type"] == "chargeback"}
    charged_back = frozenset(
        taken - {row["original_reference"] for row in rows if row["type"] == "chargeback_reversed"}
    )
    listed = [_listed(row, charged_back) for row in rows if row["type"] not in TAKEN_BACK]
    out = io.StringIO()
    writer = csv.DictWriter(out, LIST_COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(listed)
    for currency in sorted({one["processed_currency"] for one in listed}):
        inside = [one for one in listed if one["processed_currency"] == currency]
        signs = [1 if one["transaction_type"] == "sale" else -1 for one in inside]
        total = sum(sign * one["processed_amount"] for sign, one in zip(signs, inside, strict=True))
        writer.writerow(
            {
                "tid": len(inside),
                "transaction_type": "total",
                "processed_currency": currency,
                "processed_amount": total,
                "fee": sum(one["fee"] for one in inside),
            }
        )
    return Response(200, out.getvalue().encode(), "text/csv; charset=utf-8")
