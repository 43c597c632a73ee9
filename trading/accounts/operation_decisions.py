"""How an operation ended that the platform's answer doesn't tell: proposed by one person, booked by another.

A ticket is believed only if the platform shows a deal of that number with the operation's account, amount and reference, and
that nothing happened only if it shows none: it is asked when somebody proposes, and again before it is booked.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.accounts import balance_operations
from trading.audit_codes import TradingAction
from trading.choices import DecisionState
from trading.models import BalanceOperation, OperationDecision
from trading.platforms.errors import PlatformError


def propose_decision(*, operation_id: int, actor: User, ticket: int | None, reason: str) -> OperationDecision:
    """Write down how an operation ended: by the deal of this ticket, or (None) that it never happened. Nothing is booked yet.

    Who: `trading.resolve_operation` on the client, and not who started it. Not in a transaction: the platform is asked.
    Raises: NotAllowed, WrongState (one waits already), DomainError (no reason; the platform shows otherwise or can't be asked).
    """
    operation = BalanceOperation.objects.select_related("account__client", "account__server").get(pk=operation_id)
    require(policies.can_resolve(actor, operation))
    if not reason.strip():
        raise DomainError(_("Enter what you found on the platform."))
    _require_so_on_the_platform(operation, ticket)
    return _write(operation_id, actor, ticket, reason.strip())


@transaction.atomic
def _write(operation_id: int, actor: User, ticket: int | None, reason: str) -> OperationDecision:
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    require(policies.can_resolve(actor, operation))
    if operation.decisions.filter(state=DecisionState.WAITING).exists():
        raise WrongState(_("A proposal is already waiting for a second person."))
    decision = OperationDecision.objects.create(
        operation=operation, ticket=ticket, reason=reason[:200], requested_by=actor, requested_at=timezone.now()
    )
    _record(decision, operation, actor, TradingAction.OPERATION_OUTCOME_PROPOSED, reason)
    brand_id = operation.account.client.brand_id
    notify(
        [pk for pk in people_with("trading.resolve_operation", brand_id=brand_id) if pk != actor.pk],
        kind="trading.operation_outcome_proposed",
        title=phrase("%(reference)s: a proposed outcome awaits second approval") % {"reference": operation.reference},
        body=decision.reason,
        url=f"/trading/operations/{operation.pk}/",
        dedupe_key=f"operation-decision:{decision.pk}",
    )
    return decision


def approve_decision(*, decision_id: int, actor: Actor, note: str = "") -> OperationDecision:
    """Book what somebody else found, if the platform still shows it so. Not in a transaction.

    Who: `trading.resolve_operation` on the client; neither who proposed it nor who started the operation.
    Raises: NotAllowed, WrongState (decided, or settled meanwhile), DomainError (the platform shows otherwise).
    """
    decision = OperationDecision.objects.select_related("operation__account__client", "operation__account__server")
    found = decision.get(pk=decision_id)
    require(policies.can_approve_decision(actor, found))
    _require_so_on_the_platform(found.operation, found.ticket)
    return _book(decision_id, actor, note.strip())


@transaction.atomic
def _book(decision_id: int, actor: Actor, note: str) -> OperationDecision:
    decision = _locked(decision_id)
    require(policies.can_approve_decision(actor, decision))
    _decide(decision, DecisionState.APPROVED, actor, note)
    balance_operations.book_decision(decision.operation, ticket=decision.ticket, actor=actor, reason=decision.reason)
    return decision


@transaction.atomic
def refuse_decision(*, decision_id: int, actor: Actor, note: str) -> OperationDecision:
    """Who: as for approving. Raises: NotAllowed, DomainError without a note."""
    decision = _locked(decision_id)
    require(policies.can_approve_decision(actor, decision))
    if not note:
        raise DomainError(_("Enter a note: why is it refused?"))
    _decide(decision, DecisionState.REFUSED, actor, note)
    _record(decision, decision.operation, actor, TradingAction.OPERATION_OUTCOME_REFUSED, note)
    return decision


@transaction.atomic
def withdraw_decision(*, decision_id: int, actor: Actor, note: str = "") -> OperationDecision:
    """Who: the one who proposed it, while nobody has decided."""
    decision = _locked(decision_id)
    require(policies.can_withdraw_decision(actor, decision))
    _decide(decision, DecisionState.WITHDRAWN, actor, note)
    _record(decision, decision.operation, actor, TradingAction.OPERATION_OUTCOME_WITHDRAWN, note)
    return decision


def _require_so_on_the_platform(operation: BalanceOperation, ticket: int | None) -> None:
    """Raises: DomainError, when the platform shows otherwise, or doesn't answer."""
    try:
        tickets = [deal.ticket for deal in balance_operations.candidates(operation)]
    except PlatformError as problem:
        raise DomainError(
            _("%(server)s can't be asked now, so nothing was decided. Try again later.")
            % {"server": operation.account.server}
        ) from problem
    if ticket is None and tickets:
        raise DomainError(
            _("The platform shows a deal with this account, amount and reference: %(tickets)s. Enter its ticket.")
            % {"tickets": ", ".join(map(str, tickets))}
        )
    if ticket is not None and ticket not in tickets:
        raise DomainError(
            _("The platform shows no unused deal %(ticket)s with this account, amount and reference.")
            % {"ticket": ticket}
        )


def _locked(decision_id: int) -> OperationDecision:
    """The operation first, as everybody who moves it does."""
    operation_id = OperationDecision.objects.values_list("operation_id", flat=True).get(pk=decision_id)
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    decision = OperationDecision.objects.select_for_update(of=["self"]).get(pk=decision_id)
    decision.operation = operation
    return decision


def _decide(decision: OperationDecision, state: DecisionState, actor: Actor, note: str) -> None:
    decision.state, decision.decided_by, decision.decided_at = state, actor, timezone.now()
    decision.decision_note = note[:200]
    decision.save()


def _record(
    decision: OperationDecision, operation: BalanceOperation, actor: Actor, action: AuditCode, reason: str
) -> None:
    client = operation.account.client
    audit.record(
        actor=actor,
        action=action,
        target=operation,
        client_id=client.pk,
        brand_id=client.brand_id,
        reason=reason,
        after={"reference": operation.reference, "ticket": decision.ticket, "state": decision.state},
    )
