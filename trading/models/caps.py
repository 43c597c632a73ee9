"""What regulators allow: the highest leverage by residence, category and instrument class, each with its days."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.choices import Category
from crm.models import Book, Brand
from trading.choices import InstrumentClass
from trading.models.accounts import AccountType
from trading.models.servers import TradingServer


class LeverageCap(models.Model):
    """One line of a regulator's rule. A change is a new line; the old one gets its last day and stays."""

    authority = models.CharField(max_length=20, help_text=_("Authority, e.g. ESMA"))
    countries = ArrayField(
        models.CharField(max_length=2), help_text=_("Where the client lives or the brand is licensed")
    )
    category = models.CharField(max_length=12, choices=Category.choices, default=Category.RETAIL)
    instrument_class = models.CharField(max_length=12, choices=InstrumentClass.choices)
    leverage = models.PositiveIntegerField(help_text=_("1:n; 0: may not be offered"))
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True, help_text=_("Last day; empty: until further notice"))
    source = models.CharField(max_length=200)
    is_confirmed = models.BooleanField(default=True, help_text=_("Checked against the source; otherwise unconfirmed"))

    class Meta:
        ordering = ["authority", "category", "-leverage", "instrument_class", "-valid_from"]
        verbose_name = _("leverage cap")
        constraints = [
            models.UniqueConstraint(
                fields=["authority", "category", "instrument_class", "valid_from"], name="one_leverage_cap_per_day"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="leverage_cap_ends_after_it_began",
            ),
            models.CheckConstraint(condition=Q(leverage__lte=500), name="leverage_cap_is_0_to_500"),
        ]

    def __str__(self) -> str:
        return f"{self.authority} {self.get_instrument_class_display()} 1:{self.leverage} ({self.valid_from})"


class CapStanding(models.Model):
    """Open accounts of one sort: of one type, group and leverage, of clients alike. Written again by `cap_standing`."""

    server = models.ForeignKey(TradingServer, on_delete=models.CASCADE, related_name="+", db_index=False)
    account_type = models.ForeignKey(AccountType, on_delete=models.CASCADE, related_name="+", null=True, db_index=False)
    group = models.CharField(max_length=120)
    leverage = models.PositiveIntegerField()
    category = models.CharField(max_length=12, choices=Category.choices)
    country = models.CharField(max_length=2, blank=True)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="+", db_index=False)
    accounts = ArrayField(models.BigIntegerField(), help_text=_("Account IDs"))
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(accounts=[]), name="cap_standing_has_accounts")]

    def __str__(self) -> str:
        return f"{self.group} 1:{self.leverage} {self.country} ({len(self.accounts)})"
