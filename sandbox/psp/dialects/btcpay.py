"""BTCPay Server: the Greenfield API's invoices, pull payments and payouts; webhooks `BTCPay-Sig: sha256=…` over the raw body.

Reports: `POST …/stores/{store}/reports` with the views Payments and Payouts; `GET /btcpay/statements?from=&to=` is both as CSV.

One bitcoin is 60,000 of any money here. An invoice that got less than it asked for is Expired and PaidPartial; more: Settled
and PaidOver. A delivery that was not taken comes again with a delivery id of its own and the first one's as the original.
"""

import csv
import hashlib
import hmac
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from sqlite3 import Row
from typing import Any

from sandbox.psp import payments, transfers
from sandbox.psp.api import read_period
from sandbox.psp.characters import Character
from sandbox.psp.dialects import DIALECTS, Event, compact
from sandbox.psp.hosted import STYLE
from sandbox.psp.money import exponent, major
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Handler, Request, Response, as_html, as_json, redirect, router
from sandbox.psp.settlement import movements_of
from sandbox.psp.store import new_id, now

STORE = "store-btcpay"
RATE = Decimal(60_000)
SATOSHI = Decimal("0.00000001")
PAYOUT_STATES = {"pending": "AwaitingPayment", "paid": "Completed", "failed": "Cancelled"}


def _states(data: dict[str, Any]) -> tuple[str, str]:
    """Derive an invoice's status and additional status."""
    status, received = data["status"], data["received_minor"] or 0
    if status == "created":
        return "New", "None"
    if status == "pending":
        return "Processing", "PaidOver" if received > data["amount_minor"] else "None"
    if status == "failed":
        return "Expired", "None"
    if received < data["amount_minor"]:
        return "Expired", "PaidPartial"
    return "Settled", "PaidOver" if received > data["amount_minor"] else "None"


def _rate(currency: str) -> Decimal:
    return Decimal(1) if currency == "BTC" else RATE


def _coins(minor: int, currency: str) -> str:
    return str((Decimal(major(minor, currency)) / _rate(currency)).quantize(SATOSHI))


def address_of(payment_id: str) -> str:
    """Make a pay-to-witness address with a right checksum, one per invoice."""
    from sandbox.psp.dialects.btcpay_addresses import segwit_address

    return segwit_address(hashlib.sha256(payment_id.encode()).digest()[:20])


class BtcPay:
    """HMAC over the body; the time stands in the body."""

    def __init__(self) -> None:
        self._sent: set[str] = set()

    def message(self, character: Character, event: Event) -> bytes | None:
        family, _, what = event.type.partition(".")
        if family not in ("payment", "payout", "refund"):
            return None
        body: dict[str, Any] = {"webhookId": "webhook-1", "storeId": STORE, "timestamp": event.created}
        if family == "payment":
            status, additional = _states(event.data)
            body |= {
                "type": f"Invoice{status}",
                "invoiceId": event.data["id"],
                "metadata": {"orderId": event.data["reference"]},
            }
            body |= {
                "Settled": {"manuallyMarked": additional == "Marked", "overPaid": additional == "PaidOver"},
                "Processing": {"overPaid": additional == "PaidOver"},
                "Expired": {"partiallyPaid": additional == "PaidPartial"},
            }.get(status, {})
        else:
            body |= {"type": "PayoutUpdated", "payoutId": event.data["id"], "payoutState": PAYOUT_STATES[what]}
        return compact(body)

    def signed(
        self, character: Character, body: bytes, *, event_id: str, at: int, secret: str
    ) -> tuple[bytes, dict[str, str]]:
        again = event_id in self._sent
        self._sent.add(event_id)
        message = json.loads(body) | {
            "deliveryId": new_id("del") if again else event_id,
            "originalDeliveryId": event_id,
            "isRedelivery": again,
            "timestamp": at,
        }
        body = compact(message)
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return body, {"BTCPay-Sig": f"sha256={digest}"}

    def tampered(self, body: bytes, added_minor: int) -> bytes:
        """There is no amount in it: it claims to have been overpaid."""
        return compact(json.loads(body) | {"overPaid": True})

    def is_taken(self, status: int, answer: bytes) -> bool:
        return 200 <= status < 300


DIALECTS["btcpay"] = BtcPay()


def in_btcpays_words(handler: Handler) -> Handler:
    """Check key and store before a handler, and write errors in BTCPay's shape."""

    @wraps(handler)
    def answered(request: Request) -> Response:
        expected = f"token {request.character.api_key}"
        try:
            if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
                raise ApiError(401, "unauthenticated", "Authentication is required for accessing this endpoint")
            if request.parts.get("store", STORE) != STORE:
                raise ApiError(403, "missing-permission", "The store is not one of this key.")
            return handler(request)
        except ApiError as error:
            return as_json({"code": error.code, "message": error.message}, error.status)

    return answered


def _minor(text: Any, currency: str) -> int:
    whole, _, fraction = str(text).partition(".")
    places = exponent(currency)
    if not whole.isdigit() or len(fraction) > places or (fraction and not fraction.isdigit()):
        raise ApiError(422, "invalid-amount", f"{text} is not an amount in {currency}.")
    return int(whole + fraction.ljust(places, "0"))


def _invoice(request: Request, row: Row) -> dict[str, Any]:
    data = payments.payment_view(row, request.base_url)
    status, additional = _states(data)
    if status == "Settled" and request.store.noted("btcpay", row["id"], "marked"):
        additional = "Marked"
    if request.store.noted("btcpay", row["id"], "late"):
        status, additional = "Expired", "PaidLate"
    return {
        "id": data["id"],
        "storeId": STORE,
        "amount": major(data["amount_minor"], data["currency"]),
        "currency": data["currency"],
        "type": "Standard",
        "checkoutLink": data["redirect_url"],
        "status": status,
        "additionalStatus": additional,
        "createdTime": data["created_at"],
        "expirationTime": data["created_at"] + 900,
        "monitoringExpiration": data["created_at"] + 87_300,
        "metadata": {"orderId": data["reference"]},
    }


@router.route("GET", "/{psp:btcpay}/api/v1/stores/{store}")
@in_btcpays_words
def get_store(request: Request) -> Response:
    """Answer the store."""
    return as_json({"id": STORE, "name": "Sandbox store", "defaultCurrency": "EUR"})


@router.route("POST", "/{psp:btcpay}/api/v1/stores/{store}/invoices")
@in_btcpays_words
def create_invoice(request: Request) -> Response:
    """BTCPay knows no idempotency: the same order id twice is two invoices there. (Here it is one, or a 409.)"""
    body = request.json
    currency = str(body.get("currency", ""))
    row = payments.create_payment(
        request.store,
        request.character,
        {
            "reference": str(body.get("metadata", {}).get("orderId", "")),
            "currency": currency,
            "amount_minor": _minor(body.get("amount"), currency),
            "return_url": body["checkout"]["redirectURL"],
            "locale": str(body["checkout"].get("defaultLanguage", "en"))[:2],
            "merchant_name": str(body.get("metadata", {}).get("itemDesc", "")),
        },
    )
    return as_json(_invoice(request, row))


@router.route("GET", "/{psp:btcpay}/api/v1/stores/{store}/invoices")
@in_btcpays_words
def list_invoices(request: Request) -> Response:
    """By `orderId`."""
    rows = request.store.rows(
        "SELECT * FROM payments WHERE psp = 'btcpay' AND reference = ?", request.query.get("orderId", "")
    )
    return as_json([_invoice(request, row) for row in rows])


@router.route("GET", "/{psp:btcpay}/api/v1/stores/{store}/invoices/{id}")
@in_btcpays_words
def get_invoice(request: Request) -> Response:
    """Answer an invoice."""
    return as_json(_invoice(request, payments.find_payment(request.store, "btcpay", payment_id=request.parts["id"])))


@router.route("GET", "/{psp:btcpay}/api/v1/stores/{store}/invoices/{id}/payment-methods")
@in_btcpays_words
def get_payment_methods(request: Request) -> Response:
    """Answer what is due and paid on an invoice, in coins."""
    row = payments.find_payment(request.store, "btcpay", payment_id=request.parts["id"])
    currency, received = row["currency"], row["received_minor"] or 0
    address, amount = address_of(row["id"]), _coins(row["amount_minor"], currency)
    paid = _coins(received, currency)
    return as_json(
        [
            {
                "paymentMethodId": "BTC-CHAIN",
                "currency": "BTC",
                "destination": address,
                "activated": True,
                "paymentLink": f"bitcoin:{address}?amount={amount}",
                "rate": str(_rate(currency)),
                "amount": amount,
                "paymentMethodPaid": paid,
                "totalPaid": paid,
                "due": _coins(max(row["amount_minor"] - received, 0), currency),
                "paymentMethodFee": "0.0",
            }
        ]
    )


def _payout(row: Row) -> dict[str, Any]:
    data = transfers.transfer_view(row)
    return {
        "id": data["id"],
        "revision": 0,
        "pullPaymentId": f"pull-{data['reference']}",
        "date": data["created_at"],
        "originalCurrency": data["currency"],
        "originalAmount": major(data["amount_minor"], data["currency"]),
        "payoutAmount": _coins(data["amount_minor"], data["currency"]),
        "payoutCurrency": "BTC",
        "payoutMethodId": "BTC-CHAIN",
        "state": PAYOUT_STATES[data["status"]],
        "metadata": {"reference": data["reference"]} if row["kind"] == "payout" else {},
        "destination": json.loads(row["destination"]).get("address", ""),
    }


@router.route("POST", "/{psp:btcpay}/api/v1/stores/{store}/pull-payments")
@in_btcpays_words
def create_pull_payment(request: Request) -> Response:
    """Create a pull payment."""
    body = request.json
    name, currency = str(body["name"]), str(body["currency"])
    pull: dict[str, Any] = {
        "id": f"pull-{name}",
        "name": name,
        "currency": currency,
        "archived": False,
        "amount": major(_minor(body["amount"], currency), currency),
        "viewLink": f"{request.base_url}/btcpay/claims/{name}",
    }
    request.store.note("btcpay", str(pull["id"]), "pull payment", json.dumps(pull))
    return as_json(pull)


@router.route("GET", "/{psp:btcpay}/api/v1/stores/{store}/pull-payments")
@in_btcpays_words
def list_pull_payments(request: Request) -> Response:
    """List the pull payments."""
    rows = request.store.rows("SELECT value FROM notes WHERE psp = 'btcpay' AND name = 'pull payment'")
    return as_json([json.loads(row["value"]) for row in rows])


@router.route("GET", "/{psp:btcpay}/api/v1/pull-payments/{id}")
@in_btcpays_words
def get_pull_payment(request: Request) -> Response:
    """Answer a pull payment."""
    noted = request.store.noted("btcpay", request.parts["id"], "pull payment")
    if not noted:
        raise ApiError(404, "pullpayment-not-found", "The pull payment was not found")
    return as_json(json.loads(noted))


@router.route("GET", "/{psp:btcpay}/api/v1/pull-payments/{id}/payouts")
@in_btcpays_words
def payouts_of(request: Request) -> Response:
    """List a pull payment's payouts."""
    rows = request.store.rows(
        "SELECT * FROM transfers WHERE psp = 'btcpay' AND reference = ?", request.parts["id"].removeprefix("pull-")
    )
    return as_json([_payout(row) for row in rows])


@router.route("POST", "/{psp:btcpay}/api/v1/stores/{store}/payouts")
@in_btcpays_words
def create_payout(request: Request) -> Response:
    """Create a payout from a pull payment."""
    body = request.json
    noted = request.store.noted("btcpay", str(body.get("pullPaymentId", "")), "pull payment")
    if not noted:
        raise ApiError(404, "pullpayment-not-found", "The pull payment was not found")
    pull = json.loads(noted)
    order = {
        "reference": str(body["metadata"]["reference"]),
        "currency": pull["currency"],
        "amount_minor": _minor(body["amount"], pull["currency"]),
        "destination": {"address": str(body["destination"])},
    }
    row = transfers.create_transfer(request.store, request.character, "payout", order, pace=request.pace)
    return as_json(_payout(row))


@router.route("GET", "/{psp:btcpay}/api/v1/stores/{store}/payouts/{id}")
@in_btcpays_words
def get_payout(request: Request) -> Response:
    """Answer a payout."""
    row = request.store.row("SELECT * FROM transfers WHERE psp = 'btcpay' AND id = ?", request.parts["id"])
    if row is None:
        raise ApiError(404, "payout-not-found", "The payout was not found")
    return as_json(_payout(row))


@router.route("POST", "/{psp:btcpay}/api/v1/stores/{store}/invoices/{id}/refund")
@in_btcpays_words
def refund_invoice(request: Request) -> Response:
    """Refund an invoice by a pull payment that the payer claims on its page."""
    body = request.json
    name, currency = str(body["name"]), str(body["customCurrency"])
    payments.find_payment(request.store, "btcpay", payment_id=request.parts["id"])
    pull: dict[str, Any] = {
        "id": f"pull-{name}",
        "name": name,
        "currency": currency,
        "amount": body["customAmount"],
        "archived": False,
        "viewLink": f"{request.base_url}/btcpay/claims/{name}",
        "invoice": request.parts["id"],
    }
    request.store.note("btcpay", str(pull["id"]), "pull payment", json.dumps(pull))
    return as_json(pull)


@router.route("DELETE", "/{psp:btcpay}/api/v1/stores/{store}/pull-payments/{id}")
@in_btcpays_words
def archive_pull_payment(request: Request) -> Response:
    """Nobody can claim it any more; what is at work goes on."""
    pull = _pull(request, request.parts["id"])
    request.store.note("btcpay", pull["id"], "pull payment", json.dumps({**pull, "archived": True}))
    return as_json({})


def _pull(request: Request, pull_id: str) -> dict[str, Any]:
    noted = request.store.noted("btcpay", pull_id, "pull payment")
    if not noted:
        raise ApiError(404, "pullpayment-not-found", "The pull payment was not found")
    pull: dict[str, Any] = json.loads(noted)
    return pull


@router.route("GET", "/{psp:btcpay}/claims/{name}")
def claim_page(request: Request) -> Response:
    """Where the payer says to which address the coins should go."""
    pull = _pull(request, f"pull-{request.parts['name']}")
    inner = (
        "<p>This refund is closed.</p>"
        if pull["archived"]
        else '<form method="post"><label for="address">Your address</label><input id="address" name="address" required>'
        '<button name="action" value="claim">Claim</button></form>'
    )
    return as_html(
        f'<!doctype html><html lang="en"><head><title>Claim</title><style>{STYLE}</style></head><body><main><section>'
        f'<div class="amount">{pull["amount"]} {pull["currency"]}</div>{inner}</section></main></body></html>'
    )


@router.route("POST", "/{psp:btcpay}/claims/{name}")
def claim(request: Request) -> Response:
    """Claim a pull payment as the payer does, to an address."""
    pull = _pull(request, f"pull-{request.parts['name']}")
    if pull["archived"]:
        raise ApiError(409, "archived", "The pull payment is archived")
    order = {
        "reference": pull["name"],
        "currency": pull["currency"],
        "amount_minor": _minor(pull["amount"], pull["currency"]),
        "destination": {"address": request.form.get("address", "")},
    }
    transfers.create_transfer(
        request.store, request.character, "refund", order, pace=request.pace, payment_id=str(pull["invoice"])
    )
    return redirect(f"{request.base_url}/btcpay/claims/{pull['name']}")


# Reports

PAYMENT_FIELDS = (
    ("Date", "datetime"),
    ("InvoiceId", "invoice_id"),
    ("OrderId", "string"),
    ("Category", "string"),
    ("PaymentMethodId", "string"),
    ("Confirmed", "boolean"),
    ("Address", "string"),
    ("PaymentCurrency", "string"),
    ("PaymentAmount", "amount"),
    ("PaymentMethodFee", "decimal"),
    ("LightningAddress", "string"),
    ("InvoiceCurrency", "string"),
    ("InvoiceCurrencyAmount", "amount"),
    ("Rate", "amount"),
)
PAYOUT_FIELDS = (
    ("Date", "datetime"),
    ("Source", "string"),
    ("State", "string"),
    ("PaymentType", "string"),
    ("Crypto", "string"),
    ("CryptoAmount", "amount"),
    ("Currency", "string"),
    ("CurrencyAmount", "amount"),
    ("Destination", "string"),
)


def _amount(text: str) -> dict[str, Any]:
    return {"v": text, "d": len(text.partition(".")[2])}


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _payments_view(rows: list[dict[str, Any]]) -> list[list[Any]]:
    return [
        [
            _date(row["created_at"]),
            row["psp_reference"],
            row["merchant_reference"],
            "On-Chain",
            "BTC-CHAIN",
            True,
            address_of(row["psp_reference"]),
            "BTC",
            _amount(_coins(row["gross_minor"], row["currency"])),
            "0",
            None,
            row["currency"],
            _amount(major(row["gross_minor"], row["currency"])),
            _amount(str(_rate(row["currency"]))),
        ]
        for row in rows
        if row["type"] == "payment"
    ]


def _payouts_view(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """List payouts for the report; a payout's source is the name of its pull payment."""
    return [
        [
            _date(row["created_at"]),
            row["merchant_reference"],
            "Completed",
            "On-Chain",
            "BTC",
            _amount(_coins(-row["gross_minor"], row["currency"])),
            row["currency"],
            _amount(major(-row["gross_minor"], row["currency"])),
            address_of(row["psp_reference"]),
        ]
        for row in rows
        if row["type"] in ("payout", "refund")
    ]


VIEWS = {"Payments": (PAYMENT_FIELDS, _payments_view), "Payouts": (PAYOUT_FIELDS, _payouts_view)}


@router.route("POST", "/{psp:btcpay}/api/v1/stores/{store}/reports")
@in_btcpays_words
def make_report(request: Request) -> Response:
    """Answer a report of a period."""
    name, period = str(request.json.get("viewName")), request.json.get("timePeriod") or {}
    if name not in VIEWS:
        raise ApiError(422, "invalid-view-name", f"There is no report {name}.")
    first, last = (datetime.fromtimestamp(int(period[end]), UTC).date() for end in ("from", "to"))
    # A difference that is planted stands in one of the two lists.
    rows, _opening, _difference = movements_of(request.store, request.character, first, last, plant=name == "Payments")
    fields, view = VIEWS[name]
    return as_json(
        {
            "fields": [{"name": field, "type": kind} for field, kind in fields],
            "data": view(rows),
            "charts": [],
            "from": period["from"],
            "to": period["to"],
        }
    )


@router.route("GET", "/{psp:btcpay}/statements")
def download_lists(request: Request) -> Response:
    """Both lists as the server's page exports them, one after the other."""
    first, last = read_period(request)
    rows, _opening, _difference = movements_of(request.store, request.character, first, last)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for fields, view in VIEWS.values():
        if data := view(rows):
            writer.writerow(name for name, _kind in fields)
            writer.writerows([_cell(value) for value in record] for record in data)
    return Response(200, out.getvalue().encode(), "text/csv; charset=utf-8")


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return str(value["v"])
    return str(value).lower() if isinstance(value, bool) else str(value or "")


@router.route("POST", "/_control/{psp:btcpay}/payments/{reference}/mark")
def mark(request: Request) -> Response:
    """`{"as": "marked"}`: the merchant calls it settled by hand; `{"as": "late"}`: the coins came after expiry."""
    row = payments.find_payment(request.store, "btcpay", reference=request.parts["reference"])
    request.store.note("btcpay", row["id"], str(request.json.get("as", "")), str(now()))
    return as_json(_invoice(request, row))
