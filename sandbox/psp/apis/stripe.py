"""Stripe's API, as much of it as a merchant of ours uses: form-encoded in, JSON out, errors and idempotency as there."""

import csv
import hmac
import io
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from sqlite3 import Row
from typing import Any
from urllib.parse import parse_qs

from sandbox.psp import disputes, payments, transfers
from sandbox.psp.apis.idempotency import once
from sandbox.psp.dialects import stripe
from sandbox.psp.money import major
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response, as_json, router
from sandbox.psp.settlement import movements_of
from sandbox.psp.store import Store, new_id, now

ACCOUNT = "acct_sandboxstripe"
TYPES = {401: "invalid_request_error", 402: "card_error", 429: "rate_limit_error"}
METHODS = frozenset({"card", "sepa_debit", "klarna"})
EVIDENCE_FILES = frozenset({"dispute_evidence"})
REPORT_COLUMNS = (
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "customer_facing_amount",
    "customer_facing_currency",
    "charge_id",
    "payment_intent_id",
    "payment_method_type",
    "payment_metadata[reference]",
    "refund_metadata[reference]",
)
# The balance's own rows begin with the booking.
ITEM_COLUMNS = (*REPORT_COLUMNS[2:], *REPORT_COLUMNS[:2])
PAYOUT_COLUMNS = (
    "payout_id",
    "effective_at_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "balance_transaction_id",
    "payout_status",
)
SUMMARY_COLUMNS = ("category", "description", "net_amount", "currency")
CATEGORIES = {
    "payment": "charge",
    "refund": "refund",
    "chargeback": "dispute",
    "chargeback_reversed": "dispute_reversal",
}
Answer = Callable[[Request], Response]


def route(method: str, path: str) -> Callable[[Answer], Answer]:
    """Make a route of this API: key checked, idempotency kept, errors in Stripe's shape."""

    def register(handler: Answer) -> Answer:
        @router.route(method, "/{psp:stripe}" + path)
        def answer(request: Request) -> Response:
            try:
                header = request.headers.get("authorization", "")
                if not hmac.compare_digest(header.encode(), f"Bearer {request.character.api_key}".encode()):
                    raise ApiError(401, "api_key_invalid", "Invalid API Key provided.")
                key = request.headers.get("idempotency-key", "") if method == "POST" else ""
                return once(request, key, lambda: handler(request))
            except ApiError as error:
                return _error(error)

        return handler

    return register


def _error(error: ApiError) -> Response:
    kind = "idempotency_error" if error.code.startswith("idempotency") else TYPES.get(error.status)
    code = "resource_missing" if error.status == 404 else error.code
    status = 400 if error.status == 409 and not error.code.startswith("idempotency") else error.status
    return as_json({"error": {"code": code, "message": error.message, "type": kind or "invalid_request_error"}}, status)


def _form(request: Request) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}


def _whole(form: dict[str, str], name: str) -> int:
    if not form.get(name, "").isdigit():
        raise ApiError(400, "parameter_invalid_integer", f"Invalid integer: {form.get(name)}")
    return int(form[name])


def _expand(request: Request) -> str:
    names = [value for name, value in request.query.items() if name.startswith("expand")]
    return max(names, key=len, default="")


def _payment(store: Store, object_id: str) -> Row:
    return payments.find_payment(store, "stripe", payment_id=f"pay_{object_id.rpartition('_')[2]}")


# Paying in


@route("POST", "/v1/checkout/sessions")
def create_session(request: Request) -> Response:
    """Create a Checkout Session."""
    form = _form(request)
    if form.get("mode") != "payment":
        raise ApiError(400, "parameter_missing", "mode must be payment.")
    method = form.get("payment_method_types[0]", "card")
    if method not in METHODS:
        raise ApiError(400, "payment_method_unactivated", f"The payment method type {method} is invalid.")
    body = {
        "reference": form.get("payment_intent_data[metadata][reference]") or new_id("ref"),
        "amount_minor": _whole(form, "line_items[0][price_data][unit_amount]"),
        "currency": form.get("line_items[0][price_data][currency]", "").upper(),
        "return_url": form.get("success_url", ""),
        "merchant_name": form.get("line_items[0][price_data][product_data][name]", ""),
        "locale": form.get("locale", "en"),
        "method": method,
    }
    row = payments.create_payment(request.store, request.character, body)
    return as_json(stripe.session(payments.payment_view(row, request.base_url)))


@route("GET", "/v1/checkout/sessions/{id}")
def get_session(request: Request) -> Response:
    """Answer a Checkout Session."""
    row = _payment(request.store, request.parts["id"])
    return as_json(stripe.session(payments.payment_view(row, request.base_url), expand=_expand(request)))


@route("GET", "/v1/payment_intents/search")
def search_intents(request: Request) -> Response:
    """`metadata['reference']:'…'`; what is not paid yet has no PaymentIntent."""
    reference = request.query.get("query", "").partition(":")[2].strip("'\"")
    row = request.store.row("SELECT * FROM payments WHERE psp = 'stripe' AND reference = ?", reference)
    intents = [] if row is None or row["status"] in ("created", "expired") else [payments.payment_view(row)]
    values = [stripe.intent(view, expand=_expand(request)) for view in intents]
    return as_json({"object": "search_result", "data": values, "has_more": False, "url": "/v1/payment_intents/search"})


@route("GET", "/v1/payment_intents/{id}")
def get_intent(request: Request) -> Response:
    """Answer a PaymentIntent; there is none before the client pays."""
    row = _payment(request.store, request.parts["id"])
    if row["status"] in ("created", "expired"):
        raise ApiError(404, "resource_missing", f"No such payment_intent: {request.parts['id']}")
    return as_json(stripe.intent(payments.payment_view(row), expand=_expand(request)))


# Giving back


@route("POST", "/v1/refunds")
def create_refund(request: Request) -> Response:
    """Refund a payment."""
    form = _form(request)
    payment = _payment(request.store, form.get("payment_intent") or form.get("charge", ""))
    left = (payment["received_minor"] or 0) - payment["refunded_minor"]
    body = {
        "reference": form.get("metadata[reference]") or new_id("ref"),
        "amount_minor": _whole(form, "amount") if "amount" in form else left,
        "currency": payment["currency"],
    }
    row = transfers.create_transfer(
        request.store, request.character, "refund", body, pace=request.pace, payment_id=payment["id"]
    )
    return as_json(stripe.refund(transfers.transfer_view(row)))


@route("GET", "/v1/refunds")
def list_refunds(request: Request) -> Response:
    """List a payment's refunds."""
    payment = _payment(request.store, request.query.get("payment_intent", ""))
    rows = request.store.rows(
        "SELECT * FROM transfers WHERE psp = 'stripe' AND kind = 'refund' AND payment_id = ? ORDER BY created_at DESC",
        payment["id"],
    )
    values = [stripe.refund(transfers.transfer_view(row)) for row in rows]
    return as_json({"object": "list", "data": values, "has_more": False, "url": "/v1/refunds"})


# Disputes


@route("POST", "/v1/files")
def upload_file(request: Request) -> Response:
    """Take a file as evidence of a dispute."""
    header = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    parts = {
        str(part.get_param("name", header="content-disposition")): part
        for part in BytesParser(policy=HTTP).parsebytes(header + request.body).iter_parts()
    }
    if "file" not in parts or "purpose" not in parts:
        raise ApiError(400, "parameter_missing", "file and purpose are required.")
    purpose = parts["purpose"].get_content().strip() if parts["purpose"].get_content_maintype() == "text" else ""
    if purpose not in EVIDENCE_FILES:
        raise ApiError(400, "invalid_purpose", "Only evidence is taken here.")
    content = parts["file"].get_payload(decode=True)
    file_id = new_id("file")
    request.store.note("stripe", file_id, "size", str(len(content)))
    return as_json(
        {
            "id": file_id,
            "object": "file",
            "filename": parts["file"].get_filename(),
            "purpose": purpose,
            "size": len(content),
        }
    )


@route("POST", "/v1/disputes/{id}")
def update_dispute(request: Request) -> Response:
    """Take evidence of a dispute, and submit it unless told not to."""
    form = _form(request)
    evidence = {name[9:-1]: value for name, value in form.items() if name.startswith("evidence[")}
    for name, value in evidence.items():
        if value.startswith("file_") and not request.store.noted("stripe", value, "size"):
            raise ApiError(400, "resource_missing", f"No such file upload: {value} ({name})")
    disputes.supply_evidence(
        request.store, request.parts["id"], evidence, submit=form.get("submit", "true").lower() == "true"
    )
    row = disputes.find_dispute(request.store, "stripe", dispute_id=request.parts["id"])
    return as_json(stripe.dispute(disputes.dispute_view(row), row["payment_id"]))


# The account and its reports


@route("GET", "/v1/account")
def get_account(request: Request) -> Response:
    """Answer the merchant's account."""
    return as_json(
        {
            "id": ACCOUNT,
            "object": "account",
            "business_profile": {"name": "Sandbox Merchant"},
            "charges_enabled": True,
            "country": "DE",
            "default_currency": "eur",
            "details_submitted": True,
            "payouts_enabled": True,
        }
    )


@route("POST", "/v1/reporting/report_runs")
def create_report_run(request: Request) -> Response:
    """Start a report, which is ready a moment later."""
    form = _form(request)
    run_id = new_id("frr")
    starts = not form.get("report_type", "").startswith("ending_")  # a balance at the end has no beginning
    asked: dict[str, Any] = {
        "type": form.get("report_type", ""),
        "since": _whole(form, "parameters[interval_start]" if starts else "parameters[interval_end]"),
        "until": _whole(form, "parameters[interval_end]"),
        "ready": now() + request.pace(1.0),
    }
    if asked["type"].rpartition(".")[0] not in TABLES:
        raise ApiError(400, "invalid_report_type", f"No such report type: {asked['type']}")
    request.store.note("stripe", run_id, "run", json.dumps(asked))
    return as_json(_run(request, run_id, asked))


@route("GET", "/v1/reporting/report_runs/{id}")
def get_report_run(request: Request) -> Response:
    """Answer a report's progress."""
    return as_json(_run(request, request.parts["id"], _asked(request, request.parts["id"])))


@route("GET", "/v1/files/{id}/contents")
def get_report(request: Request) -> Response:
    """Send a report that is ready."""
    asked = _asked(request, request.parts["id"].replace("file_", "frr_"))
    first, last = (datetime.fromtimestamp(asked[name], UTC).date() for name in ("since", "until"))
    table = TABLES[asked["type"].rpartition(".")[0]]
    return Response(200, table(request, first, last - timedelta(days=1)).encode(), "text/csv; charset=utf-8")


def _asked(request: Request, run_id: str) -> dict[str, Any]:
    if not (asked := request.store.noted("stripe", run_id, "run")):
        raise ApiError(404, "resource_missing", f"No such report run: {run_id}")
    run: dict[str, Any] = json.loads(asked)
    return run


def _run(request: Request, run_id: str, asked: dict[str, Any]) -> dict[str, Any]:
    is_ready, file_id = now() >= asked["ready"], run_id.replace("frr_", "file_")
    url = f"{request.base_url}/stripe/v1/files/{file_id}/contents"
    return {
        "id": run_id,
        "object": "reporting.report_run",
        "livemode": False,
        "parameters": {"interval_start": asked["since"], "interval_end": asked["until"]},
        "report_type": asked["type"],
        "result": {"id": file_id, "object": "file", "purpose": "finance_report_run", "url": url} if is_ready else None,
        "status": "succeeded" if is_ready else "pending",
    }


@router.route("GET", "/{psp:stripe}/statements")
def download_statement(request: Request) -> Response:
    """Send the report as the merchant's dashboard does, `from` to `to`, both included, with the balance that proves it.

    Payouts with what makes them up and what no payout had yet at the end, or with `kind=activity` all movements with the payouts.
    """
    try:
        first, last = (date.fromisoformat(request.query.get(name, "")) for name in ("from", "to"))
    except ValueError:
        raise ApiError(400, "invalid_period", "from and to must be dates like 2026-10-01.") from None
    kind = request.query.get("kind", "payouts")
    tables = (_activity, _payouts, _summary) if kind == "activity" else (_reconciliation, _ending, _summary)
    name = (("Content-Disposition", f'attachment; filename="stripe-{kind}-{first}-{last}.csv"'),)
    text = "".join(table(request, first, last) for table in tables)
    return Response(200, text.encode(), "text/csv; charset=utf-8", name)


BEGINNING = date(2000, 1, 1)


def _since(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _table(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _reconciliation(request: Request, first: date, last: date) -> str:
    """Every movement inside a payout that took effect in the period; amounts in major units."""
    early = first - timedelta(days=21)  # what a payout of the period may reach back to
    rows, _opening, _difference = movements_of(request.store, request.character, early, last)
    paid_on = _paid_on(rows)
    inside = (row for row in rows if row["type"] != "merchant_payout" and paid_on.get(row["batch"], 0) >= _since(first))
    return _table(REPORT_COLUMNS, (_report_row(row, paid_on[row["batch"]]) for row in inside))


def _paid_on(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {row["batch"]: row["created_at"] for row in rows if row["type"] == "merchant_payout"}


def _ending(request: Request, _first: date, last: date) -> str:
    """List what no payout had taken along at the end of the period."""
    rows, _opening, _difference = movements_of(request.store, request.character, BEGINNING, last, plant=False)
    paid_on = _paid_on(rows)
    return _table(ITEM_COLUMNS, (_report_row(row, 0) for row in rows if row["batch"] not in paid_on))


def _activity(request: Request, first: date, last: date) -> str:
    """Every movement of the period, whether it was paid out or not."""
    rows, _opening, _difference = movements_of(request.store, request.character, first, last)
    paid_on = _paid_on(rows)
    inside = (row for row in rows if row["type"] != "merchant_payout")
    return _table(ITEM_COLUMNS, (_report_row(row, paid_on.get(row["batch"], 0)) for row in inside))


def _payouts(request: Request, first: date, last: date) -> str:
    rows, _opening, _difference = movements_of(request.store, request.character, first, last, plant=False)
    return _table(
        PAYOUT_COLUMNS,
        (
            {
                "payout_id": _payout_id(row),
                "effective_at_utc": _utc(row["created_at"]),
                "currency": row["currency"].lower(),
                "gross": major(row["gross_minor"], row["currency"]),
                "fee": major(0, row["currency"]),
                "net": major(row["gross_minor"], row["currency"]),
                "reporting_category": "payout",
                "balance_transaction_id": f"txn_{_payout_id(row)}",
                "payout_status": "paid",
            }
            for row in rows
            if row["type"] == "merchant_payout"
        ),
    )


def _summary(request: Request, first: date, last: date) -> str:
    """Write the balance at the beginning and the end."""
    rows, opening, _difference = movements_of(request.store, request.character, first, last, plant=False)
    closing = dict(opening)
    for row in rows:
        closing[row["currency"]] = closing.get(row["currency"], 0) + row["gross_minor"] - row["fee_minor"]
    return _table(
        SUMMARY_COLUMNS,
        (
            {
                "category": category,
                "description": title,
                "net_amount": major(balance.get(currency, 0), currency),
                "currency": currency.lower(),
            }
            for currency in sorted(closing)
            for category, title, balance in (
                ("starting_balance", "Starting balance", opening),
                ("ending_balance", "Ending balance", closing),
            )
        ),
    )


TABLES = {
    "payout_reconciliation.itemized": _reconciliation,
    "ending_balance_reconciliation.itemized": _ending,
    "balance_change_from_activity.itemized": _activity,
    "payouts.itemized": _payouts,
    "balance.summary": _summary,
}


def _payout_id(row: dict[str, Any]) -> str:
    return f"po_{row['batch'].replace('-', '')}"


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _report_row(row: dict[str, Any], paid_at: float) -> dict[str, str]:
    currency, payment_id = row["currency"], row["original_reference"] or row["psp_reference"]
    charge = f"ch_{stripe.suffix(payment_id)}"
    gross, fee = row["gross_minor"], row["fee_minor"]
    return {
        "automatic_payout_id": _payout_id(row) if paid_at else "",
        "automatic_payout_effective_at_utc": _utc(paid_at) if paid_at else "",
        "balance_transaction_id": f"txn_{stripe.suffix(row['psp_reference'])}_{row['type'][:2]}",
        "created_utc": _utc(row["created_at"]),
        "available_on_utc": _utc(paid_at) if paid_at else "",
        "currency": currency.lower(),
        "gross": major(gross, currency),
        "fee": major(fee, currency),
        "net": major(gross - fee, currency),
        "reporting_category": CATEGORIES[row["type"]],
        "source_id": charge if row["type"] == "payment" else row["psp_reference"],
        "charge_id": charge,
        "payment_intent_id": stripe.intent_id(payment_id),
        "payment_method_type": row["method"],
        "payment_metadata[reference]": row["merchant_reference"] if row["type"] != "refund" else "",
        "refund_metadata[reference]": row["merchant_reference"] if row["type"] == "refund" else "",
    }
