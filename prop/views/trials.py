"""Staff pages: a version tried on past challenges; asked for on the programme's page, kept beside the version."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from crm.security import policies
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from prop.forms import TrialForm
from prop.queries import trials_visible_to
from prop.trials.running import can_try, content_hash, request_trial
from prop.trials.shown import limits_of, lines_of, money_of, not_tried, pass_rates, phases_of
from prop.views.programmes import get_version


@staff_page("prop.view_programme")
@require_POST
def ask(request: UserRequest, version_id: int) -> HttpResponse:
    """Start the job that tries a version on the challenges of the last days."""
    version = get_version(request.user, version_id)
    policies.require(can_try(request.user, version))
    form = TrialForm(request.POST, programme=version.programme)
    done = run_action(
        request,
        lambda: request_trial(version_id=version.pk, actor=request.user, **form.cleaned_data),
        form=form,
        show_forbidden=True,
    )
    return redirect("job", pk=done.result.pk) if done else redirect(version.programme)


@staff_page("prop.view_programme")
def show(request: UserRequest, trial_id: int) -> HttpResponse:
    """Show what a version would have made of challenges, beside what they became."""
    rows = trials_visible_to(request.user).select_related(
        "version__programme__brand", "version__account_type", "version__funded_account_type", "of_programme", "made_by"
    )
    kept = rows.prefetch_related("version__phases", "version__sizes").filter(pk=trial_id).first()
    if kept is None:
        raise Http404
    policies.require(can_try(request.user, kept.version))
    before, after = money_of(kept)
    was_rate, now_rate = pass_rates(kept)
    lines = lines_of(kept)
    context = {
        "kept": kept,
        "programme": kept.version.programme,
        "currency": kept.version.currency,
        "is_current": kept.content_hash == content_hash(kept.version),
        "before": before,
        "after": after,
        "was_rate": was_rate,
        "now_rate": now_rate,
        "phases": phases_of(kept),
        "not_tried": not_tried(kept),
        "lines": lines,
        "rest": kept.figures["different"] - len(lines),
        "limits": limits_of(kept),
        "may_see_challenges": request.user.has_perm("prop.view_challenge"),
    }
    return render(request, "prop/trial.html", context)
