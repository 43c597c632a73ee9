"""Transfers between wallets and trading accounts, currency exchanges, and their quoted rates."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.models import Brand, User
from crm.money.amounts import Money
from wallet.choices.transfers import TRANSFER_TRANSITIONS, Direction, ExchangeState, QuoteFor, TransferState
from wallet.models.ledger import Account, Journal
from wallet.models.payments import AmountMixin

# A rate of an earlier day than one already quoted for the two currencies is a gift to whoever watches the market. How old a rate
# may be is the brand's policy (`wallet.transfers.quotes`); two weeks are more than any policy allows.
QUOTED_RATE = """
IF NEW.rate_on NOT BETWEEN (NEW.created_at AT TIME ZONE 'UTC')::date - 14 AND (NEW.created_at AT TIME ZONE 'UTC')::date THEN
  RAISE EXCEPTION 'quoted_rate_is_fresh: a rate of % can''t be promised on %', NEW.rate_on, NEW.created_at
    USING ERRCODE = 'check_violation', CONSTRAINT = 'quoted_rate_is_fresh';
END IF;
IF EXISTS (
  SELECT FROM wallet_quote WHERE rate_on > NEW.rate_on
    AND (given_currency, got_currency) IN ((NEW.given_currency, NEW.got_currency), (NEW.got_currency, NEW.given_currency))
) THEN
  RAISE EXCEPTION 'quoted_rate_is_never_older: a rate of a later day than % was promised for % and %',
    NEW.rate_on, NEW.given_currency, NEW.got_currency
    USING ERRCODE = 'check_violation', CONSTRAINT = 'quoted_rate_is_never_older';
END IF;
RETURN NEW;
"""
ONE_MONEY = [("USD", "USC"), ("EUR", "EUC"), ("GBP", "GBC")]
BETWEEN_ONE_MONEY = Q(
    *(
        Q(given_currency=one, got_currency=other)
        for whole, cents in ONE_MONEY
        for one, other in ((whole, cents), (cents, whole))
    ),
    _connector=Q.OR,
)


class Quote(models.Model):
    """A rate quoted to a client for one amount and a short time. It is used once: by one exchange or one transfer."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="quotes", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    purpose = models.CharField(max_length=12, choices=QuoteFor.choices)
    trading_account_id = models.BigIntegerField(null=True, help_text=_("For transfers"))
    given_minor = models.BigIntegerField()
    given_currency = models.CharField(max_length=5)
    got_minor = models.BigIntegerField()
    got_currency = models.CharField(max_length=5)
    rate = models.DecimalField(
        max_digits=24, decimal_places=12, help_text=_("Units received per unit given, markup included")
    )
    rate_on = models.DateField(help_text=_("Day of the reference rate"))
    markup_basis_points = models.PositiveIntegerField(default=0)
    base_minor = models.BigIntegerField(
        null=True, help_text=_("Amount given in the brand's base currency; used for limits")
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(given_minor__gt=0, got_minor__gt=0), name="quote_is_positive"),
            models.CheckConstraint(condition=~Q(given_currency=F("got_currency")), name="quote_is_of_two_currencies"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="quote_lives_a_while"),
            models.CheckConstraint(
                condition=Q(purpose=QuoteFor.EXCHANGE, trading_account_id__isnull=True)
                | (~Q(purpose=QuoteFor.EXCHANGE) & Q(trading_account_id__isnull=False)),
                name="quote_of_a_transfer_names_its_account",
            ),
            models.CheckConstraint(
                condition=Q(markup_basis_points__gt=0) | BETWEEN_ONE_MONEY, name="quote_between_two_monies_has_a_markup"
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="quoted_rate_is_sound", operation=pgtrigger.Insert, when=pgtrigger.Before, func=QUOTED_RATE
            )
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="quotes_by_client"),
            models.Index(fields=["given_currency", "got_currency", "-rate_on"], name="quotes_by_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.given} → {self.got}"

    @property
    def given(self) -> Money:
        return Money.of_minor(self.given_minor, self.given_currency)

    @property
    def got(self) -> Money:
        return Money.of_minor(self.got_minor, self.got_currency)


class Exchange(AmountMixin):
    """A currency exchange between two wallets of a client, at a quoted rate, through the broker's FX position.

    The amount is what was given. There is nothing to wait for: it is booked with the row.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="exchanges", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, related_name="exchange")
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="exchange")
    reference = models.CharField(max_length=40, unique=True)
    request_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=ExchangeState.choices, default=ExchangeState.SETTLED)
    got_minor = models.BigIntegerField()
    got_currency = models.CharField(max_length=5)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0, got_minor__gt=0), name="exchange_is_positive"),
            models.CheckConstraint(condition=~Q(wallet=F("target")), name="exchange_is_between_two_wallets"),
            models.UniqueConstraint(fields=["client", "request_key"], name="one_exchange_per_request"),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="exchanges_by_client"),
            models.Index(fields=["brand", "-id"], name="exchanges_by_brand"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def got(self) -> Money:
        return Money.of_minor(self.got_minor, self.got_currency)


class Transfer(HasState, AmountMixin):
    """Money between a wallet and a trading account of the same client: a saga over a platform's balance operation."""

    TRANSITIONS = {"state": TRANSFER_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="transfers", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    # Where the wallet is in another currency than the account: what it gives or gets, at the quoted rate.
    quote = models.OneToOneField(Quote, on_delete=models.PROTECT, null=True, related_name="transfer")
    wallet_minor = models.BigIntegerField(null=True)
    trading_account_id = models.BigIntegerField()
    trading_account_label = models.CharField(max_length=80)
    direction = models.CharField(max_length=12, choices=Direction.choices)
    reference = models.CharField(max_length=40, unique=True)
    request_key = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=TransferState.choices, default=TransferState.SENDING)
    operation_id = models.BigIntegerField(null=True, unique=True, help_text=_("The platform's balance operation"))
    # To the platform the wallet's money is reserved first; from the platform nothing is reserved.
    reservation = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="transfer_reserved")
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="transfer")
    failure = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="transfer_is_positive"),
            models.UniqueConstraint(fields=["client", "request_key"], name="one_transfer_per_request"),
            models.CheckConstraint(
                condition=~Q(direction=Direction.TO_TRADING) | Q(reservation__isnull=False),
                name="transfer_to_trading_reserves_first",
            ),
            models.CheckConstraint(
                condition=~Q(state=TransferState.SETTLED) | Q(journal__isnull=False, finished_at__isnull=False),
                name="settled_transfer_has_a_journal",
            ),
            models.CheckConstraint(
                condition=Q(quote__isnull=True, wallet_minor__isnull=True)
                | Q(quote__isnull=False, wallet_minor__isnull=False, wallet_minor__gt=0),
                name="transfer_between_currencies_has_a_quote",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="transfers_by_client"),
            models.Index(fields=["brand", "-id"], name="transfers_by_brand"),
            models.Index(
                fields=["id"],
                name="transfers_open",
                condition=Q(state__in=[TransferState.SENDING, TransferState.UNKNOWN]),
            ),
        ]

    def __str__(self) -> str:
        return self.reference
