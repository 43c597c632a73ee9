"""Pairs of records that may be one person: found by what they share, decided by people, remembered."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User
from leads.choices import DUPLICATE_TRANSITIONS, DuplicateState


class PossibleDuplicate(HasState):
    """Two records of a brand that may be one person, or live in one household; the older record is `first`.

    `facts_hash`: keyed hash of what was compared. A pair that was decided comes again only when it is another.
    """

    TRANSITIONS = {"state": DUPLICATE_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    first = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=DuplicateState.choices, default=DuplicateState.OPEN)
    is_household = models.BooleanField(default=False)
    points = models.SmallIntegerField()
    reasons = models.JSONField(default=list)
    facts_hash = models.CharField(max_length=64)
    found_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-points", "-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="a_pair_of_records_is_listed_once"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="the_older_record_of_a_pair_is_first"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="dismissed") | (models.Q(decided_at__isnull=False) & ~models.Q(reason="")),
                name="a_dismissed_pair_says_when_and_why",
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "state", "-points", "-id"], name="possible_duplicates_by_points"),
            models.Index(fields=["second"], name="possible_duplicates_of_second"),
        ]

    def __str__(self) -> str:
        return f"#{self.first_id} = #{self.second_id}"


class DuplicatePass(models.Model):
    """How far a brand's records were compared: those that are new, and the nightly round over all."""

    brand = models.OneToOneField(Brand, on_delete=models.PROTECT, primary_key=True, related_name="+")
    after_new = models.BigIntegerField(default=0)
    after_nightly = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["brand_id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.after_new}, {self.after_nightly}"
