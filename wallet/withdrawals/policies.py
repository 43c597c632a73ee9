"""Who may request, approve, reject and investigate withdrawals."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import reaches
from compliance.choices import RestrictionKind
from crm.approvals.kinds import by_another
from crm.models import Actor, User
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.choices.withdrawals import Purpose, WithdrawalState
from wallet.core.policies import is_own
from wallet.models import Withdrawal

NO_WITHDRAWALS = frozenset({RestrictionKind.NO_WITHDRAWAL, RestrictionKind.FROZEN})


def can_request_withdrawal(user: Actor, client: Client) -> Decision:
    """Allow the client, and staff in reach with the right to request on the client's behalf."""
    if is_own(user, client):
        return YES
    if not reaches(user, client):
        return no(_("You don't have access to this client."))
    return has_permission(user, "wallet.request_withdrawal_for_client")


def can_approve(user: User, withdrawal: Withdrawal) -> Decision:
    """Allow approvers in reach, but not the requester and nobody twice (four eyes). Also CHECKs of the table."""
    allowed = _decides_on(user, withdrawal)
    if not allowed:
        return allowed
    allowed = by_another(user, withdrawal.requested_by_id)
    if not allowed:
        return allowed
    if user.pk == withdrawal.reviewed_by_id:
        return no(_("You gave the first approval. The second must come from someone else."))
    return YES


def can_reject(user: Actor, withdrawal: Withdrawal) -> Decision:
    """Allow approvers in reach while the withdrawal waits; the requester may reject it, too."""
    return _decides_on(user, withdrawal)


def _decides_on(user: Actor, withdrawal: Withdrawal) -> Decision:
    allowed = has_permission(user, "wallet.approve_withdrawal")
    if not allowed:
        return allowed
    if user is None or withdrawal.client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client."))
    if withdrawal.state not in (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL):
        return no(_("This withdrawal is “%(state)s”.") % {"state": withdrawal.get_state_display()})
    return YES


def can_cancel(user: Actor, withdrawal: Withdrawal) -> Decision:
    """Allow the client, as long as nobody has released the withdrawal."""
    if not is_own(user, withdrawal.client) or withdrawal.purpose != Purpose.WITHDRAWAL:
        return no(_("Only the client can cancel a withdrawal. Staff can reject it."))
    if withdrawal.state not in (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL):
        return no(_("This withdrawal can no longer be cancelled."))
    return YES


def can_look_up(user: Actor, withdrawal: Withdrawal) -> Decision:
    """Allow those who decide on withdrawals to look up an open one at its PSP."""
    allowed = has_permission(user, "wallet.approve_withdrawal")
    if allowed and (user is None or withdrawal.client.book_id not in reach_of(user).books):
        return no(_("You don't have access to this client."))
    if allowed and withdrawal.state not in (WithdrawalState.SENT, WithdrawalState.UNKNOWN):
        return no(_("This withdrawal is “%(state)s”.") % {"state": withdrawal.get_state_display()})
    return allowed


def can_propose_outcome(user: Actor, withdrawal: Withdrawal) -> Decision:
    """Allow those who decide on withdrawals to propose how one ended; somebody else books it."""
    allowed = has_permission(user, "wallet.approve_withdrawal")
    if allowed and (user is None or withdrawal.client.book_id not in reach_of(user).books):
        return no(_("You don't have access to this client."))
    return allowed
