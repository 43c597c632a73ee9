"""The queue of second looks. It shows nothing that the machine found."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, PersonColumn, QuickFilter, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from kyc.choices import DocumentKind, SecondLookState
from kyc.models import SecondLook
from kyc.verdicts.second_looks import looks_visible_to


class SecondLookFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=SecondLookState.choices, label=_("State"))
    kind = django_filters.ChoiceFilter(choices=DocumentKind.choices, field_name="document__kind", label=_("Document"))

    class Meta:
        model = SecondLook
        fields: list[str] = []


class SecondLookTable(Table):
    name, title, permission = "kyc-second-looks", _("Second looks"), "kyc.review_document"
    subtitle = _("A sample of documents, judged again by an officer who doesn't see the first verdict")
    columns = [
        PersonColumn("client", _("Client"), value="document.client.full_name", key="document.client_id", link=True),
        Column("document", _("Document"), value="document.title"),
        BadgeColumn("state", _("State")),
        AgoColumn("opened_at", _("Opened"), sort=True, place="when"),
        *work_columns(),
        PersonColumn("decided_by", _("Decided by")),
        Column("brand", _("Brand"), value="document.client.brand.name", place="hide"),
    ]
    filterset = SecondLookFilter
    quick_filters = [
        QuickFilter(_("Open"), {"state": SecondLookState.OPEN}),
        QuickFilter(_("Disagreed"), {"state": SecondLookState.DISAGREED}),
        *WORK_QUICK_FILTERS,
    ]
    bulk_actions = (assign_action("kyc:second_looks_assign"),)
    default_order = "-opened_at"
    search_hint = _("Client")
    export_permission = None
    empty = Empty(_("No second looks"), _("Documents that the policy's sample draws appear here."), "eye")

    def queryset(self) -> QuerySet[SecondLook]:
        return looks_visible_to(self.user).select_related(
            "document__client__brand", "work__claimed_by", "work__assigned_to", "decided_by"
        )

    def search(self, queryset: QuerySet[SecondLook], words: str) -> QuerySet[SecondLook]:
        for word in words.lower().split()[:4]:
            queryset = queryset.filter(document__client__search_text__contains=word)
        return queryset

    def row_url(self, row: SecondLook) -> Any:
        return row.get_absolute_url()
