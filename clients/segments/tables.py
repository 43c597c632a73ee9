"""The list of segments."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from clients.filters import YES_NO, brands_in_reach
from clients.models import Segment
from clients.models.segments import SegmentKind
from clients.segments.policies import sees_size, segments_visible_to
from crm.i18n import formats
from crm.ui.tables import AgoColumn, BadgeColumn, Column, DateColumn, Empty, QuickFilter, Table


class SegmentFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=SegmentKind.choices)
    brand = django_filters.ModelChoiceFilter(label=_("Brand"), queryset=brands_in_reach)
    is_archived = django_filters.ChoiceFilter(label=_("Archived"), choices=YES_NO, method="filter_archived")

    class Meta:
        model = Segment
        fields: list[str] = []

    def filter_archived(self, rows: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        return rows.filter(archived_at__isnull=value == "0")


def size_for(row: Segment, table: Table) -> str:
    """Write how many of the brand are in the segment, for who reaches the whole brand."""
    return formats.number(row.size) if row.refreshed_at and sees_size(table.user, row.brand_id) else "–"


class SegmentTable(Table):
    """Segments of the brands in reach; archived ones only where somebody asks for them."""

    name, title, permission = "segments", _("Segments"), "clients.view_client"
    subtitle = _("Named sets of leads and clients, kept up to date by their conditions or picked by hand.")
    columns = [
        Column("name", _("Name"), link=True, place="name"),
        BadgeColumn("kind", _("Kind")),
        Column("size", _("Records"), value=lambda row: row.size, render=size_for, css="end", place="figure"),
        Column("description", _("Description"), css="clip", place="rest"),
        Column("brand", _("Brand")),
        AgoColumn("refreshed_at", _("Updated")),
        DateColumn("created_at", _("Created")),
        Column("created_by", _("Created by"), hidden=True),
    ]
    filterset = SegmentFilter
    quick_filters = [
        QuickFilter(_("By conditions"), {"kind": "rule"}),
        QuickFilter(_("Fixed lists"), {"kind": "list"}),
        QuickFilter(_("Archived"), {"is_archived": "1"}),
    ]
    search_fields = ["name", "description"]
    search_hint = _("Name or description")
    empty = Empty(
        _("No segments yet"),
        _("A segment keeps everyone who meets your conditions, and notes who enters and who leaves."),
        icon="tag",
        action=_("New segment"),
        url_name="segment_new",
        permission="clients.manage_segment",
    )

    def queryset(self) -> QuerySet[Any]:
        rows = segments_visible_to(self.user).select_related("brand", "created_by")
        return rows if self.params.get("is_archived") else rows.filter(archived_at=None)
