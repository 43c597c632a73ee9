"""New versions of what a client agreed to, and the very words of an earlier agreement."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from clients.models import Client
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from portal import consents
from portal.guards import client_required
from portal.models import Consent

HASHES_MAX = 10


@client_required
def accept_texts(request: UserRequest, client: Client) -> HttpResponse:
    """Show the new versions that await the client's yes, and take it."""
    language = request.LANGUAGE_CODE
    wanted = False
    if request.method == "POST":
        hashes = request.POST.getlist("accepted")[:HASHES_MAX]
        wanted = True
        if run_action(
            request,
            lambda: consents.accept_again(client=client, actor=request.user, language=language, hashes=hashes),
            _("Thank you. Your consent is recorded."),
        ):
            return redirect("portal")
    texts = consents.current_texts(client.brand, language)
    open_kinds = consents.outstanding(client, consents.must_accept(client.brand, language))
    if not open_kinds:
        return redirect("portal")
    context = {"client": client, "texts": [(kind, texts[kind]) for kind in open_kinds]}
    return render(request, "portal/accept_texts.html", context, status=422 if wanted else 200)


@client_required
@require_safe
def consent(request: HttpRequest, client: Client, pk: int) -> HttpResponse:
    """Show exactly what the client agreed to, with its hash."""
    row = get_object_or_404(Consent.objects.select_related("text__version"), pk=pk, client=client)
    return render(request, "portal/consent.html", {"client": client, "consent": row})
