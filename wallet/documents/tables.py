"""The list of documents."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.models import Brand
from crm.security.scope import reach_of
from crm.ui.tables import Column, Empty, NumberColumn, PersonColumn, Table, TimeColumn
from crm.web.requests import UserRequest
from wallet.choices.documents import DocumentKind
from wallet.documents.store import HASH, documents_visible_to
from wallet.models import IssuedDocument


def _brands(request: UserRequest) -> Any:
    return Brand.objects.filter(pk__in=reach_of(request.user).brands)


class DocumentFilter(django_filters.FilterSet):
    kind = django_filters.MultipleChoiceFilter(choices=DocumentKind.choices, label=_("Kind"), distinct=False)
    brand = django_filters.ModelChoiceFilter(queryset=_brands, label=_("Brand"))
    made = django_filters.DateFromToRangeFilter(field_name="made_at", label=_("Created"))

    class Meta:
        model = IssuedDocument
        fields: list[str] = []


def _kind(row: IssuedDocument, _table: Table) -> str:
    return str(DocumentKind(row.kind).label)


def _period(row: IssuedDocument, _table: Table) -> str:
    return f"{row.first_day} – {row.last_day}" if row.first_day else ""


def _hash(row: IssuedDocument, _table: Table) -> str:
    return format_html('<span class="mono" title="{}">{}</span>', row.content_hash, row.content_hash[:12])


class DocumentTable(Table):
    name, title, permission = "wallet.documents", _("Issued documents"), "wallet.view_issueddocument"
    subtitle = _("Issued documents, each with the hash of its figures and of its file.")
    columns = [
        Column("title", _("Document"), link=True, css="nowrap"),
        Column("kind", _("Kind"), render=_kind, css="nowrap", hidden=True),
        PersonColumn("client", _("Client"), value="client.full_name", css="nowrap"),
        Column("brand", _("Brand"), value="brand.name", css="nowrap"),
        Column("period", _("Period"), render=_period, css="nowrap num"),
        Column("language", _("Language"), css="nowrap", hidden=True),
        Column("ending", _("File"), value=lambda row: row.get_ending_display(), css="nowrap"),
        NumberColumn("size_bytes", _("Bytes"), hidden=True),
        Column("content_hash", _("Figures"), render=_hash, css="nowrap"),
        Column("made_by", _("Created by"), css="nowrap"),
        TimeColumn("made_at", _("Created")),
    ]
    export_permission = "wallet.export_money"
    filterset = DocumentFilter
    row_url_name = "wallet:document"
    search_hint = _("Reference or hash")
    empty = Empty(
        _("No documents yet"), _("Statements, receipts, invoices and packs appear here once created."), "file-text"
    )

    def queryset(self) -> QuerySet[IssuedDocument]:
        return documents_visible_to(self.user).select_related("client", "brand", "made_by")

    def search(self, queryset: QuerySet[IssuedDocument], words: str) -> QuerySet[IssuedDocument]:
        """Find by a hash or its beginning, else by the subject: `D-4711`, `MERIDIAN-2026-000017`."""
        text = words.strip()
        if HASH.fullmatch(text.lower()):
            return queryset.filter(content_hash__startswith=text.lower()) | queryset.filter(
                sha256__startswith=text.lower()
            )
        return queryset.filter(subject__in=[f"{kind}:{text}" for kind in ("deposit", "invoice", "report", "month")])
