"""Stripe's itemised payout reconciliation: every row proved, every payout to our bank added up from its rows.

Amounts are in major units. The report holds only what went into automatic payouts, so each payout's rows add up to what
reached the bank; that sum becomes a row of its own. It carries no balances: the opening is zero, and so must the closing be.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace

from django.utils.translation import gettext as _

from wallet.choices import RowType
from wallet.psp.base import FileRow, SettlementFile
from wallet.psp.settlement_csv import BadFile, decoded, exact_minor, wrong

REQUIRED = (
    "automatic_payout_id", "automatic_payout_effective_at_utc", "balance_transaction_id", "created_utc", "currency", "gross",
    "fee", "net", "reporting_category", "source_id",
)  # fmt: skip
TYPES = {
    "charge": RowType.PAYMENT,
    "payment": RowType.PAYMENT,
    "refund": RowType.REFUND,
    "partial_capture_reversal": RowType.REFUND,
    "refund_failure": RowType.REFUND,
    "charge_failure": RowType.CHARGEBACK,
    "dispute": RowType.CHARGEBACK,
    "dispute_reversal": RowType.CHARGEBACK_REVERSED,
    "fee": RowType.FEE,
    "network_cost": RowType.FEE,
    "tax": RowType.FEE,
    "other_adjustment": RowType.FEE,
}


def read_payout_reconciliation(content: bytes) -> SettlementFile:
    """Raises BadFile naming line and column."""
    reader = csv.DictReader(io.StringIO(decoded(content)), strict=True)
    try:
        present = list(reader.fieldnames or [])
        if missing := [name for name in REQUIRED if name not in present]:
            raise BadFile(
                _("Line 1: these columns are missing: %(columns)s. Nothing was imported.")
                % {"columns": ", ".join(missing)}
            )
        rows: list[FileRow] = []
        seen: dict[str, int] = {}
        payouts: dict[tuple[str, str], tuple[int, int, dt.datetime]] = {}
        for record in reader:
            line = reader.line_num
            if None in record or None in record.values():
                raise wrong(line, "—", _("the row has more or fewer fields than the header."))
            row = _row(line, record)
            first = seen.setdefault(record["balance_transaction_id"], line)
            if first != line:
                raise wrong(
                    line, "balance_transaction_id", _("the same transaction stands on line %(n)s.") % {"n": first}
                )
            rows.append(row)
            _line, total, _at = payouts.get((row.batch, row.currency), (line, 0, row.booked_at))
            paid_at = _time(line, "automatic_payout_effective_at_utc", record)
            payouts[row.batch, row.currency] = (line, total + row.net_minor, paid_at)
    except csv.Error as error:
        raise wrong(reader.line_num, "—", f"{error}.") from error
    if not rows:
        raise BadFile(
            _("The report has no rows: no payout to your bank took effect in this period. Nothing was imported.")
        )
    # Rows that we derive stand behind the file's own.
    end = rows[-1].line
    rows += [
        replace(_to_bank(batch, currency, *found), line=end + number)
        for number, ((batch, currency), found) in enumerate(payouts.items(), start=1)
    ]
    days = [row.booked_at.date() for row in rows]
    zero = {row.currency: 0 for row in rows}
    return SettlementFile(min(days), max(days), tuple(rows), zero, zero)


def _row(line: int, record: dict[str, str]) -> FileRow:
    currency = record["currency"].strip().upper()
    if not (currency.isascii() and currency.isalpha() and len(currency) == 3):
        raise wrong(line, "currency", _("“%(value)s” is not a currency code.") % {"value": record["currency"]})
    kind = TYPES.get(record["reporting_category"])
    if kind is None:
        raise wrong(
            line, "reporting_category", _("“%(value)s” is not a known type.") % {"value": record["reporting_category"]}
        )
    for column in ("automatic_payout_id", "balance_transaction_id"):
        if not record[column]:
            raise wrong(line, column, _("it is empty."))
    gross, fee, net = (exact_minor(line, column, record[column], currency) for column in ("gross", "fee", "net"))
    if gross - fee != net:
        raise wrong(line, "net", _("gross less fee is not net."))
    own = "refund_metadata[reference]" if kind == RowType.REFUND else "payment_metadata[reference]"
    intent = record.get("payment_intent_id") or ""
    is_payment = kind == RowType.PAYMENT
    return FileRow(
        line=line,
        type=kind,
        psp_reference=((intent if is_payment else "") or record["source_id"] or record["balance_transaction_id"])[:100],
        merchant_reference=(record.get(own) or "")[:100],
        original_reference="" if is_payment else intent[:100],
        batch=record["automatic_payout_id"][:60],
        booked_at=_time(line, "created_utc", record),
        currency=currency,
        gross_minor=gross,
        fee_minor=fee,
        net_minor=net,
    )


def _to_bank(batch: str, currency: str, line: int, total: int, at: dt.datetime) -> FileRow:
    if total <= 0:
        raise wrong(
            line, "net",
            _("the rows of payout %(payout)s add up to %(sum)s (minor units), which nobody pays out: a row is missing.")
            % {"payout": batch, "sum": total},
        )  # fmt: skip
    return FileRow(
        line=line, type=RowType.MERCHANT_PAYOUT, psp_reference=batch, merchant_reference="", original_reference="",
        batch=batch, booked_at=at, currency=currency, gross_minor=-total, fee_minor=0, net_minor=-total,
    )  # fmt: skip


def _time(line: int, column: str, record: dict[str, str]) -> dt.datetime:
    text = record[column].strip()
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise wrong(line, column, _("“%(value)s” is not a date like 2026-10-31.") % {"value": text}) from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
