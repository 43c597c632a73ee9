"""A break's page and what people do there; suggestions; matches taken back; how old what is open is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.record.access import log_access
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind, ApprovalState
from crm.errors import outcome_of
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from wallet.choices.reconciliation import BreakState, PostingWay
from wallet.core import attachments, queries
from wallet.core.downloads import attached
from wallet.core.forms import ReasonForm
from wallet.models import Break, Suggestion
from wallet.reconciliation import breaks, deciding, own_bank, postings
from wallet.reconciliation import queries as queries_recon
from wallet.reconciliation.conversions import convert_break
from wallet.reconciliation.forms import CommentForm, OwnBankForm, PostingForm
from wallet.reconciliation.tables import BreakTable

NOTES_SHOWN = 200
ARRIVALS_SHOWN = 5


def _find(request: UserRequest, pk: int) -> Break:
    rows = queries_recon.break_rows(request.user).select_related(
        "psp", "report", "row", "movement", "entry", "owner", "client", "resolved_by"
    )
    return queries.one_of(rows, pk, request.user, "wallet.view_settlementimport")


@staff_page("wallet.view_settlementimport")
def break_page(request: UserRequest, pk: int) -> HttpResponse:
    return show(request, _find(request, pk))


def show(request: UserRequest, row: Break, wrong: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    if row.client is not None:
        log_access(request.user, row.client, f"wallet.break:{row.pk}")
    proposals = list(row.postings.select_related("requested_by", "decided_by", "entry").order_by("-pk"))
    waiting = next((posting for posting in proposals if posting.state == ApprovalState.PENDING), None)
    usual = postings.USUALLY.get(row.kind) or PostingWay.SUSPENSE
    conversion = outcome_of(lambda: convert_break(row) if waiting is None and row.state == BreakState.OPEN else None)
    between, no_rate = conversion.result, conversion.message
    context = {
        "between": between,
        "no_rate": no_rate,
        "one": row,
        "notes": list(row.notes.select_related("author").order_by("pk")[:NOTES_SHOWN]),
        "postings": proposals,
        "suggestions": queries_recon.suggestions_of(row) if row.state == BreakState.OPEN else [],
        "may_act": request.user.has_perm("wallet.run_reconciliation"),
        "waiting": waiting,
        "proposal": proposal_of(waiting, request.user) if waiting else None,
        "can_be_posted": postings.can_be_posted(row) and waiting is None,
        "owners": queries_recon.owners_for(request.user) if row.state == BreakState.OPEN else [],
        "arrivals": own_bank.arrivals(row)[:ARRIVALS_SHOWN] if row.state == BreakState.OPEN and not waiting else [],
        "bank_form": OwnBankForm(
            initial={"business_on": timezone.now().date(), "reason": _("Paid out to our own bank")}, prefix="bank"
        ),
        "posting_form": PostingForm(initial={"way": usual, "business_on": timezone.now().date()}, prefix="posting"),
        "reason_form": ReasonForm(prefix="words"),
        "comment_form": CommentForm(prefix="comment"),
        **(wrong or {}),
    }
    return render(request, "wallet/reconciliation/break.html", context, status=status)


def _run_on_break(
    request: UserRequest, row: Break, name: str, form: forms.Form, work: Callable[[dict[str, Any]], Any], done: str
) -> HttpResponseBase:
    """Form → verb → back to the break; what is wrong stays in its form."""
    if run_action(request, lambda: work(form.cleaned_data), done, form=form, show_forbidden=True):
        return redirect("wallet:break", pk=row.pk)
    return show(request, row, {name: form}, status=422)


@require_POST
@staff_page("wallet.run_reconciliation")
def break_settle(request: UserRequest, pk: int) -> HttpResponseBase:
    """Resolve with an explanation, without a posting."""
    form = ReasonForm(request.POST, prefix="words")
    return _run_on_break(
        request,
        _find(request, pk),
        "reason_form",
        form,
        lambda values: breaks.resolve_break(break_id=pk, actor=request.user, resolution=values["reason"]),
        _("Break resolved."),
    )


@require_POST
@staff_page("wallet.run_reconciliation")
def break_comment_view(request: UserRequest, pk: int) -> HttpResponseBase:
    form = CommentForm(request.POST, request.FILES, prefix="comment")

    def work(values: dict[str, Any]) -> None:
        file = values["file"]
        breaks.comment(
            break_id=pk,
            actor=request.user,
            body=values["body"],
            file_name=file.name if file else "",
            content=file.read() if file else b"",
        )

    return _run_on_break(request, _find(request, pk), "comment_form", form, work, _("Comment added."))


break_comment = takes_files(break_comment_view, file_bytes_max=attachments.BYTES_MAX)


@require_POST
@staff_page("wallet.run_reconciliation")
def break_propose(request: UserRequest, pk: int) -> HttpResponseBase:
    form = PostingForm(request.POST, prefix="posting")

    def work(values: dict[str, Any]) -> None:
        postings.propose(
            break_id=pk,
            way=PostingWay(values["way"]),
            business_on=values["business_on"],
            reason=values["reason"],
            actor=request.user,
        )

    return _run_on_break(
        request, _find(request, pk), "posting_form", form, work, _("Proposal submitted. Awaiting second approval.")
    )


@require_POST
@staff_page("wallet.run_reconciliation")
def break_to_bank(request: UserRequest, pk: int) -> HttpResponseBase:
    """Propose that it is what came in at our own bank: `bank-entry`."""
    form = OwnBankForm(request.POST, prefix="bank")

    def work(values: dict[str, Any]) -> None:
        postings.propose(
            break_id=pk,
            way=PostingWay.OWN_BANK,
            business_on=values["business_on"],
            reason=values["reason"],
            entry_id=values["entry"],
            actor=request.user,
        )

    return _run_on_break(
        request, _find(request, pk), "bank_form", form, work, _("Proposal submitted. Awaiting second approval.")
    )


@require_POST
@staff_page("wallet.run_reconciliation")
def breaks_give(request: UserRequest) -> HttpResponseBase:
    """Assign the ticked breaks, or one from its page (`back`), to `owner`; unassign them when it is empty."""
    owner = request.POST.get("owner", "")
    ids = list(BreakTable.selected(request).values_list("pk", flat=True))
    done = run_action(
        request,
        lambda: breaks.assign_breaks(
            break_ids=ids, owner_id=int(owner) if is_whole(owner) else None, actor=request.user
        ),
        _("Owner changed."),
        show_forbidden=True,
    )
    if done:
        request.session.modified = True
    back = request.POST.get("back", "")
    return redirect("wallet:break", pk=int(back)) if is_whole(back) else redirect("wallet:breaks")


@staff_page("wallet.view_settlementimport")
def break_file(request: UserRequest, pk: int) -> HttpResponse:
    """Download what was attached to a comment; the access log notes it."""
    note = queries.one_of(
        queries_recon.notes_visible_to(request.user).exclude(file_path="").select_related("one"),
        pk,
        request.user,
        "wallet.view_settlementimport",
    )
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        brand_id=note.one.brand_id,
        client_id=note.one.client_id,
        target=f"wallet.breaknote:{note.pk}",
    )
    return attached(note, attachments.BREAKS)


def _suggestion(request: UserRequest, pk: int) -> Suggestion:
    return queries.one_of(
        queries_recon.suggestions_visible_to(request.user), pk, request.user, "wallet.run_reconciliation"
    )


def _after_suggestion(suggestion: Suggestion) -> HttpResponseBase:
    break_id = (
        Break.objects.filter(row_id=suggestion.row_id, leg="psp").order_by("-pk").values_list("pk", flat=True).first()
    )
    return redirect("wallet:break", pk=break_id) if break_id else redirect("wallet:suggestions")


@require_POST
@staff_page("wallet.run_reconciliation")
def suggestion_accept(request: UserRequest, pk: int) -> HttpResponseBase:
    suggestion = _suggestion(request, pk)
    run_action(
        request,
        lambda: deciding.accept(suggestion_id=pk, actor=request.user),
        _("Match confirmed."),
        show_forbidden=True,
    )
    return _after_suggestion(suggestion)


@require_POST
@staff_page("wallet.run_reconciliation")
def suggestion_reject(request: UserRequest, pk: int) -> HttpResponseBase:
    suggestion = _suggestion(request, pk)
    run_action(
        request,
        lambda: deciding.reject(suggestion_id=pk, actor=request.user),
        _("Suggestion rejected."),
        show_forbidden=True,
    )
    return _after_suggestion(suggestion)


@require_POST
@staff_page("wallet.run_reconciliation")
def match_undo(request: UserRequest, pk: int) -> HttpResponseBase:
    rows = queries_recon.matches_visible_to(request.user).select_related("row")
    match = queries.one_of(rows, pk, request.user, "wallet.run_reconciliation")
    reason = request.POST.get("reason", "")
    run_action(
        request,
        lambda: deciding.undo(match_id=pk, actor=request.user, reason=reason),
        _("Match undone."),
        show_forbidden=True,
    )
    if match.row is not None:
        return redirect("wallet:settlement", pk=match.row.report_id)
    return redirect("wallet:reconciliation")


@staff_page("wallet.view_settlementimport")
def ageing_page(request: UserRequest) -> HttpResponse:
    psp = request.GET.get("psp", "")
    psps = list(queries.psps_visible_to(request.user).defer("sealed_credentials").order_by("name"))
    context = {
        "lines": queries_recon.ageing(request.user, psp_id=int(psp) if is_whole(psp) else None),
        "ages": [_("0–1 days"), _("2–7 days"), _("8–30 days"), _("31–60 days"), _("Older")],
        "psps": psps,
        "chosen": psp,
    }
    return render(request, "wallet/reconciliation/ageing.html", context)
