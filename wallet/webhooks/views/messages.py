"""The webhook inbox: what a PSP sent, and what became of it."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.choices.psp import InboxState, Verdict
from wallet.core import queries
from wallet.models import WebhookMessage
from wallet.movements import queries as movements_queries
from wallet.webhooks.processing import try_again

BODY_SHOWN_BYTES = 8_000


@staff_page("wallet.view_webhookmessage")
def webhook_page(request: UserRequest, pk: int) -> HttpResponse:
    rows = queries.webhooks_visible_to(request.user).select_related("psp__brand")
    message: WebhookMessage = queries.one_of(rows, pk, request.user, "wallet.view_webhookmessage")
    may_retry = (
        request.user.has_perm("wallet.manage_psp")
        and message.verdict == Verdict.ACCEPTED
        and message.state in (InboxState.FAILED, InboxState.UNMATCHED)
    )
    context = {
        "message": message,
        "body": bytes(message.body)[:BODY_SHOWN_BYTES].decode("utf-8", "replace"),
        "headers": sorted(message.headers.items()),
        "may_retry": may_retry,
        "movement": movements_queries.movement_by_reference(request.user, message.reference),
    }
    return render(request, "wallet/webhooks/webhook.html", context)


@require_POST
@staff_page("wallet.manage_psp")
def webhook_retry(request: UserRequest, pk: int) -> HttpResponseBase:
    message = queries.one_of(queries.webhooks_visible_to(request.user), pk, request.user, "wallet.manage_psp")
    run_action(
        request,
        lambda: try_again(message_id=message.pk, actor=request.user),
        _("The message is being processed again."),
    )
    return redirect("wallet:webhook", pk=message.pk)
