"""Pages of bulk changes: preview with a count, result, undo."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from clients.choices import MessageState, SalesStatus
from clients.custom_fields.tagging import label_of
from clients.mail import UNDO_MANY_SECONDS
from clients.models import CustomChoice, Message, Segment
from clients.queries import clients_visible_to
from clients.tables import ClientTable
from crm.i18n import formats
from crm.ui.actions import run_action
from crm.ui.panels import cards_html
from crm.ui.tables import Table
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.bulk import changing, in_parts
from leads.bulk.forms import form_for
from leads.bulk.mailing import sample
from leads.bulk.planning import MOST_BY_KIND, RIGHTS, Line, plan
from leads.choices import BulkKind
from leads.models import Automation, BulkChange
from leads.tables import LeadTable

SHOWN_MAX: Final = 200
QUERY_MAX: Final = 8_000


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


@require_POST
@staff_page("clients.change_client")
def tag_clients(request: UserRequest) -> HttpResponseBase:
    """Add a tag to the selected clients, or take it off."""
    return _bulk(request, BulkKind.TAG, ClientTable)


def _bulk(request: UserRequest, kind: str, table: type[Table]) -> HttpResponseBase:
    if kind not in BulkKind.values:
        raise Http404
    chosen, step = BulkKind(kind), request.POST.get("step", "")
    if not request.user.has_perm(RIGHTS[chosen]):
        raise PermissionDenied
    ids = list(table.selected(request, most=MOST_BY_KIND[chosen]).values_list("pk", flat=True))
    form = form_for(chosen, request.user, request.POST if step else None)
    lines: list[Line] = []
    is_checked = bool(step) and form.is_valid()
    if is_checked:
        options = form.cleaned_data
        if step == "confirm" and in_parts.needs_parts(chosen, len(ids)):
            started = run_action(
                request,
                lambda: in_parts.begin_change(kind=chosen, options=options, client_ids=ids, actor=request.user),
                form=form,
                show_forbidden=True,
            )
            if started:
                return redirect("job", pk=started.result.pk)
        elif step == "confirm":
            done = run_action(
                request,
                lambda: changing.change_many(kind=chosen, options=options, client_ids=ids, actor=request.user),
                _success,
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
    context = {"kind": chosen, "form": form, "ids": ids, "is_checked": is_checked, "ready": ready, "letter": letter}
    context |= {
        "chosen": ",".join(map(str, ids)),
        "query": request.POST.get("query", "")[:QUERY_MAX],
        "lines": lines[:SHOWN_MAX],
        "unshown": max(len(lines) - SHOWN_MAX, 0),
        "reasons": Counter(line.problem for line in lines if line.problem).most_common(),
    }
    return render(request, "leads/bulk/preview.html", context, status=422 if step and not is_checked else 200)


def _success(row: BulkChange) -> str:
    count = len(row.changes)
    said = (
        ngettext("E-mail queued for %(count)s person.", "E-mail queued for %(count)s people.", count)
        if row.kind == BulkKind.MAIL
        else ngettext("%(count)s lead changed.", "%(count)s leads changed.", count)
    )
    return said % {"count": formats.number(count)}


def _change(request: UserRequest, change_id: int) -> BulkChange:
    return get_object_or_404(BulkChange, pk=change_id, made_by=request.user)


@staff_page("leads.view_lead")
def result(request: UserRequest, change_id: int) -> HttpResponse:
    """Show what a bulk change did and whom it left out, to who made it."""
    row = _change(request, change_id)
    if "cards" in request.GET and row.kind == BulkKind.MAIL:
        return HttpResponse("".join(cards_html(request, "bulk change", row)))
    changed = [pk for pk, _before in row.changes[:SHOWN_MAX]]
    left_out = row.left_out[:SHOWN_MAX]
    rows = clients_visible_to(request.user).defer("search_text").in_bulk([*changed, *(pk for pk, _why in left_out)])
    context = {
        "change": row,
        "what": _what(row),
        "changed": [rows[pk] for pk in changed if pk in rows],
        "left_out": [(rows[pk], why) for pk, why in left_out if pk in rows],
        "reasons": Counter(why for _pk, why in row.left_out).most_common(),
        "unshown": len(row.changes) - len(changed),
        "unshown_left_out": len(row.left_out) - len(left_out),
        "mails": _mails(row) if row.kind == BulkKind.MAIL else None,
    }
    return render(request, "leads/bulk/result.html", context)


def _mails(row: BulkChange) -> dict[str, object]:
    """Count what became of the e-mails, and say until when they can all be undone."""
    sent = Message.objects.filter(pk__in=[message_id for _client, message_id in row.changes]).order_by()
    counts = dict(sent.values_list("state").annotate(count=Count("pk")))
    until = row.made_at + dt.timedelta(seconds=UNDO_MANY_SECONDS)
    return {
        "states": [(state, counts[state.value]) for state in MessageState if state.value in counts],
        "undo_until": until if until > timezone.now() else None,
        "waiting": counts.get(MessageState.QUEUED.value, 0),
    }


def _what(row: BulkChange) -> str:
    if row.kind == BulkKind.STATUS:
        return _("Status changed to “%(status)s”") % {"status": SalesStatus(row.options["status"]).label}
    if row.kind == BulkKind.LIST:
        return _("Added to the list “%(list)s”") % {"list": Segment.objects.get(pk=row.options["segment"])}
    if row.kind == BulkKind.START:
        return _("Automation started: %(name)s") % {"name": Automation.objects.get(pk=row.options["automation"]).name}
    if row.kind == BulkKind.MAIL:
        return _("E-mail queued: %(subject)s") % {"subject": row.options["subject"]}
    if row.kind == BulkKind.TAG:
        tag = label_of(CustomChoice.objects.select_related("field").get(pk=row.options["tag"]))
        return (_("Tag taken off: %(tag)s") if row.options["how"] == "remove" else _("Tag added: %(tag)s")) % {
            "tag": tag
        }
    return _("Follow-up added: %(title)s") % {"title": row.options["title"]}


@require_POST
@staff_page("leads.view_lead")
def undo(request: UserRequest, change_id: int) -> HttpResponseBase:
    """Undo a bulk change."""
    row = _change(request, change_id)
    if in_parts.needs_parts(row.kind, len(row.changes)):
        started = run_action(
            request, lambda: in_parts.begin_undo(change_id=row.pk, actor=request.user), show_forbidden=True
        )
        return redirect("job", pk=started.result.pk) if started else redirect(row)
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
