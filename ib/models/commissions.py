"""Runs of the commission engine, what they accrued or excluded, and the settlements of periods."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.dated import dated_once, ends_after_start
from crm.db.states import HasState
from crm.i18n import formats
from crm.models import Brand, User
from crm.models.audit import append_only
from ib.choices import (
    MAY_BE_NEGATIVE,
    OF_SALES,
    PERIOD_TRANSITIONS,
    AccrualKind,
    AccrualState,
    Component,
    PeriodState,
    Reason,
    RunKind,
)
from ib.models.partners import Partner
from ib.models.plans import PlanVersion
from trading.choices import SymbolGroup


class CommissionRun(models.Model):
    """One pass of the engine over a scope of deals; what failed left nothing. The passes after syncs share a row a day."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="commission_runs")
    kind = models.CharField(max_length=10, choices=RunKind.choices)
    from_at = models.DateTimeField(null=True, help_text=_("Start of the deals' closing time (inclusive)"))
    to_at = models.DateTimeField(null=True, help_text=_("End of the deals' closing time (exclusive)"))
    deals = models.PositiveIntegerField(default=0)
    accrued = models.PositiveIntegerField(default=0)
    excluded = models.PositiveIntegerField(default=0)
    corrected = models.PositiveIntegerField(default=0)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["brand", "-id"], name="commission_runs_by_brand")]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "from_at"], condition=Q(kind="event"), name="one_live_commission_run_per_brand_and_day"
            )
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class SettlementPeriod(HasState):
    """A stretch of time that is settled at once. A closed one takes no accrual: late facts go into the next."""

    TRANSITIONS = {"state": PERIOD_TRANSITIONS}

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="commission_periods")
    name = models.CharField(max_length=24, help_text=_("The month in the brand's time zone, e.g. 2026-11"))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=PeriodState.choices, default=PeriodState.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-starts_at"]
        triggers = [
            pgtrigger.Trigger(
                name="settled_period_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(old__state="closed"),
                func="RAISE EXCEPTION 'a settled period never opens again: late facts go into the next one';",
            )
        ]
        constraints = [
            ends_after_start("commission_period_ends_after_it_starts"),
            dated_once("commission_periods_do_not_overlap", "brand"),
            models.CheckConstraint(
                condition=Q(state="open") | Q(closed_at__isnull=False), name="settled_period_says_when"
            ),
        ]

    def __str__(self) -> str:
        return self.name


# Set-based, once per statement and in one pass: a foreign key would look up six rows for each of millions of accruals.
POINTS_AT_REAL_ROWS = """
SELECT bool_or(s.id IS NULL OR s.state <> 'open'),
  bool_or(p.id IS NULL OR i.id IS NULL OR r.id IS NULL OR c.id IS NULL OR (n.version_id IS NOT NULL AND v.id IS NULL))
INTO is_closed, is_lost
FROM (SELECT DISTINCT period_id, partner_id, introducer_id, run_id, version_id, client_id FROM new_rows) n
LEFT JOIN ib_settlementperiod s ON s.id = n.period_id
LEFT JOIN ib_partner p ON p.id = n.partner_id
LEFT JOIN ib_partner i ON i.id = n.introducer_id
LEFT JOIN ib_commissionrun r ON r.id = n.run_id
LEFT JOIN ib_planversion v ON v.id = n.version_id
LEFT JOIN clients_client c ON c.id = n.client_id;
IF is_closed THEN
  RAISE EXCEPTION 'a closed commission period takes no accrual'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'accrual_is_in_an_open_period';
ELSIF is_lost THEN
  RAISE EXCEPTION 'an accrual points at a row that does not exist'
    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'accrual_points_at_real_rows';
END IF;
RETURN NULL;
"""


def bulk_key(to: type[models.Model] | str, **options: Any) -> models.ForeignKey[Any, Any]:
    """Declare a key that the table's statement trigger checks, for a table of millions of rows."""
    return models.ForeignKey(
        to, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False, **options
    )


class Accrual(models.Model):
    """What one closed deal earned one partner by one component of a plan, or why it earned nothing. Never changed, only added to.

    amount = (basis × basis_fx × rate, at most cap) × share × fx_rate, less `below`; cut (never rounded up) at 8 places twice:
    in the plan's currency and in the partner's. The basis of a rebate per lot is `lots`. A corrected deal gets a further row
    (`kind` delta, clawback or restored) with the difference and `corrects` set.
    `introducer` is the client's own partner (level 1); `partner` is who earns, by that partner's plan or by their own.
    """

    run = bulk_key(CommissionRun)
    kind = models.CharField(max_length=8, choices=AccrualKind.choices)
    state = models.CharField(max_length=8, choices=AccrualState.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True)
    partner = bulk_key(Partner)
    introducer = bulk_key(Partner)
    level = models.PositiveSmallIntegerField()
    client = bulk_key(Client)
    deal_id = models.BigIntegerField(
        help_text="Below zero: not a deal but a client's month (`RevenueMonth`) or a challenge (`ChallengeSale`)"
    )
    ticket = models.BigIntegerField(help_text=_("Deal number on the platform"))
    closed_at = models.DateTimeField(help_text=_("When the position was closed (execution time of the deal)"))
    account_id = models.BigIntegerField()
    symbol = models.CharField(max_length=32)
    symbol_group = models.CharField(max_length=12, choices=SymbolGroup.choices, blank=True)
    lots = models.DecimalField(max_digits=18, decimal_places=8, help_text=_("Closed volume"))
    held_seconds = models.IntegerField(null=True)
    version = bulk_key(PlanVersion, null=True)
    component = models.CharField(max_length=10, choices=Component.choices, default=Component.LOT)
    basis = models.DecimalField(
        max_digits=20, decimal_places=8, null=True, help_text=_("What the rate applies to; empty: the lots")
    )
    basis_currency = models.CharField(max_length=8, blank=True)
    basis_fx = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    rate = models.DecimalField(max_digits=16, decimal_places=8, null=True, help_text=_("Per lot, in pips, or a share"))
    cap = models.DecimalField(
        max_digits=16, decimal_places=8, null=True, help_text=_("The most that all levels get; empty: it didn't matter")
    )
    below = models.DecimalField(
        max_digits=20, decimal_places=8, null=True, help_text=_("Earned below, taken off a difference payout")
    )
    share = models.DecimalField(
        max_digits=9, decimal_places=8, null=True, help_text=_("Share of the level; 1 for fixed amounts")
    )
    is_override = models.BooleanField(default=False)
    tier = models.PositiveSmallIntegerField(null=True, help_text="The rank that the rate is paid by; empty: none")
    ratio = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        help_text="Personal ratio in per cent that the rate is paid by; empty: none",
    )
    passed_percent = models.DecimalField(
        max_digits=5, decimal_places=2, null=True, help_text="Part that goes to the client, in per cent; empty: none"
    )
    passed_per_lot = models.DecimalField(
        max_digits=16,
        decimal_places=8,
        null=True,
        help_text="Part that goes to the client per lot, in the plan's currency; empty: none",
    )
    revenue = models.DecimalField(
        max_digits=20,
        decimal_places=8,
        null=True,
        help_text="What the broker earned on the trade, in the plan's currency; empty: the plan doesn't ask",
    )
    rate_currency = models.CharField(max_length=5, blank=True)
    rate_amount = models.DecimalField(max_digits=20, decimal_places=8, default=0, help_text=_("In the plan's currency"))
    fx_rate = models.DecimalField(max_digits=20, decimal_places=10, null=True)
    fx_on = models.DateField(null=True, help_text=_("Day of the reference rate"))
    currency = models.CharField(max_length=5)
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    period = bulk_key(SettlementPeriod)
    corrects = bulk_key("self", null=True)
    source = models.CharField(max_length=40, blank=True, help_text=_("Cause of a correction, e.g. deposit:17"))
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = [
            *append_only("accrual"),
            pgtrigger.Trigger(
                name="accrual_points_at_real_rows",
                operation=pgtrigger.Insert,
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="new_rows"),
                declare=[("is_closed", "boolean"), ("is_lost", "boolean")],
                func=POINTS_AT_REAL_ROWS,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["deal_id", "partner", "level", "component"],
                condition=Q(kind="original"),
                name="one_accrual_per_deal_partner_level_and_component",
            ),
            models.UniqueConstraint(
                fields=["run", "deal_id", "partner", "level", "component", "currency"],
                condition=Q(kind="delta"),
                name="one_correction_per_run_deal_partner_level_and_component",
            ),
            models.UniqueConstraint(
                fields=["source", "deal_id", "partner", "level", "component", "currency"],
                condition=Q(kind="delta") & ~Q(source=""),
                name="a_replay_adjusts_a_line_once",
            ),
            models.UniqueConstraint(
                fields=["source", "corrects"], condition=Q(kind="clawback"), name="a_clawback_takes_an_accrual_once"
            ),
            models.UniqueConstraint(
                fields=["source", "corrects"], condition=Q(kind="restored"), name="a_clawback_is_given_back_once"
            ),
            models.UniqueConstraint(
                fields=["source"], condition=Q(kind="adjusted"), name="a_dispute_adjusts_a_commission_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="excluded") | (Q(amount=0, rate_amount=0) & ~Q(reason="")),
                name="excluded_trade_pays_nothing_and_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(kind="original", state="accrued")
                | Q(
                    Q(amount__gte=0) | Q(component__in=MAY_BE_NEGATIVE),
                    reason="",
                    version__isnull=False,
                    rate__isnull=False,
                    share__isnull=False,
                    fx_rate__isnull=False,
                ),
                name="accrual_says_how_it_was_computed",
            ),
            models.CheckConstraint(
                condition=Q(kind="original", corrects__isnull=True) | (~Q(kind="original") & ~Q(reason="")),
                name="correction_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "period", "-id"], name="accruals_of_a_settlement"),
            models.Index(fields=["client", "-id"], name="accruals_by_client"),
            # The level last, so that a partner's lines are filtered by it without their rows being read.
            models.Index(fields=["partner", "closed_at", "id", "level"], name="accruals_of_a_day"),
            models.Index(fields=["client", "version"], condition=Q(component="cpa"), name="cpa_of_a_client"),
            models.Index(fields=["deal_id"], condition=~Q(kind="original"), name="corrections_of_a_deal"),
            models.Index(fields=["partner", "-id"], condition=Q(kind="passed"), name="passed_on_by_a_partner"),
            models.Index(fields=["-id"], condition=Q(state="excluded"), name="accruals_excluded"),
            BrinIndex(fields=["closed_at"], name="accruals_by_time", pages_per_range=32),
        ]

    def __str__(self) -> str:
        return f"deal {self.ticket or self.deal_id} level {self.level}: {self.amount} {self.currency}"

    @property
    def is_monthly(self) -> bool:
        """Whether it is a client's month (`RevenueMonth`), not a deal."""
        return (self.deal_id or 0) < 0 and not self.is_sale

    @property
    def is_sale(self) -> bool:
        """Whether it is a sold challenge (`ChallengeSale`), not a deal; `ticket` is the challenge's number."""
        return self.component in OF_SALES

    @property
    def month(self) -> dt.date:
        """First day of the month that a share of net revenue is of; such a line has it in place of a symbol."""
        return dt.date.fromisoformat(f"{self.symbol}-01")

    @property
    def place(self) -> str:
        """Name what earned it: the deal or challenge by its number, or the client's month."""
        if self.is_sale:
            return _("Challenge #%(challenge)s") % {"challenge": self.ticket}
        if self.is_monthly:
            text = _("Pot of %(month)s") if self.component == Component.POT else _("Net revenue of %(month)s")
            return text % {"month": formats.month(self.month)}
        return _("Deal #%(deal)s") % {"deal": self.ticket}


WHAT_WAS_HEARD_STAYS = """
IF TG_OP = 'DELETE' OR to_jsonb(OLD) - ARRAY['taken', 'taken_at', 'restored', 'restored_at']
     IS DISTINCT FROM to_jsonb(NEW) - ARRAY['taken', 'taken_at', 'restored', 'restored_at']
   OR (OLD.taken IS NOT NULL AND (OLD.taken, OLD.taken_at) IS DISTINCT FROM (NEW.taken, NEW.taken_at))
   OR (OLD.restored IS NOT NULL AND (OLD.restored, OLD.restored_at) IS DISTINCT FROM (NEW.restored, NEW.restored_at))
THEN
  RAISE EXCEPTION 'what was heard of a reversal is kept: each half once'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'reversed_part_is_heard_once';
END IF;
RETURN NEW;
"""


class ReversedPart(models.Model):
    """One part of a deposit that went back to the payer, and perhaps came again: what clawbacks are computed from.

    `base` ÷ `paid_in` is the weight of the whole deposit: its worth over all the client paid in since it, both in the
    brand's currency, when the part was first heard of. The two halves are set once each, in whatever order they come.
    """

    deposit = models.ForeignKey("wallet.Deposit", on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=200, blank=True, help_text=_("Reference of the dispute or refund"))
    source = models.CharField(max_length=40, unique=True, help_text=_("Reference used in the accruals"))
    since = models.DateTimeField(help_text=_("When the deposit arrived; later trades are funded by it"))
    amount = models.DecimalField(max_digits=28, decimal_places=8, help_text=_("Full amount of the deposit"))
    currency = models.CharField(max_length=5)
    base = models.DecimalField(max_digits=28, decimal_places=8)
    paid_in = models.DecimalField(max_digits=28, decimal_places=8)
    taken = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    taken_at = models.DateTimeField(null=True)
    restored = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    restored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        triggers = [
            pgtrigger.Trigger(
                name="reversed_part_is_heard_once",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=WHAT_WAS_HEARD_STAYS,
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["deposit", "reference"], name="one_reversed_part_per_reference"),
            models.CheckConstraint(
                condition=Q(amount__gt=0, base__gt=0, paid_in__gte=F("base")), name="reversed_part_weighs_at_most_all"
            ),
            models.CheckConstraint(
                condition=Q(taken__isnull=False, taken__gt=0, taken_at__isnull=False)
                | Q(taken__isnull=True, taken_at__isnull=True),
                name="taken_part_says_when",
            ),
            models.CheckConstraint(
                condition=Q(restored__isnull=False, restored__gt=0, restored_at__isnull=False)
                | Q(restored__isnull=True, restored_at__isnull=True),
                name="restored_part_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.taken} − {self.restored}"


class PartnerDay(models.Model):
    """Running sums of accruals per partner, period and day of the trades (UTC), so that pages never add millions up.

    Kept by every statement that writes accruals, in the same transaction; `ib.rollup.differences` recomputes it.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="days", db_index=False)
    period = models.ForeignKey(SettlementPeriod, on_delete=models.PROTECT, related_name="days")
    day = models.DateField()
    currency = models.CharField(max_length=5)
    amount = models.DecimalField(max_digits=20, decimal_places=8, default=0)
    lots = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    trades = models.PositiveIntegerField(default=0, help_text=_("Paid rows"))
    unpaid = models.IntegerField(default=0, help_text=_("Unpaid rows; a correction may bring fewer"))

    class Meta:
        ordering = ["partner_id", "day"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "day", "period", "currency"], name="one_sum_per_partner_day_period_and_currency"
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.day}: {self.amount} {self.currency}"


class CappedDay(models.Model):
    """What a month's cap has to know of one of its days, so that a pass reads the lines of few days (`ib.calculation.caps`).

    In the version's currency. Kept with the lines of capped versions; a month without rows is counted from its lines.
    partner: 0 where the version's caps count all partners together.
    """

    partner = bulk_key(Partner)
    version = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    zone = models.CharField(max_length=40, help_text="The brand's time zone, whose days these are")
    amount = models.DecimalField(
        max_digits=20, decimal_places=8, help_text="Earned, less what goes beyond the day's cap"
    )
    low = models.DecimalField(
        max_digits=20, decimal_places=8, help_text="The least that the sum was in between, 0 at most"
    )
    high = models.DecimalField(max_digits=20, decimal_places=8, help_text="The most that the sum was in between")
    revenue = models.DecimalField(max_digits=20, decimal_places=8, help_text="What the broker earned on the trades")

    class Meta:
        ordering = ["partner_id", "version_id", "day"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "version", "day"], name="one_capped_day_per_partner_and_version"
            ),
            models.CheckConstraint(
                condition=Q(low__lte=0, high__gte=0, amount__gte=F("low"), amount__lte=F("high")),
                name="capped_day_lies_between_its_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} {self.day}: {self.amount}"
