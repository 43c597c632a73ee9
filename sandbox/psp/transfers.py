"""Money that leaves the PSP: payouts to clients and refunds of payments."""

import json
from sqlite3 import Row
from typing import Any

from sandbox.psp.characters import CHARACTERS, Character
from sandbox.psp.faults import Faults
from sandbox.psp.payments import (
    ApiError,
    Pace,
    capture,
    find_payment,
    get_payment,
    read_amount,
    read_currency,
    read_text,
    request_hash_of,
    start_timer,
)
from sandbox.psp.store import Store, new_id, now
from sandbox.psp.webhooks import publish

REFUND_SECONDS = 1.0


def transfer_view(row: Row) -> dict[str, Any]:
    """Show a payout or refund as the API and the webhooks do.

    `via`: another API than the plain one, with what that has to remember.
    """
    fields = ("id", "kind", "reference", "payment_id", "amount_minor", "currency", "status", "failure")
    destination = json.loads(row["destination"])
    return (
        {name: row[name] for name in fields}
        | {"created_at": int(row["created_at"]), "updated_at": int(row["updated_at"])}
        | ({"via": destination["via"], "destination": destination} if "via" in destination else {})
    )


def create_transfer(
    store: Store, character: Character, kind: str, body: dict[str, Any], *, pace: Pace, payment_id: str = ""
) -> Row:
    """Create a payout to a client, or a refund of a payment. Same reference, same body: the first answer."""
    reference, request_hash = (
        read_text(body, "reference", longest=100),
        request_hash_of(body | {"payment_id": payment_id}),
    )
    with store.transaction():
        known = store.row(
            "SELECT * FROM transfers WHERE psp = ? AND kind = ? AND reference = ?", character.code, kind, reference
        )
        if known is not None:
            if known["request_hash"] != request_hash:
                raise ApiError(409, "reference_reused", f"Reference {reference} was used for another {kind}.")
            return known
        amount, currency = read_amount(body), read_currency(body, character)
        if kind == "refund":
            _take_from_payment(store, find_payment(store, character.code, payment_id=payment_id), amount, currency)
        destination = body.get("destination", {})
        if kind == "payout" and not (isinstance(destination, dict) and destination):
            raise ApiError(400, "invalid_field", "destination must say where the money goes.")
        transfer_id = new_id("po" if kind == "payout" else "re")
        store.insert(
            "transfers",
            id=transfer_id,
            kind=kind,
            psp=character.code,
            reference=reference,
            payment_id=payment_id or None,
            amount_minor=amount,
            currency=currency,
            destination=json.dumps(destination),
            status="pending",
            request_hash=request_hash,
            created_at=now(),
            updated_at=now(),
        )
        faults = Faults(store)
        if kind == "payout" and faults.spend(character.code, "payout_hang"):
            return find_transfer(store, character.code, kind, transfer_id=transfer_id)
        reason = faults.spend(character.code, "payout_fail") if kind == "payout" else None
        seconds = character.payout_seconds if kind == "payout" else REFUND_SECONDS
        store.run("UPDATE transfers SET failure = ? WHERE id = ?", str(reason or ""), transfer_id)
        start_timer(store, "finish_transfer", transfer_id, pace(seconds))
        return find_transfer(store, character.code, kind, transfer_id=transfer_id)


def _take_from_payment(store: Store, payment: Row, amount_minor: int, currency: str) -> None:
    left = (payment["received_minor"] or 0) - payment["refunded_minor"]
    if payment["status"] != "captured" or currency != payment["currency"] or amount_minor > left:
        raise ApiError(
            409,
            "not_refundable",
            f"Payment {payment['id']} is {payment['status']} with {left} {payment['currency']} minor units left.",
        )
    store.run("UPDATE payments SET refunded_minor = refunded_minor + ? WHERE id = ?", amount_minor, payment["id"])


def find_transfer(store: Store, psp: str, kind: str, *, transfer_id: str = "", reference: str = "") -> Row:
    """Find a payout or refund by its id or the merchant's reference. Raises ApiError."""
    row = store.row(
        "SELECT * FROM transfers WHERE psp = ? AND kind = ? AND (id = ? OR reference = ?)",
        psp,
        kind,
        transfer_id,
        reference,
    )
    if row is None:
        raise ApiError(404, f"unknown_{kind}", f"There is no {kind} {transfer_id or reference}.")
    return row


def finish_transfer(store: Store, transfer_id: str) -> None:
    """Finish a payout or refund: paid, or failed with the reason that a fault set."""
    with store.transaction():
        transfer = store.row("SELECT * FROM transfers WHERE id = ? AND status = 'pending'", transfer_id)
        if transfer is None:
            return
        status = "failed" if transfer["failure"] else "paid"
        store.run("UPDATE transfers SET status = ?, updated_at = ? WHERE id = ?", status, now(), transfer_id)
        character = CHARACTERS[transfer["psp"]]
        if status == "paid" and "via" not in json.loads(transfer["destination"]):
            payment = get_payment(store, transfer["payment_id"]) if transfer["payment_id"] else None
            store.insert(
                "movements",
                psp=transfer["psp"],
                type=transfer["kind"],
                psp_reference=transfer_id,
                merchant_reference=transfer["reference"],
                original_reference=payment["id"] if payment else "",
                gross_minor=-transfer["amount_minor"],
                currency=transfer["currency"],
                created_at=now(),
                fee_minor=character.payout_fee_minor if transfer["kind"] == "payout" else 0,
                method=payment["method"] if payment else "",
            )
        elif transfer["kind"] == "refund":
            store.run(
                "UPDATE payments SET refunded_minor = refunded_minor - ? WHERE id = ?",
                transfer["amount_minor"],
                transfer["payment_id"],
            )
        moved = find_transfer(store, transfer["psp"], transfer["kind"], transfer_id=transfer_id)
        publish(store, transfer["psp"], f"{transfer['kind']}.{status}", transfer_view(moved))


def send_back(store: Store, psp: str, reference: str, *, status: str, reason: str) -> Row:
    """Send a paid payout back as the receiving bank does; `status` is what the PSP calls that."""
    with store.transaction():
        transfer = find_transfer(store, psp, "payout", reference=reference)
        if transfer["status"] != "paid":
            raise ApiError(409, "wrong_state", f"Payout {reference} is {transfer['status']}.")
        store.note(psp, transfer["id"], "paid_at", str(transfer["updated_at"]))
        store.run(
            "UPDATE transfers SET status = ?, failure = ?, updated_at = ? WHERE id = ?",
            status,
            reason,
            now(),
            transfer["id"],
        )
        moved = find_transfer(store, psp, "payout", transfer_id=transfer["id"])
        publish(store, psp, "payout.sent_back", transfer_view(moved))
        return moved


TIMERS = {"capture": lambda store, subject: capture(store, subject) and None, "finish_transfer": finish_transfer}
