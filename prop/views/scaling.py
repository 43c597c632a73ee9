"""Staff page: a proposed step of scaling with its terms, decided by two people."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.choices import GrowthState
from prop.forms import GrowthForm
from prop.queries import growths_visible_to
from prop.scaling.reviews import can_review_growth, decide_growth
from prop.scaling.terms import progress_of


@staff_page("prop.view_challenge")
def growth_page(request: UserRequest, growth_id: int) -> HttpResponse:
    """Show a step of scaling; the view is in the client's access log. A proposed one is decided here."""
    rows = growths_visible_to(request.user).select_related(
        "phase_account__challenge__client__book",
        "phase_account__challenge__version__programme",
        "phase_account__phase",
        "phase_account__account__server",
        "operation",
        "decided_by",
    )
    growth = rows.filter(pk=growth_id).first()
    if growth is None:
        raise Http404
    row = growth.phase_account
    challenge = row.challenge
    log_access(request.user, challenge.client, f"prop.growth:{growth.pk}")
    form = GrowthForm(request.POST or None)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: decide_growth(growth_id=growth.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(growth)
    is_open = growth.state == GrowthState.PROPOSED
    work = work_of(request.user, growth.work_id)
    context = {
        "growth": growth,
        "challenge": challenge,
        "row": row,
        "size_after": growth.size + growth.amount,
        "progress": progress_of(row) if is_open else None,
        "work": work,
        "may_decide": is_open and not (work and work.proposal) and can_review_growth(request.user, growth),
        "form": form,
    }
    return render(request, "prop/growth.html", context, status=422 if form.errors else 200)
