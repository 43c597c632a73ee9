"""Team members of a partner company: people with a login of their own who act for the partner within a role."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.models import User
from ib.choices import TeamRole
from ib.models.partners import Partner


class PartnerMember(models.Model):
    """A person who works for a partner. The partner's first login is its owner and has no row."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="members")
    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="partner_membership")
    role = models.CharField(max_length=10, choices=TeamRole.choices)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    removed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=TeamRole.values), name="partner_member_has_a_role_of_the_catalogue"
            ),
            models.CheckConstraint(
                condition=Q(removed_by__isnull=True) | Q(removed_at__isnull=False),
                name="who_removed_a_partner_member_did_so_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="members_of_a_partner")]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.partner_id}"
