"""The settlement report: every movement of a period with gross, fee and net, batches, and a proof by opening and
closing balance.

Columns: record, batch, type, psp_reference, merchant_reference, original_reference, created_at, currency, gross,
fee, net, method.
`opening` and `closing` records carry a balance per currency in `net`; every `row` between them adds up: opening + Σ
net = closing.
A `merchant_payout` row is the PSP's own transfer of a week's balance to the merchant's bank.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.psp.characters import Character
from sandbox.psp.faults import Faults
from sandbox.psp.money import major
from sandbox.psp.store import Store, now

COLUMNS = (
    "record",
    "batch",
    "type",
    "psp_reference",
    "merchant_reference",
    "original_reference",
    "created_at",
    "currency",
    "gross",
    "fee",
    "net",
    "method",
)
DIFFERENCES = ("amount", "fee", "missing_row", "extra_row", "duplicate_row", "currency", "totals")


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _week_of(at: float) -> tuple[date, date]:
    """Monday of the movement's week, and the next Monday, when the week's balance is paid to the merchant's bank."""
    day = datetime.fromtimestamp(at, UTC).date()
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)


def _merchant_payouts(store: Store, psp: str, until: float) -> list[dict[str, Any]]:
    """List what the PSP paid to the merchant's bank before `until`: each whole week's positive net, per currency."""
    weeks: dict[tuple[date, str], int] = defaultdict(int)
    for row in store.rows(
        "SELECT created_at, currency, gross_minor - fee_minor AS net FROM movements WHERE psp = ?", psp
    ):
        weeks[_week_of(row["created_at"])[1], row["currency"]] += row["net"]
    return [
        {
            "type": "merchant_payout",
            "psp_reference": f"{psp}-{paid_on:%Y%m%d}-{currency}",
            "merchant_reference": "",
            "original_reference": "",
            "created_at": _midnight(paid_on) + 6 * 3600,
            "currency": currency,
            "gross_minor": -net,
            "fee_minor": 0,
            "method": "bank_transfer",
            "batch": f"{psp}-{paid_on - timedelta(days=7):%Y%m%d}-{currency}",
        }
        for (paid_on, currency), net in sorted(weeks.items())
        if net > 0 and _midnight(paid_on) + 6 * 3600 < until
    ]


def _plant(rows: list[dict[str, Any]], kind: str) -> None:
    """Make one payment row in the middle differ from what really happened, so that the report still adds up."""
    payments = [row for row in rows if row["type"] == "payment"]
    if not payments:
        return
    victim = payments[len(payments) // 2]
    if kind == "amount":
        victim["gross_minor"] -= 1_000
    elif kind == "fee":
        victim["fee_minor"] += 50
    elif kind == "missing_row":
        rows.remove(victim)
    elif kind in ("extra_row", "duplicate_row"):
        copy = dict(victim)
        if kind == "extra_row":
            copy |= {"psp_reference": "pay_unknown_to_the_merchant", "merchant_reference": ""}
        rows.insert(rows.index(victim) + 1, copy)
    elif kind == "currency":
        victim["currency"] = "USD" if victim["currency"] != "USD" else "EUR"


def movements_of(
    store: Store, character: Character, first: date, last: date, *, plant: bool = True
) -> tuple[list[dict[str, Any]], dict[str, int], str]:
    """List the period's movements in order with their batch, the balances before it, and the planted difference if any.

    plant: the fault `settlement_difference` is spent here; False leaves it to another part of the same report.
    """
    since, until = _midnight(first), min(_midnight(last + timedelta(days=1)), now())
    rows = [
        dict(row) | {"batch": f"{character.code}-{_week_of(row['created_at'])[0]:%Y%m%d}-{row['currency']}"}
        for row in store.rows("SELECT * FROM movements WHERE psp = ? AND created_at < ?", character.code, until)
    ] + _merchant_payouts(store, character.code, until)
    opening: dict[str, int] = defaultdict(int)
    for row in rows:
        opening[row["currency"]] += (row["gross_minor"] - row["fee_minor"]) if row["created_at"] < since else 0
    inside = sorted(
        (row for row in rows if row["created_at"] >= since), key=lambda row: (row["created_at"], row["psp_reference"])
    )
    difference = Faults(store).spend(character.code, "settlement_difference") if plant else None
    if difference:
        _plant(inside, difference)
    return inside, opening, difference or ""


def report(store: Store, character: Character, first: date, last: date) -> str:
    """Write the report for the days `first` to `last`, both included, as CSV text."""
    inside, opening, difference = movements_of(store, character, first, last)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_records(inside, opening, first, last, broken_totals=difference == "totals"))
    return out.getvalue()


def _records(
    rows: list[dict[str, Any]], opening: dict[str, int], first: date, last: date, *, broken_totals: bool
) -> Iterator[dict[str, str]]:
    currencies = sorted({*opening, *(row["currency"] for row in rows)})
    closing = {currency: opening.get(currency, 0) for currency in currencies}
    for currency in currencies:
        yield {
            "record": "opening",
            "created_at": first.isoformat(),
            "currency": currency,
            "net": major(closing[currency], currency),
        }
    for row in rows:
        currency, net = row["currency"], row["gross_minor"] - row["fee_minor"]
        closing[currency] += net
        yield {
            "record": "row",
            "batch": row["batch"],
            "type": row["type"],
            "psp_reference": row["psp_reference"],
            "merchant_reference": row["merchant_reference"],
            "original_reference": row["original_reference"],
            "created_at": datetime.fromtimestamp(row["created_at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "currency": currency,
            "gross": major(row["gross_minor"], currency),
            "fee": major(row["fee_minor"], currency),
            "net": major(net, currency),
            "method": row["method"],
        }
    for currency in currencies:
        total = closing[currency] + (1 if broken_totals else 0)
        yield {"record": "closing", "created_at": last.isoformat(), "currency": currency, "net": major(total, currency)}
