"""Money between a wallet and a trading account."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.models import Brand, User
from wallet.choices import Direction, TransferState
from wallet.models.ledger import Account, Journal
from wallet.models.payments import AmountMixin


class Transfer(AmountMixin):
    """Money between a wallet and a trading account of the same client: a saga over a platform's balance operation."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="transfers", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    wallet = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
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
