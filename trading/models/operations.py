"""Money into and out of trading accounts: one row per operation, a saga with its states in the database."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.choices import ApprovalState
from crm.db.states import HasState
from crm.models.approvals import ApprovalMixin
from trading.choices import OPERATION_TRANSITIONS, OperationKind, OperationState
from trading.models.accounts import MONEY, TradingAccount
from trading.models.servers import TradingServer


class BalanceOperation(HasState):
    """An operation on an account's balance or credit, known on the platform by `reference` in the deal's comment.

    `amount` is signed and in `currency`, the account's own: positive goes in. One ticket settles one operation.
    """

    TRANSITIONS = {"state": OPERATION_TRANSITIONS}

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="operations", db_index=False)
    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=OperationKind.choices)
    amount = models.DecimalField(**MONEY)
    currency = models.CharField(max_length=5)
    reference = models.CharField(max_length=31, unique=True, help_text=_("Written in full to the deal's comment"))
    idempotency_key = models.CharField(max_length=80, unique=True)
    state = models.CharField(max_length=10, choices=OperationState.choices, default=OperationState.RESERVED)
    ticket = models.BigIntegerField(null=True)
    error_kind = models.CharField(max_length=16, blank=True)
    error = models.CharField(max_length=300, blank=True)
    retcode = models.IntegerField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text=_("Number of times sent"))
    checks = models.PositiveSmallIntegerField(default=0, help_text=_("Number of times looked up"))
    next_check_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey("crm.User", on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("adjust_balance", "May book credit, bonus and corrections on trading accounts"),
            ("resolve_operation", "May decide an operation whose outcome the platform does not tell"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "ticket"], condition=Q(ticket__isnull=False), name="one_ticket_settles_one_operation"
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(ticket__isnull=False, settled_at__isnull=False),
                name="confirmed_operation_has_a_ticket",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["reserved", "failed"]) | Q(sent_at__isnull=False),
                name="sent_operation_has_a_time",
            ),
            models.CheckConstraint(
                condition=(Q(kind="deposit") & Q(amount__gt=0))
                | (Q(kind="withdrawal") & Q(amount__lt=0))
                | (Q(kind__in=["credit", "bonus", "correction"]) & ~Q(amount=0)),
                name="operation_amount_has_the_sign_of_its_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="operations_in_work",
                condition=Q(state__in=["reserved", "sent", "unknown"]),
            ),
            models.Index(fields=["account", "-id"], name="operations_by_account"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_settled(self) -> bool:
        return self.state in (OperationState.CONFIRMED, OperationState.FAILED)

    @property
    def is_booked(self) -> bool:
        """Whether the platform has it."""
        return self.state == OperationState.CONFIRMED


class OperationDecision(ApprovalMixin):
    """How an operation that the platform doesn't answer for ended: found by one person, booked by another.

    `ticket`: the deal that it is; none: it never happened.
    """

    operation = models.ForeignKey(BalanceOperation, on_delete=models.PROTECT, related_name="decisions")
    ticket = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("operation_decision"),
            ApprovalMixin.one_open("operation", name="one_decision_on_an_operation_waits"),
            models.UniqueConstraint(
                fields=["operation"], condition=Q(state=ApprovalState.APPROVED), name="an_operation_is_decided_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation}: {self.ticket or '–'}"
