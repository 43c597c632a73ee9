"""Reviews of partners whose referrals look like abuse."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.db.states import HasState
from crm.models import User, WorkItem
from ib.abuse.choices import ABUSE_TRANSITIONS, AbuseState
from ib.models.partners import Partner


class ReferralReview(HasState):
    """A partner whose referrals reached the brand's score: with the reasons, and what people decided.

    reasons: `code`, `clients`, `of`, `points`, and `ids` of clients, as `ib.abuse.score` judged them last.
    """

    TRANSITIONS = {"state": ABUSE_TRANSITIONS}

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    score = models.PositiveSmallIntegerField()
    reasons = models.JSONField()
    state = models.CharField(max_length=8, choices=AbuseState.choices, default=AbuseState.OPEN)
    opened_at = models.DateTimeField()
    judged_at = models.DateTimeField()
    answer = models.CharField(max_length=300, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    released_at = models.DateTimeField(null=True, help_text="When payouts were released after confirmed abuse")
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state="open"), name="one_open_referral_review_per_partner"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True)
                | (~Q(state="open") & Q(decided_at__isnull=False) & ~Q(answer="")),
                name="a_decided_referral_review_has_a_reason",
            ),
            models.CheckConstraint(condition=Q(score__lte=100), name="referral_score_is_at_most_100"),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="referral_reviews_of_a_partner")]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.score}"

    def get_absolute_url(self) -> str:
        return f"/ib/abuse/{self.pk}/"
