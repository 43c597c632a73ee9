"""Segments: named sets of a brand's leads and clients, by conditions or picked by hand, and who was in them when."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models.client import Client
from crm.choices import BadgeChoices
from crm.models import Brand, User

NAME_CHARS_MAX = 80


class SegmentKind(BadgeChoices):
    RULE = "rule", "azure", _("By conditions")
    LIST = "list", "secondary", _("Fixed list")


class SegmentProblem(models.TextChoices):
    """Why the last refresh changed nothing."""

    NONE = "", ""
    UNREADABLE = "unreadable", _("The conditions name a field that no longer exists. Change them.")
    SLOW = "slow", _("Finding the records takes longer than a minute. Use fewer conditions.")


class Segment(models.Model):
    """A set of records of one brand that has a name. Its kind never changes.

    By conditions: the system keeps the members as the conditions say, every few minutes. A fixed list: people add and remove.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="segments", db_index=False)
    name = models.CharField(max_length=NAME_CHARS_MAX)
    description = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=4, choices=SegmentKind.choices)
    condition = models.JSONField(null=True, help_text="As crm.conditions stores it; of a segment by conditions only")
    size = models.PositiveIntegerField(default=0, help_text="Members at the last refresh")
    refreshed_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=10, blank=True, choices=SegmentProblem.choices)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False, null=True)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("manage_segment", "May make segments and change who is in them")]
        indexes = [models.Index(fields=["brand", "-id"], name="segments_by_brand")]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "name"],
                name="segment_name_is_unique_in_its_brand",
                condition=Q(archived_at__isnull=True),
            ),
            models.CheckConstraint(condition=Q(kind__in=SegmentKind.values), name="segment_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind=SegmentKind.RULE, condition__isnull=False)
                | Q(kind=SegmentKind.LIST, condition__isnull=True),
                name="segment_by_conditions_has_them",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/segments/{self.pk}/"

    @property
    def is_rule(self) -> bool:
        return self.kind == SegmentKind.RULE


class SegmentMember(models.Model):
    """That a record was in a segment, from when until when. `is_initial`: it was there when the segment was first filled."""

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="members", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="segment_spells", db_index=False)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    is_initial = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["client", "segment"], name="segments_of_a_client", condition=Q(left_at__isnull=True)),
            models.Index(fields=["segment", "-entered_at"], name="segment_entries_by_time"),
            models.Index(
                fields=["segment", "-left_at"], name="segment_leavings_by_time", condition=Q(left_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "client"], name="a_record_is_in_a_segment_once", condition=Q(left_at__isnull=True)
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=F("entered_at")),
                name="segment_member_leaves_after_entering",
            ),
        ]

    def __str__(self) -> str:
        return f"client {self.client_id} in segment {self.segment_id}"
