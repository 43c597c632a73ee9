"""What is due: how each kind is doing, what waits, what failed and can be run again, and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.choices import DueState
from crm.due import KINDS, replay, replay_each
from crm.due.kinds import label_of
from crm.due.queries import COUNT_MAX, figures
from crm.models import Brand, DueRow
from crm.pages.events import last_line
from crm.ui.actions import run_action
from crm.ui.tables import AgoColumn, BadgeColumn, BulkAction, Column, Empty, NumberColumn, Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest

PERMISSION = "crm.manage_events"


def _kinds() -> list[tuple[str, str]]:
    return sorted(((code, str(kind.label)) for code, kind in KINDS.items()), key=lambda choice: choice[1])


class DueFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(label=gettext_lazy("Kind"), choices=_kinds)
    brand = django_filters.ModelChoiceFilter(label=gettext_lazy("Brand"), queryset=Brand.objects.order_by("name"))
    client_id = django_filters.NumberFilter(label=gettext_lazy("Client number"))

    class Meta:
        model = DueRow
        fields = ("kind", "brand", "client_id")


class DueTable(Table):
    """Rows that wait for their time, in the order of a partial index."""

    name = "crm.due"
    title = gettext_lazy("Scheduled work")
    subtitle = gettext_lazy("Reminders, expiry dates and deadlines, run within seconds of their time.")
    permission = PERMISSION
    is_searchable = False
    states: ClassVar[Sequence[DueState]] = (DueState.PENDING,)
    columns: ClassVar[Sequence[Column]] = (
        Column("kind", gettext_lazy("Kind"), value=lambda row: label_of(row.kind), link=True),
        Column("key", gettext_lazy("Record"), css="mono"),
        Column("client_id", gettext_lazy("Client"), css="end"),
        AgoColumn("at", gettext_lazy("Due"), sort=True),
        NumberColumn("attempts", gettext_lazy("Attempts")),
        AgoColumn("next_at", gettext_lazy("Next attempt"), hidden=True),
    )
    filterset = DueFilter
    default_order = "at"
    row_url_name = "due_row"
    empty = Empty(
        gettext_lazy("Nothing scheduled"),
        gettext_lazy("Reminders and expiry dates appear here as they are set."),
        icon="circle-check",
    )

    def queryset(self) -> QuerySet[DueRow]:
        return DueRow.objects.filter(state__in=self.states)


class FailedDueTable(DueTable):
    name = "crm.failed_due"
    title = gettext_lazy("Failed scheduled work")
    subtitle = gettext_lazy("Work whose handler failed nine times. Nothing is lost.")
    states = (DueState.FAILED,)
    columns = (
        *DueTable.columns[:3],
        AgoColumn("at", gettext_lazy("Due")),
        NumberColumn("attempts", gettext_lazy("Attempts")),
        Column("last_line", gettext_lazy("Error"), value=lambda row: last_line(row.error), css="clip"),
    )
    bulk_actions: ClassVar[Sequence[BulkAction]] = (
        BulkAction("replay", gettext_lazy("Run again"), "due_replay_many", PERMISSION, icon="rotate-cw"),
    )
    default_order = "-id"
    empty = Empty(
        gettext_lazy("No failed work"),
        gettext_lazy("When a handler fails nine times over a day, its row appears here with the error."),
        icon="circle-check",
    )


class FinishedDueTable(DueTable):
    name = "crm.finished_due"
    title = gettext_lazy("Finished scheduled work")
    subtitle = gettext_lazy("Done or cancelled in the last 30 days.")
    states = (DueState.DONE, DueState.CANCELLED)
    columns = (
        *DueTable.columns[:3],
        BadgeColumn("state", gettext_lazy("State")),
        AgoColumn("at", gettext_lazy("Due")),
        AgoColumn("done_at", gettext_lazy("Finished"), sort=True),
    )
    default_order = "-done_at"
    empty = Empty(
        gettext_lazy("Nothing finished yet"),
        gettext_lazy("Rows that were done or cancelled appear here."),
        icon="history",
    )


class DueListView(TableView):
    template_name = "crm/pages/due.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        return {"kinds": figures(), "most": COUNT_MAX}


@staff_page(PERMISSION)
@require_GET
def due_row(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one row with its attempts and its last error."""
    row = get_object_or_404(DueRow.objects.select_related("brand"), pk=pk)
    context = {"row": row, "label": label_of(row.kind), "is_failed": row.state == DueState.FAILED}
    return render(request, "crm/pages/due_row.html", context)


@staff_page(PERMISSION)
@require_POST
def replay_one(request: UserRequest, pk: int) -> HttpResponse:
    """Run one failed row again."""
    row = get_object_or_404(DueRow, pk=pk)
    run_action(request, lambda: replay(due_id=row.pk, actor=request.user), _("Scheduled to run again now."))
    return redirect("due_row", pk=row.pk)


@staff_page(PERMISSION)
@require_POST
def replay_many(request: UserRequest) -> HttpResponse:
    """Run the selected failed rows again."""
    ids = FailedDueTable.selected(request).values_list("pk", flat=True)
    run_action(
        request,
        lambda: replay_each(due_ids=ids, actor=request.user),
        lambda sent: ngettext("%(n)s row runs again now.", "%(n)s rows run again now.", sent) % {"n": sent},
    )
    return redirect(reverse("due_failed"))
