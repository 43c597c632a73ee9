"""The list of automations."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from clients.filters import brands_in_reach
from crm.ui.tables import BadgeColumn, Column, DateColumn, Empty, NumberColumn, QuickFilter, Table
from leads.automations.choices import AutomationState, RunState
from leads.automations.policies import MAKES, SEES, automations_visible_to
from leads.models import Automation, AutomationRun


class AutomationFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(label=_("Status"), choices=AutomationState.choices)
    brand = django_filters.ModelChoiceFilter(label=_("Brand"), queryset=brands_in_reach)

    class Meta:
        model = Automation
        fields: list[str] = []


class AutomationTable(Table):
    """Automations of the brands in reach; archived ones only where somebody asks for them."""

    name, title, permission = "automations", _("Automations"), SEES
    subtitle = _("What is done for clients when something happens, step by step.")
    columns = [
        Column("name", _("Name"), link=True, place="name"),
        BadgeColumn("state", _("Status"), place="state"),
        NumberColumn("open_runs", _("In progress"), place="figure"),
        Column("brand", _("Brand")),
        Column("version_number", _("Version"), value=lambda row: row.version.number if row.version else None),
        DateColumn("created_at", _("Created")),
        Column("created_by", _("Created by"), hidden=True),
    ]
    filterset = AutomationFilter
    quick_filters = [
        QuickFilter(_("Active"), {"state": "active"}),
        QuickFilter(_("Paused"), {"state": "paused"}),
        QuickFilter(_("Archived"), {"state": "archived"}),
    ]
    search_fields = ["name"]
    search_hint = _("Name")
    empty = Empty(
        _("No automations yet"),
        _("An automation writes e-mails, sets follow-ups and more when something happens. Begin with a template."),
        icon="workflow",
        action=_("New automation"),
        url_name="automation_new",
        permission=MAKES,
    )

    def queryset(self) -> QuerySet[Any]:
        runs = AutomationRun.objects.filter(automation=OuterRef("pk"), state=RunState.ACTIVE).order_by()
        counted = runs.values("automation").annotate(count=Count("id")).values("count")
        rows = automations_visible_to(self.user).select_related("brand", "version", "created_by")
        rows = rows.annotate(open_runs=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
        return rows if self.params.get("state") else rows.exclude(state=AutomationState.ARCHIVED)
