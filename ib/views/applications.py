"""Staff pages of applications: the list, the proposal to approve one, rejecting it, and the accepted agreement."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from ib.applications import approving
from ib.applications.agreement import accepted_files
from ib.applications.forms import ApproveForm
from ib.choices import PartnerState
from ib.forms import ReasonForm
from ib.models import Partner, PartnerApplication, PartnerApproval
from ib.queries import get_partner


def application_context(user: User, partner: Partner) -> dict[str, Any]:
    """Collect what a partner's page shows of their application; nothing for one who didn't apply."""
    application = (
        PartnerApplication.objects.filter(partner=partner).select_related("wording__version", "offer__plan").first()
    )
    if application is None:
        return {}
    waiting = None
    if partner.state == PartnerState.PENDING:
        waiting = PartnerApproval.objects.filter(partner=partner, state="pending").first()
    return {
        "application": application,
        "has_agreement": accepted_files(partner).exists(),
        "missing": approving.verification_missing(partner) if partner.state == PartnerState.PENDING else "",
        "proposal": waiting,
    }


@staff_page("ib.manage_partners")
def approve(request: UserRequest, partner_id: int) -> HttpResponse:
    """Propose to approve an applicant on a plan."""
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = ApproveForm(request.POST or None, partner=partner, user=request.user)
    if run_action(
        request,
        lambda: approving.propose_approval(
            partner_id=partner.pk,
            plan_id=form.cleaned_data["plan"].pk,
            percent=form.cleaned_data["percent"],
            reason=form.cleaned_data["reason"],
            actor=request.user,
        ),
        _("Approval proposed. The partner is activated once a second person approves."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    text = approving.verification_missing(partner)
    return _form(request, partner, form, _("Propose approval"), text, _("Propose approval"))


@staff_page("ib.manage_partners")
def reject(request: UserRequest, partner_id: int) -> HttpResponse:
    partner = get_partner(request.user, partner_id, permission="ib.manage_partners")
    form = ReasonForm(request.POST or None)
    if run_action(
        request,
        lambda: approving.reject_application(
            partner_id=partner.pk, reason=form.cleaned_data["reason"], actor=request.user
        ),
        _("Application rejected. The applicant was informed."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(partner)
    text = _("The applicant is informed by e-mail, without the reason.")
    return _form(request, partner, form, _("Reject application"), text, _("Reject application"))


def _form(
    request: HttpRequest, partner: Partner, form: ApproveForm | ReasonForm, title: str, text: str, button: str
) -> HttpResponse:
    context = {"form": form, "title": title, "text": text, "button": button, "partner": partner}
    status = 422 if form.errors else 200
    return render(request, "ib/form.html", {**context, "back": partner.get_absolute_url()}, status=status)


@staff_page("ib.view_partner")
def agreement(request: UserRequest, partner_id: int) -> HttpResponse:
    """Download the agreement as the applicant accepted it."""
    partner = get_partner(request.user, partner_id)
    return agreement_file(partner)


def agreement_file(partner: Partner) -> HttpResponse:
    """Return the PDF of the agreement that a partner accepted; 404 where there is none."""
    file = accepted_files(partner).first()
    if file is None:
        raise Http404
    response = HttpResponse(bytes(file.content), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="agreement-{partner.code}.pdf"'
    response["Cache-Control"] = "no-store"
    return response
