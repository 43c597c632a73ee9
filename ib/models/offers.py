"""Plans that a partner offers to the sub-partners whom they invite."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from crm.models import User
from ib.models.partners import Partner
from ib.models.plans import RATIO_MOST, Plan


class SubPartnerOffer(models.Model):
    """A plan, at so many per cent of its rates, that a partner offers behind an invitation link of its own.

    It pays nobody: who applies through the link is approved by two people of the broker, on this plan or another one.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="offers", help_text="Who invites")
    name = models.CharField(max_length=80)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    percent = models.DecimalField(max_digits=5, decimal_places=2, default=100)
    code = models.SlugField(max_length=24, unique=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=RATIO_MOST), name="offered_ratio_is_within_bounds"
            ),
            models.UniqueConstraint(
                fields=["partner", "name"],
                condition=Q(withdrawn_at__isnull=True),
                name="open_offers_of_a_partner_have_names_of_their_own",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="offers_by_partner")]

    def __str__(self) -> str:
        return self.name
