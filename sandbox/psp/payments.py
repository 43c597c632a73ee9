"""What the PSP does with a payment. Each change writes its row, its movement and its event together."""

import hashlib
import json
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from sandbox.psp.characters import CHARACTERS, Character
from sandbox.psp.store import Store, new_id, now
from sandbox.psp.webhooks import publish

AMOUNT_MINOR_MAX = 10**15


class ApiError(Exception):
    """An answer with an error in it: HTTP status, stable code, words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Pace:
    """Scales every waiting time; tests run at a fraction."""

    factor: float = 1.0

    def __call__(self, seconds: float) -> float:
        return seconds * self.factor


def request_hash_of(body: dict[str, Any]) -> str:
    """Hash a request's body, to recognise its repeat."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def read_text(body: dict[str, Any], field: str, *, required: bool = True, longest: int = 500) -> str:
    """Read a text field of the body. Raises ApiError."""
    value = body.get(field, "")
    if not isinstance(value, str) or len(value) > longest or (required and not value):
        raise ApiError(400, "invalid_field", f"{field} must be text of 1 to {longest} characters.")
    return value


def read_amount(body: dict[str, Any]) -> int:
    """Read `amount_minor` of the body. Raises ApiError."""
    value = body.get("amount_minor")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= AMOUNT_MINOR_MAX:
        raise ApiError(400, "invalid_amount", "amount_minor must be a positive whole number of minor units.")
    return value


def read_currency(body: dict[str, Any], character: Character) -> str:
    """Read a currency that this PSP takes. Raises ApiError."""
    currency = read_text(body, "currency", longest=10)
    if currency not in character.currencies:
        raise ApiError(
            400, "currency_not_supported", f"{character.name} takes {', '.join(character.currencies)}, not {currency}."
        )
    return currency


def start_timer(store: Store, action: str, subject: str, seconds: float) -> None:
    """Schedule what happens to a payment or transfer in so many seconds."""
    store.insert("timers", due_at=now() + seconds, action=action, subject=subject)


def payment_view(row: Row, base_url: str = "") -> dict[str, Any]:
    """Show a payment as the API and the webhooks do."""
    fields = (
        "id",
        "reference",
        "status",
        "amount_minor",
        "currency",
        "received_minor",
        "refunded_minor",
        "method",
        "instrument",
        "payer_name",
        "failure",
    )
    view = {name: row[name] for name in fields} | {
        "created_at": int(row["created_at"]),
        "updated_at": int(row["updated_at"]),
    }
    if base_url:
        view["redirect_url"] = f"{base_url}/{row['psp']}/pay/{row['token']}"
    return view


# Payments


def create_payment(store: Store, character: Character, body: dict[str, Any]) -> Row:
    """Create a payment session. The same reference with the same body answers the first one; with another it is refused."""
    reference, request_hash = read_text(body, "reference", longest=100), request_hash_of(body)
    with store.transaction():
        known = store.row("SELECT * FROM payments WHERE psp = ? AND reference = ?", character.code, reference)
        if known is not None:
            if known["request_hash"] != request_hash:
                raise ApiError(409, "reference_reused", f"Reference {reference} was used for another payment.")
            return known
        payment_id = new_id("pay")
        store.insert(
            "payments",
            id=payment_id,
            psp=character.code,
            reference=reference,
            amount_minor=read_amount(body),
            currency=read_currency(body, character),
            return_url=read_text(body, "return_url", longest=2000),
            token=new_id("session"),
            locale=read_text(body, "locale", required=False, longest=5) or "en",
            merchant_name=read_text(body, "merchant_name", required=False, longest=100),
            method=read_text(body, "method", required=False, longest=30),
            status="created",
            request_hash=request_hash,
            created_at=now(),
            updated_at=now(),
        )
        return get_payment(store, payment_id)


def get_payment(store: Store, payment_id: str) -> Row:
    """Read a payment by its id. Raises ApiError."""
    row = store.row("SELECT * FROM payments WHERE id = ?", payment_id)
    if row is None:
        raise ApiError(404, "unknown_payment", f"There is no payment {payment_id}.")
    return row


def find_payment(store: Store, psp: str, *, payment_id: str = "", reference: str = "", token: str = "") -> Row:
    """Find a payment by the PSP's id, the merchant's reference or the hosted page's token."""
    row = store.row(
        "SELECT * FROM payments WHERE psp = ? AND (id = ? OR reference = ? OR token = ?)",
        psp,
        payment_id,
        reference,
        token,
    )
    if row is None:
        raise ApiError(404, "unknown_payment", f"There is no payment {payment_id or reference or token}.")
    return row


def _move(store: Store, payment: Row, status: str, **changes: Any) -> Row:
    columns = "".join(f", {name} = ?" for name in changes)
    store.run(
        f"UPDATE payments SET status = ?, updated_at = ?{columns} WHERE id = ?",  # noqa: S608 (our own column names)
        status,
        now(),
        *changes.values(),
        payment["id"],
    )
    moved = get_payment(store, payment["id"])
    publish(store, moved["psp"], f"payment.{status}", payment_view(moved))
    return moved


def pay(
    store: Store,
    payment_id: str,
    *,
    pace: Pace,
    method: str,
    instrument: str,
    payer_name: str,
    received_minor: int | None = None,
) -> Row:
    """Pay as the client does. Cards capture at once; bank and crypto take a while. Paying twice changes nothing."""
    with store.transaction():
        payment = get_payment(store, payment_id)
        if payment["status"] != "created":
            return payment
        character = CHARACTERS[payment["psp"]]
        facts = {
            "method": method,
            "instrument": instrument,
            "payer_name": payer_name,
            "received_minor": payment["amount_minor"] if received_minor is None else received_minor,
        }
        if seconds := character.seconds_to_capture(method):
            pending = _move(store, payment, "pending", **facts)
            start_timer(store, "capture", payment_id, pace(seconds))
            return pending
        if character.captured_by_merchant:
            return _move(store, payment, "authorised", **facts)
        if character.announces_authorisation:
            payment = _move(store, payment, "authorised", **facts)
        else:
            store.run(
                "UPDATE payments SET method = ?, instrument = ?, payer_name = ?, received_minor = ? WHERE id = ?",
                *facts.values(),
                payment_id,
            )
        return capture(store, payment_id)


def capture(store: Store, payment_id: str) -> Row:
    """Capture a payment: the money is the merchant's, a movement with its fee, and `payment.captured`."""
    with store.transaction():
        payment = get_payment(store, payment_id)
        if payment["status"] not in ("created", "authorised", "pending"):
            return payment
        received = payment["received_minor"]
        store.insert(
            "movements",
            psp=payment["psp"],
            type="payment",
            psp_reference=payment["id"],
            merchant_reference=payment["reference"],
            gross_minor=received,
            fee_minor=min(CHARACTERS[payment["psp"]].fee(received), received),
            currency=payment["currency"],
            method=payment["method"],
            created_at=now(),
        )
        return _move(store, payment, "captured")


def decline(store: Store, payment_id: str, reason: str) -> Row:
    """Fail a payment for good; a retry is a new payment."""
    with store.transaction():
        payment = get_payment(store, payment_id)
        return payment if payment["status"] != "created" else _move(store, payment, "failed", failure=reason)


def expire(store: Store, payment_id: str) -> Row:
    """End a payment that the client did not make in time, or whose page the merchant closed."""
    with store.transaction():
        payment = get_payment(store, payment_id)
        return payment if payment["status"] != "created" else _move(store, payment, "expired")
