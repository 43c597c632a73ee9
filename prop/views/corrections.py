"""Staff page: a correction found by judging again, with verdicts before and after and its evidence, decided by two people."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.choices import CorrectionState
from prop.corrections.applying import problem_of
from prop.corrections.reviews import can_decide_correction, decide_correction
from prop.corrections.shown import read_between, shown_deals, shown_gaps, shown_verdict
from prop.forms import CorrectionForm
from prop.news.releases import changed_releases
from prop.queries import corrections_visible_to
from prop.sentences import name_of

SHOWN_MAX = 10


@staff_page("prop.view_challenge")
def correction_page(request: UserRequest, correction_id: int) -> HttpResponse:
    """Show a correction; the view is in the client's access log. An open one is decided here."""
    rows = corrections_visible_to(request.user).select_related(
        "phase_account__challenge__client__book",
        "phase_account__challenge__version__programme",
        "phase_account__phase",
        "phase_account__account",
        "decided_by",
    )
    correction = rows.filter(pk=correction_id).first()
    if correction is None:
        raise Http404
    row = correction.phase_account
    challenge, currency = row.challenge, row.challenge.currency
    log_access(request.user, challenge.client, f"prop.correction:{correction.pk}")
    form = CorrectionForm(request.POST or None)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: decide_correction(correction_id=correction.pk, actor=request.user, **form.cleaned_data),
            _("Decision proposed. A second person approves it."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(correction)
    is_open, work = correction.state == CorrectionState.OPEN, work_of(request.user, correction.work_id)
    context = {
        "correction": correction,
        "challenge": challenge,
        "row": row,
        "stage": name_of(row.phase),
        "verdicts": [
            (_("Before"), shown_verdict(correction.was, currency)),
            (_("Judged again"), shown_verdict(correction.now, currency)),
        ],
        "deals": shown_deals(correction.evidence, currency),
        "releases": list(changed_releases(row, *read_between(correction.evidence))[:SHOWN_MAX]),
        "gaps": shown_gaps(correction.evidence),
        "problem": problem_of(correction) if is_open else "",
        "work": work,
        "may_decide": is_open and not (work and work.proposal) and can_decide_correction(request.user, correction),
        "form": form,
    }
    return render(request, "prop/correction.html", context, status=422 if form.errors else 200)
