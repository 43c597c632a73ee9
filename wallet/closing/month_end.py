"""A month of a brand as the month-end page and the pack show it: open items, and the sources behind it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.money.amounts import Money, from_minor
from wallet.choices.month_end import Cover, PeriodState, SourceKind
from wallet.choices.reconciliation import BreakKind, BreakState
from wallet.closing import sign_offs
from wallet.closing.checklist import Check, end_of_month
from wallet.closing.client_money import newest
from wallet.closing.missing_sources import Missing, due_from
from wallet.closing.month_facts import ClientMoneyState, MonthFacts
from wallet.closing.period_checks import checks_of
from wallet.closing.revaluation import Revaluation
from wallet.closing.sign_offs import Signatures
from wallet.closing.trial_balance import TrialBalance
from wallet.models import BankFile, Break, ClientMoneyDay, MonthSignOff, Period, SettlementImport, SourceRun
from wallet.reconciliation.source_runs import Source, SourceKey

FILES_MAX = 1_000
AGES = (_("0–2 days"), _("3–7 days"), _("8–30 days"), _("Older"))

AGEING = """
SELECT b.kind, b.currency, width_bucket(extract(epoch FROM %(at)s - b.happened_at) / 86400, ARRAY[3, 8, 31]::float8[]) AS bucket,
  count(*), sum(abs(b.difference_minor))::bigint
FROM wallet_break b
WHERE b.brand_id = %(brand)s AND b.happened_at < %(until)s
  AND (b.state = 'open' OR (%(closed)s AND b.resolved_at > %(at)s))
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


@dataclass(slots=True)
class Ageing:
    """Open breaks of a kind and currency: how many and how much per age, the youngest first."""

    kind: str
    currency: str
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    sums: list[Decimal] = field(default_factory=lambda: [Decimal(0)] * 4)

    @property
    def label(self) -> str:
        return str(BreakKind(self.kind).label)

    @property
    def tone(self) -> str:
        return BreakKind(self.kind).colour

    @property
    def cells(self) -> list[tuple[int, Decimal]]:
        return list(zip(self.counts, self.sums, strict=True))

    @property
    def count(self) -> int:
        return sum(self.counts)

    @property
    def total(self) -> Decimal:
        return sum(self.sums, Decimal(0))


@dataclass(slots=True)
class SourceLine:
    """A source in the month: its files, their rows, matches and gaps; its own balance by the last report."""

    source: Source
    files: int = 0
    rows: int = 0
    matched: int = 0
    breaks: int = 0
    closing: dict[str, Decimal] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    is_idle: bool = False

    @property
    def gaps(self) -> list[tuple[dt.date, dt.date]]:
        """The days without a report, whichever of its reports they lack."""
        return sorted({span for missing in self.missing for span in missing.periods})

    @property
    def sums(self) -> list[Money]:
        return [Money(amount, currency) for currency, amount in sorted(self.closing.items())]


@dataclass(frozen=True, slots=True)
class CurrencyWorst:
    """Client money of one currency in the month: the last day, and the day with the least above what is owed."""

    last: ClientMoneyDay
    worst: ClientMoneyDay
    short_days: int


@dataclass(frozen=True, slots=True)
class MonthEnd:
    period: Period
    checks: tuple[Check, ...]
    sources: tuple[SourceLine, ...]
    ageing: tuple[Ageing, ...]
    revaluation: Revaluation
    client_money: ClientMoneyState
    currencies: tuple[CurrencyWorst, ...]
    signatures: Signatures
    closed_by: tuple[MonthSignOff, ...]
    trial: TrialBalance

    @property
    def due_from(self) -> dt.date | None:
        """The first day that is not over: nothing of it, or after it, is missing yet."""
        return due_from(self.period)

    @property
    def open_checks(self) -> list[Check]:
        return [check for check in self.checks if not check.is_fine]

    @property
    def done(self) -> int:
        return len(self.checks) - len(self.open_checks)

    @property
    def is_blocked(self) -> bool:
        return any(check.blocks for check in self.open_checks)

    @property
    def open_breaks(self) -> int:
        return sum(line.count for line in self.ageing)


def month_end_of(period: Period) -> MonthEnd:
    """Read everything about a month. The number of queries is fixed, however many sources the brand has."""
    facts = MonthFacts(period)
    is_open = period.state == PeriodState.OPEN
    return MonthEnd(
        period=period,
        checks=tuple(checks_of(period, facts)) if is_open else (),
        sources=tuple(sources_in(facts)),
        ageing=tuple(ageing_of(period)),
        revaluation=facts.revaluation,
        client_money=facts.client_money,
        currencies=tuple(_currencies(period)),
        trial=facts.trial,
        signatures=sign_offs.signatures_of(period, facts.trial) if is_open else Signatures((), (), ""),
        closed_by=() if is_open else tuple(sign_offs.signatures_of_closing(period, period.closings)),
    )


# ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def reports_of(period: Period) -> QuerySet[SettlementImport]:
    """Select the settlement reports with a day in the month."""
    return (
        SettlementImport.objects.filter(
            psp__brand_id=period.brand_id, first_day__lte=period.last_day, last_day__gte=period.first_day
        )
        .select_related("psp", "imported_by")
        .defer("psp__sealed_credentials")
        .order_by("psp__name", "psp_id", "first_day", "id")
    )


def statements_of(period: Period) -> QuerySet[BankFile]:
    """Select the files of bank statements with an entry in the month."""
    return (
        BankFile.objects.filter(
            psp__brand_id=period.brand_id, entries__booked_on__range=(period.first_day, period.last_day)
        )
        .select_related("psp", "imported_by")
        .defer("psp__sealed_credentials")
        .order_by("psp__name", "id")
        .distinct()
    )


def sources_in(facts: MonthFacts) -> list[SourceLine]:
    """List the sources with what they reported and lack in the month."""
    period, lines = facts.period, {source.key: SourceLine(source) for source in facts.sources}
    for missing in facts.missing:
        lines[missing.source.key].missing.append(missing)
    _add_reports(period, lines)
    _add_statements(period, lines)
    _add_runs(facts.runs, lines)
    _add_breaks(period, lines)
    for line in lines.values():
        line.is_idle = not line.files and not line.gaps and line.source.kind != SourceKind.PLATFORM
    return list(lines.values())


def _of_psp(lines: dict[SourceKey, SourceLine], psp_id: int) -> SourceLine | None:
    return next((line for line in lines.values() if line.source.psp and line.source.psp.pk == psp_id), None)


def _add_reports(period: Period, lines: dict[SourceKey, SourceLine]) -> None:
    for report in reports_of(period).order_by("last_day", "id")[:FILES_MAX]:
        line = _of_psp(lines, report.psp_id)
        if line is None:
            continue
        line.files, line.rows, line.matched = (
            line.files + 1,
            line.rows + report.row_count,
            line.matched + report.matched,
        )
        for currency, totals in report.totals.items():
            line.closing[currency] = from_minor(int(totals["closing"]), currency)


def _add_statements(period: Period, lines: dict[SourceKey, SourceLine]) -> None:
    for file in statements_of(period)[:FILES_MAX]:
        line = _of_psp(lines, file.psp_id)
        if line is not None:
            line.files, line.rows = line.files + 1, line.rows + file.entries_new


def _add_runs(runs: Iterable[SourceRun], lines: dict[SourceKey, SourceLine]) -> None:
    """Count a server's daily runs as its reports: days and rows that were compared."""
    for run in runs:
        line = lines.get((run.brand_id, run.source, run.psp_id, run.server_id))
        if line is not None:
            line.files, line.rows = line.files + 1, line.rows + run.checked


def _add_breaks(period: Period, lines: dict[SourceKey, SourceLine]) -> None:
    rows = Break.objects.filter(
        brand_id=period.brand_id, state=BreakState.OPEN, happened_at__lt=end_of_month(period)
    ).values_list("psp_id", "leg", "subject")
    for psp_id, leg, subject in rows[:100_000]:
        if leg == SourceKind.PLATFORM:
            server = subject.split(":")[1]
            of_server: Iterable[SourceLine] = (
                line for line in lines.values() if line.source.server and str(line.source.server.pk) == server
            )
            line = next(iter(of_server), None)
        else:
            line = _of_psp(lines, psp_id)
        if line is not None:
            line.breaks += 1


# ── breaks and client money ──────────────────────────────────────────────────────────────────────────────────────────


def ageing_of(period: Period) -> list[Ageing]:
    """Sum by age the open breaks whose money moved by the month's end.

    Of a closed month, those open when it was closed.
    """
    at = period.closed_at or timezone.now()
    ageings: dict[tuple[str, str], Ageing] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            AGEING,
            {
                "brand": period.brand_id,
                "at": at,
                "until": end_of_month(period),
                "closed": period.state != PeriodState.OPEN,
            },
        )
        for kind, currency, bucket, count, minor in cursor.fetchall():
            ageing = ageings.setdefault((kind, currency), Ageing(kind, currency))
            ageing.counts[bucket] += count
            ageing.sums[bucket] += from_minor(minor, currency)
    return list(ageings.values())


def client_money_days(period: Period) -> list[ClientMoneyDay]:
    """List the last version of every day and currency of the month, newest first."""
    return newest(
        ClientMoneyDay.objects.filter(brand_id=period.brand_id, day__range=(period.first_day, period.last_day))
    )


def _currencies(period: Period) -> list[CurrencyWorst]:
    by_currency: dict[str, list[ClientMoneyDay]] = defaultdict(list)
    for row in client_money_days(period):
        by_currency[row.currency].append(row)
    base = period.brand.base_currency
    return [
        CurrencyWorst(
            rows[0], min(rows, key=lambda row: row.difference_minor), sum(row.cover == Cover.SHORT for row in rows)
        )
        for _currency, rows in sorted(by_currency.items(), key=lambda item: (item[0] != base, item[0]))
    ]
