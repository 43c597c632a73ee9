"""Commission plans: versions that never change once active, their rates per symbol group and level, and who has which."""

from __future__ import annotations

from decimal import Decimal

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.dated import dated_once, ends_after_start
from crm.db.states import HasState
from crm.models import Brand, User
from ib.choices import (
    BESIDE_TRADES,
    SHARES_OF_MONEY,
    TRADE_COMPONENTS,
    VERSION_TRANSITIONS,
    Component,
    ExcludedTrade,
    Network,
    SharedWith,
    TierBasis,
    VersionState,
)
from ib.models.agreed_names import AgreedNames
from ib.models.partners import Partner, ReferralLink, history_stays
from trading.choices import PlatformKind, SymbolGroup


class Plan(models.Model):
    """A rate card's name. What it pays, and how its holder is paid for partners below, is in its versions."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="commission_plans")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    # What makes it a level that partners can reach; without either it is no level.
    entry_lots = models.DecimalField(max_digits=12, decimal_places=2, null=True, help_text="In the last 30 days")
    entry_clients = models.PositiveIntegerField(null=True, help_text="Clients who traded in the last 30 days")
    is_for_sub_partners = models.BooleanField(default=False, help_text="Partners may offer it to sub-partners")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["brand_id", "name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="plan_name_is_unique_in_its_brand")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/ib/plans/{self.pk}/"


ACTIVE_STAYS = """
IF TG_OP = 'DELETE' THEN
  IF OLD.state <> 'draft' THEN RAISE EXCEPTION 'only a draft of a plan can be deleted'; END IF;
  RETURN OLD;
END IF;
IF OLD.state = 'rejected' OR (OLD.state = 'active' AND (OLD.ends_at IS NOT NULL
   OR to_jsonb(OLD) - 'ends_at' IS DISTINCT FROM to_jsonb(NEW) - 'ends_at')) THEN
  RAISE EXCEPTION 'an active plan version never changes: write a new version';
END IF;
RETURN NEW;
"""
RATES_STAY = """
IF EXISTS (SELECT 1 FROM ib_planversion v WHERE v.state <> 'draft'
           AND v.id IN (CASE WHEN TG_OP <> 'INSERT' THEN OLD.version_id END,
                        CASE WHEN TG_OP <> 'DELETE' THEN NEW.version_id END)) THEN
  RAISE EXCEPTION 'the rates of a plan version change only while it is a draft';
END IF;
RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
"""


def rates_stay(name: str) -> pgtrigger.Trigger:
    """Declare the trigger that refuses changes to the rates of a version which is no draft."""
    return pgtrigger.Trigger(
        name=name,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
        when=pgtrigger.Before,
        func=RATES_STAY,
    )


# What is paid per client, across their accounts, never goes with an agreement by platform or account type. Both sides take the
# plan's lock, so that neither misses the other's row.
_BESIDE = tuple(map(str, BESIDE_TRADES))
PAID_PER_CLIENT = f"""(EXISTS (SELECT 1 FROM ib_plancpa k WHERE k.version_id = {{version}})
    OR EXISTS (SELECT 1 FROM ib_plancomponent k WHERE k.version_id = {{version}} AND k.component IN {_BESIDE}))"""  # noqa: S608
REFUSE_MISFIT = """RAISE EXCEPTION 'what is paid per client cannot be limited to a platform or account type'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_of_trades_pays_per_trade';"""
REFUSE_MISFIT_OF_AGREEMENT = f"""
PERFORM pg_advisory_xact_lock(hashtext('ib.plan'), NEW.plan_id::integer);
IF EXISTS (
  SELECT 1 FROM ib_planversion v WHERE v.plan_id = NEW.plan_id AND v.state = 'active'
    AND tstzrange(v.starts_at, v.ends_at) && tstzrange(NEW.starts_at, NEW.ends_at) AND {PAID_PER_CLIENT.format(version="v.id")}
) THEN
  {REFUSE_MISFIT}
END IF;
RETURN NULL;
"""  # noqa: S608
REFUSE_MISFIT_OF_VERSION = f"""
IF {PAID_PER_CLIENT.format(version="NEW.id")} THEN
  PERFORM pg_advisory_xact_lock(hashtext('ib.plan'), NEW.plan_id::integer);
  IF EXISTS (
    SELECT 1 FROM ib_partnerplan h WHERE h.plan_id = NEW.plan_id AND (h.platforms <> '{{}}' OR h.account_groups <> '{{}}')
      AND tstzrange(h.starts_at, h.ends_at) && tstzrange(NEW.starts_at, NEW.ends_at)
  ) THEN
    {REFUSE_MISFIT}
  END IF;
END IF;
RETURN NULL;
"""  # noqa: S608


class PlanVersion(HasState):
    """What a plan pays in a stretch of time. Written as a draft by one person, activated by another, then immutable."""

    TRANSITIONS = {"state": VERSION_TRANSITIONS}

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=VersionState.choices, default=VersionState.DRAFT)
    starts_at = models.DateTimeField(help_text=_("Applies to trades closed from this time on"))
    ends_at = models.DateTimeField(null=True, blank=True)
    currency = models.CharField(max_length=5, help_text=_("Rate currency"))
    min_hold_seconds = models.PositiveIntegerField(default=180, help_text=_("No commission on shorter trades"))
    account_groups = ArrayField(
        models.CharField(max_length=64),
        default=list,
        blank=True,
        help_text=_("Eligible platform groups, e.g. real\\standard*. Leave empty for all"),
    )
    is_pool = models.BooleanField(
        default=True, help_text=_("The rate of a symbol group is shared: all levels together can't exceed it")
    )
    clawback_days = models.PositiveSmallIntegerField(
        default=90, help_text=_("Days of commissions clawed back after a reversed deposit; 0 for none")
    )
    network = models.CharField(
        max_length=10,
        choices=Network.choices,
        default=Network.INTRODUCER,
        help_text=_("Pay for clients of sub-partners"),
    )
    min_pips = models.DecimalField(
        max_digits=8, decimal_places=1, default=0, help_text=_("No commission where the price moved less")
    )
    excluded_symbols = ArrayField(
        models.CharField(max_length=32), default=list, blank=True, help_text=_("No commission on these, e.g. BTC*")
    )
    excluded_countries = ArrayField(
        models.CharField(max_length=2), default=list, blank=True, help_text=_("No commission on clients from these")
    )
    excluded_accounts = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, help_text="No commission on these platform groups"
    )
    excluded_shared = ArrayField(
        models.CharField(max_length=10, choices=SharedWith.choices),
        default=list,
        blank=True,
        help_text="No commission on clients with whom the partner shares these",
    )
    excluded_trades = ArrayField(
        models.CharField(max_length=20, choices=ExcludedTrade.choices),
        default=list,
        blank=True,
        help_text="No commission on trades that are one of these",
    )
    # The most that a partner, or all together, earn by the version, in its currency, by the brand's calendar.
    cap_day = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    cap_month = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    # The same as a percentage of the month's revenue from the trades it is earned on; what counts as mark-up in it.
    cap_revenue = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True, help_text="Per cent")
    # Whether these three count all partners together, as one pool, or each partner apart.
    is_capped_together = models.BooleanField(default=False)
    # All levels together, of what the broker earned on the trade.
    cap_upline = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True, help_text="Per cent")
    markup_pips = models.DecimalField(max_digits=8, decimal_places=3, default=0)
    passed_percent = models.DecimalField(
        max_digits=5, decimal_places=2, default=0, help_text="Part of the rebates of level 1 that goes to the client"
    )
    passed_per_lot = models.DecimalField(
        max_digits=16,
        decimal_places=8,
        default=0,
        help_text="Money per lot of level 1's rebate per lot that goes to the client, in place of a percentage",
    )
    # Of shares of net revenue: whether a client's negative month takes from what the partner earns otherwise, or pays nothing.
    carries_negative = models.BooleanField(default=True)
    # How a partner's rank among the version's tiers is decided, each month.
    tier_basis = models.CharField(max_length=8, choices=TierBasis.choices, default=TierBasis.OWN)
    tier_months = models.PositiveSmallIntegerField(default=1, help_text="Full months whose volume counts")
    tier_grace = models.PositiveSmallIntegerField(default=0, help_text="Months below a rank before it is lost")
    note = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["plan_id", "-number"]
        triggers = [
            pgtrigger.Trigger(
                name="active_plan_version_stays",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=ACTIVE_STAYS,
            ),
            pgtrigger.Trigger(
                name="version_fits_agreements_of_trades",
                operation=pgtrigger.Insert | pgtrigger.Update,
                when=pgtrigger.After,
                condition=pgtrigger.Q(new__state="active", new__ends_at__isnull=True),
                func=REFUSE_MISFIT_OF_VERSION,
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plan_version_number_is_unique"),
            ends_after_start("plan_version_ends_after_it_starts"),
            dated_once("one_active_plan_version_at_a_time", "plan", condition=Q(state="active")),
            models.CheckConstraint(condition=Q(min_pips__gte=0), name="least_pips_are_not_negative"),
            models.CheckConstraint(
                condition=(Q(cap_day__isnull=True) | Q(cap_day__gt=0))
                & (Q(cap_month__isnull=True) | Q(cap_month__gt=0)),
                name="most_per_day_and_month_are_positive",
            ),
            models.CheckConstraint(
                condition=Q(is_capped_together=False)
                | Q(cap_day__isnull=False)
                | Q(cap_month__isnull=False)
                | Q(cap_revenue__isnull=False),
                name="what_counts_together_has_a_cap",
            ),
            models.CheckConstraint(
                condition=Q(markup_pips__gte=0)
                & (Q(cap_revenue__isnull=True) | Q(cap_revenue__gt=0, cap_revenue__lte=100))
                & (Q(cap_upline__isnull=True) | Q(cap_upline__gt=0, cap_upline__lte=100)),
                name="most_of_the_revenue_is_a_percentage",
            ),
            models.CheckConstraint(
                condition=Q(passed_percent__gte=0, passed_percent__lte=100), name="passed_on_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(passed_per_lot=0) | Q(passed_per_lot__gt=0, passed_percent=0),
                name="passed_on_is_a_percentage_or_an_amount",
            ),
            models.CheckConstraint(
                condition=Q(tier_months__gte=1, tier_months__lte=12, tier_grace__lte=12),
                name="ranks_look_back_a_year_at_most",
            ),
            models.CheckConstraint(
                condition=~Q(decided_by=F("made_by")) | Q(decided_by__isnull=True),
                name="plan_is_decided_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["active", "rejected"]) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="decided_plan_version_says_who_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} v{self.number}"


class PlanRate(models.Model):
    """Money per closed lot of a symbol group: the pot that the levels share."""

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="rates")
    group = models.CharField(max_length=12, choices=SymbolGroup.choices)
    amount_per_lot = models.DecimalField(max_digits=16, decimal_places=8, validators=[MinValueValidator(0)])

    class Meta:
        ordering = ["version_id", "group"]
        triggers = [rates_stay("plan_rates_stay")]
        constraints = [
            models.UniqueConstraint(fields=["version", "group"], name="one_rate_per_symbol_group"),
            models.CheckConstraint(condition=Q(amount_per_lot__gte=0), name="plan_rate_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.group}: {self.amount_per_lot}"


class PlanLevel(models.Model):
    """The share of a level in the rate. Level 1 is the client's own partner, 2 the one above, and so on."""

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="levels")
    level = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    share = models.DecimalField(
        max_digits=9, decimal_places=8, validators=[MinValueValidator(0), MaxValueValidator(Decimal(1))]
    )

    class Meta:
        ordering = ["version_id", "level"]
        triggers = [rates_stay("plan_levels_stay")]
        constraints = [
            models.UniqueConstraint(fields=["version", "level"], name="one_share_per_level"),
            models.CheckConstraint(condition=Q(share__gte=0, share__lte=1), name="level_share_is_between_0_and_1"),
            models.CheckConstraint(condition=Q(level__gte=1), name="plan_level_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"level {self.level}: {self.share}"


class PlanOverride(models.Model):
    """A fixed amount per lot for one level in one symbol group, in place of rate × share."""

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="overrides")
    group = models.CharField(max_length=12, choices=SymbolGroup.choices)
    level = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    amount_per_lot = models.DecimalField(max_digits=16, decimal_places=8, validators=[MinValueValidator(0)])

    class Meta:
        ordering = ["version_id", "group", "level"]
        triggers = [rates_stay("plan_overrides_stay")]
        constraints = [
            models.UniqueConstraint(fields=["version", "group", "level"], name="one_override_per_group_and_level"),
            models.CheckConstraint(condition=Q(amount_per_lot__gte=0), name="plan_override_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.group} level {self.level}: {self.amount_per_lot}"


class PlanComponent(models.Model):
    """What a version pays beside its rates per symbol group, or in their place for a type of account.

    Where several rows of a component fit a trade, the one that names the account type (the longer mask) and then the symbol
    group counts. value: money per lot in the version's currency, pips, or the share of money (0 to 1). markup: pips that the broker
    adds to the spread, for a share of it. cap: the most that one trade pays, all levels together, in the version's currency.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="components")
    component = models.CharField(max_length=10, choices=TRADE_COMPONENTS)
    group = models.CharField(max_length=12, choices=SymbolGroup.choices, blank=True, help_text=_("Empty for all"))
    accounts = models.CharField(
        max_length=64, blank=True, help_text=_("Platform group, e.g. real\\raw*. Empty for all")
    )
    value = models.DecimalField(max_digits=16, decimal_places=8, validators=[MinValueValidator(0)])
    cap = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    markup = models.DecimalField(
        max_digits=8, decimal_places=3, null=True, blank=True, help_text=_("Mark-up on the spread, in pips")
    )

    class Meta:
        ordering = ["version_id", "component", "group", "accounts"]
        triggers = [rates_stay("plan_components_stay")]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "component", "group", "accounts"], name="one_component_per_group_and_accounts"
            ),
            models.CheckConstraint(
                condition=Q(value__gte=0) & (~Q(component__in=SHARES_OF_MONEY) | Q(value__lte=1)),
                name="plan_component_pays_what_there_is",
            ),
            models.CheckConstraint(
                condition=~Q(component__in=BESIDE_TRADES) | Q(group="", accounts=""),
                name="monthly_component_is_of_all_accounts",
            ),
            models.CheckConstraint(condition=Q(cap__isnull=True) | Q(cap__gt=0), name="plan_component_cap_is_positive"),
            models.CheckConstraint(
                condition=Q(component=Component.SPREAD, markup__isnull=False, markup__gt=0)
                | (~Q(component=Component.SPREAD) & Q(markup__isnull=True)),
                name="plan_component_of_a_spread_says_the_markup",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.component}: {self.value}"


class PlanCpa(models.Model):
    """What a version pays once for a client who qualifies: by country, with what they must have done and by when.

    amount: in the version's currency, shared by the levels. min_deposit: in the brand's currency. min_lots: closed volume in
    the broker's lots. The client qualifies with the first trade closed when both are met, within the days since the referral.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="cpa")
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True, help_text=_("Empty: all others"))
    amount = models.DecimalField(max_digits=16, decimal_places=8, validators=[MinValueValidator(0)])
    min_deposit = models.DecimalField(max_digits=16, decimal_places=2, default=0)
    min_lots = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    within_days = models.PositiveSmallIntegerField(default=90)

    class Meta:
        ordering = ["version_id", "id"]
        triggers = [rates_stay("plan_cpa_stays")]
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(countries=[]), name="one_cpa_for_all_other_countries"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount__gt=0, min_deposit__gte=0, min_lots__gte=0, within_days__gte=1, within_days__lte=365
                ),
                name="plan_cpa_pays_for_something",
            ),
        ]

    def __str__(self) -> str:
        return f"CPA {self.amount}"


class PlanTier(models.Model):
    """A rank that a plan's holder reaches by volume, and what it pays: a part of the version's rates, in all symbol groups.

    lots: closed in the broker's lots, in the version's full months together. factor: 1.2 pays 120 % of each rate per lot, fixed
    amount and component, but no more of a CPA. Below the first tier the rates count as they are.
    """

    version = models.ForeignKey(PlanVersion, on_delete=models.CASCADE, related_name="tiers")
    number = models.PositiveSmallIntegerField(validators=[MinValueValidator(1)])
    name = models.CharField(max_length=40)
    lots = models.DecimalField(max_digits=12, decimal_places=2)
    factor = models.DecimalField(max_digits=7, decimal_places=4)

    class Meta:
        ordering = ["version_id", "number"]
        triggers = [rates_stay("plan_tiers_stay")]
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="one_tier_per_number"),
            models.CheckConstraint(condition=Q(number__gte=1, lots__gt=0, factor__gt=0), name="plan_tier_is_reached"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.factor})"


class PartnerRank(models.Model):
    """Which tier of a plan a partner held, and when: one row per review of a month, from its first instant.

    lots: the volume that decided. missed: reviews in a row in which the volume was below the rank held. The row stays whatever
    is learnt of that volume later: a rank once decided is what the month's trades are paid by.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="ranks")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="ranks")
    tier = models.PositiveSmallIntegerField(help_text="0: none")
    lots = models.DecimalField(max_digits=18, decimal_places=8)
    missed = models.PositiveSmallIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["partner_id", "starts_at"]
        triggers = [history_stays("partner_rank_stays", "which rank a partner held")]
        constraints = [
            ends_after_start("partner_rank_ends_after_it_starts"),
            dated_once("a_partner_has_one_rank_at_a_time", "partner", "plan"),
        ]

    def __str__(self) -> str:
        return f"{self.partner_id} tier {self.tier}"


# The usual agreement comes after all that have a place of their own.
USUAL_PRIORITY = 100


class UsualPlans(models.Manager["PartnerPlan"]):
    """The agreements for all trades and clients of a partner that no other agreement takes."""

    def get_queryset(self) -> models.QuerySet[PartnerPlan]:
        return super().get_queryset().filter(link__isnull=True, client__isnull=True, priority=USUAL_PRIORITY)


class AgreementScope(models.Model):
    """Which trades and clients an agreement beside the usual one takes: all that is set must fit. Empty: the usual agreement.

    priority: its place among the partner's agreements of the time; the lowest that fits takes the trade.
    platforms, account_groups: of the account when the deal was executed; such a scope takes trades only, as a CPA and a client's
    month know neither. link_ids: the partner's referral links, of which their client followed one.
    """

    priority = models.PositiveSmallIntegerField(default=USUAL_PRIORITY)
    platforms = ArrayField(models.CharField(max_length=12, choices=PlatformKind.choices), default=list, blank=True)
    account_groups = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    link_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        abstract = True

    @classmethod
    def constraint(cls, name: str) -> models.CheckConstraint:
        """Declare that exactly agreements with a scope have a place of their own, and are for no single link or client."""
        everything = Q(platforms=[], account_groups=[], link_ids=[])
        return models.CheckConstraint(
            condition=(Q(priority=USUAL_PRIORITY) & everything)
            | (Q(priority__gte=1, priority__lt=USUAL_PRIORITY, link=None, client=None) & ~everything),
            name=name,
        )

    @property
    def is_of_trades(self) -> bool:
        """Whether it takes trades only, by what their accounts are."""
        return bool(self.platforms or self.account_groups)


RATIO_MOST = Decimal(200)


class PartnerPlan(AgreementScope, AgreedNames):
    """Which plan a partner's own clients are paid by, and when.

    An agreement for one client comes before one for the clients of a link, then those with a scope by their priority, then the
    partner's usual one.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="plans")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="partners")
    link = models.ForeignKey(ReferralLink, on_delete=models.PROTECT, null=True, blank=True, related_name="plans")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, blank=True, related_name="partner_plans")
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, default=100, help_text="Personal ratio: what it pays of the plan's rates"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = models.Manager["PartnerPlan"]()
    usual = UsualPlans()

    class Meta:
        ordering = ["partner_id", "starts_at"]
        triggers = [
            history_stays("partner_plan_stays", "which plan a partner had"),
            pgtrigger.Trigger(
                name="agreement_of_trades_fits_plan",
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                condition=~pgtrigger.Q(new__platforms=[], new__account_groups=[]),
                func=REFUSE_MISFIT_OF_AGREEMENT,
            ),
        ]
        constraints = [
            ends_after_start("partner_plan_ends_after_it_starts"),
            dated_once(
                "a_partner_has_one_plan_per_priority",
                "partner",
                "priority",
                condition=Q(link__isnull=True, client__isnull=True),
            ),
            AgreementScope.constraint("agreement_with_a_scope_has_its_place"),
            AgreedNames.names_constraint("agreement_shows_names_in_a_known_way"),
            dated_once("a_link_has_one_plan_at_a_time", "link", condition=Q(link__isnull=False)),
            dated_once(
                "a_referred_client_has_one_plan_at_a_time", "partner", "client", condition=Q(client__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(percent__gt=0, percent__lte=RATIO_MOST), name="personal_ratio_is_within_bounds"
            ),
            models.CheckConstraint(
                condition=Q(link__isnull=True) | Q(client__isnull=True), name="special_plan_is_for_a_link_or_a_client"
            ),
        ]
        indexes = [models.Index(fields=["plan", "ends_at"], name="partners_of_a_plan")]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.plan_id}"
