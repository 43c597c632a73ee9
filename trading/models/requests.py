"""What clients ask for on their accounts."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import User
from trading.choices import OPEN_REQUESTS, REQUEST_TRANSITIONS, HeldBecause, RequestKind, RequestState
from trading.models.accounts import AccountType, TradingAccount


class AccountRequest(HasState):
    """One request of a client, or the broker's order to keep a regulator's cap: what the policy made of it, and who decided.
    `before` is what an undo goes back to."""

    TRANSITIONS = {"state": REQUEST_TRANSITIONS}

    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=10, choices=RequestKind.choices)
    leverage = models.PositiveIntegerField(null=True)
    account_type = models.ForeignKey(AccountType, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=200, blank=True, help_text=_("The client's reason"))
    state = models.CharField(max_length=10, choices=RequestState.choices, default=RequestState.WAITING)
    held_because = ArrayField(models.CharField(max_length=16, choices=HeldBecause.choices), default=list)
    before = models.JSONField(default=dict)
    is_by_rule = models.BooleanField(
        default=False,
        help_text=_(
            "Ordered by the broker, for example to comply with a regulator's leverage cap; not requested by anyone and never undone"
        ),
    )
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    claimed_until = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=300, blank=True, help_text=_("Message to client"))
    used_at = models.DateTimeField(null=True, help_text=_("The client has set the approved password"))
    lease_until = models.DateTimeField(
        null=True, help_text=_("A worker is updating the platform; once this expires, another may take over")
    )

    class Meta:
        ordering = ["-id"]
        permissions = [("decide_request", "May grant or refuse what clients ask for on their accounts")]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind"], condition=Q(state__in=OPEN_REQUESTS), name="one_open_request_of_a_kind"
            ),
            models.CheckConstraint(
                condition=(Q(kind="leverage") & Q(leverage__isnull=False))
                | (Q(kind="type") & Q(account_type__isnull=False))
                | Q(kind__in=["archive", "password"]),
                name="account_request_says_what",
            ),
            models.CheckConstraint(
                condition=Q(is_by_rule=False)
                | (Q(kind__in=["leverage", "type"]) & Q(leverage__isnull=False) & ~Q(state__in=["undoing", "undone"])),
                name="account_order_says_leverage_and_stays",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["granted", "refused"]) | Q(decided_at__isnull=False),
                name="decided_account_request_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at", "id"], name="account_requests_open", condition=Q(state__in=OPEN_REQUESTS))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"
