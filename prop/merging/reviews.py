"""Requested merges as work: one person proposes to merge, a second one approves, and trading on the one account stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.queries import clients_visible_to, reaches
from crm import work
from crm.approvals import Change
from crm.errors import WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, joined, localize, phrase
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import REVIEW_HOURS
from prop.choices import MergeState
from prop.merging.checks import checks_of, problem_of
from prop.merging.locking import locked
from prop.merging.news import notify_rejected
from prop.models import AccountMerge
from trading.accounts.changes import pause_trading

RIGHT: Final = "prop.decide_challenge"


class MergeReview(work.WorkKind[AccountMerge]):
    """Funded accounts that their traders want to merge."""

    model = AccountMerge
    code, label = "prop.merge", gettext_lazy("Funded accounts to merge")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        MergeState.CLOSING: work.Outcome(gettext_lazy("Merge accounts"), second_person=True),
        MergeState.REJECTED: work.Outcome(MergeState.REJECTED.label, needs_reason=True),
    }
    hours = REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_merges"

    def visible_to(self, user: Actor) -> QuerySet[AccountMerge]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return AccountMerge.objects.none()
        return AccountMerge.objects.filter(kept__challenge__client__in=clients_visible_to(user).order_by().values("pk"))

    def may_work(self, user: Actor, subject: AccountMerge) -> Decision:
        return can_review_merge(user, subject)

    def rows(self) -> QuerySet[AccountMerge]:
        return AccountMerge.objects.select_related(
            "kept__challenge__client", "kept__challenge__version__programme", "kept__account", "closed__account"
        )

    def lock(self, subject_id: int) -> AccountMerge:
        return locked(subject_id)

    def title(self, subject: AccountMerge) -> LocalizedText:
        challenge = subject.kept.challenge
        return joined([str(challenge.client), str(challenge.version.programme)], ": ")

    def described(self, subject: AccountMerge, given: Mapping[str, Any]) -> Sequence[Change]:
        currency = subject.kept.challenge.currency
        return [
            Change(_("Account that stays"), str(subject.kept.account.login or "–")),
            Change(_("Account that is closed"), str(subject.closed.account.login or "–")),
            Change(_("Size afterwards"), formats.money(subject.size + subject.amount, currency)),
        ]

    def carry_out(
        self, subject: AccountMerge, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        _require_possible(subject)
        _decide(subject, MergeState(outcome), actor, reason)


MERGE: Final = work.register(MergeReview)


def can_review_merge(user: Actor, merge: AccountMerge) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    return YES if reaches(user, merge.kept.challenge.client) else no(_("This is out of your reach."))


@transaction.atomic
def decide_merge(*, merge_id: int, outcome: str, reason: str = "", actor: User) -> AccountMerge:
    """Propose to merge two accounts, which a second person approves, or refuse with a reason.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where it was
    decided or a check stands against it, DomainError without a reason for refusing.
    """
    merge = MERGE.lock(merge_id)
    policies.require(can_review_merge(actor, merge))
    if merge.state != MergeState.REQUESTED:
        raise WrongState(_("This has already been decided."))
    state = MergeState(outcome)
    if work.needs_second_person(merge, state):
        _require_possible(merge)
        work.propose(merge, actor=actor, outcome=state, reason=reason or localize(phrase("All checks passed.")))
        return merge
    _decide(merge, state, actor, reason)
    return merge


def _require_possible(merge: AccountMerge) -> None:
    """Refuse a merge that a check stands against. Raises: WrongState."""
    if merge.state != MergeState.REQUESTED:
        raise WrongState(_("This has already been decided."))
    problem = problem_of(checks_of(merge.kept, merge.closed, merge))
    if problem:
        raise WrongState(problem)
    if (merge.size, merge.amount) != (merge.kept.size, merge.closed.size):
        raise WrongState(
            _("The size of an account has changed since. Refuse this merge; the trader can request it again.")
        )


def _decide(merge: AccountMerge, state: MergeState, actor: User, reason: str) -> None:
    work.decide(merge, actor=actor, outcome=state, reason=reason)
    challenge = merge.kept.challenge
    merge.move_to(state)
    merge.decided_by, merge.decided_at = actor, timezone.now()
    if state == MergeState.REJECTED:
        merge.ended_at = merge.decided_at
    merge.save(update_fields=["state", "decided_by", "decided_at", "ended_at"])
    audit.record(
        actor=actor,
        action=PropAction.MERGE_DECIDED,
        target=merge,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"outcome": str(state), "amount": str(merge.amount)},
    )
    if state == MergeState.REJECTED:
        notify_rejected(merge)
    else:
        pause_trading(account_id=merge.closed.account_id)
