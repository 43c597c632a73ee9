"""How PSPs have been doing: approvals, reasons of declines, the last calls, webhooks. Bounded reads, one query for a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Case, Max, Q, Sum, When
from django.utils import timezone

from wallet.choices.psp import CallOutcome, Verdict
from wallet.choices.reconciliation import ReportState
from wallet.choices.withdrawals import failure_words
from wallet.models import AnnouncedReport, Psp, PspCall, WebhookCount, WebhookMessage
from wallet.psp import adapter_of

SHOWN = 20
DRAWN = 60
DAYS = 30


@dataclass(frozen=True, slots=True)
class PspHealth:
    """How a PSP has been doing: payments of thirty days, webhooks of seven, the last calls that are kept."""

    attempts: int
    settled: int
    failed: int
    last_webhook_at: dt.datetime | None
    refused_webhooks: int
    calls: int
    failed_calls: int
    median_ms: int | None
    slow_ms: int | None
    open_reports: int

    @property
    def approval_percent(self) -> int | None:
        ended = self.settled + self.failed
        return None if not ended else round(100 * self.settled / ended)


HEALTH = """
SELECT p.id, d.attempts, d.settled, d.failed, w.last_at, r.refused, c.calls, c.failed, c.median_ms, c.slow_ms, a.open
FROM wallet_psp p
LEFT JOIN LATERAL (
  SELECT count(*) AS attempts, count(*) FILTER (WHERE settled_at IS NOT NULL) AS settled,
    count(*) FILTER (WHERE state = 'failed') AS failed
  FROM (SELECT settled_at, state FROM wallet_deposit WHERE psp_id = p.id AND created_at > now() - interval '30 days'
        ORDER BY id DESC LIMIT 5000) recent
) d ON true
LEFT JOIN LATERAL (
  SELECT max(received_at) AS last_at FROM (
    SELECT received_at FROM wallet_webhookmessage WHERE psp_id = p.id AND verdict = 'accepted' ORDER BY id DESC LIMIT 1
  ) newest
) w ON true
LEFT JOIN LATERAL (
  SELECT coalesce(sum(received), 0)::bigint AS refused FROM wallet_webhookcount
  WHERE psp_id = p.id AND day > current_date - 7 AND verdict <> 'duplicate'
) r ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS calls, count(*) FILTER (WHERE outcome IN ('unreachable', 'unknown')) AS failed,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY milliseconds) AS median_ms,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY milliseconds) AS slow_ms
  FROM wallet_pspcall WHERE psp_id = p.id
) c ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS open FROM wallet_announcedreport WHERE psp_id = p.id AND state IN ('failed', 'refused', 'missing')
) a ON true
WHERE p.id = ANY(%s)
"""
DECLINES = """
SELECT failure, count(*) FROM (
  SELECT failure FROM wallet_deposit WHERE psp_id = %s AND state = 'failed' AND created_at > now() - interval '30 days'
  ORDER BY id DESC LIMIT 5000) recent
GROUP BY failure ORDER BY count(*) DESC, failure LIMIT 8
"""
BY_DAY = """
SELECT created_at::date, count(*) FILTER (WHERE settled_at IS NOT NULL), count(*) FILTER (WHERE state = 'failed')
FROM (SELECT created_at, settled_at, state FROM wallet_deposit
      WHERE psp_id = %s AND created_at > now() - interval '30 days' ORDER BY id DESC LIMIT 20000) recent
GROUP BY 1
"""
# What PSPs took of the deposits in their newest reports: at most thirty reports of 90 days, a thousand rows of each, and
# of its currencies the most frequent one.
COSTS = """
SELECT DISTINCT ON (p.id) p.id, c.currency, c.gross, c.fee, c.deposits
FROM wallet_psp p
CROSS JOIN LATERAL (
  SELECT r.currency, sum(r.gross_minor)::bigint AS gross, sum(r.fee_minor)::bigint AS fee, count(*) AS deposits
  FROM (SELECT id FROM wallet_settlementimport WHERE psp_id = p.id AND last_day > current_date - 90
        ORDER BY id DESC LIMIT 30) i
  CROSS JOIN LATERAL (
    SELECT currency, gross_minor, fee_minor, type, is_repeat FROM wallet_settlementrow WHERE report_id = i.id
    ORDER BY line LIMIT 1000
  ) r
  WHERE r.type = 'payment' AND NOT r.is_repeat
  GROUP BY r.currency HAVING sum(r.gross_minor) > 0
) c
WHERE p.id = ANY(%s)
ORDER BY p.id, c.deposits DESC, c.currency
"""


@dataclass(frozen=True, slots=True)
class DepositCost:
    """What a PSP charged on the deposits of its newest reports, in minor units of its main currency."""

    psp_id: int
    currency: str
    gross_minor: int
    fee_minor: int
    deposits: int

    @property
    def percent(self) -> Decimal:
        return Decimal(self.fee_minor) * 100 / Decimal(self.gross_minor)


def deposit_costs(psp_ids: Sequence[int]) -> list[DepositCost]:
    """Compare what PSPs charge on deposits by their own reports, the dearest first; those without reports are left out."""
    with connection.cursor() as cursor:
        cursor.execute(COSTS, [list(psp_ids)])
        costs = [DepositCost(*row) for row in cursor.fetchall()]
    return sorted(costs, key=lambda cost: (-cost.percent, cost.psp_id))


def psp_health(psp_ids: Sequence[int]) -> dict[int, PspHealth]:
    """Compute the health of several PSPs in one query, by their ids."""
    with connection.cursor() as cursor:
        cursor.execute(HEALTH, [list(psp_ids)])
        return {row[0]: PspHealth(*row[1:]) for row in cursor.fetchall()}


def decline_reasons(psp: Psp) -> list[tuple[str, int]]:
    """List the reasons of thirty days' declines with their counts, most frequent first."""
    with connection.cursor() as cursor:
        cursor.execute(DECLINES, [psp.pk])
        return [(failure_words(code) if code else "—", count) for code, count in cursor.fetchall()]


def by_day(psp: Psp) -> tuple[list[dt.date], list[int], list[int]]:
    """Return days, settled and failed counts of the last thirty days, none left out."""
    with connection.cursor() as cursor:
        cursor.execute(BY_DAY, [psp.pk])
        counts = {day: (settled, failed) for day, settled, failed in cursor.fetchall()}
    today = timezone.now().date()
    days = [today - dt.timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    return days, [counts.get(day, (0, 0))[0] for day in days], [counts.get(day, (0, 0))[1] for day in days]


def last_calls(psp: Psp) -> list[PspCall]:
    """List the newest calls of a PSP for its chart."""
    return list(PspCall.objects.filter(psp=psp).order_by("-id")[:DRAWN])


def refused_webhooks(psp: Psp) -> list[WebhookMessage]:
    """List the newest webhooks that were refused, with their verdict."""
    rows = WebhookMessage.objects.filter(psp=psp).exclude(verdict__in=[Verdict.ACCEPTED, Verdict.DUPLICATE])
    return list(rows.defer("body", "headers").order_by("-id")[:SHOWN])


def webhook_counts(psp: Psp) -> list[dict[str, Any]]:
    """Count webhooks by verdict, today and within seven days, accepted ones aside; the most frequent first."""
    today = timezone.now().date()
    rows = WebhookCount.objects.filter(psp=psp, day__gt=today - dt.timedelta(days=7)).order_by()
    counts = rows.values("verdict").annotate(
        today=Sum("received", filter=Q(day=today), default=0),
        week=Sum("received"),
        kept=Sum("kept"),
        last_at=Max("last_at"),
    )
    return [{**row, "label": Verdict(row["verdict"]).label} for row in counts.order_by("-week", "verdict")]


def announced_reports(psp: Psp) -> list[AnnouncedReport]:
    """List the reports that need attention, then the last ones."""
    to_look_at_first = Case(When(state__in=ReportState.needs_somebody(), then=0), default=1)
    rows = AnnouncedReport.objects.filter(psp=psp).select_related("report")
    reports = list(rows.order_by(to_look_at_first, "-id")[:SHOWN])
    labels = {kind.code: kind.label for kind in adapter_of(psp).report_kinds()} if reports else {}
    for report in reports:
        report.title = labels.get(report.kind, "")  # type: ignore[attr-defined]
    return reports


def outage_of(psp: Psp, calls: Sequence[PspCall]) -> dict[str, Any] | None:
    """Describe an outage: since when no usable answer came, and until when its methods are hidden; None while it is up."""
    if not psp.is_down:
        return None
    failures = []
    for call in calls:
        if call.outcome not in (CallOutcome.UNREACHABLE, CallOutcome.UNKNOWN):
            break
        failures.append(call)
    return {"since": failures[-1].at if failures else None, "until": psp.is_down_until, "failures": len(failures)}
