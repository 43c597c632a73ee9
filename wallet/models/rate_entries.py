"""Exchange rates that people enter where no feed has one."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.models.approvals import ApprovalMixin


class RateEntry(ApprovalMixin):
    """1 EUR = `rate` units of `currency` on day `on`: entered by one person, a rate once another approves it."""

    currency = models.CharField(max_length=5)
    on = models.DateField()
    rate = models.DecimalField(max_digits=22, decimal_places=12)
    last_rate = models.DecimalField(
        max_digits=22, decimal_places=12, null=True, help_text=_("Latest rate known at the time of entry")
    )
    is_far = models.BooleanField(default=False, help_text=_("Far from the last rate, confirmed as correct"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("rate_entry"),
            ApprovalMixin.one_open("currency", "on", name="one_rate_of_a_currency_and_day_waits"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="entered_rate_is_positive"),
        ]

    def __str__(self) -> str:
        return f"EUR/{self.currency} {self.rate} ({self.on})"
