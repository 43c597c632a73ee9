"""How an operation ended that the platform's answer doesn't tell: proposed by one person, booked by another.

A ticket is believed only if the platform shows a deal of that number with the operation's account, amount and reference, and
that nothing happened only if it shows none: it is asked when somebody proposes, and again before it is booked.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.security.policies import Decision, require
from trading import policies
from trading.accounts import balance_operations
from trading.audit_codes import TradingAction
from trading.core.notices import TradingNotice
from trading.models import BalanceOperation, OperationDecision
from trading.platforms.errors import PlatformError


def propose_decision(*, operation_id: int, actor: User, ticket: int | None, reason: str) -> OperationDecision:
    """Write down how an operation ended: by the deal of this ticket, or (None) that it never happened. Nothing is booked yet.

    Who: `trading.resolve_operation` on the client, and not who started it. Not in a transaction: the platform is asked.
    Raises: NotAllowed, WrongState (one waits already), DomainError (no reason; the platform shows otherwise or can't be asked).
    """
    operation = BalanceOperation.objects.select_related("account__client", "account__server").get(pk=operation_id)
    require(policies.can_resolve(actor, operation))
    require_text(reason)
    _require_so_on_the_platform(operation, ticket)
    return _write(operation_id, actor, ticket, reason.strip())


@transaction.atomic
def _write(operation_id: int, actor: User, ticket: int | None, reason: str) -> OperationDecision:
    operation = lock(BalanceOperation, operation_id, "account__client", "account__server")
    require(policies.can_resolve(actor, operation))
    decision = OperationDecision(operation=operation, ticket=ticket, reason=reason)
    return approvals.propose(decision, actor=actor)


class OutcomeApproval(approvals.ApprovalKind[OperationDecision]):
    """What somebody found is booked, if the platform still shows it so."""

    model = OperationDecision
    code = "operation-decision"
    label = gettext_lazy("Operation outcome")
    asks = decides = "trading.resolve_operation"
    proposed, approved = TradingAction.OPERATION_OUTCOME_PROPOSED, None
    rejected, withdrawn = TradingAction.OPERATION_OUTCOME_REFUSED, TradingAction.OPERATION_OUTCOME_WITHDRAWN
    notice = TradingNotice.OPERATION_OUTCOME
    client_path = "operation__account__client"
    related = ("operation__account__client", "operation__account__server")
    one_open = ("operation",)
    confirm = gettext_lazy("Book this outcome? Keelson first checks the platform once more. This can't be undone.")
    done = gettext_lazy("Outcome approved and booked.")

    def may_decide(self, user: User, item: OperationDecision) -> Decision:
        """Exclude also whoever started the operation."""
        return policies.can_resolve(user, item.operation)

    def lock(self, pk: int) -> OperationDecision:
        """Lock the operation before the decision, in the order of everybody who moves it."""
        operation = lock(
            BalanceOperation,
            OperationDecision.objects.values_list("operation_id", flat=True).get(pk=pk),
            "account__client",
            "account__server",
        )
        decision = super().lock(pk)
        decision.operation = operation
        return decision

    def ask_outside(self, item: OperationDecision, **given: Any) -> None:
        _require_so_on_the_platform(item.operation, item.ticket)

    def apply(self, item: OperationDecision, actor: User, **given: Any) -> None:
        balance_operations.book_decision(item.operation, ticket=item.ticket, actor=actor, reason=item.reason)

    def title(self, item: OperationDecision) -> LocalizedText:
        return phrase("%(reference)s: proposed outcome") % {"reference": item.operation.reference}

    def url(self, item: OperationDecision) -> str:
        return f"/trading/operations/{item.operation_id}/"

    def changes(self, item: OperationDecision) -> list[Change]:
        return [
            Change(_("Platform ticket"), item.ticket or _("None: the operation didn't take place")),
            Change(_("Operation"), item.operation.get_kind_display()),
            Change(_("Amount"), formats.money(item.operation.amount, item.operation.currency, sign=True)),
        ]

    def target(self, item: OperationDecision) -> BalanceOperation:
        return item.operation

    def after(self, item: OperationDecision) -> dict[str, Any]:
        return {"reference": item.operation.reference, "ticket": item.ticket}


def _require_so_on_the_platform(operation: BalanceOperation, ticket: int | None) -> None:
    """Compare the proposed outcome with the platform. Raises: DomainError where it shows otherwise or doesn't answer."""
    try:
        tickets = [deal.ticket for deal in balance_operations.candidates(operation)]
    except PlatformError as problem:
        raise DomainError(
            _("%(server)s can't be reached right now, so nothing was decided. Try again later.")
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
