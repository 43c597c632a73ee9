"""Adyen's APIs, as much of them as a merchant of ours uses: Checkout, Payout, Disputes, Management's `/me`, reports."""

import base64
import csv
import hmac
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from sqlite3 import Row
from typing import Any

from sandbox.psp import disputes, payments, transfers
from sandbox.psp.apis.idempotency import once
from sandbox.psp.characters import Kind
from sandbox.psp.dialects import adyen
from sandbox.psp.money import major
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response, as_json, router
from sandbox.psp.settlement import movements_of
from sandbox.psp.store import Store, new_id, now
from sandbox.psp.webhooks import publish

LINK_STATUS = {"created": "active", "expired": "expired", "pending": "paymentPending", "failed": "active"}
CHECKOUT, PAYOUT, DISPUTES = "/v72", "/pal/servlet/Payout/v68", "/ca/services/DisputeService/v30"
PAYOUT_USERS = ("-payout-submit", "-payout-review")
COLUMNS = (
    "Company Account",
    "Merchant Account",
    "Psp Reference",
    "Merchant Reference",
    "Payment Method",
    "Creation Date",
    "TimeZone",
    "Type",
    "Modification Reference",
    "Gross Currency",
    "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate",
    "Net Currency",
    "Net Debit (NC)",
    "Net Credit (NC)",
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
    "Payment Method Variant",
    "Modification Merchant Reference",
    "Batch Number",
)
TYPES = {
    "payment": "Settled",
    "refund": "Refunded",
    "chargeback": "Chargeback",
    "chargeback_reversed": "ChargebackReversed",
    "payout": "PaidOut",
    "merchant_payout": "MerchantPayout",
}
Answer = Callable[[Request], Response]


def route(method: str, path: str, *, user: str = "") -> Callable[[Answer], Answer]:
    """Make a route of these APIs: key checked, idempotency kept, errors in Adyen's shape."""

    def register(handler: Answer) -> Answer:
        @router.route(method, "/{psp:adyen}" + path)
        def answer(request: Request) -> Response:
            try:
                expected = request.character.api_key + user
                if not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), expected.encode()):
                    raise ApiError(401, "000", "HTTP Status Response - Unauthorized")
                key = request.headers.get("idempotency-key", "") if method == "POST" else ""
                return once(request, key, lambda: handler(request))
            except ApiError as error:
                return _error(error)

        return handler

    return register


def _error(error: ApiError) -> Response:
    status = 422 if error.status == 400 or error.status == 409 else error.status
    code = {"idempotency_key_in_use": "704", "idempotency_error": "704"}.get(error.code, error.code)
    kind = "security" if status in (401, 403) else "validation"
    return as_json({"status": status, "errorCode": code, "message": error.message, "errorType": kind}, status)


def _checked(request: Request) -> dict[str, Any]:
    body = request.json
    if body.get("merchantAccount", body.get("merchantAccountCode")) != adyen.MERCHANT:
        raise ApiError(403, "901", "Invalid Merchant Account")
    return body


def _amount(body: dict[str, Any]) -> dict[str, Any]:
    amount = body.get("amount")
    if not isinstance(amount, dict) or not str(amount.get("value", "")).isdigit():
        raise ApiError(422, "100", "No amount specified")
    return {"amount_minor": int(amount["value"]), "currency": str(amount.get("currency", ""))}


def _payment(store: Store, psp_reference: str) -> Row:
    row = store.row(
        "SELECT * FROM payments WHERE psp = 'adyen' AND substr(id, 5, 16) = ?", psp_reference.removeprefix("PL").lower()
    )
    if row is None:
        raise ApiError(422, "167", "Original pspReference required for this operation")
    return row


# Checkout


def _start(request: Request) -> tuple[Row, dict[str, Any]]:
    body = _checked(request)
    methods = body.get("allowedPaymentMethods") or [""]
    order = {
        "reference": body.get("reference", ""),
        "return_url": body.get("returnUrl", ""),
        "merchant_name": adyen.MERCHANT,
        "locale": str(body.get("shopperLocale", "en"))[:2],
        "method": methods[0],
        **_amount(body),
    }
    row = payments.create_payment(request.store, request.character, order)
    return row, payments.payment_view(row, request.base_url)


def _link(view: dict[str, Any]) -> dict[str, Any]:
    own = adyen.psp_reference(view["id"])
    return {
        "amount": {"currency": view["currency"], "value": view["amount_minor"]},
        "expiresAt": datetime.fromtimestamp(view["created_at"] + 86_400, UTC).isoformat(),
        "id": f"PL{own}",
        "merchantAccount": adyen.MERCHANT,
        "reference": view["reference"],
        "reusable": False,
        "status": LINK_STATUS.get(view["status"], "paid"),
        "url": view.get("redirect_url", ""),
    }


@route("POST", f"{CHECKOUT}/paymentLinks")
def create_link(request: Request) -> Response:
    """Create a payment link."""
    return as_json(_link(_start(request)[1]), 201)


@route("GET", f"{CHECKOUT}/paymentLinks/{{id}}")
def get_link(request: Request) -> Response:
    """Answer a payment link."""
    return as_json(_link(payments.payment_view(_payment(request.store, request.parts["id"]), request.base_url)))


@route("POST", f"{CHECKOUT}/sessions")
def create_session(request: Request) -> Response:
    """Create a session for the fields on the merchant's own page."""
    row, view = _start(request)
    own = adyen.psp_reference(row["id"])
    return as_json(
        {
            "amount": {"currency": view["currency"], "value": view["amount_minor"]},
            "expiresAt": datetime.fromtimestamp(view["created_at"] + 3_600, UTC).isoformat(),
            "id": f"CS{own}",
            "merchantAccount": adyen.MERCHANT,
            "mode": "embedded",
            "reference": view["reference"],
            "sessionData": row["token"],
        },
        201,
    )


@route("POST", f"{CHECKOUT}/payments/{{psp_reference}}/refunds")
def create_refund(request: Request) -> Response:
    """Refund a payment."""
    body = _checked(request)
    payment = _payment(request.store, request.parts["psp_reference"])
    order = {"reference": body.get("reference") or new_id("ref"), **_amount(body)}
    row = transfers.create_transfer(
        request.store, request.character, "refund", order, pace=request.pace, payment_id=payment["id"]
    )
    return as_json(
        {
            "amount": body["amount"],
            "merchantAccount": adyen.MERCHANT,
            "paymentPspReference": adyen.psp_reference(payment["id"]),
            "pspReference": adyen.psp_reference(row["id"]),
            "reference": row["reference"],
            "status": "received",
        },
        201,
    )


@route("GET", "/v3/me")
def who_am_i(request: Request) -> Response:
    """Answer Management's `/me` for the key."""
    return as_json(
        {
            "active": True,
            "associatedMerchantAccounts": [adyen.MERCHANT],
            "companyName": "SandboxCompany",
            "id": "S2-SANDBOX",
            "roles": ["Checkout webservice role", "API PCI Payments role"],
            "username": "ws@Company.SandboxCompany",
        }
    )


# Payouts: one user submits, another confirms


@route("POST", f"{PAYOUT}/storeDetailAndSubmitThirdParty", user=PAYOUT_USERS[0])
def submit_payout(request: Request) -> Response:
    """Submit a payout to a bank account; it waits for confirmation."""
    body = _checked(request)
    bank = body.get("bank") or {}
    if not bank.get("iban") or not bank.get("ownerName"):
        raise ApiError(422, "000", "Please supply paymentDetails")
    if not str(bank["iban"])[:2].isalpha():
        raise ApiError(422, "161", "Invalid iban")
    payout_id = new_id("po")
    order = {"reference": body.get("reference", ""), **_amount(body), "destination": {"iban": bank["iban"]}}
    request.store.note("adyen", adyen.psp_reference(payout_id), "submitted", json.dumps(order))
    return as_json({"pspReference": adyen.psp_reference(payout_id), "resultCode": "[payout-submit-received]"})


@route("POST", f"{PAYOUT}/confirmThirdParty", user=PAYOUT_USERS[1])
def confirm_payout(request: Request) -> Response:
    """Confirm a submitted payout."""
    body = _checked(request)
    submitted = request.store.noted("adyen", body.get("originalReference", ""), "submitted")
    if not submitted:
        raise ApiError(422, "167", "Original pspReference required for this operation")
    transfers.create_transfer(request.store, request.character, "payout", json.loads(submitted), pace=request.pace)
    return as_json({"pspReference": body["originalReference"], "resultCode": "[payout-confirm-received]"})


# Disputes


def _dispute(request: Request) -> Row:
    reference = str(_checked(request).get("disputePspReference", "")).lower()
    row = request.store.row("SELECT * FROM disputes WHERE psp = 'adyen' AND substr(id, 4, 16) = ?", reference)
    if row is None:
        raise ApiError(422, "000", "Dispute not found")
    return row


@route("POST", f"{DISPUTES}/retrieveApplicableDefenseReasons")
def defense_reasons(request: Request) -> Response:
    """List the reasons and documents with which a dispute can be defended."""
    _dispute(request)
    documents = [
        {"available": False, "defenseDocumentTypeCode": "DefenseMaterial", "requirementLevel": "Required"},
        {"available": False, "defenseDocumentTypeCode": "TIDorInvoice", "requirementLevel": "Optional"},
    ]
    reason = {"defenseReasonCode": "SupplyDefenseMaterial", "defenseDocumentTypes": documents, "satisfied": False}
    return as_json({"defenseReasons": [reason], "disputeServiceResult": {"success": True}})


@route("POST", f"{DISPUTES}/supplyDefenseDocument")
def supply_document(request: Request) -> Response:
    """Take documents of a dispute."""
    row = _dispute(request)
    names = [document["defenseDocumentTypeCode"] for document in request.json.get("defenseDocuments", [])]
    evidence = {f"document_{place}_{now():.6f}": name for place, name in enumerate(names)}
    disputes.supply_evidence(request.store, row["id"], evidence, submit=False)
    return as_json({"disputeServiceResult": {"success": True}})


@route("POST", f"{DISPUTES}/defendDispute")
def defend(request: Request) -> Response:
    """Defend a dispute with the documents supplied before."""
    row = _dispute(request)
    if not json.loads(row["evidence"]):
        return as_json({"disputeServiceResult": {"success": False, "errorMessage": "Required documents are missing"}})
    disputes.supply_evidence(request.store, row["id"], {}, submit=True)
    return as_json({"disputeServiceResult": {"success": True}})


# Reports


@router.route("POST", "/_control/{psp:adyen}/report")
def announce_report(request: Request) -> Response:
    """Announce a settlement details report of `first` to `last` by REPORT_AVAILABLE. `host`: a forger's."""
    name = f"settlement_detail_report_batch_{request.json['first']}_{request.json['last']}.csv"
    base = request.json.get("host") or f"{request.base_url}/adyen"
    item = {
        "amount": {"currency": "EUR", "value": 0},
        "merchantReference": "",
        "pspReference": name,
        "reason": f"{base}/reports/download/MerchantAccount/{adyen.MERCHANT}/{name}",
    }
    data = {"id": "report_0", "reference": "", "amount_minor": 0, "currency": "EUR", "item": item}
    with request.store.transaction():
        publish(request.store, "adyen", "report.available", data)
    return as_json({"file": name}, 202)


@router.route("GET", "/{psp:adyen}/reports/download/MerchantAccount/{merchant}/{file}")
def download_report(request: Request) -> Response:
    """Send the announced report to the report user."""
    user = "Basic " + _basic(f"report@Company.SandboxCompany:{request.character.api_key}-report")
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), user.encode()):
        return _error(ApiError(401, "000", "Unauthorized"))
    first, last = request.parts["file"].removesuffix(".csv").split("_")[-2:]
    return _csv(request, date.fromisoformat(first), date.fromisoformat(last), request.parts["file"])


@router.route("GET", "/{psp:adyen}/statements")
def download_statement(request: Request) -> Response:
    """Send the same report as the Customer Area does: batches paid out from `from` to `to`, both included."""
    first, last = period_of(request)
    return _csv(request, first, last, f"settlement_detail_report_{first}_{last}.csv")


def period_of(request: Request) -> tuple[date, date]:
    """Read `from` and `to` of a request. Raises ApiError."""
    try:
        first, last = (date.fromisoformat(request.query.get(name, "")) for name in ("from", "to"))
    except ValueError:
        raise ApiError(400, "invalid_period", "from and to must be dates like 2026-10-01.") from None
    return first, last


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _csv(request: Request, first: date, last: date, name: str) -> Response:
    """Every row of the batches whose payout took place in the period."""
    rows, _opening, _difference = movements_of(request.store, request.character, first - timedelta(days=21), last)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()
    paid = {row["batch"] for row in rows if row["type"] == "merchant_payout" and row["created_at"] >= since}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: (row["batch"], row["type"] == "merchant_payout")):
        if row["batch"] in paid:
            writer.writerow(_report_row(row))
    disposition = (("Content-Disposition", f'attachment; filename="{name}"'),)
    return Response(200, out.getvalue().encode(), "text/csv; charset=utf-8", disposition)


def _report_row(row: dict[str, Any]) -> list[str]:
    currency, gross, fee = row["currency"], row["gross_minor"], row["fee_minor"]
    net, kind = gross - fee, row["type"]
    is_modification = kind in ("refund", "chargeback", "chargeback_reversed")
    own = row["psp_reference"] if kind == "merchant_payout" else adyen.psp_reference(row["psp_reference"])
    payment = adyen.psp_reference(row["original_reference"]) if is_modification else own

    def debit_credit(minor: int) -> list[str]:
        return [major(-minor, currency), ""] if minor < 0 else ["", major(minor, currency)]

    return [
        "SandboxCompany",
        adyen.MERCHANT,
        "" if kind == "merchant_payout" else payment,
        "" if kind == "refund" else row["merchant_reference"],
        row["method"] or Kind.BANK.value,
        datetime.fromtimestamp(row["created_at"], UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "UTC",
        TYPES[kind],
        own if is_modification or kind == "merchant_payout" else "",
        currency,
        *debit_credit(gross),
        "1",
        currency,
        *debit_credit(net),
        major(fee, currency) if fee else "",
        "",
        "",
        "",
        row["method"],
        row["merchant_reference"] if kind == "refund" else "",
        str(int.from_bytes(row["batch"].encode()[-8:]) % 10**6),
    ]
