"""Enhanced due diligence that an answer called for: a work item for compliance, which clears or declines it with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from clients.policies import can
from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock
from crm.i18n.localized_text import LocalizedText, joined, phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import Decision, require
from crm.security.scope import reach_of
from kyc.audit_codes import KycAction
from kyc.brand_policies import EDD_REVIEW_HOURS
from kyc.choices import KycNotice
from kyc.questionnaires import policies
from kyc.questionnaires.choices import ReviewState
from kyc.questionnaires.models import EnhancedReview, Submission
from kyc.questionnaires.proofs import note_answers


def reviews_visible_to(user: Actor) -> QuerySet[EnhancedReview]:
    """List the reviews of clients in reach, for who reads answers."""
    if user is None or not user.is_team or not user.has_perm(policies.READS):
        return EnhancedReview.objects.none()
    return EnhancedReview.objects.filter(client__book_id__in=reach_of(user).books)


class EnhancedDueDiligence(work.WorkKind[EnhancedReview]):
    """The queue of enhanced reviews: a claim keeps colleagues out; nobody has to claim."""

    model = EnhancedReview
    code, label = "kyc.edd", _("Enhanced due diligence")
    right = policies.DECIDES
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        ReviewState.CLEARED: work.Outcome(_("Cleared"), needs_reason=True),
        ReviewState.DECLINED: work.Outcome(_("Declined"), needs_reason=True),
    }
    hours = EDD_REVIEW_HOURS
    needs_claim = False
    by_client = False
    queue_url = "kyc:edd"

    def visible_to(self, user: Actor) -> QuerySet[EnhancedReview]:
        return reviews_visible_to(user)

    def may_work(self, user: Actor, subject: EnhancedReview) -> Decision:
        return can(user, subject.client, self.right)

    def rows(self) -> QuerySet[EnhancedReview]:
        return EnhancedReview.objects.select_related("client__brand", "client__book", "submission__questionnaire")

    def lock(self, subject_id: int) -> EnhancedReview:
        return _locked(subject_id)

    def title(self, subject: EnhancedReview) -> LocalizedText:
        return joined([subject.submission.questionnaire.name, str(subject.client)])


EDD = work.register(EnhancedDueDiligence)


def _locked(review_id: int) -> EnhancedReview:
    """Lock the client before the review, as every verb of this app does."""
    client_id = EnhancedReview.objects.values_list("client_id", flat=True).get(pk=review_id)
    lock(Client, client_id, no_key=True)
    return lock(EnhancedReview, review_id, "client__brand", "submission__questionnaire", "work")


def open_review(submission: Submission, client: Client) -> EnhancedReview:
    """Put a submission into the queue; the caller holds the client's lock."""
    now = timezone.now()
    item = work.open_item(EDD, client_id=client.pk, brand=client.brand, opened_at=now, priority=WorkPriority.HIGH)
    review = EnhancedReview.objects.create(submission=submission, client=client, work=item)
    notify(
        people_with(policies.DECIDES, brand_id=client.brand_id),
        kind=KycNotice.EDD_OPENED,
        title=phrase("Enhanced due diligence: %(client)s") % {"client": client},
        body=submission.questionnaire.name,
        url=submission.get_absolute_url(),
        dedupe_key=f"kyc.edd:{review.pk}",
    )
    return review


@transaction.atomic
def decide_review(*, review_id: int, actor: User, outcome: str, reason: str) -> EnhancedReview:
    """Clear a client after enhanced due diligence, or decline them: no trading account is opened then.

    Who: `kyc.decide_edd` in reach. Raises: NotAllowed, DomainError without a reason, WrongState.
    """
    review = _locked(review_id)
    require(policies.can_decide(actor, review))
    state = ReviewState(outcome)
    review.move_to(state)
    review.decided_by, review.decided_at = actor, timezone.now()
    review.save()
    work.decide(review, actor=actor, outcome=state.value, reason=reason)
    audit.record(
        actor=actor,
        action=KycAction.of("edd", state.value),
        target=review,
        client_id=review.client_id,
        brand_id=review.client.brand_id,
        before={"state": ReviewState.OPEN.value},
        after={"state": state.value, "submission": review.submission_id},
        reason=reason,
    )
    timeline.add_entry(
        client_id=review.client_id,
        kind=TimelineKind.COMPLIANCE,
        title=phrase("Enhanced due diligence: %(outcome)s") % {"outcome": state.label},
        actor=actor,
        dedupe_key=f"kyc.edd:{review.pk}",
        needs=policies.READS,
    )
    note_answers(review.client, review.submission.questionnaire.kind)
    return review
