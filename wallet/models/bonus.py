"""Bonuses: credit that belongs to the client's margin but can't be withdrawn until it is released."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client, Segment
from crm.db.states import HasState
from crm.models import Brand, User
from crm.models.audit import append_only
from crm.money.amounts import from_minor
from wallet.choices.bonuses import BONUS_NOT_GIVEN, BONUS_TRANSITIONS, BonusState, BonusTrigger, OnWithdrawal, ReleaseBy
from wallet.models.ledger import Account
from wallet.models.payments import AmountMixin, BaseAmountField, Deposit


class BonusPlan(models.Model):
    """A campaign of a brand. Its terms are in its dated rules."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="bonus_plans")
    name = models.CharField(max_length=60)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand_id", "name"]
        permissions = [("manage_bonus", "May write bonus plans")]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="each_bonus_plan_of_a_brand_once")]

    def __str__(self) -> str:
        return self.name


class BonusRule(models.Model):
    """A plan's terms from a day on. Never changed: a later row replaces it (of one day, the one written last).

    Limits are in minor units of the brand's base currency.
    """

    plan = models.ForeignKey(BonusPlan, on_delete=models.PROTECT, related_name="rules")
    valid_from = models.DateField()
    trigger = models.CharField(max_length=14, choices=BonusTrigger.choices, default=BonusTrigger.BY_HAND)
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, default=0, help_text=_("Per cent of the deposit; 0 if staff enter the amount")
    )
    maximum_minor = models.BigIntegerField(help_text=_("Maximum per client under this plan"))
    deposit_minimum_minor = models.BigIntegerField(default=0)
    segment = models.ForeignKey(
        Segment,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text=_("Only for clients in this segment; empty: for all"),
    )
    release_by = models.CharField(max_length=6, choices=ReleaseBy.choices, default=ReleaseBy.LOTS)
    lots_per_hundred = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        help_text=_("Closed lots that release 100 units of the base currency"),
    )
    release_days = models.PositiveSmallIntegerField(null=True)
    expires_days = models.PositiveSmallIntegerField(null=True, help_text=_("Anything not released by then expires"))
    on_withdrawal = models.CharField(max_length=14, choices=OnWithdrawal.choices, default=OnWithdrawal.PROPORTIONAL)
    four_eyes_minor = models.BigIntegerField(default=10_000, help_text=_("Amounts above this need a second approval"))
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["plan_id", "-valid_from", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(maximum_minor__gt=0, deposit_minimum_minor__gte=0, four_eyes_minor__gte=0),
                name="bonus_rule_limits_are_sane",
            ),
            models.CheckConstraint(
                condition=Q(trigger=BonusTrigger.BY_HAND) | Q(percent__gt=0, percent__lte=200),
                name="bonus_on_deposit_has_a_percentage",
            ),
            models.CheckConstraint(
                condition=Q(release_by=ReleaseBy.LOTS, lots_per_hundred__gt=0, lots_per_hundred__isnull=False)
                | Q(release_by=ReleaseBy.DAYS, release_days__gt=0, release_days__isnull=False)
                | Q(release_by=ReleaseBy.NEVER),
                name="bonus_rule_says_how_it_is_released",
            ),
        ]
        triggers = append_only("bonusrule")

    def __str__(self) -> str:
        return f"{self.plan} ({self.valid_from})"


class BonusGrant(HasState, AmountMixin):
    """One bonus of one client: its amount, how much of it was released, how much was lost."""

    TRANSITIONS = {"state": BONUS_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="bonuses", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    rule = models.ForeignKey(BonusRule, on_delete=models.PROTECT, related_name="grants")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True)
    request_key = models.CharField(max_length=80)
    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, null=True, related_name="bonuses")
    state = models.CharField(max_length=10, choices=BonusState.choices, default=BonusState.PENDING)
    base_amount = BaseAmountField(help_text=_("In the brand's base currency at the day's rate; used for limits"))
    released_minor = models.BigIntegerField(default=0)
    burned_minor = models.BigIntegerField(default=0)
    needs_second = models.BooleanField(default=False)
    lots_needed = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    lots_traded = models.DecimalField(max_digits=18, decimal_places=8, default=0)
    lots_from = models.DateTimeField(
        null=True, help_text=_("Lots count from this time; each lot counts towards one bonus only")
    )
    release_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    end_reason = models.CharField(max_length=300, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    granted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("grant_bonus", "May give a client a bonus"),
            ("approve_bonus", "May approve a bonus above the limit, and take one away"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="bonus_is_positive"),
            models.CheckConstraint(
                condition=Q(released_minor__gte=0, burned_minor__gte=0)
                & Q(amount_minor__gte=F("released_minor") + F("burned_minor")),
                name="bonus_gives_no_more_than_it_has",
            ),
            models.CheckConstraint(
                condition=Q(state=BonusState.ACTIVE) & Q(amount_minor__gt=F("released_minor") + F("burned_minor"))
                | Q(state__in=[BonusState.RELEASED, BonusState.BURNED, BonusState.EXPIRED])
                & Q(amount_minor=F("released_minor") + F("burned_minor"))
                | Q(state__in=BONUS_NOT_GIVEN, released_minor=0, burned_minor=0),
                name="bonus_is_active_while_something_is_held",
            ),
            models.CheckConstraint(
                condition=Q(state__in=BONUS_NOT_GIVEN) | Q(granted_at__isnull=False), name="held_bonus_was_granted"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | Q(requested_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="bonus_approver_is_not_requester",
            ),
            models.CheckConstraint(
                condition=Q(needs_second=False) | Q(state__in=BONUS_NOT_GIVEN) | Q(decided_by__isnull=False),
                name="bonus_above_the_limit_had_four_eyes",
            ),
            models.UniqueConstraint(fields=["client", "request_key"], name="one_bonus_per_request"),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="bonuses_by_client"),
            models.Index(fields=["brand", "-id"], name="bonuses_by_brand"),
            models.Index(fields=["client", "id"], name="bonuses_held", condition=Q(state=BonusState.ACTIVE)),
            models.Index(fields=["release_at"], name="bonuses_to_release", condition=Q(state=BonusState.ACTIVE)),
            models.Index(fields=["expires_at"], name="bonuses_to_expire", condition=Q(state=BonusState.ACTIVE)),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def held_minor(self) -> int:
        """What is credit still, in minor units."""
        granted = self.state not in BONUS_NOT_GIVEN
        return self.amount_minor - self.released_minor - self.burned_minor if granted else 0

    @property
    def held(self) -> Decimal:
        return from_minor(self.held_minor, self.currency)

    @property
    def released(self) -> Decimal:
        return from_minor(self.released_minor, self.currency)

    @property
    def burned(self) -> Decimal:
        return from_minor(self.burned_minor, self.currency)

    @property
    def lots_left(self) -> Decimal:
        return max((self.lots_needed or Decimal(0)) - self.lots_traded, Decimal(0))
