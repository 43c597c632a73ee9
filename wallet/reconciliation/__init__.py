"""Month-end with a PSP: a settlement report whose rows are stored (`settlement_import`) is matched with our books.

Matching is set-based and deterministic. A row and a movement are the same thing when the PSP's reference, kind, currency
and amount agree; failing that, when our reference, kind, currency and amount agree and nothing else could be meant. Each
side is used once (unique keys). What is left over gets a name: a break.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import audit
from crm.errors import DomainError, WrongState
from crm.policies import require
from wallet import ledger, policies
from wallet.choices import AccountKind, BreakKind, BreakState, JournalKind, RowType
from wallet.ledger import Entry, Line
from wallet.models import Break, Match, SettlementImport, SettlementRow
from wallet.reconciliation_choices import BREAKS_OF_A_MOVEMENT

ANALYZE_ROWS_MIN = 5_000
MOVEMENT_TYPES = [RowType.PAYMENT, RowType.PAYOUT, RowType.REFUND, RowType.CHARGEBACK, RowType.CHARGEBACK_REVERSED]

# A row that an earlier report had already, with the same amount: not a difference, and not counted twice.
SEEN_BEFORE = """
SELECT r.id FROM wallet_settlementrow r
WHERE r.report_id = %(report)s AND EXISTS (
  SELECT 1 FROM wallet_settlementrow e
  JOIN wallet_settlementimport i ON i.id = e.report_id AND i.psp_id = %(psp)s
  WHERE e.psp_reference = r.psp_reference AND e.type = r.type AND e.currency = r.currency
    AND e.gross_minor = r.gross_minor AND e.report_id < r.report_id)
"""
OPEN_ROWS = """
  SELECT r.* FROM wallet_settlementrow r
  WHERE r.report_id = %(report)s AND r.type = ANY(%(types)s) AND NOT r.id = ANY(%(seen)s)
    AND NOT EXISTS (SELECT 1 FROM wallet_match x WHERE x.row_id = r.id)
"""
OPEN_MOVEMENTS = """
  SELECT m.* FROM wallet_pspmovement m
  WHERE m.psp_id = %(psp)s AND NOT EXISTS (SELECT 1 FROM wallet_match x WHERE x.movement_id = m.id)
"""
BY_PSP_REFERENCE = f"""
INSERT INTO wallet_match (row_id, movement_id, rule)
SELECT row_id, movement_id, 'psp_reference' FROM (
  SELECT r.id AS row_id, m.id AS movement_id, row_number() OVER (PARTITION BY m.id ORDER BY r.line) AS place
  FROM ({OPEN_ROWS}) r JOIN ({OPEN_MOVEMENTS}) m
    ON m.psp_reference = r.psp_reference AND m.kind = r.type AND m.currency = r.currency AND m.amount_minor = r.gross_minor
) found WHERE place = 1
"""  # noqa: S608 (constants of this module)
# Only where the choice is forced on both sides; an ambiguous match is never taken.
BY_OUR_REFERENCE = f"""
INSERT INTO wallet_match (row_id, movement_id, rule)
SELECT row_id, movement_id, 'our_reference' FROM (
  SELECT r.id AS row_id, m.id AS movement_id, count(*) OVER (PARTITION BY m.id) AS rows,
    count(*) OVER (PARTITION BY r.id) AS movements
  FROM ({OPEN_ROWS}) r JOIN ({OPEN_MOVEMENTS}) m
    ON m.reference = r.merchant_reference AND m.kind = r.type AND m.currency = r.currency
    AND m.amount_minor = r.gross_minor
  WHERE r.merchant_reference <> ''
) found WHERE rows = 1 AND movements = 1
"""  # noqa: S608 (constants of this module)
# What is left of the report, beside the movement of the same references, matched already or not.
LEFT_ROWS = f"""
SELECT r.id, r.type, r.currency, r.gross_minor, r.booked_at, m.id, m.currency, m.amount_minor, m.matched
FROM ({OPEN_ROWS}) r LEFT JOIN LATERAL (
  SELECT m.id, m.currency, m.amount_minor, EXISTS (SELECT 1 FROM wallet_match x WHERE x.movement_id = m.id) AS matched
  FROM wallet_pspmovement m WHERE m.psp_id = %(psp)s AND m.kind = r.type
    AND (m.psp_reference = r.psp_reference OR (r.merchant_reference <> '' AND m.reference = r.merchant_reference))
  ORDER BY (m.psp_reference = r.psp_reference) DESC, m.id LIMIT 1
) m ON true
ORDER BY r.line
"""  # noqa: S608 (constants of this module)
LEFT_MOVEMENTS = f"""
SELECT m.id, m.currency, m.amount_minor, m.occurred_at FROM ({OPEN_MOVEMENTS}) m
WHERE m.occurred_at >= %(since)s AND m.occurred_at < %(until)s AND NOT m.id = ANY(%(named)s)
ORDER BY m.occurred_at, m.id
"""  # noqa: S608 (constants of this module)


@transaction.atomic
def match_report(report: SettlementImport) -> None:
    """Match a report whose rows are stored, name its breaks, and book its fees and what reached our bank.

    Fills the report's counters and leaves saving them to the caller, whose transaction this belongs to.
    """
    _match(report)
    _book(report)


# ── matching ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _match(report: SettlementImport) -> None:
    values: dict[str, Any] = {
        "report": report.pk,
        "psp": report.psp_id,
        "types": [str(kind) for kind in MOVEMENT_TYPES],
    }
    with connection.cursor() as cursor:
        cursor.execute(SEEN_BEFORE, values)
        values["seen"] = [pk for (pk,) in cursor.fetchall()]
        report.seen_before = len(values["seen"])
        report.matched = 0
        for sql in (BY_PSP_REFERENCE, BY_OUR_REFERENCE):
            cursor.execute(sql, values)
            report.matched += cursor.rowcount
        if report.row_count >= ANALYZE_ROWS_MIN:
            cursor.execute("SELECT keelson_analyze('wallet_match')")
        cursor.execute(LEFT_ROWS, values)
        claimed: set[int] = set()
        breaks = []
        for row in cursor.fetchall():
            one = _break_of_row(report, *row)
            if one.kind in BREAKS_OF_A_MOVEMENT and one.movement_id:
                if one.movement_id in claimed:
                    one.kind, one.movement_id, one.difference_minor = BreakKind.MISSING_HERE, None, row[3]
                else:
                    claimed.add(one.movement_id)
            breaks.append(one)
        values |= {
            "since": _midnight(report.first_day),
            "until": _until(report),
            "named": [one.movement_id for one in breaks if one.movement_id],
        }
        cursor.execute(LEFT_MOVEMENTS, values)
        breaks += [
            Break(
                brand_id=report.psp.brand_id, psp_id=report.psp_id, report=report, kind=BreakKind.MISSING_THERE,
                movement_id=pk, currency=currency, difference_minor=-amount, happened_at=at, opened_at=timezone.now(),
            )
            for pk, currency, amount, at in cursor.fetchall()
        ]  # fmt: skip
    Break.objects.bulk_create(breaks, batch_size=5_000)
    report.breaks_found = len(breaks)
    _close_explained(report)


def _break_of_row(
    report: SettlementImport, row_id: int, kind: str, currency: str, gross: int, at: dt.datetime, movement_id: int | None,
    booked_currency: str | None, booked: int | None, is_matched: bool | None,
) -> Break:  # fmt: skip
    """Name the difference between a row that matched nothing and what we know about its references."""
    difference = gross
    if movement_id is None or booked is None:
        name = BreakKind.MISSING_HERE
    elif is_matched and (booked_currency, booked) == (currency, gross):
        name = BreakKind.DUPLICATE
    elif booked_currency != currency:
        name = BreakKind.CURRENCY
    else:
        name, difference = BreakKind.AMOUNT, gross - booked
    return Break(
        brand_id=report.psp.brand_id, psp_id=report.psp_id, report=report, kind=name, row_id=row_id, currency=currency,
        difference_minor=difference, happened_at=at, opened_at=timezone.now(),
        movement_id=None if name == BreakKind.MISSING_HERE else movement_id,
    )  # fmt: skip


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)


def _until(report: SettlementImport) -> dt.datetime:
    """The end of the period; of a period that is not over, the report's last row: later movements can't be in it."""
    end = _midnight(report.last_day) + dt.timedelta(days=1)
    if end <= timezone.now():
        return end
    last = (
        SettlementRow.objects.filter(report=report).order_by("-booked_at").values_list("booked_at", flat=True).first()
    )
    return min(end, last + dt.timedelta(seconds=1)) if last else end


def _close_explained(report: SettlementImport) -> None:
    """Movements that an earlier report lacked and this one has: the old break closes itself."""
    Break.objects.filter(
        state=BreakState.OPEN,
        kind=BreakKind.MISSING_THERE,
        report__psp=report.psp,
        movement__matches__row__report=report,
    ).update(
        state=BreakState.RESOLVED,
        resolved_at=timezone.now(),
        resolution=_("Explained by the report “%(name)s”") % {"name": report.file_name},
    )


# ── what the report makes us book ────────────────────────────────────────────────────────────────────────────────────


def _book(report: SettlementImport) -> None:
    """Fees of matched rows, one journal per currency; and what the PSP paid to our client-money bank."""
    psp = report.psp
    entries = []
    fees: dict[str, int] = defaultdict(int)
    for currency, fee in Match.objects.filter(row__report=report).values_list("row__currency", "row__fee_minor"):
        fees[currency] += fee
    for currency, fee in sorted(fees.items()):
        if fee:
            cost = ledger.house(AccountKind.FEES, brand_id=psp.brand_id, currency=currency)
            entries.append(_entry(report, f"fees:{currency}", JournalKind.PSP_FEE, cost, currency, fee, "fees"))
    payouts = SettlementRow.objects.filter(report=report, type=RowType.MERCHANT_PAYOUT).order_by("line")
    for row in payouts:
        report.to_bank += 1
        bank = ledger.house(AccountKind.CLIENT_MONEY_BANK, brand_id=psp.brand_id, currency=row.currency)
        key = f"settlement:{psp.code}:to-bank:{row.psp_reference}"[:120]
        entries.append(
            _entry(
                report, "", JournalKind.PSP_SETTLEMENT, bank, row.currency, -row.net_minor, row.psp_reference, key=key
            )
        )
    ledger.post_many(entries, actor=report.imported_by)


def _entry(
    report: SettlementImport, name: str, kind: JournalKind, other: ledger.Account, currency: str, minor: int, words: str,
    *, key: str = "",
) -> Entry:  # fmt: skip
    clearing = ledger.psp_clearing(report.psp, currency)
    return Entry(
        key=key or f"settlement:{report.pk}:{name}",
        kind=kind,
        brand_id=report.psp.brand_id,
        lines=(Line(clearing, minor), Line(other, -minor)),
        description=f"{report.psp} {words}",
        business_on=report.last_day,
    )


# ── breaks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def resolve_break(*, break_id: int, actor: Any, resolution: str) -> Break:
    """Say what became of a difference. Who: `wallet.run_reconciliation` on the brand. Raises: NotAllowed, WrongState."""
    one = Break.objects.select_for_update(of=["self"]).get(pk=break_id)
    require(policies.can_resolve(actor, one))
    if one.state != BreakState.OPEN:
        raise WrongState(_("This break was resolved already."))
    if not resolution.strip():
        raise DomainError(_("Say how it was resolved."))
    one.state, one.resolved_by, one.resolved_at = BreakState.RESOLVED, actor, timezone.now()
    one.resolution = resolution.strip()[:300]
    one.save(update_fields=["state", "resolved_by", "resolved_at", "resolution"])
    audit.record(
        actor=actor, action="wallet.break_resolved", target=one, brand_id=one.brand_id,
        before={"kind": one.kind, "difference_minor": one.difference_minor, "currency": one.currency},
        reason=one.resolution,
    )  # fmt: skip
    return one
