"""The page of a dial list: whom to call next, and who can't be called now."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients.models import Client, DialEntry
from clients.record.access import log_access
from clients.record.local_time import local_time
from clients.telephony import dialing, policies
from crm.i18n import formats
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


@staff_page(policies.CALLS)
def dial_list(request: UserRequest) -> HttpResponse:
    """Show whom to call next; each client that is shown is logged."""
    row = dialing.list_of(request.user)
    progress = dialing.progress_of(row, request.user) if row is not None else None
    client = progress.next.client if progress is not None and progress.next is not None else None
    if client is not None:
        log_access(request.user, client, "clients.diallist")
    context = {
        "dial_list": row,
        "progress": progress,
        "client": client,
        "local_time": local_time(client) if client is not None else None,
    }
    return render(request, "clients/telephony/dial.html", context)


@require_POST
@staff_page(policies.CALLS)
def dial_new(request: UserRequest) -> HttpResponseBase:
    """Make a list of the selected clients: the list's bulk action."""
    from clients.tables import ClientTable

    return start_from(request, ClientTable.selected(request), back="clients")


def start_from(request: UserRequest, rows: QuerySet[Client], *, back: str) -> HttpResponseBase:
    """Make a list of selected clients and go to it; `back`: the name of the page to return to where that is refused."""
    ids = list(rows.values_list("pk", flat=True)[: dialing.CLIENTS_MAX + 1])
    done = run_action(
        request,
        lambda: dialing.start_list(actor=request.user, client_ids=ids),
        ngettext("%(count)s client to call.", "%(count)s clients to call.", len(ids))
        % {"count": formats.number(len(ids))},
    )
    return redirect("dial_list" if done else back)


@require_POST
@staff_page(policies.CALLS)
def dial_skip(request: UserRequest, entry_id: int) -> HttpResponseBase:
    """Leave a client out."""
    entry = get_object_or_404(DialEntry, pk=entry_id, dial_list__owner=request.user)
    run_action(request, lambda: dialing.skip_entry(entry_id=entry.pk, actor=request.user))
    return redirect("dial_list")


@require_POST
@staff_page(policies.CALLS)
def dial_end(request: UserRequest) -> HttpResponseBase:
    """End one's list."""
    row = dialing.list_of(request.user)
    if row is not None:
        run_action(request, lambda: dialing.end_list(list_id=row.pk, actor=request.user), _("Call list ended."))
    return redirect("dial_list")
