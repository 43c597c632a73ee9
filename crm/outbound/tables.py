"""The lists of webhooks and of what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from crm.choices import CallFailure, WebhookDeliveryState, WebhookState
from crm.events.bus import label_of
from crm.models import User, WebhookDelivery, WebhookEndpoint
from crm.outbound.endpoints import TEST_EVENT, endpoints_visible_to
from crm.outbound.replaying import deliveries_visible_to
from crm.staff.event_subscriptions import MANAGES
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    BulkAction,
    Column,
    Empty,
    NumberColumn,
    QuickFilter,
    Table,
    TimeColumn,
)


def event_label(name: str) -> str:
    """Name a message's event for a reader."""
    return str(_("Test")) if name == TEST_EVENT else label_of(name)


def _endpoints_of(request: Any) -> QuerySet[WebhookEndpoint]:
    user: User = request.user if request is not None else User()
    return endpoints_visible_to(user).order_by("name") if user.pk else WebhookEndpoint.objects.none()


class EndpointFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("State"), choices=WebhookState.choices)

    class Meta:
        model = WebhookEndpoint
        fields: list[str] = []


class EndpointTable(Table):
    """Webhooks of the brands that a person reaches as a whole; archived ones only where they are asked for."""

    name, title, permission = "crm.webhooks", _("Webhooks"), MANAGES
    subtitle = _("Addresses of your own systems that get events as they happen, signed and in order.")
    columns: ClassVar[Sequence[Column]] = (
        Column("name", _("Name"), link=True, place="name"),
        BadgeColumn("state", _("State"), place="state"),
        Column("brand", _("Brand")),
        Column("url", _("Address"), css="clip mono"),
        Column("events", _("Events"), value=lambda row: ", ".join(map(label_of, row.subscription.events)), css="clip"),
        Column("problem", _("Problem"), value=lambda row: _problem(row)),
        AgoColumn("taken_at", _("Last accepted")),
        AgoColumn("created_at", _("Created"), hidden=True),
    )
    filterset = EndpointFilter
    quick_filters = [
        QuickFilter(_("Active"), {"state": "active"}),
        QuickFilter(_("Disabled after failures"), {"state": "disabled"}),
        QuickFilter(_("Archived"), {"state": "archived"}),
    ]
    search_fields = ["name", "url"]
    search_hint = _("Name or address")
    row_url_name = "webhook_endpoint"
    empty = Empty(
        _("No webhooks yet"),
        _("Have events such as new leads and deposits sent to your dialler, CRM or accounting as they happen."),
        icon="webhook",
        action=_("New webhook"),
        url_name="webhook_endpoint_new",
        permission=MANAGES,
    )

    def queryset(self) -> QuerySet[Any]:
        failed = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=WebhookDeliveryState.FAILED)
        rows = endpoints_visible_to(self.user).select_related("brand", "subscription")
        rows = rows.annotate(has_failed=Exists(failed)).defer("sealed_secret", "sealed_old_secret")
        return rows if self.params.get("state") else rows.exclude(state=WebhookState.ARCHIVED)


def _problem(row: Any) -> str:
    if row.failing_since is not None and row.state == WebhookState.ACTIVE:
        return str(_("Not accepting"))
    return str(_("Failed messages")) if row.has_failed else ""


class DeliveryFilter(django_filters.FilterSet):
    endpoint = django_filters.ModelChoiceFilter(label=_("Webhook"), queryset=_endpoints_of)
    state = django_filters.ChoiceFilter(label=_("State"), choices=WebhookDeliveryState.choices)
    failure = django_filters.ChoiceFilter(label=_("Result"), choices=CallFailure.choices)
    event_name = django_filters.CharFilter(label=_("Event"))
    client = django_filters.NumberFilter(field_name="client_id", label=_("Client number"))
    created = django_filters.DateFromToRangeFilter(field_name="created_at", label=_("Created between"))

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []


class DeliveryTable(Table):
    """What was sent to the webhooks in reach, or waits to be."""

    name, title, permission = "crm.webhook_deliveries", _("Delivery log"), MANAGES
    subtitle = _("Every message with its result. Delivered ones are kept for 30 days, failed ones for 90.")
    columns: ClassVar[Sequence[Column]] = (
        TimeColumn("created_at", _("Date"), seconds=True, link=True),
        Column("event", _("Event"), value=lambda row: event_label(row.event_name), place="name"),
        BadgeColumn("state", _("State"), place="state"),
        Column("result", _("Result"), value=lambda row: result_of(row)),
        NumberColumn("attempts", _("Attempts")),
        Column("client_id", _("Client"), css="end"),
        Column("endpoint", _("Webhook")),
    )
    filterset = DeliveryFilter
    quick_filters = [
        QuickFilter(_("Failed"), {"state": WebhookDeliveryState.FAILED}),
        QuickFilter(_("Waiting"), {"state": WebhookDeliveryState.WAITING}),
    ]
    bulk_actions: ClassVar[Sequence[BulkAction]] = (
        BulkAction("replay", _("Send again"), "webhook_replay_many", MANAGES, icon="rotate-cw"),
    )
    is_searchable = False
    row_url_name = "webhook_delivery"
    empty = Empty(_("Nothing sent yet"), _("Each message to a webhook and its result appears here."), icon="webhook")

    def queryset(self) -> QuerySet[WebhookDelivery]:
        return deliveries_visible_to(self.user).select_related("endpoint").defer("body")


def result_of(row: Any) -> str:
    """Say how a call ended, with the status of its answer."""
    parts = [str(row.get_failure_display()) if row.failure else "", str(row.status_code or "")]
    return " · ".join(part for part in parts if part)
