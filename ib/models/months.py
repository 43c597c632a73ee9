"""What the broker earned from a client in a month, while one partner referred them."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from clients.models import Client
from ib.models.partners import Partner


def _money(help_text: str) -> models.DecimalField[Decimal | None, Decimal | None]:
    return models.DecimalField(max_digits=24, decimal_places=8, null=True, help_text=help_text)


class RevenueMonth(models.Model):
    """A client's month, by which shares of net revenue and monthly pots are paid: in accruals `deal_id` is its id, below zero.

    Money is in the brand's base currency at the reference rates of the days, and of the last calculation; null: a rate is missing.
    A client who moves to another partner within the month has a row for each of them, with what was earned meanwhile.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", db_index=False)
    month = models.DateField(help_text="Its first day, in the brand's time zone")
    decided_at = models.DateTimeField(
        help_text="Last instant of the referral in it: agreement, tree and status are as of then"
    )
    currency = models.CharField(max_length=5)
    pip_worth = _money("Worth of a pip of the closed volume")
    charged = _money("Commission that the platform charged")
    swaps = _money("Swaps; what was credited to the client is below zero")
    lost = _money("What the client lost by trading; gains are below zero")
    booked = _money("By the ledger: fees that the client was charged, less bonuses")
    lots = models.DecimalField(max_digits=20, decimal_places=8, default=0, help_text="Closed, in the broker's lots")
    calculated_at = models.DateTimeField()

    class Meta:
        ordering = ["-month", "client_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["month", "client", "partner"], name="one_revenue_month_per_client_and_partner"
            ),
            models.CheckConstraint(condition=Q(month__day=1), name="revenue_month_is_named_by_its_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.month:%Y-%m}"
