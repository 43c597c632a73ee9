"""An approved merge, step by step: trading on the one account stops, it is read once more, the other one's balance is raised.

Each step is one transaction that a repeat finds done. Until the platform has confirmed the deposit, both accounts are what they
were: a merge that fails lets the one account trade again, and takes back a deposit that was booked.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crm.errors import DomainError
from crm.security import audit
from prop.audit_codes import PropAction
from prop.choices import ChallengeState, GrowthState, MergeProblem, MergeState, StageState
from prop.merging.checks import checks_of, problem_of
from prop.merging.locking import locked
from prop.merging.news import notify_failed, notify_merged
from prop.models import AccountGrowth, AccountMerge
from trading.accounts.balance_operations import reserve_operation
from trading.accounts.changes import end_trading, resume_trading
from trading.choices import AccountState, OperationKind
from trading.models import BalanceOperation

OPERATION_KEY: Final = "challenge-merge:"
BACK_KEY: Final = "challenge-merge-back:"
# Of an account whose trading can't be stopped, or that isn't read any more.
GIVE_UP_AFTER: Final = dt.timedelta(hours=24)
AT_ONCE_MAX: Final = 500


def closing_merges() -> QuerySet[AccountMerge]:
    """Find approved merges whose closed account has yet to be stopped or read."""
    return AccountMerge.objects.filter(state=MergeState.CLOSING).order_by("decided_at", "pk")[:AT_ONCE_MAX]


@transaction.atomic
def continue_merge(*, merge_id: int) -> AccountMerge | None:
    """Raise the kept account's balance once trading on the closed one is off and its last trades were judged.

    Who: the system. None while it has to wait. What was traded meanwhile, or decided otherwise, makes the merge fail.
    """
    merge = locked(merge_id)
    if merge.state != MergeState.CLOSING:
        return None
    now, closed = timezone.now(), merge.closed
    assert merge.decided_at is not None
    is_late = now > merge.decided_at + GIVE_UP_AFTER
    if closed.account.trading_wanted or closed.account.trading_applied:
        return _fail(merge, MergeProblem.STOP) if is_late else None
    if merge.stopped_at is None:
        merge.stopped_at = now
        merge.save(update_fields=["stopped_at"])
    if closed.state == StageState.RUNNING and (closed.judged_until is None or closed.judged_until <= merge.stopped_at):
        return _fail(merge, MergeProblem.STOP) if is_late else None
    if problem_of(checks_of(merge.kept, closed, merge)) or (merge.size, merge.amount) != (merge.kept.size, closed.size):
        return _fail(merge, MergeProblem.CHANGED)
    try:
        merge.operation = reserve_operation(
            account_id=merge.kept.account_id,
            kind=OperationKind.DEPOSIT,
            amount=merge.amount,
            idempotency_key=f"{OPERATION_KEY}{merge.pk}",
            reason=str(merge),
        )
    except DomainError:  # the kept account was archived meanwhile
        return _fail(merge, MergeProblem.CHANGED)
    merge.move_to(MergeState.SENDING)
    merge.save(update_fields=["state", "operation"])
    return merge


@transaction.atomic
def settle_merge(*, operation_id: int) -> AccountMerge | None:
    """Close the one account and let the other have its new size once the platform confirmed the deposit; once.

    Who: the system, when an operation was settled. None where the operation is no merge's.
    """
    operation = BalanceOperation.objects.filter(pk=operation_id, idempotency_key__startswith=OPERATION_KEY).first()
    found = AccountMerge.objects.filter(operation=operation).first() if operation else None
    if operation is None or found is None or not operation.is_settled:
        return None
    merge = locked(found.pk)
    if merge.state != MergeState.SENDING:
        return merge
    if operation.state != "confirmed":
        return _fail(merge, MergeProblem.REFUSED)
    if any(
        row.state != StageState.RUNNING or row.challenge.state != ChallengeState.FUNDED
        for row in (merge.kept, merge.closed)
    ):
        _take_back(merge)
        return _fail(merge, MergeProblem.CHANGED)
    merge.move_to(MergeState.MERGED)
    merge.ended_at = timezone.now()
    merge.save(update_fields=["state", "ended_at"])
    _close(merge)
    _grow(merge)
    _record(merge, PropAction.ACCOUNTS_MERGED)
    notify_merged(merge)
    return merge


def _close(merge: AccountMerge) -> None:
    """End the closed account and its challenge: it can be looked at, and is never traded again."""
    closed = merge.closed
    closed.move_to(StageState.ENDED)
    closed.ended_at = merge.ended_at
    closed.save(update_fields=["state", "ended_at"])
    closed.challenge.move_to(ChallengeState.ENDED)
    closed.challenge.ended_at = merge.ended_at
    closed.challenge.save(update_fields=["state", "ended_at"])
    end_trading(account_id=closed.account_id)


def _grow(merge: AccountMerge) -> None:
    """Let the kept account have its new size from this instant on, as a booked step: judging again counts it from then on, too."""
    kept = merge.kept
    AccountGrowth.objects.create(
        phase_account=kept,
        merge=merge,
        number=kept.growths.count() + 1,
        state=GrowthState.BOOKED,
        size=merge.size,
        amount=merge.amount,
        profit_total=0,
        proposed_at=merge.requested_at,
        work=merge.work,
        decided_by=merge.decided_by,
        decided_at=merge.decided_at,
        operation=merge.operation,
        ended_at=merge.ended_at,
    )
    kept.growth += merge.amount
    kept.save(update_fields=["growth"])


def _take_back(merge: AccountMerge) -> None:
    """Withdraw a deposit from an account that doesn't grow; one that was lost keeps it, as nobody can trade it."""
    kept = merge.kept
    if kept.state == StageState.RUNNING and kept.account.state == AccountState.OPEN:
        reserve_operation(
            account_id=kept.account_id,
            kind=OperationKind.WITHDRAWAL,
            amount=-merge.amount,
            idempotency_key=f"{BACK_KEY}{merge.pk}",
            reason=str(merge),
        )


def _fail(merge: AccountMerge, problem: MergeProblem) -> AccountMerge:
    """Let both accounts go on as before; one that is paused for another reason stays so."""
    merge.move_to(MergeState.FAILED)
    merge.problem, merge.ended_at = problem, timezone.now()
    merge.save(update_fields=["state", "problem", "ended_at"])
    if merge.closed.challenge.paused_at is None:
        resume_trading(account_id=merge.closed.account_id)
    _record(merge, PropAction.MERGE_FAILED)
    notify_failed(merge)
    return merge


def _record(merge: AccountMerge, action: PropAction) -> None:
    challenge = merge.kept.challenge
    audit.record(
        actor=None,
        action=action,
        target=merge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"size": str(merge.kept.size), "amount": str(merge.amount), "problem": merge.problem},
    )
