"""The list of anomalies, with its filters."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.filters import WhenFilter
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, QuickFilter, Table
from crm.ui.work_columns import WORK_QUICK_FILTERS, WorkFilter, assign_action, work_columns
from monitoring.anomalies.queue import READ_ALONG, SEES, anomalies_visible_to
from monitoring.anomalies.sentences import facts_of, how_rare, in_words, subject_of
from monitoring.anomalies.signals import SIGNALS
from monitoring.choices import AnomalyState, Watched
from monitoring.models import Anomaly

ABOUT = {"clients": _("Clients"), "partners": _("Partners"), "operations": _("Operations")}


class AnomalyFilter(WorkFilter):
    state = django_filters.ChoiceFilter(choices=AnomalyState.choices, label=_("State"))
    about = django_filters.ChoiceFilter(choices=list(ABOUT.items()), label=_("About"), method="by_subject")
    signal = django_filters.ChoiceFilter(choices=Watched.choices, label=_("Signal"))
    raised = WhenFilter(field_name="raised_at", label=_("Raised"))

    class Meta:
        model = Anomaly
        fields: list[str] = []

    def by_subject(self, rows: QuerySet[Anomaly], _name: str, value: str) -> QuerySet[Anomaly]:
        if value == "operations":
            return rows.filter(client__isnull=True, partner__isnull=True)
        return rows.filter(**{f"{'client' if value == 'clients' else 'partner'}__isnull": False})


class AnomalyTable(Table):
    """Those that wait, and decided ones by filter."""

    name, title, permission = "monitoring.anomalies", _("Anomalies"), SEES
    subtitle = _("Figures of clients, partners and operations that are far from their own baseline")
    columns = [
        Column("subject", _("About"), render=lambda row, table: subject_text(row), link=True, place="name"),
        Column("why", _("What was seen"), render=lambda row, table: in_words(facts_of(row)), css="clip"),
        Column("rare", _("How rare"), render=lambda row, table: rare(row)),
        BadgeColumn("state", _("State")),
        AgoColumn("raised_at", _("Raised"), sort=False),
        AgoColumn("recovered_at", _("Back to normal"), sort=False, place="rest"),
        *work_columns(),
        Column("decided_by", _("Decided by"), hidden=True),
    ]
    filterset = AnomalyFilter
    quick_filters = [
        QuickFilter(ABOUT["clients"], {"about": "clients"}),
        QuickFilter(ABOUT["partners"], {"about": "partners"}),
        QuickFilter(ABOUT["operations"], {"about": "operations"}),
        *WORK_QUICK_FILTERS,
    ]
    bulk_actions = (assign_action("monitoring_anomaly_assign"),)
    is_searchable = False
    export_permission = None
    empty = Empty(
        _("No anomalies"), _("Clients, partners and operations are close to their own baselines."), "circle-check"
    )

    def queryset(self) -> QuerySet[Anomaly]:
        rows = anomalies_visible_to(self.user).select_related(
            *READ_ALONG, "decided_by", "work__brand", "work__claimed_by", "work__assigned_to"
        )
        return rows if self.params.get("state") else rows.filter(state=AnomalyState.OPEN)


def subject_text(row: Anomaly) -> str:
    """Name the subject in the reader's language."""
    return str(subject_of(row))


def rare(row: Anomaly) -> str:
    """Write how rare it is."""
    return how_rare(row.probability, is_service=SIGNALS[Watched(row.signal)].is_service)
