"""The page of an ended relation: its period, what stands against an erasure, the legal hold, the proposal."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.queries import is_in_own_book
from compliance.brand_policies import RETENTION_YEARS
from compliance.models import ClosedRelation, LegalHold
from compliance.retention import RIGHT, erasing, holds
from compliance.retention.obstacles import obstacles_of
from compliance.retention.periods import due_on, relations_visible_to
from crm.approvals.queries import proposal_of
from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=300, widget=forms.Textarea({"rows": 2}))


def _relation(user: User, client_id: int) -> ClosedRelation:
    rows = relations_visible_to(user).select_related("client__brand", "client__book", "brand")
    found = rows.filter(client=client_id).first()
    if found is None:
        raise Http404
    return found


@staff_page(RIGHT)
def relation(request: UserRequest, client_id: int) -> HttpResponse:
    """Show an ended relation. Reading it is logged."""
    found = _relation(request.user, client_id)
    access_log.note(
        user=request.user,
        kind=AccessKind.VIEW,
        client_id=client_id,
        brand_id=found.brand_id,
        target=f"compliance.retention:{client_id}",
        in_book=is_in_own_book(request.user, found.client),
    )
    return _page(request, found)


def _page(request: UserRequest, found: ClosedRelation, form: ReasonForm | None = None, act: str = "") -> HttpResponse:
    waiting = erasing.awaiting_erasure(found.client)
    context = {
        "relation": found,
        "client": found.client,
        "due_on": due_on(found),
        "years": RETENTION_YEARS.of(found.brand),
        "obstacles": obstacles_of(found.client, found),
        "erasure": erasing.done_erasure(found.client) if found.erased_at else None,
        "hold": holds.hold_of(found.client),
        "past_holds": LegalHold.objects.filter(client=found.client, lifted_at__isnull=False).select_related(
            "placed_by", "lifted_by"
        )[:20],
        "proposal": proposal_of(waiting, request.user) if waiting else None,
        "erase_form": form if form and act == "erase" else ReasonForm(prefix=None),
        "hold_form": form if form and act != "erase" else ReasonForm(auto_id="hold_%s"),
    }
    return render(request, "compliance/retention.html", context, status=422 if form and form.errors else 200)


@require_POST
@staff_page(RIGHT)
def act(request: UserRequest, client_id: int, act: str) -> HttpResponse:
    """Propose an erasure; place or lift a legal hold."""
    found, form = _relation(request.user, client_id), ReasonForm(request.POST)
    verbs = {
        "erase": (erasing.propose_erasure, _("Proposed. A second person has to decide.")),
        "hold": (holds.place_hold, _("Legal hold placed.")),
        "lift": (holds.lift_hold, _("Legal hold lifted.")),
    }
    if act not in verbs:
        raise Http404
    verb, success = verbs[act]
    done = run_action(
        request,
        lambda: verb(client_id=client_id, actor=request.user, reason=form.cleaned_data["reason"]),
        success,
        form=form,
        show_forbidden=True,
    )
    return redirect(found) if done else _page(request, found, form, act)
