"""Figures per day, so that dashboards and reports read hundreds of rows however many millions lie behind them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from crm.models import Book, Brand, Desk, User
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


class OriginFigures(Figures):
    """Figures with what is asked per country and campaign besides: verifications, and how far the people of a day have come."""

    verified = models.PositiveIntegerField(default=0, help_text=_("Of these registrations, verified so far"))
    seen = models.PositiveIntegerField(default=0, help_text=_("People first seen on this day"))
    seen_contacted = models.PositiveIntegerField(default=0)
    seen_registered = models.PositiveIntegerField(default=0)
    seen_verified = models.PositiveIntegerField(default=0)
    seen_funded = models.PositiveIntegerField(default=0)
    seen_active = models.PositiveIntegerField(default=0)

    class Meta(Figures.Meta):
        abstract = True


class DayFigure(Figures):
    """What happened on one day of a brand's time zone with the clients that an agent, a book and a desk had then.

    Without an agent: a desk's pool. Derived: `reports.upkeep` keeps it equal to leads, clients, calls, deposits, withdrawals and
    the clients' ownership at the time, so moving a client changes no past day.
    """

    day = models.DateField()
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+")
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", help_text=_("The agent"))
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", db_index=False)

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
                fields=["day", "brand", "desk", "owner", "book"],
                nulls_distinct=False,
                name="one_figure_row_per_day_and_owner",
            )
        ]
        indexes = [models.Index(fields=["brand", "day"], name="figures_by_brand_and_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.owner_id or self.desk_id}"


class OriginDay(OriginFigures):
    """The same by where people come from: country, and campaign and source of the first lead. Derived like `DayFigure`."""

    day = models.DateField()
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    country = models.CharField(max_length=2)
    campaign = models.CharField(max_length=60)
    source = models.CharField(max_length=60)
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta(OriginFigures.Meta):
        abstract = False
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "brand", "country", "campaign", "source", "desk", "owner", "book"],
                nulls_distinct=False,
                name="one_origin_row_per_day_and_owner",
            )
        ]
        indexes = [models.Index(fields=["brand", "campaign", "day"], name="origins_by_campaign")]

    def __str__(self) -> str:
        return f"{self.day} {self.country} {self.campaign}"


class CohortMonth(models.Model):
    """What the clients who registered in one month paid in and out in another, in the brand's base currency. Derived.

    The desk is the one that registered them: a cohort stays with it, whoever looks after its clients later.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    registered_month = models.DateField(help_text=_("Its first day"))
    month = models.DateField(help_text=_("Its first day"))
    country = models.CharField(max_length=2)
    campaign = models.CharField(max_length=60)
    desk = models.ForeignKey(Desk, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    clients = models.PositiveIntegerField(default=0, help_text=_("In the month of registration: who registered"))
    depositors = models.PositiveIntegerField(default=0)
    deposits = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    withdrawals = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    reversals = models.DecimalField(max_digits=20, decimal_places=2, default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "registered_month", "month", "country", "campaign", "desk"],
                nulls_distinct=False,
                name="one_cohort_row_per_month_and_origin",
            )
        ]

    def __str__(self) -> str:
        return f"{self.registered_month:%Y-%m} {self.month:%Y-%m}"


class ClientDay(OriginFigures):
    """What one client has given to the figures of a day, an agent and a desk. Derived, so without references."""

    client_id = models.BigIntegerField()
    day = models.DateField()
    brand_id = models.BigIntegerField()
    desk_id = models.BigIntegerField(null=True)
    owner_id = models.BigIntegerField(null=True)
    book_id = models.BigIntegerField()
    country = models.CharField(max_length=2)
    campaign = models.CharField(max_length=60)
    source = models.CharField(max_length=60)
    registered_month = models.DateField(null=True)

    class Meta(OriginFigures.Meta):
        abstract = False
        default_permissions = ()
        indexes = [
            models.Index(fields=["client_id"], name="client_days_by_client"),
            models.Index(fields=["brand_id", "day"], name="client_days_by_brand_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.day}"


class ChangedClient(models.Model):
    """A client of whom something that is counted has changed; without a client: everybody. Written by triggers, only added to."""

    client_id = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.client_id or "everybody")


class FiguresState(models.Model):
    """When the figures last took in what had changed: one row, for "Figures as of 12:04" on the dashboards."""

    refreshed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="figures_have_one_state")]

    def __str__(self) -> str:
        return str(self.refreshed_at)


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
