"""Pages of delisted true matches: the queue, and one with its decision."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.record.access import log_access
from compliance import queries
from compliance.matches.delisting import DELISTED, RIGHT, decide_delisting, get_delisting
from compliance.matches.delisting_table import DelistingTable
from compliance.models import Delisting, DelistingState, Restriction
from crm.pages.work import AssignSelected
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.work.queries import work_of


class DecisionForm(forms.Form):
    outcome = forms.ChoiceField(
        label=gettext_lazy("Decision"),
        choices=[(code, outcome.label) for code, outcome in DELISTED.outcomes.items()],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=1000, widget=forms.Textarea({"rows": 3}))


class Assign(AssignSelected):
    table = DelistingTable


class DelistingPage(StaffView):
    """One delisted true match. Reading it is logged."""

    permission = RIGHT

    def get(self, request: UserRequest, delisting_id: int) -> HttpResponse:
        delisting = get_delisting(request.user, delisting_id)
        log_access(request.user, delisting.client, f"compliance.delisting:{delisting.pk}")
        return self._page(request, delisting, DecisionForm())

    def post(self, request: UserRequest, delisting_id: int) -> HttpResponse:
        delisting = get_delisting(request.user, delisting_id)
        form = DecisionForm(request.POST)
        done = run_action(
            request,
            lambda: decide_delisting(delisting_id=delisting.pk, actor=request.user, **form.cleaned_data),
            lambda decided: (
                _("Proposed. A second person has to approve that the restriction is lifted.")
                if decided.state == DelistingState.OPEN
                else _("Restriction kept.")
            ),
            form=form,
            show_forbidden=True,
        )
        return redirect(delisting) if done else self._page(request, delisting, form)

    @staticmethod
    def _page(request: UserRequest, delisting: Delisting, form: DecisionForm) -> HttpResponse:
        context = {
            "delisting": delisting,
            "hit": delisting.hit,
            "client": delisting.client,
            "restrictions": list(Restriction.objects.filter(client=delisting.client, lifted_at=None)[:20]),
            "risk": queries.current_risk(delisting.client),
            "work": work_of(request.user, delisting.work_id),
            "form": form,
        }
        return render(request, "compliance/delisting.html", context, status=422 if form.errors else 200)
