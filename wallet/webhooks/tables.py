"""The list of webhooks."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import BadgeColumn, Column, Empty, Table, TimeColumn
from wallet.choices.psp import InboxState, Verdict
from wallet.core import queries
from wallet.models import WebhookMessage
from wallet.movements.tables import psps_of, reference_of


class WebhookFilter(django_filters.FilterSet):
    verdict = django_filters.MultipleChoiceFilter(choices=Verdict.choices, label=_("Verdict"))
    state = django_filters.MultipleChoiceFilter(choices=InboxState.choices, label=_("State"))
    psp = django_filters.ModelChoiceFilter(queryset=psps_of, label=_("PSP"))

    class Meta:
        model = WebhookMessage
        fields: list[str] = []


class WebhookTable(Table):
    name, title, permission = "webhooks", _("Webhook inbox"), "wallet.view_webhookmessage"
    subtitle = _(
        "Every message from the PSPs as received, with the verdict on its raw bytes. Only "
        "accepted messages are processed."
    )
    columns = [
        TimeColumn("received_at", _("Received"), seconds=True, link=True),
        Column("psp", _("PSP"), value="psp.name"),
        Column("event_type", _("Event"), css="nowrap"),
        Column("reference", _("Reference"), render=reference_of, css="nowrap"),
        BadgeColumn("verdict", _("Verdict")),
        BadgeColumn("state", _("State")),
        Column("outcome", _("Result"), css="clip muted"),
    ]
    filterset = WebhookFilter
    row_url_name = "wallet:webhook"
    search_hint = _("Reference")
    empty = Empty(
        _("No webhooks yet"), _("PSPs report payments here. Each PSP has its own address and signing secret."), "inbox"
    )

    def search(self, queryset: QuerySet[WebhookMessage], query: str) -> QuerySet[WebhookMessage]:
        return queryset.filter(reference=query.upper())

    def queryset(self) -> QuerySet[WebhookMessage]:
        return queries.webhooks_visible_to(self.user).select_related("psp").defer("body", "headers")
