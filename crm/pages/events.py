"""Failed event deliveries: read the error, send it again, or give it up with a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from crm.choices import DeliveryState
from crm.events import Envelope
from crm.events.bus import label_of
from crm.events.delivery import replay, replay_each, skip
from crm.models import EventDelivery
from crm.staff.event_subscriptions import subscription_of
from crm.ui.actions import run_action
from crm.ui.tables import AgoColumn, BadgeColumn, BulkAction, Column, Empty, NumberColumn, Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest

PERMISSION = "crm.manage_events"


class FailedTable(Table):
    """Deliveries that ran out of tries. Each of the two lists is a small partial index of a very large table."""

    name = "crm.failed_events"
    title = gettext_lazy("Failed events")
    subtitle = gettext_lazy("Events whose handler failed nine times. Nothing is lost.")
    permission = PERMISSION
    state: ClassVar[DeliveryState] = DeliveryState.DEAD
    columns: ClassVar[Sequence[Column]] = (
        Column("event", gettext_lazy("Event"), value=lambda row: label_of(row.event.name), link=True),
        Column("handler", gettext_lazy("Handler"), css="mono"),
        BadgeColumn("state", gettext_lazy("State")),
        Column("client_id", gettext_lazy("Client"), css="end"),
        NumberColumn("attempts", gettext_lazy("Attempts")),
        Column("last_line", gettext_lazy("Error"), value=lambda row: last_line(row.error), css="clip"),
        AgoColumn("occurred_at", gettext_lazy("Occurred"), value="event.occurred_at"),
    )
    bulk_actions: ClassVar[Sequence[BulkAction]] = (
        BulkAction("replay", gettext_lazy("Send again"), "events_replay_many", PERMISSION, icon="rotate-cw"),
    )
    row_url_name = "event_delivery"
    empty = Empty(
        gettext_lazy("No failed events"),
        gettext_lazy(
            "When a handler fails nine times over a day, the event appears here with its error and "
            "waits for your decision."
        ),
        icon="circle-check",
    )

    def queryset(self) -> QuerySet[EventDelivery]:
        return EventDelivery.objects.filter(state=self.state).select_related("event")


class WaitingTable(FailedTable):
    name = "crm.waiting_events"
    title = gettext_lazy("Pending events")
    subtitle = gettext_lazy("Deliveries that are due or will be retried. Usually empty within a second.")
    state = DeliveryState.PENDING
    bulk_actions = ()
    columns = (*FailedTable.columns, AgoColumn("due_at", gettext_lazy("Next attempt")))
    empty = Empty(
        gettext_lazy("No pending events"), gettext_lazy("Every event has been delivered."), icon="circle-check"
    )


def last_line(error: str) -> str:
    """Take the last line of an error, which in a traceback says what went wrong."""
    return error.strip().rsplit("\n", 1)[-1][:200]


class EventListView(TableView):
    template_name = "crm/pages/events.html"


class SkipForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Why it's safe to skip this event"),
        max_length=300,
        help_text=gettext_lazy("Recorded in the audit log with your name."),
    )


@staff_page(PERMISSION)
@require_GET
def delivery(request: UserRequest, pk: int) -> HttpResponse:
    """Show one failed delivery with its payload and error."""
    row = get_object_or_404(EventDelivery.objects.select_related("event"), pk=pk)
    return _page(request, row, SkipForm())


def _page(request: UserRequest, row: EventDelivery, form: SkipForm, status: int = 200) -> HttpResponse:
    payload = json.dumps(Envelope.of(row.event).as_json(), indent=2, ensure_ascii=False)
    context = {
        "row": row,
        "label": label_of(row.event.name),
        "payload": payload,
        "form": form,
        "is_dead": row.state == DeliveryState.DEAD,
        "subscription": subscription_of(request.user, row.handler),
    }
    return render(request, "crm/pages/event_delivery.html", context, status=status)


@staff_page(PERMISSION)
@require_POST
def replay_one(request: UserRequest, pk: int) -> HttpResponse:
    """Send one failed delivery to its handler again."""
    row = get_object_or_404(EventDelivery, pk=pk)
    run_action(request, lambda: replay(delivery_id=row.pk, actor=request.user), _("Event sent to its handler again."))
    return redirect("event_delivery", pk=row.pk)


@staff_page(PERMISSION)
@require_POST
def skip_one(request: UserRequest, pk: int) -> HttpResponse:
    """Skip one failed delivery, with the reason for the audit log."""
    row = get_object_or_404(EventDelivery.objects.select_related("event"), pk=pk)
    form = SkipForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form, status=422)
    done = run_action(  # a message, not in the form: the form is gone with the delivery's failed state
        request,
        lambda: skip(delivery_id=row.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        _("Event skipped. Your reason is in the audit log."),
    )
    return redirect("events") if done else redirect("event_delivery", pk=row.pk)


@staff_page(PERMISSION)
@require_POST
def replay_many(request: UserRequest) -> HttpResponse:
    """Send the selected failed deliveries to their handlers again."""
    ids = FailedTable.selected(request).values_list("pk", flat=True)
    run_action(
        request,
        lambda: replay_each(delivery_ids=ids, actor=request.user),
        lambda sent: ngettext("%(n)s event sent again.", "%(n)s events sent again.", sent) % {"n": sent},
    )
    return redirect("events")
