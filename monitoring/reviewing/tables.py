"""The reporting officer's queue of escalated alerts."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import AgoColumn, BadgeColumn, Column, DateColumn, Empty, PersonColumn, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from monitoring.choices import EscalationState
from monitoring.models import Escalation
from monitoring.reviewing.escalating import RIGHT, escalations_visible_to


class EscalationFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=EscalationState.choices, label=_("State"))

    class Meta:
        model = Escalation
        fields: list[str] = []


class EscalationTable(Table):
    """Those that wait, and decided ones by filter."""

    name, title, permission = "monitoring.escalations", _("Escalated agent alerts"), RIGHT
    subtitle = _("Alerts about agents that their reviewers passed on to the reporting officer")
    columns = [
        PersonColumn("agent", _("Agent"), link=True),
        DateColumn("day", _("Day"), value="alert.day", sort=False),
        BadgeColumn("state", _("State")),
        AgoColumn("raised_at", _("Escalated"), sort=False),
        Column("raised_by", _("Escalated by")),
        *work_columns(),
        PersonColumn("decided_by", _("Decided by")),
    ]
    filterset = EscalationFilter
    quick_filters = [*WORK_QUICK_FILTERS]
    bulk_actions = (assign_action("monitoring_escalation_assign"),)
    is_searchable = False
    export_permission = None
    empty = Empty(_("No escalated alerts"), _("An alert appears here when its reviewer escalates it."), "shield-check")

    def queryset(self) -> QuerySet[Escalation]:
        rows = escalations_visible_to(self.user).select_related(
            "agent", "alert", "raised_by", "decided_by", "work__brand", "work__claimed_by", "work__assigned_to"
        )
        return rows if self.params.get("state") else rows.filter(state=EscalationState.OPEN)
