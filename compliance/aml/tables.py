"""Lists: rules, and cases."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Count, QuerySet
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from compliance.aml import measures, queries
from compliance.aml.choices import CaseState, VersionState
from compliance.aml.describing import sentence
from compliance.aml.models import AmlCase, AmlRule, AmlRuleVersion
from crm.ui.filters import WhenFilter
from crm.ui.keyset import Page
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, NumberColumn, PersonColumn, QuickFilter, Table
from crm.ui.work_columns import SECOND_QUICK_FILTER, WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns


class RuleFilter(django_filters.FilterSet):
    measure = django_filters.ChoiceFilter(choices=measures.choices, label=_("Measures"), method="of_measure")
    state = django_filters.ChoiceFilter(choices=VersionState.choices, label=_("State"), method="in_state")

    class Meta:
        model = AmlRule
        fields: list[str] = []

    def of_measure(self, rows: QuerySet[AmlRule], _name: str, value: str) -> QuerySet[AmlRule]:
        return rows.filter(pk__in=AmlRuleVersion.objects.filter(measure=value).values("rule"))

    def in_state(self, rows: QuerySet[AmlRule], _name: str, value: str) -> QuerySet[AmlRule]:
        return rows.filter(pk__in=AmlRuleVersion.objects.filter(state=value).values("rule"))


def _said(row: Any, table: Any) -> str:
    version = table.newest.get(row.newest_id)
    return sentence(version) if version else ""


def _state(row: Any, table: Any) -> Any:
    version = table.newest.get(row.newest_id)
    if version is None:
        return ""
    tones = {VersionState.DRAFT: "neutral", VersionState.SHADOW: "info", VersionState.LIVE: "success"}
    badge = format_html(
        '<span class="k-badge tone-{}">{}</span>', tones.get(version.state, "neutral"), version.get_state_display()
    )
    if row.live_number and version.state != VersionState.LIVE:
        live = _now("Version %(number)s live") % {"number": row.live_number}
        return format_html('<span class="k-badge tone-success">{}</span> {}', live, badge)
    return badge


class RuleTable(Table):
    name, title, permission = "aml-rules", _("AML rules"), queries.SEES_RULES
    subtitle = _("What raises an alert. A rule is tried out on history, runs in shadow, and goes live by two people.")
    columns = [
        Column("name", _("Rule"), value=str, sort="name", link=True),
        Column("says", _("Looks for"), render=_said, css="muted", export=False),
        Column("state", _("State"), render=_state, export=False),
        NumberColumn("alerts_lately", _("Alerts in 28 days")),
        Column("brand", _("Brand"), value="brand.name"),
        AgoColumn("created_at", _("Created"), sort=False, hidden=True),
    ]
    filterset, search_fields, default_order = RuleFilter, ["name"], "name"
    export_permission = None
    empty = Empty(_("No AML rules yet"), _("Add the recommended rules, or write one."), "radar")

    def queryset(self) -> QuerySet[AmlRule]:
        return queries.rules_with_figures(self.user)

    @cached_property
    def page(self) -> Page:
        page: Page = Table.page.func(self)  # type: ignore[attr-defined]
        ids = [row.newest_id for row in page.rows]  # type: ignore[attr-defined]
        self.newest = AmlRuleVersion.objects.select_related("rule__brand").in_bulk(ids)
        return page


class CaseFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=CaseState.choices, label=_("State"))
    opened = WhenFilter(field_name="opened_at", label=_("Opened"))

    class Meta:
        model = AmlCase
        fields: list[str] = []


class CaseTable(Table):
    name, title, permission = "aml-cases", _("AML cases"), queries.SEES_CASES
    subtitle = _("Alerts about a client come together in one case. The highest score comes first.")
    columns = [
        Column("case", _("Case"), value=str, link=True),
        PersonColumn("client", _("Client"), value="client.full_name"),
        NumberColumn("score", _("Score"), sort=True),
        NumberColumn("alert_count", _("Alerts")),
        AgoColumn("last_alert_at", _("Last alert"), sort=False),
        BadgeColumn("state", _("State")),
        *work_columns(),
        Column("brand", _("Brand"), value="client.brand.name", hidden=True),
    ]
    filterset, default_order = CaseFilter, "-score"
    quick_filters = [
        QuickFilter(_("Open"), {"state": CaseState.OPEN}),
        *WORK_QUICK_FILTERS,
        SECOND_QUICK_FILTER,
        QuickFilter(_("Monitored"), {"state": CaseState.MONITORED}),
    ]
    bulk_actions = (assign_action("compliance:aml_assign"),)
    export_permission = None
    is_searchable = False
    empty = Empty(_("No AML cases"), _("A case opens when a live rule raises an alert."), "shield-check")

    def queryset(self) -> QuerySet[AmlCase]:
        return (
            queries.cases_visible_to(self.user)
            .select_related("client__brand", "work__claimed_by", "work__assigned_to")
            .annotate(alert_count=Count("alerts"))
        )
