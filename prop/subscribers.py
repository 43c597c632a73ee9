"""What challenges do when something happened elsewhere: their accounts opened, their balance booked."""

from __future__ import annotations

from crm.events import BalanceOperationSettled, DealsSynced, DepositReversed, TradingAccountOpened, subscribe
from prop.challenges.phases import begin_phase, fund_phase
from prop.corrections.finding import note_changed_deals
from prop.merging.settling import settle_merge
from prop.pauses.pausing import pause_challenges
from prop.payouts.settling import settle_payout
from prop.scaling.settling import settle_growth


@subscribe(TradingAccountOpened)
def fund_challenge_account(event: TradingAccountOpened) -> None:
    """Put the starting balance on the account of a challenge."""
    fund_phase(account_id=event.account_id)


@subscribe(BalanceOperationSettled)
def begin_challenge_phase(event: BalanceOperationSettled) -> None:
    """Let a phase run once its starting balance is on the platform."""
    begin_phase(operation_id=event.operation_id)


@subscribe(BalanceOperationSettled)
def settle_challenge_payout(event: BalanceOperationSettled) -> None:
    """Credit the wallet once a payout's profit has left the account."""
    settle_payout(operation_id=event.operation_id)


@subscribe(BalanceOperationSettled)
def settle_challenge_growth(event: BalanceOperationSettled) -> None:
    """Let a funded account have its new size once the platform confirmed the deposit."""
    settle_growth(operation_id=event.operation_id)


@subscribe(BalanceOperationSettled)
def settle_account_merge(event: BalanceOperationSettled) -> None:
    """Close the one account of a merge and let the other have its new size once the platform confirmed the deposit."""
    settle_merge(operation_id=event.operation_id)


@subscribe(DealsSynced)
def judge_changed_challenges(event: DealsSynced) -> None:
    """Have challenges judged again that were judged beyond deals which came late, were edited or deleted."""
    note_changed_deals(deal_ids=event.deal_ids)


@subscribe(DepositReversed)
def pause_unpaid_challenges(event: DepositReversed) -> None:
    """Pause challenges whose fee was paid with a deposit that was charged back, where the wallet didn't cover it."""
    if event.dispute_id is not None:
        pause_challenges(dispute_id=event.dispute_id)
