"""Staff pages: bought challenges as a list, and one with its accounts, days, rules and evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.db.prepared import read_once
from crm.ui.actions import run_action
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.challenges.day_calendar import days_in, month_of
from prop.challenges.ending import end_for_style
from prop.challenges.equity_chart import chart_of
from prop.challenges.objectives import days_of, objectives_of
from prop.challenges.pending import Pending, pending_of
from prop.challenges.phases import is_stuck
from prop.challenges.reviews import can_review, decide_phase
from prop.choices import CorrectionState, FundingState, StageState
from prop.forms import EndForm, FundingForm, ReviewForm
from prop.funding.deciding import decide_funding, fund_again
from prop.funding.failures import can_fund
from prop.judge.sampling import sampling_note
from prop.merging.requests import can_request, offers_of
from prop.models import Challenge, FundingFailure, PhaseAccount
from prop.news.releases import coming_releases
from prop.payouts.checks import phase_checks
from prop.payouts.rows import PAYOUTS, growths_of, merges_of
from prop.programmes.styles import findings_on, forbidden_text
from prop.queries import accounts_of, challenges_visible_to
from prop.sentences import about_payouts, limit_of, name_of, rules_of
from prop.tables import ChallengeTable
from trading.accounts.account_status import right_to_trade_steps

SHOWN_MAX = 60


class ChallengeList(TableView):
    """List challenges, with the way to corrections."""

    table = ChallengeTable
    template_name = "prop/challenges.html"


@staff_page("prop.view_challenge")
def challenge_page(request: UserRequest, challenge_id: int) -> HttpResponse:
    """Show a challenge; the view is in the client's access log. A reached target, a refused balance and a confirmed forbidden style
    are decided here."""
    rows = challenges_visible_to(request.user).select_related(
        "client__book", "client__brand", "version__programme", "coupon"
    )
    challenge = rows.filter(pk=challenge_id).first()
    if challenge is None:
        raise Http404
    log_access(request.user, challenge.client, f"prop.challenge:{challenge.pk}")
    accounts = accounts_of(challenge)
    current, pending = accounts[0], pending_of([accounts[0].pk])[accounts[0].pk]
    failures = current.funding_failures.filter(state=FundingState.OPEN)
    failure = failures.first() if pending.has_funding_failure else None
    sent = request.POST if request.method == "POST" else None
    forms: dict[str, Form] = {
        "form": ReviewForm(sent if sent and not {"funding", "end"} & set(sent) else None),
        "funding_form": FundingForm(sent if sent and "funding" in sent else None),
        "end_form": EndForm(sent if sent and "end" in sent else None),
    }
    if sent is not None and _decided(request, current, failure, forms):
        return redirect(challenge)
    with read_once():
        context = _shown(request, challenge, accounts, pending, failure) | forms
    status = 422 if any(form.errors for form in forms.values()) else 200
    return render(request, "prop/challenge.html", context, status=status)


def _decided(
    request: UserRequest, row: PhaseAccount, failure: FundingFailure | None, forms: Mapping[str, Form]
) -> bool:
    """Do what was sent; False where a form has to be shown again."""
    actor, name = request.user, "form"
    if "fund_again" in request.POST:
        again = partial(fund_again, phase_account_id=row.pk, actor=actor)
        run_action(request, again, _("Starting balance sent again."), show_forbidden=True)
        return True
    verb: Callable[..., object] = partial(decide_phase, phase_account_id=row.pk, actor=actor)
    done = _("Decision recorded.")
    if "end" in request.POST:
        name, done = "end_form", _("Challenge ended.")
        verb = partial(end_for_style, phase_account_id=row.pk, actor=actor)
    elif "funding" in request.POST and failure is not None:
        name, verb = "funding_form", partial(decide_funding, failure_id=failure.pk, actor=actor)
    form = forms[name]
    return bool(run_action(request, lambda: verb(**form.cleaned_data), done, form=form, show_forbidden=True))


def _shown(
    request: UserRequest,
    challenge: Challenge,
    accounts: Sequence[PhaseAccount],
    pending: Pending,
    failure: FundingFailure | None,
) -> dict[str, Any]:
    current, is_funded = accounts[0], accounts[0].phase.is_funded
    days, is_running = days_of(current), current.state == StageState.RUNNING
    found = findings_on(current) if is_running and current.phase.forbidden_styles else []
    month = month_of(current, days, coming_releases(current, timezone.now()), request.GET.get("month", ""))
    may_decide = bool(can_review(request.user, current))
    return {
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
        "pause": challenge.pauses.first() if pending.was_paused else None,
        "correction": current.corrections.filter(state=CorrectionState.OPEN).first()
        if pending.has_correction
        else None,
        "growths": [growth for growth in growths_of(current) if growth.merge_id is None] if is_funded else [],
        "merges": merges_of(current) if is_funded else [],
        "merge_offers": offers_of(current, pending=pending) if can_request(request.user, challenge) else [],
        "merge_key": uuid4().hex,
        "breach_limit": limit_of(current),
        "forbidden": forbidden_text(current, found),
        "may_end": may_decide and bool(forbidden_text(current, [each for each in found if each.is_confirmed])),
        "right_steps": right_to_trade_steps(current.account) if current.account.trading_ended_at else [],
        "checks": phase_checks(current, pending) if current.state == StageState.REVIEW else [],
        "work": work_of(request.user, failure.work_id if failure else current.work_id),
        "failure": failure,
        "may_decide": may_decide and current.state == StageState.REVIEW,
        "is_stuck": is_stuck(current),
        "may_fund": can_fund(request.user, current),
    }
