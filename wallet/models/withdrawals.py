"""Withdrawals, and the results of their checks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.i18n.localized_text import LocalizedText
from crm.models import Brand, User
from crm.money.amounts import Money, from_minor
from wallet.choices.checks import CheckName
from wallet.choices.withdrawals import (
    CLAIM_TRANSITIONS,
    WITHDRAWAL_TRANSITIONS,
    CheckResult,
    ClaimState,
    Purpose,
    WithdrawalRoute,
    WithdrawalState,
)
from wallet.models.ledger import Account, Journal
from wallet.models.payments import AmountMixin, BaseAmountField, Deposit
from wallet.models.psp import PaymentMethod, Psp


class Withdrawal(HasState, AmountMixin):
    """One payment to a client: a whole request, or one part of a request that goes back to several sources.

    The parts of a request share `request_reference` and are decided together; each has its own reservation and is sent
    separately. A refund goes back to one deposit's card or account; a payout goes to the client's chosen destination.
    The client gets `amount_minor` less `fee_minor`. Its money is reserved until it is paid, refused or failed.
    """

    TRANSITIONS = {"state": WITHDRAWAL_TRANSITIONS, "claim_state": CLAIM_TRANSITIONS}

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="withdrawals", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    psp = models.ForeignKey(Psp, on_delete=models.PROTECT, related_name="withdrawals", db_index=False)
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    reference = models.CharField(max_length=40, unique=True)
    request_key = models.CharField(max_length=80)
    request_reference = models.CharField(
        max_length=40, default="", help_text=_("Reference of the first part, shared by all parts")
    )
    part = models.PositiveSmallIntegerField(default=1)
    request_minor = models.BigIntegerField(default=0, help_text=_("Amount of the whole request; used for limits"))
    request_hash = models.CharField(max_length=32, blank=True, help_text=_("Identifies a request that was sent twice"))
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.WITHDRAWAL)
    way = models.CharField(max_length=6, choices=WithdrawalRoute.choices, default=WithdrawalRoute.PAYOUT)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    source_deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, null=True, related_name="refunds", help_text=_("Deposit that is refunded")
    )
    return_minor = models.BigIntegerField(default=0, help_text=_("Portion that returns deposits to their source"))
    fee_minor = models.BigIntegerField(default=0, help_text=_("Fee paid by the client, deducted from the amount"))
    from_suspense = models.BooleanField(default=False, help_text=_("Returns a held deposit that was never credited"))
    state = models.CharField(max_length=24, choices=WithdrawalState.choices, default=WithdrawalState.REQUESTED)
    sealed_destination = models.BinaryField(help_text=_("Destination, encrypted with the client's key"))
    destination_label = models.CharField(max_length=80, help_text=_("Masked for display"))
    destination_hash = models.CharField(max_length=32, help_text=_("Identifies the same payout account"))
    base_amount = BaseAmountField(help_text=_("In the brand's base currency at the day's rate; used for limits"))
    needs_second = models.BooleanField(default=False, help_text=_("Above the four-eyes limit when it was requested"))
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    approved_automatically = models.BooleanField(default=False)
    rejected_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    reason = models.CharField(max_length=300, blank=True, help_text=_("Reason for the rejection or failure"))
    reservation = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="withdrawal_reserved")
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="withdrawal")
    psp_reference = models.CharField(max_length=100, blank=True)
    claim_url = models.CharField(
        max_length=300, blank=True, help_text=_("Link where the client claims the money; for the client only")
    )
    claim_until = models.DateTimeField(null=True)
    claim_state = models.CharField(max_length=8, choices=ClaimState.choices, blank=True)
    requested_at = models.DateTimeField()
    reviewed_at = models.DateTimeField(null=True)
    approved_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    next_look_up_at = models.DateTimeField(null=True)
    look_ups = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("approve_withdrawal", "May approve and reject withdrawals"),
            ("refund_deposit", "May ask for a deposit to be given back"),
            ("request_withdrawal_for_client", "May request a withdrawal on a client's behalf"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="withdrawal_is_positive"),
            models.UniqueConstraint(fields=["client", "request_key", "part"], name="one_withdrawal_per_request"),
            models.UniqueConstraint(fields=["request_reference", "part"], name="each_part_of_a_request_once"),
            models.CheckConstraint(
                condition=Q(part__gte=1, request_minor__gte=F("amount_minor")) & ~Q(request_reference=""),
                name="part_is_within_its_request",
            ),
            models.CheckConstraint(
                condition=Q(way=WithdrawalRoute.REFUND, source_deposit__isnull=False, fee_minor=0)
                | Q(way=WithdrawalRoute.PAYOUT, source_deposit__isnull=True),
                name="refund_names_its_deposit_and_costs_nothing",
            ),
            models.CheckConstraint(
                condition=Q(fee_minor__gte=0, fee_minor__lt=F("amount_minor")),
                name="withdrawal_fee_is_below_the_amount",
            ),
            models.CheckConstraint(
                condition=Q(return_minor__gte=0, return_minor__lte=F("amount_minor")),
                name="return_to_source_is_within_the_part",
            ),
            models.CheckConstraint(
                condition=Q(claim_state="", claim_url="")
                | (~Q(claim_url="") & Q(claim_until__isnull=False, way=WithdrawalRoute.REFUND)),
                name="claim_says_where_and_until_when",
            ),
            models.CheckConstraint(
                condition=Q(from_suspense=False) | Q(purpose=Purpose.REFUND), name="only_a_refund_leaves_suspense"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True)
                | Q(requested_by__isnull=True)
                | ~Q(approved_by=F("requested_by")),
                name="approver_is_not_requester",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True)
                | Q(requested_by__isnull=True)
                | ~Q(reviewed_by=F("requested_by")),
                name="reviewer_is_not_requester",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=True) | Q(approved_by__isnull=True) | ~Q(approved_by=F("reviewed_by")),
                name="approver_is_not_reviewer",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by__isnull=False, reviewed_at__isnull=False)
                | ~Q(state=WithdrawalState.AWAITING_SECOND_APPROVAL),
                name="second_approval_follows_a_first",
            ),
            models.CheckConstraint(
                condition=Q(needs_second=False)
                | ~Q(state__in=["approved", "sending", "sent", "unknown", "settled", "failed", "came_back"])
                | Q(reviewed_by__isnull=False, approved_by__isnull=False),
                name="withdrawal_above_the_limit_had_four_eyes",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "sending", "sent", "unknown", "settled", "failed", "came_back"])
                | Q(approved_by__isnull=False)
                | Q(approved_automatically=True, needs_second=False),
                name="withdrawal_approved_has_approver",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["settled", "rejected", "cancelled", "failed", "came_back"])
                | Q(journal__isnull=False, finished_at__isnull=False),
                name="finished_withdrawal_resolved_its_reservation",
            ),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="withdrawals_by_client"),
            models.Index(fields=["brand", "state", "-id"], name="withdrawals_by_state"),
            models.Index(fields=["brand", "-id"], name="withdrawals_by_brand"),
            models.Index(fields=["destination_hash"], name="withdrawals_by_destination"),
            models.Index(fields=["brand", "finished_at"], name="withdrawals_with_fees", condition=Q(fee_minor__gt=0)),
            models.Index(
                fields=["claim_until"], name="refunds_to_be_claimed", condition=Q(claim_state=ClaimState.WAITING)
            ),
            models.Index(
                fields=["next_look_up_at"], name="withdrawals_to_look_up", condition=Q(next_look_up_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fill in the request's fields of a withdrawal that is its request's only part, and save."""
        self.request_reference = self.request_reference or self.reference
        self.request_minor = self.request_minor or self.amount_minor
        super().save(*args, **kwargs)

    @property
    def method_name(self) -> LocalizedText:
        """The payout method for clients: by its kind, never the provider's name."""
        return self.psp.client_name(self.currency)

    @property
    def payout_minor(self) -> int:
        """What the PSP is asked to pay, in minor units."""
        return self.amount_minor - self.fee_minor

    @property
    def payout_money(self) -> Money:
        return Money.of_minor(self.payout_minor, self.currency)

    @property
    def fee(self) -> Decimal:
        return from_minor(self.fee_minor, self.currency)

    @property
    def request_money(self) -> Money:
        """The whole request, all its parts."""
        return Money.of_minor(self.request_minor, self.currency)

    @property
    def approvals_missing(self) -> int:
        """How many approvals are missing."""
        if self.state == WithdrawalState.REQUESTED:
            return 2 if self.needs_second else 1
        return 1 if self.state == WithdrawalState.AWAITING_SECOND_APPROVAL else 0


class WithdrawalCheck(models.Model):
    """The result of one named check when the withdrawal was requested, in words."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="checks")
    name = models.CharField(max_length=30)
    outcome = models.CharField(max_length=8, choices=CheckResult.choices)
    reason = models.CharField(max_length=300)
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ["withdrawal_id", "id"]
        constraints = [models.UniqueConstraint(fields=["withdrawal", "name"], name="each_check_speaks_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.outcome}"

    @property
    def label(self) -> str:
        return str(CheckName(self.name).label) if self.name in CheckName.values else self.name


class ApprovalBatch(models.Model):
    """Many requests decided on with one confirmation: what the preview showed, and the result of each.

    `key` is from the preview: confirming it twice is one batch. lines: [{"withdrawal", "reference", "mark", "plan",
    "result", "words"}]; the mark tells whether a request is still as it was shown.
    """

    key = models.CharField(max_length=60, unique=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    lines = models.JSONField(default=list)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.actor} {self.created_at:%Y-%m-%d %H:%M}"
