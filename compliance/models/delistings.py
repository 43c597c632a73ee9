"""A true match whose entry was removed from its list: what becomes of the client's restriction and rating."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from compliance.models.screening import Hit
from compliance.models.watchlists import ListVersion
from crm.choices import BadgeChoices
from crm.db.states import HasState
from crm.models import User, WorkItem


class DelistingState(BadgeChoices):
    OPEN = "open", "yellow", _("Pending review")
    LIFTED = "lifted", "green", _("Restriction lifted")
    KEPT = "kept", "orange", _("Restriction kept")
    RELISTED = "relisted", "secondary", _("Listed again")


# Listed again, what was lifted is in force again; what was kept needs nothing.
DELISTING_TRANSITIONS: dict[str, set[str]] = {
    DelistingState.OPEN: {DelistingState.LIFTED, DelistingState.KEPT, DelistingState.RELISTED},
    DelistingState.LIFTED: {DelistingState.RELISTED},
    DelistingState.KEPT: set(),
    DelistingState.RELISTED: set(),
}


class Delisting(HasState):
    """One removal of the entry of a true match, to be decided by two people where the restriction is lifted."""

    TRANSITIONS = {"state": DELISTING_TRANSITIONS}

    hit = models.ForeignKey(Hit, on_delete=models.PROTECT, related_name="delistings")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="delistings")
    version = models.ForeignKey(
        ListVersion, on_delete=models.PROTECT, related_name="+", help_text="That lacks the entry"
    )
    state = models.CharField(max_length=8, choices=DelistingState.choices, default=DelistingState.OPEN)
    opened_at = models.DateTimeField()
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, related_name="delisting")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["hit"], condition=Q(state="open"), name="a_match_is_delisted_once_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["lifted", "kept"])
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason=""),
                name="decided_delisting_says_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"Delisting #{self.pk} of match {self.hit_id}"

    def get_absolute_url(self) -> str:
        return f"/compliance/delistings/{self.pk}/"
