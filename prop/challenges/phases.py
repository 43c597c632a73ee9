"""The trading account of a phase: requested, given its starting balance on the platform, and running from then on."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.queries import reaches
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.certificates.issuing import issue_certificate
from prop.choices import ChallengeState, PropNotice, StageState
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
    failed = failed_fundings(row)
    if failed >= FUNDINGS_MAX:
        _report_failure(row)
        return None
    return _reserve(row, failed + 1)


def failed_fundings(row: PhaseAccount) -> int:
    """Count how often the platform refused an account's starting balance."""
    tried = BalanceOperation.objects.filter(account_id=row.account_id, idempotency_key__startswith=f"{KEY}{row.pk}:")
    return tried.filter(state="failed").count()


def is_stuck(row: PhaseAccount) -> bool:
    """Whether an account waits for a person because the platform keeps refusing its starting balance."""
    return row.state == StageState.OPENING and failed_fundings(row) >= FUNDINGS_MAX


@transaction.atomic
def fund_again(*, phase_account_id: int, actor: User) -> BalanceOperation:
    """Send a starting balance again that the platform refused too often. A repeat finds the operation that is there.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed, WrongState where the account doesn't wait for it.
    """
    challenge_id = PhaseAccount.objects.values_list("challenge_id", flat=True).filter(pk=phase_account_id).first()
    challenge = lock(Challenge, challenge_id or 0, "client")
    row = lock(PhaseAccount, phase_account_id)
    row.challenge = challenge
    policies.require(can_fund(actor, row))
    if not is_stuck(row):
        raise WrongState(_("This account doesn't wait for its starting balance."))
    operation = _reserve(row, failed_fundings(row) + 1)
    audit.record(
        actor=actor,
        action=PropAction.FUNDED_AGAIN,
        target=row,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"operation": operation.pk},
    )
    return operation


def can_fund(user: Actor, row: PhaseAccount) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, "prop.decide_challenge")
    if not allowed:
        return allowed
    return YES if reaches(user, row.challenge.client) else no(_("This is out of your reach."))


def _reserve(row: PhaseAccount, attempt: int) -> BalanceOperation:
    return reserve_operation(
        account_id=row.account_id,
        kind=OperationKind.DEPOSIT,
        amount=row.challenge.balance,
        idempotency_key=f"{KEY}{row.pk}:{attempt}",
        reason=str(row.challenge),
    )


def _report_failure(row: PhaseAccount) -> None:
    """Record that a person is needed, and notify those who may send the balance again."""
    challenge = row.challenge
    audit.record(
        actor=None,
        action=PropAction.FUNDING_FAILED,
        target=row,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"account": row.account_id, "attempts": failed_fundings(row)},
    )
    notify(
        people_with("prop.decide_challenge", brand_id=challenge.brand_id),
        kind=PropNotice.FUNDING_FAILED,
        title=phrase("The platform keeps refusing the starting balance of a challenge account"),
        url=challenge.get_absolute_url(),
        dedupe_key=f"prop.funding_failed:{row.pk}:{failed_fundings(row)}",
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
