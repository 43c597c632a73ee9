"""Facts that the checks of a month and its page share, each read once for all of a brand's sources together."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Value
from django.utils import timezone

from crm.choices import ApprovalState
from wallet.choices.bank import EntryState
from wallet.choices.deposits import DepositState
from wallet.choices.month_end import Cover, PeriodState
from wallet.choices.psp import InboxState, Verdict
from wallet.choices.reconciliation import BreakState
from wallet.choices.transfers import TransferState
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, WithdrawalState
from wallet.closing.checklist import COUNT_MAX, end_of_month
from wallet.closing.missing_sources import Missing, last_due, missing_sources, platform_runs
from wallet.closing.revaluation import Revaluation, revaluation_of
from wallet.closing.trial_balance import TrialBalance, trial_balance
from wallet.models import (
    BankEntry,
    Break,
    ClientMoneyDay,
    Deposit,
    ManualJournal,
    Period,
    SourceRun,
    Transfer,
    WebhookMessage,
    Withdrawal,
)
from wallet.reconciliation.source_runs import Source, sources_of


class MonthFacts:
    """A month and what is known about it now."""

    def __init__(self, period: Period) -> None:
        self.period = period

    @cached_property
    def sources(self) -> list[Source]:
        return sources_of([self.period.brand])

    @cached_property
    def trial(self) -> TrialBalance:
        """The trial balance; None while the carry-forward is being computed."""
        if self.period.state == PeriodState.CLOSING:
            return TrialBalance(self.period, self.period.closings, False, (), timezone.now())
        return trial_balance(self.period)

    @cached_property
    def revaluation(self) -> Revaluation:
        return revaluation_of(self.period, self.trial)

    @cached_property
    def runs(self) -> list[SourceRun]:
        return platform_runs(self.period)

    @cached_property
    def missing(self) -> list[Missing]:
        return missing_sources(self.period, self.sources, self.runs)

    @cached_property
    def counts(self) -> Counter[str]:
        """How many of each are open, at most a hundred."""
        return count_few(open_items(self.period))

    @cached_property
    def client_money(self) -> ClientMoneyState:
        return client_money_state(self.period)


@dataclass(frozen=True, slots=True)
class ClientMoneyState:
    """How far client money is computed in a month."""

    days: int
    computed: int
    short: int

    @property
    def lacking(self) -> int:
        return self.days - self.computed


# The first instant at which a client of the brand had money here.
FIRST_MONEY = """
SELECT min(p.posted_at) FROM wallet_account a JOIN wallet_posting p ON p.account_id = a.id AND p.version = 1
WHERE a.brand_id = %s AND a.kind = 'client_wallet'
"""


def client_money_state(period: Period) -> ClientMoneyState:
    """Count how far client money is computed in the month.

    Days before the brand's first client money are not due, nor days that are not over.
    """
    with connection.cursor() as cursor:
        cursor.execute(FIRST_MONEY, [period.brand_id])
        began = cursor.fetchone()[0]
    if began is None or began >= end_of_month(period):
        return ClientMoneyState(0, 0, 0)
    first, until = max(period.first_day, began.astimezone(dt.UTC).date()), last_due(period)
    if until is None or until < first:
        return ClientMoneyState(0, 0, 0)
    days = list(
        ClientMoneyDay.objects.filter(brand_id=period.brand_id, day__range=(first, until))
        .order_by("day", "currency", "-version")
        .distinct("day", "currency")
        .values_list("day", "cover")
    )
    return ClientMoneyState(
        (until - first).days + 1,
        len({day for day, _cover in days}),
        len({day for day, cover in days if cover == Cover.SHORT}),
    )


# ── what is counted ──────────────────────────────────────────────────────────────────────────────────────────────────


def open_items(period: Period) -> dict[str, QuerySet[Any]]:
    """Select what should have ended before a month is closed, by kind."""
    brand, end = {"brand_id": period.brand_id}, end_of_month(period)
    return {
        "earlier_months": Period.objects.filter(**brand, last_day__lt=period.first_day).exclude(
            state=PeriodState.CLOSED
        ),
        "manual_journals": ManualJournal.objects.filter(
            **brand, state=ApprovalState.PENDING, business_on__lte=period.last_day
        ),
        "held_deposits": Deposit.objects.filter(**brand, state=DepositState.HELD, created_at__lt=end),
        "unknown_payouts": Withdrawal.objects.filter(**brand, state=WithdrawalState.UNKNOWN, requested_at__lt=end),
        "open_transfers": Transfer.objects.filter(
            **brand, state__in=[TransferState.SENDING, TransferState.UNKNOWN], created_at__lt=end
        ),
        "open_withdrawals": Withdrawal.objects.filter(
            **brand, state__in=set(WITHDRAWAL_OPEN) - {WithdrawalState.UNKNOWN}, requested_at__lt=end
        ),
        "open_breaks": Break.objects.filter(**brand, state=BreakState.OPEN, happened_at__lt=end),
        "open_webhooks": WebhookMessage.objects.filter(
            psp__brand_id=period.brand_id,
            verdict=Verdict.ACCEPTED,
            received_at__lt=end,
            state__in=[InboxState.FAILED, InboxState.UNMATCHED, InboxState.WAITING],
        ),
        "unknown_payments": BankEntry.objects.filter(
            psp__brand_id=period.brand_id,
            state__in=[EntryState.UNMATCHED, EntryState.WAITING],
            booked_on__lte=period.last_day,
        ),
    }


def count_few(rows: Mapping[str, QuerySet[Any]]) -> Counter[str]:
    """Count the rows of each query, at most a hundred, in one statement."""
    parts = [
        query.order_by().annotate(counted_as=Value(name)).values_list("counted_as", flat=True)[:COUNT_MAX]
        for name, query in rows.items()
    ]
    return Counter(parts[0].union(*parts[1:], all=True))
