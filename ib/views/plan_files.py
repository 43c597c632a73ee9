"""Plan versions as files: downloaded, and uploaded as the next draft."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.security import policies
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from ib import plans
from ib.agreements.files import BYTES_MAX, read_yaml, write_yaml
from ib.models import PlanVersion
from ib.policies import can_write_plans
from ib.views.plans import get_plan, get_version


class PlanFileForm(forms.Form):
    """A version of a plan as YAML."""

    file = forms.FileField(label=gettext_lazy("YAML file"), max_length=200)


@staff_page("ib.view_plan")
def download(request: UserRequest, version_id: int) -> HttpResponse:
    """Send a version as YAML: what an upload takes."""
    version = get_version(request.user, version_id)
    name = f"plan-{version.plan_id}-v{version.number}.yaml"
    return HttpResponse(
        write_yaml(version),
        content_type="application/yaml; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@staff_page("ib.propose_plan")
def upload(request: UserRequest, plan_id: int) -> HttpResponse:
    """Write the next draft from a YAML file, with the same checks as the form."""
    plan = get_plan(request.user, plan_id)
    policies.require(can_write_plans(request.user, plan.brand_id))
    form = PlanFileForm(request.POST or None, request.FILES or None)

    def draft() -> PlanVersion:
        content = form.cleaned_data["file"].read(BYTES_MAX + 1)
        tomorrow = (timezone.localtime() + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        terms = read_yaml(content, starts_at=tomorrow)
        return plans.draft_version(plan_id=plan.pk, actor=request.user, terms=terms)

    if run_action(
        request, draft, _("Draft saved. It has no effect until it's activated."), form=form, show_forbidden=True
    ):
        return redirect(plan)
    return render(
        request,
        "ib/form.html",
        {
            "form": form,
            "title": _("Upload a version of %(plan)s") % {"plan": plan},
            "text": _("The file becomes a draft. Download a version of the plan to see the format."),
            "back": plan.get_absolute_url(),
        },
        status=422 if form.errors else 200,
    )
