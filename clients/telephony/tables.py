"""Lists of calls through the exchange, and of the exchanges' webhooks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.choices import CallDirection
from clients.models import PhoneCall, PhoneEvent
from clients.telephony.choices import PhoneState
from clients.telephony.policies import CALLS, READS
from clients.telephony.queries import events_visible_to, phone_calls_visible_to
from crm.connections.tables import ClientCheckTable, WebhookTable
from crm.i18n import formats
from crm.ui.tables import BadgeColumn, Column, Empty, PersonColumn, QuickFilter, TimeColumn


class PhoneCallFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=PhoneState.choices, label=_("State"))
    direction = django_filters.ChoiceFilter(choices=CallDirection.choices, label=_("Direction"))

    class Meta:
        model = PhoneCall
        fields: list[str] = []


class PhoneCallTable(ClientCheckTable):
    name, title, permission = "phone-calls", _("Calls"), CALLS
    subtitle = _("Calls through the phone exchange, as the exchange reports them")
    columns = [
        TimeColumn("requested_at", _("Time"), link=True),
        PersonColumn("client", _("Client"), value=lambda row: str(row.client or _("Unknown number"))),
        Column("agent", _("Agent"), value=lambda row: str(row.agent or "–")),
        Column("direction", _("Direction"), value="get_direction_display"),
        BadgeColumn("state", _("State")),
        Column("duration_seconds", _("Duration"), value=lambda row: formats.duration(row.duration_seconds), css="end"),
        Column("outcome", _("Outcome"), value=lambda row: row.call.get_outcome_display() if row.call else "–"),
        Column("problem", _("Problem"), css="clip neg"),
    ]
    filterset = PhoneCallFilter
    quick_filters = [
        QuickFilter(_("Not answered"), {"state": PhoneState.MISSED}),
        QuickFilter(_("Outcome unknown"), {"state": PhoneState.UNKNOWN}),
    ]
    empty = Empty(_("No calls yet"), _("Calls appear here once clients are called from their page."), "phone")

    def queryset(self) -> QuerySet[PhoneCall]:
        rows = phone_calls_visible_to(self.user).select_related("client", "agent", "call")
        return rows.defer("client__search_text", "sealed_number")

    def row_url(self, row: PhoneCall) -> Any:
        return f"/phone/calls/{row.pk}/"


class PhoneEventTable(WebhookTable):
    name, title, permission = "phone-events", _("Phone webhooks"), READS
    subtitle = _("Every message from phone exchanges as received")

    def queryset(self) -> QuerySet[PhoneEvent]:
        return events_visible_to(self.user).select_related("connection")
