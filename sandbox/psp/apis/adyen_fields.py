"""What Adyen's own script does on a merchant's page, played: `AdyenWeb` with a card form, and the two calls that it makes.

`POST …/checkoutshopper/v1/sessions/{id}/setup` says what is paid; `…/payments` pays with a card, and answers a result code. Both
want the public client key and the session's data, and answer to any page.
"""

import json
from pathlib import Path
from typing import Any

from sandbox.psp import hosted, payments
from sandbox.psp.dialects import adyen
from sandbox.psp.money import major
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response, router

CLIENT_KEY = "test_SANDBOX"
ANY_PAGE = (("Access-Control-Allow-Origin", "*"), ("Cache-Control", "no-store"))
HERE = Path(__file__).parent.parent
SCRIPT = HERE / "adyen_fields.js"
STYLE = HERE / "adyen_fields.css"


@router.route("GET", "/{psp:adyen}/checkoutshopper/sdk/{version}/adyen.js")
def script(_request: Request) -> Response:
    """Send the script that plays Adyen's own."""
    return Response(200, SCRIPT.read_bytes(), "text/javascript; charset=utf-8", ANY_PAGE)


@router.route("GET", "/{psp:adyen}/checkoutshopper/sdk/{version}/adyen.css")
def style(_request: Request) -> Response:
    """Send its style sheet."""
    return Response(200, STYLE.read_bytes(), "text/css; charset=utf-8", ANY_PAGE)


def _session(request: Request) -> tuple[Any, dict[str, Any]]:
    """Find the payment of a session whose data and client key are right, and what the page sent."""
    body = json.loads(request.body or b"{}")
    if request.query.get("clientKey") != CLIENT_KEY:
        raise ApiError(401, "000", "Invalid client key")
    payment = payments.find_payment(request.store, "adyen", token=str(body.get("sessionData") or "none"))
    if request.parts["id"] != f"CS{adyen.psp_reference(payment['id'])}":
        raise ApiError(422, "14_0", "The session data is of another session")
    return payment, body


def _answer(status: int, data: dict[str, Any]) -> Response:
    return Response(status, json.dumps(data).encode(), headers=ANY_PAGE)


@router.route("POST", "/{psp:adyen}/checkoutshopper/v1/sessions/{id}/setup")
def setup(request: Request) -> Response:
    """Answer the session's amount to the page."""
    try:
        payment, _body = _session(request)
    except ApiError as error:
        return _answer(error.status, {"message": error.message})
    money = {"value": payment["amount_minor"], "currency": payment["currency"]}
    return _answer(
        200, {"amount": money, "shown": f"{major(payment['amount_minor'], payment['currency'])} {payment['currency']}"}
    )


@router.route("POST", "/{psp:adyen}/checkoutshopper/v1/sessions/{id}/payments")
def pay(request: Request) -> Response:
    """Pay with the card that was typed."""
    try:
        payment, body = _session(request)
    except ApiError as error:
        return _answer(error.status, {"message": error.message})
    card = body.get("card") or {}
    number = "".join(sign for sign in str(card.get("number", "")) if sign.isdigit())
    if payment["status"] != "created":
        return _answer(422, {"message": "This session is over"})
    if not 12 <= len(number) <= 19:
        return _answer(422, {"message": "Invalid card number"})
    if number == hosted.DECLINED_CARD:
        payments.decline(request.store, payment["id"], "declined_by_issuer")
        return _answer(200, {"resultCode": "Refused"})
    payments.pay(
        request.store,
        payment["id"],
        pace=request.pace,
        method="scheme",
        instrument=f"•••• {number[-4:]}",
        payer_name=str(card.get("holder", "")),
        received_minor=payment["amount_minor"],
    )
    return _answer(200, {"resultCode": "Authorised"})
