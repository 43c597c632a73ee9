"""The guided tour: where a person begins, goes on and ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from crm.accounts import home_url
from crm.ui import tours
from crm.ui.views import wants_fragment

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


@login_required
@require_POST
def tour(request: UserRequest) -> HttpResponse:
    """Keep the step a person is at (-1: finished or dismissed) and go to its page, or back home."""
    roles = list(request.user.groups.values_list("name", flat=True))
    steps = tours.steps_for(request.user.kind, roles)
    try:
        step = int(request.POST.get("step", ""))
    except ValueError:
        return HttpResponseBadRequest()
    if not tours.DONE <= step < len(steps):
        return HttpResponseBadRequest()
    tours.keep_progress(user=request.user, step=step)
    if wants_fragment(request):
        return HttpResponse()  # the card that offered the tour closes
    return redirect(steps[step].url if step != tours.DONE else home_url(request.user))
