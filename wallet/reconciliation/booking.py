"""What reports make us book, as differences to what of them is booked already: a match that is undone takes its part back.

Fees: of matched rows, and of rows that are fees themselves. Reserves: what the PSP held back, less what it released, into an
account of its own. Conversions: what the PSP made of a
payment in another currency, at its own rate. Payouts: from the PSP's account to our client-money bank, once each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db import connection

from crm.models import Actor
from crm.money.amounts import from_minor
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.reconciliation import RowType
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import SettlementImport, SettlementRow

RATE_STEP = Decimal("1e-12")
FEES = """
SELECT r.report_id, r.currency, sum(CASE WHEN r.type = 'fee' THEN -r.net_minor ELSE r.fee_minor END)::bigint
FROM wallet_settlementrow r LEFT JOIN wallet_match x ON x.row_id = r.id AND x.leg = 'psp'
WHERE r.report_id = ANY(%(reports)s) AND NOT r.is_repeat AND (x.id IS NOT NULL OR r.type = 'fee'
  OR (r.type = 'reserve' AND EXISTS (SELECT 1 FROM wallet_reserveitem k WHERE k.row_id = r.id)))
GROUP BY 1, 2
"""
RESERVES = """
SELECT r.report_id, k.currency, sum(k.amount_minor)::bigint FROM wallet_settlementrow r
JOIN wallet_reserveitem k ON k.row_id = r.id WHERE r.report_id = ANY(%(reports)s) AND r.type = 'reserve' GROUP BY 1, 2
"""
CONVERSIONS = """
SELECT r.report_id, m.currency, r.currency, sum(m.amount_minor)::bigint, sum(r.gross_minor)::bigint
FROM wallet_match x JOIN wallet_settlementrow r ON r.id = x.row_id JOIN wallet_pspmovement m ON m.id = x.movement_id
WHERE x.rule = 'fx' AND r.report_id = ANY(%(reports)s) GROUP BY 1, 2, 3
"""


def book(report_ids: Iterable[int], *, actor: Actor = None) -> None:
    """Bring the ledger in line with the matches of these reports. Call it with the PSP's lock held."""
    ids = sorted(set(report_ids))
    reports = SettlementImport.objects.select_related("psp__brand").in_bulk(ids)
    due: dict[int, dict[str, dict[str, Any]]] = {pk: {"fees": {}, "reserves": {}, "fx": {}} for pk in reports}
    with connection.cursor() as cursor:
        cursor.execute(FEES, {"reports": ids})
        for pk, currency, fee in cursor.fetchall():
            due[pk]["fees"][currency] = fee
        cursor.execute(RESERVES, {"reports": ids})
        for pk, currency, held in cursor.fetchall():
            due[pk]["reserves"][currency] = held
        cursor.execute(CONVERSIONS, {"reports": ids})
        for pk, paid_currency, currency, paid, got in cursor.fetchall():
            due[pk]["fx"][f"{paid_currency}:{currency}"] = [paid, got]
    entries: list[Entry] = []
    for pk in ids:
        entries += _entries_of(reports[pk], due[pk])
    posting.post_many(entries, actor=actor)
    for pk in ids:
        SettlementImport.objects.filter(pk=pk).update(booked=reports[pk].booked)


def _entries_of(report: SettlementImport, due: dict[str, dict[str, Any]]) -> list[Entry]:
    """Make the journals of what isn't booked yet, and bring `booked` up to date.

    Each journal of a report has its number in the key.
    """
    booked = {"journals": 0, "fees": {}, "reserves": {}, "fx": {}} | report.booked
    entries: list[Entry] = []
    for currency in sorted({*due["fees"], *booked["fees"]}):
        difference = due["fees"].get(currency, 0) - booked["fees"].get(currency, 0)
        if difference:
            cost = posting.house(AccountKind.FEES, brand_id=report.psp.brand_id, currency=currency)
            clearing = posting.psp_clearing(report.psp, currency)
            lines = (Line(clearing, difference), Line(cost, -difference))
            entries.append(_entry(report, booked, JournalKind.PSP_FEE, lines, "fees"))
    for currency in sorted({*due["reserves"], *booked["reserves"]}):
        difference = due["reserves"].get(currency, 0) - booked["reserves"].get(currency, 0)
        if difference:
            reserve, clearing = (of(report.psp, currency) for of in (posting.psp_reserve, posting.psp_clearing))
            lines = (Line(clearing, -difference), Line(reserve, difference))
            entries.append(_entry(report, booked, JournalKind.PSP_RESERVE, lines, "reserve"))
    for pair in sorted({*due["fx"], *booked["fx"]}):
        paid, got = due["fx"].get(pair, [0, 0])
        paid_before, got_before = booked["fx"].get(pair, [0, 0])
        if (paid, got) != (paid_before, got_before):
            entries.append(_conversion(report, booked, pair, paid - paid_before, got - got_before))
    report.booked = {**booked, **due}
    return entries


def _conversion(report: SettlementImport, booked: dict[str, Any], pair: str, paid: int, got: int) -> Entry:
    """Book that the PSP holds `got` instead of `paid`: both pass through the broker's FX position."""
    paid_currency, currency = pair.split(":")
    brand_id = report.psp.brand_id
    lines = [
        Line(posting.psp_clearing(report.psp, paid_currency), paid),
        Line(posting.house(AccountKind.FX_POSITION, brand_id=brand_id, currency=paid_currency), -paid),
        Line(posting.psp_clearing(report.psp, currency), -got),
        Line(posting.house(AccountKind.FX_POSITION, brand_id=brand_id, currency=currency), got),
    ]
    rate = None
    if paid and got:
        rate = abs(from_minor(got, currency) / from_minor(paid, paid_currency)).quantize(RATE_STEP) or None
    return _entry(
        report, booked, JournalKind.FX, tuple(line for line in lines if line.amount_minor), "conversion", rate=rate
    )


def _entry(
    report: SettlementImport,
    booked: dict[str, Any],
    kind: JournalKind,
    lines: tuple[Line, ...],
    what: str,
    *,
    rate: Decimal | None = None,
) -> Entry:
    booked["journals"] += 1
    return Entry(
        key=f"settlement:{report.pk}:{what}:{booked['journals']}",
        kind=kind,
        brand_id=report.psp.brand_id,
        lines=lines,
        description=f"{report.psp} {what}",
        business_on=report.last_day,
        rate=rate,
        rate_on=report.last_day if rate is not None else None,
    )


def book_payouts(report: SettlementImport) -> int:
    """Book what the PSP reports as paid to our bank, and its charge for that; returns the number of rows.

    A payout is booked once, whatever report repeats it.
    """
    rows = list(SettlementRow.objects.filter(report=report, type=RowType.MERCHANT_PAYOUT).order_by("line"))
    copies: dict[str, int] = defaultdict(int)
    entries = []
    for row in rows:
        if row.is_repeat or not row.net_minor:
            continue
        key = f"settlement:{report.psp.code}:to-bank:{row.psp_reference or f'{report.pk}-{row.line}'}"[:110]
        copies[key] += 1
        bank = posting.house(AccountKind.CLIENT_MONEY_BANK, brand_id=report.psp.brand_id, currency=row.currency)
        clearing = posting.psp_clearing(report.psp, row.currency)
        lines = [Line(clearing, -row.net_minor), Line(bank, row.gross_minor)]
        if row.fee_minor:
            fees = posting.house(AccountKind.FEES, brand_id=report.psp.brand_id, currency=row.currency)
            lines.append(Line(fees, -row.fee_minor))
        entries.append(
            Entry(
                key=key if copies[key] == 1 else f"{key}:{copies[key]}",
                kind=JournalKind.PSP_SETTLEMENT,
                brand_id=report.psp.brand_id,
                lines=tuple(line for line in lines if line.amount_minor),
                description=f"{report.psp} {row.psp_reference}",
                business_on=report.last_day,
            )
        )
    posting.post_many(entries, actor=report.imported_by)
    return len(rows)
