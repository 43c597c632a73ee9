"""Figures per day, so that dashboards and reports read hundreds of rows however many millions lie behind them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models import Brand, Desk, User


class DayFigure(models.Model):
    """What happened on one day of a brand's time zone in one agent's book (or a desk's pool, where nobody owns it).

    Derived: `reports.figures.rebuild` makes days anew from leads, clients, calls, deposits and withdrawals. Money is in the
    brand's base currency, each movement at the rate of its own day.
    """

    day = models.DateField()
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("The agent"))
    leads = models.PositiveIntegerField(default=0)
    touched = models.PositiveIntegerField(default=0, help_text=_("Of these leads, contacted by now"))
    touch_seconds = models.PositiveBigIntegerField(default=0, help_text=_("From assignment to first contact, in all"))
    late = models.PositiveIntegerField(default=0, help_text=_("Leads whose first agent let the time run out"))
    calls = models.PositiveIntegerField(default=0)
    call_seconds = models.PositiveBigIntegerField(default=0)
    registrations = models.PositiveIntegerField(default=0)
    first_deposits = models.PositiveIntegerField(default=0)
    deposits = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    withdrawals = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    reversals = models.DecimalField(max_digits=20, decimal_places=2, default=0, help_text=_("Refunds and chargebacks"))

    class Meta:
        ordering = ["-day", "id"]
        permissions = [
            ("view_sales", "May see the sales dashboard"),
            ("view_money", "May see the money dashboard"),
            ("view_compliance", "May see the compliance dashboard"),
            ("view_performance", "May see performance per agent and desk"),
            ("export_performance", "May export performance figures"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "brand", "desk", "owner"], nulls_distinct=False, name="one_figure_row_per_day_and_owner"
            )
        ]
        indexes = [models.Index(fields=["brand", "day"], name="figures_by_brand_and_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.owner_id or self.desk_id}"
