"""PayPal's settlement report (STL, version 9): RH, FH, then per currency SH, CH, SB…, SF, SC, then FF, RF.

Amounts are unsigned and without a decimal point; the column beside each says CR or DR. The section's footer carries the
debits, credits, fees and the balance at its beginning and end: what proves that no row is missing.
"""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.psp.characters import Character
from sandbox.psp.faults import Faults
from sandbox.psp.store import Store, now

ACCOUNT = "MERCHANTPAYPAL"
COLUMNS = (
    "Transaction ID",
    "Invoice ID",
    "PayPal Reference ID",
    "PayPal Reference ID Type",
    "Transaction Event Code",
    "Transaction Initiation Date",
    "Transaction Completion Date",
    "Transaction Debit or Credit",
    "Gross Transaction Amount",
    "Gross Transaction Currency",
    "Fee Debit or Credit",
    "Fee Amount",
    "Fee Currency",
    "Custom Field",
    "Consumer ID",
    "Payment Tracking ID",
    "Store ID",
    "Bank Reference ID",
    "Credit Transactional Fee",
    "Credit Promotional Fee",
    "Credit Term",
)
EVENT_CODES = {
    "payment": "T0006",
    "payout": "T0001",
    "refund": "T1107",
    "chargeback": "T1201",
    "chargeback_reversed": "T1202",
}
CREDITS = frozenset({"payment", "chargeback_reversed"})


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y/%m/%d %H:%M:%S +0000")


def _body(row: dict[str, Any]) -> list[str]:
    fee = row["fee_minor"]
    gross = row["gross_minor"]
    original = row["original_reference"]
    return [
        "SB",
        row["psp_reference"].replace("pay_", "CAP"),
        row["merchant_reference"],
        original.replace("pay_", "CAP"),
        "TXN" if original else "",
        EVENT_CODES[row["type"]],
        _stamp(row["created_at"]),
        _stamp(row["created_at"]),
        "CR" if gross >= 0 else "DR",
        str(abs(gross)),
        row["currency"],
        "DR" if fee >= 0 else "CR",
        str(abs(fee)),
        row["currency"],
        row["merchant_reference"],
        "",
        "",
        "",
        "",
        "",
        "",
        "",
    ]


def _planted(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Plant the fault `settlement_difference`: a row less, one more, or one that differs; totals follow, except for `totals`."""
    if not rows or kind == "totals":
        return rows
    victim = rows[len(rows) // 2]
    others = [row for row in rows if row is not victim]
    if kind == "missing_row":
        return others
    if kind == "duplicate_row":
        return [*rows, dict(victim)]
    if kind == "extra_row":
        return [*rows, {**victim, "psp_reference": "CAPUNKNOWN", "merchant_reference": ""}]
    changed = {"fee": {"fee_minor": victim["fee_minor"] + 50}, "amount": {"gross_minor": victim["gross_minor"] - 1_000}}
    return [{**row, **changed.get(kind, {})} if row is victim else row for row in rows]


def _section(rows: list[dict[str, Any]], currency: str, opening: int, first: date, last: date, *, broken: bool) -> Any:
    debit = sum(-row["gross_minor"] for row in rows if row["gross_minor"] < 0)
    credit = sum(row["gross_minor"] for row in rows if row["gross_minor"] >= 0)
    fees = sum(row["fee_minor"] for row in rows)
    closing = opening + credit - debit - fees + (1 if broken else 0)
    period = [f"{first:%Y/%m/%d} 00:00:00 +0000", f"{last:%Y/%m/%d} 23:59:59 +0000"]
    yield ["SH", *period, ACCOUNT, ""]
    yield ["CH", *COLUMNS]
    for row in rows:
        yield _body(row)
    sign = "DR" if opening < 0 else "CR"
    sign_after = "DR" if closing < 0 else "CR"
    # currency, gross credits, gross debits, fee credits, fee debits, then balances at begin and end (available, payable)
    yield [
        "SF",
        currency,
        str(credit),
        str(debit),
        "0",
        str(fees),
        sign,
        str(abs(opening)),
        sign_after,
        str(abs(closing)),
        "CR",
        "0",
        "CR",
        "0",
    ]
    yield ["SC", str(len(rows))]


def stl_report(store: Store, character: Character, first: date, last: date) -> str:
    """Write the report of the days `first` to `last`, both included."""
    since = datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()
    end = last + timedelta(days=1)
    until = min(datetime(end.year, end.month, end.day, tzinfo=UTC).timestamp(), now())
    rows = [
        dict(row)
        for row in store.rows(
            "SELECT * FROM movements WHERE psp = ? AND created_at < ? ORDER BY created_at, id", character.code, until
        )
    ]
    difference = str(Faults(store).spend(character.code, "settlement_difference") or "")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["RH", _stamp(now()), "A", ACCOUNT, "009"])
    writer.writerow(["FH", "01"])
    total = 0
    for currency in sorted({row["currency"] for row in rows}) or ["EUR"]:
        before = [row for row in rows if row["currency"] == currency and row["created_at"] < since]
        inside = [row for row in rows if row["currency"] == currency and row["created_at"] >= since]
        inside = _planted(inside, difference) if difference else inside
        opening = sum(row["gross_minor"] - row["fee_minor"] for row in before)
        total += len(inside)
        writer.writerows(_section(inside, currency, opening, first, last, broken=difference == "totals"))
    writer.writerow(["FF", str(total)])
    writer.writerow(["RF", str(total)])
    return out.getvalue()
