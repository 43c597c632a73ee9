"""The page of a client's links: a picture and a list with why, how strongly and since when."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.policies import can
from clients.queries import get_client
from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from risk.abuse.queue import RIGHT
from risk.links.forms import KnownLinkForm
from risk.links.graph import WIDTH, around
from risk.links.known import count_link_again, known_of, set_link_aside

SEES: Final = "clients.view_linked_clients"


@staff_page(SEES)
def links(request: UserRequest, client_id: int) -> HttpResponse:
    """Show who is linked with a client."""
    return _page(request, get_client(request.user, client_id))


@require_POST
@staff_page(RIGHT)
def set_aside(request: UserRequest, client_id: int) -> HttpResponse:
    """Set the link with another client aside."""
    client = get_client(request.user, client_id)
    form = KnownLinkForm(request.POST, ties=around(request.user, client).ties)
    done = run_action(
        request,
        lambda: set_link_aside(client_id=client.pk, actor=request.user, **form.cleaned_data),
        _("Link set aside. What the two share no longer counts."),
        form=form,
    )
    return redirect("risk_links", client.pk) if done else _page(request, client, form)


@require_POST
@staff_page(RIGHT)
def count_again(request: UserRequest, client_id: int, link_id: int) -> HttpResponse:
    """Let what the two share count again."""
    client = get_client(request.user, client_id)
    if not known_of(client).filter(pk=link_id).exists():
        raise Http404
    run_action(request, lambda: count_link_again(link_id=link_id, actor=request.user), _("The link counts again."))
    return redirect("risk_links", client.pk)


def _page(request: UserRequest, client: Client, form: KnownLinkForm | None = None) -> HttpResponse:
    access_log.note(
        user=request.user, kind=AccessKind.VIEW, brand_id=client.brand_id, client_id=client.pk, target="risk.links"
    )
    found = around(request.user, client)
    context = {
        "client": client,
        "links": found,
        "may_set_aside": (may := can(request.user, client, RIGHT)),
        "form": form or KnownLinkForm(ties=found.ties),
        "may_add": may and any(tie.known is None for tie in found.ties),
        "width": WIDTH,
        "left": -WIDTH // 2,
        "top": -found.height // 2,
    }
    return render(request, "risk/links/client.html", context)
