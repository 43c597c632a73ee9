"""Prop challenges that clients bought, as partners are paid for them."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q

from clients.models import Client
from ib.choices import FeeReturn


class ChallengeSale(models.Model):
    """A sold challenge, heard of by its event: in accruals `deal_id` is `-(SALES_FROM + id)`, and `ticket` the challenge's number.

    price: what the client paid, after a discount. returned_at: when the fee was refunded or charged back; then nobody earns on it.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    challenge_number = models.BigIntegerField(unique=True)
    sold_at = models.DateTimeField()
    price = models.DecimalField(max_digits=24, decimal_places=8)
    currency = models.CharField(max_length=5)
    returned_at = models.DateTimeField(null=True)
    returned_because = models.CharField(max_length=12, choices=FeeReturn.choices, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        triggers = [
            pgtrigger.ReadOnly(
                name="challenge_sale_stays", fields=["client", "challenge_number", "sold_at", "price", "currency"]
            ),
            pgtrigger.Protect(name="challenge_sale_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="fee_of_a_challenge_is_returned_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__returned_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="sold_challenge_has_a_price"),
            models.CheckConstraint(
                condition=Q(returned_at__isnull=True, returned_because="")
                | Q(returned_at__isnull=False) & ~Q(returned_because=""),
                name="returned_fee_says_why",
            ),
        ]
        indexes = [models.Index(fields=["sold_at"], name="challenges_sold_by_time")]

    def __str__(self) -> str:
        return f"challenge #{self.challenge_number}"
