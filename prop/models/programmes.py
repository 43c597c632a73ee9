"""Programmes: versions that never change once they were on sale, their phases, sizes and prices, and coupons."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper

from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.approvals import ApprovalMixin
from prop.choices import VERSION_TRANSITIONS, LossBy, MaxLoss, VersionState
from trading.models import AccountType

MONEY: Final[dict[str, Any]] = {"max_digits": 16, "decimal_places": 2}
PERCENT: Final[dict[str, Any]] = {"max_digits": 5, "decimal_places": 2}
HUNDRED = Decimal(100)


class Programme(models.Model):
    """A challenge that a brand sells. What it asks and costs is in its versions."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="programmes")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand_id", "name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="programme_name_is_unique_in_its_brand")]
        permissions = [
            ("write_programme", "May write programmes of challenges and propose their publication"),
            ("publish_programme", "May publish programmes of challenges that somebody else proposed"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/prop/programmes/{self.pk}/"


PUBLISHED_STAYS = """
IF TG_OP = 'DELETE' THEN
  IF OLD.state <> 'draft' THEN RAISE EXCEPTION 'only a draft of a programme can be deleted'; END IF;
  RETURN OLD;
END IF;
IF OLD.state <> 'draft' AND to_jsonb(OLD) - 'state' - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'state' - 'ends_at' THEN
  RAISE EXCEPTION 'a version that was on sale never changes: write a new version';
END IF;
RETURN NEW;
"""
TERMS_STAY = """
IF EXISTS (SELECT 1 FROM prop_programmeversion v WHERE v.state <> 'draft'
           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,
                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN
  RAISE EXCEPTION 'phases and prices of a version change only while it is a draft';
END IF;
RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
"""


def terms_stay(name: str) -> pgtrigger.Trigger:
    """Declare the trigger that refuses changes to the terms of a version which is no draft."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.Before,
        func=TERMS_STAY,
    )


class ProgrammeVersion(HasState):
    """What a programme asks and costs. A draft until another person publishes it, then immutable; who bought it keeps it."""

    TRANSITIONS = {"state": VERSION_TRANSITIONS}

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=9, choices=VersionState.choices, default=VersionState.DRAFT)
    currency = models.CharField(max_length=5)
    refunds_fee = models.BooleanField(default=True, help_text="The fee is refunded with the first payout")
    payout_days = models.PositiveSmallIntegerField(default=14, help_text="Days between payouts")
    payout_minimum = models.DecimalField(**MONEY, default=0, help_text="Least profit that is paid out")
    account_type = models.ForeignKey(
        AccountType, on_delete=models.PROTECT, related_name="+", help_text="Account type of the evaluation"
    )
    funded_account_type = models.ForeignKey(
        AccountType, on_delete=models.PROTECT, related_name="+", help_text="Account type once funded"
    )
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["programme_id", "-number"]
        default_permissions = ()
        triggers = [
            pgtrigger.Trigger(
                name="published_programme_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=PUBLISHED_STAYS,
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["programme", "number"], name="programme_version_number_is_unique"),
            models.UniqueConstraint(
                fields=["programme"], condition=Q(state="published"), name="one_version_of_a_programme_is_on_sale"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", published_at__isnull=True, ends_at__isnull=True)
                | Q(state="published", published_at__isnull=False, ends_at__isnull=True)
                | Q(state="retired", published_at__isnull=False, ends_at__isnull=False),
                name="programme_version_says_when_it_was_on_sale",
            ),
            models.CheckConstraint(condition=Q(payout_days__gte=1, payout_days__lte=90), name="payouts_are_regular"),
            models.CheckConstraint(condition=Q(payout_minimum__gte=0), name="payout_minimum_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.programme}, {self.number}"


class ProgrammeSize(models.Model):
    """An account size of a version with its fee, and the price of a reset (none: can't be reset)."""

    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="sizes")
    balance = models.DecimalField(**MONEY)
    fee = models.DecimalField(**MONEY)
    reset_fee = models.DecimalField(**MONEY, null=True)

    class Meta:
        ordering = ["version_id", "balance"]
        default_permissions = ()
        triggers = [terms_stay("programme_sizes_stay")]
        constraints = [
            models.UniqueConstraint(fields=["version", "balance"], name="one_fee_per_size"),
            models.CheckConstraint(
                condition=Q(balance__gt=0, fee__gt=0) & (Q(reset_fee__isnull=True) | Q(reset_fee__gt=0)),
                name="programme_size_costs_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.balance} for {self.fee}"


class ProgrammePhase(models.Model):
    """The rules of one phase. Percentages are of the starting balance; the last phase is the funded account, without a target."""

    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="phases")
    number = models.PositiveSmallIntegerField()
    is_funded = models.BooleanField(default=False)
    target = models.DecimalField(**PERCENT, null=True)
    daily_loss = models.DecimalField(**PERCENT, null=True)
    daily_loss_by = models.CharField(max_length=7, choices=LossBy.choices, default=LossBy.BALANCE)
    max_loss = models.DecimalField(**PERCENT)
    max_loss_kind = models.CharField(max_length=16, choices=MaxLoss.choices, default=MaxLoss.STATIC)
    locks_at_start = models.BooleanField(default=False, help_text="A trailing floor stops at the starting balance")
    min_days = models.PositiveSmallIntegerField(default=0, help_text="Days with a trade")
    max_days = models.PositiveSmallIntegerField(null=True)
    inactive_days = models.PositiveSmallIntegerField(null=True)
    consistency = models.DecimalField(**PERCENT, null=True, help_text="The best day's share of the profit at most")
    news_minutes = models.PositiveSmallIntegerField(null=True, help_text="Minutes before and after news")
    holds_weekend = models.BooleanField(default=True)
    max_lots = models.DecimalField(max_digits=10, decimal_places=2, null=True)
    leverage = models.PositiveIntegerField(null=True)
    forbidden_styles = ArrayField(models.CharField(max_length=12), default=list, help_text="Codes of apps above")
    split = models.DecimalField(**PERCENT, null=True, help_text="Part of the profit that is paid out")
    scaling_profit = models.DecimalField(**PERCENT, null=True)
    scaling_growth = models.DecimalField(**PERCENT, null=True)
    scaling_payouts = models.PositiveSmallIntegerField(default=0, help_text="Payouts since the last step")
    scaling_days = models.PositiveSmallIntegerField(default=0, help_text="Days since the last step")
    scaling_split = models.DecimalField(**PERCENT, null=True, help_text="The split from the first step on")

    class Meta:
        ordering = ["version_id", "number"]
        default_permissions = ()
        triggers = [terms_stay("programme_phases_stay")]
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="one_phase_per_number"),
            models.UniqueConstraint(fields=["version"], condition=Q(is_funded=True), name="one_phase_is_funded"),
            models.CheckConstraint(
                condition=Q(is_funded=True, target__isnull=True, split__isnull=False, split__gt=0, split__lte=HUNDRED)
                | Q(is_funded=False, target__isnull=False, target__gt=0, target__lte=HUNDRED, split__isnull=True),
                name="evaluation_has_a_target_and_funding_a_split",
            ),
            models.CheckConstraint(
                condition=Q(max_loss__gt=0, max_loss__lte=HUNDRED)
                & (Q(daily_loss__isnull=True) | Q(daily_loss__gt=0, daily_loss__lte=HUNDRED)),
                name="phase_losses_are_percentages",
            ),
            models.CheckConstraint(
                condition=Q(locks_at_start=False) | ~Q(max_loss_kind="static"), name="only_a_trailing_floor_locks"
            ),
            models.CheckConstraint(
                condition=Q(max_days__isnull=True) | Q(max_days__gte=models.F("min_days")) & Q(max_days__gte=1),
                name="phase_leaves_enough_days",
            ),
            models.CheckConstraint(
                condition=Q(
                    scaling_profit__isnull=True,
                    scaling_growth__isnull=True,
                    scaling_split__isnull=True,
                    scaling_payouts=0,
                    scaling_days=0,
                )
                | Q(
                    is_funded=True,
                    scaling_profit__isnull=False,
                    scaling_growth__isnull=False,
                    scaling_profit__gt=0,
                    scaling_growth__gt=0,
                ),
                name="scaling_is_whole_or_absent",
            ),
            models.CheckConstraint(
                condition=Q(scaling_split__isnull=True)
                | Q(split__isnull=False, scaling_split__gte=models.F("split"), scaling_split__lte=HUNDRED),
                name="scaling_never_lowers_the_split",
            ),
        ]

    def __str__(self) -> str:
        return f"phase {self.number}"


class PublishProposal(ApprovalMixin):
    """A draft that somebody wants to put on sale; another person publishes it."""

    version = models.ForeignKey(ProgrammeVersion, on_delete=models.PROTECT, related_name="proposals")

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            *ApprovalMixin.constraints("programme_publication"),
            ApprovalMixin.one_open("version", name="one_open_publication_per_version"),
        ]

    def __str__(self) -> str:
        return f"publish {self.version_id}"


class Coupon(models.Model):
    """A discount that a code gives, so many times and until a day."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.CharField(max_length=24)
    percent = models.DecimalField(**PERCENT)
    uses_max = models.PositiveIntegerField()
    uses = models.PositiveIntegerField(default=0)
    valid_until = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint("brand", Upper("code"), name="coupon_code_is_unique_in_its_brand"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lt=HUNDRED), name="coupon_leaves_something_to_pay"
            ),
            models.CheckConstraint(
                condition=Q(uses__lte=models.F("uses_max")), name="coupon_is_used_no_more_than_allowed"
            ),
        ]

    def __str__(self) -> str:
        return self.code
