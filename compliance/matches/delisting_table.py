"""The queue of delisted true matches."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.matches.delisting import RIGHT, delistings_visible_to
from compliance.models import Delisting, DelistingState
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, PersonColumn, Table
from crm.ui.work_columns import SECOND_QUICK_FILTER, WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns


class DelistingFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=DelistingState.choices, label=_("State"))

    class Meta:
        model = Delisting
        fields: list[str] = []


class DelistingTable(Table):
    """Those that wait, and decided ones by filter."""

    name, title, permission = "screening-delistings", _("Delisted true matches"), RIGHT
    subtitle = _("True matches whose entry was removed from its list. The restriction stays until it is lifted here.")
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        Column("entry", _("Listed as"), value="hit.entry.primary_name"),
        Column("source", _("List"), value="hit.entry.source.name"),
        BadgeColumn("state", _("State")),
        AgoColumn("opened_at", _("Removed"), sort=False),
        *work_columns(),
        PersonColumn("decided_by", _("Decided by")),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset = DelistingFilter
    quick_filters = [*WORK_QUICK_FILTERS, SECOND_QUICK_FILTER]
    bulk_actions = (assign_action("compliance:delisting_assign"),)
    export_permission = None
    empty = Empty(
        _("No delisted true matches"),
        _("A true match appears here when its entry is removed from the list."),
        "list-checks",
    )

    def queryset(self) -> QuerySet[Delisting]:
        rows = delistings_visible_to(self.user).select_related(
            "client__brand", "hit__entry__source", "decided_by", "work__claimed_by", "work__assigned_to"
        )
        return rows if self.params.get("state") else rows.filter(state=DelistingState.OPEN)
