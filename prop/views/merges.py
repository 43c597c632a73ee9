"""Staff pages: a requested merge of two funded accounts with its checks, decided by two people; requested on a challenge's page."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.choices import MergeState
from prop.forms import MergeForm, MergeRequestForm
from prop.merging.checks import checks_of
from prop.merging.requests import request_merge
from prop.merging.reviews import can_review_merge, decide_merge
from prop.payouts.requests import funded_row
from prop.queries import challenges_visible_to, merges_visible_to


@staff_page("prop.view_challenge")
@require_POST
def ask(request: UserRequest, challenge_id: int) -> HttpResponse:
    """Ask for a merge for a trader: another account is closed into the funded one of this challenge."""
    challenge = challenges_visible_to(request.user).filter(pk=challenge_id).first()
    kept = funded_row(challenge) if challenge else None
    if challenge is None or kept is None:
        raise Http404
    form = MergeRequestForm(request.POST)
    done = run_action(
        request,
        lambda: request_merge(kept_id=kept.pk, actor=request.user, **form.cleaned_data),
        _("Merge requested. Two people review it."),
        form=form,
        show_forbidden=True,
    )
    return redirect(done.result) if done else redirect(challenge)


@staff_page("prop.view_challenge")
def merge_page(request: UserRequest, merge_id: int) -> HttpResponse:
    """Show a merge with its checks; the view is in the client's access log. A requested one is decided here."""
    rows = merges_visible_to(request.user).select_related(
        "kept__challenge__client__book",
        "kept__challenge__client__brand",
        "kept__challenge__version__programme",
        "kept__phase",
        "kept__account__server",
        "closed__challenge__client",
        "closed__challenge__version",
        "closed__phase",
        "closed__account__server",
        "operation",
        "decided_by",
        "requested_by",
    )
    merge = rows.filter(pk=merge_id).first()
    if merge is None:
        raise Http404
    challenge = merge.kept.challenge
    log_access(request.user, challenge.client, f"prop.merge:{merge.pk}")
    form = MergeForm(request.POST or None)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: decide_merge(merge_id=merge.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(merge)
    is_open = merge.state == MergeState.REQUESTED
    work = work_of(request.user, merge.work_id)
    context = {
        "merge": merge,
        "challenge": challenge,
        "size_after": merge.size + merge.amount,
        "checks": checks_of(merge.kept, merge.closed, merge) if is_open else [],
        "work": work,
        "may_decide": is_open and not (work and work.proposal) and can_review_merge(request.user, merge),
        "form": form,
    }
    return render(request, "prop/merge.html", context, status=422 if form.errors else 200)
