"""Corrections as work: one person proposes to correct a verdict or to keep it, a second one approves."""

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
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, User
from crm.notices.notify import notify
from crm.security import audit, policies
from crm.security.policies import YES, Decision, has_permission, no
from prop.audit_codes import PropAction
from prop.brand_policies import REVIEW_HOURS
from prop.choices import CorrectionKind, CorrectionState, PropNotice
from prop.corrections.applying import carry_out, problem_of
from prop.corrections.shown import verdict_text
from prop.judge.again import judge_again_from, signature
from prop.models import Challenge, JudgementCorrection, PhaseAccount

RIGHT: Final = "prop.decide_challenge"


class CorrectionReview(work.WorkKind[JudgementCorrection]):
    """Challenges that come out differently when they are judged again."""

    model = JudgementCorrection
    code, label = "prop.correction", gettext_lazy("Corrections of challenges to decide")
    right = RIGHT
    # Both are for or against a trader, so both take two people.
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        CorrectionState.CORRECTED: work.Outcome(gettext_lazy("Correct verdict"), needs_reason=True, second_person=True),
        CorrectionState.KEPT: work.Outcome(gettext_lazy("Keep verdict"), needs_reason=True, second_person=True),
    }
    hours = REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "prop_corrections"

    def visible_to(self, user: Actor) -> QuerySet[JudgementCorrection]:
        if user is None or not user.is_team or not user.has_perm("prop.view_challenge"):
            return JudgementCorrection.objects.none()
        seen = clients_visible_to(user).order_by().values("pk")
        return JudgementCorrection.objects.filter(phase_account__challenge__client__in=seen)

    def may_work(self, user: Actor, subject: JudgementCorrection) -> Decision:
        return can_decide_correction(user, subject)

    def rows(self) -> QuerySet[JudgementCorrection]:
        return JudgementCorrection.objects.select_related(
            "phase_account__challenge__client", "phase_account__challenge__version__programme"
        )

    def lock(self, subject_id: int) -> JudgementCorrection:
        """Lock the client, the challenge, the account and the correction, in this order."""
        client_id, challenge_id, row_id = JudgementCorrection.objects.values_list(
            "phase_account__challenge__client_id", "phase_account__challenge_id", "phase_account_id"
        ).get(pk=subject_id)
        client = lock(Client, client_id, "brand")
        challenge = lock(Challenge, challenge_id, "brand", "version__programme")
        row = lock(PhaseAccount, row_id, "phase", "account__server")
        correction = lock(JudgementCorrection, subject_id, "work")
        challenge.client, row.challenge, correction.phase_account = client, challenge, row
        return correction

    def title(self, subject: JudgementCorrection) -> LocalizedText:
        challenge = subject.phase_account.challenge
        return joined([str(challenge.client), str(challenge.version.programme)], ": ")

    def described(self, subject: JudgementCorrection, given: Mapping[str, Any]) -> Sequence[Change]:
        currency = subject.phase_account.challenge.currency
        before, after = (verdict_text(verdict, currency) for verdict in (subject.was, subject.now))
        return [Change(_("Verdict"), after, before)]

    def carry_out(
        self, subject: JudgementCorrection, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        _require_open(subject)
        _decide(subject, CorrectionState(outcome), actor, reason)


CORRECTION: Final = work.register(CorrectionReview)


def can_decide_correction(user: Actor, correction: JudgementCorrection) -> Decision:
    """Allow `prop.decide_challenge` with the client in reach."""
    allowed = has_permission(user, RIGHT)
    if not allowed:
        return allowed
    reached = reaches(user, correction.phase_account.challenge.client)
    return YES if reached else no(_("This is out of your reach."))


@transaction.atomic
def decide_correction(*, correction_id: int, outcome: str, reason: str, actor: User) -> JudgementCorrection:
    """Propose to correct a verdict or to keep it; a second person approves, and only then it changes.

    Who: `prop.decide_challenge` in reach. Raises: NotAllowed (also while a colleague has claimed it), WrongState where it was
    decided or can't be carried out, DomainError without a reason.
    """
    correction = CORRECTION.lock(correction_id)
    policies.require(can_decide_correction(actor, correction))
    _require_open(correction)
    state = CorrectionState(outcome)
    if state == CorrectionState.CORRECTED:
        _require_possible(correction)
    work.propose(correction, actor=actor, outcome=state, reason=reason)
    return correction


def _require_open(correction: JudgementCorrection) -> None:
    if correction.state != CorrectionState.OPEN:
        raise WrongState(_("This has already been decided."))


def _require_possible(correction: JudgementCorrection) -> None:
    problem = problem_of(correction)
    if problem:
        raise WrongState(problem)


def _decide(correction: JudgementCorrection, state: CorrectionState, actor: User, reason: str) -> None:
    work.decide(correction, actor=actor, outcome=state, reason=reason)
    row = correction.phase_account
    if state == CorrectionState.CORRECTED:
        _require_possible(correction)
        again = judge_again_from(row, correction.day)
        if again.signature != signature(correction.was, correction.now):
            raise WrongState(_("The deals changed again since, and it comes out differently now. Wait a few minutes."))
        carry_out(correction, again)
    correction.move_to(state)
    correction.decided_by, correction.decided_at = actor, timezone.now()
    correction.save(update_fields=["state", "decided_by", "decided_at", "breach"])
    audit.record(
        actor=actor,
        action=PropAction.CORRECTION_DECIDED,
        target=correction,
        client_id=row.challenge.client_id,
        brand_id=row.challenge.brand_id,
        reason=reason,
        before={"verdict": correction.was},
        after={"outcome": str(state), "verdict": correction.now, "account": row.pk, "state": row.state},
    )
    if state == CorrectionState.CORRECTED:
        _notify_trader(correction)


TITLES: Final = {
    CorrectionKind.REVERSAL: phrase("The breach of your challenge was reversed"),
    CorrectionKind.NEW_BREACH: phrase("Judged again after its deals changed, your challenge breached a rule"),
    CorrectionKind.CHANGED_BREACH: phrase("The breach of your challenge was corrected"),
    CorrectionKind.COMPLETION_WITHDRAWN: phrase(
        "Judged again after its deals changed, your challenge hasn’t its target yet"
    ),
    CorrectionKind.NEW_COMPLETION: phrase("Judged again after its deals changed, your challenge reached its target"),
    CorrectionKind.CHANGED_COMPLETION: phrase("The time at which your challenge reached its target was corrected"),
}


def _notify_trader(correction: JudgementCorrection) -> None:
    challenge = correction.phase_account.challenge
    if challenge.client.user_id is not None:
        notify(
            [challenge.client.user_id],
            kind=PropNotice.VERDICT_CORRECTED,
            title=TITLES[CorrectionKind(correction.kind)],
            url=f"/portal/challenges/{challenge.pk}/",
            dedupe_key=f"prop.verdict_corrected:{correction.pk}",
        )
