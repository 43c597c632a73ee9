"""The guided upload in the client portal: which document, each of its sides, the last look, and the code for a phone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.choices import ClientKind
from clients.models import Client
from crm.money.numbers import is_whole
from crm.ui import qr
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from kyc.choices import COMPANY_KINDS, IDENTITY_KINDS, DocumentKind, DocumentState
from kyc.corporate import pages as company_pages
from kyc.document_requests.reading import open_requests
from kyc.examination.states import alpha2_of
from kyc.intake import too_large_words
from kyc.levels.ladder import is_company, ladder_of
from kyc.models import CompanyPerson, Document
from kyc.uploads import drafts, handover, previews, submission
from kyc.uploads import pages as draft_pages
from kyc.uploads.guidance import identity_kinds_in, plan_of
from kyc.views.files import guarded
from portal.guards import client_required
from portal.uploads.door import Door, change_page, page_bytes, step_context, take_page, too_large
from portal.uploads.forms import DocumentForm

IDENTITY = "identity"


# ── which document ───────────────────────────────────────────────────────────────────────────────────────────────────
@client_required
def choose(request: UserRequest, client: Client, proof: str) -> HttpResponse:
    """Ask which document and who issued it; after a rejection the flaw is named and the same answers are chosen."""
    subject = _subject(request, client)
    kinds = kinds_for(subject, proof)
    before = _rejected(subject, kinds)
    form = DocumentForm(
        request.POST or None, client=subject, kinds=kinds, initial=_initial(request, subject, kinds, before)
    )
    if request.method == "POST":
        done = run_action(
            request,
            lambda: drafts.open_draft(
                client=subject,
                kind=form.cleaned_data["kind"],
                country=form.cleaned_data.get("country", ""),
                actor=request.user,
            ),
            form=form,
            field=lambda error: "country" if error.code == "country" and "country" in form.fields else None,
            show_forbidden=True,
        )
        if done:
            return redirect("portal_upload", done.result.pk)
    context = {
        "client": client,
        "subject": subject,
        "form": form,
        "proof": proof,
        "plans": [plan_of(kind) for kind in kinds],
        "flaw": before.reason if before else "",
        "asked": [request for request in open_requests(subject) if request.kind in kinds],
        "back": back_to(request, client, subject),
    }
    return render(request, "portal/uploads/choose.html", context, status=422 if form.errors else 200)


def kinds_for(client: Client, proof: str) -> tuple[DocumentKind, ...]:
    """List the types that a proof may be of: those that the brand's levels accept, else all that identify. Raises: Http404."""
    if proof == IDENTITY:
        groups = (
            group for level in ladder_of(client.brand) for group in level.groups_for(is_company=is_company(client))
        )
        return identity_kinds_in(code for group in groups for code in group) or IDENTITY_KINDS
    if proof not in DocumentKind.values or (proof in COMPANY_KINDS and client.kind != ClientKind.COMPANY):
        raise Http404
    return (DocumentKind(proof),)


def _subject(request: UserRequest, client: Client) -> Client:
    """Return whose document it is: the client's, or that of one of their company's people."""
    link_id = request.GET.get("person", "")
    if not link_id:
        return client
    if not is_whole(link_id):
        raise Http404
    return company_pages.link_of(client, int(link_id)).person


def _rejected(client: Client, kinds: tuple[DocumentKind, ...]) -> Document | None:
    """Find the rejected document that the next one is to replace: the newest of these types, where nothing came after it."""
    newest = (
        Document.objects.filter(client=client, kind__in=kinds).exclude(state=DocumentState.REPLACED).order_by("-pk")
    )
    document = next((one for one in newest[:4] if one.state_for_client != DocumentState.APPROVED), None)
    return document if document is not None and document.state_for_client == DocumentState.REJECTED else None


def _initial(
    request: UserRequest, client: Client, kinds: tuple[DocumentKind, ...], before: Document | None
) -> dict[str, str]:
    kind = request.GET.get("kind", "")
    country = client.nationality or str(client.country or "")
    if before is not None:
        kind = kind or before.kind
        country = before.declared_country or alpha2_of(before.issuing_country) or country
    return {"kind": kind if kind in kinds else kinds[0].value, "country": country}


def back_to(request: UserRequest, client: Client, subject: Client) -> str:
    """Return the page that an upload began at: the documents, or the page of a company's person."""
    if subject.pk == client.pk:
        return reverse("portal_documents")
    link = CompanyPerson.objects.filter(company_id=client.pk, person=subject, left_at=None).first()
    return reverse("portal_company_person", args=[link.pk]) if link else reverse("portal_company")


# ── the draft ────────────────────────────────────────────────────────────────────────────────────────────────────────
def draft_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard `view(request, client, door, …)`: only one's own drafts are found; a finished one leads back to the documents."""

    @functools.wraps(view)
    @client_required
    def entered(request: UserRequest, client: Client, draft_id: int, *args: Any, **kwargs: Any) -> HttpResponse:
        rows = drafts.drafts_visible_to(request.user).select_related("client__brand", "opened_by")
        draft = rows.filter(pk=draft_id).first()
        if draft is None:
            raise Http404
        if not draft.is_open and request.method in ("GET", "POST"):
            return _onwards(request, back_to(request, client, draft.client))
        return view(request, client, Door(draft, request.user, "portal_upload", draft.pk), *args, **kwargs)

    return entered


def _onwards(request: UserRequest, address: str) -> HttpResponse:
    """Lead on: a page that refreshed a part of itself goes there as a whole."""
    if not wants_fragment(request):
        return redirect(address)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = address
    return response


@draft_required
@require_safe
def draft(request: UserRequest, client: Client, door: Door) -> HttpResponse:
    """Show one step: a side with its pages, or the last look. Refreshes itself while a phone adds pages."""
    if request.GET.get("part") == "phone":
        return _phone_state(request, client, door)
    template = "portal/uploads/_step.html" if wants_fragment(request) else "portal/uploads/draft.html"
    return render(request, template, _context(request, client, door))


def _context(request: UserRequest, client: Client, door: Door, **more: Any) -> dict[str, Any]:
    return {
        **step_context(door, request.GET.get("step", "")),
        "client": client,
        "handover": handover.live_handover(door.draft),
        "handover_minutes": int(handover.CODE_LIFETIME.total_seconds() // 60),
        "back": back_to(request, client, door.draft.client),
        **more,
    }


@takes_files(refuse=too_large, words=too_large_words)
@require_POST
@draft_required
def pages(request: UserRequest, _client: Client, door: Door) -> HttpResponse:
    """Take a page, or have it announced."""
    return take_page(request, door)


@draft_required
@require_http_methods(["GET", "HEAD", "PATCH"])
def page(request: UserRequest, _client: Client, door: Door, page_id: int) -> HttpResponse:
    """Say how much of a page has arrived, or take its next part."""
    return page_bytes(request, door, page_id)


@require_POST
@draft_required
def change(request: UserRequest, _client: Client, door: Door, page_id: int) -> HttpResponse:
    """Remove or move a page."""
    return change_page(request, door, page_id)


@draft_required
@require_safe
def preview(_request: UserRequest, _client: Client, door: Door, page_id: int) -> HttpResponse:
    """Show a page of one's own, small."""
    content = previews.preview_of(door.draft, draft_pages.page_of(door.draft, page_id))
    if not content:
        raise Http404
    return guarded(HttpResponse(content, content_type="image/jpeg"))


@require_POST
@draft_required
def send(request: UserRequest, client: Client, door: Door) -> HttpResponse:
    """Send the document for checking."""
    done = run_action(
        request,
        lambda: submission.send_draft(draft_id=door.draft.pk, actor=request.user),
        _("Document sent. We're checking it."),
        show_forbidden=True,
    )
    return redirect(back_to(request, client, door.draft.client) if done else door.home)


@require_POST
@draft_required
def discard(request: UserRequest, client: Client, door: Door) -> HttpResponse:
    """Give up a document that wasn't sent."""
    run_action(
        request,
        lambda: drafts.discard_draft(draft_id=door.draft.pk, actor=request.user),
        _("Upload discarded. Nothing was sent."),
        show_forbidden=True,
    )
    return redirect(back_to(request, client, door.draft.client))


def _phone_state(request: UserRequest, client: Client, door: Door) -> HttpResponse:
    """Show how it is with the phone; a code that no phone has opened yet stays as it is, because nobody knows it any more."""
    context = _context(request, client, door)
    found = context["handover"]
    if "code" in request.GET and found is not None and found.opened_at is None:
        return HttpResponse(status=204)
    return render(request, "portal/uploads/_handover.html", context)


# ── the phone's code ─────────────────────────────────────────────────────────────────────────────────────────────────
@draft_required
def hand_over(request: UserRequest, client: Client, door: Door) -> HttpResponse:
    """Show a code that a phone scans, once; or end what a phone is doing. A reload leads back: a code isn't shown twice."""
    if request.method != "POST":
        return redirect(door.home)
    if "end" in request.POST:
        run_action(
            request, lambda: handover.revoke_handover(draft_id=door.draft.pk, actor=request.user), show_forbidden=True
        )
        return redirect(f"{door.home}?step={request.GET.get('step', '')[:8]}")
    made = run_action(
        request, lambda: handover.hand_over(draft_id=door.draft.pk, actor=request.user), show_forbidden=True
    )
    if not made:
        return redirect(door.home)
    _row, secret = made.result
    address = request.build_absolute_uri(reverse("phone_upload_open", args=[client.brand.code, secret]))
    code = qr.svg(address, label=_("QR code for your phone"))
    return render(request, "portal/uploads/draft.html", _context(request, client, door, code=code, code_url=address))
