"""What a dispute about a deal holds back, and which payouts go on meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from crm.choices import ApprovalState
from ib.choices import AccrualState
from ib.models import Accrual, CommissionDispute, PayoutRequest, Settlement
from ib.queries import of_deals
from ib.settlements.lines import settlement_of

LINES_MAX: Final = 50
REQUESTS_MAX: Final = 10


@dataclass(frozen=True)
class Effect:
    """`waiting`: by currency, what no settlement takes before the answer; `settled`: those that took the deal's lines before."""

    waiting: Mapping[str, Decimal]
    settled: Sequence[Settlement]
    requests: Sequence[PayoutRequest]


def effect_of(dispute: CommissionDispute) -> Effect | None:
    """Sum what an open dispute about a deal holds back of the partner's; None for a resolved one, and where all waits."""
    if dispute.deal_id is None or dispute.resolved_at is not None:
        return None
    waiting: defaultdict[str, Decimal] = defaultdict(Decimal)
    settled: dict[int, Settlement] = {}
    lines = Accrual.objects.filter(of_deals([dispute.deal_id]), partner_id=dispute.partner_id)
    for line in lines.exclude(state=AccrualState.EXCLUDED).order_by("pk")[:LINES_MAX]:
        settlement = settlement_of(line)
        if settlement is None:
            waiting[line.currency] += line.amount
        else:
            settled[settlement.pk] = settlement
    requests = PayoutRequest.objects.filter(partner_id=dispute.partner_id, state=ApprovalState.PENDING).order_by("-pk")
    return Effect(dict(waiting), list(settled.values()), list(requests[:REQUESTS_MAX]))
