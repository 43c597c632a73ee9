"""The merchant's API: payment sessions, payouts, refunds, look-ups, settlement reports. JSON; `Authorization: Bearer
<key>`.
"""

import hmac
from datetime import date

from sandbox.psp import payments, settlement, transfers
from sandbox.psp.apis import adyen, adyen_accounting, adyen_fields, adyen_transfers, stripe  # noqa: F401 (their routes stand before the plain ones)
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response, as_json, router


def _authorise(request: Request) -> None:
    header = request.headers.get("authorization", "")
    if not hmac.compare_digest(header.encode(), f"Bearer {request.character.api_key}".encode()):
        raise ApiError(401, "wrong_key", "The API key is missing or wrong.")


@router.route("GET", "/{psp}/v1/health")
def health(request: Request) -> Response:
    """Is the key good and the PSP up? What a connection test asks."""
    _authorise(request)
    character = request.character
    return as_json(
        {
            "psp": character.code,
            "name": character.name,
            "kind": character.kind,
            "merchant": f"merchant-{character.code}",
            "currencies": character.currencies,
            "methods": character.methods,
        }
    )


@router.route("POST", "/{psp}/v1/payments")
def create_payment(request: Request) -> Response:
    """Create a payment session."""
    _authorise(request)
    payment = payments.create_payment(request.store, request.character, request.json)
    return as_json(payments.payment_view(payment, request.base_url), 201)


@router.route("GET", "/{psp}/v1/payments")
def find_payment(request: Request) -> Response:
    """By the merchant's reference: `?reference=`."""
    _authorise(request)
    payment = payments.find_payment(request.store, request.character.code, reference=request.query.get("reference", ""))
    return as_json(payments.payment_view(payment, request.base_url))


@router.route("GET", "/{psp}/v1/payments/{id}")
def get_payment(request: Request) -> Response:
    """Answer a payment by its id."""
    _authorise(request)
    payment = payments.find_payment(request.store, request.character.code, payment_id=request.parts["id"])
    return as_json(payments.payment_view(payment, request.base_url))


@router.route("POST", "/{psp}/v1/payments/{id}/refunds")
def create_refund(request: Request) -> Response:
    """Refund a payment."""
    _authorise(request)
    refund = transfers.create_transfer(
        request.store, request.character, "refund", request.json, pace=request.pace, payment_id=request.parts["id"]
    )
    return as_json(transfers.transfer_view(refund), 201)


@router.route("GET", "/{psp}/v1/refunds")
def find_refund(request: Request) -> Response:
    """Answer a refund by the merchant's reference."""
    _authorise(request)
    reference = request.query.get("reference", "")
    return as_json(
        transfers.transfer_view(
            transfers.find_transfer(request.store, request.character.code, "refund", reference=reference)
        )
    )


@router.route("POST", "/{psp}/v1/payouts")
def create_payout(request: Request) -> Response:
    """Create a payout to a client."""
    _authorise(request)
    payout = transfers.create_transfer(request.store, request.character, "payout", request.json, pace=request.pace)
    return as_json(transfers.transfer_view(payout), 201)


@router.route("GET", "/{psp}/v1/payouts")
def find_payout(request: Request) -> Response:
    """By the merchant's reference: `?reference=`; 404 means that it was never booked."""
    _authorise(request)
    reference = request.query.get("reference", "")
    return as_json(
        transfers.transfer_view(
            transfers.find_transfer(request.store, request.character.code, "payout", reference=reference)
        )
    )


@router.route("GET", "/{psp}/v1/payouts/{id}")
def get_payout(request: Request) -> Response:
    """Answer a payout by its id."""
    _authorise(request)
    payout = transfers.find_transfer(request.store, request.character.code, "payout", transfer_id=request.parts["id"])
    return as_json(transfers.transfer_view(payout))


def read_period(request: Request) -> tuple[date, date]:
    """Read `from` and `to` of a request. Raises ApiError."""
    try:
        first, last = (date.fromisoformat(request.query.get(name, "")) for name in ("from", "to"))
    except ValueError:
        raise ApiError(400, "invalid_period", "from and to must be dates like 2026-10-01.") from None
    if last < first:
        raise ApiError(400, "invalid_period", "from must not be after to.")
    return first, last


def settlement_response(request: Request) -> Response:
    """Send the settlement report of the requested period as a download."""
    first, last = read_period(request)
    text = settlement.report(request.store, request.character, first, last)
    name = f"{request.character.code}-settlement-{first}-{last}.csv"
    return Response(
        200, text.encode(), "text/csv; charset=utf-8", (("Content-Disposition", f'attachment; filename="{name}"'),)
    )


@router.route("GET", "/{psp}/v1/settlements")
def get_settlement(request: Request) -> Response:
    """Send the settlement report of `from` to `to`, both included, as CSV, to the API's key."""
    _authorise(request)
    return settlement_response(request)
