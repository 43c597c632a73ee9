"""The PSPs' side of the demo: their movements for the sandbox, and the settlement reports that finance has imported so far."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections import defaultdict
from pathlib import Path

import orjson
from django.conf import settings

from crm.demo import Demo
from crm.money.amounts import from_minor
from wallet.choices.reconciliation import MovementKind
from wallet.demo.psps import LATE, OFFER
from wallet.demo.rows import Row
from wallet.demo.seeded_breaks import CARDS, plant
from wallet.models import Break, Psp, PspMovement, SettlementImport
from wallet.psp.settlement_csv import COLUMNS
from wallet.reconciliation.settlement_import import import_report

PAID_AT_HOUR = 6  # a PSP pays a week's balance to the merchant's bank on Monday morning
LATE_DAYS = 6
MONTHS = 3
IMPORTED_AT = dt.time(7, 40)


def _rows() -> list[Row]:
    rows = []
    for one in PspMovement.objects.select_related("psp").order_by("occurred_at", "pk"):
        offer = OFFER[one.psp.code]
        fee = offer.fee(one.amount_minor) if one.kind == MovementKind.PAYMENT else offer.payout_minor
        rows.append(
            Row(
                one.psp.code,
                one.kind,
                one.psp_reference,
                one.reference,
                one.amount_minor,
                fee,
                one.currency,
                one.occurred_at.replace(microsecond=0),
                client_id=one.client_id or 0,
            )
        )
    return rows


def import_path() -> Path:
    """Where the sandbox PSPs look for what the demo made."""
    return Path(settings.SANDBOX_IMPORTS) / "psp-import.jsonl"


def write_history() -> None:
    """One JSON line per movement; written beside and moved into place, so that no half file is read."""
    path = import_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with draft.open("wb") as out:
        for row in _rows():
            line = {
                "psp": row.psp,
                "type": row.type,
                "psp_reference": row.psp_reference,
                "merchant_reference": row.merchant_reference,
                "gross_minor": row.gross_minor,
                "fee_minor": row.fee_minor,
                "currency": row.currency,
                "created_at": row.at.isoformat(),
            }
            out.write(orjson.dumps(line) + b"\n")
    draft.rename(path)


def import_reports(demo: Demo) -> list[SettlementImport]:
    """Every PSP's reports of the two months before and of this one until yesterday; one PSP's is some days late.

    In the first brand they say a few things that our books do not, and the other way round (`seeded_breaks`).
    """
    finance = next(iter(demo.by_role.get("finance", [])), None)
    if finance is None:
        return []
    today = demo.now.astimezone(dt.UTC).date()
    rows, reports = _rows(), []
    planted = plant([row for row in rows if demo.brands and OFFER[row.psp].brand == demo.brands[0].code], today)
    demo.extra["wallet_planted"] = planted
    for psp in Psp.objects.filter(code__in=OFFER).select_related("brand").order_by("pk"):
        until = today - dt.timedelta(days=LATE_DAYS if psp.code == LATE else 1)
        payouts = _bank_payouts([row for row in rows if row.psp == psp.code], psp.code)
        told = [row for row in planted.changed(rows) if row.psp == psp.code]
        for first, last in weeks_of(months_until(until)) if psp.code == CARDS else months_until(until):
            content = report([*told, *payouts], psp.code, first, last)
            if content:
                name = f"{psp.code}-{first:%Y-%m}{_days(first, last)}.csv"
                reports.append(import_report(psp_id=psp.pk, file_name=name, content=content, actor=finance))
    _as_if_imported_in_time(demo, reports)
    return reports


def months_until(until: dt.date) -> list[tuple[dt.date, dt.date]]:
    """The month of a day up to that day, and the two before it."""
    spans = []
    last = until
    for _month in range(MONTHS):
        spans.append((last.replace(day=1), last))
        last = last.replace(day=1) - dt.timedelta(days=1)
    return spans[::-1]


def weeks_of(months: list[tuple[dt.date, dt.date]]) -> list[tuple[dt.date, dt.date]]:
    """The last month in weeks from its first day on, the others whole."""
    first, last = months[-1]
    starts = [first + dt.timedelta(days=days) for days in range(0, (last - first).days + 1, 7)]
    return [*months[:-1], *((start, min(start + dt.timedelta(days=6), last)) for start in starts)]


def _days(first: dt.date, last: dt.date) -> str:
    """For the file's name: of a week its days."""
    return f"-{first:%d}-{last:%d}" if first.day > 1 or (last - first).days == 6 else ""


def _as_if_imported_in_time(demo: Demo, reports: list[SettlementImport]) -> None:
    """Finance imports a report in the morning after its last day, and its breaks are opened then."""
    for one in reports:
        morning = dt.datetime.combine(one.last_day + dt.timedelta(days=1), IMPORTED_AT, tzinfo=dt.UTC)
        at = min(morning, demo.now)
        SettlementImport.objects.filter(pk=one.pk).update(imported_at=at)
        Break.objects.filter(report=one).update(opened_at=at)


def report(everything: list[Row], code: str, first: dt.date, last: dt.date) -> bytes:
    """A settlement report as the sandbox writes it, also of days without a movement; empty before the first one."""
    everything = sorted(everything, key=lambda row: (row.at, row.psp_reference))
    inside = [row for row in everything if first <= row.at.date() <= last]
    if not everything or everything[0].at.date() > last:
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
                "record": "row",
                "batch": f"{code}-{row.monday:%Y%m%d}-{row.currency}",
                "type": row.type,
                "psp_reference": row.psp_reference,
                "merchant_reference": row.merchant_reference,
                "original_reference": row.original_reference,
                "created_at": f"{row.at:%Y-%m-%dT%H:%M:%SZ}",
                "currency": row.currency,
                **amounts,
            }
        )
    for currency in currencies:
        writer.writerow(_balance("closing", last, currency, closing[currency]))
    return out.getvalue().encode()


def _balance(record: str, day: dt.date, currency: str, minor: int) -> dict[str, str]:
    return {
        "record": record,
        "created_at": day.isoformat(),
        "currency": currency,
        "net": f"{from_minor(minor, currency):f}",
    }


def _bank_payouts(rows: list[Row], code: str) -> list[Row]:
    """Each whole week's positive balance, paid to our bank the Monday after."""
    weeks: dict[tuple[dt.date, str], int] = defaultdict(int)
    for row in rows:
        weeks[row.monday + dt.timedelta(days=7), row.currency] += row.net_minor
    return [
        Row(
            code,
            "merchant_payout",
            f"{code}-{paid_on:%Y%m%d}-{currency}",
            "",
            -net,
            0,
            currency,
            dt.datetime.combine(paid_on, dt.time(PAID_AT_HOUR), tzinfo=dt.UTC),
        )
        for (paid_on, currency), net in sorted(weeks.items())
        if net > 0
    ]
