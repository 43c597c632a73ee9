"""What a version of a plan would have cost: asked for on the plan's page, shown beside it."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from crm.security import policies
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from ib.agreements.scopes import Scope, describe
from ib.agreements.what_if import content_hash, request_what_if, rows_of
from ib.models import WhatIf
from ib.plan_editor.forms import WhatIfForm
from ib.policies import can_see_what_if, can_try_version
from ib.queries import plans_visible_to
from ib.views.plans import get_version


@staff_page("ib.view_plan")
@require_POST
def ask(request: UserRequest, version_id: int) -> HttpResponse:
    """Start the job that tries a version out on the last days."""
    version = get_version(request.user, version_id)
    policies.require(can_try_version(request.user, version))
    form = WhatIfForm(request.POST, version=version)
    done = run_action(
        request,
        lambda: request_what_if(version_id=version.pk, actor=request.user, **form.cleaned_data),
        form=form,
        show_forbidden=True,
    )
    return redirect("job", pk=done.result.pk) if done else redirect(version.plan)


@staff_page("ib.view_plan")
def show(request: UserRequest, what_if_id: int) -> HttpResponse:
    """Show what a version would have cost, per partner and in all, beside what the house earned."""
    kept = (
        WhatIf.objects.select_related("version__plan__brand", "for_plan", "partner", "made_by")
        .filter(pk=what_if_id, version__plan__in=plans_visible_to(request.user))
        .first()
    )
    if kept is None:
        raise Http404
    policies.require(can_see_what_if(request.user, kept))
    rows, scope = rows_of(kept), Scope(**kept.scope)
    revenue = kept.charged + kept.lost
    return render(
        request,
        "ib/what_if.html",
        {
            "kept": kept,
            "plan": kept.version.plan,
            "takes": describe(scope) if kept.partner_id and not scope.is_usual else "",
            "rows": rows,
            "rest": kept.partners - len(rows),
            "difference": kept.after - kept.before,
            "revenue": revenue,
            "is_over": kept.after > revenue,
            "over": sum(row.is_over for _partner, row in rows),
            "is_current": kept.content_hash == content_hash(kept.version),
        },
    )
