"""A check at a provider: its page with the answer as it came, refreshing and cancelling it."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.policies import can
from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.models import ProviderCheck
from kyc.providers import checks, lookups
from kyc.providers.choices import OPEN_CHECKS, ProviderCheckState
from kyc.providers.queries import checks_visible_to, last_check_of
from kyc.providers.steps import shown_steps

TEXT_SHOWN_MAX = 40_000


def card_of(user: User, client: Client) -> dict[str, Any] | None:
    """Collect what a client's card of their last check shows; None where there was none."""
    check = last_check_of(client)
    if check is None:
        return None
    return {
        "check": check,
        "steps": shown_steps(check),
        "may_refresh": bool(can(user, client, "kyc.review_document")),
        "may_cancel": check.can_move_to(ProviderCheckState.CANCELLED),
        "is_open": check.state in OPEN_CHECKS,
    }


@staff_page("kyc.open_document")
def check_page(request: UserRequest, check_id: int) -> HttpResponse:
    """Show a check with the provider's answer as it came; every view is logged."""
    rows = ProviderCheck.objects.filter(pk__in=checks_visible_to(request.user).filter(pk=check_id).values("pk"))
    check = rows.select_related("provider", "client__brand").first()
    if check is None:
        raise Http404
    access_log.note(
        user=request.user,
        kind=AccessKind.DOWNLOAD,
        client_id=check.client_id,
        brand_id=check.client.brand_id,
        target=f"kyc.providercheck:{check.pk}",
    )
    answer = orjson.dumps(check.result, option=orjson.OPT_INDENT_2).decode()[:TEXT_SHOWN_MAX] if check.result else ""
    pictures = check.pictures.select_related("document")
    context = {
        "card": {**(card_of(request.user, check.client) or {}), "check": check, "steps": shown_steps(check)},
        "check": check,
        "answer": answer,
        "pictures": pictures,
        "messages_received": check.messages.defer("body_sealed").order_by("-pk")[:20],
    }
    return render(request, "kyc/providers/check.html", context)


def _find(user: User, check_id: int) -> ProviderCheck:
    check = checks_visible_to(user).filter(pk=check_id).select_related("client").first()
    if check is None:
        raise Http404
    return check


@require_POST
@staff_page("kyc.review_document")
def check_refresh(request: UserRequest, check_id: int) -> HttpResponseBase:
    """Look a check up now."""
    check = _find(request.user, check_id)
    if lookups.look_up(check.pk):
        messages.success(request, _("Looked up at the provider."))
    else:
        messages.warning(request, _("The provider gave no answer. It's asked again automatically."))
    return redirect(f"{check.client.get_absolute_url()}?tab=kyc")


@require_POST
@staff_page("kyc.review_document")
def check_cancel(request: UserRequest, check_id: int) -> HttpResponseBase:
    """Cancel a check, so that the client may start another one."""
    check = _find(request.user, check_id)
    reason = request.POST.get("reason", "")[:300]
    run_action(
        request,
        lambda: checks.cancel_check(check_id=check.pk, actor=request.user, reason=reason),
        _("Check cancelled. The client may start another one."),
        show_forbidden=True,
    )
    return redirect(f"{check.client.get_absolute_url()}?tab=kyc")
