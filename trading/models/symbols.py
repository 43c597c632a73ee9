"""Symbols as each server names them, which of ours they are, and who decided it."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.i18n import formats
from trading.choices import (
    ALIAS_TRANSITIONS,
    MAPPED,
    AliasRule,
    AliasState,
    InstrumentClass,
    MarginFormula,
    SymbolGroup,
)
from trading.models.past import keep_past
from trading.models.servers import TradingServer


class HouseSymbol(models.Model):
    """An instrument as we count it: one name, one group, and how many units its lot has."""

    name = models.CharField(max_length=32, unique=True)
    symbol_group = models.CharField(max_length=12, choices=SymbolGroup.choices)
    instrument_class = models.CharField(
        max_length=12, choices=InstrumentClass.choices, help_text=_("Classes used by regulators for leverage caps")
    )
    contract_size = models.DecimalField(max_digits=20, decimal_places=8, help_text=_("Units in one CRM lot"))
    digits = models.PositiveSmallIntegerField(default=5)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(contract_size__gt=0), name="house_symbol_contract_size_is_positive")
        ]

    def __str__(self) -> str:
        return self.name


class SymbolInfo(models.Model):
    """A symbol on one server with its contract data. `canonical`, `symbol_group` and `house_contract_size` follow from its
    alias, once that is mapped: reports join this row only. A deal in our lots: lots × its contract size / ours."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="symbols")
    name = models.CharField(max_length=32)
    canonical = models.CharField(max_length=32, blank=True, db_index=True)
    symbol_group = models.CharField(max_length=12, choices=SymbolGroup.choices, blank=True, help_text="Blank: unmapped")
    house_contract_size = models.DecimalField(
        max_digits=20, decimal_places=8, null=True, help_text=_("Units in one CRM lot; empty: lots count as they are")
    )
    description = models.CharField(max_length=120, blank=True)
    path = models.CharField(max_length=160, blank=True)
    digits = models.PositiveSmallIntegerField(default=5)
    contract_size = models.DecimalField(max_digits=20, decimal_places=8)
    tick_size = models.DecimalField(max_digits=20, decimal_places=10, default=0)
    tick_value = models.DecimalField(max_digits=20, decimal_places=10, default=0)
    currency_base = models.CharField(max_length=8, blank=True)
    currency_profit = models.CharField(max_length=8, blank=True)
    currency_margin = models.CharField(max_length=8, blank=True)
    volume_min_lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    volume_step_lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    volume_max_lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    swap_long = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    swap_short = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    margin_rate = models.DecimalField(
        max_digits=18, decimal_places=8, null=True, help_text=_("Empty: unknown, or not part of the margin calculation")
    )
    margin_by_leverage = models.BooleanField(default=True)
    margin_formula = models.CharField(max_length=8, choices=MarginFormula.choices, default=MarginFormula.VALUE)
    margin_fixed = models.DecimalField(
        max_digits=20, decimal_places=8, default=0, help_text=_("Per lot, in the margin currency; 0: none")
    )
    lot_value = models.DecimalField(
        max_digits=24, decimal_places=8, null=True, help_text=_("Value of a lot when it was read; empty: unknown")
    )
    lot_currency = models.CharField(max_length=8, blank=True)
    is_traded = models.BooleanField(default=True)
    first_seen_at = models.DateTimeField(default=timezone.now)
    waiting_since = models.DateTimeField(null=True, help_text=_("Oldest deal received while unmapped"))
    gone_at = models.DateTimeField(null=True, help_text=_("The server no longer lists it"))
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["server_id", "name"]
        triggers = [
            keep_past(
                "symbol_mapping_is_kept",
                "trading_pastsymbolmapping",
                "info_id",
                "canonical",
                "symbol_group",
                "house_contract_size",
                condition=~pgtrigger.Q(old__symbol_group="")
                & (
                    pgtrigger.Q(old__symbol_group__df=pgtrigger.F("new__symbol_group"))
                    | pgtrigger.Q(old__house_contract_size__df=pgtrigger.F("new__house_contract_size"))
                    | pgtrigger.Q(old__canonical__df=pgtrigger.F("new__canonical"))
                ),
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["server", "name"], name="symbol_name_is_unique_on_its_server"),
            models.CheckConstraint(condition=models.Q(contract_size__gt=0), name="symbol_contract_size_is_positive"),
            models.CheckConstraint(
                condition=models.Q(house_contract_size__gt=0), name="symbol_house_contract_size_is_positive"
            ),
        ]
        indexes = [
            models.Index(F("name").asc(), F("id").asc(), name="symbols_by_name"),
            models.Index(F("read_at").desc(), F("id").desc(), name="symbols_unmapped", condition=Q(symbol_group="")),
        ]

    def __str__(self) -> str:
        return self.name


class SymbolAlias(HasState):
    """Which of our symbols a server's symbol is: proposed by a rule with its reason, mapped by its name, or decided by a person.

    `contract_size`, `digits` and `tick_size` are the server's figures that the decision is about; figures that change later
    are a question for a person.
    """

    TRANSITIONS = {"state": ALIAS_TRANSITIONS}
    FIRST_STATES = {"state": {AliasState.PROPOSED, AliasState.BY_RULE}}

    info = models.OneToOneField(SymbolInfo, on_delete=models.PROTECT, related_name="alias")
    symbol = models.ForeignKey(HouseSymbol, on_delete=models.PROTECT, related_name="aliases")
    state = models.CharField(max_length=10, choices=AliasState.choices, default=AliasState.PROPOSED)
    rule = models.CharField(max_length=10, choices=AliasRule.choices)
    stripped = models.CharField(max_length=32, blank=True, help_text=_("What the rule removed from the name"))
    contract_size = models.DecimalField(max_digits=20, decimal_places=8)
    digits = models.PositiveSmallIntegerField()
    tick_size = models.DecimalField(max_digits=20, decimal_places=10, default=0)
    since = models.DateTimeField(help_text=_("When the mapping took effect; while proposed, when it was proposed"))
    decided_by = models.ForeignKey("crm.User", on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["info_id"]
        verbose_name_plural = "symbol aliases"
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "refused"]) | Q(decided_at__isnull=False),
                name="decided_alias_has_a_time",
            ),
            models.CheckConstraint(condition=Q(contract_size__gt=0), name="alias_contract_size_is_positive"),
        ]
        indexes = [models.Index(fields=["state", "id"], name="aliases_by_state")]

    def __str__(self) -> str:
        return f"{self.info} → {self.symbol}"

    @property
    def is_mapped(self) -> bool:
        return self.state in MAPPED

    @property
    def factor(self) -> Decimal:
        """Our lots in one lot on the server."""
        return self.contract_size / self.symbol.contract_size

    @property
    def is_size_equal(self) -> bool:
        return self.contract_size == self.symbol.contract_size

    @property
    def reason(self) -> str:
        """Why, in a sentence."""
        reasons = {
            AliasRule.EXACT: gettext("Same name"),
            AliasRule.ENDING: gettext("Without the suffix “%(part)s”"),
            AliasRule.PREFIX: gettext("Without “%(part)s” around the name"),
            AliasRule.OTHER_NAME: gettext("“%(part)s” is another name for it"),
            AliasRule.FOLDER: gettext("From the server's folder “%(part)s”"),
        }.get(AliasRule(self.rule))
        text = reasons % {"part": self.stripped} if reasons else str(AliasRule(self.rule).label)
        sizes = {"here": formats.number(self.symbol.contract_size, 0), "there": formats.number(self.contract_size, 0)}
        if self.is_size_equal:
            return text + ", " + gettext("same contract size (%(here)s)") % sizes
        return text + ", " + gettext("but the contract size is %(there)s, not %(here)s") % sizes
