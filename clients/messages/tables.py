"""Lists of threads, of e-mails from unknown senders, and of suppressed addresses."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.filters import YES_NO, brands_in_reach
from clients.messages.choices import IncomingState, SenderProof, SuppressionReason
from clients.messages.policies import ASSIGNS, LIFTS
from clients.messages.queries import suppressions_visible_to, threads_visible_to, unknown_visible_to
from clients.models import IncomingMail, MailThread, Suppression
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


class ThreadFilter(django_filters.FilterSet):
    awaits_reply = django_filters.ChoiceFilter(choices=YES_NO, label=_("Awaiting reply"), method="filter_awaiting")

    class Meta:
        model = MailThread
        fields: list[str] = []

    def filter_awaiting(self, rows: QuerySet[MailThread], name: str, value: str) -> QuerySet[MailThread]:
        return rows.filter(awaits_reply=value == "1")


class ThreadTable(ClientCheckTable):
    name, title, permission = "mail-threads", _("E-mail threads"), "clients.view_client"
    subtitle = _("E-mails with the clients in your reach, as threads")
    default_order = "-last_at"
    columns = [
        Column("subject", _("Subject"), link=True, value=lambda row: str(row), place="name"),
        PersonColumn("client", _("Client")),
        YesNoColumn("awaits_reply", _("Awaiting reply")),
        Column("owner", _("Owner"), value=lambda row: str(row.client.owner or "–")),
        AgoColumn("last_at", _("Last e-mail"), sort=True),
    ]
    filterset = ThreadFilter
    quick_filters = [QuickFilter(_("Awaiting reply"), {"awaits_reply": "1"})]
    empty = Empty(_("No e-mails yet"), _("Threads appear here once you or a client write."), "mail")

    def queryset(self) -> QuerySet[MailThread]:
        return threads_visible_to(self.user).select_related("client__owner").defer("client__search_text")

    def row_url(self, row: MailThread) -> Any:
        return row.get_absolute_url()


class UnknownMailFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(
        choices=[(one.value, one.label) for one in (IncomingState.UNASSIGNED, IncomingState.DISCARDED)],
        label=_("State"),
    )
    proof = django_filters.MultipleChoiceFilter(choices=SenderProof.choices, label=_("Sender"))

    class Meta:
        model = IncomingMail
        fields: list[str] = []


class UnknownMailTable(Table):
    name, title, permission = "unassigned-mail", _("Unassigned e-mails"), ASSIGNS
    subtitle = _("E-mails of which nothing proves whose they are")
    default_order = "-received_at"
    columns = [
        Column("subject", _("Subject"), link=True, value=lambda row: str(row), place="name"),
        Column("from_address", _("From"), css="clip"),
        BadgeColumn("proof", _("Sender")),
        Column("brand", _("Brand"), value="brand.name"),
        BadgeColumn("state", _("State")),
        TimeColumn("received_at", _("Received"), sort=True),
    ]
    filterset = UnknownMailFilter
    quick_filters = [
        QuickFilter(_("Unassigned"), {"state": IncomingState.UNASSIGNED}),
        QuickFilter(_("Discarded"), {"state": IncomingState.DISCARDED}),
    ]
    search_hint = _("E-mail address")
    export_permission = None
    empty = Empty(_("No unassigned e-mails"), _("E-mails that match no client wait here for you."), "inbox")

    def queryset(self) -> QuerySet[IncomingMail]:
        rows = unknown_visible_to(self.user).select_related("brand")
        rows = rows if self.params.get("state") else rows.filter(state=IncomingState.UNASSIGNED)
        return rows.defer("body_sealed", "body_for_client")

    def search(self, queryset: QuerySet[Any], query: str) -> QuerySet[Any]:
        return queryset.filter(from_address=query.strip().lower())

    def row_url(self, row: IncomingMail) -> Any:
        return row.get_absolute_url()


class SuppressionFilter(django_filters.FilterSet):
    reason = django_filters.MultipleChoiceFilter(choices=SuppressionReason.choices, label=_("Reason"))
    brand = django_filters.ModelChoiceFilter(label=_("Brand"), queryset=brands_in_reach)
    is_lifted = django_filters.ChoiceFilter(choices=YES_NO, label=_("Lifted"), method="filter_lifted")

    class Meta:
        model = Suppression
        fields: list[str] = []

    def filter_lifted(self, rows: QuerySet[Suppression], name: str, value: str) -> QuerySet[Suppression]:
        return rows.filter(lifted_at__isnull=value == "0")


class SuppressionTable(Table):
    name, title, permission = "suppressions", _("Suppression list"), LIFTS
    subtitle = _("Addresses that get no e-mail: bounced, complained, unsubscribed, or added manually")
    default_order = "-added_at"
    columns = [
        Column("address", _("E-mail address"), link=True, place="name"),
        Column("reason", _("Reason"), value="get_reason_display"),
        Column("detail", _("Detail"), css="clip muted"),
        Column("brand", _("Brand"), value="brand.name"),
        Column("added_by", _("Added by"), value=lambda row: str(row.added_by or "Keelson")),
        TimeColumn("added_at", _("Since"), sort=True),
        TimeColumn("lifted_at", _("Lifted")),
    ]
    filterset = SuppressionFilter
    quick_filters = [QuickFilter(_("In force"), {"is_lifted": "0"})]
    search_hint = _("E-mail address")
    export_permission = None
    empty = Empty(_("No suppressed addresses"), _("Addresses that bounce or complain are listed here."), "ban")

    def queryset(self) -> QuerySet[Suppression]:
        return suppressions_visible_to(self.user).select_related("brand", "added_by")

    def search(self, queryset: QuerySet[Any], query: str) -> QuerySet[Any]:
        return queryset.filter(address=query.strip().lower())

    def row_url(self, row: Suppression) -> Any:
        return f"/mail/suppressions/{row.pk}/"
