"""Figures of the dashboard's money tiles, each from a few indexed rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Min, QuerySet, Sum
from django.utils import timezone

from crm.choices import ApprovalState
from crm.models import User
from crm.money.amounts import Money
from wallet.choices.deposits import DepositState
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import BreakState, ReportState
from wallet.choices.withdrawals import WITHDRAWAL_UNDECIDED, WithdrawalState
from wallet.core.queries import (
    breaks_visible_to,
    deposits_visible_to,
    manual_journals_visible_to,
    webhook_counts_visible_to,
    webhooks_visible_to,
    withdrawals_visible_to,
)
from wallet.reconciliation.queries import announced_visible_to
from wallet.transfers import rate_watch

TO_DECIDE = WITHDRAWAL_UNDECIDED
DAYS = 14


def withdrawals_to_decide(user: User, most: int) -> int:
    """Count the withdrawals that wait for somebody, up to `most`."""
    return len(withdrawals_visible_to(user).filter(state__in=TO_DECIDE, part=1).order_by().values_list("pk")[:most])


def journals_to_post(user: User) -> int | None:
    """Count the manual journals that this person may post: somebody else wrote them."""
    if not user.has_perm("wallet.post_manual_journal"):
        return None
    rows = manual_journals_visible_to(user).filter(state=ApprovalState.PENDING).exclude(requested_by=user)
    return _few(rows) or None


def withdrawal_tile(user: User) -> dict[str, Any]:
    """Sum the withdrawals that wait for a decision, with the oldest."""
    rows = withdrawals_visible_to(user).filter(state__in=TO_DECIDE, part=1).order_by()
    sums = rows.values("currency").annotate(minor=Sum("request_minor"), count=Count("pk"), oldest=Min("requested_at"))
    rows_by_currency = list(sums)
    return {
        "count": sum(row["count"] for row in rows_by_currency),
        "oldest": min((row["oldest"] for row in rows_by_currency), default=None),
        "sums": [Money.of_minor(int(row["minor"]), row["currency"]) for row in rows_by_currency],
    }


def deposit_tile(user: User) -> dict[str, Any]:
    """Sum today's settled deposits, first deposits among them, and a fortnight's chart, in each brand's base currency."""
    today = timezone.now().date()
    since = dt.datetime.combine(today - dt.timedelta(days=DAYS - 1), dt.time(), tzinfo=dt.UTC)
    rows = (
        deposits_visible_to(user)
        .filter(settled_at__gte=since)
        .order_by()
        .values("settled_at__date", "brand__base_currency", "is_first")
        .annotate(total=Sum("base_amount"), count=Count("pk"))
    )
    per_day: dict[dt.date, float] = {}
    now: dict[str, Any] = {}
    count = first = 0
    for row in rows:
        day = row["settled_at__date"]
        per_day[day] = per_day.get(day, 0) + float(row["total"] or 0)  # a curve, not an amount
        if day == today:
            count += row["count"]
            first += row["count"] if row["is_first"] else 0
            now[row["brand__base_currency"]] = now.get(row["brand__base_currency"], 0) + row["total"]
    trend = [per_day.get(today - dt.timedelta(days=back), 0) for back in range(DAYS - 1, -1, -1)]
    return {
        "count": count,
        "first": first,
        "sums": [Money(total, code) for code, total in sorted(now.items())],
        "trend": trend,
    }


def attention_tile(user: User) -> dict[str, Any] | None:
    """Count what needs attention: held deposits, unknown payouts, webhooks, breaks, missing reports, stale rates."""
    week = timezone.now() - dt.timedelta(days=7)
    webhooks = webhooks_visible_to(user)
    refused = webhook_counts_visible_to(user).filter(day__gte=week.date()).exclude(verdict=Verdict.DUPLICATE)
    stuck = webhooks.filter(verdict=Verdict.ACCEPTED, state__in=[InboxState.FAILED, InboxState.UNMATCHED])
    figures = {
        "held": _few(deposits_visible_to(user).filter(state=DepositState.HELD)),
        "unknown": _few(withdrawals_visible_to(user).filter(state=WithdrawalState.UNKNOWN)),
        "refused": refused.aggregate(n=Sum("received", default=0))["n"],
        "stuck": _few(stuck),
        "breaks": _few(breaks_visible_to(user).filter(state=BreakState.OPEN)),
        "reports": _few(announced_visible_to(user).filter(state__in=ReportState.needs_somebody())),
        "rates": len(rate_watch.stale_feeds()),
    }
    return {**figures, "total": sum(figures.values())}


def _few(rows: QuerySet[Any], most: int = 100) -> int:
    return len(rows.order_by().values_list("pk")[:most])
