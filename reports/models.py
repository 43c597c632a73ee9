"""Figures per day, so that dashboards and reports read hundreds of rows however many millions lie behind them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from crm.models import Brand, Desk, User
from reports.choices import TargetFigure


class Figures(models.Model):
    """What is counted and summed. Money is in the brand's base currency, each movement at the rate of its own day."""

    leads = models.PositiveIntegerField(default=0)
    touched = models.PositiveIntegerField(default=0, help_text=_("Of these leads, contacted so far"))
    touch_seconds = models.PositiveBigIntegerField(
        default=0, help_text=_("Total time from assignment to first contact")
    )
    late = models.PositiveIntegerField(
        default=0, help_text=_("Leads reassigned because their first agent didn't respond in time")
    )
    calls = models.PositiveIntegerField(default=0)
    call_seconds = models.PositiveBigIntegerField(default=0)
    registrations = models.PositiveIntegerField(default=0)
    first_deposits = models.PositiveIntegerField(default=0)
    deposits = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    withdrawals = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    reversals = models.DecimalField(max_digits=20, decimal_places=2, default=0, help_text=_("Refunds and chargebacks"))

    class Meta:
        abstract = True


class DayFigure(Figures):
    """What happened on one day of a brand's time zone in one agent's book (or a desk's pool, where nobody owns it).

    Derived: `reports.upkeep` keeps it equal to leads, clients, calls, deposits and withdrawals.
    """

    day = models.DateField()
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("The agent"))

    class Meta(Figures.Meta):
        abstract = False
        ordering = ["-day", "id"]
        permissions = [
            ("view_sales", gettext_noop("May see the sales dashboard")),
            ("view_money", gettext_noop("May see the money dashboard")),
            ("view_compliance", gettext_noop("May see the compliance dashboard")),
            ("view_performance", gettext_noop("May see performance per agent and desk")),
            ("export_performance", gettext_noop("May export performance figures")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "brand", "desk", "owner"], nulls_distinct=False, name="one_figure_row_per_day_and_owner"
            )
        ]
        indexes = [models.Index(fields=["brand", "day"], name="figures_by_brand_and_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.owner_id or self.desk_id}"


class ClientDay(Figures):
    """What one client has given to the figures of a day, an agent and a desk. Derived, so without references."""

    client_id = models.BigIntegerField()
    day = models.DateField()
    brand_id = models.BigIntegerField()
    desk_id = models.BigIntegerField(null=True)
    owner_id = models.BigIntegerField(null=True)

    class Meta(Figures.Meta):
        abstract = False
        default_permissions = ()
        indexes = [models.Index(fields=["client_id"], name="client_days_by_client")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.day}"


class ChangedClient(models.Model):
    """A client of whom something that is counted has changed; without a client: everybody. Written by triggers, only added to."""

    client_id = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.client_id or "everybody")


class Target(models.Model):
    """What a desk, or one of its agents, is to reach in a month. Money is in the base currency of the desk's brand."""

    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, related_name="targets", db_index=False)
    agent = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="targets", help_text=_("None: the whole desk")
    )
    month = models.DateField(help_text=_("Its first day"))
    figure = models.CharField(max_length=16, choices=TargetFigure.choices)
    value = models.DecimalField(max_digits=14, decimal_places=2)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-month", "desk_id", "agent_id", "figure"]
        permissions = [("set_target", gettext_noop("May set the targets of desks and agents"))]
        constraints = [
            models.UniqueConstraint(
                fields=["desk", "month", "agent", "figure"],
                nulls_distinct=False,
                name="one_target_per_figure_and_month",
            ),
            models.CheckConstraint(condition=models.Q(value__gt=0), name="target_is_above_zero"),
            models.CheckConstraint(condition=models.Q(month__day=1), name="target_month_is_a_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.get_figure_display()}"
