"""Periodic reviews as work: a queue with claims and a clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from clients.models import Client
from clients.policies import can
from clients.queries import clients_visible_to
from crm import work
from crm.db.locking import lock
from crm.i18n.localized_text import LocalizedText, joined, label_of
from crm.models import Actor
from crm.security.policies import Decision
from kyc.brand_policies import CLIENT_REVIEW_HOURS
from kyc.models.client_reviews import ClientReview, ReviewState


class PeriodicReview(work.WorkKind[ClientReview]):
    """The queue of periodic reviews: whoever decides one has claimed it."""

    model = ClientReview
    code, label = "kyc.client_review", gettext_lazy("Periodic reviews")
    right = "kyc.review_client"
    outcomes: ClassVar[Mapping[str, work.Outcome]] = {
        ReviewState.CONFIRMED: work.Outcome(gettext_lazy("Confirmed")),
        ReviewState.DOCUMENTS_REQUESTED: work.Outcome(gettext_lazy("Documents requested")),
        ReviewState.ESCALATED: work.Outcome(gettext_lazy("Escalated"), needs_reason=True),
    }
    hours = CLIENT_REVIEW_HOURS
    queue_url = "kyc:client_reviews"

    def visible_to(self, user: Actor) -> QuerySet[ClientReview]:
        return reviews_visible_to(user)

    def may_work(self, user: Actor, subject: ClientReview) -> Decision:
        return can(user, subject.client, self.right)

    def rows(self) -> QuerySet[ClientReview]:
        return ClientReview.objects.select_related("client__brand", "client__book")

    def lock(self, subject_id: int) -> ClientReview:
        return locked(subject_id)

    def title(self, subject: ClientReview) -> LocalizedText:
        return joined([str(subject.client), label_of(subject, "risk")])


PERIODIC = work.register(PeriodicReview)


def reviews_visible_to(user: Actor) -> QuerySet[ClientReview]:
    """List the periodic reviews of clients in the user's books."""
    if not user or not user.is_authenticated or not user.is_team or not user.has_perm("kyc.review_client"):
        return ClientReview.objects.none()
    return ClientReview.objects.filter(client__in=clients_visible_to(user))


def locked(review_id: int) -> ClientReview:
    """Lock a review and, before it, its client."""
    client_id = ClientReview.objects.values_list("client_id", flat=True).get(pk=review_id)
    client = lock(Client, client_id, "brand", no_key=True)
    review = lock(ClientReview, review_id)
    review.client = client
    return review
