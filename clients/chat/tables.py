"""Lists of chats and of canned answers."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.chat.canned import answers_visible_to
from clients.chat.choices import ChatState
from clients.chat.policies import KEEPS_ANSWERS, READS
from clients.chat.queries import chats_visible_to
from clients.filters import YES_NO, brands_in_reach
from clients.models import CannedAnswer, Chat
from crm.connections.tables import ClientCheckTable
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    Empty,
    PersonColumn,
    QuickFilter,
    Table,
    TimeColumn,
    YesNoColumn,
)


class ChatFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=ChatState.choices, label=_("State"))
    awaits_reply = django_filters.ChoiceFilter(choices=YES_NO, label=_("Awaiting reply"), method="filter_awaiting")
    mine = django_filters.ChoiceFilter(choices=YES_NO, label=_("Answered by me"), method="filter_mine")

    class Meta:
        model = Chat
        fields: list[str] = []

    def filter_awaiting(self, rows: QuerySet[Chat], name: str, value: str) -> QuerySet[Chat]:
        return rows.filter(awaits_reply=value == "1")

    def filter_mine(self, rows: QuerySet[Chat], name: str, value: str) -> QuerySet[Chat]:
        mine = {"agent": self.request.user if self.request is not None else None}
        return rows.filter(**mine) if value == "1" else rows.exclude(**mine)


class ChatTable(ClientCheckTable):
    name, title, permission = "chats", _("Chats"), READS
    subtitle = _("Chats with the clients in your reach")
    default_order = "-last_at"
    columns = [
        PersonColumn("client", _("Client"), link=True),
        BadgeColumn("state", _("State")),
        YesNoColumn("awaits_reply", _("Awaiting reply")),
        Column("agent", _("Agent"), value=lambda row: str(row.agent or "–")),
        Column("desk", _("Desk"), value=lambda row: str(row.desk or "–")),
        Column("lines_count", _("Messages"), css="num"),
        TimeColumn("started_at", _("Started")),
        AgoColumn("last_at", _("Last message"), sort=True),
    ]
    filterset = ChatFilter
    quick_filters = [
        QuickFilter(_("Awaiting an agent"), {"state": ChatState.WAITING}),
        QuickFilter(_("Message left"), {"state": ChatState.MESSAGE}),
        QuickFilter(_("In progress"), {"state": ChatState.OPEN}),
    ]
    empty = Empty(_("No chats yet"), _("Chats appear here once a client writes in the portal."), "headset")

    def queryset(self) -> QuerySet[Chat]:
        return chats_visible_to(self.user).select_related("client", "agent", "desk").defer("client__search_text")

    def row_url(self, row: Chat) -> Any:
        return row.get_absolute_url()


class CannedAnswerFilter(django_filters.FilterSet):
    brand = django_filters.ModelChoiceFilter(label=_("Brand"), queryset=brands_in_reach)

    class Meta:
        model = CannedAnswer
        fields: list[str] = []


class CannedAnswerTable(Table):
    name, title, permission = "canned-answers", _("Canned answers"), KEEPS_ANSWERS
    subtitle = _("Ready answers for chats, per brand and language")
    default_order = "title"
    columns = [
        Column("title", _("Title"), link=True, sort=True, place="name"),
        Column("language", _("Language")),
        Column("brand", _("Brand"), value="brand.name"),
        Column("body", _("Text"), css="clip muted"),
        Column("changed_by", _("Changed by"), value=lambda row: str(row.changed_by)),
        TimeColumn("changed_at", _("Changed")),
    ]
    filterset = CannedAnswerFilter
    export_permission = None
    empty = Empty(_("No canned answers yet"), _("Write answers to what clients often ask."), "message-square")

    def queryset(self) -> QuerySet[CannedAnswer]:
        return answers_visible_to(self.user).select_related("brand", "changed_by")

    def row_url(self, row: CannedAnswer) -> Any:
        return f"/chats/answers/{row.pk}/"
