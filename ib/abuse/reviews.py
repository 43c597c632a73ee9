"""The queue of partners whose referrals look like abuse: opened each night, decided by people, whose answers count next time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db import transaction
from django.db.models import Count as Number
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import work
from crm.approvals.kinds import by_another
from crm.db.locking import lock
from crm.errors import NotFound, WrongState
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, User
from crm.notices.notify import notify, people_with
from crm.security import audit, policies
from crm.security.policies import Decision
from ib.abuse.choices import AbuseState
from ib.abuse.score import Reason, judge
from ib.abuse.signals import counts
from ib.audit_codes import IbAction
from ib.brand_policies import REFERRAL_REVIEW_HOURS, REFERRAL_SCORE
from ib.choices import IbNotice
from ib.models import Partner, ReferralReview
from ib.policies import can_manage_partners, can_settle
from ib.queries import partners_visible_to

# A partner who was cleared is reviewed again once the score is this much higher, or after as many days.
CLEARED_MARGIN: Final = 15
CLEARED_DAYS: Final = 120


class AbuseReview(work.WorkKind[ReferralReview]):
    """Partners to review. Confirming abuse holds their payouts, so that a second person agrees."""

    model = ReferralReview
    code, label = "ib.referral_review", gettext_lazy("Referral reviews")
    right = "ib.manage_partners"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        AbuseState.ABUSE: work.Outcome(AbuseState.ABUSE.label, needs_reason=True, second_person=True),
        AbuseState.CLEARED: work.Outcome(AbuseState.CLEARED.label, needs_reason=True),
    }
    hours = REFERRAL_REVIEW_HOURS
    needs_claim, by_client = False, False
    queue_url = "ib_abuse"

    def visible_to(self, user: Actor) -> QuerySet[ReferralReview]:
        if user is None or not user.is_team or not user.has_perm("ib.view_partner"):
            return ReferralReview.objects.none()
        return ReferralReview.objects.filter(partner__in=partners_visible_to(user, reads_grants=False))

    def may_work(self, user: Actor, subject: ReferralReview) -> Decision:
        return can_manage_partners(user, subject.partner.brand_id)

    def rows(self) -> QuerySet[ReferralReview]:
        return ReferralReview.objects.select_related("partner__brand", "work", "decided_by", "released_by")

    def lock(self, subject_id: int) -> ReferralReview:
        return lock(ReferralReview, subject_id, "partner__brand")

    def title(self, subject: ReferralReview) -> LocalizedText:
        return phrase("Referrals of %(partner)s") % {"partner": subject.partner.name}

    def carry_out(
        self, subject: ReferralReview, outcome: str, *, actor: User, reason: str, given: Mapping[str, Any]
    ) -> None:
        policies.require(can_manage_partners(actor, subject.partner.brand_id))
        _conclude(subject, AbuseState(outcome), actor=actor, reason=reason)


REVIEW: Final = work.register(AbuseReview)


@transaction.atomic
def review_referrals(brand: Brand, *, at: dt.datetime | None = None) -> int:
    """Judge a brand's partners, open a review where the score reaches the brand's, and keep open ones up to date.

    Who: the system, each night. Returns how many reviews were opened.
    """
    now, least, opened = at or timezone.now(), REFERRAL_SCORE.of(brand), 0
    known: dict[int, ReferralReview] = {}
    for row in ReferralReview.objects.filter(partner__brand=brand).order_by("pk"):
        known[row.partner_id] = row  # the latest
    judged = {partner_id: judge(found) for partner_id, found in counts(brand, at=now).items()}
    partners = Partner.objects.in_bulk([pk for pk, (score, _reasons) in judged.items() if score >= least])
    for partner_id, (score, reasons) in judged.items():
        before = known.get(partner_id)
        if before is not None and before.state == AbuseState.OPEN:
            before.score, before.reasons, before.judged_at = score, _kept(reasons), now
            before.save(update_fields=["score", "reasons", "judged_at"])
        elif score >= least and _is_new(before, score, now):
            _open(partners[partner_id], brand, score, reasons, now)
            opened += 1
    return opened


def _is_new(before: ReferralReview | None, score: int, now: dt.datetime) -> bool:
    """Whether people haven't answered this yet: a cleared partner isn't reviewed again for the same."""
    if before is None:
        return True
    if before.state == AbuseState.ABUSE and before.released_at is None:
        return False
    asked_at = before.released_at or before.decided_at or now
    return score >= before.score + CLEARED_MARGIN or asked_at < now - dt.timedelta(days=CLEARED_DAYS)


def _kept(reasons: list[Reason]) -> list[dict[str, Any]]:
    return [
        {
            "code": reason.count.code,
            "clients": reason.count.clients,
            "of": reason.count.of,
            "points": reason.points,
            "ids": list(reason.count.ids),
        }
        for reason in reasons
    ]


def _open(partner: Partner, brand: Brand, score: int, reasons: list[Reason], now: dt.datetime) -> ReferralReview:
    review = ReferralReview.objects.create(
        partner=partner,
        score=score,
        reasons=_kept(reasons),
        opened_at=now,
        judged_at=now,
        work=work.open_item(REVIEW, brand=brand, opened_at=now),
    )
    audit.record(actor=None, action=IbAction.REVIEW_OPENED, target=partner, brand_id=brand.pk, after={"score": score})
    notify(
        people_with("ib.manage_partners", brand_id=brand.pk),
        kind=IbNotice.REFERRALS_REVIEWED,
        title=phrase("Review the referrals of %(partner)s") % {"partner": partner.name},
        body=phrase("Score %(score)s of 100") % {"score": score},
        url=review.get_absolute_url(),
        dedupe_key=f"ib.referral_review:{review.pk}",
    )
    return review


@transaction.atomic
def propose_abuse(*, review_id: int, reason: str, actor: User) -> ReferralReview:
    """Propose that a partner's referrals are abuse; a second person confirms it, and payouts wait until finance releases them.

    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    review = _waiting(review_id, actor)
    work.propose(review, actor=actor, outcome=AbuseState.ABUSE, reason=reason)
    return review


@transaction.atomic
def clear_review(*, review_id: int, reason: str, actor: User) -> ReferralReview:
    """Decide that there is no abuse; the same isn't asked again for a while. Who: as for proposing.

    Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    review = _waiting(review_id, actor)
    _conclude(review, AbuseState.CLEARED, actor=actor, reason=reason)
    return review


@transaction.atomic
def release_payouts(*, review_id: int, reason: str, actor: User) -> ReferralReview:
    """Release the payouts of a partner whose abuse was confirmed. Who: `ib.settle_commissions`, and not who confirmed it.

    Raises: NotAllowed, WrongState where nothing is held.
    """
    review = _locked(review_id)
    policies.require(can_settle(actor, review.partner.brand_id))
    policies.require(by_another(actor, review.decided_by_id))
    if review.state != AbuseState.ABUSE or review.released_at is not None:
        raise WrongState(_("This review holds no payouts."))
    review.released_by, review.released_at = actor, timezone.now()
    review.save(update_fields=["released_by", "released_at"])
    _record(IbAction.REVIEW_RELEASED, review, actor, reason)
    return review


def _locked(review_id: int) -> ReferralReview:
    if not ReferralReview.objects.filter(pk=review_id).exists():
        raise NotFound(_("This record no longer exists. Reload the page."))
    return REVIEW.lock(review_id)


def _waiting(review_id: int, actor: User) -> ReferralReview:
    review = _locked(review_id)
    policies.require(can_manage_partners(actor, review.partner.brand_id))
    if review.state != AbuseState.OPEN:
        raise WrongState(_("This has already been decided."))
    return review


def _conclude(review: ReferralReview, state: AbuseState, *, actor: User, reason: str) -> None:
    review.move_to(state)
    review.answer, review.decided_by, review.decided_at = reason.strip()[:300], actor, timezone.now()
    review.save(update_fields=["state", "answer", "decided_by", "decided_at"])
    work.decide(review, actor=actor, outcome=state, reason=reason)
    _record(IbAction.REVIEW_DECIDED, review, actor, reason)


def _record(action: IbAction, review: ReferralReview, actor: User, reason: str) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=review.partner,
        brand_id=review.partner.brand_id,
        after={"review": review.pk, "state": str(review.state), "score": review.score},
        reason=reason.strip()[:300],
    )


def feedback(brand_id: int) -> dict[str, dict[str, int]]:
    """Count how reviews with each signal ended at a brand: {signal: {state: number}}."""
    decided = ReferralReview.objects.filter(partner__brand_id=brand_id).exclude(state=AbuseState.OPEN)
    found: dict[str, dict[str, int]] = {}
    for row in decided.order_by().values("state", "reasons__0__code").annotate(number=Number("pk")):
        code = row["reasons__0__code"]
        if code:
            found.setdefault(code, {})[row["state"]] = row["number"]
    return found
