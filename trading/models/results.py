"""What trading brought, summed up: per account and day, week and month, and per account, day and symbol.

Derived from deals and nothing else: `trading.sync.results.refresh` writes these rows again for the days that a trigger on the deals
names in `ChangedDay`, whoever wrote, edited or deleted a deal. Days, weeks (from Monday) and months are UTC.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from trading.choices import Period
from trading.models.accounts import MONEY, TradingAccount


class AccountResult(models.Model):
    """An account's closed trades in one period. `net` is profit, commission, swap and fees in the account's currency,
    `net_base` the same in the brand's base currency at each day's reference rate, `charges_base` commission and fees among it.
    Days also hold `net` by hour of day."""

    pk = models.CompositePrimaryKey("account_id", "period", "start")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="results", db_index=False)
    period = models.CharField(max_length=1, choices=Period.choices)
    start = models.DateField()
    trades = models.IntegerField(help_text="Deals that closed something")
    wins = models.IntegerField(help_text="Of them, with more than nothing in the end")
    lots = models.DecimalField(max_digits=20, decimal_places=8, help_text="Closed")
    net = models.DecimalField(**MONEY)
    net_base = models.DecimalField(max_digits=20, decimal_places=2)
    charges_base = models.DecimalField(
        max_digits=20, decimal_places=2, db_default=0, help_text="Commission and fees of the net, below zero"
    )
    hours = ArrayField(models.SmallIntegerField(), null=True, help_text="Hours (UTC) in which there were deals")
    hour_nets = ArrayField(models.DecimalField(**MONEY), null=True, help_text="What each of these hours brought")

    class Meta:
        ordering = ["account_id", "period", "start"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(trades__gte=models.F("wins"), wins__gte=0), name="wins_are_among_the_trades"
            ),
            models.CheckConstraint(condition=models.Q(period__in=Period.values), name="result_has_a_known_period"),
        ]
        indexes = [models.Index(fields=["period", "start", "account"], name="results_by_period")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.period} {self.start}"


class SymbolResult(models.Model):
    """An account's day on one symbol."""

    pk = models.CompositePrimaryKey("account_id", "day", "symbol")
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    symbol = models.CharField(max_length=32)
    trades = models.IntegerField()
    lots = models.DecimalField(max_digits=20, decimal_places=8)
    net = models.DecimalField(**MONEY)

    class Meta:
        ordering = ["account_id", "day", "symbol"]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day} {self.symbol}"


class ChangedDay(models.Model):
    """A day of an account whose sums are older than its deals. Written by a trigger, taken away by `results.refresh`."""

    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    day = models.DateField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["account", "day"], name="changed_days_of_an_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}"
