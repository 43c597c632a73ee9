"""The table of periodic reviews."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.choices import RiskRating
from clients.models import Client
from crm.choices import BadgeChoices
from crm.db.states import HasState
from crm.models import User, WorkItem


class ReviewState(BadgeChoices):
    OPEN = "open", "yellow", _("Due")
    CONFIRMED = "confirmed", "green", _("Confirmed")
    DOCUMENTS_REQUESTED = "requested", "azure", _("Documents requested")
    ESCALATED = "escalated", "orange", _("Escalated")
    CANCELLED = "cancelled", "secondary", _("Cancelled")


REVIEW_TRANSITIONS: dict[str, set[str]] = {
    ReviewState.OPEN: {
        ReviewState.CONFIRMED,
        ReviewState.DOCUMENTS_REQUESTED,
        ReviewState.ESCALATED,
        ReviewState.CANCELLED,
    },
    ReviewState.CONFIRMED: set(),
    ReviewState.DOCUMENTS_REQUESTED: set(),
    ReviewState.ESCALATED: set(),
    ReviewState.CANCELLED: set(),
}


class ClientReview(HasState):
    """One periodic review of a client. How often: by the client's risk, `kyc.client_reviews.schedule`."""

    TRANSITIONS = {"state": REVIEW_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="periodic_reviews", db_index=False)
    state = models.CharField(max_length=10, choices=ReviewState.choices, default=ReviewState.OPEN)
    risk = models.CharField(max_length=8, choices=RiskRating.choices, help_text="When it was opened")
    opened_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="client_review")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("review_client", "May do the periodic reviews of clients")]
        indexes = [
            models.Index(fields=["client", "-id"], name="client_reviews_by_client"),
            models.Index(fields=["opened_at"], name="client_reviews_open", condition=Q(state="open")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["client"], condition=Q(state="open"), name="one_open_review_per_client"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "cancelled"], decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state__in=["open", "cancelled"]) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="decided_review_has_a_reviewer",
            ),
        ]

    def __str__(self) -> str:
        return f"Review #{self.pk} of client {self.client_id}"

    def get_absolute_url(self) -> str:
        return f"/kyc/reviews/{self.pk}/"
