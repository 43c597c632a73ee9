"""Requested payouts as work: one person proposes to pay, a second one approves, and the profit is taken off the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to, reaches
from crm import work
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, localize, phrase
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import PAYOUT_HOURS
from prop.choices import PayoutState
from prop.models import Challenge, ChallengePayout, PhaseAccount
from prop.payouts.checks import problem_of, review_checks
from prop.payouts.news import notify_not_approved
from prop.payouts.terms import OPERATION_KEY
from trading.accounts.balance_operations import reserve_operation
from trading.choices import OperationKind

RIGHT: Final = "prop.pay_challenge"
# What "approved" is called as an outcome: the payout's next state.
APPROVED: Final = PayoutState.SENDING


class PayoutReview(work.WorkKind[ChallengePayout]):
    """Payouts that traders of funded challenges asked for."""

    model = ChallengePayout
    code, label = "prop.payout", gettext_lazy("Challenge payouts to review")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        APPROVED: work.Outcome(gettext_lazy("Pay out"), second_person=True),
        PayoutState.REJECTED: work.Outcome(PayoutState.REJECTED.label, needs_reason=True),
    }
    hours = PAYOUT_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_payouts"

    def visible_to(self, user: Actor) -> QuerySet[ChallengePayout]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return ChallengePayout.objects.none()
        return ChallengePayout.objects.filter(challenge__client__in=clients_visible_to(user).order_by().values("pk"))

    def may_work(self, user: Actor, subject: ChallengePayout) -> Decision:
        return can_review_payout(user, subject)

    def rows(self) -> QuerySet[ChallengePayout]:
        return ChallengePayout.objects.select_related("challenge__client", "challenge__version__programme")

    def lock(self, subject_id: int) -> ChallengePayout:
        """Lock the client, the challenge, the account and the payout, in this order."""
        client_id, challenge_id, row_id = ChallengePayout.objects.values_list(
            "challenge__client_id", "challenge_id", "phase_account_id"
        ).get(pk=subject_id)
        client = lock(Client, client_id, "brand")
        challenge = lock(Challenge, challenge_id, "version__programme")
        row = lock(PhaseAccount, row_id, "phase", "account__server")
        payout = lock(ChallengePayout, subject_id, "work")
        challenge.client, row.challenge = client, challenge
        payout.challenge, payout.phase_account = challenge, row
        return payout

    def title(self, subject: ChallengePayout) -> LocalizedText:
        return joined([str(subject.challenge.client), str(subject.challenge.version.programme)], ": ")

    def described(self, subject: ChallengePayout, given: Mapping[str, Any]) -> Sequence[Change]:
        shown = [
            (_("Profit"), subject.profit),
            (_("Trader’s part"), subject.amount),
            (_("Fee refunded"), subject.refund),
        ]
        return [Change(label, formats.money(amount, subject.currency)) for label, amount in shown if amount]

    def carry_out(
        self, subject: ChallengePayout, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        _require_payable(subject)
        _decide(subject, PayoutState(outcome), actor, reason)


PAYOUT: Final = work.register(PayoutReview)


def can_review_payout(user: Actor, payout: ChallengePayout) -> Decision:
    """Allow `prop.pay_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    return YES if reaches(user, payout.challenge.client) else no(_("This is out of your reach."))


@transaction.atomic
def decide_payout(*, payout_id: int, outcome: str, reason: str = "", actor: User) -> ChallengePayout:
    """Propose to pay, which a second person approves, or refuse with a reason.

    Who: `prop.pay_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where it was
    decided or a check stands against it, DomainError without a reason for refusing.
    """
    payout = PAYOUT.lock(payout_id)
    policies.require(can_review_payout(actor, payout))
    if payout.state != PayoutState.REQUESTED:
        raise WrongState(_("This has already been decided."))
    state = PayoutState(outcome)
    if work.needs_second_person(payout, state):
        _require_payable(payout)
        work.propose(payout, actor=actor, outcome=state, reason=reason or localize(phrase("All checks passed.")))
        return payout
    _decide(payout, state, actor, reason)
    return payout


def _require_payable(payout: ChallengePayout) -> None:
    """Refuse a payout that a check stands against. Raises: WrongState."""
    if payout.state != PayoutState.REQUESTED:
        raise WrongState(_("This has already been decided."))
    problem = problem_of(review_checks(payout))
    if problem:
        raise WrongState(problem)


def _decide(payout: ChallengePayout, state: PayoutState, actor: User, reason: str) -> None:
    work.decide(payout, actor=actor, outcome=state, reason=reason)
    challenge = payout.challenge
    payout.move_to(state)
    payout.decided_by, payout.decided_at = actor, timezone.now()
    if state == PayoutState.SENDING:
        payout.operation = reserve_operation(
            account_id=payout.phase_account.account_id,
            kind=OperationKind.WITHDRAWAL,
            amount=-payout.profit,
            idempotency_key=f"{OPERATION_KEY}{payout.pk}",
            reason=str(payout),
        )
    else:
        payout.ended_at = payout.decided_at
    payout.save(update_fields=["state", "decided_by", "decided_at", "operation", "ended_at"])
    audit.record(
        actor=actor,
        action=PropAction.PAYOUT_DECIDED,
        target=payout,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"outcome": str(state), "amount": str(payout.amount), "refund": str(payout.refund)},
    )
    if state == PayoutState.REJECTED:
        notify_not_approved(payout)
