"""What a funded account still lacks for its next step of scaling: profit, payouts and days since the last one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db.models import Sum
from django.utils import timezone

from crm.money.amounts import quantize
from prop.choices import ChallengeState, GrowthState, PayoutState, StageState
from prop.models import AccountGrowth, PhaseAccount
from prop.payouts.terms import profit_of, server_day
from trading.models import Deal

OPEN: Final = (GrowthState.PROPOSED, GrowthState.SENDING)


@dataclass(frozen=True, slots=True)
class ScalingProgress:
    """How far an account is. profit and payouts are since the last step; amount is what the next one adds.

    is_settled: every payout that was paid is also in the judged balance, so that no profit is counted twice.
    """

    profit: Decimal
    profit_needed: Decimal
    payouts: int
    payouts_needed: int
    earliest: dt.date
    today: dt.date
    size: Decimal
    amount: Decimal
    split: Decimal | None
    profit_total: Decimal
    is_settled: bool

    @property
    def size_after(self) -> Decimal:
        return self.size + self.amount

    @property
    def profit_shown(self) -> Decimal:
        """The profit as far as a bar shows it."""
        return min(max(self.profit, Decimal(0)), self.profit_needed)

    @property
    def is_met(self) -> bool:
        """Whether everything that the version asks for is there."""
        is_reached = self.profit >= self.profit_needed and self.payouts >= self.payouts_needed
        return self.is_settled and is_reached and self.today >= self.earliest


def progress_of(row: PhaseAccount) -> ScalingProgress | None:
    """Compute how far a running funded account is; None where its version doesn't scale."""
    phase, challenge = row.phase, row.challenge
    if phase.scaling_profit is None or phase.scaling_growth is None or row.started_at is None:
        return None
    if row.state != StageState.RUNNING or challenge.state != ChallengeState.FUNDED or challenge.paused_at is not None:
        return None
    last = row.growths.filter(state=GrowthState.BOOKED, merge=None).order_by("-number").first()
    since = last.ended_at if last and last.ended_at else row.started_at
    paid = row.payouts.filter(state=PayoutState.PAID)
    total = profit_of(row) + (paid.aggregate(total=Sum("profit"))["total"] or Decimal(0))
    return ScalingProgress(
        profit=total - (last.profit_total if last else Decimal(0)),
        profit_needed=quantize(row.size * phase.scaling_profit / 100, challenge.currency),
        payouts=paid.filter(ended_at__gt=since).count(),
        payouts_needed=phase.scaling_payouts,
        earliest=server_day(row, since) + dt.timedelta(days=phase.scaling_days),
        today=server_day(row, timezone.now()),
        size=row.size,
        amount=quantize(challenge.balance * phase.scaling_growth / 100, challenge.currency),
        split=phase.scaling_split,
        profit_total=total,
        is_settled=_is_settled(row),
    )


def _is_settled(row: PhaseAccount) -> bool:
    """Whether the judge has read the withdrawal of every paid payout: until then its profit is still in the balance too."""
    references = list(
        row.payouts.exclude(operation=None)
        .exclude(state=PayoutState.FAILED)
        .values_list("operation__reference", flat=True)
    )
    read = Deal.objects.filter(account_id=row.account_id, comment__in=references, executed_at__lte=row.judged_until)
    return row.judged_until is not None and read.count() == len(references)


def split_of(row: PhaseAccount) -> Decimal | None:
    """Return the trader's share of the profit: the phase's, or what the last step of scaling raised it to."""
    raised = AccountGrowth.objects.filter(phase_account=row, state=GrowthState.BOOKED, split__isnull=False)
    last = raised.order_by("-number").values_list("split", flat=True).first()
    return last if last is not None else row.phase.split
