"""The trading account of a phase: requested, given its starting balance on the platform, and running from then on."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor
from crm.security import audit
from prop.audit_codes import PropAction
from prop.certificates.issuing import issue_certificate
from prop.choices import ChallengeState, StageState
from prop.models import Challenge, PhaseAccount, ProgrammePhase
from trading.accounts.balance_operations import reserve_operation
from trading.accounts.opening import request_account
from trading.choices import OperationKind
from trading.models import BalanceOperation

# A balance that the platform refused for certain is sent again so often; then a person looks.
FUNDINGS_MAX: Final = 5
KEY: Final = "challenge-balance:"


def start_phase(challenge: Challenge, phase: ProgrammePhase, *, actor: Actor) -> PhaseAccount:
    """Request the account of a phase of a locked client's challenge; it runs once its balance is on the platform.

    Raises: NotAllowed, DomainError where the client can't have such an account.
    """
    version = challenge.version
    attempt = PhaseAccount.objects.filter(challenge=challenge, phase=phase).count() + 1
    account = request_account(
        client_id=challenge.client_id,
        account_type_id=version.funded_account_type_id if phase.is_funded else version.account_type_id,
        request_key=f"challenge:{challenge.pk}:{phase.number}:{attempt}",
        actor=actor,
        leverage=phase.leverage,
    )
    if not account.is_demo:  # the type was changed since: a balance that nobody paid in must never be real money
        raise DomainError(_("This account type isn't offered."))
    return PhaseAccount.objects.create(challenge=challenge, phase=phase, attempt=attempt, account=account)


@transaction.atomic
def fund_phase(*, account_id: int) -> BalanceOperation | None:
    """Put the starting balance on an account that the platform has opened; None where it belongs to no challenge.

    Who: the system. A repeat finds the operation that is there; one that failed for certain is sent again.
    """
    row = (
        PhaseAccount.objects.filter(account_id=account_id, state=StageState.OPENING).select_related("challenge").first()
    )
    if row is None:
        return None
    tried = BalanceOperation.objects.filter(account_id=account_id, idempotency_key__startswith=f"{KEY}{row.pk}:")
    failed = tried.filter(state="failed").count()
    if failed >= FUNDINGS_MAX:
        return None
    return reserve_operation(
        account_id=account_id,
        kind=OperationKind.DEPOSIT,
        amount=row.challenge.balance,
        idempotency_key=f"{KEY}{row.pk}:{failed + 1}",
        reason=str(row.challenge),
    )


@transaction.atomic
def begin_phase(*, operation_id: int) -> PhaseAccount | None:
    """Let a phase run once its starting balance is confirmed; what failed is sent again. Who: the system."""
    operation = BalanceOperation.objects.filter(pk=operation_id, idempotency_key__startswith=KEY).first()
    if operation is None:
        return None
    if operation.state == "failed":
        fund_phase(account_id=operation.account_id)
        return None
    found = PhaseAccount.objects.get(account_id=operation.account_id)
    challenge = lock(Challenge, found.challenge_id)
    row = lock(PhaseAccount, found.pk, "phase")
    if operation.state != "confirmed" or row.state != StageState.OPENING:
        return row
    row.move_to(StageState.RUNNING)
    row.started_at = row.judged_until = operation.settled_at or timezone.now()
    row.save(update_fields=["state", "started_at", "judged_until"])
    if row.phase.is_funded and challenge.state == ChallengeState.ACTIVE:
        challenge.move_to(ChallengeState.FUNDED)
        challenge.save(update_fields=["state"])
        row.challenge = challenge
        issue_certificate(row)
    audit.record(
        actor=None,
        action=PropAction.PHASE_STARTED,
        target=challenge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"phase": row.phase_id, "attempt": row.attempt, "account": row.account_id},
    )
    return row
