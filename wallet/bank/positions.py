"""Compares the books with the client-money bank, balance by balance.

Our books at the bank at the end of a day: the account "Client money bank", the clearing of bank accounts that clients
pay to, and what the bank booked by then although it reached our ledger later. The bank: the closing balance of the
last statement up to that day. Both agree, or the difference is a break.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Window
from django.db.models.functions import RowNumber

from wallet.choices.ledger import AccountKind
from wallet.ledger import posting
from wallet.models import Account, BankFile, Psp

BANK_ADAPTER = "bank_wire"
FILES_READ = 200
# The bank booked it by the day's end; our ledger followed only when the statement was imported.
LATE = """
SELECT e.currency,
  coalesce(sum(e.amount_minor) FILTER (WHERE e.processed_at > %(at)s AND (e.state IN ('matched', 'assigned', 'payout', 'returned')
    OR (e.state = 'settlement' AND EXISTS (
      SELECT 1 FROM wallet_breakposting b WHERE b.entry_id = e.id AND b.state = 'approved')))), 0)::bigint,
  coalesce(sum(e.amount_minor) FILTER (WHERE e.amount_minor > 0 AND e.state IN ('waiting', 'unmatched')), 0)::bigint,
  count(*) FILTER (WHERE e.state IN ('waiting', 'unmatched'))
FROM wallet_bankentry e JOIN wallet_psp s ON s.id = e.psp_id AND s.brand_id = %(brand)s
WHERE e.booked_on <= %(day)s AND (e.processed_at > %(at)s OR e.state IN ('waiting', 'unmatched'))
GROUP BY e.currency
"""
# A PSP's payout to our bank is booked when its report is read, often days later.
LATE_PAYOUTS = """
SELECT k.currency, -sum(p.amount_minor)::bigint
FROM wallet_account k
JOIN wallet_posting p ON p.account_id = k.id AND p.version IS NULL AND p.layer = 0 AND p.posted_at > %(at)s
JOIN wallet_journal j ON j.id = p.journal_id AND j.kind = 'psp_settlement'
JOIN wallet_settlementrow r ON r.psp_reference = split_part(j.idempotency_key, ':to-bank:', 2)
  AND r.type = 'merchant_payout' AND r.currency = k.currency AND r.booked_at <= %(at)s
JOIN wallet_settlementimport i ON i.id = r.report_id
JOIN wallet_psp s ON s.id = i.psp_id AND s.brand_id = %(brand)s
  AND j.idempotency_key = 'settlement:' || s.code || ':to-bank:' || r.psp_reference
WHERE k.brand_id = %(brand)s AND k.kind = 'client_money_bank'
  AND NOT EXISTS (SELECT 1 FROM wallet_settlementrow o JOIN wallet_settlementimport oi ON oi.id = o.report_id
    AND oi.psp_id = i.psp_id WHERE o.psp_reference = r.psp_reference AND o.type = r.type AND o.id < r.id)
GROUP BY k.currency
"""


@dataclass(slots=True)
class BankPosition:
    """One currency at a brand's bank accounts at the end of a day, in minor units; above zero is held.

    late: booked by the bank by then, in our ledger afterwards. unknown: came in, and isn't matched yet.
    """

    currency: str
    ledger_minor: int = 0
    late_minor: int = 0
    late_payouts_minor: int = 0
    unknown_minor: int = 0
    unknown_count: int = 0
    statement_minor: int | None = None
    statement_on: dt.date | None = None

    @property
    def books_minor(self) -> int:
        return self.ledger_minor + self.late_minor + self.late_payouts_minor + self.unknown_minor

    @property
    def difference_minor(self) -> int | None:
        """The bank less our books; None without a statement."""
        return None if self.statement_minor is None else self.statement_minor - self.books_minor


def end_of(day: dt.date) -> dt.datetime:
    """Return the last instant of a day in UTC."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC) - dt.timedelta(microseconds=1)


def bank_positions(brand_id: int, day: dt.date) -> dict[str, BankPosition]:
    """Compute the position of every currency that a brand has at banks, at the end of a day.

    The number of queries is fixed.
    """
    positions: dict[str, BankPosition] = {}

    def of(currency: str) -> BankPosition:
        return positions.setdefault(currency, BankPosition(currency))

    at = end_of(day)
    accounts = list(
        Account.objects.filter(brand_id=brand_id, kind=AccountKind.CLIENT_MONEY_BANK)
        | Account.objects.filter(brand_id=brand_id, kind=AccountKind.PSP_CLEARING, psp__adapter=BANK_ADAPTER)
    )
    balances = posting.balances([account.pk for account in accounts], at=at) if accounts else {}
    for account in accounts:
        of(account.currency).ledger_minor -= balances[account.pk]
    values: dict[str, Any] = {"brand": brand_id, "day": day, "at": at}
    with connection.cursor() as cursor:
        cursor.execute(LATE, values)
        for currency, late, unknown, count in cursor.fetchall():
            position = of(currency)
            position.late_minor, position.unknown_minor, position.unknown_count = late, unknown, count
        cursor.execute(LATE_PAYOUTS, values)
        for currency, minor in cursor.fetchall():
            of(currency).late_payouts_minor = minor
    for currency, (minor, on) in _statements(brand_id, day).items():
        of(currency).statement_minor, of(currency).statement_on = minor, on
    return positions


def _statements(brand_id: int, day: dt.date) -> dict[str, tuple[int, dt.date]]:
    """Sum per currency the closing balances of the banks' last statements up to a day, with the oldest one's day."""
    last: dict[tuple[int, str], tuple[dt.date, int]] = {}
    for psp_id, statements in (
        BankFile.objects.filter(psp__brand_id=brand_id).order_by("-id").values_list("psp_id", "statements")[:FILES_READ]
    ):
        for statement in statements:
            if statement.get("closing") is None or not statement.get("currency"):
                continue
            on = dt.date.fromisoformat(statement["last"])
            key = (psp_id, statement["currency"])
            if on <= day and (key not in last or on > last[key][0]):
                last[key] = (on, int(statement["closing"]))
    sums: dict[str, tuple[int, dt.date]] = {}
    for (_psp, currency), (on, minor) in last.items():
        known = sums.get(currency, (0, on))
        sums[currency] = (known[0] + minor, min(known[1], on))
    return sums


def statements_known(psp: Psp) -> list[dict[str, Any]]:
    """List the statements of the account's last files, as `BankFile.statements` stores them."""
    files = BankFile.objects.filter(psp=psp).order_by("-id").values_list("statements", flat=True)[:FILES_READ]
    return [statement for statements in files for statement in statements]


def closing_before(known: list[dict[str, Any]], *, account: str, currency: str, first_day: dt.date) -> int | None:
    """Return the closing balance of the last statement up to a day; None where there is none, or it has no balance.

    account: masked; a statement without an account counts for any.
    """
    earlier = [
        statement
        for statement in known
        if statement.get("currency") == currency
        and (not account or not statement.get("account") or statement["account"] == account)
        and dt.date.fromisoformat(statement["last"]) <= first_day
    ]
    last = max(earlier, key=lambda statement: (statement["last"], statement["first"]), default=None)
    return last.get("closing") if last else None


def covered_days(psp: Psp) -> list[tuple[dt.date, dt.date]]:
    """List the first and last day of every statement that was imported."""
    return statement_days([psp.pk])[psp.pk]


def statement_days(psp_ids: Collection[int]) -> dict[int, list[tuple[dt.date, dt.date]]]:
    """List the first and last day of the imported statements by bank, of the last files of each. One query for all."""
    spans: dict[int, list[tuple[dt.date, dt.date]]] = {pk: [] for pk in psp_ids}
    place = Window(RowNumber(), partition_by="psp_id", order_by="-id")
    files = BankFile.objects.filter(psp_id__in=psp_ids).annotate(place=place).filter(place__lte=FILES_READ)
    for psp_id, statements in files.order_by().values_list("psp_id", "statements"):
        for statement in statements:
            spans[psp_id].append((dt.date.fromisoformat(statement["first"]), dt.date.fromisoformat(statement["last"])))
    return spans
