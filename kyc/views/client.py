"""Documents on the client's page, and sending one for a client."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import get_client
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from kyc import incoming, policies, queries
from kyc.categories import policies as category_policies
from kyc.categories.views import section_of as category_section
from kyc.corporate.views import section_for
from kyc.document_requests.reading import requests_of
from kyc.forms import ACCEPT, UploadForm
from kyc.intake import too_large_words
from kyc.levels.reaching import level_required
from kyc.providers.views.checks import card_of
from kyc.questionnaires.client_views import section_of as questionnaire_section
from kyc.verdicts.blinding import blind_documents


def kyc_tab(request: UserRequest, client: Client) -> HttpResponse:
    """Show what is proved, what is missing, and every document with its state."""
    user = request.user
    mine, sent = queries.documents_of(client), incoming.shown_for(client)
    blind = blind_documents(user) & {document.pk for document in mine}
    context = {
        "client": client,
        "documents": mine,
        "blind": blind,
        "incoming": sent,
        "is_checking": incoming.any_waiting(sent),
        "requests": requests_of(client),
        "requirements": queries.requirements_of(client, mine),
        "level_required": level_required(client),
        "levels": list(client.kyc_levels.order_by("level")),
        "can_open": user.has_perm("kyc.open_document"),
        "can_upload": bool(policies.can_upload(user, client)),
        "questionnaires": questionnaire_section(user, client),
        "card": card_of(user, client),
        "category": category_section(client) if user.has_perm(category_policies.SEES) else None,
        **section_for(request, client),
    }
    return render(request, "kyc/_client_tab.html", context)


class Upload(StaffView):
    """Staff send a document for a client (it came by post, or by e-mail); a colleague reviews it."""

    permission = "kyc.send_document"

    def get(self, request: UserRequest, client_id: int) -> HttpResponse:
        return self._page(request, get_client(request.user, client_id))

    def post(self, request: UserRequest, client_id: int) -> HttpResponse:
        client = get_client(request.user, client_id)
        form = UploadForm(request.POST, request.FILES)
        if run_action(
            request,
            lambda: incoming.receive(
                client=client,
                kind=form.cleaned_data["kind"],
                side=form.cleaned_data["side"],
                file=form.cleaned_data["file"],
                actor=request.user,
            ),
            _("The file is being checked. Once it's accepted, a colleague reviews it."),
            form=form,
            field="file",
            show_forbidden=True,
        ):
            return redirect(f"{client.get_absolute_url()}?tab=kyc")
        return self._page(request, client, form)

    @staticmethod
    def _page(request: HttpRequest, client: Client, form: UploadForm | None = None) -> HttpResponse:
        context = {"client": client, "form": form or UploadForm(), "limit": settings.UPLOAD_MAX_BYTES, "accept": ACCEPT}
        return render(request, "kyc/upload.html", context, status=422 if form and form.errors else 200)


upload = takes_files(Upload.as_view(), words=too_large_words)
