"""The circle's list of reports."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from compliance.aml.queries import SEES_REPORTS
from compliance.sar import circle
from compliance.sar.choices import ReportState
from compliance.sar.models import SuspicionReport
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, PersonColumn, QuickFilter, Table


class ReportFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=ReportState.choices, label=_("State"))

    class Meta:
        model = SuspicionReport
        fields: list[str] = []


class ReportTable(Table):
    name, title, permission = "suspicion-reports", _("Suspicion reports"), SEES_REPORTS
    subtitle = _("Seen by the MLRO's circle alone. Don't mention a report to anyone else: that is tipping-off.")
    columns = [
        Column("report", _("Report"), value=str, link=True),
        PersonColumn("client", _("Client"), value="client.full_name"),
        Column("case", _("Case"), value=lambda row: str(row.case)),
        BadgeColumn("state", _("State")),
        PersonColumn("written_by", _("Written by")),
        AgoColumn("written_at", _("Written"), sort=False),
        Column("fiu_reference", _("FIU reference")),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset, default_order = ReportFilter, "-id"
    quick_filters = [
        QuickFilter(_("Awaiting approval"), {"state": ReportState.IN_REVIEW}),
        QuickFilter(_("To file"), {"state": ReportState.APPROVED}),
    ]
    export_permission = None
    is_searchable = False
    empty = Empty(_("No reports"), _("Draft one on the page of an AML case."), "shield-check")

    def queryset(self) -> QuerySet[SuspicionReport]:
        return circle.reports_visible_to(self.user).select_related("client__brand", "case", "written_by")
