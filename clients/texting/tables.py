"""Lists of conversations by SMS and WhatsApp, of unknown numbers, and of the services' webhooks."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.filters import YES_NO
from clients.messages.policies import ASSIGNS, LIFTS
from clients.models import TextEvent, TextOptOut, TextThread
from clients.texting.choices import OptOutReason, TextChannel
from clients.texting.policies import READS
from clients.texting.queries import (
    opt_outs_visible_to,
    text_events_visible_to,
    text_threads_visible_to,
    unknown_texts_visible_to,
)
from crm.connections.tables import ClientCheckTable, WebhookTable
from crm.ui.tables import AgoColumn, Column, Empty, PersonColumn, QuickFilter, Table, TimeColumn, YesNoColumn


class TextThreadFilter(django_filters.FilterSet):
    awaits_reply = django_filters.ChoiceFilter(choices=YES_NO, label=_("Awaiting reply"), method="filter_awaiting")
    channel = django_filters.ChoiceFilter(choices=TextChannel.choices, label=_("Channel"))

    class Meta:
        model = TextThread
        fields: list[str] = []

    def filter_awaiting(self, rows: QuerySet[TextThread], name: str, value: str) -> QuerySet[TextThread]:
        return rows.filter(awaits_reply=value == "1")


class TextThreadTable(ClientCheckTable):
    name, title, permission = "text-threads", _("SMS and WhatsApp"), "clients.view_client"
    subtitle = _("Messages with the clients in your reach, by number")
    default_order = "-last_at"
    columns = [
        PersonColumn("client", _("Client"), link=True),
        Column("channel", _("Channel"), value="get_channel_display"),
        YesNoColumn("awaits_reply", _("Awaiting reply")),
        Column("owner", _("Owner"), value=lambda row: str(row.client.owner or "–")),
        AgoColumn("last_at", _("Last message"), sort=True),
    ]
    filterset = TextThreadFilter
    quick_filters = [QuickFilter(_("Awaiting reply"), {"awaits_reply": "1"})]
    empty = Empty(_("No messages yet"), _("Conversations appear here once you or a client write."), "send")

    def queryset(self) -> QuerySet[TextThread]:
        rows = text_threads_visible_to(self.user).exclude(client=None).select_related("client__owner")
        return rows.defer("client__search_text", "sealed", "for_client")

    def row_url(self, row: TextThread) -> Any:
        return row.get_absolute_url()


class UnknownTextFilter(django_filters.FilterSet):
    is_discarded = django_filters.ChoiceFilter(choices=YES_NO, label=_("Discarded"), method="filter_discarded")
    channel = django_filters.ChoiceFilter(choices=TextChannel.choices, label=_("Channel"))

    class Meta:
        model = TextThread
        fields: list[str] = []

    def filter_discarded(self, rows: QuerySet[TextThread], name: str, value: str) -> QuerySet[TextThread]:
        return rows.filter(discarded_at__isnull=value == "0")


class UnknownTextTable(Table):
    name, title, permission = "unassigned-texts", _("Unassigned messages"), ASSIGNS
    subtitle = _("SMS and WhatsApp messages from numbers that no client has")
    default_order = "-last_at"
    columns = [
        TimeColumn("last_at", _("Last message"), sort=True, link=True),
        Column("channel", _("Channel"), value="get_channel_display"),
        Column("brand", _("Brand"), value="brand.name"),
        Column("discard_reason", _("Discarded"), css="clip muted"),
    ]
    filterset = UnknownTextFilter
    quick_filters = [QuickFilter(_("Discarded"), {"is_discarded": "1"})]
    export_permission = None
    empty = Empty(_("No unassigned messages"), _("Messages from unknown numbers wait here for you."), "inbox")

    def queryset(self) -> QuerySet[TextThread]:
        rows = unknown_texts_visible_to(self.user).select_related("brand")
        rows = rows if self.params.get("is_discarded") else rows.filter(discarded_at=None)
        return rows.defer("sealed", "for_client")

    def row_url(self, row: TextThread) -> Any:
        return row.get_absolute_url()


class TextOptOutFilter(django_filters.FilterSet):
    channel = django_filters.ChoiceFilter(choices=TextChannel.choices, label=_("Channel"))
    reason = django_filters.MultipleChoiceFilter(choices=OptOutReason.choices, label=_("Reason"))
    is_lifted = django_filters.ChoiceFilter(choices=YES_NO, label=_("Lifted"), method="filter_lifted")

    class Meta:
        model = TextOptOut
        fields: list[str] = []

    def filter_lifted(self, rows: QuerySet[TextOptOut], name: str, value: str) -> QuerySet[TextOptOut]:
        return rows.filter(lifted_at__isnull=value == "0")


class TextOptOutTable(Table):
    name, title, permission = "text-opt-outs", _("Numbers without messages"), LIFTS
    subtitle = _("Numbers that get no SMS or WhatsApp messages: opted out, or added manually")
    default_order = "-added_at"
    columns = [
        Column("client", _("Client"), link=True, value=lambda row: row.client_name or "–", place="name"),
        Column("channel", _("Channel"), value="get_channel_display"),
        Column("reason", _("Reason"), value="get_reason_display"),
        Column("brand", _("Brand"), value="brand.name"),
        Column("added_by", _("Added by"), value=lambda row: str(row.added_by or "Keelson")),
        TimeColumn("added_at", _("Since"), sort=True),
        TimeColumn("lifted_at", _("Lifted")),
        Column("lift_reason", _("Reason for lifting"), css="clip muted"),
    ]
    filterset = TextOptOutFilter
    quick_filters = [QuickFilter(_("In force"), {"is_lifted": "0"})]
    export_permission = None
    empty = Empty(_("No numbers opted out"), _("A number that replies STOP is listed here."), "ban")

    def queryset(self) -> QuerySet[TextOptOut]:
        return opt_outs_visible_to(self.user).select_related("brand", "added_by")

    def row_url(self, row: Any) -> Any:
        return f"/sms/threads/{row.thread}/" if row.thread is not None else None


class TextEventTable(WebhookTable):
    name, title, permission = "text-events", _("SMS webhooks"), READS
    subtitle = _("Every message from SMS services as received")

    def queryset(self) -> QuerySet[TextEvent]:
        return text_events_visible_to(self.user).select_related("connection")
