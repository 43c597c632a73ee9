"""What every queue of work shows in its list: who has an item, its priority and its clock, with the filters for them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import django_filters
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm import work
from crm.choices import WorkPriority
from crm.ui.columns import DASH
from crm.ui.tables import BulkAction, Column, QuickFilter, Table
from crm.work.assigning import RIGHT
from crm.work.queries import clock_of

# What is due within it is marked before it is late.
SOON = dt.timedelta(hours=2)


class WorkFilter(django_filters.FilterSet):
    """Filters of a table whose rows have `work`."""

    whose = django_filters.ChoiceFilter(
        choices=[("mine", _("Me")), ("free", _("Unclaimed"))], label=_("Claimed by"), method="claimed_by"
    )
    assigned = django_filters.ChoiceFilter(
        choices=[("me", _("Me")), ("nobody", _("Unassigned"))], label=_("Assigned to"), method="assigned_to"
    )
    priority = django_filters.ChoiceFilter(
        choices=WorkPriority.choices, field_name="work__priority", label=_("Priority")
    )
    clock = django_filters.ChoiceFilter(
        choices=[("late", _("Late")), ("soon", _("In two hours")), ("later", _("Later"))],
        label=_("Due"),
        method="by_clock",
    )
    second = django_filters.ChoiceFilter(
        choices=[("waiting", _("Awaiting second approval"))], label=_("Second approval"), method="awaiting_second"
    )

    def claimed_by(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        now, user = timezone.now(), self.request.user
        if value == "mine":
            return rows.filter(work__claimed_by=user, work__claimed_until__gt=now)
        return rows.filter(work.is_free(None, now, path="work__"))

    def assigned_to(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        return rows.filter(work__assigned_to=self.request.user if value == "me" else None)

    def awaiting_second(self, rows: QuerySet[Any], _name: str, _value: str) -> QuerySet[Any]:
        return rows.filter(work__state="open", work__proposed_by__isnull=False)

    def by_clock(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        now = timezone.now()
        if value == "soon":
            return rows.filter(work__state="open", work__due_at__gte=now, work__due_at__lt=now + SOON)
        if value == "later":
            return rows.filter(work__state="open", work__due_at__gte=now + SOON)
        decided = F("work__decided_at")
        return rows.filter(work__state="open", work__due_at__lt=now) | rows.filter(work__due_at__lt=decided)


def claim_cell(row: Any, table: Table) -> Any:
    """Name who is working on a row: "You" or a colleague."""
    item = row.work
    if item is None:
        return ""
    if item.claimed_until is not None and item.claimed_until > table.now:
        return gettext("You") if item.claimed_by_id == table.user.pk else str(item.claimed_by)
    return ""


def clock_cell(row: Any, table: Table) -> Any:
    """Show how much working time is left, or by how much a row is late; a priority that isn't the normal one; a proposal."""
    item = row.work
    if item is None or item.state != "open":
        return DASH
    clock = clock_of(item, item.brand if item.client_id is None else row.client.brand, table.now)
    priority = ""
    if item.priority != WorkPriority.NORMAL:
        tone = "danger" if item.priority > WorkPriority.NORMAL else "neutral"
        priority = format_html(' <span class="k-badge tone-{}">{}</span>', tone, item.get_priority_display())
    second = ""
    if item.awaits_second:
        second = format_html(' <span class="k-badge tone-accent">{}</span>', gettext("Awaiting second approval"))
    css = "neg" if clock.is_late else ""
    return format_html('<span class="nowrap {}">{}</span>{}{}', css, clock.text, priority, second)


def work_columns(*, sort_due: bool = False) -> list[Column]:
    """List the columns of a queue; the table reads `work__claimed_by` and `work__assigned_to` along.

    sort_due: for queues that are short enough to be sorted by what no index holds.
    """
    return [
        Column("due", _("Due"), render=clock_cell, export=False, sort="work__due_at" if sort_due else False),
        Column("claimed_by", _("Claimed by"), render=claim_cell),
        Column("assigned_to", _("Assigned to"), value="work.assigned_to"),
    ]


WORK_QUICK_FILTERS = [
    QuickFilter(_("Claimed by me"), {"whose": "mine"}),
    QuickFilter(_("Unclaimed"), {"whose": "free"}),
    QuickFilter(_("Assigned to me"), {"assigned": "me"}),
    QuickFilter(_("Late"), {"clock": "late"}),
]
# For queues in which an outcome may need a second person.
SECOND_QUICK_FILTER = QuickFilter(_("Awaiting second approval"), {"second": "waiting"})


def assign_action(url_name: str) -> BulkAction:
    """Make the bulk action that opens the preview of an assignment."""
    return BulkAction("assign", _("Assign"), url_name, RIGHT, icon="user-check")
