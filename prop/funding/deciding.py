"""What a person does about a refused starting balance: sends it again, or closes the work without."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm import work
from crm.db.locking import lock
from crm.errors import WrongState
from crm.models import User
from crm.security import audit, policies
from prop.audit_codes import PropAction
from prop.challenges.phases import failed_fundings, is_stuck, reserve_funding
from prop.choices import FundingState
from prop.funding.failures import FUNDING, can_fund
from prop.models import Challenge, FundingFailure, PhaseAccount
from trading.models import BalanceOperation


@transaction.atomic
def decide_funding(*, failure_id: int, outcome: str, reason: str = "", actor: User) -> FundingFailure:
    """Send a refused starting balance again, or close the work without it, with a reason. Closed, it can still be sent later.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where it was
    decided or the account no longer waits, DomainError without a reason for closing.
    """
    failure = FUNDING.lock(failure_id)
    policies.require(can_fund(actor, failure.phase_account))
    if failure.state != FundingState.OPEN:
        raise WrongState(_("This has already been decided."))
    _decide(failure, FundingState(outcome), actor, reason)
    return failure


@transaction.atomic
def fund_again(*, phase_account_id: int, actor: User) -> BalanceOperation:
    """Send a starting balance again that the platform refused too often. A repeat finds the operation that is there.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where the
    account doesn't wait for it.
    """
    owner = PhaseAccount.objects.filter(pk=phase_account_id).values_list("challenge__client_id", "challenge_id").first()
    client = lock(Client, owner[0] if owner else 0, "brand")
    challenge = lock(Challenge, owner[1] if owner else 0)
    row = lock(PhaseAccount, phase_account_id)
    challenge.client, row.challenge = client, challenge
    policies.require(can_fund(actor, row))
    if not is_stuck(row):
        raise WrongState(_("This account doesn't wait for its starting balance."))
    failure = FundingFailure.objects.filter(phase_account=row, state=FundingState.OPEN).first()
    if failure is not None:
        failure.phase_account = row
        return _decide(failure, FundingState.SENT, actor, "")
    return _send(row, actor)


def _decide(failure: FundingFailure, state: FundingState, actor: User, reason: str) -> BalanceOperation:
    row = failure.phase_account
    if state == FundingState.SENT and not is_stuck(row):
        raise WrongState(_("This account doesn't wait for its starting balance."))
    work.decide(failure, actor=actor, outcome=state, reason=reason)
    failure.move_to(state)
    failure.decided_by, failure.decided_at = actor, timezone.now()
    failure.save(update_fields=["state", "decided_by", "decided_at"])
    if state == FundingState.SENT:
        return _send(row, actor)
    audit.record(
        actor=actor,
        action=PropAction.FUNDING_CLOSED,
        target=row,
        client_id=row.challenge.client_id,
        brand_id=row.challenge.brand_id,
        reason=reason,
        after={"attempts": failure.attempts},
    )
    return failure.operation


def _send(row: PhaseAccount, actor: User) -> BalanceOperation:
    operation = reserve_funding(row, failed_fundings(row) + 1)
    audit.record(
        actor=actor,
        action=PropAction.FUNDED_AGAIN,
        target=row,
        client_id=row.challenge.client_id,
        brand_id=row.challenge.brand_id,
        after={"operation": operation.pk},
    )
    return operation
