"""A funded account that has a profit of 1,000.01 EUR, closed and judged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from prop.choices import ChallengeState
from prop.judge import live
from prop.models import ChallengePayout, PhaseAccount
from prop.payouts.requests import request_payout
from tests.cast import Cast
from tests.prop.judge.running import run_phase, show, trade
from trading.choices import DealEntry

PROFIT = Decimal("1000.01")


def run_funded(cast: Cast, **rules: Any) -> PhaseAccount:
    """A funded phase with a split of 80 %, its first trade on 2 March."""
    terms = {"is_funded": True, "target": None, "split": 80, **rules}
    row = run_phase(cast, **terms)
    row.challenge.state = ChallengeState.FUNDED
    row.challenge.save(update_fields=["state"])
    cast.client.kyc_level = 2
    cast.client.save(update_fields=["kyc_level"])
    return row


def earn(row: PhaseAccount, at: int = 0, *, start: Decimal = Decimal(10_000), profit: Decimal = PROFIT) -> None:
    show(row, at, str(start), str(start))
    live.judge_account(row.pk)
    trade(row, at + 1, DealEntry.IN)
    trade(row, at + 2, DealEntry.OUT, profit=str(profit))
    show(row, at + 5, str(start + profit), str(start + profit))
    live.judge_account(row.pk)
    row.refresh_from_db()


def ask(row: PhaseAccount, key: str = "click") -> ChallengePayout:
    return request_payout(challenge_id=row.challenge_id, request_key=key, actor=row.challenge.client.user)
