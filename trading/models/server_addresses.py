"""Where trading servers and their exports answer, changed by two people."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.approvals import ApprovalMixin
from trading.choices import Transport
from trading.models.servers import TradingServer


class ServerAddressChange(ApprovalMixin):
    """Where a server shall answer from now on. The second person types its secrets again: none is kept here."""

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="address_changes")
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField()
    transport = models.CharField(max_length=8, choices=Transport.choices)
    options = models.JSONField(default=dict, help_text=_("Options that determine where and how the server is reached"))
    export_place = models.CharField(
        max_length=300, blank=True, help_text=_("New SQL export, without user and password; empty: unchanged")
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            *ApprovalMixin.constraints("server_address_change"),
            ApprovalMixin.one_open("server", name="one_address_change_of_a_server_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.server_id}: {self.host}:{self.port}"
