"""Account types a brand offers, clients' trading accounts, and how their equity went."""

from __future__ import annotations

from typing import Any, Final

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand
from trading.choices import ACCOUNT_TRANSITIONS, AccountKind, AccountState, Execution, MissingBecause
from trading.models.past import keep_past
from trading.models.servers import TradingServer

MONEY: dict[str, Any] = {"max_digits": 20, "decimal_places": 8}


class AccountType(models.Model):
    """What a brand offers: a group on a server with its currency, leverages, minimum deposit and KYC level."""

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="account_types")
    name = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=AccountKind.choices, default=AccountKind.RETAIL)
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="account_types")
    group = models.CharField(max_length=120, help_text=_("Group on the platform, e.g. real\\standard-EUR"))
    currency = models.CharField(max_length=5)
    leverages = ArrayField(models.PositiveIntegerField(), default=list, help_text=_("1:n, ascending"))
    default_leverage = models.PositiveIntegerField(default=30)
    min_deposit = models.DecimalField(**MONEY, default=0)
    spread_from = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, blank=True, help_text=_("Lowest spread in pips; empty: not shown")
    )
    commission_per_lot = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Per lot, opened and closed; empty: not shown"),
    )
    execution = models.CharField(max_length=8, choices=Execution.choices, blank=True)
    is_swap_free = models.BooleanField(default=False)
    kyc_level = models.PositiveSmallIntegerField(default=1, help_text=_("Minimum KYC level of the client"))
    countries = ArrayField(
        models.CharField(max_length=2),
        default=list,
        blank=True,
        help_text=_("Countries where it's offered; empty for all"),
    )
    excluded_countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    is_default = models.BooleanField(default=False, help_text=_("Opened automatically when a client is verified"))
    is_demo = models.BooleanField(default=False)
    is_enabled = models.BooleanField(default=True)
    asks_for_passwords = models.BooleanField(
        default=False, help_text=_("Requests for a new trading password are reviewed by a person")
    )
    position = models.PositiveSmallIntegerField(default=0)
    history = HistoricalRecords()

    class Meta:
        ordering = ["brand_id", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["brand", "name", "currency"], name="account_type_is_unique_in_its_brand"),
            models.UniqueConstraint(
                fields=["brand"], condition=Q(is_default=True), name="one_default_account_type_per_brand"
            ),
            models.CheckConstraint(
                condition=Q(default_leverage__gte=1, default_leverage__lte=500), name="default_leverage_is_1_to_500"
            ),
            models.CheckConstraint(condition=Q(min_deposit__gte=0), name="minimum_deposit_is_not_negative"),
            models.CheckConstraint(
                condition=(Q(spread_from=None) | Q(spread_from__gte=0))
                & (Q(commission_per_lot=None) | Q(commission_per_lot__gte=0)),
                name="conditions_of_a_type_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(is_demo=True, kind="demo") | (Q(is_demo=False) & ~Q(kind="demo")),
                name="account_type_of_kind_demo_is_demo",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.currency}"

    @property
    def ladder(self) -> list[int]:
        """Leverages that this type offers, ascending; caps come on top (`trading.leverage.caps`)."""
        return sorted({*self.leverages, self.default_leverage})

    def is_offered_in(self, country: str) -> bool:
        return country not in self.excluded_countries and (not self.countries or country in self.countries)


# The platform's right to trade isn't known to be what it should be.
RIGHTS_IN_WORK: Final = ~Q(trading_wanted=F("trading_applied")) | Q(trading_sent_at__isnull=False)


class TradingAccount(HasState):
    """A client's account on a platform. The row is the intent first; the platform's account follows.

    Amounts are in `currency` as the platform last reported; `equity_base` is equity in the brand's base currency.
    """

    TRANSITIONS = {"state": ACCOUNT_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="trading_accounts", db_index=False)
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="accounts")
    account_type = models.ForeignKey(AccountType, on_delete=models.PROTECT, related_name="accounts", null=True)
    login = models.CharField(max_length=32, blank=True)
    group = models.CharField(max_length=120)
    currency = models.CharField(max_length=5)
    leverage = models.PositiveIntegerField()
    is_demo = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=AccountState.choices, default=AccountState.REQUESTED)
    request_key = models.CharField(max_length=60, help_text=_("Repeated requests with the same key create one account"))
    error = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    password_set_at = models.DateTimeField(
        null=True, help_text=_("Last set from Keelson; the password itself isn't stored")
    )
    # A restriction on the client stops trading on the platform, too: wanted first, applied when the platform has done it.
    trading_wanted = models.BooleanField(default=True)
    trading_applied = models.BooleanField(default=True)
    # Sent to the platform, which hasn't confirmed it: looked up there before it is sent again.
    trading_sent_at = models.DateTimeField(null=True)
    # For good, whatever restrictions say: a challenge's account whose phase has ended.
    trading_ended_at = models.DateTimeField(null=True)
    trading_paused_at = models.DateTimeField(null=True)
    missing_since = models.DateTimeField(null=True, help_text=_("No longer listed by the platform"))
    missing_because = models.CharField(max_length=8, choices=MissingBecause.choices, blank=True)
    imported_at = models.DateTimeField(
        null=True, help_text=_("Imported from the platform; earlier money movements aren't in the ledger")
    )
    history_due_at = models.DateTimeField(null=True, help_text=_("The deal history is still to be read"))
    # Changes from here are sent to the platform a moment before they are saved; what is read meanwhile is no dealer's.
    told_at = models.DateTimeField(null=True)
    allowed = ArrayField(
        models.CharField(max_length=20),
        null=True,
        help_text=_("Rights as last reported by the platform; see platforms.base"),
    )

    balance = models.DecimalField(**MONEY, default=0)
    credit = models.DecimalField(**MONEY, default=0)
    floating = models.DecimalField(**MONEY, default=0)
    equity = models.DecimalField(**MONEY, default=0)
    margin = models.DecimalField(**MONEY, default=0)
    margin_free = models.DecimalField(**MONEY, default=0)
    margin_level = models.DecimalField(
        max_digits=14, decimal_places=2, default=0, help_text=_("Percent; 0 without margin")
    )
    equity_base = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    last_trade_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("open_account", "May open trading accounts for clients"),
            ("change_leverage", "May change an account's leverage"),
            ("reset_password", "May set a new platform password for a client"),
            ("archive_account", "May close an account without the client's wish, and open it again"),
            ("import_accounts", "May take over accounts that are on a platform already"),
            ("view_deal_list", "May see deals, positions and exposure"),
        ]
        triggers = [
            keep_past(
                "account_group_is_kept",
                "trading_pastaccountgroup",
                "account_id",
                "group",
                condition=pgtrigger.Q(old__group__df=pgtrigger.F("new__group")),
            )
        ]
        constraints = [
            # no `unique=True`, whose second index for LIKE every change of equity would write
            models.UniqueConstraint(fields=["request_key"], name="a_wish_makes_one_account"),
            models.UniqueConstraint(
                fields=["server", "login"], condition=~Q(login=""), name="login_is_unique_on_its_server"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["open", "archived"]) | (~Q(login="") & Q(opened_at__isnull=False)),
                name="open_account_has_login_and_date",
            ),
            models.CheckConstraint(
                condition=Q(missing_since__isnull=True, missing_because="")
                | (Q(missing_since__isnull=False) & ~Q(missing_because="")),
                name="missing_account_says_why",
            ),
            models.CheckConstraint(condition=Q(leverage__gte=1, leverage__lte=500), name="leverage_is_1_to_500"),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="accounts_by_client"),
            models.Index(fields=["state", "next_try_at"], name="accounts_in_work", condition=~Q(state="open")),
            models.Index(fields=["next_try_at"], name="accounts_rights_in_work", condition=RIGHTS_IN_WORK),
            models.Index(F("equity_base").desc(), F("id").desc(), name="accounts_by_equity"),
            models.Index(fields=["margin_level", "id"], name="accounts_by_margin_level", condition=Q(margin__gt=0)),
            models.Index(fields=["server"], name="accounts_missing", condition=Q(missing_since__isnull=False)),
            models.Index(
                fields=["history_due_at"], name="accounts_history_due", condition=Q(history_due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server} {self.login or '…'}"

    @property
    def presence(self) -> MissingBecause | str:
        """Why the platform no longer lists it; empty while it does."""
        return MissingBecause(self.missing_because) if self.missing_because else ""


class AccountChange(models.Model):
    """What a dealer changed on the platform itself, as it was read back. Never changed, only added."""

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="changes", db_index=False)
    at = models.DateTimeField(help_text=_("When it was seen"))
    before = models.JSONField(help_text="group, leverage, allowed")
    after = models.JSONField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "-id"], name="changes_of_an_account")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at:%Y-%m-%d %H:%M}"


class EquityPoint(models.Model):
    """Equity and balance at the end of an hour, for the curve on the account's page."""

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="equity_points", db_index=False)
    at = models.DateTimeField(help_text=_("Start of the hour"))
    balance = models.DecimalField(**MONEY)
    equity = models.DecimalField(**MONEY)

    class Meta:
        ordering = ["account_id", "at"]
        constraints = [models.UniqueConstraint(fields=["account", "at"], name="one_equity_point_per_account_and_hour")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at:%Y-%m-%d %H:%M}"
