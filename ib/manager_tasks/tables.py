"""The list of tasks about partners."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from crm.ui.tables import Column, Empty, PersonColumn, QuickFilter, Table, TimeColumn
from ib.manager_tasks.partner_tasks import tasks_visible_to
from ib.models import PartnerTask

OPEN, OVERDUE, DONE = "open", "overdue", "done"


class TaskFilter(django_filters.FilterSet):
    of = django_filters.ChoiceFilter(choices=[("mine", _("Me"))], label=_("Assigned to"), method="of_person")
    state = django_filters.ChoiceFilter(
        choices=[(OPEN, _("Open")), (OVERDUE, _("Overdue")), (DONE, _("Done"))], label=_("State"), method="in_state"
    )
    due = django_filters.DateFromToRangeFilter(field_name="due_on", label=_("Due"))
    partner = django_filters.CharFilter(field_name="partner__code", label=_("Partner code"))

    class Meta:
        model = PartnerTask
        fields = ["of", "state", "due", "partner"]

    def of_person(self, rows: QuerySet[PartnerTask], name: str, whose: str) -> QuerySet[PartnerTask]:
        return rows.filter(assignee=self.request.user)

    def in_state(self, rows: QuerySet[PartnerTask], name: str, state: str) -> QuerySet[PartnerTask]:
        if state == DONE:
            return rows.filter(done_at__isnull=False)
        rows = rows.filter(done_at__isnull=True)
        return rows.filter(due_on__lt=timezone.localdate()) if state == OVERDUE else rows


def due_day(row: PartnerTask, table: Table) -> str:
    """Write the day that a task is due, marked where it is over."""
    is_late = row.done_at is None and row.due_on < timezone.localdate()
    return format_html('<span class="nowrap {}">{}</span>', "neg" if is_late else "", formats.day(row.due_on))


def partner_link(row: PartnerTask, table: Table) -> str:
    """Link to the partner."""
    return format_html('<a href="{}">{}</a>', row.partner.get_absolute_url(), row.partner.name)


class TaskTable(Table):
    """What is to be done for partners."""

    name, title, permission = "ib.tasks", _("Partner tasks"), "ib.view_partner"
    subtitle = _("What is to be done for partners, by whom and when")
    columns = [
        Column("title", _("Task"), link=True),
        Column("partner", _("Partner"), render=partner_link, value="partner.name"),
        Column("due_on", _("Due"), render=due_day, sort="due_on"),
        PersonColumn("assignee", _("Assigned to"), value="assignee", key="assignee_id"),
        TimeColumn("done_at", _("Done")),
        Column("result", _("Result"), css="clip"),
    ]
    filterset = TaskFilter
    quick_filters = [
        QuickFilter(_("Mine"), {"of": "mine", "state": OPEN}),
        QuickFilter(_("Open"), {"state": OPEN}),
        QuickFilter(_("Overdue"), {"state": OVERDUE}),
        QuickFilter(_("Done"), {"state": DONE}),
    ]
    search_fields = ["title", "partner__name"]
    search_hint = _("Task or partner")
    default_order = "due_on"
    row_url_name = "ib_task"
    empty = Empty(
        _("No tasks"),
        _("Tasks are added on a partner’s page, or for several partners in their list."),
        "clipboard-check",
    )

    def queryset(self) -> QuerySet[PartnerTask]:
        return tasks_visible_to(self.user).select_related("partner", "assignee")
