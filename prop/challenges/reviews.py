"""A phase whose target was reached: reviewed by a person, then followed by the next account, or not approved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.queries import clients_visible_to, reaches
from crm import work
from crm.db.locking import lock
from crm.errors import WrongState
from crm.i18n.localized_text import LocalizedText, joined
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import REVIEW_HOURS
from prop.certificates.issuing import issue_certificate
from prop.challenges.phases import require_unpaused, start_phase
from prop.choices import ChallengeState, StageState
from prop.corrections.waiting import require_no_open_correction
from prop.models import Challenge, PhaseAccount
from prop.programmes.styles import require_no_forbidden_style
from trading.accounts.changes import end_trading

RIGHT: Final = "prop.decide_challenge"


class ChallengeReview(work.WorkKind[PhaseAccount]):
    """Phases of challenges whose target was reached."""

    model = PhaseAccount
    code, label = "prop.review", gettext_lazy("Challenges to review")
    right = RIGHT
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        StageState.PASSED: work.Outcome(StageState.PASSED.label),
        StageState.REJECTED: work.Outcome(StageState.REJECTED.label, needs_reason=True),
    }
    hours = REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_challenges"

    def visible_to(self, user: Actor) -> QuerySet[PhaseAccount]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return PhaseAccount.objects.none()
        return PhaseAccount.objects.filter(challenge__client__in=clients_visible_to(user).order_by().values("pk"))

    def may_work(self, user: Actor, subject: PhaseAccount) -> Decision:
        return can_review(user, subject)

    def rows(self) -> QuerySet[PhaseAccount]:
        return PhaseAccount.objects.select_related("challenge__client", "challenge__version__programme", "phase")

    def lock(self, subject_id: int) -> PhaseAccount:
        """Lock the client, the challenge and the account, in this order."""
        found = Challenge.objects.values_list("client_id", "pk").get(accounts=subject_id)
        client = lock(Client, found[0], "brand")
        challenge = lock(Challenge, found[1], "version__programme")
        row = lock(PhaseAccount, subject_id, "phase", "work")
        challenge.client, row.challenge = client, challenge
        return row

    def title(self, subject: PhaseAccount) -> LocalizedText:
        return joined([str(subject.challenge.client), str(subject.challenge.version.programme)], ": ")


REVIEW: Final = work.register(ChallengeReview)


def can_review(user: Actor, row: PhaseAccount) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    return YES if reaches(user, row.challenge.client) else no(_("This is out of your reach."))


def ask_for_review(row: PhaseAccount, *, now: dt.datetime, evidence: Mapping[str, Any]) -> None:
    """Put a locked phase with its target reached into the queue, and stop trading on its account. Who: the judge."""
    challenge = row.challenge
    row.work = work.open_item(REVIEW, brand=challenge.brand, client_id=challenge.client_id, opened_at=now)
    row.move_to(StageState.REVIEW)
    row.ended_at = now
    challenge.move_to(ChallengeState.REVIEW)
    challenge.save(update_fields=["state"])
    end_trading(account_id=row.account_id)
    audit.record(
        actor=None,
        action=PropAction.TARGET_REACHED,
        target=row,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        after={"phase": row.phase_id, "account": row.account_id},
        evidence=dict(evidence),
    )


@transaction.atomic
def decide_phase(*, phase_account_id: int, outcome: str, reason: str = "", actor: User) -> PhaseAccount:
    """Approve a phase, so that the account of the next one is opened, or end the challenge with a reason.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it, or where the client may
    have no such account now), WrongState (also while it is paused, judged again or suspected of a style that its phase forbids),
    DomainError without a reason for not approving.
    """
    row = REVIEW.lock(phase_account_id)
    policies.require(can_review(actor, row))
    if row.state != StageState.REVIEW:
        raise WrongState(_("This has already been decided."))
    challenge, state = row.challenge, StageState(outcome)
    if state == StageState.PASSED:
        require_unpaused(challenge)
        require_no_open_correction(row)
        require_no_forbidden_style(row)
    work.decide(row, actor=actor, outcome=state, reason=reason)
    row.move_to(state)
    row.save(update_fields=["state"])
    audit.record(
        actor=actor,
        action=PropAction.PHASE_DECIDED,
        target=row,
        client_id=challenge.client_id,
        brand_id=challenge.brand_id,
        reason=reason,
        after={"outcome": str(state), "phase": row.phase_id},
    )
    if state == StageState.REJECTED:
        challenge.move_to(ChallengeState.REJECTED)
        challenge.ended_at = row.ended_at
        challenge.save(update_fields=["state", "ended_at"])
        return row
    issue_certificate(row)
    challenge.move_to(ChallengeState.ACTIVE)
    challenge.save(update_fields=["state"])
    following = challenge.version.phases.filter(number__gt=row.phase.number).order_by("number")[0]
    start_phase(challenge, following, actor=None)
    return row
