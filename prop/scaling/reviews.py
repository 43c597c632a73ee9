"""Proposed steps of scaling as work: one person proposes to book, a second one approves, and the platform gets the deposit."""

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
from prop.brand_policies import REVIEW_HOURS
from prop.choices import ChallengeState, GrowthState, StageState
from prop.models import AccountGrowth, Challenge, PhaseAccount
from prop.policies import NO_CHALLENGES
from prop.programmes.styles import require_no_forbidden_style
from prop.sentences import percent
from trading.accounts.balance_operations import reserve_operation
from trading.choices import OperationKind

RIGHT: Final = "prop.decide_challenge"
OPERATION_KEY: Final = "challenge-growth:"


class ScalingReview(work.WorkKind[AccountGrowth]):
    """Funded accounts that met the terms for a bigger balance."""

    model = AccountGrowth
    code, label = "prop.scaling", gettext_lazy("Funded accounts to scale")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        GrowthState.SENDING: work.Outcome(gettext_lazy("Scale account"), second_person=True),
        GrowthState.REJECTED: work.Outcome(GrowthState.REJECTED.label, needs_reason=True),
    }
    hours = REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_growths"

    def visible_to(self, user: Actor) -> QuerySet[AccountGrowth]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return AccountGrowth.objects.none()
        seen = clients_visible_to(user).order_by().values("pk")
        return AccountGrowth.objects.filter(phase_account__challenge__client__in=seen)

    def may_work(self, user: Actor, subject: AccountGrowth) -> Decision:
        return can_review_growth(user, subject)

    def rows(self) -> QuerySet[AccountGrowth]:
        return AccountGrowth.objects.select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )

    def lock(self, subject_id: int) -> AccountGrowth:
        """Lock the client, the challenge, the account and the step, in this order."""
        client_id, challenge_id, row_id = AccountGrowth.objects.values_list(
            "phase_account__challenge__client_id", "phase_account__challenge_id", "phase_account_id"
        ).get(pk=subject_id)
        client = lock(Client, client_id, "brand")
        challenge = lock(Challenge, challenge_id, "version__programme")
        row = lock(PhaseAccount, row_id, "phase", "account__server")
        growth = lock(AccountGrowth, subject_id, "work")
        challenge.client, row.challenge, growth.phase_account = client, challenge, row
        return growth

    def title(self, subject: AccountGrowth) -> LocalizedText:
        challenge = subject.phase_account.challenge
        return joined([str(challenge.client), str(challenge.version.programme)], ": ")

    def described(self, subject: AccountGrowth, given: Mapping[str, Any]) -> Sequence[Change]:
        currency = subject.phase_account.challenge.currency
        shown = [
            Change(_("Account size"), formats.money(subject.size, currency)),
            Change(_("Size afterwards"), formats.money(subject.size + subject.amount, currency)),
        ]
        return [*shown, Change(_("Split"), percent(subject.split))] if subject.split is not None else shown

    def carry_out(
        self, subject: AccountGrowth, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        _require_runs(subject)
        _decide(subject, GrowthState(outcome), actor, reason)


SCALING: Final = work.register(ScalingReview)


def can_review_growth(user: Actor, growth: AccountGrowth) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    reached = reaches(user, growth.phase_account.challenge.client)
    return YES if reached else no(_("This is out of your reach."))


@transaction.atomic
def decide_growth(*, growth_id: int, outcome: str, reason: str = "", actor: User) -> AccountGrowth:
    """Propose to scale an account, which a second person approves, or refuse with a reason.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where it was
    decided or the account no longer runs, DomainError without a reason for refusing.
    """
    growth = SCALING.lock(growth_id)
    policies.require(can_review_growth(actor, growth))
    if growth.state != GrowthState.PROPOSED:
        raise WrongState(_("This has already been decided."))
    state = GrowthState(outcome)
    if work.needs_second_person(growth, state):
        _require_runs(growth)
        work.propose(growth, actor=actor, outcome=state, reason=reason or localize(phrase("All terms are met.")))
        return growth
    _decide(growth, state, actor, reason)
    return growth


def _require_runs(growth: AccountGrowth) -> None:
    """Refuse a step of an account that was lost, whose client is restricted since, or where a forbidden style is suspected.

    Raises: WrongState.
    """
    row, client = growth.phase_account, growth.phase_account.challenge.client
    if growth.state != GrowthState.PROPOSED:
        raise WrongState(_("This has already been decided."))
    is_running = row.state == StageState.RUNNING and row.challenge.state == ChallengeState.FUNDED
    if not is_running or row.challenge.paused_at is not None:
        raise WrongState(_("Only a running funded account is scaled."))
    if client.stage == "closed" or NO_CHALLENGES & set(client.restrictions):
        raise WrongState(_("The client is restricted or closed."))
    require_no_forbidden_style(row)


def _decide(growth: AccountGrowth, state: GrowthState, actor: User, reason: str) -> None:
    work.decide(growth, actor=actor, outcome=state, reason=reason)
    challenge = growth.phase_account.challenge
    growth.move_to(state)
    growth.decided_by, growth.decided_at = actor, timezone.now()
    if state == GrowthState.SENDING:
        growth.operation = reserve_operation(
            account_id=growth.phase_account.account_id,
            kind=OperationKind.DEPOSIT,
            amount=growth.amount,
            idempotency_key=f"{OPERATION_KEY}{growth.pk}",
            reason=str(growth),
        )
    else:
        growth.ended_at = growth.decided_at
    growth.save(update_fields=["state", "decided_by", "decided_at", "operation", "ended_at"])
    audit.record(
        actor=actor,
        action=PropAction.GROWTH_DECIDED,
        target=growth,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"outcome": str(state), "amount": str(growth.amount)},
    )
