"""What a funded account still lacks for its next step of scaling: profit, payouts and days since the last one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils import timezone

from crm.money.amounts import quantize
from prop.choices import ChallengeState, GrowthState, PayoutState, StageState
from prop.models import ChallengePayout, PhaseAccount
from prop.payouts.rows import growths_of, payouts_of
from prop.payouts.terms import profit_of, server_day
from trading.models import Deal

CLOCKS_APART: Final = dt.timedelta(days=1)
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
    booked = [each for each in growths_of(row) if each.state == GrowthState.BOOKED and each.merge_id is None]
    last = booked[0] if booked else None
    since = last.ended_at if last and last.ended_at else row.started_at
    payouts = payouts_of(row)
    paid = [each for each in payouts if each.state == PayoutState.PAID]
    total = profit_of(row) + sum((each.profit for each in paid), Decimal(0))
    return ScalingProgress(
        profit=total - (last.profit_total if last else Decimal(0)),
        profit_needed=quantize(row.size * phase.scaling_profit / 100, challenge.currency),
        payouts=sum(1 for each in paid if each.ended_at and each.ended_at > since),
        payouts_needed=phase.scaling_payouts,
        earliest=server_day(row, since) + dt.timedelta(days=phase.scaling_days),
        today=server_day(row, timezone.now()),
        size=row.size,
        amount=quantize(challenge.balance * phase.scaling_growth / 100, challenge.currency),
        split=phase.scaling_split,
        profit_total=total,
        is_settled=_is_settled(row, payouts),
    )


def _is_settled(row: PhaseAccount, payouts: Sequence[ChallengePayout]) -> bool:
    """Whether the judge has read the withdrawal of every paid payout: until then its profit is still in the balance too."""
    sent = [each for each in payouts if each.operation and each.state != PayoutState.FAILED]
    if row.judged_until is None or not sent:
        return row.judged_until is not None
    # Deals are partitioned by time: those of before the first request are none of these, whatever the server's clock shows.
    since = min(each.requested_at for each in sent) - CLOCKS_APART
    references = [each.operation.reference for each in sent if each.operation]
    read = Deal.objects.filter(
        account_id=row.account_id, comment__in=references, executed_at__range=(since, row.judged_until)
    )
    return read.count() == len(references)


def split_of(row: PhaseAccount) -> Decimal | None:
    """Return the trader's share of the profit: the phase's, or what the last step of scaling raised it to."""
    booked = (each.split for each in growths_of(row) if each.state == GrowthState.BOOKED and each.split is not None)
    return next(booked, row.phase.split)
