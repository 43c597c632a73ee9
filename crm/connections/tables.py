"""Lists of what outside services were asked about clients, and of their webhooks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.connections.choices import WebhookState, WebhookVerdict
from crm.ui.tables import BadgeColumn, Column, Empty, QuickFilter, Table, TimeColumn


class WebhookFilter(django_filters.FilterSet):
    verdict = django_filters.MultipleChoiceFilter(choices=WebhookVerdict.choices, label=_("Verdict"))
    state = django_filters.MultipleChoiceFilter(choices=WebhookState.choices, label=_("State"))


class WebhookTable(Table):
    """Every message as received. A kind names itself and says whose messages the person sees."""

    columns = [
        TimeColumn("received_at", _("Received"), seconds=True, link=True),
        Column("connection", _("Connection"), value="connection.name"),
        Column("event_type", _("Event"), css="nowrap"),
        Column("subject_id", _("ID at the service"), css="nowrap mono"),
        BadgeColumn("verdict", _("Verdict")),
        BadgeColumn("state", _("State")),
        Column("repeats", _("Repeats"), css="end"),
        Column("outcome", _("Result"), css="clip muted"),
    ]
    filterset = WebhookFilter
    quick_filters = [
        QuickFilter(_("Unmatched"), {"state": WebhookState.UNMATCHED}),
        QuickFilter(_("Refused"), {"state": WebhookState.REFUSED}),
    ]
    search_hint = _("ID at the service")
    export_permission = None
    empty = Empty(_("No webhooks yet"), _("Each connection has its own address and signing secret."), "inbox")

    def search(self, queryset: QuerySet[Any], query: str) -> QuerySet[Any]:
        return queryset.filter(subject_id=query.strip())

    def row_url(self, row: Any) -> Any:
        return row.get_absolute_url()


class ClientCheckTable(Table):
    """What a service is asked about clients; a kind adds its columns."""

    default_order = "-id"
    search_hint = _("Client")
    export_permission = None

    def search(self, queryset: QuerySet[Any], words: str) -> QuerySet[Any]:
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset
