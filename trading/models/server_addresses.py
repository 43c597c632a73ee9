"""Where trading servers and their exports answer, changed by two people."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.db.states import HasState
from crm.models import User
from trading.choices import DECISION_TRANSITIONS, DecisionState, Transport
from trading.models.servers import TradingServer


class ServerAddressChange(HasState):
    """Where a server shall answer from now on. The second person types its secrets again: none is kept here."""

    TRANSITIONS = {"state": DECISION_TRANSITIONS}

    server = models.ForeignKey(TradingServer, on_delete=models.PROTECT, related_name="address_changes")
    host = models.CharField(max_length=200)
    port = models.PositiveIntegerField()
    transport = models.CharField(max_length=8, choices=Transport.choices)
    options = models.JSONField(default=dict, help_text=_("Those that decide where and how it is reached"))
    export_place = models.CharField(
        max_length=300, blank=True, help_text=_("Of a new SQL export, without user and password; empty: as it is")
    )
    reason = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=DecisionState.choices, default=DecisionState.WAITING)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    decision_note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["server"], condition=Q(state="waiting"), name="one_address_change_of_a_server_waits"
            ),
            models.CheckConstraint(
                condition=Q(state="withdrawn") | Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="server_address_change_is_decided_by_somebody_else",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state="waiting") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="server_address_change_is_decided_by_a_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.server_id}: {self.host}:{self.port}"
