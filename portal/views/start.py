"""Getting started: the stepper, the client's details, and their documents."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.choices import ClientKind
from clients.models import Client
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.uploads import takes_files
from kyc import incoming
from kyc.choices import DocumentKind, DocumentState
from kyc.intake import too_large_words
from portal import onboarding, profile
from portal.forms_room import OFFERED, DetailsForm, UploadForm, sides_of
from portal.guards import client_required
from portal.views import level_card, verification

ACCEPT = "image/jpeg,image/png,image/webp,application/pdf"

UNCHECKED = (DocumentState.UPLOADED, DocumentState.CHECKING)


@client_required
def details(request: HttpRequest, client: Client) -> HttpResponse:
    """Take the client's details: the first step, and later the place to correct an address or a phone number."""
    assert isinstance(request.user, User)
    form = DetailsForm(request.POST or None, client=client)
    user = request.user
    if run_action(
        request,
        lambda: profile.change_own_details(client_id=client.pk, actor=user, changes=form.cleaned_data),
        _("Saved."),
        form=form,
        field=lambda error: "phone" if error.code == "bad_phone" else None,
        show_forbidden=True,
    ):
        client.refresh_from_db()
        progress = onboarding.progress_of(client)
        return redirect("portal_documents" if progress.next_step else "portal")
    context = {"client": client, "form": form, "progress": onboarding.progress_of(client)}
    return render(request, "portal/details.html", context, status=422 if form.errors else 200)


@client_required
def documents(request: HttpRequest, client: Client) -> HttpResponse:
    """Show what is needed, what was sent, and the state of each; the list refreshes itself while files are checked."""
    template = "portal/_document_states.html" if wants_fragment(request) else "portal/documents.html"
    return render(request, template, _documents_context(client, request.GET.get("kind", "")))


def _documents_context(client: Client, chosen: str = "", **more: Any) -> dict[str, Any]:
    progress, sent = onboarding.progress_of(client), incoming.shown_for(client)
    more_of = "company_more" if client.kind == ClientKind.COMPANY else "more"
    groups = []
    for requirement in progress.requirements:
        kinds = [_kind(kind, requirement.documents) for kind in OFFERED[requirement.slug]]
        groups.append({"requirement": requirement, "kinds": kinds, "chosen": _chosen(kinds, chosen, requirement)})
    return {
        "client": client,
        "progress": progress,
        "asked": [(asked, _kind(DocumentKind(asked.kind), [])) for asked in progress.requests],
        "standing": level_card.standing_for(client),
        "card": verification.card_for(client),
        "groups": groups,
        "accept": ACCEPT,
        "incoming": sent,
        # The policy may decide within seconds: the page asks again until the checks have ended.
        "is_checking": incoming.any_waiting(sent)
        or any(document.state in UNCHECKED for document in progress.documents),
        "more": [_kind(kind, []) for kind in OFFERED[more_of]],
        "max_bytes": settings.UPLOAD_MAX_BYTES,
        "others": [
            document
            for document in progress.documents
            if document.kind in OFFERED[more_of] and document.state != "replaced"
        ][:20],
        **more,
    }


def _kind(kind: DocumentKind, sent: list[Any]) -> dict[str, Any]:
    there = {document.side: document for document in sent if document.kind == kind}
    sides = [{"value": value, "label": label, "document": there.get(value)} for value, label in sides_of(kind)]
    return {"value": kind.value, "label": kind.label, "sides": sides}


def _chosen(kinds: list[dict[str, Any]], wished: str, requirement: Any) -> str:
    """Choose which kind's fields are open: the one asked for, the one begun, else the first."""
    values: list[str] = [kind["value"] for kind in kinds]
    if wished in values:
        return wished
    begun = [document.kind for document in requirement.documents]
    return next((value for value in values if value in begun), values[0])


def too_large(request: HttpRequest, message: str) -> HttpResponse:
    """Refuse a file that is too large: in words for the script that sends it, or on a page without it."""
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return JsonResponse({"message": message}, status=413)
    return render(request, "portal/upload_refused.html", {"message": message}, status=413)


@takes_files(refuse=too_large, words=too_large_words)
@require_POST
@client_required
def send_document(request: HttpRequest, client: Client) -> HttpResponse:
    """Take one file. What can't be taken is said in words, here or beside the document once it was opened."""
    assert isinstance(request.user, User)
    form = UploadForm(request.POST, request.FILES)
    user = request.user
    done = run_action(
        request,
        lambda: incoming.receive(
            client=client,
            kind=form.cleaned_data["kind"],
            side=form.cleaned_data["side"],
            file=form.cleaned_data["file"],
            actor=user,
            name=form.cleaned_data["file"].name,
        ),
        _("File received. We're checking it."),
        form=form,
        show_forbidden=True,
    )
    if not done:
        return _not_taken(request, client, str(next(iter(form.errors.values()))[0]))
    return redirect("portal_documents")


def _not_taken(request: HttpRequest, client: Client, message: str) -> HttpResponse:
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return JsonResponse({"message": str(message)}, status=422)
    context = _documents_context(client, request.POST.get("kind", ""), problem=message)
    return render(request, "portal/documents.html", context, status=422)
