"""Staff pages: what traders appeal, each with its evidence, decided by somebody else than who decided before."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.record.access import log_access
from crm.choices import AccessKind
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from prop.appeals.bundle import bundle_of
from prop.appeals.decisions import can_decide_appeal, decide_appeal
from prop.appeals.evidence import samples_of
from prop.choices import AppealState
from prop.forms import AppealDecisionForm
from prop.models import Breach, StyleEnding
from prop.queries import appeals_visible_to, breaches_visible_to, endings_visible_to
from prop.sentences import limit_text, name_of


@staff_page("prop.view_challenge")
def evidence(request: UserRequest, breach_id: int) -> HttpResponse:
    """Send the evidence of a breach as an archive; the download is in the client's access log."""
    breach = breaches_visible_to(request.user).filter(pk=breach_id).first()
    if breach is None:
        raise Http404
    log_access(request.user, breach.judged_account.challenge.client, f"prop.breach:{breach.pk}", kind=AccessKind.EXPORT)
    return send_bundle(breach)


@staff_page("prop.view_challenge")
def ending_evidence(request: UserRequest, ending_id: int) -> HttpResponse:
    """Send the evidence of an ending for a forbidden style as an archive; the download is in the client's access log."""
    ending = endings_visible_to(request.user).filter(pk=ending_id).first()
    if ending is None:
        raise Http404
    client = ending.phase_account.challenge.client
    log_access(request.user, client, f"prop.style_ending:{ending.pk}", kind=AccessKind.EXPORT)
    return send_bundle(ending)


def send_bundle(subject: Breach | StyleEnding) -> HttpResponse:
    """Answer with the evidence of a breach or an ending, as staff and its trader download it."""
    name = f"breach-{subject.pk}.zip" if isinstance(subject, Breach) else f"ending-{subject.pk}.zip"
    return HttpResponse(
        bundle_of(subject),
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@staff_page("prop.view_challenge")
def appeal_page(request: UserRequest, appeal_id: int) -> HttpResponse:
    """Show an appeal with its evidence; the view is in the client's access log. An open one is decided here."""
    rows = appeals_visible_to(request.user).select_related(
        "phase_account__challenge__client__book",
        "phase_account__challenge__version__programme",
        "phase_account__phase",
        "phase_account__account",
        "phase_account__style_ending__ended_by",
        "payout",
        "refused_by",
        "decided_by",
    )
    appeal = rows.filter(pk=appeal_id).first()
    if appeal is None:
        raise Http404
    challenge = appeal.phase_account.challenge
    log_access(request.user, challenge.client, f"prop.appeal:{appeal.pk}")
    form = AppealDecisionForm(request.POST or None)
    if request.method == "POST":
        done = run_action(
            request,
            lambda: decide_appeal(appeal_id=appeal.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect(appeal)
    is_open, allowed = appeal.state == AppealState.OPEN, can_decide_appeal(request.user, appeal)
    ending = None if appeal.payout else getattr(appeal.phase_account, "style_ending", None)
    breach = None if appeal.payout or ending else appeal.phase_account.breaches.all()[0]
    context = {
        "appeal": appeal,
        "challenge": challenge,
        "row": appeal.phase_account,
        "stage": name_of(appeal.phase_account.phase),
        "breach": breach,
        "ending": ending,
        "breach_limit": limit_text(breach.rule, breach.threshold, challenge.currency) if breach else "",
        "samples": samples_of(breach, challenge.currency) if breach else [],
        "work": work_of(request.user, appeal.work_id),
        "may_decide": is_open and allowed,
        "refusal": allowed.reason if is_open and not allowed and request.user.has_perm("prop.decide_appeal") else "",
        "form": form,
    }
    return render(request, "prop/appeal.html", context, status=422 if form.errors else 200)
