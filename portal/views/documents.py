"""A client's own money documents: statements, receipts, invoices; made on demand, kept for later."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from portal.forms_room import StatementForm
from portal.guards import client_required
from wallet.documents import receipts, store
from wallet.documents.views.documents import file_response
from wallet.movements import queries

PAGE = 25


@client_required
@require_safe
def document_list(request: UserRequest, client: Client) -> HttpResponse:
    """List the client's statements, receipts and invoices, the newest first, with the form for a new statement."""
    rows = store.documents_visible_to(request.user).order_by("-id")
    before = request.GET.get("before", "")
    if is_whole(before) and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    page = list(rows[: PAGE + 1])
    context = {
        "client": client,
        "papers": page[:PAGE],
        "next": page[PAGE - 1].pk if len(page) > PAGE else None,
        "statement": StatementForm(initial=StatementForm.last_month(client)),
    }
    return render(request, "portal/wallet_documents.html", context)


@client_required
@require_safe
def document_file(request: UserRequest, client: Client, pk: int) -> Any:
    """Send the file of one of the client's own documents."""
    document = store.documents_visible_to(request.user).filter(pk=pk, client=client).first()
    if document is None:
        raise Http404
    return file_response(document)


@client_required
@require_POST
def receipt(request: UserRequest, client: Client, reference: str) -> HttpResponse:
    """Make the receipt of a deposit; its page shows how far it is, then the file."""
    deposit = queries.deposit_of(request.user, reference)
    language = request.LANGUAGE_CODE
    done = run_action(request, lambda: receipts.order_receipt(deposit=deposit, actor=request.user, language=language))
    return redirect("job", pk=done.result.pk) if done else redirect("portal_movement", reference=reference)
