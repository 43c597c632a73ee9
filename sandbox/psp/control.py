"""The switchboard behind the scenes: faults, clicks without a browser, history, and what happened. Bound to the
loopback by default.

| call | does |
|---|---|
| `POST /_control/faults` `{"psp": "*", "name": …, "value": …, "times": n}` | one switch; `{"clear": true}` clears |
| `GET /_control/state` | faults, counts, the last events and deliveries |
| `POST /_control/{psp}/payments/{reference}/{what}` | pay, decline, expire, dispute, chargeback … |
| `POST /_control/adyen/transfers/{reference}/{what}` | `return` or `fail` a booked one, with a `reason` of Adyen's |
| `POST /_control/adyen/report`, `…/accounting` `{"first": …, "last": …}` | a report is ready: its webhook goes out |
| `POST /_control/{psp}/events/{id}/resend` | sends an event again |
| `POST /_control/{psp}/history` `{"movements": […]}` | movements of the past, for demo books |
| `POST /_control/finish` | everything that waits for a timer happens now |
| `GET /{psp}/statements?from=&to=` | the settlement report as a merchant downloads it in a browser |
| `GET /adyen/accounting?from=&to=` | the accounting report of Adyen's balance platform, likewise |
"""

from typing import Any

from sandbox.psp import disputes, payments
from sandbox.psp.api import settlement_response
from sandbox.psp.characters import CHARACTERS
from sandbox.psp.faults import EVERY_PSP, Faults
from sandbox.psp.history import InvalidMovementError, add_movements
from sandbox.psp.payments import ApiError
from sandbox.psp.server import Request, Response, as_json, router
from sandbox.psp.store import now

LATEST = 50


@router.route("POST", "/_control/faults")
def switch_fault(request: Request) -> Response:
    """Switch a fault on or off, or clear all."""
    faults, body = Faults(request.store), request.json
    if body.get("clear"):
        faults.clear()
    else:
        psp, times = body.get("psp", EVERY_PSP), body.get("times")
        if psp != EVERY_PSP and psp not in CHARACTERS:
            raise ApiError(404, "unknown_psp", f"No PSP called {psp}.")
        faults.set(psp, str(body.get("name", "")), body.get("value"), times)
    return as_json({"faults": faults.active()})


@router.route("GET", "/_control/state")
def show_state(request: Request) -> Response:
    """Show active faults and the latest payments, transfers and deliveries."""

    def latest(sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in request.store.rows(f"{sql} ORDER BY rowid DESC LIMIT {LATEST}")]

    return as_json(
        {
            "faults": Faults(request.store).active(),
            "payments": latest("SELECT id, psp, reference, status, amount_minor, currency FROM payments"),
            "transfers": latest("SELECT id, psp, kind, reference, status, amount_minor, currency FROM transfers"),
            "deliveries": latest("SELECT event_id, psp, state, attempts, answer FROM deliveries"),
            "timers": request.store.rows("SELECT count(*) AS n FROM timers")[0]["n"],
        }
    )


@router.route("POST", "/_control/{psp}/payments/{reference}/{what}")
def play_client(request: Request) -> Response:
    """Do what a client on the hosted page, or the client's bank, would do."""
    payment = payments.find_payment(request.store, request.character.code, reference=request.parts["reference"])
    what, body = request.parts["what"], request.json
    if what == "pay":
        payment = payments.pay(
            request.store,
            payment["id"],
            pace=request.pace,
            method=body.get("method") or payment["method"] or request.character.methods[0],
            instrument=body.get("instrument", "•••• 4242"),
            payer_name=body.get("payer_name", ""),
            received_minor=body.get("received_minor"),
        )
    elif what == "decline":
        payment = payments.decline(request.store, payment["id"], body.get("reason", "declined_by_issuer"))
    elif what == "expire":
        payment = payments.expire(request.store, payment["id"])
    elif what == "dispute":
        payment = disputes.open_dispute(request.store, payment["id"], body.get("reason", "fraudulent"))
    elif what == "dispute-lost":
        payment = disputes.close_dispute(request.store, payment["id"], won=False)
    elif what in ("chargeback", "chargeback-reversal"):
        payment = disputes.charge_back(request.store, payment["id"], reverse=what == "chargeback-reversal")
    else:
        raise ApiError(404, "no_such_page", f"A client can't {what}.")
    return as_json(payments.payment_view(payment, request.base_url))


@router.route("POST", "/_control/{psp}/events/{id}/resend")
def resend_event(request: Request) -> Response:
    """Send an event again, as a replay does: the same id, signed now."""
    with request.store.transaction():
        event = request.store.row(
            "SELECT id, psp FROM events WHERE id = ? AND psp = ?", request.parts["id"], request.parts["psp"]
        )
        if event is None:
            raise ApiError(404, "unknown_event", f"There is no event {request.parts['id']}.")
        request.store.insert("deliveries", event_id=event["id"], psp=event["psp"], due_at=now())
    return as_json({"resent": event["id"]}, 202)


@router.route("POST", "/_control/{psp}/history")
def import_history(request: Request) -> Response:
    """Books movements of the past, without events."""
    try:
        given, added = add_movements(request.store, request.json.get("movements", []), request.character.code)
    except InvalidMovementError as error:
        raise ApiError(400, "invalid_movement", str(error)) from None
    return as_json({"received": given, "added": added})


@router.route("POST", "/_control/finish")
def finish_everything(request: Request) -> Response:
    """Timers fire and delayed or held webhooks leave at once."""
    with request.store.transaction():
        request.store.run("UPDATE timers SET due_at = 0")
        request.store.run(
            "UPDATE deliveries SET due_at = ?, state = 'waiting' WHERE state IN ('waiting', 'held')", now()
        )
    return as_json({"finished": True})


@router.route("GET", "/{psp}/statements")
def download_statement(request: Request) -> Response:
    """Send the settlement report as the merchant portal's download link does."""
    return settlement_response(request)
