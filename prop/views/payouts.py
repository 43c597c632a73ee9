"""Staff pages: payouts that traders of funded challenges asked for, and one with its checks and its money."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.choices import PayoutState
from prop.forms import PayoutForm
from prop.payouts.checks import review_checks
from prop.payouts.reviews import can_review_payout, decide_payout
from prop.queries import payouts_visible_to


@staff_page("prop.view_challenge")
def payout_page(request: UserRequest, payout_id: int) -> HttpResponse:
    """Show a payout with its checks; the view is in the client's access log. A request is decided here."""
    rows = payouts_visible_to(request.user).select_related(
        "challenge__client__book",
        "challenge__client__brand",
        "challenge__version__programme",
        "phase_account__phase",
        "phase_account__account__server",
        "operation",
        "decided_by",
        "journal",
    )
    payout = rows.filter(pk=payout_id).first()
    if payout is None:
        raise Http404
    row, challenge = payout.phase_account, payout.challenge
    row.challenge = challenge
    log_access(request.user, challenge.client, f"prop.payout:{payout.pk}")
    form = PayoutForm(request.POST or None)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: decide_payout(payout_id=payout.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(payout)
    is_open = payout.state == PayoutState.REQUESTED
    work = work_of(request.user, payout.work_id)
    context = {
        "payout": payout,
        "challenge": challenge,
        "row": row,
        "checks": review_checks(payout) if is_open else [],
        "total": payout.amount + payout.refund,
        "kept": payout.profit - payout.amount,
        "work": work,
        "may_decide": is_open and not (work and work.proposal) and can_review_payout(request.user, payout),
        "form": form,
    }
    return render(request, "prop/payout.html", context, status=422 if form.errors else 200)
