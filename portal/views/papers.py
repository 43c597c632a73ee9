"""Papers of one's own money: statements, receipts, invoices; made on demand, kept for later."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from portal.forms_room import StatementForm
from portal.room import room
from wallet.documents import receipts, store
from wallet.documents.views.documents import file_response
from wallet.movements import queries

PAGE = 25


@room
@require_safe
def papers(request: UserRequest, client: Client) -> HttpResponse:
    """The newest first, by keyset; and the form for a statement."""
    rows = store.documents_visible_to(request.user).order_by("-id")
    before = request.GET.get("before", "")
    if is_whole(before) and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE + 1])
    context = {
        "client": client,
        "papers": found[:PAGE],
        "next": found[PAGE - 1].pk if len(found) > PAGE else None,
        "statement": StatementForm(initial=StatementForm.last_month(client)),
    }
    return render(request, "portal/papers.html", context)


@room
@require_safe
def paper(request: UserRequest, client: Client, pk: int) -> Any:
    """The file of one."""
    document = store.documents_visible_to(request.user).filter(pk=pk, client=client).first()
    if document is None:
        raise Http404
    return file_response(document)


@room
@require_POST
def receipt(request: UserRequest, client: Client, reference: str) -> HttpResponse:
    """Make the receipt of a deposit; its page shows how far it is, then the file."""
    found = queries.deposit_of(request.user, reference)
    user = cast(User, request.user)
    language = (request.LANGUAGE_CODE or "en")[:2]
    done = run_action(request, lambda: receipts.order_receipt(deposit=found, actor=user, language=language))
    return redirect("job", pk=done.result.pk) if done else redirect("portal_movement", reference=reference)
