"""On which execution book each client is: proposals, of which the approved ones are the history."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop

from clients.models import Client
from crm.models import Brand
from crm.models.approvals import ApprovalMixin
from risk.abuse.models import AbuseEpisode
from risk.dealing.choices import ExecutionBook, ResultScope


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


class DayResultAlert(models.Model):
    """Clients' result of a day that passed a step: once for each step, with the positions that made it at that moment.

    `key`: the symbol or the group of the platform, blank for the brand. Amounts in the brand's base currency.
    """

    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, related_name="+", db_index=False)
    scope = models.CharField(max_length=6, choices=ResultScope.choices)
    key = models.CharField(max_length=120, blank=True)
    day = models.DateField()
    step = models.DecimalField(max_digits=20, decimal_places=2)
    closed = models.DecimalField(max_digits=20, decimal_places=2)
    floating = models.DecimalField(max_digits=20, decimal_places=2)
    positions = models.JSONField(default=list, help_text="The largest, as they were then")
    raised_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "day", "scope", "key", "step"], name="a_step_is_raised_once_a_day"
            ),
            models.CheckConstraint(condition=Q(step__gt=0), name="step_of_a_result_is_positive"),
            models.CheckConstraint(
                condition=Q(scope=ResultScope.BRAND, key="") | ~Q(scope=ResultScope.BRAND) & ~Q(key=""),
                name="result_names_its_symbol_or_group",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.key or self.brand}"

    def get_absolute_url(self) -> str:
        return f"/risk/dealing/results/{self.pk}/"
