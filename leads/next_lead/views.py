"""The page of the next lead: who, why this one, and passing over it."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from clients.record.access import log_access
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.next_lead import choosing


class SkipForm(forms.Form):
    reason = forms.ChoiceField(label=gettext_lazy("Skip because"), choices=choosing.SkipReason.choices)


@staff_page("clients.log_call")
@require_safe
def next_lead(request: UserRequest) -> HttpResponse:
    """Show the lead to work next."""
    found = choosing.choose(request.user)
    if found.client is not None:
        log_access(request.user, found.client, "leads.next")
    hours = int(choosing.SKIPPED_FOR.total_seconds() // 3600)
    return render(request, "leads/next_lead/page.html", {"next": found, "form": SkipForm(), "hours": hours})


@staff_page("clients.log_call")
@require_POST
def skip(request: UserRequest, client_id: int) -> HttpResponse:
    """Pass over a lead and show the one after it."""
    reason = request.POST.get("reason", "")
    run_action(
        request,
        lambda: choosing.skip(client_id=client_id, actor=request.user, reason=reason),
        _("Skipped."),
        show_forbidden=True,
    )
    return redirect("lead_next")
