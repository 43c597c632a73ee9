"""The list of relations that ended, and of those whose time is over."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.html import format_html
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from compliance.models import ClosedRelation, LegalHold
from compliance.retention import RIGHT
from compliance.retention.periods import due_on, only_due, relations_visible_to
from crm.brand_policies.registry import today
from crm.ui.tables import Column, DateColumn, Empty, PersonColumn, QuickFilter, Table, TimeColumn

STATES = [("due", _("Due")), ("kept", _("Kept")), ("held", _("Legal hold")), ("erased", _("Erased"))]


IS_HELD = Exists(LegalHold.objects.filter(client=OuterRef("client"), lifted_at=None))


class RetentionFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=STATES, label=_("State"), method="in_state")

    class Meta:
        model = ClosedRelation
        fields: list[str] = []

    def in_state(self, rows: QuerySet[ClosedRelation], _name: str, value: str) -> QuerySet[ClosedRelation]:
        if value == "due":
            return only_due(rows).exclude(IS_HELD)
        if value == "held":
            return rows.filter(IS_HELD)
        if value == "erased":
            return rows.filter(erased_at__isnull=False)
        return rows.filter(erased_at=None).exclude(IS_HELD).exclude(pk__in=only_due(rows).values("pk"))


def state_of(row: ClosedRelation, _table: Table) -> str:
    """Say where a relation stands."""
    if row.erased_at is not None:
        tone, text = "secondary", _now("Erased")
    elif row.is_held:  # type: ignore[attr-defined]  # annotated
        tone, text = "orange", _now("Legal hold")
    elif due_on(row) <= today(row.brand):
        tone, text = "azure", _now("Due")
    else:
        tone, text = "secondary", _now("Kept")
    return format_html('<span class="badge bg-{}-lt">{}</span>', tone, text)


class RetentionTable(Table):
    name, title, permission = "retention", _("Retention"), RIGHT
    subtitle = _(
        "Clients whose relation ended, and from when their records may be erased. Erasing a client takes two people."
    )
    columns = [
        PersonColumn("client", _("Client"), value="client.full_name", link=True),
        DateColumn("ended_on", _("Relation ended")),
        DateColumn("due_on", _("Due"), value=due_on, sort=False),
        Column("state", _("State"), render=state_of),
        Column("brand", _("Brand"), value="brand.name"),
        TimeColumn("erased_at", _("Erased"), sort=False, hidden=True),
    ]
    filterset = RetentionFilter
    quick_filters = [QuickFilter(_("Due"), {"state": "due"}), QuickFilter(_("Legal hold"), {"state": "held"})]
    export_permission = None
    empty = Empty(_("No ended relations"), _("Clients appear here the day after their record was closed."), "archive")

    def queryset(self) -> QuerySet[ClosedRelation]:
        return relations_visible_to(self.user).annotate(is_held=IS_HELD).select_related("client", "brand")

    def row_url(self, row: ClosedRelation) -> str:
        return row.get_absolute_url()
