"""Pages of bulk changes: preview with a count, result, undo."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients.choices import SalesStatus
from clients.models import Segment
from clients.queries import clients_visible_to
from clients.tables import ClientTable
from crm.i18n import formats
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.bulk import changing
from leads.bulk.forms import form_for
from leads.bulk.mailing import sample
from leads.bulk.planning import RIGHTS, Line, plan
from leads.choices import BulkKind
from leads.models import Automation, BulkChange
from leads.tables import LeadTable


@require_POST
@staff_page("leads.view_lead")
def bulk(request: UserRequest, kind: str) -> HttpResponseBase:
    """Ask what to change about the selected leads, show who would be left out, and change the others."""
    return _bulk(request, kind, LeadTable)


@require_POST
@staff_page("leads.manage_automation")
def start_for_clients(request: UserRequest) -> HttpResponseBase:
    """Start an automation for the selected clients."""
    return _bulk(request, BulkKind.START, ClientTable)


@require_POST
@staff_page("clients.log_call")
def mail_to_clients(request: UserRequest) -> HttpResponseBase:
    """Write an e-mail to the selected clients."""
    return _bulk(request, BulkKind.MAIL, ClientTable)


def _bulk(request: UserRequest, kind: str, table: type[Table]) -> HttpResponseBase:
    if kind not in BulkKind.values:
        raise Http404
    chosen, step = BulkKind(kind), request.POST.get("step", "")
    if not request.user.has_perm(RIGHTS[chosen]):
        raise PermissionDenied
    ids = list(table.selected(request).values_list("pk", flat=True))
    form = form_for(chosen, request.user, request.POST if step else None)
    lines: list[Line] = []
    is_checked = bool(step) and form.is_valid()
    if is_checked:
        options = form.cleaned_data
        if step == "confirm":
            done = run_action(
                request,
                lambda: changing.change_many(kind=chosen, options=options, client_ids=ids, actor=request.user),
                lambda row: (
                    ngettext("%(count)s lead changed.", "%(count)s leads changed.", len(row.changes))
                    % {"count": formats.number(len(row.changes))}
                ),
                form=form,
                show_forbidden=True,
            )
            if done:
                return redirect(done.result.get_absolute_url())
        found = run_action(
            request,
            lambda: plan(kind=chosen, options=options, client_ids=ids, user=request.user),
            form=form,
            show_forbidden=True,
        )
        lines, is_checked = (found.result, True) if found else ([], False)
    reached = [line.client for line in lines if not line.problem]
    ready = len(reached)
    letter = sample(reached, form.cleaned_data) if chosen == BulkKind.MAIL and is_checked else None
    context = {"kind": chosen, "form": form, "ids": ids, "lines": lines, "is_checked": is_checked, "ready": ready}
    context |= {"letter": letter}
    return render(request, "leads/bulk/preview.html", context, status=422 if step and not is_checked else 200)


def _change(request: UserRequest, change_id: int) -> BulkChange:
    return get_object_or_404(BulkChange, pk=change_id, made_by=request.user)


@staff_page("leads.view_lead")
def result(request: UserRequest, change_id: int) -> HttpResponse:
    """Show what a bulk change did and whom it left out, to who made it."""
    row = _change(request, change_id)
    changed = [pk for pk, _before in row.changes]
    rows = clients_visible_to(request.user).defer("search_text").in_bulk([*changed, *(pk for pk, _why in row.left_out)])
    context = {
        "change": row,
        "what": _what(row),
        "changed": [rows[pk] for pk in changed if pk in rows],
        "left_out": [(rows[pk], why) for pk, why in row.left_out if pk in rows],
    }
    return render(request, "leads/bulk/result.html", context)


def _what(row: BulkChange) -> str:
    if row.kind == BulkKind.STATUS:
        return _("Status changed to “%(status)s”") % {"status": SalesStatus(row.options["status"]).label}
    if row.kind == BulkKind.LIST:
        return _("Added to the list “%(list)s”") % {"list": Segment.objects.get(pk=row.options["segment"])}
    if row.kind == BulkKind.START:
        return _("Automation started: %(name)s") % {"name": Automation.objects.get(pk=row.options["automation"]).name}
    if row.kind == BulkKind.MAIL:
        return _("E-mail queued: %(subject)s") % {"subject": row.options["subject"]}
    return _("Follow-up added: %(title)s") % {"title": row.options["title"]}


@require_POST
@staff_page("leads.view_lead")
def undo(request: UserRequest, change_id: int) -> HttpResponseBase:
    """Undo a bulk change."""
    row = _change(request, change_id)
    run_action(
        request,
        lambda: changing.undo_many(change_id=row.pk, actor=request.user),
        lambda done: (
            ngettext("%(count)s change undone.", "%(count)s changes undone.", done.undone or 0)
            % {"count": formats.number(done.undone or 0)}
        ),
        show_forbidden=True,
    )
    return redirect(row.get_absolute_url())
