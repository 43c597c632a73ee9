"""The page on which an officer opens a client's AML case, or adds to the open one, without an alert."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.queries import get_client
from clients.record.access import log_access
from compliance.aml import policies, queries, referrals
from compliance.aml.choices import CaseState
from compliance.aml.forms import SuspicionForm
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


@staff_page(policies.DECIDES)
def open_case(request: UserRequest, client_id: int) -> HttpResponse:
    """Say what was seen about a client, and why it is suspicious."""
    client = get_client(request.user, client_id)
    log_access(request.user, client, f"compliance.client:{client.pk}")
    form = SuspicionForm(request.POST or None, currency=client.brand.base_currency)
    done = run_action(
        request,
        lambda: referrals.open_case(
            client_id=client.pk, suspicion=form.suspicion(), reason=form.cleaned_data["reason"], actor=request.user
        ),
        _("Recorded in the client's AML case."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect(done.result)
    joined = queries.of_client(request.user, client.pk).filter(state=CaseState.OPEN).first()
    context = {"client": client, "form": form, "joined": joined}
    return render(request, "compliance/aml/open.html", context, status=422 if form.errors else 200)
