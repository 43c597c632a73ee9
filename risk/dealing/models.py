"""On which execution book each client is: proposals, of which the approved ones are the history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.models.approvals import ApprovalMixin
from risk.abuse.models import AbuseEpisode
from risk.dealing.choices import ExecutionBook


class ClientRouting(ApprovalMixin):
    """A client's execution book, proposed by one person and approved by another. The newest approved one is in force.

    `passed_percent`: the share of each trade that is passed on to the liquidity provider.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    book = models.CharField(max_length=5, choices=ExecutionBook.choices)
    passed_percent = models.PositiveSmallIntegerField()
    episode = models.ForeignKey(AbuseEpisode, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("decide_clientrouting", gettext_noop("May propose and approve execution books of clients")),
            ("export_clientrouting", gettext_noop("May export flagged clients and execution books")),
        ]
        indexes = [
            models.Index(fields=["client", "-id"], name="routings_of_a_client"),
            models.Index(fields=["client", "-decided_at"], name="routing_in_force", condition=Q(state="approved")),
        ]
        constraints = [
            *ApprovalMixin.constraints("client_routing"),
            ApprovalMixin.one_open("client", name="one_open_routing_per_client"),
            models.CheckConstraint(
                condition=Q(book=ExecutionBook.A, passed_percent=100)
                | Q(book=ExecutionBook.B, passed_percent=0)
                | Q(book=ExecutionBook.SPLIT, passed_percent__gte=1, passed_percent__lte=99),
                name="routing_share_fits_its_book",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client}: {self.get_book_display()}"
