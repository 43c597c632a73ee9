"""Deciding a periodic review: confirmed, documents requested, or escalated. The next one follows from it."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone

from clients import timeline
from clients.choices import TimelineKind
from clients.mail import send_mail_to
from crm import work
from crm.due import cancel
from crm.events import VerificationCurrent, publish
from crm.i18n.localized_text import label_of, phrase
from crm.models import User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.brand_policies import CLIENT_REVIEW_FOLLOW_UP_DAYS
from kyc.choices import KycNotice
from kyc.client_reviews.kind import PERIODIC, locked
from kyc.client_reviews.schedule import CAUSE, OVERDUE, schedule_review, schedule_soon
from kyc.models.client_reviews import ClientReview, ReviewState

ESCALATED_TO: Final = "compliance.decide_hit"


@transaction.atomic
def decide_review(*, review_id: int, outcome: str, actor: User, reason: str = "") -> ClientReview:
    """Decide a client's periodic review. Confirmed: the next one is due by their risk; else again after the brand's days.

    Who: `kyc.review_client` in reach, holding the claim. Raises: NotAllowed, WrongState, DomainError (escalated without a reason).
    """
    review = locked(review_id)
    require(PERIODIC.may_work(actor, review))
    state, client = ReviewState(outcome), review.client
    review.move_to(state)
    review.decided_by, review.decided_at = actor, timezone.now()
    review.save(update_fields=["state", "decided_by", "decided_at"])
    work.decide(review, actor=actor, outcome=state, reason=reason)
    audit.record(
        actor=actor,
        action=KycAction.CLIENT_REVIEW_DECIDED,
        target=review,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"state": ReviewState.OPEN.value},
        after={"state": state.value, "risk": review.risk},
        reason=reason.strip(),
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.COMPLIANCE,
        actor=actor,
        title=phrase("Periodic review: %(outcome)s") % {"outcome": label_of(review, "state")},
        dedupe_key=f"client-review:{review.pk}",
    )
    cancel(OVERDUE, review.pk)
    _follow_up(review, reason.strip())
    return review


def _follow_up(review: ClientReview, reason: str) -> None:
    client = review.client
    if review.state == ReviewState.CONFIRMED:
        schedule_review(client)
        if client.restrictions:
            publish(VerificationCurrent(cause=CAUSE, client_id=client.pk, brand_id=client.brand_id))
        return
    schedule_soon(client, CLIENT_REVIEW_FOLLOW_UP_DAYS.of(client.brand))
    if review.state == ReviewState.DOCUMENTS_REQUESTED:
        send_mail_to(client_id=client.pk, template="kyc.documents_missing", dedupe_key=f"client-review:{review.pk}")
        return
    notify(
        people_with(ESCALATED_TO, brand_id=client.brand_id),
        kind=KycNotice.REVIEW_ESCALATED,
        title=phrase("Periodic review escalated: %(client)s") % {"client": client},
        body=reason,
        url=review.get_absolute_url(),
        dedupe_key=f"kyc.review_escalated:{review.pk}",
    )
