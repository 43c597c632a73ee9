"""Adyen's Transfers API, as much as a payout to an IBAN needs: send, ask for one, list."""

import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.psp import transfers
from sandbox.psp.apis.idempotency import once
from sandbox.psp.dialects.adyen_transfers import BALANCE_ACCOUNT, VIA, resource, steps_of
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response, as_json, router
from sandbox.psp.transfers import transfer_view
from sandbox.psp.webhooks import publish

BASE = "/btl/v4/transfers"
KEY_LENGTH_MAX, BENEFICIARY_MAX = 64, 35
NAME_SIGNS = frozenset(",.;:-—/\\+&!?@()\"' ")
WINDOW_MAX = timedelta(days=184)
Answer = Callable[[Request], Response]


class InvalidFields(ApiError):
    """422 with the fields that are wrong."""

    def __init__(self, **wrong: str) -> None:
        super().__init__(422, "30_011", "Invalid transfer information provided.")
        self.fields = [
            {"name": name.replace("__", "."), "message": message, "value": ""} for name, message in wrong.items()
        ]


def route(method: str, path: str) -> Callable[[Answer], Answer]:
    """Make a route of this API: its own user's key, idempotency kept, errors as problems."""

    def register(handler: Answer) -> Answer:
        @router.route(method, "/{psp:adyen}" + path)
        def answer(request: Request) -> Response:
            try:
                expected = f"{request.character.api_key}-transfers"
                if not hmac.compare_digest(request.headers.get("x-api-key", "").encode(), expected.encode()):
                    return as_json(
                        {"status": 401, "errorCode": "000", "message": "Unauthorized", "errorType": "security"}, 401
                    )
                key = request.headers.get("idempotency-key", "") if method == "POST" else ""
                if len(key) > KEY_LENGTH_MAX:
                    raise InvalidFields(idempotencyKey="It is too long")
                return once(request, key, lambda: handler(request))
            except ApiError as error:
                return _problem(error)

        return handler

    return register


def _problem(error: ApiError) -> Response:
    status = 422 if error.status in (400, 404, 409) else error.status
    code = "704" if error.code in ("idempotency_key_in_use", "idempotency_error") else error.code
    fields = {"invalidFields": error.fields} if isinstance(error, InvalidFields) else {}
    title = "Forbidden" if status == 403 else "Invalid transfer"
    return as_json(
        {
            "type": "https://docs.adyen.com/errors",
            "title": title,
            "detail": error.message,
            "errorCode": code,
            "status": status,
        }
        | fields,
        status,
    )


def _require_account(account: Any) -> None:
    if account != BALANCE_ACCOUNT:
        raise ApiError(403, "30_015", "Balance account is not of this balance platform")


@route("POST", BASE)
def send(request: Request) -> Response:
    """Send a bank transfer."""
    body = request.json
    _require_account(body.get("balanceAccountId"))
    order = _checked(body)
    with request.store.transaction():
        is_known = request.store.row(
            "SELECT id FROM transfers WHERE psp = 'adyen' AND reference = ?", order["reference"]
        )
        row = transfers.create_transfer(request.store, request.character, "payout", order, pace=request.pace)
        if not is_known:
            publish(request.store, "adyen", "payout.created", transfer_view(row))
    view = transfer_view(row)
    return as_json(resource(view, ["received"]), 202)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """Check a transfer and turn it into what the core takes. Raises InvalidFields."""
    account = (body.get("counterparty") or {}).get("bankAccount") or {}
    name = str((account.get("accountHolder") or {}).get("fullName") or "")
    identification, wrong = account.get("accountIdentification") or {}, {}
    if body.get("category") != "bank" or body.get("priority") != "regular":
        wrong["category"] = "Only bank transfers of regular priority are played here"
    if not name or any(not (sign.isascii() and sign.isalnum()) and sign not in NAME_SIGNS for sign in name):
        wrong["counterparty__bankAccount__accountHolder__fullName"] = "Unsupported characters"
    if identification.get("type") != "iban" or not _is_iban(str(identification.get("iban") or "")):
        wrong["counterparty__bankAccount__accountIdentification__iban"] = "Invalid IBAN"
    for_beneficiary = str(body.get("referenceForBeneficiary") or "")
    if len(for_beneficiary) > BENEFICIARY_MAX or (for_beneficiary and not for_beneficiary.isalnum()):
        wrong["referenceForBeneficiary"] = "Letters and digits only, 35 at most"
    amount = body.get("amount") or {}
    if not isinstance(amount.get("value"), int) or amount["value"] <= 0:
        wrong["amount__value"] = "It must be above zero"
    if wrong:
        raise InvalidFields(**wrong)
    destination = {"via": VIA, "bankAccount": account, "referenceForBeneficiary": for_beneficiary}
    reference, currency = str(body.get("reference") or ""), str(amount.get("currency") or "")
    return {"reference": reference, "amount_minor": amount["value"], "currency": currency, "destination": destination}


def _is_iban(text: str) -> bool:
    if not (text.isascii() and text.isalnum() and text.isupper() and 15 <= len(text) <= 34):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


@route("GET", f"{BASE}/{{id}}")
def get_one(request: Request) -> Response:
    """Answer a transfer by its id."""
    row = request.store.row(
        "SELECT * FROM transfers WHERE psp = 'adyen' AND substr(id, 4, 16) = ?", request.parts["id"].lower()
    )
    if row is None or transfer_view(row).get("via") != VIA:
        raise ApiError(404, "30_112", "Transfer not found")
    view = transfer_view(row)
    return as_json(resource(view, steps_of(view)))


@route("GET", BASE)
def list_all(request: Request) -> Response:
    """List transfers created in a window of at most six months."""
    query = request.query
    _require_account(query.get("balanceAccountId"))
    since, until = _moment(query, "createdSince"), _moment(query, "createdUntil")
    if not since <= until <= since + WINDOW_MAX:
        raise InvalidFields(createdUntil="It must be within six months of createdSince")
    rows = request.store.rows(
        "SELECT * FROM transfers WHERE psp = 'adyen' AND kind = 'payout' AND created_at BETWEEN ? AND ? ORDER BY created_at",
        since.timestamp(),
        until.timestamp(),
    )
    views = [transfer_view(row) for row in rows if json.loads(row["destination"]).get("via") == VIA]
    matching = [view for view in views if query.get("reference") in (None, view["reference"])]
    shown = matching[: int(query.get("limit", "10"))]
    return as_json({"_links": {}, "data": [resource(view, steps_of(view)) for view in shown]})


def _moment(query: dict[str, str], name: str) -> datetime:
    try:
        at = datetime.fromisoformat(query.get(name, ""))
    except ValueError:
        raise InvalidFields(**{name: "It must be in ISO 8601 format"}) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@router.route("POST", "/_control/{psp:adyen}/transfers/{reference}/{what}")
def send_back(request: Request) -> Response:
    """Send a booked transfer back: `return`, or `fail` as Adyen calls it where the receiving bank never took it."""
    status = {"return": "returned", "fail": "failed_late"}.get(request.parts["what"])
    if status is None:
        raise ApiError(404, "no_such_page", f"A bank can't {request.parts['what']}.")
    reason = str(request.json.get("reason") or "counterpartyAccountClosed")
    row = transfers.send_back(request.store, "adyen", request.parts["reference"], status=status, reason=reason)
    return as_json(transfer_view(row))
