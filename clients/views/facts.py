"""Editing one fact of a client in place: GET is the form, or the line as it reads (`?shown=1`); POST saves it."""

from __future__ import annotations

import json

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients import policies
from clients.forms import FactForm
from clients.models import Client
from clients.profile import change_profile
from clients.queries import get_client
from clients.record.profile_facts import FACTS, Fact, line_of
from clients.views.page import header_context
from crm.i18n.time_zones import all_zones
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest


@staff_page("clients.change_client")
def fact(request: UserRequest, client_id: int, slug: str) -> HttpResponse:
    """Edit a fact with Enter and Esc. Without scripts the whole form is the way: this address leads there."""
    client, chosen = get_client(request.user, client_id), FACTS.get(slug)
    if chosen is None:
        raise Http404
    if not wants_fragment(request):
        return redirect("client_edit", client_id=client.pk)
    if request.GET.get("shown"):
        return _line(request, client, chosen)
    policies.require(policies.can_change(request.user, client, [name.removeprefix("new_") for name in chosen.fields]))
    shows_contact = policies.sees_contacts(request.user)
    if request.method != "POST":
        return _form(request, client, chosen, FactForm(instance=client, fact=chosen, shows_contact=shows_contact))
    form = FactForm(request.POST, instance=client, fact=chosen, shows_contact=shows_contact)
    done = run_action(
        request,
        lambda: change_profile(client_id=client.pk, actor=request.user, changes=form.changes()),
        form=form,
        field=chosen.fields[0],
    )
    if not done:
        return _form(request, client, chosen, form, status=422)
    return _line(request, get_client(request.user, client_id), chosen, is_saved=True)


def _form(request: UserRequest, client: Client, chosen: Fact, form: FactForm, status: int = 200) -> HttpResponse:
    zones = sorted(all_zones()) if "time_zone" in form.fields else []
    context = {
        "client": client,
        "fact": chosen,
        "form": form,
        "zones": [zone for zone in zones if "/" in zone and not zone.startswith(("Etc/", "US/", "SystemV/", "posix/"))],
    }
    return render(request, "clients/_fact_form.html", context, status=status)


def _line(request: UserRequest, client: Client, chosen: Fact, *, is_saved: bool = False) -> HttpResponse:
    """Show the fact as it reads now; after a change also the name and place in the header, which may repeat it."""
    context = {"client": client, "line": line_of(chosen, client, request.user), "is_back": True, "is_saved": is_saved}
    if is_saved:
        context |= header_context(request, client) | {"is_oob": True}
    response = render(request, "clients/_fact_answer.html", context)
    if is_saved:
        toast = {"title": _("%(fact)s saved.") % {"fact": chosen.label}, "tone": "success"}
        response["HX-Trigger"] = json.dumps({"k:toast": toast})
    response["Cache-Control"] = "no-store"
    return response
