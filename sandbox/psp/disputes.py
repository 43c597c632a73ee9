"""Disputes: the payer's bank asks, takes the money back, and gives it back again or not.

A dispute opens (`dispute.opened`), the money goes (`payment.chargeback`), evidence may be sent, and it ends won
(`payment.chargeback_reversed`, `dispute.closed`) or lost (`dispute.closed`). The plain dialect tells the two movements only.
"""

import json
from sqlite3 import Row
from typing import Any

from sandbox.psp.payments import ApiError, get_payment, payment_view
from sandbox.psp.store import Store, new_id, now
from sandbox.psp.webhooks import publish

CHARGEBACK_FEE_MINOR = 1_500
DAYS_TO_ANSWER = 14


def dispute_view(row: Row) -> dict[str, Any]:
    """Show a dispute as it is in events."""
    fields = ("id", "amount_minor", "currency", "reason", "status")
    return {name: row[name] for name in fields} | {
        "withdrawn": bool(row["withdrawn"]),
        "due_at": int(row["due_at"]),
        "created_at": int(row["created_at"]),
        "evidence": json.loads(row["evidence"]),
    }


def find_dispute(store: Store, psp: str, *, dispute_id: str = "", payment_id: str = "") -> Row:
    """Find a dispute by its id or its payment's. Raises ApiError."""
    row = store.row("SELECT * FROM disputes WHERE psp = ? AND (id = ? OR payment_id = ?)", psp, dispute_id, payment_id)
    if row is None:
        raise ApiError(404, "unknown_dispute", f"There is no dispute {dispute_id or payment_id}.")
    return row


def _tell(store: Store, payment: Row, event_type: str) -> None:
    dispute = find_dispute(store, payment["psp"], payment_id=payment["id"])
    publish(store, payment["psp"], event_type, payment_view(payment) | {"dispute": dispute_view(dispute)})


def open_dispute(store: Store, payment_id: str, reason: str = "fraudulent") -> Row:
    """Open a dispute as the payer's bank does; no money moves yet. Once per payment."""
    with store.transaction():
        payment = get_payment(store, payment_id)
        if payment["status"] != "captured":
            raise ApiError(409, "wrong_state", f"Payment {payment_id} is {payment['status']}.")
        if store.row("SELECT id FROM disputes WHERE payment_id = ?", payment_id) is None:
            store.insert(
                "disputes",
                id=new_id("dp"),
                psp=payment["psp"],
                payment_id=payment_id,
                amount_minor=payment["received_minor"],
                currency=payment["currency"],
                reason=reason,
                status="needs_response",
                due_at=now() + DAYS_TO_ANSWER * 86_400,
                created_at=now(),
                updated_at=now(),
            )
            _tell(store, payment, "dispute.opened")
        return payment


def supply_evidence(store: Store, dispute_id: str, evidence: dict[str, Any], *, submit: bool) -> None:
    """Take the merchant's evidence; once submitted it is with the payer's bank."""
    with store.transaction():
        dispute = store.row("SELECT * FROM disputes WHERE id = ?", dispute_id)
        if dispute is None or dispute["status"] != "needs_response":
            raise ApiError(400, "dispute_closed", "This dispute takes no evidence any more.")
        known = json.loads(dispute["evidence"]) | evidence
        store.run(
            "UPDATE disputes SET evidence = ?, status = ?, updated_at = ? WHERE id = ?",
            json.dumps(known),
            "under_review" if submit else "needs_response",
            now(),
            dispute_id,
        )


def charge_back(store: Store, payment_id: str, *, reverse: bool = False) -> Row:
    """Take the money back as the payer's bank does (or give it back again), with a fee."""
    needed, status, kind = (
        ("charged_back", "captured", "chargeback_reversed") if reverse else ("captured", "charged_back", "chargeback")
    )
    with store.transaction():
        payment = get_payment(store, payment_id)
        if payment["status"] != needed:
            raise ApiError(409, "wrong_state", f"Payment {payment_id} is {payment['status']}.")
        if not reverse:
            open_dispute(store, payment_id)
        dispute = find_dispute(store, payment["psp"], payment_id=payment_id)
        store.insert(
            "movements",
            psp=payment["psp"],
            type=kind,
            psp_reference=f"{dispute['id']}_won" if reverse else dispute["id"],
            merchant_reference=payment["reference"],
            original_reference=payment["id"],
            gross_minor=payment["received_minor"] if reverse else -payment["received_minor"],
            fee_minor=0 if reverse else CHARGEBACK_FEE_MINOR,
            currency=payment["currency"],
            method=payment["method"],
            created_at=now(),
        )
        store.run("UPDATE payments SET status = ?, updated_at = ? WHERE id = ?", status, now(), payment_id)
        store.run("UPDATE disputes SET withdrawn = ?, updated_at = ? WHERE id = ?", not reverse, now(), dispute["id"])
        moved = get_payment(store, payment_id)
        _tell(store, moved, f"payment.{kind}")
        if reverse:
            close_dispute(store, payment_id, won=True)
        return moved


def close_dispute(store: Store, payment_id: str, *, won: bool) -> Row:
    """Close a dispute with the decision of the payer's bank."""
    with store.transaction():
        payment = get_payment(store, payment_id)
        dispute = find_dispute(store, payment["psp"], payment_id=payment_id)
        if dispute["status"] in ("won", "lost"):
            raise ApiError(409, "wrong_state", f"The dispute is {dispute['status']}.")
        status = "won" if won else "lost"
        store.run("UPDATE disputes SET status = ?, updated_at = ? WHERE id = ?", status, now(), dispute["id"])
        _tell(store, payment, "dispute.closed")
        return payment
