"""What accounts and symbols were before: commissions are computed from what held when a deal was executed.

The database writes a row whenever a value is replaced, whoever replaces it; the value of today is on the account or symbol
itself. An instant that no row covers is today's value, so nothing is kept of the many that never changed.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.db.dated import dated_once
from trading.choices import SymbolGroup

STARTS_HELP = _("Empty: since the beginning")
# A value held since the one before it ended. Never backwards, even where the clock went back.
KEEP_PAST = """
INSERT INTO {table} ({key}, {columns}, starts_at, ends_at)
SELECT OLD.id, {old}, p.at, greatest(clock_timestamp(), p.at + interval '1 microsecond')
FROM (SELECT max(ends_at) AS at FROM {table} WHERE {key} = OLD.id AND corrected_at IS NULL) p;
RETURN NULL;
"""
ONLY_CORRECTED = """
IF TG_OP = 'DELETE' OR OLD.corrected_at IS NOT NULL
   OR to_jsonb(OLD) - 'corrected_at' IS DISTINCT FROM to_jsonb(NEW) - 'corrected_at' THEN
  RAISE EXCEPTION 'what held before stays as it was: a correction marks it';
END IF;
RETURN NEW;
"""


def keep_past(name: str, table: str, key: str, *columns: str, condition: pgtrigger.Condition) -> pgtrigger.Trigger:
    """Declare the trigger that keeps what a row was before these columns change."""
    quoted = [f'"{column}"' for column in columns]
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.UpdateOf(*columns),
        when=pgtrigger.After,
        condition=condition,
        func=KEEP_PAST.format(
            table=table, key=key, columns=", ".join(quoted), old=", ".join(f"OLD.{column}" for column in quoted)
        ),
    )


def only_corrected(name: str) -> pgtrigger.Trigger:
    """Declare the trigger that lets nothing happen to a past value but one correction."""
    return pgtrigger.Trigger(
        name=name, operation=pgtrigger.Update | pgtrigger.Delete, when=pgtrigger.Before, func=ONLY_CORRECTED
    )


class PastValue(models.Model):
    """A value that held from one instant to another, unless it was corrected: then it counts no more."""

    starts_at = models.DateTimeField(null=True, help_text=STARTS_HELP)
    ends_at = models.DateTimeField()
    corrected_at = models.DateTimeField(null=True, help_text=_("When a correction replaced it by the value after it"))

    class Meta:
        abstract = True


class PastAccountGroup(PastValue):
    """A group that an account was in, until it was moved or the platform was seen to have moved it."""

    account = models.ForeignKey(
        "trading.TradingAccount", on_delete=models.PROTECT, related_name="past_groups", db_index=False
    )
    group = models.CharField(max_length=120)

    class Meta:
        ordering = ["account_id", "ends_at"]
        triggers = [only_corrected("past_account_group_stays")]
        constraints = [
            dated_once("an_account_was_in_one_group_at_a_time", "account", condition=Q(corrected_at__isnull=True)),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="past_account_group_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.group


class PastSymbolMapping(PastValue):
    """What a server's symbol was mapped to, until it was mapped to something else. The first mapping counts from the beginning."""

    info = models.ForeignKey(
        "trading.SymbolInfo", on_delete=models.PROTECT, related_name="past_mappings", db_index=False
    )
    canonical = models.CharField(max_length=32, blank=True)
    symbol_group = models.CharField(max_length=12, choices=SymbolGroup.choices)
    house_contract_size = models.DecimalField(max_digits=20, decimal_places=8, null=True)

    class Meta:
        ordering = ["info_id", "ends_at"]
        triggers = [only_corrected("past_symbol_mapping_stays")]
        constraints = [
            dated_once("a_symbol_had_one_mapping_at_a_time", "info", condition=Q(corrected_at__isnull=True)),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="past_symbol_mapping_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.canonical
