"""The trial balance of a month: every account's opening, debits, credits and closing, and the sums that must be zero.

Of a closed month it is read from what its closing stored; of an open one it is computed from the month's postings.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from crm.money.amounts import from_minor
from crm.ui.exports import defuse
from wallet.choices import account_owners
from wallet.choices.ledger import AccountKind
from wallet.choices.month_end import PeriodState
from wallet.documents.pdf import letter
from wallet.models import Account, ClosingBalance, Period

ROWS_PER_STEP = 2_000

OF_A_CLOSING = """
SELECT a.kind, a.currency, count(*), sum(b.opening_minor)::bigint, sum(b.debits_minor)::bigint,
  sum(b.credits_minor)::bigint, sum(b.closing_minor)::bigint
FROM wallet_closingbalance b JOIN wallet_account a ON a.id = b.account_id
WHERE b.period_id = %(period)s AND b.closing = %(closing)s GROUP BY a.kind, a.currency
"""
SO_FAR = """
SELECT a.kind, a.currency, count(*), sum(coalesce(b.minor, 0))::bigint, sum(coalesce(t.debits, 0))::bigint,
  sum(coalesce(t.credits, 0))::bigint, sum(coalesce(b.minor, 0) + coalesce(t.credits, 0) - coalesce(t.debits, 0))::bigint
FROM (
  SELECT p.account_id, coalesce(-sum(p.amount_minor) FILTER (WHERE p.amount_minor < 0), 0) AS debits,
    coalesce(sum(p.amount_minor) FILTER (WHERE p.amount_minor > 0), 0) AS credits
  FROM wallet_journal j JOIN wallet_posting p ON p.journal_id = j.id AND p.layer = 0
  WHERE j.brand_id = %(brand)s AND j.business_on BETWEEN %(first)s AND %(last)s GROUP BY p.account_id
) t FULL JOIN (
  SELECT account_id, closing_minor AS minor FROM wallet_closingbalance
  WHERE period_id = %(before)s AND closing = %(before_closing)s AND closing_minor <> 0
) b USING (account_id) JOIN wallet_account a ON a.id = account_id GROUP BY a.kind, a.currency
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of account in one currency, in major units; balances are signed, above zero a credit."""

    kind: str
    currency: str
    accounts: int
    opening: Decimal
    debits: Decimal
    credits: Decimal
    closing: Decimal

    @property
    def label(self) -> str:
        return str(AccountKind(self.kind).label)


@dataclass(frozen=True, slots=True)
class CurrencyPart:
    """The accounts of one currency; openings and closings sum to zero, debits equal credits."""

    currency: str
    rows: tuple[Row, ...]

    def _sum(self, name: str) -> Decimal:
        return sum((getattr(row, name) for row in self.rows), Decimal(0))

    @property
    def opening(self) -> Decimal:
        return self._sum("opening")

    @property
    def debits(self) -> Decimal:
        return self._sum("debits")

    @property
    def credits(self) -> Decimal:
        return self._sum("credits")

    @property
    def closing(self) -> Decimal:
        return self._sum("closing")

    @property
    def balances(self) -> bool:
        return not self.opening and not self.closing and self.debits == self.credits


@dataclass(frozen=True, slots=True)
class TrialBalance:
    period: Period
    closing: int
    is_final: bool
    parts: tuple[CurrencyPart, ...]
    made_at: dt.datetime

    @property
    def balances(self) -> bool:
        return all(part.balances for part in self.parts)


def trial_balance(period: Period, closing: int | None = None) -> TrialBalance:
    """Read the trial balance of the last closing, of the one given, or of what is posted so far when the month is open.

    So far: the month before counts with its last closing. An open month before makes the opening incomplete, so such a
    month has no trial balance yet (no parts).
    """
    is_final = period.state == PeriodState.CLOSED or closing is not None
    number = closing or period.closings
    values: dict[str, Any] = {"period": period.pk, "closing": number}
    if not is_final:
        before = (
            Period.objects.filter(brand_id=period.brand_id, last_day__lt=period.first_day).order_by("-last_day").first()
        )
        if before is not None and before.state != PeriodState.CLOSED:
            return TrialBalance(period, number, False, (), timezone.now())
        values = {
            "brand": period.brand_id,
            "first": period.first_day,
            "last": period.last_day,
            "before": before.pk if before else None,
            "before_closing": before.closings if before else None,
        }
    with connection.cursor() as cursor:
        cursor.execute(OF_A_CLOSING if is_final else SO_FAR, values)
        sums = cursor.fetchall()
    return TrialBalance(period, number, is_final, _parts(sums), timezone.now())


def _parts(sums: list[tuple[Any, ...]]) -> tuple[CurrencyPart, ...]:
    order = {kind.value: place for place, kind in enumerate(AccountKind)}
    by_currency: dict[str, list[Row]] = {}
    for kind, currency, accounts, *minor in sorted(sums, key=lambda row: (row[1], order.get(row[0], 99))):
        amounts = [from_minor(number, currency) for number in minor]
        by_currency.setdefault(currency, []).append(Row(kind, currency, accounts, *amounts))
    return tuple(CurrencyPart(currency, tuple(rows)) for currency, rows in by_currency.items())


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────

HEADINGS = ["account", "kind", "owner", "currency", "opening", "debits", "credits", "closing"]


def write_csv(period: Period, closing: int, path: Path, progress: Callable[[int, int, str], object]) -> int:
    """Write every account of a closing, a line each, amounts in major units, balances signed (credit above zero)."""
    total = ClosingBalance.objects.filter(period=period, closing=closing).count()
    done = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for row in _accounts(period, closing):
            account = row.account
            writer.writerow(
                [
                    account.pk,
                    account.kind,
                    defuse(account.owner_label),
                    account.currency,
                    row.opening,
                    row.debits,
                    row.credits,
                    row.balance,
                ]
            )
            done += 1
            if not done % ROWS_PER_STEP:
                progress(done, total, "")
    return done


def _accounts(period: Period, closing: int) -> Iterator[ClosingBalance]:
    """Read accounts in steps, so that memory stays small however many wallets there are."""
    after = 0
    while True:
        rows = list(
            ClosingBalance.objects.filter(period=period, closing=closing, account_id__gt=after)
            .order_by("account_id")
            .values_list("account_id", flat=True)[:ROWS_PER_STEP]
        )
        if not rows:
            return
        accounts = Account.objects.select_related("client", "psp").defer(
            "client__search_text", "psp__sealed_credentials"
        )
        known = accounts.in_bulk(rows)
        account_owners.warm(list(known.values()))
        for balance in ClosingBalance.objects.filter(
            period=period, closing=closing, account_id__gt=after, account_id__lte=rows[-1]
        ).order_by("account_id"):
            balance.account = known[balance.account_id]
            yield balance
        after = rows[-1]


def make_pdf(balance: TrialBalance, *, language: str) -> bytes:
    """Render the trial balance by kind and currency as PDF."""
    brand = balance.period.brand
    return letter(
        "wallet/documents/pdf/trial_balance.html", {"trial": balance}, brand=brand, language=language, zone="UTC"
    )
