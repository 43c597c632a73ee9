"""Staff pages: bought challenges as a list, and one with its accounts, days, rules and evidence."""

from __future__ import annotations

from uuid import uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.challenges.day_calendar import days_in, month_of
from prop.challenges.equity_chart import chart_of
from prop.challenges.objectives import days_of, objectives_of
from prop.challenges.pending import pending_of
from prop.challenges.phases import is_stuck
from prop.challenges.reviews import can_review, decide_phase
from prop.choices import CorrectionState, FundingState, StageState
from prop.forms import FundingForm, ReviewForm
from prop.funding.deciding import decide_funding, fund_again
from prop.funding.failures import can_fund
from prop.judge.sampling import sampling_note
from prop.merging.requests import can_request, offers_of
from prop.news.releases import coming_releases
from prop.payouts.checks import phase_checks
from prop.payouts.rows import PAYOUTS, growths_of, merges_of
from prop.queries import accounts_of, challenges_visible_to
from prop.sentences import about_payouts, name_of, rules_of
from prop.tables import ChallengeTable

SHOWN_MAX = 60


class ChallengeList(TableView):
    """List challenges, with the way to corrections."""

    table = ChallengeTable
    template_name = "prop/challenges.html"


@staff_page("prop.view_challenge")
def challenge_page(request: UserRequest, challenge_id: int) -> HttpResponse:
    """Show a challenge; the view is in the client's access log. A reached target is decided here."""
    rows = challenges_visible_to(request.user).select_related(
        "client__book", "client__brand", "version__programme", "coupon"
    )
    challenge = rows.filter(pk=challenge_id).first()
    if challenge is None:
        raise Http404
    log_access(request.user, challenge.client, f"prop.challenge:{challenge.pk}")
    accounts = accounts_of(challenge)
    current, is_funded = accounts[0], accounts[0].phase.is_funded
    pending = pending_of([current.pk])[current.pk]
    failure = current.funding_failures.filter(state=FundingState.OPEN).first()
    form = ReviewForm(request.POST if request.method == "POST" and "funding" not in request.POST else None)
    funding_form = FundingForm(request.POST if "funding" in request.POST else None)
    if "fund_again" in request.POST:
        run_action(
            request,
            lambda: fund_again(phase_account_id=current.pk, actor=request.user),
            _("Starting balance sent again."),
            show_forbidden=True,
        )
        return redirect(challenge)
    if "funding" in request.POST and failure is not None:
        funded = run_action(
            request,
            lambda: decide_funding(failure_id=failure.pk, actor=request.user, **funding_form.cleaned_data),
            _("Decision recorded."),
            form=funding_form,
            show_forbidden=True,
        )
        if funded:
            return redirect(challenge)
    elif request.method == "POST":
        done = run_action(
            request,
            lambda: decide_phase(phase_account_id=current.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(challenge)
    days = days_of(current)
    month = month_of(current, days, coming_releases(current, timezone.now()), request.GET.get("month", ""))
    context = {
        "challenge": challenge,
        "accounts": [(row, name_of(row.phase)) for row in accounts],
        "current": current,
        "objectives": objectives_of(current, days),
        "sampling": sampling_note(current, timezone.now()),
        "days": days_in(days, month),
        "chart": chart_of(current, days),
        "month": month,
        "rules": rules_of(current.phase),
        "payouts": about_payouts(challenge.version),
        "paid": PAYOUTS.all(challenge_id=challenge.pk)[:SHOWN_MAX],
        "pause": challenge.pauses.first(),
        "correction": current.corrections.filter(state=CorrectionState.OPEN).first()
        if pending.has_correction
        else None,
        "growths": [growth for growth in growths_of(current) if growth.merge_id is None] if is_funded else [],
        "merges": merges_of(current) if is_funded else [],
        "merge_offers": offers_of(current, pending=pending) if can_request(request.user, challenge) else [],
        "merge_key": uuid4().hex,
        "checks": phase_checks(current, pending) if current.state == StageState.REVIEW else [],
        "work": work_of(request.user, failure.work_id if failure else current.work_id),
        "failure": failure,
        "may_decide": current.state == StageState.REVIEW and can_review(request.user, current),
        "is_stuck": is_stuck(current),
        "may_fund": can_fund(request.user, current),
        "form": form,
        "funding_form": funding_form,
    }
    status = 422 if form.errors or funding_form.errors else 200
    return render(request, "prop/challenge.html", context, status=status)
