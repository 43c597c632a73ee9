"""The client's category in the portal: what it means, asking to be professional, and returning to more protection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.choices import Category
from clients.models import Client
from crm.errors import DomainError, Refusal
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.web.requests import UserRequest
from crm.web.uploads import takes_files
from kyc import incoming
from kyc.categories import decisions, policies, requests
from kyc.categories.choices import NEED_EVIDENCE, Criterion
from kyc.categories.figures import trade_figures
from kyc.categories.views import history_of
from kyc.choices import DocumentKind
from kyc.forms import ACCEPT, UploadForm
from kyc.intake import too_large_words
from portal.guards import client_required
from portal.uploads.door import too_large

DOCUMENTS_MAX = 50
# Codes of refusals that are shown at their field; all others above the page.
FIELDS = ("criteria", "warning", *Criterion.values)


@client_required
def category(request: UserRequest, client: Client) -> HttpResponse:
    """Show the client's category and its history, and take a request to be professional."""
    if request.method == "POST":
        done = run_action(
            request,
            lambda: requests.request_professional(
                client_id=client.pk,
                actor=request.user,
                criteria=request.POST.getlist("criteria")[: len(Criterion)],
                statement={code: request.POST.get(f"words-{code}", "")[:1_000] for code in Criterion.values},
                evidence={code: _ids(request.POST.getlist(f"documents-{code}")) for code in Criterion.values},
                warning_sha256=request.POST.get("sha256", "")[:64] if request.POST.get("read") == "on" else "",
                language=request.LANGUAGE_CODE,
            ),
            _("Request received. We'll review it and let you know."),
            unshown=DomainError,
        )
        if done:
            return redirect("portal_category")
        assert isinstance(done, Refusal)
        if done.error.code not in FIELDS:
            messages.error(request, done.message)
        return _page(request, client, status=422, errors={done.error.code: done.message})
    return _page(request, client)


def _ids(given: list[str]) -> list[int]:
    return [int(text) for text in given[:DOCUMENTS_MAX] if is_whole(text)]


def _page(
    request: UserRequest, client: Client, status: int = 200, errors: Mapping[str, str] | None = None
) -> HttpResponse:
    may_ask, open_request = policies.can_ask(request.user, client), requests.open_request_of(client)
    is_form = bool(may_ask) and open_request is None
    sent = incoming.shown_for(client) if is_form else []
    context: dict[str, Any] = {
        "client": client,
        "category": Category(client.category),
        "periods": history_of(client),
        "more_protected": policies.more_protected(client.category),
        "may_ask": may_ask,
        "open_request": open_request,
        "answered": client.category_requests.exclude(state="open").first(),
        "is_form": is_form,
        "errors": errors or {},
    }
    if is_form:
        warning = requests.warning_of(client.brand, request.LANGUAGE_CODE)
        context |= {
            "figures": trade_figures(client),
            "warning": warning,
            "criteria": [_criterion(request, criterion) for criterion in Criterion],
            "documents": requests.evidence_choices(client),
            "incoming": sent,
            "is_checking": incoming.any_waiting(sent),
            "accept": ACCEPT,
            "max_bytes": settings.UPLOAD_MAX_BYTES,
        }
    return render(request, "portal/category.html", context, status=status)


def _criterion(request: HttpRequest, criterion: Criterion) -> dict[str, Any]:
    return {
        "code": criterion.value,
        "label": criterion.label,
        "needs_evidence": criterion in NEED_EVIDENCE,
        "is_chosen": criterion.value in request.POST.getlist("criteria"),
        "words": request.POST.get(f"words-{criterion.value}", "")[:1_000],
        "documents": _ids(request.POST.getlist(f"documents-{criterion.value}")),
    }


@client_required
@require_POST
def change(request: UserRequest, client: Client, act: str) -> HttpResponse:
    """Return to more protection, from now on; or take a request back."""
    if act == "withdraw":
        row = get_object_or_404(client.category_requests, state="open")
        run_action(
            request, lambda: requests.withdraw_request(request_id=row.pk, actor=request.user), _("Request withdrawn.")
        )
    elif act in Category.values:
        run_action(
            request,
            lambda: decisions.opt_down(client_id=client.pk, category=act, actor=request.user),
            _("Done. Your new category applies from now on."),
        )
    else:
        raise Http404
    return redirect("portal_category")


@takes_files(refuse=too_large, words=too_large_words)
@require_POST
@client_required
def evidence(request: UserRequest, client: Client) -> HttpResponse:
    """Take a document that proves a criterion; once it was opened it can be attached."""
    form = UploadForm({"kind": DocumentKind.OTHER}, request.FILES)
    done = run_action(
        request,
        lambda: incoming.receive(
            client=client, kind=DocumentKind.OTHER, file=form.cleaned_data["file"], actor=request.user
        ),
        _("File received. We're checking it."),
        form=form,
        show_forbidden=True,
    )
    if not done and request.headers.get("X-Requested-With") == "XMLHttpRequest":
        return JsonResponse({"message": str(next(iter(form.errors.values()))[0])}, status=422)
    return redirect("portal_category")
