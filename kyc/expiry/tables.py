"""The list of documents that expire soon or have expired: whom to chase, and until when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from crm.ui.tables import BadgeColumn, Column, DateColumn, Empty, NumberColumn, PersonColumn, QuickFilter, Table
from kyc import queries
from kyc.choices import DocumentKind, DocumentState
from kyc.models import Document

AHEAD_DAYS_MAX = 180
SOON_DAYS = 7
WITHIN = [("7", _("In 7 days")), ("30", _("In 30 days")), ("60", _("In 60 days")), ("expired", _("Expired"))]


class ExpiryFilter(django_filters.FilterSet):
    within = django_filters.ChoiceFilter(choices=WITHIN, label=_("Expires"), method="expiring_within")
    kind = django_filters.ChoiceFilter(choices=DocumentKind.choices, label=_("Document"))
    mine = django_filters.ChoiceFilter(choices=[("1", _("Mine"))], label=_("Agent"), method="of_my_clients")

    class Meta:
        model = Document
        fields: list[str] = []

    def expiring_within(self, rows: QuerySet[Document], _name: str, value: str) -> QuerySet[Document]:
        if value == "expired":
            return rows.filter(state=DocumentState.EXPIRED)
        last = timezone.now().date() + dt.timedelta(days=int(value))
        return rows.filter(state=DocumentState.APPROVED, expires_on__lte=last)

    def of_my_clients(self, rows: QuerySet[Document], _name: str, _value: str) -> QuerySet[Document]:
        return rows.filter(client__owner=self.request.user)


def days_left(row: Document, table: Table) -> Any:
    """Write how many days a document is still valid; red in the last week and after."""
    assert row.expires_on is not None
    days = (row.expires_on - table.now.date()).days
    text = ngettext("%(n)s day", "%(n)s days", abs(days)) % {"n": abs(days)}
    shown = text if days >= 0 else _now("expired %(time)s ago") % {"time": text}
    return format_html('<span class="{}">{}</span>', "neg" if days <= SOON_DAYS else "", shown)


class ExpiringTable(Table):
    """Approved documents with an end in the next half year, and expired ones that were not replaced."""

    name, title, permission = "kyc-expiring", _("Expiring documents"), "kyc.view_document"
    subtitle = _("Documents that expire soon, or have expired without a new one")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("title", _("Document")),
        BadgeColumn("state", _("State")),
        DateColumn("expires_on", _("Expires"), sort=True, place="when"),
        Column("days_left", _("Days left"), render=days_left, export=False),
        NumberColumn("level", _("KYC level"), value="client.kyc_level", digits=0, css="center"),
        PersonColumn("owner", _("Agent"), value="client.owner"),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset = ExpiryFilter
    quick_filters = [QuickFilter(label, {"within": value}) for value, label in WITHIN]
    default_order = "expires_on"
    search_hint = _("Client")
    export_permission = None
    empty = Empty(
        _("No expiring documents"), _("Documents appear here half a year before they expire."), "calendar-clock"
    )

    def queryset(self) -> QuerySet[Document]:
        last = timezone.now().date() + dt.timedelta(days=AHEAD_DAYS_MAX)
        rows = queries.documents_visible_to(self.user).filter(
            Q(state=DocumentState.APPROVED, settled_at__isnull=False) | Q(state=DocumentState.EXPIRED),
            expires_on__lte=last,
        )
        return rows.select_related("client__brand", "client__owner")

    def search(self, queryset: QuerySet[Document], words: str) -> QuerySet[Document]:
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(client__search_text__contains=word)
        return queryset
