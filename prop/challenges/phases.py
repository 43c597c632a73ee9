"""The trading account of a phase: requested, given its starting balance on the platform, and running from then on."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.models import Actor
from crm.security import audit
from prop.audit_codes import PropAction
from prop.certificates.issuing import issue_certificate
from prop.choices import ChallengeState, StageState
from prop.funding.failures import open_failure
from prop.models import Challenge, PhaseAccount, ProgrammePhase
from trading.accounts.balance_operations import reserve_operation
from trading.accounts.changes import pause_trading
from trading.accounts.opening import request_account
from trading.choices import OperationKind
from trading.models import BalanceOperation

# A balance that the platform refused for certain is sent again so often; then a person looks.
FUNDINGS_MAX: Final = 5
KEY: Final = "challenge-balance:"


def require_unpaused(challenge: Challenge) -> None:
    """Refuse what a paused challenge can't have. Raises: WrongState."""
    if challenge.paused_at is not None:
        raise WrongState(_("This challenge is paused because its payment was reversed."))


def start_phase(challenge: Challenge, phase: ProgrammePhase, *, actor: Actor) -> PhaseAccount:
    """Request the account of a phase of a locked client's challenge; it runs once its balance is on the platform.

    Raises: NotAllowed, WrongState while the challenge is paused, DomainError where the client can't have such an account.
    """
    require_unpaused(challenge)
    version = challenge.version
    attempt = PhaseAccount.objects.filter(challenge=challenge, phase=phase).count() + 1
    account = request_account(
        client_id=challenge.client_id,
        account_type_id=version.funded_account_type_id if phase.is_funded else version.account_type_id,
        request_key=f"challenge:{challenge.pk}:{phase.number}:{attempt}",
        actor=actor,
        leverage=phase.leverage,
    )
    # The type was changed since: a balance that nobody paid in must never be real money, and limits are in one currency.
    if not account.is_demo or account.currency != challenge.currency:
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
    failed = failed_fundings(row)
    if failed >= FUNDINGS_MAX:
        open_failure(row, _fundings(row).order_by("pk")[failed - 1], failed)
        return None
    return reserve_funding(row, failed + 1)


def failed_fundings(row: PhaseAccount) -> int:
    """Count how often the platform refused an account's starting balance."""
    return _fundings(row).count()


def _fundings(row: PhaseAccount) -> QuerySet[BalanceOperation]:
    key = f"{KEY}{row.pk}:"
    return BalanceOperation.objects.filter(account_id=row.account_id, idempotency_key__startswith=key, state="failed")


def is_stuck(row: PhaseAccount) -> bool:
    """Whether an account waits for a person because the platform keeps refusing its starting balance."""
    return row.state == StageState.OPENING and failed_fundings(row) >= FUNDINGS_MAX


def reserve_funding(row: PhaseAccount, attempt: int) -> BalanceOperation:
    """Send a starting balance; attempt: from 1 on. A repeat finds the operation that is there."""
    return reserve_operation(
        account_id=row.account_id,
        kind=OperationKind.DEPOSIT,
        amount=row.challenge.balance,
        idempotency_key=f"{KEY}{row.pk}:{attempt}",
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
    if challenge.paused_at is not None:
        pause_trading(account_id=row.account_id)
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
