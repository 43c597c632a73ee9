"""Symbols as each server names them, and what they are called in the house."""

from __future__ import annotations

from django.db import models

from trading.choices import SymbolGroup
from trading.models.servers import TradingServer


class SymbolInfo(models.Model):
    """A symbol on one server with its contract data; `canonical` is its name in the house (EURUSD for EURUSD.m)."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="symbols")
    name = models.CharField(max_length=32)
    canonical = models.CharField(max_length=32, blank=True, db_index=True)
    symbol_group = models.CharField(max_length=12, choices=SymbolGroup.choices, blank=True, help_text="Blank: unmapped")
    description = models.CharField(max_length=120, blank=True)
    path = models.CharField(max_length=160, blank=True)
    digits = models.PositiveSmallIntegerField(default=5)
    contract_size = models.DecimalField(max_digits=20, decimal_places=8)
    currency_base = models.CharField(max_length=8, blank=True)
    currency_profit = models.CharField(max_length=8, blank=True)
    currency_margin = models.CharField(max_length=8, blank=True)
    volume_min_lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    volume_step_lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    volume_max_lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    swap_long = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    swap_short = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["server_id", "name"]
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="symbol_name_is_unique_on_its_server"),
            models.CheckConstraint(condition=models.Q(contract_size__gt=0), name="symbol_contract_size_is_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class SymbolAlias(models.Model):
    """A broker's own name for a symbol that the usual endings don't explain, e.g. GOLD → XAUUSD."""

    name = models.CharField(max_length=32, unique=True)
    canonical = models.CharField(max_length=32)
    symbol_group = models.CharField(max_length=12, choices=SymbolGroup.choices)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "symbol aliases"

    def __str__(self) -> str:
        return f"{self.name} → {self.canonical}"
