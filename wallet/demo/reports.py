"""The PSPs' side of the demo: their movements for the sandbox, and one month that finance has closed already."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import orjson
from django.conf import settings

from crm.demo import Demo
from crm.money import from_minor
from wallet.choices import MovementKind
from wallet.demo.lives import Plans
from wallet.demo.psps import OFFER
from wallet.models import Psp, PspMovement
from wallet.psp.settlement_csv import COLUMNS
from wallet.settlement_import import import_report

PAID_AT_HOUR = 6  # a PSP pays a week's balance to the merchant's bank on Monday morning


@dataclass(frozen=True, slots=True)
class Row:
    """A movement as its PSP knows it."""

    psp: str
    type: str
    psp_reference: str
    merchant_reference: str
    gross_minor: int
    fee_minor: int
    currency: str
    at: dt.datetime

    @property
    def net_minor(self) -> int:
        return self.gross_minor - self.fee_minor

    @property
    def monday(self) -> dt.date:
        return self.at.date() - dt.timedelta(days=self.at.weekday())


def _rows() -> list[Row]:
    rows = []
    for one in PspMovement.objects.select_related("psp").order_by("occurred_at", "pk"):
        offer = OFFER[one.psp.code]
        fee = offer.fee(one.amount_minor) if one.kind == MovementKind.PAYMENT else offer.payout_minor
        rows.append(
            Row(
                one.psp.code, one.kind, one.psp_reference, one.reference, one.amount_minor, fee, one.currency,
                one.occurred_at.replace(microsecond=0),
            )
        )  # fmt: skip
    return rows


def import_path() -> Path:
    """Where the sandbox PSPs look for what the demo made."""
    return Path(settings.VAR_DIR) / "sandbox" / "psp-import.jsonl"


def write_history(_plans: Plans) -> None:
    """One JSON line per movement; written beside and moved into place, so that no half file is read."""
    path = import_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as out:
        for row in _rows():
            line = {
                "psp": row.psp, "type": row.type, "psp_reference": row.psp_reference,
                "merchant_reference": row.merchant_reference, "gross_minor": row.gross_minor, "fee_minor": row.fee_minor,
                "currency": row.currency, "created_at": row.at.isoformat(),
            }  # fmt: skip
            out.write(orjson.dumps(line) + b"\n")
    draft.rename(path)


def import_month(demo: Demo, _plans: Plans) -> None:
    """The month before last was reconciled, for every PSP; last month waits for finance."""
    last_month = (demo.now.date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    last = last_month - dt.timedelta(days=1)
    first = last.replace(day=1)
    finance = next(iter(demo.by_role.get("finance", [])), None)
    rows = _rows()
    for psp in Psp.objects.select_related("brand").order_by("pk"):
        content = report([row for row in rows if row.psp == psp.code], psp.code, first, last)
        if finance is not None and content:
            import_report(psp_id=psp.pk, file_name=f"{psp.code}-{first:%Y-%m}.csv", content=content, actor=finance)


def report(rows: list[Row], code: str, first: dt.date, last: dt.date) -> bytes:
    """A settlement report as the sandbox writes it; empty when nothing moved in the period."""
    everything = sorted([*rows, *_bank_payouts(rows, code)], key=lambda row: (row.at, row.psp_reference))
    inside = [row for row in everything if first <= row.at.date() <= last]
    if not inside:
        return b""
    opening: dict[str, int] = defaultdict(int)
    for row in everything:
        if row.at.date() < first:
            opening[row.currency] += row.net_minor
    currencies = sorted({*opening, *(row.currency for row in inside)})
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    closing = dict.fromkeys(currencies, 0) | dict(opening)
    for currency in currencies:
        writer.writerow(_balance("opening", first, currency, closing[currency]))
    for row in inside:
        closing[row.currency] += row.net_minor
        amounts = {
            name: f"{from_minor(minor, row.currency):f}"
            for name, minor in (("gross", row.gross_minor), ("fee", row.fee_minor), ("net", row.net_minor))
        }
        writer.writerow(
            {
                "record": "row", "batch": f"{code}-{row.monday:%Y%m%d}-{row.currency}", "type": row.type,
                "psp_reference": row.psp_reference, "merchant_reference": row.merchant_reference,
                "created_at": f"{row.at:%Y-%m-%dT%H:%M:%SZ}", "currency": row.currency, **amounts,
            }
        )  # fmt: skip
    for currency in currencies:
        writer.writerow(_balance("closing", last, currency, closing[currency]))
    return out.getvalue().encode()


def _balance(record: str, day: dt.date, currency: str, minor: int) -> dict[str, str]:
    return {
        "record": record, "created_at": day.isoformat(), "currency": currency, "net": f"{from_minor(minor, currency):f}"
    }  # fmt: skip


def _bank_payouts(rows: list[Row], code: str) -> list[Row]:
    """Each whole week's positive balance, paid to our bank the Monday after."""
    weeks: dict[tuple[dt.date, str], int] = defaultdict(int)
    for row in rows:
        weeks[row.monday + dt.timedelta(days=7), row.currency] += row.net_minor
    return [
        Row(
            code, "merchant_payout", f"{code}-{paid_on:%Y%m%d}-{currency}", "", -net, 0, currency,
            dt.datetime.combine(paid_on, dt.time(PAID_AT_HOUR), tzinfo=dt.UTC),
        )
        for (paid_on, currency), net in sorted(weeks.items())
        if net > 0
    ]  # fmt: skip
