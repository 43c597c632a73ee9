"""What partners are settled by and what follows: terms, settlements, disputes, payouts."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.db.states import HasState
from crm.models import User, WorkItem
from crm.models.approvals import ApprovalMixin
from crm.models.audit import append_only
from ib.choices import (
    DISPUTE_TRANSITIONS,
    Cycle,
    DisputeState,
    NegativeBalance,
    PayoutSchedule,
    PayoutTo,
    SettlementState,
    VatTreatment,
)
from ib.models.commissions import SettlementPeriod
from ib.models.partners import Partner
from wallet.models import Journal


class SettlementTerms(ApprovalMixin):
    """How and when a partner is settled, from the moment a second person approves it until the next terms.

    Amounts are in the partner's currency. Nothing here is changed later: other terms are a further row. A partner without
    any is settled monthly, without minimum or hold.
    """

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="settlement_terms")
    cycle = models.CharField(max_length=8, choices=Cycle.choices, default=Cycle.MONTHLY)
    minimum = models.DecimalField(max_digits=20, decimal_places=8, default=0, help_text=_("Smaller sums are carried"))
    hold_days = models.PositiveSmallIntegerField(default=0, help_text=_("Days that a trade waits after it was closed"))
    approval_above = models.DecimalField(
        max_digits=20, decimal_places=8, null=True, help_text=_("Payouts above this amount need a second approval")
    )
    payout_schedule = models.CharField(
        max_length=8,
        choices=PayoutSchedule.choices,
        default=PayoutSchedule.REQUEST,
        help_text=_("Of automatic payouts"),
    )
    payout_day = models.PositiveSmallIntegerField(
        default=1, help_text=_("Weekly: 1 is Monday, 7 Sunday. Monthly: the day of the month, 28 at most")
    )
    negative = models.CharField(max_length=10, choices=NegativeBalance.choices, default=NegativeBalance.CARRIED)
    legal_name = models.CharField(max_length=160, blank=True)
    address = models.CharField(max_length=300, blank=True)
    vat_id = models.CharField(max_length=20, blank=True)
    vat_treatment = models.CharField(max_length=8, choices=VatTreatment.choices, default=VatTreatment.NONE)
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2, default=0, help_text=_("Per cent, included"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("settlement_terms"),
            ApprovalMixin.one_open("partner", name="one_proposal_of_settlement_terms_waits"),
            models.CheckConstraint(
                condition=Q(minimum__gte=0, hold_days__lte=365)
                & (Q(approval_above__isnull=True) | Q(approval_above__gte=0)),
                name="settlement_terms_are_not_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(payout_day__gte=1, payout_day__lte=28)
                & (~Q(payout_schedule=PayoutSchedule.WEEKLY) | Q(payout_day__lte=7)),
                name="payout_day_is_of_its_schedule",
            ),
            models.CheckConstraint(
                condition=Q(vat_treatment=VatTreatment.STANDARD, vat_rate__gt=0, vat_rate__lt=100)
                | (~Q(vat_treatment=VatTreatment.STANDARD) & Q(vat_rate=0)),
                name="vat_rate_is_that_of_its_treatment",
            ),
            models.CheckConstraint(
                condition=Q(vat_treatment__in=[VatTreatment.NONE, VatTreatment.EXEMPT]) | ~Q(vat_id=""),
                name="vat_needs_a_vat_number",
            ),
            models.CheckConstraint(
                condition=Q(vat_treatment=VatTreatment.NONE) | ~(Q(legal_name="") | Q(address="")),
                name="an_invoice_has_a_supplier",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="settlement_terms_by_partner")]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.cycle}"


# Each settlement takes what the one before left: what is accrued up to `to_id` on trades closed before `to_at`, and was not
# so then. Both only grow, so no accrual is in two of them.
FOLLOWS_THE_LAST = """
IF NOT EXISTS (
  SELECT 1 FROM (SELECT 1) one LEFT JOIN LATERAL (
    SELECT s.* FROM ib_settlement s WHERE s.partner_id = NEW.partner_id AND s.currency = NEW.currency
    ORDER BY s.id DESC LIMIT 1
  ) last ON true
  WHERE last.id IS NOT DISTINCT FROM NEW.previous_id AND coalesce(last.carried_out, 0) = NEW.carried_in
    AND (last.id IS NULL OR (last.to_id <= NEW.to_id AND last.to_at <= NEW.to_at))
) THEN
  RAISE EXCEPTION 'a settlement begins where the last one of its partner and currency ended'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'settlement_follows_the_last';
END IF;
RETURN NEW;
"""


class Settlement(models.Model):
    """One partner's commissions in one currency since their last settlement, credited in one journal.

    accrued + carried_in = amount + carried_out + written_off. `amount` is whole smallest units; what is finer, below the
    minimum, or negative, is carried. It takes the accruals up to `to_id` of trades closed before `to_at` that the one before
    didn't reach; lines in dispute are left out (`HeldLine`) and taken by a later one.
    """

    period = models.ForeignKey(
        SettlementPeriod,
        on_delete=models.PROTECT,
        related_name="settlements",
        help_text=_("Accounting period in which it was cut"),
    )
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="settlements")
    currency = models.CharField(max_length=5)
    terms = models.ForeignKey(SettlementTerms, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    cycle = models.CharField(max_length=8, choices=Cycle.choices, default=Cycle.MONTHLY)
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="next")
    name = models.CharField(max_length=24, help_text=_("The cycle in the brand's time zone, e.g. 2026-11 or 2026-W47"))
    cut_at = models.DateTimeField(help_text=_("End of the cycle"))
    to_id = models.BigIntegerField(help_text=_("Last accrual that was there"))
    to_at = models.DateTimeField(help_text=_("Trades closed before this, the hold deducted"))
    trades = models.PositiveIntegerField(help_text=_("Paid accrual rows"))
    lots = models.DecimalField(max_digits=18, decimal_places=8)
    accrued = models.DecimalField(max_digits=20, decimal_places=8)
    carried_in = models.DecimalField(max_digits=20, decimal_places=8)
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    carried_out = models.DecimalField(max_digits=20, decimal_places=8)
    written_off = models.DecimalField(max_digits=20, decimal_places=8, default=0)
    state = models.CharField(max_length=8, choices=SettlementState.choices)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="commission_settlement")
    settled_at = models.DateTimeField()
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        triggers = [
            *append_only("settlement"),
            pgtrigger.Trigger(
                name="settlement_follows_the_last",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func=FOLLOWS_THE_LAST,
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "currency"],
                condition=Q(previous__isnull=True),
                name="one_first_settlement_per_partner_and_currency",
            ),
            models.CheckConstraint(
                condition=Q(accrued=F("amount") + F("carried_out") + F("written_off") - F("carried_in")),
                name="settlement_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(written_off=0) | Q(written_off__lt=0, amount=0, carried_out=0),
                name="only_a_negative_balance_is_written_off",
            ),
            models.CheckConstraint(
                condition=Q(state="paid", amount__gt=0, journal_id__isnull=False)
                | (~Q(state="paid") & Q(amount=0, journal_id__isnull=True)),
                name="paid_settlement_has_a_journal",
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "-id"], name="settlements_by_partner"),
            models.Index(fields=["partner", "currency", "-id"], name="settlements_by_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.amount} {self.currency}"


class ClientRebate(models.Model):
    """What a settlement passes on to one client of the partner's, credited to the client's wallet in one journal.

    accrued + carried_in = amount + carried_out. `accrued` is the sum of the settlement's rows that pass on; `amount` is whole
    smallest units, below zero where clawbacks take back what the wallet has for it. What is finer, or isn't there, is carried.
    """

    settlement = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="client_rebates")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=5)
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="next")
    trades = models.PositiveIntegerField()
    accrued = models.DecimalField(max_digits=20, decimal_places=8)
    carried_in = models.DecimalField(max_digits=20, decimal_places=8)
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    carried_out = models.DecimalField(max_digits=20, decimal_places=8)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, null=True, related_name="client_rebate")

    class Meta:
        ordering = ["-id"]
        triggers = append_only("client_rebate")
        constraints = [
            models.UniqueConstraint(fields=["settlement", "client"], name="one_rebate_per_settlement_and_client"),
            models.UniqueConstraint(
                fields=["client", "currency"],
                condition=Q(previous__isnull=True),
                name="one_first_rebate_per_client_and_currency",
            ),
            models.CheckConstraint(
                condition=Q(accrued=F("amount") + F("carried_out") - F("carried_in")), name="client_rebate_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(amount=0, journal_id__isnull=True) | (~Q(amount=0) & Q(journal_id__isnull=False)),
                name="credited_rebate_has_a_journal",
            ),
        ]
        indexes = [models.Index(fields=["client", "currency", "-id"], name="rebates_of_a_client")]

    def __str__(self) -> str:
        return f"{self.client_id}: {self.amount} {self.currency}"


class CommissionDispute(HasState):
    """A partner disputes a line, or staff holds a line or everything of a partner: it waits until somebody resolves it.

    deal_id: all entries of that deal wait, also those to come where it has none yet (no accrual_id); null: the whole partner does.
    """

    TRANSITIONS = {"state": DISPUTE_TRANSITIONS}

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="commission_disputes", db_index=False)
    deal_id = models.BigIntegerField(null=True)
    accrual_id = models.BigIntegerField(null=True, help_text=_("The line it was opened on"))
    state = models.CharField(max_length=8, choices=DisputeState.choices, default=DisputeState.OPEN)
    reason = models.CharField(max_length=300)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    opened_at = models.DateTimeField()
    answer = models.CharField(max_length=300, blank=True)
    resolved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    resolved_at = models.DateTimeField(null=True)
    work = models.OneToOneField(WorkItem, on_delete=models.PROTECT, null=True, related_name="+")
    adjustment_id = models.BigIntegerField(null=True, help_text=_("The line that adjusts the commission"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="open") | Q(deal_id__isnull=True) | Q(work__isnull=False),
                name="open_commission_dispute_is_a_work_item",
            ),
            models.CheckConstraint(
                condition=Q(adjustment_id__isnull=True) | Q(state="resolved", deal_id__isnull=False),
                name="only_a_resolved_dispute_has_an_adjustment",
            ),
            models.UniqueConstraint(
                fields=["partner", "deal_id"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="one_open_dispute_per_partner_and_deal",
            ),
            models.CheckConstraint(
                condition=Q(deal_id__isnull=False) | Q(accrual_id__isnull=True), name="a_disputed_line_names_its_deal"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="commission_dispute_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True)
                | (~Q(state="open") & Q(resolved_at__isnull=False) & ~Q(answer="")),
                name="a_resolved_dispute_has_an_answer",
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="commission_disputes_of_partner")]

    def __str__(self) -> str:
        return f"{self.partner_id}: {self.deal_id}"


class DisputeMessage(models.Model):
    """What partner and broker wrote to each other about a dispute."""

    dispute = models.ForeignKey(CommissionDispute, on_delete=models.PROTECT, related_name="messages")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    is_partner = models.BooleanField()
    text = models.CharField(max_length=1000)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        triggers = append_only("dispute_message")
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="dispute_message_says_something")]

    def __str__(self) -> str:
        return self.text[:40]


WHAT_WAS_HELD_STAYS = """
IF TG_OP = 'DELETE' OR OLD.taken_id IS NOT NULL OR to_jsonb(OLD) - 'taken_id' IS DISTINCT FROM to_jsonb(NEW) - 'taken_id' THEN
  RAISE EXCEPTION 'a line that waited for its dispute is settled once'
    USING ERRCODE = 'check_violation', CONSTRAINT = 'held_line_is_taken_once';
END IF;
RETURN NEW;
"""


class HeldLine(models.Model):
    """An accrual that a settlement left out because its deal was in dispute, and the later one that took it."""

    accrual_id = models.BigIntegerField(unique=True)
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="+", db_index=False)
    deal_id = models.BigIntegerField()
    currency = models.CharField(max_length=5)
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    lots = models.DecimalField(max_digits=18, decimal_places=8)
    trades = models.PositiveSmallIntegerField()
    passed = models.ForeignKey(Settlement, on_delete=models.PROTECT, related_name="held_lines")
    taken = models.ForeignKey(Settlement, on_delete=models.PROTECT, null=True, related_name="taken_lines")

    class Meta:
        ordering = ["id"]
        triggers = [
            pgtrigger.Trigger(
                name="held_line_is_taken_once",
                operation=pgtrigger.Update | pgtrigger.Delete,
                when=pgtrigger.Before,
                func=WHAT_WAS_HELD_STAYS,
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(taken__isnull=True) | Q(taken__gt=F("passed")),
                name="held_line_is_taken_by_a_later_settlement",
            )
        ]
        indexes = [
            models.Index(fields=["partner", "currency"], condition=Q(taken__isnull=True), name="held_lines_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.accrual_id}: {self.amount} {self.currency}"


class PayoutRequest(ApprovalMixin):
    """A payout above what the partner's terms release without a second person; paid on approval, from the balance of then."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payout_requests", db_index=False)
    request_key = models.CharField(max_length=80, help_text=_("Idempotency key from the form, and of its payout"))
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    currency = models.CharField(max_length=5)
    destination = models.CharField(max_length=60, help_text=_("wallet, account:<id> or bank:<PSP and method>"))
    sealed_details = models.BinaryField(null=True, help_text=_("Bank details, encrypted with the client's key"))

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("payout_request"),
            ApprovalMixin.one_open("partner", name="one_payout_request_of_a_partner_waits"),
            models.UniqueConstraint(fields=["partner", "request_key"], name="one_payout_request_per_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_request_is_positive"),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="payout_requests_by_partner")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


class Payout(models.Model):
    """Money a partner took from their commission balance into their own trading wallet, and where it went on from there."""

    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="payouts")
    request_key = models.CharField(
        max_length=80, help_text=_("Idempotency key from the form: prevents a double payout")
    )
    amount = models.DecimalField(max_digits=20, decimal_places=8)
    currency = models.CharField(max_length=5)
    journal = models.OneToOneField(Journal, on_delete=models.PROTECT, related_name="commission_payout")
    paid_at = models.DateTimeField()
    paid_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    destination = models.CharField(
        max_length=60, default=PayoutTo.WALLET, help_text=_("wallet, account:<id> or bank:<PSP and method>")
    )
    reference = models.CharField(
        max_length=20,
        blank=True,
        help_text=_("Reference of the transfer or withdrawal that moved the money on from the wallet"),
    )

    class Meta:
        ordering = ["-id"]
        triggers = append_only("payout")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payout_is_positive"),
            models.CheckConstraint(
                condition=Q(destination=PayoutTo.WALLET, reference="")
                | ~(Q(destination=PayoutTo.WALLET) | Q(reference="")),
                name="payout_that_went_on_has_its_reference",
            ),
            models.UniqueConstraint(fields=["partner", "request_key"], name="one_payout_per_request"),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="payouts_by_partner")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
