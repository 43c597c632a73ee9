"""The queue of clients who ask to be professional."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import AgoColumn, BadgeColumn, Column, CountryColumn, Empty, PersonColumn, QuickFilter, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from kyc.categories import policies
from kyc.categories.choices import RequestState
from kyc.categories.models import CategoryRequest
from kyc.categories.requests import requests_visible_to


class RequestFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=RequestState.choices, label=_("State"))

    class Meta:
        model = CategoryRequest
        fields: list[str] = []


class CategoryRequestTable(Table):
    name, title, permission = "category-requests", _("Client category requests"), policies.SEES
    subtitle = _("Clients who ask to be treated as professionals")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        BadgeColumn("wanted", _("Category")),
        BadgeColumn("state", _("State")),
        Column("criteria", _("Criteria"), render=lambda row, _table: str(len(row.criteria))),
        AgoColumn("requested_at", _("Requested")),
        *work_columns(),
        CountryColumn("country", _("Country"), value="client.country"),
        Column("brand", _("Brand"), value="client.brand.name", place="hide"),
    ]
    filterset, default_order = RequestFilter, "-requested_at"
    quick_filters = [QuickFilter(_("Under review"), {"state": RequestState.OPEN}), *WORK_QUICK_FILTERS]
    bulk_actions = (assign_action("kyc:category_assign"),)
    export_permission = None
    empty = Empty(_("No requests"), _("Requests that clients send from the portal appear here."), "briefcase")

    def queryset(self) -> QuerySet[CategoryRequest]:
        return requests_visible_to(self.user).select_related("client__brand", "work__claimed_by", "work__assigned_to")
