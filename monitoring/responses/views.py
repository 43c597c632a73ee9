"""Pages of limits on an agent's access: set one, end one."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.choices import StaffLimitKind
from crm.models import StaffLimit
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from monitoring.forms import ReasonForm
from monitoring.queries import agents_visible_to, alerts_visible_to
from monitoring.responses.forms import LimitForm
from monitoring.responses.limits import RIGHT, end_limit, impose_limit


@staff_page(RIGHT)
def new_limit(request: UserRequest, agent_id: int) -> HttpResponse:
    """Limit an agent's access; from an alert's page, the limit names the alert."""
    agent = agents_visible_to(request.user).filter(pk=agent_id).first()
    if agent is None:
        raise Http404
    about = request.GET.get("alert", "")
    alert = alerts_visible_to(request.user).filter(pk=about, agent=agent).first() if about.isdecimal() else None
    back = alert.get_absolute_url() if alert else f"/monitoring/agents/{agent.pk}/"
    form = LimitForm(request.POST or None)
    if request.method == "POST" and run_action(
        request,
        lambda: impose_limit(
            agent_id=agent.pk,
            kind=StaffLimitKind(form.cleaned_data["kind"]),
            until_on=form.cleaned_data["until_on"],
            per_day=form.cleaned_data["per_day"],
            reason=form.cleaned_data["reason"],
            reference=f"monitoring.alert:{alert.pk}" if alert else "",
            actor=request.user,
        ),
        _("Limit set. The agent was notified."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(back)
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form,
            "title": _("Limit access"),
            "text": _("%(agent)s is notified with your reason. The limit ends automatically after its last day.")
            % {"agent": agent},
            "back": back,
            "action": _("Set limit"),
        },
    )


@staff_page(RIGHT)
def end_limit_page(request: UserRequest, limit_id: int) -> HttpResponse:
    """End a limit before its time."""
    row = (
        StaffLimit.objects.select_related("user").filter(pk=limit_id, user__in=agents_visible_to(request.user)).first()
    )
    if row is None:
        raise Http404
    back = f"/monitoring/agents/{row.user_id}/"
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and run_action(
        request,
        lambda: end_limit(limit_id=row.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        _("Limit ended."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(back)
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form,
            "title": f"{row.user}: {row.get_kind_display()}",
            "text": row.reason,
            "back": back,
            "action": _("End limit"),
        },
    )
