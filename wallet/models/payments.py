"""Deposits with their states, and what PSPs did with our money. The money itself is in the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.i18n.localized_text import LocalizedText
from crm.models import Brand
from crm.money.amounts import Money, from_minor
from wallet.choices.deposits import DEPOSIT_ARRIVED, DEPOSIT_TRANSITIONS, DepositState, HoldReason
from wallet.choices.psp import method_name
from wallet.choices.reconciliation import MovementKind
from wallet.choices.withdrawals import failure_words
from wallet.models.ledger import Account, Journal
from wallet.models.psp import PaymentMethod, Psp
from wallet.models.reconciliation_guards import never_goes

if TYPE_CHECKING:
    _DecimalField = models.DecimalField[str | float | Decimal | Combinable, Decimal]
else:
    _DecimalField = models.DecimalField


class BaseAmountField(_DecimalField):
    """An amount in a brand's base currency, to the cent."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**(named | {"max_digits": 20, "decimal_places": 2}))


class AmountMixin(models.Model):
    """An amount in minor units with its currency."""

    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=5)

    class Meta:
        abstract = True

    @property
    def amount(self) -> Decimal:
        return from_minor(self.amount_minor, self.currency)

    @property
    def money(self) -> Money:
        return Money.of_minor(self.amount_minor, self.currency)

    @property
    def url_name(self) -> str:
        """The page that tells its story."""
        return f"wallet:{self._meta.model_name}"


class Deposit(HasState, AmountMixin):
    """A client's deposit, from the click to the money in the wallet."""

    TRANSITIONS = {"state": DEPOSIT_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="deposits", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="deposits", db_index=False)
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True, help_text=_("Our reference, as known to the PSP"))
    request_key = models.CharField(
        max_length=80, help_text=_("Idempotency key from the form: submitting twice creates one deposit")
    )
    state = models.CharField(max_length=14, choices=DepositState.choices, default=DepositState.CREATED)
    # The PSP's id of the page or session, where the payment itself gets its own id only when it is made.
    session_reference = models.CharField(max_length=100, blank=True)
    psp_reference = models.CharField(max_length=100, blank=True)
    redirect_url = models.CharField(max_length=500, blank=True)
    payment_method = models.ForeignKey(
        PaymentMethod, on_delete=models.PROTECT, null=True, related_name="deposits", db_index=False
    )
    pay_by = models.CharField(max_length=16, default="redirect", help_text=_("How the client pays"))
    instructions = models.JSONField(
        default=dict, blank=True, help_text=_("Payment details for the client: address, reference …")
    )
    method = models.CharField(max_length=30, blank=True, help_text=_("As named by the PSP"))
    instrument = models.CharField(max_length=80, blank=True, help_text=_("Masked card or account"))
    card_country = models.CharField(
        max_length=2, blank=True, db_default="", help_text=_("ISO 3166-1, of the card’s issuer")
    )
    payer_name = models.CharField(max_length=120, blank=True)
    received_minor = models.BigIntegerField(null=True, help_text=_("Amount the PSP received, in the currency received"))
    arrived_currency = models.CharField(
        max_length=5, blank=True, help_text=_("Only if it isn't the requested currency")
    )
    fee_basis_points = models.PositiveIntegerField(default=0, help_text=_("As shown to the client before payment"))
    fee_fixed_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0, help_text=_("Deducted from the amount received"))
    credited_minor = models.BigIntegerField(null=True, help_text=_("Amount credited, in the wallet's currency"))
    hold_reasons = ArrayField(models.CharField(max_length=16, choices=HoldReason.choices), default=list, blank=True)
    held_at = models.DateTimeField(null=True)
    charged_back_minor = models.BigIntegerField(
        default=0, help_text=_("Amount debited by the payer's bank and not returned")
    )
    refunded_minor = models.BigIntegerField(default=0, help_text=_("Total returned to the payer so far"))
    failure = models.CharField(max_length=200, blank=True)
    is_first = models.BooleanField(default=False, help_text=_("The client's first-time deposit"))
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="deposit")
    reversal = models.OneToOneField(
        Journal,
        on_delete=models.PROTECT,
        null=True,
        related_name="deposit_taken_back",
        help_text=_("Chargeback or refund"),
    )
    base_amount = BaseAmountField(default=0, help_text=_("In the brand's base currency, on the settlement date"))
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    next_look_up_at = models.DateTimeField(null=True)
    look_ups = models.PositiveSmallIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("release_deposit", "May release a held deposit to the client's wallet")]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="deposit_is_positive"),
            models.UniqueConstraint(fields=["client", "request_key"], name="one_deposit_per_request"),
            models.UniqueConstraint(fields=["client"], condition=Q(is_first=True), name="one_first_deposit_per_client"),
            models.UniqueConstraint(
                fields=["psp", "psp_reference"], condition=~Q(psp_reference=""), name="one_deposit_per_psp_payment"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DEPOSIT_ARRIVED, journal__isnull=False, settled_at__isnull=False)
                | (~Q(state__in=DEPOSIT_ARRIVED) & Q(settled_at__isnull=True)),
                name="deposit_is_settled_when_it_has_a_journal_and_a_time",
            ),
            models.CheckConstraint(
                condition=Q(is_first=False) | Q(settled_at__isnull=False), name="first_deposit_is_settled"
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor=0)
                | Q(refunded_minor__gt=0, received_minor__isnull=False, received_minor__gte=F("refunded_minor")),
                name="deposit_never_gives_back_more_than_came",
            ),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True)
                | Q(
                    credited_minor__isnull=False,
                    credited_minor__gt=0,
                    received_minor__isnull=False,
                    received_minor__gte=F("fee_minor"),
                ),
                name="settled_deposit_says_what_the_wallet_got",
            ),
            models.CheckConstraint(
                condition=Q(charged_back_minor=0)
                | Q(
                    charged_back_minor__gt=0, received_minor__isnull=False, received_minor__gte=F("charged_back_minor")
                ),
                name="no_more_is_charged_back_than_came",
            ),
            models.CheckConstraint(
                condition=Q(fee_minor__gte=0, fee_fixed_minor__gte=0), name="deposit_fee_is_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(state=DepositState.HELD) | Q(hold_reasons__len__gt=0, held_at__isnull=False),
                name="held_deposit_says_why_and_since_when",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="deposits_by_client"),
            models.Index(fields=["brand", "-id"], name="deposits_by_brand"),
            models.Index(fields=["brand", "state", "-id"], name="deposits_by_state"),
            models.Index(fields=["psp", "-id"], name="deposits_by_psp"),
            models.Index(fields=["held_at", "id"], name="deposits_held", condition=Q(state=DepositState.HELD)),
            models.Index(
                fields=["client", "settled_at"], name="deposits_settled", condition=Q(settled_at__isnull=False)
            ),
            models.Index(fields=["brand", "settled_at"], name="deposits_with_fees", condition=Q(fee_minor__gt=0)),
            models.Index(
                fields=["next_look_up_at"], name="deposits_to_look_up", condition=Q(next_look_up_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def method_name(self) -> LocalizedText:
        """The payment method for clients: by its name, or by its kind; never the provider's name."""
        if self.payment_method is None:
            return self.psp.client_name(self.currency)
        kind, label = self.payment_method.kind, self.payment_method.label
        return method_name(kind, label=label, psp_name=self.psp.name, currency=self.currency)

    @property
    def kept_minor(self) -> int:
        """What of it we still have: received, less refunds, less what the payer's bank took."""
        return (self.received_minor or 0) - self.refunded_minor - self.charged_back_minor

    @property
    def received_currency(self) -> str:
        """The currency of `received_minor` and `fee_minor`."""
        return self.arrived_currency or self.currency

    @property
    def credited(self) -> Money:
        """What the wallet got, in the wallet's currency; reads the wallet."""
        return Money.of_minor(self.credited_minor or 0, self.wallet.currency)

    @property
    def fee(self) -> Decimal:
        return from_minor(self.fee_minor, self.received_currency)

    @property
    def hold_words(self) -> list[str]:
        """The reasons why it is held, a sentence each."""
        return [str(HoldReason(reason).label) for reason in self.hold_reasons]

    @property
    def failure_words(self) -> str:
        return failure_words(self.failure)

    @property
    def received(self) -> Decimal | None:
        return None if self.received_minor is None else from_minor(self.received_minor, self.received_currency)


class PspMovement(AmountMixin):
    """What our books say a PSP did with our money; a settlement report must have the same row. Signed: in is above zero."""

    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="movements", db_index=False)
    kind = models.CharField(max_length=20, choices=MovementKind.choices)
    reference = models.CharField(max_length=40, help_text=_("Our reference of the deposit or withdrawal"))
    # What it shares with others that a PSP may pay as one: the request that it is a part of.
    common_reference = models.CharField(max_length=40, blank=True, db_default="")
    psp_reference = models.CharField(max_length=100)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="psp_movement")
    occurred_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(amount_minor=0), name="psp_movement_moves_something"),
            models.UniqueConstraint(fields=["psp", "psp_reference", "kind"], name="each_psp_movement_is_booked_once"),
        ]
        indexes = [
            models.Index(fields=["psp", "occurred_at"], name="psp_movements_by_time"),
            models.Index(fields=["psp", "reference"], name="psp_movements_by_reference"),
            models.Index(
                fields=["psp", "common_reference"],
                name="psp_movements_by_common_ref",
                condition=~Q(common_reference=""),
            ),
        ]
        triggers = [never_goes("pspmovement")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
