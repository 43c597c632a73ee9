"""A partner's team: who has a login, in which role, and what each role may do."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.accounts.guards import confirmed
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from ib.choices import PartnerRight, TeamRole
from ib.forms import MemberForm
from ib.models import Partner, PartnerMember
from ib.team import members
from ib.team.rights import RIGHTS
from ib.views.guards import partner_page

REMOVED_SHOWN = 20


@partner_page(PartnerRight.MANAGE_TEAM)
def team(request: UserRequest, partner: Partner) -> HttpResponseBase:
    """Show the team with its roles and take invitations, which ask for the password again."""
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = confirmed(_add)(request, partner, form)
        if answer is not None:
            return answer
    rows = partner.members.select_related("user")
    context = {
        "partner": partner,
        "form": form,
        "members": rows.filter(removed_at__isnull=True)[: members.MEMBERS_MAX],
        "removed": rows.filter(removed_at__isnull=False)[:REMOVED_SHOWN],
        "roles": TeamRole.choices,
        "matrix": [(right.label, [(role, right in RIGHTS[role]) for role in TeamRole]) for right in PartnerRight],
    }
    return render(request, "partners/team.html", context, status=422 if form.errors else 200)


def _add(request: UserRequest, partner: Partner, form: MemberForm) -> Any:
    data = form.cleaned_data
    done = run_action(
        request,
        lambda: members.add_member(
            partner_id=partner.pk, name=data["name"], email=data["email"], role=data["role"], actor=request.user
        ),
        _("Invitation sent to %(email)s.") % {"email": data["email"]},
        form=form,
    )
    answer: HttpResponse | None = redirect("partner_team") if done else None
    return answer


def _own(partner: Partner, member_id: int) -> PartnerMember:
    member = PartnerMember.objects.filter(pk=member_id, partner=partner).first()
    if member is None:
        raise Http404
    return member


@partner_page(PartnerRight.MANAGE_TEAM)
@require_POST
def change_role(request: UserRequest, partner: Partner, member_id: int) -> HttpResponse:
    member = _own(partner, member_id)
    run_action(
        request,
        lambda: members.change_role(member_id=member.pk, role=request.POST.get("role", ""), actor=request.user),
        _("Role changed."),
    )
    return redirect("partner_team")


@partner_page(PartnerRight.MANAGE_TEAM)
@require_POST
def remove(request: UserRequest, partner: Partner, member_id: int) -> HttpResponse:
    member = _own(partner, member_id)
    run_action(
        request,
        lambda: members.remove_member(member_id=member.pk, actor=request.user),
        _("Team member removed. They're signed out everywhere."),
    )
    return redirect("partner_team")


@partner_page(PartnerRight.MANAGE_TEAM)
@require_POST
def invite(request: UserRequest, partner: Partner, member_id: int) -> HttpResponse:
    member = _own(partner, member_id)
    run_action(
        request,
        lambda: members.invite_again(member_id=member.pk, actor=request.user),
        _("Invitation sent to %(email)s.") % {"email": member.user.email},
    )
    return redirect("partner_team")
