"""Documents on top of the client's page: what is missing, what waits for review, sending one for the client."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.models import Client
from clients.policies import can_log
from crm.i18n import formats
from crm.ui.records import Creation, NextStep
from crm.web.requests import UserRequest
from kyc import policies, queries
from kyc.choices import DocumentState
from kyc.levels.reaching import level_required
from kyc.models import Document

LETTER = "kyc.documents_missing"
REVIEW, MISSING, FOR_OTHERS = 30, 35, 85
LEVEL_OF = {"identity": 1, "register_extract": 1, "address": 2}


def next_steps(request: UserRequest, client: Client) -> list[NextStep]:
    """Suggest the review of what was sent, or asking for what is missing, rejected or expired."""
    if client.stage in (Stage.LEAD, Stage.CLOSED):
        return []
    documents = queries.documents_of(client)
    steps = (
        [_review(request, client, documents)] if any(d.state == DocumentState.PENDING_REVIEW for d in documents) else []
    )
    needed = level_required(client)
    texts = {"missing": _("Not sent yet"), "rejected": _("Rejected: a new one is needed"), "expired": _("Expired")}
    for requirement in queries.requirements_of(client, documents):
        if requirement.needs_client and (LEVEL_OF[requirement.slug] <= needed or requirement.state != "missing"):
            steps.append(_missing(request, client, requirement, texts[requirement.state]))
    return steps


def _review(request: UserRequest, client: Client, documents: list[Document]) -> NextStep:
    waiting = [document for document in documents if document.state == DocumentState.PENDING_REVIEW]
    oldest = waiting[-1]
    reviews = request.user.has_perm("kyc.review_document")
    title = oldest.title if len(waiting) == 1 else _("%(count)s documents to review") % {"count": len(waiting)}
    note = _("Pending review · sent %(ago)s") % {"ago": formats.ago(oldest.uploaded_at)}
    url = (
        oldest.get_absolute_url() if reviews else reverse("client_tab", kwargs={"client_id": client.pk, "slug": "kyc"})
    )
    urgency, button = (REVIEW, _("Review document")) if reviews else (FOR_OTHERS, _("View"))
    return NextStep(urgency, str(title), button, url, note, "file-check")


def _missing(request: UserRequest, client: Client, requirement: queries.Requirement, note: str) -> NextStep:
    """Ask for a document by e-mail; who doesn't write to clients sees the checklist."""
    title = _("Missing: %(document)s") % {"document": requirement.label}
    if can_log(request.user, client):
        url = f"{reverse('client_mail', args=[client.pk])}?template={LETTER}"
        return NextStep(MISSING, title, _("Request document"), url, note, "id-card", "warning", is_dialog=True)
    url = reverse("client_tab", kwargs={"client_id": client.pk, "slug": "kyc"})
    return NextStep(MISSING, title, _("View"), url, note, "id-card", "warning")


def creations(request: UserRequest, client: Client) -> Creation | None:
    """Offer to send a document for the client."""
    if client.stage in (Stage.LEAD, Stage.CLOSED) or not policies.can_upload(request.user, client):
        return None
    return Creation(_("Document"), reverse("kyc:upload", args=[client.pk]), "upload", is_dialog=False)
