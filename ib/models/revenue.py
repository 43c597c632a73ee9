"""What the broker earned from a partner's own clients, and what partners earned on them, by day."""

from __future__ import annotations

from django.db import models

from ib.models.partners import Partner


class RevenueDay(models.Model):
    """One day (UTC) of the clients whom a partner referred then, in one currency, kept each night (`ib.manager_pages.revenue`).

    charged, lost: in the accounts' currency, and cost in that of the partners who were paid; a row may have only one of them.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="revenue_days", db_index=False)
    day = models.DateField()
    currency = models.CharField(max_length=5)
    charged = models.DecimalField(max_digits=24, decimal_places=8, help_text="Commission that the platform charged")
    lost = models.DecimalField(
        max_digits=24, decimal_places=8, help_text="What clients lost by trading, swaps included; gains are below zero"
    )
    cost = models.DecimalField(max_digits=24, decimal_places=8, help_text="What all partners earned on these clients")

    class Meta:
        ordering = ["-day", "partner_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "day", "currency"], name="one_revenue_day_per_partner_and_currency"
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.day} {self.currency}"
