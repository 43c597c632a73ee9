"""Deals, what dealers changed in them, and open positions."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.db.partitions import partitioned_by_month
from trading.choices import DealAction, DealEntry
from trading.models.accounts import MONEY, TradingAccount
from trading.models.servers import TradingServer

partitioned_by_month("trading_deal")


class StandingDeals(models.Manager["Deal"]):
    """Deals that count: without those that a dealer deleted on the platform."""

    def get_queryset(self) -> models.QuerySet[Deal]:
        return super().get_queryset().filter(deleted_at__isnull=True)


class Deal(models.Model):
    """One deal of a platform, keyed by (server, ticket); partitioned by month of `executed_at` (UTC).

    Amounts are in the account's currency. `lots` and `closed_lots` are exact; on INOUT deals `lots` covers the closed
    and the opened part, so rebates on closed volume use `closed_lots`. `account` is null for logins that we don't know.

    A deal that a dealer deleted stays, with `deleted_at`, and counts nowhere: `Deal.objects` leaves it out, `Deal.every` has it.
    """

    # The table's key is (executed_at, id), as a partitioned table needs; ids come from one sequence and never repeat.
    id = models.BigAutoField(primary_key=True)
    executed_at = models.DateTimeField(help_text=_("UTC"))
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="+", db_index=False)
    ticket = models.BigIntegerField()
    account = models.ForeignKey(
        TradingAccount, on_delete=models.PROTECT, related_name="deals", null=True, db_index=False
    )
    login = models.CharField(max_length=32)
    server_msc = models.BigIntegerField(help_text=_("The server's own time in milliseconds, as received"))
    action = models.SmallIntegerField(choices=DealAction.choices)
    entry = models.SmallIntegerField(choices=DealEntry.choices)
    reason = models.SmallIntegerField(default=0)
    symbol = models.CharField(max_length=32, blank=True)
    lots = models.DecimalField(max_digits=18, decimal_places=8)
    closed_lots = models.DecimalField(max_digits=18, decimal_places=8)
    contract_size = models.DecimalField(max_digits=20, decimal_places=8)
    price = models.DecimalField(max_digits=20, decimal_places=8)
    price_position = models.DecimalField(max_digits=20, decimal_places=8)
    profit = models.DecimalField(**MONEY)
    commission = models.DecimalField(**MONEY)
    swap = models.DecimalField(**MONEY)
    fee = models.DecimalField(**MONEY)
    position_id = models.BigIntegerField()
    order_id = models.BigIntegerField()
    comment = models.CharField(max_length=64, blank=True)
    raw = models.JSONField()
    revision = models.SmallIntegerField(
        default=0, help_text=_("How often the platform has changed it since it was first read")
    )
    synced_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, help_text=_("When it was no longer found on the platform"))

    objects = StandingDeals()
    every = models.Manager["Deal"]()

    class Meta:
        managed = False  # the partitioned table, its sequence and indexes are in trading/sql/deals.sql
        db_table = "trading_deal"
        ordering = ["-executed_at", "-id"]

    price_digits: int = 5  # set by `queries.with_price_digits` for showing

    def __str__(self) -> str:
        return f"#{self.ticket}"

    @property
    def is_trade(self) -> bool:
        return self.action in (DealAction.BUY, DealAction.SELL)

    @property
    def is_opening(self) -> bool:
        return self.is_trade and self.entry in (DealEntry.IN, DealEntry.INOUT)

    @property
    def charges(self) -> Decimal:
        """Commission, swap and fee together; a charge is below zero."""
        return self.commission + self.swap + self.fee

    @property
    def net(self) -> Decimal:
        """What the deal did to the balance: profit, commission, swap and fee together."""
        return self.profit + self.commission + self.swap + self.fee


class DealEdit(models.Model):
    """A deal as it was before the platform changed it; a deletion is an edit with `deleted` in `after`."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="+", db_index=False)
    ticket = models.BigIntegerField()
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["server", "ticket"], name="edits_of_a_deal")]

    def __str__(self) -> str:
        return f"#{self.ticket}"


class Position(models.Model):
    """An open position, as the platform last listed it. Amounts in the account's currency."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="+", db_index=False)
    ticket = models.BigIntegerField()
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="positions")
    symbol = models.CharField(max_length=32)
    action = models.SmallIntegerField(choices=[(0, _("Buy")), (1, _("Sell"))])
    lots = models.DecimalField(max_digits=18, decimal_places=8)
    contract_size = models.DecimalField(max_digits=20, decimal_places=8)
    price_open = models.DecimalField(max_digits=20, decimal_places=8)
    price_current = models.DecimalField(max_digits=20, decimal_places=8)
    profit = models.DecimalField(**MONEY)
    swap = models.DecimalField(**MONEY)
    opened_at = models.DateTimeField()
    server_msc = models.BigIntegerField()
    comment = models.CharField(max_length=64, blank=True)
    synced_at = models.DateTimeField()

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["server", "ticket"], name="position_ticket_is_unique_on_its_server"),
            models.CheckConstraint(condition=models.Q(lots__gt=0), name="open_position_has_a_volume"),
        ]

    price_digits: int = 5  # set by `queries.with_price_digits` for showing

    def __str__(self) -> str:
        return f"#{self.ticket} {self.symbol}"

    @property
    def net(self) -> Decimal:
        """What it is worth now: profit and swap together, as equity counts it."""
        return self.profit + self.swap
