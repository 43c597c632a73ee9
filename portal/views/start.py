"""Getting started: the stepper, the client's details, and their documents."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from clients.choices import ClientKind
from clients.models import Client
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from kyc import incoming
from kyc.choices import IDENTITY_KINDS, DocumentState, UploadState
from kyc.models import UploadDraft
from kyc.queries import Requirement
from portal import onboarding, profile
from portal.forms_room import OFFERED, DetailsForm
from portal.guards import client_required
from portal.views import level_card, verification

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
    return render(request, template, _documents_context(client))


def _documents_context(client: Client) -> dict[str, Any]:
    progress, sent = onboarding.progress_of(client), incoming.shown_for(client)
    more_of = OFFERED["company_more" if client.kind == ClientKind.COMPANY else "more"]
    card = verification.card_for(client)
    open_drafts = {draft.kind: draft for draft in UploadDraft.objects.filter(client=client, state=UploadState.OPEN)}
    return {
        "client": client,
        "progress": progress,
        "asked": [(asked, address_for(asked.kind)) for asked in progress.requests],
        "standing": level_card.standing_for(client),
        "card": card,
        "groups": [
            {
                "requirement": requirement,
                "draft": next((open_drafts[kind] for kind in requirement.kinds if kind in open_drafts), None),
                "url": upload_url(requirement),
                "is_online": verification.is_covered(card, requirement),
            }
            for requirement in progress.requirements
        ],
        "incoming": sent,
        # The policy may decide within seconds: the page asks again until the checks have ended.
        "is_checking": incoming.any_waiting(sent)
        or any(document.state in UNCHECKED for document in progress.documents),
        "more": more_of,
        "others": [
            document for document in progress.documents if document.kind in more_of and document.state != "replaced"
        ][:20],
    }


def upload_url(requirement: Requirement) -> str:
    """Return where a required document is uploaded: with its type chosen where one side of it is already there."""
    if requirement.slug == "identity" and not requirement.missing_side:
        return reverse("portal_upload_choose", args=["identity"])
    return address_for(requirement.documents[0].kind if requirement.missing_side else requirement.kinds[0])


def address_for(kind: str) -> str:
    """Return where a document of one type is uploaded."""
    if kind in IDENTITY_KINDS:
        return f"{reverse('portal_upload_choose', args=['identity'])}?kind={kind}"
    return reverse("portal_upload_choose", args=[kind])
